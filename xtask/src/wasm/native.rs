//! What the native core says of every case under `snapshots/`, for the test that holds the module
//! to it.
//!
//! `<dialect>/<case>/inputs` names the reports, a line each; beside it lies a document for each
//! format.

use std::fs;
use std::path::Path;

use leakgate_core::emit::Format;

use crate::Outcome;

/// The cases, and the way from bytes to a verdict, of the core's own tests.
#[path = "../../../core/tests/common/mod.rs"]
mod common;

/// Writes the documents of all cases. Without rules the day on which they are judged decides
/// nothing.
pub(crate) fn write(out: &Path) -> Outcome {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    for case in common::cases() {
        let out = out.join(&case.name);
        fs::create_dir_all(&out)?;
        let names: Vec<&str> = case.files.iter().map(|(name, _)| name.as_str()).collect();
        fs::write(out.join("inputs"), names.join("\n"))?;
        let judged = common::judge(&case.files);
        for format in Format::ALL {
            fs::write(out.join(format.as_str()), judged.document(*format))?;
        }
    }
    Ok(())
}
