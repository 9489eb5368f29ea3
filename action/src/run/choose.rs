//! Which checkers run, and which of them at once.

use std::path::Path;

use super::checker::{Checker, Family, passes as at_once};
use super::harness::Harness;
use super::launch::{Launch, Machine};
use super::sanitizer;
use crate::error::Error;
use crate::output;

/// The passes: the command is run once for each.
///
/// # Errors
/// There is no checker for this command, or one that was named can't be had.
pub(super) fn passes(
    named: &[Checker],
    all: bool,
    words: &[String],
    harness: Harness,
    machine: &dyn Machine,
) -> Result<Vec<Vec<Checker>>, Error> {
    let program = words.first().and_then(|word| machine.program(word));
    let program = program.ok_or_else(|| {
        Error::Usage(format!(
            "there is no program `{}`",
            words.first().map_or("", String::as_str)
        ))
    })?;
    let built = sanitizer::runtimes(&program).ok().flatten();
    let checkers = match (named, all) {
        ([], true) => every(built.as_deref(), harness, machine),
        ([], false) => built
            .filter(|built| !built.is_empty())
            .unwrap_or_else(|| vec![Checker::Memcheck]),
        (named, _) => {
            if let (Some(built), Harness::None) = (&built, harness) {
                not_built(named, built, words);
            }
            named.to_vec()
        }
    };
    if !harness.builds() {
        return Ok(at_once(&checkers));
    }
    // A build has one sanitizer; AddressSanitizer looks for leaks, too.
    let has_asan = checkers.contains(&Checker::Asan);
    let mut alone: Vec<Vec<Checker>> = Vec::new();
    for checker in checkers {
        let pass = match checker {
            Checker::Lsan if has_asan => continue,
            other => vec![other],
        };
        if !alone.contains(&pass) {
            alone.push(pass);
        }
    }
    Ok(alone)
}

/// Says which sanitizers a program was not built with. It may start another one that was.
fn not_built(named: &[Checker], built: &[Checker], words: &[String]) {
    for checker in named
        .iter()
        .filter(|checker| checker.family() == Family::Sanitizer && !built.contains(checker))
    {
        let is_part = *checker == Checker::Lsan
            && (built.contains(&Checker::Asan) || built.contains(&Checker::Hwasan));
        if !is_part {
            output::note(&format!(
                "note: {} was not built with {} (-fsanitize=…)",
                words[0],
                checker.name()
            ));
        }
    }
}

/// All that the machine has and that suits the command. What is left out is said.
fn every(built: Option<&[Checker]>, harness: Harness, machine: &dyn Machine) -> Vec<Checker> {
    let is_cargo = matches!(harness, Harness::Cargo | Harness::Nextest);
    let built = built.unwrap_or_default();
    let unfit = |checker: Checker| match checker.family() {
        Family::Sanitizer if is_cargo => match checker {
            Checker::Asan | Checker::Lsan => None,
            Checker::Ubsan => Some("not for Rust"),
            _ => Some("with a standard library of its own, so only by name"),
        },
        Family::Sanitizer => (!built.contains(&checker)).then_some("not built into the program"),
        _ if !built.is_empty() => Some("not beside a sanitizer in the program"),
        _ if checker == Checker::Miri && !is_cargo => Some("only for cargo"),
        _ => Launch::of(&[checker], Path::new("."), machine)
            .is_err()
            .then_some("not on this machine"),
    };
    let mut left_out: Vec<(&str, Vec<String>)> = Vec::new();
    let mut suiting = Vec::new();
    for checker in Checker::ALL.iter().copied() {
        match unfit(checker) {
            None => suiting.push(checker),
            Some(why) => match left_out.iter_mut().find(|(other, _)| *other == why) {
                Some((_, names)) => names.push(checker.name()),
                None => left_out.push((why, vec![checker.name()])),
            },
        }
    }
    for (why, names) in left_out {
        output::note(&format!("note: left out, {why}: {}", names.join(", ")));
    }
    suiting
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    fn of(named: &[Checker], all: bool, harness: Harness) -> Vec<Vec<Checker>> {
        let machine = Made {
            programs: vec!["a.out", "valgrind", "cargo"],
            ..Made::default()
        };
        passes(named, all, &["a.out".to_owned()], harness, &machine).unwrap()
    }

    #[test]
    fn memcheck_is_for_everything() {
        assert_eq!(of(&[], false, Harness::None), [[Checker::Memcheck]]);
    }

    #[test]
    fn what_builds_has_one_sanitizer_at_a_time() {
        use Checker::{Asan, Lsan, Memcheck, Tsan};
        assert_eq!(
            of(&[Lsan, Asan, Tsan, Memcheck], false, Harness::Cargo),
            [[Asan], [Tsan], [Memcheck]]
        );
        assert_eq!(of(&[Lsan, Asan], false, Harness::Ctest), [[Lsan, Asan]]);
    }

    #[test]
    fn all_is_what_is_here() {
        assert_eq!(
            of(&[], true, Harness::None),
            [[Checker::Memcheck], [Checker::Helgrind], [Checker::Drd]]
        );
    }

    #[test]
    fn a_program_must_be_there() {
        let machine = Made::default();
        assert!(
            passes(&[], false, &["a.out".to_owned()], Harness::None, &machine)
                .unwrap_err()
                .to_string()
                .contains("a.out")
        );
    }
}
