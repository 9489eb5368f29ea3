//! Which checkers run, and which of them at once.

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
    let program =
        program.ok_or_else(|| Error::Usage(format!("there is no program `{}`", words.first().map_or("", String::as_str))))?;
    let built = sanitizer::runtimes(&program).ok().flatten().map(|runtimes| runtimes.checkers);
    let checkers = match (named, all) {
        ([], true) => every(built.as_deref(), harness, machine),
        ([], false) => built.filter(|built| !built.is_empty()).unwrap_or_else(|| vec![Checker::Memcheck]),
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
    for checker in named.iter().filter(|checker| checker.family() == Family::Sanitizer && !built.contains(checker)) {
        let is_part = *checker == Checker::Lsan && (built.contains(&Checker::Asan) || built.contains(&Checker::Hwasan));
        if !is_part {
            output::note(&format!("note: {} was not built with {} (-fsanitize=…)", words[0], checker.name()));
        }
    }
}

/// All that the machine has and that suits the command. What is left out is said.
fn every(built: Option<&[Checker]>, harness: Harness, machine: &dyn Machine) -> Vec<Checker> {
    let suits = |checker: &Checker| {
        let why = match checker.family() {
            Family::Sanitizer if harness == Harness::Cargo || harness == Harness::Nextest => {
                (!matches!(checker, Checker::Asan | Checker::Lsan))
                    .then(|| "needs its own standard library; name it to have it".into())
            }
            Family::Sanitizer => (!built.unwrap_or_default().contains(checker)).then(|| "is not built into the program".into()),
            _ if built.is_some_and(|built| !built.is_empty()) => Some("does not go with a sanitizer in the program".into()),
            _ if *checker == Checker::Miri && !matches!(harness, Harness::Cargo | Harness::Nextest) => {
                Some("is for cargo".into())
            }
            _ => Launch::of(&[*checker], std::path::Path::new("."), machine).err().map(|error| error.to_string()),
        };
        if let Some(why) = &why {
            output::note(&format!("note: without {}: {why}", checker.name()));
        }
        why.is_none()
    };
    Checker::ALL.iter().copied().filter(suits).collect()
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    fn of(named: &[Checker], all: bool, harness: Harness) -> Vec<Vec<Checker>> {
        let machine = Made { programs: vec!["a.out", "valgrind", "cargo"], ..Made::default() };
        passes(named, all, &["a.out".to_owned()], harness, &machine).unwrap()
    }

    #[test]
    fn memcheck_is_for_everything() {
        assert_eq!(of(&[], false, Harness::None), [[Checker::Memcheck]]);
    }

    #[test]
    fn what_builds_has_one_sanitizer_at_a_time() {
        use Checker::{Asan, Lsan, Memcheck, Tsan};
        assert_eq!(of(&[Lsan, Asan, Tsan, Memcheck], false, Harness::Cargo), [[Asan], [Tsan], [Memcheck]]);
        assert_eq!(of(&[Lsan, Asan], false, Harness::Ctest), [[Lsan, Asan]]);
    }

    #[test]
    fn all_is_what_is_here() {
        assert_eq!(of(&[], true, Harness::None), [[Checker::Memcheck], [Checker::Helgrind], [Checker::Drd]]);
    }

    #[test]
    fn a_program_must_be_there() {
        let machine = Made::default();
        assert!(passes(&[], false, &["a.out".to_owned()], Harness::None, &machine).unwrap_err().to_string().contains("a.out"));
    }
}
