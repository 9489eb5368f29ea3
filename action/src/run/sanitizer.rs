//! Configures sanitizers. Their runtimes are part of the program and read environment variables.
//!
//! Sources: compiler-rt `sanitizer_common/sanitizer_flags.inc`, `sanitizer_flag_parser.cpp`
//! (separators, quotes; the last value of a flag wins), `tsan/rtl/tsan_rtl.cpp` (`Finalize` prints
//! the map), `lsan/lsan_common.cpp` (a leak ends a process with `Die` only if `exitcode` is not 0).

mod environment;

use std::env::consts::OS;

pub(super) use self::environment::{environment_problem, lost_options_message};
use super::checker::Checker;
use super::launch::{Launch, Machine};

/// Environment variables, each with the sanitizers that read it.
const VARIABLES: &[(&str, &[Checker])] = &[
    ("ASAN_OPTIONS", &[Checker::Asan]),
    (
        "LSAN_OPTIONS",
        &[Checker::Asan, Checker::Lsan, Checker::Hwasan],
    ),
    ("MSAN_OPTIONS", &[Checker::Msan]),
    ("TSAN_OPTIONS", &[Checker::Tsan]),
    ("HWASAN_OPTIONS", &[Checker::Hwasan]),
    // The handlers of UndefinedBehaviorSanitizer are a part of the other runtimes.
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
];

/// Required flags of all sanitizers. A leak must not change the exit status of the program, but an
/// error must. With `exitcode=0` a leak ends no process, and with `abort_on_error` an error ends
/// the process with SIGABRT instead of status 0.
const REQUIRED: &[(&str, &str)] = &[
    ("log_exe_name", "1"),
    ("exitcode", "0"),
    ("abort_on_error", "1"),
    ("print_summary", "1"),
    ("print_suppressions", "1"),
    ("color", "never"),
];

/// Default flags by variable. The user may change them.
const DEFAULTS: &[(&str, &[(&str, &str)])] = &[
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

/// Flags that suppress all reports of a kind if they are off.
const REPORT_FLAGS: &[&str] = &["report_bugs", "report_umrs", "poison_heap"];

/// Flags that turn the leak check off.
const LEAK_FLAGS: &[&str] = &["detect_leaks", "leak_check_at_exit"];

/// Returns how to start a program that was built with these sanitizers.
pub(super) fn launch(checkers: &[Checker], log_dir: &str, machine: &dyn Machine) -> Launch {
    let mut launch = Launch::default();
    let is_read = |(_, readers): &&(&str, &[Checker])| readers.iter().any(|r| checkers.contains(r));
    for (variable, _) in VARIABLES.iter().filter(is_read) {
        let user_text = machine.env_var(variable).unwrap_or_default();
        let user = Flags::parse(&user_text);
        let mut ours = required_flags(variable, checkers, log_dir, &user);
        for (name, value) in &ours {
            let other = user.get(name).filter(|other| other != value);
            launch.notes.extend(
                other.map(|other| format!("{variable}: {name}={value} overrides {name}={other}")),
            );
        }
        let has_leak_check = no_leaks_note(OS).is_none();
        let defaults = default_flags(variable, &user);
        ours.extend(defaults.filter(|(name, _)| *name != "detect_leaks" || has_leak_check));
        if *variable == "ASAN_OPTIONS" && user.get("detect_leaks").is_none() {
            launch.notes.extend(no_leaks_note(OS).map(str::to_owned));
        }
        launch.disabled_checks.extend(
            REPORT_FLAGS
                .iter()
                .filter(|flag| user.is_off(flag))
                .map(|flag| format!("{flag}=0 in {variable} keeps the checker from reporting")),
        );
        if let Some(flag) = LEAK_FLAGS.iter().rfind(|flag| user.is_off(flag)) {
            launch.leak_check_disabled =
                Some(format!("{flag}=0 in {variable} turns the leak check off"));
        }
        launch
            .env
            .push(((*variable).to_owned(), with_flags(user_text, &ours)));
    }
    launch
}

/// Returns the flags that override those of the user.
fn required_flags(
    variable: &str,
    checkers: &[Checker],
    log_dir: &str,
    user: &Flags,
) -> Vec<(&'static str, String)> {
    let mut flags: Vec<_> = REQUIRED
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    flags.push(("log_path", quote(&format!("{log_dir}/san"))));
    if variable == "LSAN_OPTIONS" {
        flags.push(("max_leaks", "0".into()));
        // Each leak check then lists the threads that it scans. Older runtimes print nothing else
        // that shows that the check has run.
        flags.push(("log_threads", "1".into()));
    }
    // Each process must leave a trace that it has run. ThreadSanitizer would print it among the
    // program's own output, but can write its memory map to the log when it ends.
    // UndefinedBehaviorSanitizer would open its log too early: a program that closes file
    // descriptors that it has not opened would lose all later reports.
    let is_quiet = checkers
        .iter()
        .all(|checker| matches!(checker, Checker::Tsan | Checker::Ubsan));
    let is_ubsan = variable == "UBSAN_OPTIONS" && (is_quiet || checkers.contains(&Checker::Tsan));
    if variable == "TSAN_OPTIONS" {
        flags.push(("print_module_map", "1".into()));
    } else if !is_ubsan && user.get("verbosity").is_none_or(|level| level == "0") {
        flags.push(("verbosity", "1".into()));
    }
    flags
}

/// Returns the note for a system whose AddressSanitizer has no leak check. Where it has none,
/// `detect_leaks=1` ends each program when it starts.
///
/// Source: compiler-rt `asan/asan_flags.cpp`; `sanitizer_flags.inc` for the default.
fn no_leaks_note(os: &str) -> Option<&'static str> {
    match os {
        "macos" => Some(
            "on macOS, AddressSanitizer finds no leaks, unless its compiler isn't Apple's and \
             ASAN_OPTIONS has detect_leaks=1; `--tool leaks` finds them",
        ),
        "windows" => Some("on Windows, AddressSanitizer finds no leaks"),
        _ => None,
    }
}

