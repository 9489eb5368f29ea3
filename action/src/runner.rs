//! The runner of GitHub Actions: what it tells a step, and the files and commands by which a step
//! answers.
//!
//! Sources of the facts: <https://docs.github.com/actions/reference/workflows-and-actions/variables>,
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

mod context;
mod files;
mod say;

pub(crate) use self::context::{Context, HeadOf, WorkflowRun};
pub(crate) use self::files::{Files, Summary};
pub(crate) use self::say::{bracketed, error, warning};

/// Reads a variable of the environment; an empty one is not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A word that nobody can guess.
pub(crate) fn random_word() -> Result<String, crate::error::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        crate::error::Error::Usage(format!("the system gives no random numbers: {e}"))
    })?;
    Ok(bytes.iter().fold(String::from("leakgate-"), |word, byte| {
        format!("{word}{byte:02x}")
    }))
}
