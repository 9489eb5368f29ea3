//! Who found something, and what it is.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::Text;

/// The checker that speaks.
///
/// A leak that LeakSanitizer found inside an AddressSanitizer process belongs to [`Tool::Lsan`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tool {
    /// valgrind's memcheck.
    Memcheck,
    /// valgrind's helgrind.
    Helgrind,
    /// valgrind's drd.
    Drd,
    /// AddressSanitizer.
    Asan,
    /// LeakSanitizer, stand-alone or inside another sanitizer.
    Lsan,
    /// ThreadSanitizer.
    Tsan,
    /// MemorySanitizer.
    Msan,
    /// HWAddressSanitizer.
    Hwasan,
    /// UndefinedBehaviorSanitizer, the kernel's too.
    Ubsan,
    /// Scudo, the hardened allocator.
    Scudo,
    /// GWP-ASan, in Scudo, tcmalloc or Android.
    GwpAsan,
    /// Miri.
    Miri,
    /// Dr. Memory.
    DrMemory,
    /// macOS's `leaks`.
    Leaks,
    /// Windows' Application Verifier.
    AppVerifier,
    /// The debug heap of Microsoft's C runtime.
    Crt,
    /// glibc's `mtrace`.
    Mtrace,
    /// Electric Fence.
    Efence,
    /// jemalloc.
    Jemalloc,
    /// gperftools' tcmalloc with its heap checker.
    Tcmalloc,
    /// What glibc itself says before it aborts.
    Glibc,
    /// The kernel's sanitizers: KASAN, KMSAN, KCSAN, KFENCE.
    Kasan,
    /// The kernel's leak detector.
    Kmemleak,
    /// Go's race detector.
    GoRace,
    /// Another checker, by its name.
    Custom(Text),
}

/// What the name of a format of the project's own stands behind.
pub(crate) const OF_FORMAT: &str = "custom:";

/// Every tool and its name; where it has two, the one that is written comes first.
const TOOLS: &[(&str, Tool)] = &[
    ("memcheck", Tool::Memcheck),
    ("valgrind", Tool::Memcheck),
    ("helgrind", Tool::Helgrind),
    ("drd", Tool::Drd),
    ("asan", Tool::Asan),
    ("lsan", Tool::Lsan),
    ("msan", Tool::Msan),
    ("tsan", Tool::Tsan),
    ("ubsan", Tool::Ubsan),
    ("hwasan", Tool::Hwasan),
    ("scudo", Tool::Scudo),
    ("gwp-asan", Tool::GwpAsan),
    ("miri", Tool::Miri),
    ("drmemory", Tool::DrMemory),
    ("leaks", Tool::Leaks),
    ("appverifier", Tool::AppVerifier),
    ("crt", Tool::Crt),
    ("mtrace", Tool::Mtrace),
    ("efence", Tool::Efence),
    ("jemalloc", Tool::Jemalloc),
    ("tcmalloc", Tool::Tcmalloc),
    ("glibc", Tool::Glibc),
    ("kasan", Tool::Kasan),
    ("kmemleak", Tool::Kmemleak),
    ("go-race", Tool::GoRace),
];

