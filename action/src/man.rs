//! `leakgate man`: writes the manual pages that packages install, one for each command.
//!
//! The texts are those of `--help`. Exit statuses, which `--help` has in a paragraph, get their own
//! section.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use leakgate_core::Date;

use crate::error::{Error, Status};
use crate::output;
use crate::settings::{BASELINE, CONFIG};

/// Beginning of the paragraph with the exit statuses of a command.
const EXIT_STATUS: &str = "Exit status: ";

/// The address of the documentation.
const DOCUMENTATION: &str = "https://github.com/leakgate/leakgate/tree/main/docs";

/// Options of `leakgate man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// An existing directory for the pages.
    folder: PathBuf,
    /// The date in the pages, which is the same for everyone who builds a package of a commit.
    date: Date,
}

/// Runs the command.
pub(crate) fn run(args: &ManArgs, cli: Command) -> Result<Status, Error> {
    for (name, text) in pages(cli, args.date) {
        output::file(&args.folder.join(name), &text)?;
    }
    Ok(Status::Pass)
}

/// Returns the file names and texts of all pages.
fn pages(cli: Command, date: Date) -> Vec<(String, String)> {
    // Each page of a command describes its subcommands.
    let mut cli = cli.disable_help_subcommand(true);
    cli.build();
    let mut all = Vec::new();
    add_pages(&cli, "", &date.to_string(), &mut all);
    all
}

/// Adds the page of a command, and those of its subcommands. A subcommand without exit statuses has
/// those of its parent.
fn add_pages(command: &Command, inherited: &str, date: &str, all: &mut Vec<(String, String)>) {
    let about = command.get_long_about().map(ToString::to_string);
    let (about, statuses) =
        about
            .as_deref()
            .map_or(("", None), |about| match about.rsplit_once(EXIT_STATUS) {
                Some((about, statuses)) => (about.trim_end(), Some(statuses)),
                None => (about, None),
            });
    let statuses = statuses.unwrap_or(inherited);
    let mut page = command.clone();
    if !about.is_empty() {
        page = page.long_about(about.to_owned());
    }
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = write_page(page, statuses, date, &mut text);
    let name = command.get_display_name().unwrap_or(command.get_name());
    let text = tidy(&String::from_utf8_lossy(&text));
    all.push((format!("{name}.1"), text));
    for subcommand in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        add_pages(subcommand, statuses, date, all);
    }
}

