//! Prepares a [`Launch`] by the family of the checker.

use std::path::Path;

use super::checker::{Checker, Family};
use super::launch::{Launch, Machine};
use super::{foreign, miri, preload, sanitizer, valgrind};
use crate::error::Error;

/// Returns how to start a program under these checkers, which must be able to run together. They
/// write their reports into `log_dir`.
///
/// # Errors
/// Fails if a checker isn't installed, with how to install it, or if `log_dir` is not UTF-8.
pub(super) fn launch(
    checkers: &[Checker],
    log_dir: &Path,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    let first = checkers.first().copied().unwrap_or(Checker::Memcheck);
    let log_dir = log_dir.to_str().ok_or_else(|| {
        Error::Usage(format!(
            "invalid log directory `{}`: its name is not UTF-8",
            log_dir.display()
        ))
    })?;
    match first.family() {
        Family::Valgrind => valgrind::launch(first, log_dir, machine),
        Family::Sanitizer => Ok(sanitizer::launch(checkers, log_dir, machine)),
        Family::Preload => preload::launch(first, machine),
        Family::Command if first == Checker::Miri => miri::launch(machine),
        Family::Command => foreign::launch(first, log_dir, machine),
    }
}
