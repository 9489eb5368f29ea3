//! The GitHub Actions runner: the variables and the event payload that a step gets, and the files
//! and workflow commands through which a step reports back.
//!
//! Sources: <https://docs.github.com/actions/reference/workflows-and-actions/variables>,
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

mod commands;
mod context;
mod matrix;
mod outputs;

pub(crate) use self::commands::{error, print_untrusted, warning};
pub(crate) use self::context::{Context, HeadBranch, WorkflowRun};
pub(crate) use self::matrix::MatrixLeg;
pub(crate) use self::outputs::{JobSummary, StepOutputs};

use crate::error::Error;

/// Reads an environment variable. `None` if it is unset or empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns an unguessable word, to delimit untrusted text.
pub(crate) fn random_delimiter() -> Result<String, Error> {
    Ok(format!("leakgate-{}", random_hex()?))
}

/// Returns 32 random hexadecimal digits.
pub(crate) fn random_hex() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::Usage(format!("cannot get random numbers from the system: {e}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
