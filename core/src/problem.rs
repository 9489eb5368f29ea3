//! What could not be read, was cut, or does not add up, each with its place in the log.
//!
//! Parsing never fails: whatever goes wrong becomes a [`Problem`]. Its [`Code`] says whether the
//! gate may still pass.

use alloc::string::String;
use core::fmt;

use crate::verdict::ReasonCode;

/// Whether a problem keeps the gate from passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something may be hidden: the gate fails.
    Fatal,
    /// Worth knowing, hides nothing.
    Note,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $class:ident, $reason:expr;)*) => {
        /// What kind of problem it is. The table is [`Code::ALL`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether it fails the gate.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// The reason that the verdict gives for it; every fatal code has one.
            pub const fn reason(self) -> Option<ReasonCode> {
                match self { $(Self::$name => $reason,)* }
            }
        }
    };
}

codes! {
    /// A report ends before its end.
    Truncated = "truncated", Fatal, Some(ReasonCode::TruncatedReport);
    /// Two processes wrote into one report at once.
    Interleaved = "interleaved", Fatal, Some(ReasonCode::InterleavedReport);
    /// What the checker stated in sum differs from what was read.
    Unreconciled = "unreconciled", Fatal, Some(ReasonCode::UnreconciledReport);
    /// The checker stopped showing findings at one of its caps.
    UnseenFindings = "unseen-findings", Fatal, Some(ReasonCode::UnseenFindings);
    /// The checker counted leaks that it was not told to show.
    LeaksNotShown = "leaks-not-shown", Fatal, Some(ReasonCode::LeaksNotShown);
    /// A headline of a report that no dialect understands.
    UnknownReport = "unknown-report", Fatal, Some(ReasonCode::TruncatedReport);
    /// A `SUMMARY:` whose report is not there.
    SummaryWithoutReport = "summary-without-report", Fatal, Some(ReasonCode::TruncatedReport);
    /// The checker itself failed: it could not start, or broke off.
    CheckerFailed = "checker-failed", Fatal, Some(ReasonCode::TruncatedReport);
    /// A line of a report is longer than the bound.
    LineTooLong = "line-too-long", Fatal, Some(ReasonCode::TruncatedReport);
    /// A stack has more frames than the bound; the rest was not kept.
    TooManyFrames = "too-many-frames", Fatal, Some(ReasonCode::TruncatedReport);
    /// More different findings than the bound; the rest was not kept.
    TooManyFindings = "too-many-findings", Fatal, Some(ReasonCode::UnseenFindings);
    /// More processes at once than the bound.
    TooManyProcesses = "too-many-processes", Fatal, Some(ReasonCode::TruncatedReport);
    /// An element of an XML report could not be read.
    MalformedXml = "malformed-xml", Fatal, Some(ReasonCode::TruncatedReport);
    /// The same pid began a new report (`exec`), so this one has no end of its own.
    Replaced = "replaced", Note, None;
    /// The same report stands in the log a second time; it counts once.
    DuplicateReport = "duplicate-report", Note, None;
    /// A record whose wording is not known; it counts as an error.
    UnknownWording = "unknown-wording", Note, None;
    /// The process was ended by a signal from outside.
    EndedBySignal = "ended-by-signal", Note, None;
    /// More problems of one kind than are listed.
    MoreProblems = "more-problems", Note, None;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that could not be read or does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub code: Code,
    /// Index into the inputs.
    pub input: usize,
    /// The line, from 1; 0 where none can be named.
    pub line: u64,
    /// The process, where it is known.
    pub pid: Option<u64>,
    /// What happened, in words.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::{Class, Code};

    #[test]
    fn fatal_codes_and_only_they_have_a_reason() {
        for code in Code::ALL {
            assert_eq!(
                code.class() == Class::Fatal,
                code.reason().is_some(),
                "{code}"
            );
        }
    }

    #[test]
    fn names_are_unique_kebab_case() {
        let mut names: alloc::vec::Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            names
                .iter()
                .all(|n| n.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()))
        );
    }
}
