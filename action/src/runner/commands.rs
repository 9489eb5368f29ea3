//! Output of a step. The runner interprets lines of it as workflow commands, so commands are
//! disabled while text from a log is printed.

use leakgate_core::emit;

use super::random_delimiter;
use crate::error::Error;
use crate::output;

/// Prints untrusted text. The runner ignores workflow commands in it until an unguessable word ends
/// the text.
pub(crate) fn print_untrusted(text: &str) -> Result<(), Error> {
    let end = random_delimiter()?;
    output::stdout(&format!("::stop-commands::{end}\n{text}\n::{end}::\n"))
}

/// Prints an error annotation without a location.
pub(crate) fn error(message: &str) -> Result<(), Error> {
    output::stdout(&emit::command("error", "leakgate", message))
}

/// Prints a warning annotation without a location.
pub(crate) fn warning(message: &str) -> Result<(), Error> {
    output::stdout(&emit::command("warning", "leakgate", message))
}
