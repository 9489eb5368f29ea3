//! Sizes of files, plain and compressed.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Outcome;

/// Prints the size of every file in a folder, and the total.
pub(crate) fn print(folder: &Path) -> Outcome {
    println!("{:24} {:>10} {:>10}", "file", "bytes", "gzip -9");
    let mut all = 0;
    let mut packed = 0;
    for name in files_below(folder)? {
        let bytes = fs::read(folder.join(&name))?;
        let gzipped = gzipped(&bytes)?.len();
        println!("{name:24} {:>10} {gzipped:>10}", bytes.len());
        (all, packed) = (all + bytes.len(), packed + gzipped);
    }
    println!("{:24} {all:>10} {packed:>10}", "all");
    Ok(())
}

/// Returns the relative paths of all files in a folder and its subfolders, with `/`, sorted.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            files.extend(
                files_below(&entry.path())?
                    .into_iter()
                    .map(|inner| format!("{name}/{inner}")),
            );
        } else {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

/// Compresses bytes as a server would.
pub(crate) fn gzipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
