//! Reads logs and JSON reports into the core. Reads each input once, even if several arguments
//! match it, and records the argument that each input comes from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use leakgate_core::custom_format::CustomFormat;
use leakgate_core::document::Document;
use leakgate_core::triage::LookupError;
use leakgate_core::verdict::Source;
use leakgate_core::{Options, Parsed, Parser, Triage};

use crate::archive::{self, Sink};
use crate::args::NoLogs;
use crate::error::{Error, Status};
use crate::progress::Progress;
use crate::resolve::{self, InputPath, Inputs, ResolvedArg};
use crate::settings::{display_path, read_text};

/// Parsed logs.
pub(crate) struct Logs {
    /// Reports, findings and problems.
    pub(crate) parsed: Parsed,
    /// Arguments of the command line and the inputs that each matched.
    pub(crate) sources: Vec<Source>,
    /// Paths of the files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// Errors for inputs that could not be read.
    pub(crate) errors: Vec<Error>,
}

impl Logs {
    /// Reads all inputs that these arguments match. `formats` are the custom formats from
    /// `leakgate.toml`.
    pub(crate) fn read(args: &[OsString], formats: &[CustomFormat], no_logs: NoLogs) -> Self {
        let mut inputs = resolve::resolve(args, no_logs);
        let (parsed, ranges) = read(&mut inputs, formats, no_logs);
        let sources = sources(&inputs, &ranges);
        let files = inputs.paths.into_iter().filter_map(InputPath::into_file);
        Self {
            parsed,
            sources,
            files: files.collect(),
            errors: inputs.errors,
        }
    }

    /// Reads the logs of a run from pairs of display name and path.
    pub(crate) fn from_run(files: &[(String, PathBuf)], formats: &[CustomFormat]) -> Self {
        let mut errors = Vec::new();
        let mut options = Options::default();
        options.children_are_traced = true;
        let mut parser = Parser::with_formats(options, formats);
        for (name, path) in files {
            parser.begin(name);
            let fed = File::open(path).and_then(|file| feed_all(file, &mut parser));
            errors.extend(fed.err().map(|error| Error::Read(path.clone(), error)));
        }
        let files = files.iter().map(|(_, path)| path.clone()).collect();
        Self {
            parsed: parser.finish(),
            sources: Vec::new(),
            files,
            errors,
        }
    }

    /// Returns the logs if all inputs could be read. Commands that write rules or baselines need
    /// complete logs.
    ///
    /// # Errors
    /// Returns the read errors.
    pub(crate) fn complete(self) -> Result<Self, Error> {
        if self.errors.is_empty() {
            Ok(self)
        } else {
            Err(Error::Several(self.errors))
        }
    }

    /// Prints the read errors. Returns the exit status if there are any.
    pub(crate) fn report_errors(&self) -> Option<Status> {
        self.errors.iter().for_each(crate::error::print);
        (!self.errors.is_empty()).then_some(Status::Error)
    }
}

/// Reads the JSON report of an earlier run.
pub(crate) fn read_json_report(path: &Path) -> Result<Document, Error> {
    let text = read_text(path)?;
    Document::read(&display_path(path), &text).map_err(Error::Diagnostic)
}

fn feed_all(mut file: File, parser: &mut Parser) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => parser.feed(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Feeds streams to the parser and counts them.
struct Feed {
    parser: Parser,
    streams: usize,
    progress: Progress,
}

impl Sink for Feed {
    fn begin(&mut self, name: &str) {
        self.parser.begin(name);
        self.streams += 1;
    }

    fn bytes(&mut self, chunk: &[u8]) {
        self.parser.feed(chunk);
    }

    fn progress(&mut self, bytes: u64) {
        self.progress.add(bytes);
    }
}

/// Reads every input. Returns the range of streams that came from each.
fn read(
    inputs: &mut Inputs,
    formats: &[CustomFormat],
    no_logs: NoLogs,
) -> (Parsed, Vec<std::ops::Range<usize>>) {
    let progress = Progress::new(total_size(inputs));
    let mut feed = Feed {
        parser: Parser::with_formats(Options::default(), formats),
        streams: 0,
        progress,
    };
    let mut ranges = Vec::with_capacity(inputs.paths.len());
    for path in &inputs.paths {
        let first = feed.streams;
        match archive::read(path, &mut feed) {
            Ok(()) if feed.streams == first && no_logs == NoLogs::Error => {
                inputs.errors.push(resolve::no_file(&path.name()));
            }
            Ok(()) => {}
            Err(error) => inputs.errors.push(error),
        }
        ranges.push(first..feed.streams);
    }
    feed.progress.finish();
    (feed.parser.finish(), ranges)
}

/// Returns the total size of all files in bytes. Standard input counts as 0.
fn total_size(inputs: &Inputs) -> u64 {
    let size = |path: &InputPath| match path {
        InputPath::Stdin => 0,
        InputPath::File(path) => path.metadata().map_or(0, |m| m.len()),
    };
    inputs.paths.iter().map(size).sum()
}

/// Returns the streams that each argument matched.
fn sources(inputs: &Inputs, ranges: &[std::ops::Range<usize>]) -> Vec<Source> {
    let source = |arg: &ResolvedArg| Source {
        name: arg.text.clone(),
        inputs: arg
            .paths
            .iter()
            .flat_map(|at| ranges[*at].clone())
            .collect(),
    };
    inputs.args.iter().map(source).collect()
}

/// Looks up a fingerprint by the prefix that the user gives.
pub(crate) fn find_fingerprint(triage: &Triage, prefix: &str) -> Result<String, Error> {
    triage
        .find(prefix)
        .map(ToString::to_string)
        .map_err(|error| match error {
            LookupError::NotFound(_) => Error::with_help(
                error.to_string(),
                "run `leakgate check LOG` to list findings and their fingerprints",
            ),
            error => Error::Usage(error.to_string()),
        })
}
