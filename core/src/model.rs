//! Parsed data: reports, findings, stacks and frames.
//!
//! These types hold what checkers print. They contain no decisions: see [`triage`](crate::triage)
//! and [`verdict`](crate::verdict).

mod finding;
mod kind;
mod report;

use alloc::sync::Arc;

pub use self::finding::{
    Finding, Frame, FrameInfo, GeneratedSuppression, Instance, Leak, MAX_TESTS, Role, Stack,
};
pub(crate) use self::kind::CUSTOM_PREFIX;
pub use self::kind::{Kind, Tool};
pub use self::report::{
    Amount, Input, LeakSummary, RecordCount, Report, ReportedTotals, ShownLeaks,
};

/// Shared, immutable text. Invalid UTF-8 of a log is replaced by U+FFFD.
pub type Text = Arc<str>;
