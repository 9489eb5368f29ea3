//! What a step prints. The runner takes lines of it for commands, so that text of a log is printed
//! where it listens to none.

use leakgate_core::emit;

use super::random_word;
use crate::error::Error;
use crate::output;

/// Prints text that may hold anything: from the first line to the last the runner takes nothing for
/// a command but the word that ends this, which nobody can guess.
pub(crate) fn bracketed(text: &str) -> Result<(), Error> {
    let word = random_word()?;
    output::stdout(&format!("::stop-commands::{word}\n{text}\n::{word}::\n"))
}

/// An annotation without a place.
pub(crate) fn error(message: &str) -> Result<(), Error> {
    output::stdout(&emit::command("error", "leakgate", message))
}

/// What could not be reported, or is otherwise wrong and changes no verdict.
pub(crate) fn warning(message: &str) -> Result<(), Error> {
    output::stdout(&emit::command("warning", "leakgate", message))
}
