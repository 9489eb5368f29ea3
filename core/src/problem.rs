//! Problems: unreadable, truncated or contradictory parts of a log, with their position.
//!
//! Parsing never fails. Anything that goes wrong becomes a [`Problem`], and its [`Code`] decides
//! whether the gate may still pass.
//!
//! ```
//! use leakgate_core::problem::Class;
//! use leakgate_core::{Options, Parser};
//!
//! let mut parser = Parser::new(Options::default());
//! parser.begin("cut.log");
//! parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n");
//! let problem = &parser.finish().problems[0];
//! assert_eq!(problem.code.as_str(), "truncated");
//! assert_eq!(problem.code.class(), Class::Fatal);
//! ```

use alloc::string::String;
use core::fmt;

use crate::reason::ReasonCode;

/// Whether a problem prevents a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Findings may be hidden, so the gate fails.
    Fatal,
    /// Informational: nothing is hidden.
    Note,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $class:ident, $reason:expr;)*) => {
        /// The code of a [`Problem`].
        ///
        /// Codes are stable: JSON reports contain them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the name in kebab-case, as in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns whether a problem with this code prevents a pass.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// Returns the reason that the verdict gives for it. `None` for every note.
            pub const fn reason(self) -> Option<ReasonCode> {
                match self { $(Self::$name => $reason,)* }
            }
        }
    };
}

codes! {
    /// A report has no end.
    Truncated = "truncated", Fatal, Some(ReasonCode::TruncatedReport);
    /// Two processes wrote into one report at the same time.
    Interleaved = "interleaved", Fatal, Some(ReasonCode::InterleavedReport);
    /// The totals of a checker differ from the parsed records.
    Unreconciled = "unreconciled", Fatal, Some(ReasonCode::UnreconciledReport);
    /// The checker reached one of its own limits and stopped reporting.
    UnseenFindings = "unseen-findings", Fatal, Some(ReasonCode::UnseenFindings);
    /// The checker counted leaks, but its options don't show them.
    LeaksNotShown = "leaks-not-shown", Fatal, Some(ReasonCode::LeaksNotShown);
    /// The parser doesn't know the headline of a report.
    UnknownReport = "unknown-report", Fatal, Some(ReasonCode::UnreadableReport);
    /// The report comes from a checker that leakgate doesn't support.
    UnsupportedChecker = "unsupported-checker", Fatal, Some(ReasonCode::UnreadableReport);
    /// The parser knows the checker, but can't read a line of its report.
    UnreadableLine = "unreadable-line", Fatal, Some(ReasonCode::UnreadableReport);
    /// A `SUMMARY:` line has no report.
    SummaryWithoutReport = "summary-without-report", Fatal, Some(ReasonCode::TruncatedReport);
    /// The checker could not start, or it crashed.
    CheckerFailed = "checker-failed", Fatal, Some(ReasonCode::CheckerFailed);
    /// A line of a report exceeds [`Options::max_line`](crate::Options::max_line).
    LineTooLong = "line-too-long", Fatal, Some(ReasonCode::UnseenFindings);
    /// A stack exceeds [`Options::max_frames`](crate::Options::max_frames).
    TooManyFrames = "too-many-frames", Fatal, Some(ReasonCode::UnseenFindings);
    /// The findings exceed [`Options::max_findings`](crate::Options::max_findings).
    TooManyFindings = "too-many-findings", Fatal, Some(ReasonCode::UnseenFindings);
    /// The processes exceed [`Options::max_processes`](crate::Options::max_processes).
    TooManyProcesses = "too-many-processes", Fatal, Some(ReasonCode::UnseenFindings);
    /// An element of an XML report is malformed.
    MalformedXml = "malformed-xml", Fatal, Some(ReasonCode::UnreadableReport);
    /// The same pid started a new report (`exec`), so this report has no end.
    Replaced = "replaced", Note, None;
    /// The log contains the same report a second time. It counts once.
    DuplicateReport = "duplicate-report", Note, None;
    /// The parser doesn't know the wording of a record. The record counts as an error.
    UnknownWording = "unknown-wording", Note, None;
    /// A signal from outside ended the process.
    EndedBySignal = "ended-by-signal", Note, None;
    /// More problems of one code exist than are listed.
    MoreProblems = "more-problems", Note, None;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An unreadable, truncated or contradictory part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// Index into [`Parsed::inputs`](crate::Parsed::inputs).
    pub input: usize,
    /// The line, from 1. Zero if the problem has no line.
    pub line: u64,
    /// The pid. `None` if it is unknown.
    pub pid: Option<u64>,
    /// A message for users: one line, lower case, without a full stop.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::{Class, Code};

    #[test]
    fn exactly_fatal_codes_have_a_reason() {
        for code in Code::ALL {
            assert_eq!(
                code.class() == Class::Fatal,
                code.reason().is_some(),
                "{code}"
            );
        }
    }

    #[test]
    fn codes_are_unique_kebab_case() {
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
