//! Reasons of a verdict: a stable code and a message for each.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::numbers::grouped;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The code of a [`Reason`].
        ///
        /// Codes are stable: JSON and SARIF reports contain them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ReasonCode { $($(#[$doc])* $name,)* }

        impl ReasonCode {
            /// Every code, in the order of their importance.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the name in kebab-case, as in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// Neither a rule nor the baseline accepts a finding.
    UnexpectedFinding = "unexpected-finding";
    /// A rule matched more than its limit, so it accepts nothing.
    OverLimit = "over-limit";
    /// A matching rule has expired.
    ExpiredRule = "expired-rule";
    /// A rule with an `expect` value matched another number of records, so the run is not trusted.
    ExpectationMissed = "expectation-missed";
    /// A finding of the baseline has grown.
    GrownFinding = "grown-finding";
    /// A report is truncated.
    TruncatedReport = "truncated-report";
    /// A report can't be read.
    UnreadableReport = "unreadable-report";
    /// A checker could not start, or it stopped early.
    CheckerFailed = "checker-failed";
    /// Two processes wrote into one report.
    InterleavedReport = "interleaved-report";
    /// The totals of a checker differ from the parsed records.
    UnreconciledReport = "unreconciled-report";
    /// A checker stopped reporting findings, or leakgate reached a bound.
    UnseenFindings = "unseen-findings";
    /// A checker counted leaks without showing them.
    LeaksNotShown = "leaks-not-shown";
    /// A checker's own suppressions hid findings.
    ToolSuppressed = "tool-suppressed";
    /// A required report is missing.
    MissingReport = "missing-report";
    /// The tested command failed.
    CommandFailed = "command-failed";
    /// A rule matches nothing.
    UnusedRule = "unused-rule";
    /// A finding has only third-party frames.
    ThirdParty = "third-party";
    /// An input contains no checker output.
    NoEvidence = "no-evidence";
}

impl ReasonCode {
    /// Returns true if the reason is about findings, which reports list one by one.
    pub const fn is_about_findings(self) -> bool {
        matches!(
            self,
            Self::UnexpectedFinding | Self::OverLimit | Self::ExpiredRule | Self::GrownFinding
        )
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason why the gate fails, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// Number of findings, problems or inputs that the reason is about.
    pub count: u64,
    /// A message for users: one line, lower case, without a full stop.
    pub message: String,
}

impl Reason {
    /// Returns the text after the message that counts what the message leaves out, such as
    /// ` (and 2 more)`. Empty if the message is about everything.
    pub(crate) fn more(&self) -> String {
        let has_own_count = self.code.is_about_findings() || self.message.contains(" more; ");
        match self.count {
            0 | 1 => String::new(),
            _ if has_own_count => String::new(),
            n if self.code == ReasonCode::MissingReport => format!(" ({} in total)", grouped(n)),
            n => format!(" (and {} more)", grouped(n - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn codes_are_unique() {
        let mut names: Vec<_> = ReasonCode::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ReasonCode::ALL.len());
    }
}
