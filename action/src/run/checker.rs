//! The checkers that can be started, by the names that a person types.

use clap::ValueEnum;
use leakgate_core::Tool;

/// A checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Checker {
    /// valgrind's memcheck: leaks, invalid accesses, uninitialised values. Any program.
    #[value(alias = "valgrind")]
    Memcheck,
    /// valgrind's helgrind: data races, misuse of locks. Any program.
    Helgrind,
    /// valgrind's drd: data races, misuse of locks. Any program.
    Drd,
    /// AddressSanitizer, with its search for leaks. The program must be built with it.
    Asan,
    /// LeakSanitizer. The program must be built with it.
    Lsan,
    /// MemorySanitizer. The program must be built with it.
    Msan,
    /// ThreadSanitizer. The program must be built with it.
    Tsan,
    /// UndefinedBehaviorSanitizer. The program must be built with it.
    Ubsan,
    /// HWAddressSanitizer. The program must be built with it.
    Hwasan,
    /// Scudo, a hardened allocator, loaded before the program's own.
    Scudo,
    /// GWP-ASan in Scudo, with a guard page for every block.
    GwpAsan,
    /// Electric Fence, loaded before the program's allocator.
    Efence,
    /// Miri, an interpreter for Rust.
    Miri,
    /// Dr. Memory.
    Drmemory,
    /// `leaks` of macOS.
    Leaks,
    /// Application Verifier of Windows.
    Appverifier,
}

/// How a checker gets at a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// By valgrind, which runs the program.
    Valgrind,
    /// By a runtime within the program, which reads variables.
    Sanitizer,
    /// By a library that is loaded before the program's own.
    Preload,
    /// By a command of its own.
    Command,
}

impl Checker {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::Memcheck,
        Self::Helgrind,
        Self::Drd,
        Self::Asan,
        Self::Lsan,
        Self::Msan,
        Self::Tsan,
        Self::Ubsan,
        Self::Hwasan,
        Self::Scudo,
        Self::GwpAsan,
        Self::Efence,
        Self::Miri,
        Self::Drmemory,
        Self::Leaks,
        Self::Appverifier,
    ];

    /// As reports name it.
    pub(crate) fn tool(self) -> Tool {
        match self {
            Self::Memcheck => Tool::Memcheck,
            Self::Helgrind => Tool::Helgrind,
            Self::Drd => Tool::Drd,
            Self::Asan => Tool::Asan,
            Self::Lsan => Tool::Lsan,
            Self::Msan => Tool::Msan,
            Self::Tsan => Tool::Tsan,
            Self::Ubsan => Tool::Ubsan,
            Self::Hwasan => Tool::Hwasan,
            Self::Scudo => Tool::Scudo,
            Self::GwpAsan => Tool::GwpAsan,
            Self::Efence => Tool::Efence,
            Self::Miri => Tool::Miri,
            Self::Drmemory => Tool::DrMemory,
            Self::Leaks => Tool::Leaks,
            Self::Appverifier => Tool::AppVerifier,
        }
    }

    /// How it gets at a program.
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Memcheck | Self::Helgrind | Self::Drd => Family::Valgrind,
            Self::Asan | Self::Lsan | Self::Msan | Self::Tsan | Self::Ubsan | Self::Hwasan => {
                Family::Sanitizer
            }
            Self::Scudo | Self::GwpAsan | Self::Efence => Family::Preload,
            Self::Miri | Self::Drmemory | Self::Leaks | Self::Appverifier => Family::Command,
        }
    }

    /// The name of a person's, as in `--tool`.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Checkers that run at once: all sanitizers are variables that don't disturb each other; each
/// other checker runs alone.
pub(crate) fn passes(checkers: &[Checker]) -> Vec<Vec<Checker>> {
    let mut passes: Vec<Vec<Checker>> = Vec::new();
    let is_sanitizer = |checker: &Checker| checker.family() == Family::Sanitizer;
    for checker in checkers {
        if passes.iter().any(|pass| pass.contains(checker)) {
            continue;
        }
        match passes
            .iter_mut()
            .find(|pass| is_sanitizer(checker) && pass.iter().all(is_sanitizer))
        {
            Some(pass) => pass.push(*checker),
            None => passes.push(vec![*checker]),
        }
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitizers_run_at_once_and_all_else_alone() {
        use Checker::{Asan, Efence, Memcheck, Ubsan};
        assert_eq!(
            passes(&[Asan, Memcheck, Ubsan, Asan, Memcheck, Efence]),
            [vec![Asan, Ubsan], vec![Memcheck], vec![Efence]]
        );
    }

    #[test]
    fn the_names_are_those_of_reports() {
        for checker in Checker::ALL {
            assert_eq!(checker.name(), checker.tool().as_str());
        }
        assert_eq!(Checker::from_str("valgrind", true), Ok(Checker::Memcheck));
        assert_eq!(Checker::ALL.len(), Checker::value_variants().len());
    }
}