impl Tool {
    /// The name as it stands in configuration, JSON and on the command line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Custom(name) => name,
            known => TOOLS
                .iter()
                .find(|(_, tool)| tool == known)
                .map_or("", |(name, _)| name),
        }
    }

    /// The tool of this name; `valgrind` means memcheck, as most people do.
    pub fn named(name: &str) -> Self {
        let known = TOOLS.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Custom(name.into()), |(_, tool)| tool.clone())
    }

    /// The names that a person may write.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TOOLS.iter().map(|(name, _)| *name)
    }

    /// The tool of a format of the project's own.
    pub(crate) fn of_format(name: &str) -> Self {
        Self::Custom(format!("{OF_FORMAT}{name}").into())
    }

    /// True for a tool that looks for no errors: one of valgrind's that is not named here.
    pub(crate) fn is_profiler(&self) -> bool {
        matches!(self, Self::Custom(name) if !name.starts_with(OF_FORMAT))
    }

    /// True for the tools of valgrind.
    pub fn is_valgrind(&self) -> bool {
        matches!(self, Self::Memcheck | Self::Helgrind | Self::Drd)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of mistake a finding is, in kebab-case: one of the `leak-…` constants, `fd-leak`, or
/// the checker's own kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// Nothing points to the block any more: memcheck's "definitely lost", LSan's "Direct leak".
    pub const LEAK_DEFINITE: Self = Self::of("leak-definite");
    /// Only other leaked blocks point to the block.
    pub const LEAK_INDIRECT: Self = Self::of("leak-indirect");
    /// Only pointers into the middle of the block remain.
    pub const LEAK_POSSIBLE: Self = Self::of("leak-possible");
    /// Something still points to the block when the process ends.
    pub const LEAK_REACHABLE: Self = Self::of("leak-reachable");
    /// A file descriptor of the process's own is open at its end.
    pub const FD_LEAK: Self = Self::of("fd-leak");
    /// A file descriptor is open that the process had from its parent.
    pub const FD_INHERITED: Self = Self::of("fd-inherited");
    /// A signal that ends the process at a wrong access or instruction.
    pub const FATAL_SIGNAL: Self = Self::of("fatal-signal");
    /// A record whose wording is not known; its text is the title.
    pub const UNKNOWN: Self = Self::of("unknown-error");

    /// A kind that is known when leakgate is built.
    pub const fn of(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind as a checker prints it, which is kebab-case already but for capitals: `SEGV`,
    /// `heap-use-after-free`.
    pub fn own(name: &str) -> Self {
        Self::unreserved(name.to_ascii_lowercase())
    }

    /// A kind as leakgate itself wrote it.
    pub(crate) fn printed(name: &str) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// Names with a meaning of leakgate's own can't come from a log: they decide what is gated.
    fn unreserved(name: String) -> Self {
        let reserved = name.starts_with("leak-") || name == "fd-leak" || name == "fd-inherited";
        Self(Cow::Owned(if reserved {
            format!("error-{name}")
        } else {
            name
        }))
    }

    /// A kind as a checker names it: `InvalidRead`, `heap-use-after-free`, `data race` become
    /// kebab-case.
    pub fn from_name(name: &str) -> Self {
        let mut out = String::with_capacity(name.len() + 4);
        let mut before = ' ';
        let mut letters = name.chars().peekable();
        while let Some(c) = letters.next() {
            if c.is_ascii_uppercase() {
                let next_is_lower = letters.peek().is_some_and(char::is_ascii_lowercase);
                let starts_word = before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_is_lower);
                if starts_word && !out.ends_with('-') {
                    out.push('-');
                }
                out.push(c.to_ascii_lowercase());
            } else if c.is_alphanumeric() {
                out.push(c);
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            before = c;
        }
        Self::unreserved(out.trim_end_matches('-').into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the four kinds of leaked memory.
    pub fn is_leak(&self) -> bool {
        self.0.starts_with("leak-")
    }

    /// True for what is neither leaked memory nor a descriptor left open.
    pub fn is_error(&self) -> bool {
        !self.is_leak() && *self != Self::FD_LEAK && *self != Self::FD_INHERITED
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, TOOLS, Tool};

    #[test]
    fn every_tool_has_a_name_and_is_known_by_it() {
        for (name, tool) in TOOLS {
            assert_eq!(Tool::named(name), *tool);
            assert!(tool.as_str() == *name || *name == "valgrind");
        }
        assert_eq!(Tool::named("custom:x").as_str(), "custom:x");
    }

    #[test]
    fn names_of_checkers_become_kebab_case() {
        for (name, kind) in [
            ("InvalidRead", "invalid-read"),
            ("PthAPIerror", "pth-ap-ierror"),
            ("UnimpHgClReq", "unimp-hg-cl-req"),
            ("heap-use-after-free", "heap-use-after-free"),
            ("data race", "data-race"),
            ("SEGV", "segv"),
            ("attempting  free!", "attempting-free"),
            ("Leak_Vague", "error-leak-vague"),
            ("FdInherited", "error-fd-inherited"),
        ] {
            assert_eq!(Kind::from_name(name).as_str(), kind);
        }
    }
}
