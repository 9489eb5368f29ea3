//! A report together with the bookkeeping that only the parser needs.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::model::Report;

/// A report that is being read.
#[derive(Clone, Debug)]
pub(crate) struct OpenReport {
    /// The report itself.
    pub(crate) report: Box<Report>,
    /// A hash of every line of the report. Two reports with the same digest are copies.
    pub(crate) digest: u64,
    /// Number of leak checks that the process has finished.
    pub(crate) leak_checks: u32,
    /// Number of printed records that are errors; part of [`Report::printed`].
    pub(crate) printed_errors: u64,
    /// Number of different errors in each `<errorcounts>` element of an XML report. Leaks and file
    /// descriptors are not counted there.
    pub(crate) stated_errors: Vec<u64>,
    /// How the report ended.
    pub(crate) ending: Ending,
    /// True if the report is left out of the result: it is a copy, or it proves nothing.
    pub(crate) dropped: bool,
}

/// How a report ended. Every variant but [`Ending::Usual`] is explained by
/// [`finalize`](crate::parse::finalize), when the reports of the other processes are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is left to explain.
    #[default]
    Usual,
    /// After its header, which names a parent process: the child may have called `exec` for a
    /// program that is not checked.
    BareHeader,
    /// Without a summary, and the same process began another report.
    Replaced,
    /// With the marker of `leakgate run` that says that the process called `exec`.
    ExecCalled,
    /// `leakgate run` recorded that the process called `exec` for a program that is not checked.
    UncheckedExecCalled,
}

impl From<Report> for OpenReport {
    fn from(report: Report) -> Self {
        Self {
            report: Box::new(report),
            digest: 0,
            leak_checks: 0,
            printed_errors: 0,
            stated_errors: Vec::new(),
            ending: Ending::default(),
            dropped: false,
        }
    }
}
