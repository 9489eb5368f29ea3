//! `leakgate merge`: merges the JSON reports of several runs into one report with one verdict.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::SyncSender;

use clap::Args;
use leakgate_core::diagnostic::Diagnostic;
use leakgate_core::document::{Document, DocumentReader, Merger};

use crate::args::{GateArgs, JobArgs, ReportArgs};
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, write_reports};
use crate::in_order::{in_order, lock};
use crate::output;
use crate::settings::{Settings, display_path, read_text};

/// Options of `leakgate merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// JSON reports of `leakgate check` or `leakgate run`.
    #[arg(value_name = "RUN.json", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    jobs: JobArgs,
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
    let mut merger = Merger::new();
    let errors = read_legs(&args.files, args.jobs.count(), |name, document| {
        merger.add(name, document);
    });
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let evaluation = Evaluation::merged(settings, merger.finish(), Vec::new())?;
    write_reports(&evaluation.as_run(None), &args.reports)?;
    Ok(evaluation.into_status())
}

/// Reads the reports in several threads, and passes each with the name of its leg to `take`, in
/// order. A report that occurs twice counts once. Returns the errors of all files.
fn read_legs(files: &[PathBuf], jobs: usize, mut take: impl FnMut(&str, Document)) -> Vec<Error> {
    let readers = Readers::default();
    let hasher = RandomState::new();
    let read = |path, sender: SyncSender<_>| {
        // Fails if no more reports are needed.
        let _ = sender.send((path, readers.read(path, &hasher)));
    };
    let paths = files.iter().map(PathBuf::as_path);
    let mut seen: HashMap<u64, &Path> = HashMap::new();
    let mut errors = Vec::new();
    in_order(jobs.min(files.len()), paths, read, |(path, leg)| {
        let leg = leg.and_then(|Leg { hash, document }| {
            let first = *seen.entry(hash).or_insert(path);
            if !std::ptr::eq(first, path) && has_same_text(first, path) {
                note_duplicate(&display_path(path), &display_path(first));
                return Ok(None);
            }
            document.map(Some).map_err(Error::Diagnostic)
        });
        match leg {
            Ok(Some(document)) => take(&leg_name(path, files), document),
            Ok(None) => {}
            Err(error) => errors.push(explain_glob(path, error)),
        }
        true
    });
    errors
}

/// A report as a thread has read it.
struct Leg {
    /// Hash of parts of the text: all texts together may be larger than the memory.
    hash: u64,
    document: Result<Document, Diagnostic>,
}

/// Readers for threads. Each is used by one thread at a time.
#[derive(Default)]
struct Readers(Mutex<Vec<DocumentReader>>);

impl Readers {
    fn read(&self, path: &Path, hasher: &RandomState) -> Result<Leg, Error> {
        let text = read_text(path)?;
        let mut reader = lock(&self.0).pop().unwrap_or_default();
        let document = reader.read(&display_path(path), &text);
        lock(&self.0).push(reader);
        // Two runs never have the same processes at the same addresses.
        let hash = hasher.hash_one(sample(&text));
        Ok(Leg { hash, document })
    }
}

fn has_same_text(first: &Path, second: &Path) -> bool {
    let (first, second) = (read_text(first), read_text(second));
    first.is_ok_and(|first| second.is_ok_and(|second| first == second))
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
