//! Starts programs under valgrind with options that lose no report.
//!
//! Source: valgrind's manual, core options. [`table`] has the sources for each option.

mod options;
mod table;

use memchr::memmem;

use self::options::UserOptions;
use self::table::required_options;
use super::checker::Checker;
use super::launch::{Launch, Machine, not_found};
use crate::error::Error;

/// Options that move valgrind's log.
const LOG_OPTIONS: &[&str] = &[
    "--log-file=",
    "--xml-file=",
    "--xml-fd=",
    "--log-socket=",
    "--xml-socket=",
];

/// The argument that makes valgrind check each program that a checked one starts.
const FOLLOW_CHILDREN: &str = "--trace-children=yes";

/// The opposite of [`FOLLOW_CHILDREN`].
const DONT_FOLLOW_CHILDREN: &str = "--trace-children=no";

/// Returns how to start a program under one of valgrind's tools.
///
/// # Errors
/// Fails if valgrind isn't installed.
pub(super) fn launch(
    checker: Checker,
    log_dir: &str,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    let valgrind = machine.find_program("valgrind").ok_or_else(|| {
        not_found(
            checker,
            "valgrind not found on PATH",
            "install it with `apt-get install valgrind` or `dnf install valgrind`",
        )
    })?;
    let user = UserOptions::read(checker, machine);
    let mut wrapper = vec![valgrind.to_string_lossy().into_owned()];
    wrapper.push(format!("--tool={}", checker.name()));
    wrapper.extend(required_options(checker).filter_map(|option| option.argument(&user)));
    wrapper.push(format!("--xml-file={}/%p.xml", log_dir.replace('%', "%%")));
    let mut notes: Vec<String> = required_options(checker)
        .filter_map(|option| option.note(&user))
        .collect();
    notes.extend(log_notes(&user));
    Ok(Launch {
        wrapper,
        notes,
        ..Launch::default()
    })
}

/// Returns the arguments of valgrind for a program whose children are met by
/// [`ExecHook`](super::exec_hook::ExecHook), so that valgrind need not follow them.
pub(super) fn without_children(wrapper: &[String]) -> Vec<String> {
    let replaced = |argument: &String| match argument.as_str() {
        FOLLOW_CHILDREN => DONT_FOLLOW_CHILDREN.to_owned(),
        _ => argument.clone(),
    };
    wrapper.iter().map(replaced).collect()
}

/// Returns a note for each user option that would move the log.
fn log_notes(user: &UserOptions) -> impl Iterator<Item = String> {
    let moves_log = |text: &str| LOG_OPTIONS.iter().any(|option| text.starts_with(option));
    user.iter()
        .filter(move |option| moves_log(&option.text))
        .map(|option| {
            format!(
                "{}: {} is overridden; use --keep-logs DIR to keep the logs",
                option.source, option.text
            )
        })
}

/// Returns a message for each option that loses reports although leakgate passes its own options,
/// by the options that valgrind has listed in a report.
///
/// A child process may have read such an option from the `.valgrindrc` of another directory.
/// `follows_children` is true if leakgate itself meets the programs that others start.
pub(super) fn harmful_options(checker: Checker, xml: &[u8], follows_children: bool) -> Vec<String> {
    let mut messages = Vec::new();
    for start in memmem::find_iter(xml, b"<vargv>") {
        let rest = &xml[start..];
        let end = memmem::find(rest, b"</vargv>").unwrap_or(rest.len());
        let text = String::from_utf8_lossy(&rest[..end]);
        let options: Vec<String> = text
            .split("<arg>")
            .skip(1)
            .filter_map(|part| Some(part.split_once("</arg>")?.0.to_owned()))
            // The preloaded library meets the children.
            .filter(|option| !follows_children || option != DONT_FOLLOW_CHILDREN)
            .collect();
        messages.extend(options::harmful_options(checker, &options));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn required_options_override_the_user_with_a_note() {
        let machine = FakeMachine {
            programs: vec!["valgrind"],
            env: vec![(
                "VALGRIND_OPTS",
                "--leak-check=no --num-callers=7 --error-exitcode=9 --xml-file=x \
                 --trace-children=yes --log-fd=2",
            )],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::Memcheck, "/tmp/100%", &machine).unwrap();
        let has = |argument: &str| launch.wrapper.iter().any(|a| a == argument);
        for argument in [
            "/bin/valgrind",
            "--tool=memcheck",
            "--leak-check=full",
            "--demangle=no",
            "--show-below-main=yes",
            "--xml=yes",
        ] {
            assert!(has(argument), "{argument}");
        }
        assert!(has("--xml-file=/tmp/100%%/%p.xml") && has("--num-callers=40"));
        assert_eq!(launch.notes.len(), 4, "{:?}", launch.notes);
    }

    #[test]
    fn options_are_read_from_every_report_in_a_log() {
        let xml = |option: &str| {
            format!("<args><vargv><exe>v</exe><arg>{option}</arg></vargv><argv/></args>\n")
        };
        let log = [xml("--redzone-size=16"), xml("--ignore-ranges=0x1-0x2")].concat();
        assert_eq!(
            harmful_options(Checker::Memcheck, log.as_bytes(), false),
            ["--ignore-ranges=0x1-0x2 hides errors in a range"]
        );
        assert_eq!(
            harmful_options(Checker::Helgrind, log.as_bytes(), false).len(),
            0
        );
    }

    #[test]
    fn other_tools_get_no_leak_options() {
        let machine = FakeMachine {
            programs: vec!["valgrind"],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::Drd, "/tmp/x", &machine).unwrap();
        assert!(
            launch.wrapper.contains(&"--tool=drd".to_owned())
                && !launch.wrapper.iter().any(|a| a.contains("leak"))
        );
    }

    #[test]
    fn missing_valgrind_error_names_the_package() {
        let error = launch(Checker::Helgrind, "/tmp/x", &FakeMachine::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "valgrind not found on PATH (needed for helgrind)\n\
             help: install it with `apt-get install valgrind` or `dnf install valgrind`"
        );
    }
}