/// Writes a page.
fn write_page(
    command: Command,
    statuses: &str,
    date: &str,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut roff = Roff::new();
    let name = command.get_display_name().unwrap_or(command.get_name());
    let is_root = command.get_version().is_some();
    let files = files(&command);
    if !statuses.is_empty() {
        roff.control("SH", ["EXIT STATUS"]);
        for (status, meaning) in split_statuses(statuses) {
            roff.control("TP", []);
            roff.text([bold(status)]);
            roff.text([roman(meaning)]);
        }
    }
    if !files.is_empty() {
        roff.control("SH", ["FILES"]);
        for (path, meaning) in files {
            roff.control("TP", []);
            roff.text([italic(path)]);
            roff.text([roman(meaning)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    if !is_root {
        roff.text([bold("leakgate"), roman("(1)")]);
        roff.control("PP", []);
    }
    roff.text([roman(DOCUMENTATION)]);

    let title = name.to_uppercase();
    let has_options = command.get_arguments().any(|option| !option.is_hide_set());
    let has_commands = command.has_subcommands();
    let man = Man::new(command)
        .title(title)
        .date(date)
        .source(concat!("leakgate ", env!("CARGO_PKG_VERSION")))
        .manual("leakgate");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    if has_options {
        man.render_options_section(out)?;
    }
    if has_commands {
        man.render_subcommands_section(out)?;
    }
    roff.to_writer(out)
}

/// Removes what is harmless, but not accepted by `mandoc -T lint`: the definitions that begin each
/// section but the first, line breaks around an empty line, and spaces at the end of a line.
fn tidy(page: &str) -> String {
    let (definitions, _) = page.split_once(".TH ").unwrap_or_default();
    let mut text = definitions.to_owned();
    for line in page.replace(definitions, "").lines() {
        text += line.trim_end();
        text.push('\n');
    }
    text.replace("\n.br\n\n.br\n", "\n.sp\n")
}

/// Splits `0: pass; 1: fail` into statuses and their meanings. A meaning may contain `; `.
fn split_statuses(text: &str) -> Vec<(String, String)> {
    let mut statuses: Vec<(String, String)> = Vec::new();
    for part in text.trim().trim_end_matches('.').split("; ") {
        match part.split_once(": ") {
            Some((status, meaning)) if status.bytes().all(|byte| byte.is_ascii_digit()) => {
                statuses.push((status.to_owned(), meaning.to_owned()));
            }
            _ => {
                if let Some((_, meaning)) = statuses.last_mut() {
                    *meaning += "; ";
                    *meaning += part;
                }
            }
        }
    }
    statuses
}

/// Returns the files that a command reads or writes without being given their paths.
fn files(command: &Command) -> Vec<(&'static str, &'static str)> {
    const CONFIG_HELP: &str = "Rules and policy. It is searched for in the working directory and \
        its parent directories, up to the root of the repository.";
    const BASELINE_HELP: &str = "The baseline, next to leakgate.toml, unless leakgate.toml or an \
        option names another file.";
    let has_option = |name: &str| {
        command
            .get_arguments()
            .any(|option| option.get_id() == name)
    };
    let has_gate = has_option("config") || command.has_subcommands();
    match command.get_name() {
        "init" => vec![
            (CONFIG, "The generated rules and policy."),
            (
                crate::init::WORKFLOW,
                "The generated workflow for GitHub Actions.",
            ),
        ],
        "explain" => Vec::new(),
        _ if has_gate => vec![(CONFIG, CONFIG_HELP), (BASELINE, BASELINE_HELP)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    /// Returns the pages of this program.
    fn all() -> Vec<(String, String)> {
        pages(cli::command(), "2026-12-01".parse().unwrap())
    }

    /// Returns the lines of a section of a page.
    fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
        let lines = page.lines().map(|line| line.trim_matches('"'));
        let after = lines.skip_while(|line| line.strip_prefix(".SH ") != Some(heading));
        let mut section: Vec<&str> = after.skip(1).collect();
        let end = section.iter().position(|line| line.starts_with(".SH "));
        section.truncate(end.unwrap_or(section.len()));
        section
    }

    #[test]
    fn every_command_has_a_page_with_its_exit_statuses() {
        let pages = all();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["leakgate.1", "leakgate-check.1", "leakgate-rules-convert.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for hidden in ["leakgate-exec.1", "leakgate-man.1", "leakgate-help.1"] {
            assert!(!names.contains(&hidden), "{names:?}");
        }
        for (name, page) in &pages {
            let statuses = section(page, "\"EXIT STATUS");
            assert!(statuses.contains(&"\\fB0\\fR"), "{name}: {page}");
            assert!(!page.contains(EXIT_STATUS), "{name}: {page}");
        }
    }

    #[test]
    fn pages_list_files_that_are_found_without_options() {
        let pages = all();
        for (name, page) in &pages {
            let has_config = page.contains("\\-\\-config");
            let expects = has_config || ["leakgate.1", "leakgate-init.1"].contains(&name.as_str());
            let files = section(page, "FILES");
            let named = files.contains(&"\\fIleakgate.toml\\fR");
            assert!(named || !expects, "{name}: {page}");
        }
    }

    #[test]
    fn statuses_are_split_only_before_numbers() {
        let split = split_statuses("0: pass; 1: fail: a, or b; c; 2: error.");
        let expected = [("0", "pass"), ("1", "fail: a, or b; c"), ("2", "error")];
        let expected = expected.map(|(status, text)| (status.to_owned(), text.to_owned()));
        assert_eq!(split, expected);
    }
}
