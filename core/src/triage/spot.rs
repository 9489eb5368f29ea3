//! Where findings are located: the function and the source line of the frame to look at.

use alloc::string::String;

use crate::culprit::{Culprit, FrameCache, Workspace};
use crate::model::Finding;

/// The function and the line of the frame to look at. Findings with equal functions and files can
/// be shown and accepted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// The simple name of the function. Empty if the frame has none.
    pub(crate) function: String,
    /// The source file: its path in the repository if it's there, otherwise as printed.
    pub(crate) file: Option<String>,
    /// The line, from 1.
    pub(crate) line: Option<u32>,
    /// The column, from 1.
    pub(crate) column: Option<u32>,
}

impl Spot {
    /// Returns the location of a finding. `None` if it has no frame to look at, or if that frame
    /// has neither a function nor a file.
    pub(crate) fn of(
        finding: &Finding,
        culprit: Culprit,
        workspace: &dyn Workspace,
        names: &mut FrameCache,
    ) -> Option<Self> {
        let info = &finding.primary()?.frames.get(culprit.frame?)?.info;
        let printed = info.file.as_deref();
        let spot = Self {
            function: names.get(info).name.clone(),
            file: printed.map(|file| workspace.resolve(file).unwrap_or_else(|| file.into())),
            line: info.line,
            column: info.column,
        };
        (!spot.function.is_empty() || spot.file.is_some()).then_some(spot)
    }
}
