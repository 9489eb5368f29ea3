//! The sanitizers: their runtimes are in the program, and read variables.
//!
//! Sources: compiler-rt `sanitizer_common/sanitizer_flags.inc`, `sanitizer_flag_parser.cpp`
//! (separators, quotes; the last value of a flag wins), `tsan/rtl/tsan_rtl.cpp` (`Finalize` prints
//! the map), `lsan/lsan_common.cpp` (a leak ends a process by `Die` only where `exitcode` is not
//! 0).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memchr::memmem;

use super::checker::Checker;
use super::launch::{Launch, Machine};

/// A variable, and which sanitizer reads it.
const VARIABLES: &[(&str, &[Checker])] = &[
    ("ASAN_OPTIONS", &[Checker::Asan]),
    (
        "LSAN_OPTIONS",
        &[Checker::Asan, Checker::Lsan, Checker::Hwasan],
    ),
    (
        "UBSAN_OPTIONS",
        &[
            Checker::Ubsan,
            Checker::Asan,
            Checker::Msan,
            Checker::Tsan,
            Checker::Hwasan,
        ],
    ),
    ("MSAN_OPTIONS", &[Checker::Msan]),
    ("TSAN_OPTIONS", &[Checker::Tsan]),
    ("HWASAN_OPTIONS", &[Checker::Hwasan]),
];

/// Flags of all sanitizers. A leak must leave the program's status as it is, an error must not:
/// with `exitcode=0` a leak ends no process, and `abort_on_error` lets an error end it by SIGABRT
/// instead of status 0.
const NEEDED: &[(&str, &str)] = &[
    ("log_exe_name", "1"),
    ("exitcode", "0"),
    ("abort_on_error", "1"),
    ("print_summary", "1"),
    ("print_suppressions", "1"),
    ("color", "never"),
];

/// Flags of some, where the user has no wish.
const WISHED: &[(&str, &[(&str, &str)])] = &[
    (
        "ASAN_OPTIONS",
        &[("detect_leaks", "1"), ("malloc_context_size", "50")],
    ),
    ("LSAN_OPTIONS", &[("malloc_context_size", "50")]),
    (
        "UBSAN_OPTIONS",
        &[("print_stacktrace", "1"), ("report_error_type", "1")],
    ),
    ("TSAN_OPTIONS", &[("second_deadlock_stack", "1")]),
];

