//! What the page keeps for the time without a network.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Outcome, sizes};

const WORKER: &str = "offline.js";

/// Tells the page's service worker which files there are, and by which name it keeps them: a name
/// for each state of all of them, so that files of two versions are never mixed.
pub(super) fn list_files(page: &Path) -> Outcome {
    let mut files = sizes::files_below(page)?;
    files.retain(|file| file != WORKER);
    let mut hasher = Sha256::new();
    for file in &files {
        hasher.update(file.as_bytes());
        hasher.update(fs::read(page.join(file))?);
    }
    let state: String = hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("leakgate-{}-{state}", env!("CARGO_PKG_VERSION"));
    // A page is asked for by the name of its folder.
    let listed = serde_json::to_string(
        &files
            .iter()
            .map(String::as_str)
            .chain(["./"])
            .collect::<Vec<_>>(),
    )?;
    let path = page.join(WORKER);
    let script = fs::read_to_string(&path)?;
    fs::write(
        path,
        format!("const NAME = '{name}';\nconst FILES = {listed};\n{script}"),
    )?;
    Ok(())
}
