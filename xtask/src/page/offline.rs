//! The files that the page caches for offline use.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Outcome, sizes};

const WORKER: &str = "offline.js";

/// Adds the list of files and the name of their cache to the page's service worker. The name
/// depends on the contents of all files, so the cache never mixes files of two versions.
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
    // A page is requested by the name of its folder.
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