/// How to start a program that was built with these sanitizers.
pub(super) fn launch(pass: &[Checker], folder: &str, machine: &dyn Machine) -> Launch {
    let mut launch = Launch::default();
    for (variable, _) in VARIABLES
        .iter()
        .filter(|(_, readers)| readers.iter().any(|r| pass.contains(r)))
    {
        let text = machine.variable(variable).unwrap_or_default();
        let users = flags(&text);
        let of_user = |name: &str| {
            users
                .iter()
                .rev()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        let mut ours: Vec<(&str, String)> = NEEDED
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        ours.push(("log_path", quoted(&format!("{folder}/san"))));
        if *variable == "LSAN_OPTIONS" {
            ours.push(("max_leaks", "0".into()));
            // Each search says which threads it looks at: the older runtimes say nothing else of
            // it.
            ours.push(("log_threads", "1".into()));
        }
        // Each process is to say that it runs. ThreadSanitizer would say so among the program's own
        // output, but may write down at its end what lies where in memory. UBSan would open
        // its log too early: a program that closes what it did not open would lose all after.
        let is_quiet = pass
            .iter()
            .all(|checker| matches!(checker, Checker::Tsan | Checker::Ubsan));
        let is_ubsan = *variable == "UBSAN_OPTIONS" && (is_quiet || pass.contains(&Checker::Tsan));
        if *variable == "TSAN_OPTIONS" {
            ours.push(("print_module_map", "1".into()));
        } else if !is_ubsan && of_user("verbosity").is_none_or(|level| level == "0") {
            ours.push(("verbosity", "1".into()));
        }
        for (name, value) in &ours {
            let other = of_user(name).filter(|other| *other != value);
            launch.notes.extend(other.map(|other| {
                format!("{name}={other} of {variable} is replaced by {name}={value}")
            }));
        }
        let wished = WISHED
            .iter()
            .filter(|(v, _)| v == variable)
            .flat_map(|(_, flags)| flags.iter());
        ours.extend(
            wished
                .filter(|(name, _)| of_user(name).is_none())
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let is_off =
            |flag: &str| of_user(flag).is_some_and(|value| ["0", "no", "false"].contains(&value));
        for flag in ["report_bugs", "report_umrs", "poison_heap"] {
            if is_off(flag) {
                launch.blinded.push(format!(
                    "{flag}=0 in {variable} keeps the checker from reporting"
                ));
            }
        }
        for flag in ["detect_leaks", "leak_check_at_exit"] {
            if is_off(flag) {
                launch.unsearched = Some(format!(
                    "{flag}=0 in {variable} turns the search for leaks off"
                ));
            }
        }
        let ours: Vec<String> = ours
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let all = [text, ours.join(":")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(":");
        launch.variables.push(((*variable).to_owned(), all));
    }
    launch
}

/// The flags of a variable, as the runtimes read them.
fn flags(text: &str) -> Vec<(String, String)> {
    const SEPARATORS: &[char] = &[':', ',', ' ', '\t', '\n', '\r'];
    let mut flags = Vec::new();
    let mut rest = text.trim_start_matches(SEPARATORS);
    while let Some((name, after)) = rest.split_once('=') {
        let quote = after.chars().next().filter(|c| ['"', '\''].contains(c));
        let (value, after) = match quote {
            Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            None => after.split_at(after.find(SEPARATORS).unwrap_or(after.len())),
        };
        flags.push((name.to_owned(), value.to_owned()));
        rest = after.trim_start_matches(SEPARATORS);
    }
    flags
}

/// A value that may hold separators.
fn quoted(value: &str) -> String {
    match value.contains([':', ',', ' ', '\t', '\'']) {
        true if value.contains('\'') => format!("\"{value}\""),
        true => format!("'{value}'"),
        false => value.to_owned(),
    }
}

/// Names by which a runtime is known: a symbol of its own, or the library that holds it.
const SIGNS: &[(&[u8], Checker)] = &[
    (b"__asan_init", Checker::Asan),
    (b"__lsan_init", Checker::Lsan),
    (b"liblsan.so", Checker::Lsan),
    (b"__msan_init", Checker::Msan),
    (b"__tsan_init", Checker::Tsan),
    (b"__ubsan_handle_", Checker::Ubsan),
    (b"__hwasan_init", Checker::Hwasan),
];

/// The sanitizers whose runtimes are in a program. Nothing where it is no program but a script.
pub(super) fn runtimes(path: &Path) -> io::Result<Option<Vec<Checker>>> {
    runtimes_in(File::open(path)?)
}

/// The same of a file that is open.
pub(super) fn runtimes_in(mut file: File) -> io::Result<Option<Vec<Checker>>> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut start)?;
    if !is_program(&start) {
        return Ok(None);
    }
    let signs: Vec<&[u8]> = SIGNS.iter().map(|(sign, _)| *sign).collect();
    let is_there = held_in(file, &signs)?;
    let mut found: Vec<Checker> = SIGNS
        .iter()
        .zip(is_there)
        .filter(|(_, there)| *there)
        .map(|((_, checker), _)| *checker)
        .collect();
    // The others hold LeakSanitizer and the handlers of UndefinedBehaviorSanitizer, whether the
    // program uses them or not.
    if found
        .iter()
        .any(|checker| !matches!(checker, Checker::Lsan | Checker::Ubsan))
    {
        found.retain(|checker| !matches!(checker, Checker::Lsan | Checker::Ubsan));
    }
    found.sort_unstable();
    found.dedup();
    Ok(Some(found))
}

/// Which of these words a file holds. It may be large, and is read piece by piece.
pub(super) fn held(path: &Path, words: &[&[u8]]) -> io::Result<Vec<bool>> {
    held_in(File::open(path)?, words)
}

fn held_in(mut file: File, words: &[&[u8]]) -> io::Result<Vec<bool>> {
    const PIECE: usize = 1 << 20;
    let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
    let (mut buffer, mut kept) = (vec![0; PIECE + longest], 0);
    let mut found = vec![false; words.len()];
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let text = &buffer[..kept + read];
        for (word, found) in words.iter().zip(&mut found) {
            *found |= memmem::find(text, word).is_some();
        }
        if read == 0 {
            return Ok(found);
        }
        // A word may begin in one piece and end in the next.
        let end = kept + read;
        kept = longest.min(end);
        buffer.copy_within(end - kept..end, 0);
    }
}

