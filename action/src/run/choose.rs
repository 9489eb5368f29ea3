//! Chooses the checkers for a command and groups those that run together.

use std::path::Path;

use super::checker::{Checker, Family, group_compatible};
use super::harness::Harness;
use super::launch::Machine;
use super::program_filter::{ProgramFilter, is_followed};
use super::{foreign, launcher, runtimes};
use crate::error::Error;
use crate::output;

/// The checkers that the user asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection<'a> {
    /// The checkers named by `--tool`. If empty, those that the program was built with, or
    /// memcheck.
    pub(super) tools: &'a [Checker],
    /// `--all`: every installed checker that suits the command.
    pub(super) all: bool,
}

/// Returns the groups of checkers. The command runs once for each group.
///
/// # Errors
/// Fails if the program of the command isn't found.
pub(super) fn checker_groups(
    selection: Selection<'_>,
    argv: &[String],
    harness: Harness,
    filter: &ProgramFilter,
    machine: &dyn Machine,
) -> Result<Vec<Vec<Checker>>, Error> {
    let name = argv.first().map_or("", String::as_str);
    let program = machine
        .find_program(name)
        .ok_or_else(|| program_not_found(name))?;
    let built_in = runtimes::detect(&program).ok().flatten();
    let checkers = match (selection.tools, selection.all) {
        ([], true) => {
            let is_single = matches!(harness, Harness::None | Harness::Python)
                && !foreign::starts_programs(name, filter, machine);
            all_suitable(built_in.as_deref(), harness, is_single, machine)
        }
        ([], false) => built_in
            .filter(|built_in| !built_in.is_empty())
            .unwrap_or_else(|| vec![Checker::Memcheck]),
        (tools, _) => {
            if let (Some(built_in), Harness::None) = (&built_in, harness)
                && !is_followed(name, filter, machine)
            {
                note_missing_sanitizers(tools, built_in, name);
            }
            tools.to_vec()
        }
    };
    if harness.builds() {
        Ok(group_for_builds(checkers))
    } else {
        Ok(group_compatible(&checkers))
    }
}

fn program_not_found(name: &str) -> Error {
    let message = format!("program not found: `{name}`");
    // A shell of Windows also looks in the working directory.
    if !name.is_empty() && Path::new(name).is_file() {
        return Error::with_help(
            message,
            format!("run the file in this directory as ./{name}"),
        );
    }
    Error::Usage(message)
}

/// Puts each checker into its own group, because a build has only one sanitizer. AddressSanitizer
/// checks for leaks, too, so LeakSanitizer is dropped if both are asked for.
fn group_for_builds(checkers: Vec<Checker>) -> Vec<Vec<Checker>> {
    let has_asan = checkers.contains(&Checker::Asan);
    let mut groups: Vec<Vec<Checker>> = Vec::new();
    for checker in checkers {
        let group = vec![checker];
        if !(checker == Checker::Lsan && has_asan || groups.contains(&group)) {
            groups.push(group);
        }
    }
    groups
}

/// Prints a note for each sanitizer that the program was not built with. This isn't an error
/// because the program may start another one that was.
fn note_missing_sanitizers(tools: &[Checker], built_in: &[Checker], program: &str) {
    for checker in tools
        .iter()
        .filter(|checker| checker.family() == Family::Sanitizer && !built_in.contains(checker))
    {
        let is_part = *checker == Checker::Lsan
            && (built_in.contains(&Checker::Asan) || built_in.contains(&Checker::Hwasan));
        if !is_part {
            let checker = checker.name();
            output::note(&format!(
                "note: {program} was not built with {checker} (-fsanitize=…)"
            ));
        }
    }
}

/// Returns every installed checker that suits the command, and prints a note about the others.
/// `is_single` is true if the command is one program that runs the tests itself.
fn all_suitable(
    built_in: Option<&[Checker]>,
    harness: Harness,
    is_single: bool,
    machine: &dyn Machine,
) -> Vec<Checker> {
    let is_cargo = matches!(harness, Harness::Cargo | Harness::Nextest);
    let built_in = built_in.unwrap_or_default();
    let reason_to_skip = |checker: Checker| match checker.family() {
        Family::Sanitizer if is_cargo => match checker {
            Checker::Asan | Checker::Lsan => None,
            Checker::Ubsan => Some("not available for Rust"),
            _ => Some("rebuilds the standard library, so only with --tool"),
        },
        Family::Sanitizer => (!built_in.contains(&checker)).then_some("not built into the program"),
        _ if !built_in.is_empty() => Some("incompatible with the sanitizer in the program"),
        _ if checker == Checker::Miri && !is_cargo => Some("only with cargo"),
        _ if foreign::checks_one_program(checker) && !is_single => {
            Some("only for a single program")
        }
        _ => launcher::launch(&[checker], Path::new("."), machine)
            .is_err()
            .then_some("not installed"),
    };
    let mut skipped: Vec<(&str, Vec<String>)> = Vec::new();
    let mut suitable = Vec::new();
    for checker in Checker::ALL.iter().copied() {
        match reason_to_skip(checker) {
            None => suitable.push(checker),
            Some(reason) => match skipped.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, names)) => names.push(checker.name()),
                None => skipped.push((reason, vec![checker.name()])),
            },
        }
    }
    for (reason, names) in skipped {
        output::note(&format!("note: skipped ({reason}): {}", names.join(", ")));
    }
    suitable
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    fn groups(tools: &[Checker], all: bool, harness: Harness) -> Vec<Vec<Checker>> {
        let machine = FakeMachine {
            programs: vec!["a.out", "valgrind", "cargo"],
            ..FakeMachine::default()
        };
        let selection = Selection { tools, all };
        checker_groups(
            selection,
            &["a.out".to_owned()],
            harness,
            &ProgramFilter::default(),
            &machine,
        )
        .unwrap()
    }

    #[test]
    fn memcheck_is_the_default() {
        assert_eq!(groups(&[], false, Harness::None), [[Checker::Memcheck]]);
    }

    #[test]
    fn build_tools_run_one_sanitizer_at_a_time() {
        use Checker::{Asan, Lsan, Memcheck, Tsan};
        assert_eq!(
            groups(&[Lsan, Asan, Tsan, Memcheck], false, Harness::Cargo),
            [[Asan], [Tsan], [Memcheck]]
        );
        assert_eq!(groups(&[Lsan, Asan], false, Harness::Ctest), [[Lsan, Asan]]);
    }

    #[test]
    fn all_selects_installed_checkers() {
        assert_eq!(
            groups(&[], true, Harness::None),
            [[Checker::Memcheck], [Checker::Helgrind], [Checker::Drd]]
        );
    }

    #[test]
    fn missing_program_is_an_error() {
        let selection = Selection {
            tools: &[],
            all: false,
        };
        let machine = FakeMachine::default();
        let filter = ProgramFilter::default();
        let argv = ["a.out".to_owned()];
        let error = checker_groups(selection, &argv, Harness::None, &filter, &machine);
        assert_eq!(error.unwrap_err().to_string(), "program not found: `a.out`");
    }
}