/// Returns the default flags that the user has not set.
fn default_flags(variable: &str, user: &Flags) -> impl Iterator<Item = (&'static str, String)> {
    DEFAULTS
        .iter()
        .filter(move |(v, _)| *v == variable)
        .flat_map(|(_, flags)| flags.iter())
        .filter(|(name, _)| user.get(name).is_none())
        .map(|(name, value)| (*name, (*value).to_owned()))
}

/// Appends flags to the value of a variable.
fn with_flags(user_text: String, flags: &[(&str, String)]) -> String {
    let flags: Vec<String> = flags
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let parts = [user_text, flags.join(":")];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(":")
}

/// The flags of a variable, parsed as the runtimes do.
#[derive(Debug)]
struct Flags(Vec<(String, String)>);

impl Flags {
    fn parse(text: &str) -> Self {
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
        Self(flags)
    }

    /// Returns the last value of a flag, which is the one that counts.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    fn is_off(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| ["0", "no", "false"].contains(&value))
    }
}

/// Quotes a value that contains separators.
fn quote(value: &str) -> String {
    match value.contains([':', ',', ' ', '\t', '\'']) {
        true if value.contains('\'') => format!("\"{value}\""),
        true => format!("'{value}'"),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn user_flags_are_kept_unless_reports_would_be_lost() {
        let machine = FakeMachine {
            env: vec![
                (
                    "ASAN_OPTIONS",
                    "detect_leaks=0:malloc_context_size=7,exitcode=3",
                ),
                ("LSAN_OPTIONS", "suppressions='a:b.txt' verbosity=2"),
            ],
            ..FakeMachine::default()
        };
        let launch = launch(&[Checker::Asan], "/tmp/a b", &machine);
        let flag = |variable: &str, name: &str| {
            let text = &launch.env.iter().find(|(n, _)| n == variable).unwrap().1;
            Flags::parse(text).get(name).unwrap().to_owned()
        };
        assert_eq!(flag("ASAN_OPTIONS", "log_path"), "/tmp/a b/san");
        assert_eq!(flag("ASAN_OPTIONS", "malloc_context_size"), "7");
        assert_eq!(flag("ASAN_OPTIONS", "exitcode"), "0");
        assert_eq!(flag("LSAN_OPTIONS", "suppressions"), "a:b.txt");
        assert_eq!(flag("LSAN_OPTIONS", "verbosity"), "2");
        assert_eq!(
            launch.notes,
            ["ASAN_OPTIONS: exitcode=0 overrides exitcode=3"]
        );
        assert_eq!(
            launch.leak_check_disabled.unwrap(),
            "detect_leaks=0 in ASAN_OPTIONS turns the leak check off"
        );
    }

    #[test]
    fn leak_check_is_enabled_where_it_exists() {
        let launch = launch(&[Checker::Asan], "/tmp/x", &FakeMachine::default());
        let is_enabled = launch.env[0].1.contains("detect_leaks=1");
        assert_eq!(is_enabled, launch.notes.is_empty());
        let systems = ["linux", "freebsd", "macos", "windows"];
        let has_note = systems.map(|os| no_leaks_note(os).is_some());
        assert_eq!(has_note, [false, false, true, true]);
    }

    #[test]
    fn disabled_reports_are_listed() {
        let machine = FakeMachine {
            env: vec![("TSAN_OPTIONS", "report_bugs=0")],
            ..FakeMachine::default()
        };
        assert_eq!(
            launch(&[Checker::Tsan], "/tmp/x", &machine).disabled_checks,
            ["report_bugs=0 in TSAN_OPTIONS keeps the checker from reporting"]
        );
        assert!(
            launch(&[Checker::Tsan], "/tmp/x", &FakeMachine::default())
                .disabled_checks
                .is_empty()
        );
    }

    #[test]
    fn each_process_leaves_a_trace_that_it_has_run() {
        let has_flag = |checker: Checker, flag: &str| {
            launch(&[checker], "/tmp/x", &FakeMachine::default())
                .env
                .iter()
                .any(|(_, flags)| flags.contains(flag))
        };
        assert!(has_flag(Checker::Msan, "verbosity=1"));
        assert!(!has_flag(Checker::Ubsan, "verbosity"));
        // ThreadSanitizer would print it among the output of the program.
        assert!(!has_flag(Checker::Tsan, "verbosity"));
        assert!(has_flag(Checker::Tsan, "print_module_map=1"));
    }
}
