//! The checkers that leakgate can run, by their names on the command line.

use clap::ValueEnum;
use leakgate_core::Tool;

/// A checker that leakgate can run.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
pub(crate) enum Checker {
    /// valgrind's memcheck: leaks, invalid accesses, uninitialized values. Any program.
    #[value(alias = "valgrind")]
    Memcheck,
    /// valgrind's helgrind: data races, misuse of locks. Any program.
    Helgrind,
    /// valgrind's drd: data races, misuse of locks. Any program.
    Drd,
    /// AddressSanitizer, with its leak check. The program must be built with it.
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
    /// Scudo, a hardened allocator, preloaded in place of the program's own.
    Scudo,
    /// GWP-ASan in Scudo, with a guard page for every block.
    GwpAsan,
    /// Electric Fence, preloaded in place of the program's allocator.
    Efence,
    /// Miri, an interpreter for Rust.
    Miri,
    /// Dr. Memory.
    Drmemory,
    /// macOS `leaks`.
    Leaks,
    /// Windows Application Verifier.
    Appverifier,
}

/// How a checker is attached to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// valgrind runs the program.
    Valgrind,
    /// A runtime in the program reads environment variables.
    Sanitizer,
    /// A library is preloaded into the program.
    Preload,
    /// A separate command runs or watches the program.
    Command,
}

impl Checker {
    /// All checkers, in the order of `--help`.
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

    /// Returns the tool that reports of this checker name.
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

    /// Returns how the checker is attached to a program.
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

    /// Returns the name that `--tool` takes.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Groups checkers that can run together. All sanitizers share one group because they are
/// configured by variables and don't interfere with each other. Every other checker runs alone.
pub(crate) fn group_compatible(checkers: &[Checker]) -> Vec<Vec<Checker>> {
    let mut groups: Vec<Vec<Checker>> = Vec::new();
    let is_sanitizer = |checker: &Checker| checker.family() == Family::Sanitizer;
    for checker in checkers {
        if groups.iter().any(|group| group.contains(checker)) {
            continue;
        }
        match groups
            .iter_mut()
            .find(|group| is_sanitizer(checker) && group.iter().all(is_sanitizer))
        {
            Some(group) => group.push(*checker),
            None => groups.push(vec![*checker]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sanitizers_run_together() {
        use Checker::{Asan, Efence, Memcheck, Ubsan};
        assert_eq!(
            group_compatible(&[Asan, Memcheck, Ubsan, Asan, Memcheck, Efence]),
            [vec![Asan, Ubsan], vec![Memcheck], vec![Efence]]
        );
    }

    #[test]
    fn names_match_those_in_reports() {
        for checker in Checker::ALL {
            assert_eq!(checker.name(), checker.tool().as_str());
        }
        assert_eq!(Checker::from_str("valgrind", true), Ok(Checker::Memcheck));
        assert_eq!(Checker::ALL.len(), Checker::value_variants().len());
    }
}