/// ELF, Mach-O, PE.
fn is_program(start: &[u8]) -> bool {
    let magic: [&[u8]; 6] = [
        b"\x7fELF",
        b"MZ",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa\xcf",
    ];
    magic.iter().any(|m| start.starts_with(m))
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn what_the_user_set_stays_unless_something_would_be_lost() {
        let machine = Made {
            variables: vec![
                (
                    "ASAN_OPTIONS",
                    "detect_leaks=0:malloc_context_size=7,exitcode=3",
                ),
                ("LSAN_OPTIONS", "suppressions='a:b.txt' verbosity=2"),
            ],
            ..Made::default()
        };
        let launch = launch(&[Checker::Asan], "/tmp/a b", &machine);
        let of = |name: &str| flags(&launch.variables.iter().find(|(n, _)| n == name).unwrap().1);
        let last = |name: &str, flag: &str| {
            of(name)
                .into_iter()
                .rev()
                .find(|(n, _)| n == flag)
                .map(|(_, v)| v)
        };
        assert_eq!(
            last("ASAN_OPTIONS", "log_path").as_deref(),
            Some("/tmp/a b/san")
        );
        assert_eq!(
            last("ASAN_OPTIONS", "malloc_context_size").as_deref(),
            Some("7")
        );
        assert_eq!(last("ASAN_OPTIONS", "exitcode").as_deref(), Some("0"));
        assert_eq!(
            last("LSAN_OPTIONS", "suppressions").as_deref(),
            Some("a:b.txt")
        );
        assert_eq!(last("LSAN_OPTIONS", "verbosity").as_deref(), Some("2"));
        assert_eq!(
            launch.notes,
            ["exitcode=3 of ASAN_OPTIONS is replaced by exitcode=0"]
        );
        assert!(
            launch
                .unsearched
                .unwrap()
                .contains("detect_leaks=0 in ASAN_OPTIONS")
        );
    }

    #[test]
    fn what_blinds_a_checker_is_told() {
        let machine = Made {
            variables: vec![("TSAN_OPTIONS", "report_bugs=0")],
            ..Made::default()
        };
        assert_eq!(
            launch(&[Checker::Tsan], "/tmp/x", &machine).blinded,
            ["report_bugs=0 in TSAN_OPTIONS keeps the checker from reporting"]
        );
        assert!(
            launch(&[Checker::Tsan], "/tmp/x", &Made::default())
                .blinded
                .is_empty()
        );
    }

    #[test]
    fn each_process_is_to_say_that_it_runs() {
        let flags = |checker: Checker| -> Vec<String> {
            launch(&[checker], "/tmp/x", &Made::default())
                .variables
                .into_iter()
                .map(|(_, flags)| flags)
                .collect()
        };
        assert!(
            flags(Checker::Msan)
                .iter()
                .any(|flags| flags.contains("verbosity=1"))
        );
        assert!(
            flags(Checker::Ubsan)
                .iter()
                .all(|flags| !flags.contains("verbosity"))
        );
        // Among what a program prints this would be in the way.
        assert!(
            flags(Checker::Tsan)
                .iter()
                .all(|flags| !flags.contains("verbosity"))
        );
        assert!(
            flags(Checker::Tsan)
                .iter()
                .any(|flags| flags.contains("print_module_map=1"))
        );
    }

    #[test]
    fn a_runtime_is_found_in_a_program_and_not_in_a_script() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        for (text, expected) in [
            (b"#!/bin/sh\n__asan_init".to_vec(), None),
            (b"\x7fELF".to_vec(), Some(vec![])),
            (
                [
                    b"\x7fELF".as_slice(),
                    &vec![b' '; (1 << 20) - 8],
                    b"__tsan_init",
                ]
                .concat(),
                Some(vec![Checker::Tsan]),
            ),
            (
                b"\x7fELF __asan_init __lsan_init __ubsan_handle_x".to_vec(),
                Some(vec![Checker::Asan]),
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(runtimes(&path).unwrap(), expected);
        }
    }
}
