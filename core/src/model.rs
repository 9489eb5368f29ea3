//! What the parser produces: reports, findings, stacks, frames. Plain public data, no behaviour
//! beyond small questions.
//!
//! Nothing here is decided: a [`Finding`] is what a checker printed, neither accepted nor refused.

mod finding;
mod kind;
mod report;

use alloc::sync::Arc;

pub use self::finding::{Finding, Frame, Generated, Instance, Leak, Role, Site, Stack};
pub(crate) use self::kind::OF_FORMAT;
pub use self::kind::{Kind, Tool};
pub use self::report::{Amount, Entry, Input, LeakSummary, Report, ShownLeaks, Stated};

/// Shared, immutable text. Bytes of a log that are not UTF-8 stand in it as U+FFFD.
pub type Text = Arc<str>;
