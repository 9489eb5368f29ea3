//! The command line as given, and the settings that follow from it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use leakgate_core::Silence;
use leakgate_core::emit::Format;

/// What leakgate was asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Read logs and decide.
    Check(Settings),
}

/// Everything that `check` needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Files, directories, patterns, `-`.
    pub names: Vec<OsString>,
    /// Documents to write.
    pub documents: Vec<Document>,
    /// What a log without any checker output means.
    pub silence: Silence,
}

/// A document and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// Its format.
    pub format: Format,
    /// A file, or standard output.
    pub file: Option<PathBuf>,
}

/// Fails a build for a memory bug that nobody has accepted, and only for that.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Raw,
    /// Colours: when standard output is a terminal, always, or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Raw {
    /// Read logs of memory checkers, show every finding, and pass or fail.
    ///
    /// Exit status: 0 pass, 1 fail, 2 not all of the work could be done.
    Check(RawCheck),
}

#[derive(Debug, Args)]
struct RawCheck {
    /// Log files, directories, patterns such as 'logs/**/*.log', or - for standard input.
    /// gzip and zip files (GitHub's log archives) are unpacked.
    #[arg(value_name = "PATH", required = true)]
    names: Vec<OsString>,
    /// The document to write: text or json, to standard output or, with =FILE, to a file. May be given often.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = document)]
    format: Vec<Document>,
    /// What a log without any checker output means. Sanitizers say nothing about a clean run, nor about one that never was.
    #[arg(long, value_name = "MEANING", default_value = "fail")]
    silence: RawSilence,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RawSilence {
    /// No proof, so the gate fails.
    Fail,
    /// What a clean run looks like.
    Pass,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

/// Reads the command line; ends the process where it is wrong or asks for help.
pub(crate) fn parse() -> Command {
    let cli = Cli::parse();
    match cli.color {
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    match cli.command {
        Raw::Check(raw) => {
            if raw.format.iter().filter(|d| d.file.is_none()).count() > 1 {
                let text = "only one document can go to standard output; give the others a file, as in `--format json=FILE`";
                Cli::command().error(ErrorKind::ArgumentConflict, text).exit();
            }
            Command::Check(settings(raw))
        }
    }
}

fn settings(raw: RawCheck) -> Settings {
    let mut documents = raw.format;
    if documents.iter().all(|d| d.file.is_some()) {
        documents.insert(0, Document { format: Format::Text, file: None });
    }
    let silence = match raw.silence {
        RawSilence::Fail => Silence::Fail,
        RawSilence::Pass => Silence::Pass,
    };
    Settings { names: raw.names, documents, silence }
}

fn document(text: &str) -> Result<Document, String> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
    let format = Format::ALL.iter().find(|f| f.as_str() == name);
    let known = || Format::ALL.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", ");
    let format = *format.ok_or_else(|| format!("`{name}` is no format; there are {}", known()))?;
    match file {
        Some("") => Err(format!("a file name belongs after `{name}=`")),
        file => Ok(Document { format, file: file.map(PathBuf::from) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn documents_name_their_format_and_file() {
        assert_eq!(document("json"), Ok(Document { format: Format::Json, file: None }));
        assert_eq!(document("json=a=b"), Ok(Document { format: Format::Json, file: Some("a=b".into()) }));
        assert!(document("jsn").unwrap_err().contains("text, json"));
        assert!(document("json=").is_err());
    }

    #[test]
    fn text_goes_to_standard_output_unless_another_document_does() {
        let of = |args: &[&str]| match Cli::parse_from([&["leakgate", "check", "x"], args].concat()).command {
            Raw::Check(raw) => settings(raw).documents.len(),
        };
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&["--format", "json"]), 1);
        assert_eq!(of(&["--format", "json=f"]), 2);
    }
}
