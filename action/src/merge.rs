//! `leakgate merge`: merges the JSON reports of several runs into one report with one verdict.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use leakgate_core::document::{Document, DocumentReader, merge};

use crate::args::{GateArgs, ReportArgs};
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, exit_status, write_reports};
use crate::output;
use crate::settings::{Settings, display_path, read_text};

/// Options of `leakgate merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// JSON reports of `leakgate check` or `leakgate run`.
    #[arg(value_name = "RUN.json", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs the command.
pub(crate) fn run(args: &MergeArgs) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    output::ensure_inputs_not_overwritten(
        args.files.iter().chain(&settings.files),
        &args.reports.targets(),
    )?;
    let mut errors = Vec::new();
    let merged = merge(read_legs(&args.files, &mut errors));
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let evaluation = Evaluation::merged(settings, merged, Vec::new())?;
    write_reports(&evaluation.as_run(None), &args.reports)?;
    Ok(exit_status(&evaluation.verdict))
}

/// Reads the reports one after the other, each with the name of its leg. A report that occurs twice
/// counts once. The errors of all files are added to `errors`.
fn read_legs(
    files: &[PathBuf],
    errors: &mut Vec<Error>,
) -> impl Iterator<Item = (String, Document)> {
    // By a hash: all texts together may be larger than the memory.
    let mut seen: HashMap<u64, &Path> = HashMap::new();
    let hasher = RandomState::new();
    let mut reader = DocumentReader::default();
    files.iter().filter_map(move |path| {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                errors.push(explain_glob(path, error));
                return None;
            }
        };
        // Two runs never have the same processes at the same addresses.
        let hash = hasher.hash_one(sample(&text));
        let first = seen.get(&hash);
        if let Some(first) = first.filter(|first| read_text(first).is_ok_and(|t| t == text)) {
            note_duplicate(&display_path(path), &display_path(first));
            return None;
        }
        seen.insert(hash, path);
        match reader.read(&display_path(path), &text) {
            Ok(document) => Some((leg_name(path, files), document)),
            Err(diagnostic) => {
                errors.push(Error::Diagnostic(diagnostic));
                None
            }
        }
    })
}

/// Returns parts of a text that hardly any two reports have in common: its length and its ends.
fn sample(text: &str) -> (usize, &[u8], &[u8]) {
    const END: usize = 4096;
    let bytes = text.as_bytes();
    let end = END.min(bytes.len());
    (bytes.len(), &bytes[..end], &bytes[bytes.len() - end..])
}

/// Adds help to the error for a glob that the shell didn't expand, because no file matches it.
fn explain_glob(path: &Path, error: Error) -> Error {
    match &error {
        Error::Read(_, cause)
            if cause.kind() == io::ErrorKind::NotFound && path.to_string_lossy().contains('*') =>
        {
            Error::with_help(
                error.to_string(),
                "merge doesn't expand patterns; pass the names of the reports",
            )
        }
        _ => error,
    }
}

/// Prints a note about a report that is ignored.
fn note_duplicate(path: &str, first: &str) {
    if path == first {
        output::note(&format!("{path} is given twice; counting it once"));
    } else {
        output::note(&format!("{path} is identical to {first}; ignoring it"));
    }
}

/// Returns the file name without its extension, or the whole path if another file has the same
/// name.
fn leg_name(path: &Path, files: &[PathBuf]) -> String {
    let stem = file_stem(path);
    let same = files.iter().filter(|other| file_stem(other) == stem);
    if same.count() > 1 {
        path.to_string_lossy().into_owned()
    } else {
        stem
    }
}

fn file_stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
