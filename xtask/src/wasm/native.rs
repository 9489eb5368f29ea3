//! Reports of the native core for every case under `snapshots/`. Tests compare the modules with
//! them.
//!
//! `<dialect>/<case>/inputs` lists the logs, one per line; the same folder has a report for each
//! format, and the parts of the page in `panes`.

use std::fs;
use std::path::Path;

use leakgate_core::emit::{self, Format, RenderOptions};

use crate::Outcome;

/// Cases, and parsing and judging them, from the core's own tests.
#[path = "../../../core/tests/common/mod.rs"]
pub(crate) mod common;

/// Writes the reports of all cases. Without rules, they don't depend on the date.
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
        let panes = emit::panes(&judged.run(), &RenderOptions::default())?;
        let panes = serde_json::json!({
            "title": panes.title,
            "verdict": panes.verdict,
            "lists": panes.lists,
            "data": panes.data,
        });
        fs::write(out.join("panes"), panes.to_string())?;
    }
    Ok(())
}
