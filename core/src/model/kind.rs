//! Tools and kinds of findings.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::Text;

/// The checker that reports a finding.
///
/// Leaks that LeakSanitizer reports inside an AddressSanitizer process belong to [`Tool::Lsan`].
///
/// ```
/// use leakgate_core::Tool;
///
/// assert_eq!(Tool::from_name("valgrind"), Tool::Memcheck);
/// assert_eq!(Tool::Memcheck.as_str(), "memcheck");
/// assert_eq!(Tool::from_name("my-checker").as_str(), "my-checker");
/// ```
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
    /// UndefinedBehaviorSanitizer, including the kernel's UBSAN.
    Ubsan,
    /// libFuzzer's own reports, apart from those of the sanitizer that it runs with.
    LibFuzzer,
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
    /// Consistency checks of glibc, which abort the process.
    Glibc,
    /// The kernel's sanitizers: KASAN, KMSAN, KCSAN, KFENCE.
    Kasan,
    /// The kernel's leak detector.
    Kmemleak,
    /// Go's race detector.
    GoRace,
    /// Another checker, or a custom format (`custom:NAME`).
    Custom(Text),
}

/// Prefix of tool names that come from `[[format]]`.
pub(crate) const CUSTOM_PREFIX: &str = "custom:";

/// Every tool and its names. If a tool has two names, reports use the first one.
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
    ("libfuzzer", Tool::LibFuzzer),
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
    /// Returns the name used in configuration, in JSON and on the command line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Custom(name) => name,
            known => TOOLS
                .iter()
                .find(|(_, tool)| tool == known)
                .map_or("", |(name, _)| name),
        }
    }

    /// Returns the tool with this name. `valgrind` means memcheck, its default tool. An unknown
    /// name becomes [`Tool::Custom`].
    pub fn from_name(name: &str) -> Self {
        let known = TOOLS.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Self::Custom(name.into()), |(_, tool)| tool.clone())
    }

    /// Returns the names of all built-in tools.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TOOLS.iter().map(|(name, _)| *name)
    }

    /// Returns the tool of a custom format.
    pub(crate) fn from_custom_format(name: &str) -> Self {
        Self::Custom(format!("{CUSTOM_PREFIX}{name}").into())
    }

    /// Returns true for valgrind tools that don't check for errors, such as callgrind.
    pub(crate) fn is_profiler(&self) -> bool {
        matches!(self, Self::Custom(name) if !name.starts_with(CUSTOM_PREFIX))
    }

    /// Returns the environment variable with the tool's sanitizer flags, such as `ASAN_OPTIONS`.
    /// `None` for other tools.
    pub(crate) fn options_variable(&self) -> Option<&'static str> {
        match self {
            Self::Asan => Some("ASAN_OPTIONS"),
            Self::Lsan => Some("LSAN_OPTIONS"),
            Self::Tsan => Some("TSAN_OPTIONS"),
            Self::Msan => Some("MSAN_OPTIONS"),
            Self::Hwasan => Some("HWASAN_OPTIONS"),
            Self::Ubsan => Some("UBSAN_OPTIONS"),
            _ => None,
        }
    }

    /// Returns true for the tools of valgrind.
    pub fn is_valgrind(&self) -> bool {
        matches!(self, Self::Memcheck | Self::Helgrind | Self::Drd)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of a finding, in kebab-case: one of the constants, or the checker's own kind.
///
/// ```
/// use leakgate_core::Kind;
///
/// assert_eq!(Kind::from_name("InvalidRead").as_str(), "invalid-read");
/// assert!(Kind::LEAK_DEFINITE.is_leak());
/// assert!(Kind::from_checker("heap-use-after-free").is_error());
/// // A log can't claim one of the kinds that decide about the gate.
/// assert_eq!(Kind::from_checker("leak-reachable").as_str(), "error-leak-reachable");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// No pointer to the block remains: memcheck's "definitely lost", LSan's "Direct leak".
    pub const LEAK_DEFINITE: Self = Self::from_static("leak-definite");
    /// Only other leaked blocks point to the block.
    pub const LEAK_INDIRECT: Self = Self::from_static("leak-indirect");
    /// Only pointers into the middle of the block remain.
    pub const LEAK_POSSIBLE: Self = Self::from_static("leak-possible");
    /// A pointer to the block remains when the process ends.
    pub const LEAK_REACHABLE: Self = Self::from_static("leak-reachable");
    /// A file descriptor that the process opened is open when it ends.
    pub const FD_LEAK: Self = Self::from_static("fd-leak");
    /// A file descriptor that the process inherited is open when it ends.
    pub const FD_INHERITED: Self = Self::from_static("fd-inherited");
    /// A signal such as SIGSEGV or SIGABRT ended the process.
    pub const FATAL_SIGNAL: Self = Self::from_static("fatal-signal");
    /// A record with unknown wording. Its text is the title.
    pub const UNKNOWN: Self = Self::from_static("unknown-error");

    /// Creates a kind from a kebab-case name without checking it.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Converts a kind that a checker prints in kebab-case, with or without capitals: `SEGV`,
    /// `heap-use-after-free`.
    pub fn from_checker(name: &str) -> Self {
        Self::unreserved(name.to_ascii_lowercase())
    }

    /// Converts a kind from a JSON report.
    pub(crate) fn from_json(name: &str) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// Prefixes reserved names. The policy refers to them, so a log must not claim them.
    fn unreserved(name: String) -> Self {
        let reserved = name.starts_with("leak-") || name == "fd-leak" || name == "fd-inherited";
        Self(Cow::Owned(if reserved {
            format!("error-{name}")
        } else {
            name
        }))
    }

    /// Converts a name in any style to kebab-case: `InvalidRead`, `data race`.
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

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for the four kinds of leaked memory.
    pub fn is_leak(&self) -> bool {
        self.0.starts_with("leak-")
    }

    /// Returns true for kinds that are neither leaked memory nor open descriptors.
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
    fn tool_names_round_trip() {
        for (name, tool) in TOOLS {
            assert_eq!(Tool::from_name(name), *tool);
            assert!(tool.as_str() == *name || *name == "valgrind");
        }
        assert_eq!(Tool::from_name("custom:x").as_str(), "custom:x");
    }

    #[test]
    fn checker_names_become_kebab_case() {
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
