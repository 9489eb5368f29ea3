//! valgrind: the options with which nothing is lost.
//!
//! Sources: valgrind's manual, core and memcheck options; `coregrind/m_main.c` for the order in
//! which options are read: `~/.valgrindrc`, `VALGRIND_OPTS`, `./.valgrindrc`, the command line, and
//! the last one wins.

use super::checker::Checker;
use super::launch::{Launch, Machine, absent};
use crate::error::Error;

/// Options of all tools that decide whether something is lost. What the user wants otherwise is
/// replaced, and that is said.
const NEEDED: &[(&str, &str)] = &[
    ("--xml", "yes"),
    ("--trace-children", "yes"),
    // A child that only forks has a report of its own.
    ("--child-silent-after-fork", "no"),
    // Names as the linker knows them, for entries of suppression files say them so.
    ("--demangle", "no"),
    ("--show-below-main", "yes"),
    // Frames of libraries that are unloaded keep their names.
    ("--keep-debuginfo", "yes"),
    // The program's own status says whether the program failed.
    ("--error-exitcode", "0"),
    ("--exit-on-first-error", "no"),
    ("--error-limit", "no"),
    ("--gen-suppressions", "no"),
    // Its server makes files in the folder for temporary files, and programs end where it can't.
    ("--vgdb", "no"),
];

const OF_MEMCHECK: &[(&str, &str)] = &[
    ("--leak-check", "full"),
    ("--show-leak-kinds", "all"),
    ("--undef-value-errors", "yes"),
];

/// Options that are better so, where the user has no wish: twelve frames do not reach the program
/// beneath Rust's library.
const WISHED: &[(&str, &str)] = &[("--num-callers", "40")];

/// How to start a program under one of valgrind's tools.
pub(super) fn launch(
    checker: Checker,
    folder: &str,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    let valgrind = machine.program("valgrind").ok_or_else(|| {
        absent(
            checker,
            "there is no `valgrind` on PATH",
            "install it (apt-get install valgrind, dnf install valgrind)",
        )
    })?;
    let users = machine.variable("VALGRIND_OPTS").unwrap_or_default();
    let users: Vec<&str> = users.split_ascii_whitespace().collect();
    let mut launch = Launch {
        prefix: vec![valgrind.to_string_lossy().into_owned()],
        ..Launch::default()
    };
    launch.prefix.push(format!("--tool={}", checker.name()));
    let of_tool = if checker == Checker::Memcheck {
        OF_MEMCHECK
    } else {
        &[]
    };
    for (name, value) in NEEDED.iter().chain(of_tool) {
        launch.prefix.push(format!("{name}={value}"));
        let other = users.iter().find(|u| {
            u.split('=').next() == Some(name) && u.split_once('=').map_or("yes", |o| o.1) != *value
        });
        launch.notes.extend(
            other.map(|other| format!("{other} of VALGRIND_OPTS is replaced by {name}={value}")),
        );
    }
    let wanted = |name: &&(&str, &str)| users.iter().all(|u| u.split('=').next() != Some(name.0));
    launch.prefix.extend(
        WISHED
            .iter()
            .filter(wanted)
            .map(|(name, value)| format!("{name}={value}")),
    );
    for place in users.iter().filter(|u| {
        ["--log-file=", "--xml-file=", "--log-fd=", "--xml-fd="]
            .iter()
            .any(|o| u.starts_with(o))
    }) {
        launch.notes.push(format!(
            "{place} of VALGRIND_OPTS is replaced; --keep-logs DIR keeps the logs"
        ));
    }
    if let Some(skip) = users
        .iter()
        .find(|u| u.starts_with("--trace-children-skip"))
    {
        launch
            .blinded
            .push(format!("{skip} in VALGRIND_OPTS leaves programs unwatched"));
    }
    // No `--log-file` beside it: with both, 3.19 gives a forked child a new log, and leaves its XML
    // in the file of its parent.
    let folder = folder.replace('%', "%%");
    launch.prefix.push(format!("--xml-file={folder}/%p.xml"));
    Ok(launch)
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn nothing_is_lost_and_what_is_replaced_is_said() {
        let machine = Made {
            programs: vec!["valgrind"],
            variables: vec![(
                "VALGRIND_OPTS",
                "--leak-check=no --num-callers=7 --error-exitcode=9 --xml-file=x --trace-children=yes",
            )],
            ..Made::default()
        };
        let launch = launch(Checker::Memcheck, "/tmp/100%", &machine).unwrap();
        let has = |word: &str| launch.prefix.iter().any(|w| w == word);
        for word in [
            "/bin/valgrind",
            "--tool=memcheck",
            "--leak-check=full",
            "--demangle=no",
            "--show-below-main=yes",
            "--xml=yes",
        ] {
            assert!(has(word), "{word}");
        }
        assert!(
            has("--xml-file=/tmp/100%%/%p.xml")
                && !launch.prefix.iter().any(|w| w.starts_with("--num-callers"))
        );
        assert_eq!(launch.notes.len(), 3, "{:?}", launch.notes);
    }

    #[test]
    fn the_other_tools_know_nothing_of_leaks() {
        let machine = Made {
            programs: vec!["valgrind"],
            ..Made::default()
        };
        let launch = launch(Checker::Drd, "/tmp/x", &machine).unwrap();
        assert!(
            launch.prefix.contains(&"--tool=drd".to_owned())
                && !launch.prefix.iter().any(|w| w.contains("leak"))
        );
    }

    #[test]
    fn without_valgrind_there_is_a_way_to_get_it() {
        let told = launch(Checker::Helgrind, "/tmp/x", &Made::default())
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("helgrind is not here") && told.contains("apt-get install valgrind"),
            "{told}"
        );
    }
}
