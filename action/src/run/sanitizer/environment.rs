//! Compares the environment of a process with the variables that leakgate sets.
//!
//! Source: compiler-rt `sanitizer_linux.cpp`: a runtime reads its options from `/proc/self/environ`
//! when it starts, so the first definition of a variable counts, and later changes don't.

use super::{Flags, LEAK_FLAGS, REPORT_FLAGS, REQUIRED, VARIABLES};
use crate::run::checker::Checker;

/// Flags of leakgate that depend on the variable or on the user.
const MORE_REQUIRED: &[&str] = &[
    "log_path",
    "max_leaks",
    "log_threads",
    "print_module_map",
    "verbosity",
];

/// Returns how the environment of a process with these runtimes differs from the variables that
/// leakgate sets, so that reports may be lost. `environ` is the content of `/proc/PID/environ`.
pub(in super::super) fn environment_problem(
    runtimes: &[Checker],
    variables: &[(String, String)],
    environ: &[u8],
) -> Option<String> {
    let is_read = |variable: &str| {
        VARIABLES.iter().any(|(name, readers)| {
            *name == variable && readers.iter().any(|reader| runtimes.contains(reader))
        })
    };
    if was_overwritten(environ) {
        return None;
    }
    variables
        .iter()
        .filter(|(variable, _)| is_read(variable))
        .find_map(|(variable, ours)| match value(environ, variable) {
            None => Some(format!("without {variable}")),
            Some(theirs) if theirs == *ours => None,
            Some(theirs) => {
                let change = changed_flag(&Flags::parse(ours), &Flags::parse(&theirs))?;
                Some(format!("{change} in {variable}"))
            }
        })
}

/// Returns the message about a process whose environment differs in this way.
pub(in super::super) fn lost_options_message(process: &str, difference: &str) -> String {
    format!(
        "{process} ran {difference}, unlike the command, so its reports may be lost; keep \
         leakgate's options when you change the environment of a program"
    )
}

/// Returns true if a process has overwritten its environment, as servers do to show a title. Its
/// parts are then no longer variables.
fn was_overwritten(environ: &[u8]) -> bool {
    let variables = environ.strip_suffix(b"\0").unwrap_or(environ);
    !variables.is_empty()
        && variables
            .split(|byte| *byte == 0)
            .any(|variable| !variable.contains(&b'='))
}

/// Returns the value of a variable.
fn value(environ: &[u8], variable: &str) -> Option<String> {
    environ
        .split(|byte| *byte == 0)
        .find_map(|part| part.strip_prefix(variable.as_bytes())?.strip_prefix(b"="))
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Returns the first flag without which reports may be lost, and how it was changed.
fn changed_flag(ours: &Flags, theirs: &Flags) -> Option<String> {
    let required = REQUIRED
        .iter()
        .map(|(name, _)| name)
        .chain(MORE_REQUIRED)
        .filter(|name| ours.get(name).is_some());
    for name in required {
        match theirs.get(name) {
            None => return Some(format!("without {name}")),
            Some(theirs) if is_same(name, ours.get(name)?, theirs) => {}
            Some(theirs) => return Some(format!("with {name}={theirs}")),
        }
    }
    let off = REPORT_FLAGS
        .iter()
        .chain(LEAK_FLAGS)
        .find(|flag| theirs.is_off(flag) && !ours.is_off(flag))?;
    Some(format!("with {off}=0"))
}

/// Returns true if two values of a flag have the same effect.
fn is_same(name: &str, ours: &str, theirs: &str) -> bool {
    let switch = |value: &str| match value {
        "0" | "no" | "false" => Some(false),
        "1" | "yes" | "true" => Some(true),
        _ => None,
    };
    ours == theirs
        || switch(ours).is_some_and(|ours| switch(theirs) == Some(ours))
        || name == "verbosity" && switch(theirs) != Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "log_path=/l/san:exitcode=0:abort_on_error=1:verbosity=1";

    fn problem(environ: &str) -> Option<String> {
        let variables = [
            ("ASAN_OPTIONS".to_owned(), OURS.to_owned()),
            ("TSAN_OPTIONS".to_owned(), OURS.to_owned()),
        ];
        environment_problem(&[Checker::Asan], &variables, environ.as_bytes())
    }

    #[test]
    fn missing_or_changed_options_are_a_problem() {
        for (environ, expected) in [
            ("", "without ASAN_OPTIONS"),
            ("PATH=/bin\0", "without ASAN_OPTIONS"),
            ("ASAN_OPTIONS=x=1\0", "without exitcode in ASAN_OPTIONS"),
            (
                &format!("ASAN_OPTIONS={OURS}:log_path=/tmp/a\0"),
                "with log_path=/tmp/a in ASAN_OPTIONS",
            ),
            (
                &format!("A=b\0ASAN_OPTIONS={OURS}:detect_leaks=false\0"),
                "with detect_leaks=0 in ASAN_OPTIONS",
            ),
            (
                &format!("ASAN_OPTIONS={OURS}:verbosity=0\0"),
                "with verbosity=0 in ASAN_OPTIONS",
            ),
        ] {
            assert_eq!(problem(environ).as_deref(), Some(expected), "{environ:?}");
        }
    }

    #[test]
    fn other_changes_are_no_problem() {
        for options in [
            OURS.to_owned(),
            format!("malloc_context_size=9:{OURS}:detect_odr_violation=0"),
            format!("{OURS}:abort_on_error=true:verbosity=2"),
        ] {
            assert_eq!(problem(&format!("A=\0ASAN_OPTIONS={options}\0B=1\0")), None);
        }
    }

    #[test]
    fn overwritten_environment_is_unknown() {
        for environ in ["erver: worker\0\0\0\0", "\0\0\0\0", "ster\0A=1\0B=2\0"] {
            assert_eq!(problem(environ), None, "{environ:?}");
        }
    }
}
