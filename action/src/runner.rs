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

/// Hides the environment of this process, and with it the token, from other processes of the same
/// user, such as the command that leakgate runs. Other systems than Linux don't show it anyway, or
/// offer no means.
pub(crate) fn hide_environment() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Without it, the token is as visible as before.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    use super::*;

    #[test]
    fn environment_can_be_hidden() {
        hide_environment();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }
}
