//! Checkers of other systems: Dr. Memory, `leaks` of macOS, Application Verifier of Windows.
//!
//! Sources: Dr. Memory's manual, on options; `leaks(1)`, `malloc(3)` of macOS; the manual of
//! Application Verifier, on its command line.

use super::checker::Checker;
use super::launch::{Launch, Machine, absent};
use crate::error::Error;

/// How to start a program under one of them.
pub(super) fn launch(
    checker: Checker,
    folder: &str,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    match checker {
        Checker::Drmemory => {
            let program = found(
                checker,
                "drmemory",
                "get it from https://drmemory.org",
                machine,
            )?;
            // A finding leaves the program's status as it is; nothing opens a window at the end;
            // the summary says how many there were.
            let options = [
                "-batch",
                "-exit_code_if_errors",
                "0",
                "-report_max",
                "-1",
                "-report_leak_max",
                "-1",
                "-logdir",
                folder,
                "--",
            ];
            let prefix = std::iter::once(program)
                .chain(options.map(str::to_owned))
                .collect();
            Ok(Launch {
                prefix,
                ..Launch::default()
            })
        }
        Checker::Leaks => {
            let program = found(
                checker,
                "leaks",
                "it comes with macOS (xcode-select --install)",
                machine,
            )?;
            let prefix = vec![program, "--atExit".into(), "--".into()];
            // With the stacks of blocks that are still there.
            let stacks = if machine.variable("MallocStackLogging").is_none() {
                vec![("MallocStackLogging".into(), "1".into())]
            } else {
                vec![]
            };
            let notes = vec!["`leaks` hides the status of the program that it runs".to_owned()];
            Ok(Launch {
                prefix,
                inner: stacks,
                notes,
                ..Launch::default()
            })
        }
        _ => {
            found(
                checker,
                "appverif",
                "it comes with the Windows SDK (Application Verifier)",
                machine,
            )?;
            Ok(Launch::default())
        }
    }
}

fn found(
    checker: Checker,
    program: &str,
    how: &str,
    machine: &dyn Machine,
) -> Result<String, Error> {
    let path = machine
        .program(program)
        .ok_or_else(|| absent(checker, &format!("there is no `{program}` on PATH"), how))?;
    Ok(path.to_string_lossy().into_owned())
}

/// What is run before and after a program that Application Verifier watches: it is turned on for
/// the name of a program, and its log is exported to this folder.
pub(super) fn around(program: &str, folder: &str) -> (Vec<String>, [Vec<String>; 2]) {
    let words = |text: &[&str]| {
        text.iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let to = format!("to={folder}\\{name}.xml");
    let before = words(&[
        "appverif", "/enable", "Heaps", "Handles", "Locks", "Memory", "Leak", "/for", name,
    ]);
    let export = words(&["appverif", "-export", "log", "-for", name, "-with", &to]);
    (
        before,
        [export, words(&["appverif", "/disable", "*", "/for", name])],
    )
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn the_command_lines_are_those_of_the_manuals() {
        let machine = Made {
            programs: vec!["drmemory", "leaks", "appverif"],
            ..Made::default()
        };
        let drmemory = launch(Checker::Drmemory, "/logs", &machine)
            .unwrap()
            .prefix
            .join(" ");
        assert_eq!(
            drmemory,
            "/bin/drmemory -batch -exit_code_if_errors 0 -report_max -1 -report_leak_max -1 -logdir /logs --"
        );
        let leaks = launch(Checker::Leaks, "/logs", &machine).unwrap();
        assert_eq!(leaks.prefix.join(" "), "/bin/leaks --atExit --");
        assert_eq!(
            leaks.inner,
            [("MallocStackLogging".to_owned(), "1".to_owned())]
        );
        assert_eq!(
            launch(Checker::Appverifier, "/logs", &machine)
                .unwrap()
                .prefix,
            Vec::<String>::new()
        );
    }

    #[test]
    fn application_verifier_is_turned_on_exported_and_turned_off() {
        let (before, [export, off]) = around("C:\\build\\app.exe", "C:\\logs");
        assert_eq!(
            before.join(" "),
            "appverif /enable Heaps Handles Locks Memory Leak /for app.exe"
        );
        assert_eq!(
            export.join(" "),
            "appverif -export log -for app.exe -with to=C:\\logs\\app.exe.xml"
        );
        assert_eq!(off.join(" "), "appverif /disable * /for app.exe");
    }

    #[test]
    fn each_says_where_it_comes_from() {
        for (checker, from) in [
            (Checker::Drmemory, "drmemory.org"),
            (Checker::Leaks, "xcode"),
            (Checker::Appverifier, "Windows SDK"),
        ] {
            assert!(
                launch(checker, "/logs", &Made::default())
                    .unwrap_err()
                    .to_string()
                    .contains(from)
            );
        }
    }
}
