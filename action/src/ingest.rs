//! Reads logs and JSON reports into the core. Reads each input once, even if several arguments
//! match it, and records the argument that each input comes from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use leakgate_core::custom_format::CustomFormat;
use leakgate_core::document::Document;
use leakgate_core::parse::Scan;
use leakgate_core::triage::LookupError;
use leakgate_core::verdict::Source;
use leakgate_core::{Options, Parsed, Parser, Triage};

use crate::archive::{self, Ahead, Sink};
use crate::args::{NoLogs, Reading};
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
    pub(crate) fn read(args: &[OsString], formats: &[CustomFormat], reading: Reading) -> Self {
        let mut inputs = resolve::resolve(args, reading.no_logs);
        let (parsed, ranges) = read(&mut inputs, formats, reading);
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
struct Feed<'a> {
    parser: Parser,
    ahead: Option<&'a Ahead>,
    streams: usize,
    progress: Progress,
}

impl Feed<'_> {
    /// Tells the threads that read ahead what the parser looks for.
    fn update(&self) {
        if let Some(ahead) = self.ahead {
            ahead.set_seeks_marker(!self.parser.is_in_report());
        }
    }
}

impl Sink for Feed<'_> {
    fn begin(&mut self, name: &str) {
        self.parser.begin(name);
        self.streams += 1;
    }

    fn bytes(&mut self, chunk: &[u8]) {
        self.parser.feed(chunk);
        self.update();
    }

    fn scanned(&mut self, chunk: &[u8], scan: &Scan) {
        self.parser.feed_scanned(chunk, scan);
        self.update();
    }

    fn progress(&mut self, bytes: u64) {
        self.progress.add(bytes);
    }
}

/// Reads every input. Returns the range of streams that came from each.
fn read(
    inputs: &mut Inputs,
    formats: &[CustomFormat],
    reading: Reading,
) -> (Parsed, Vec<Range<usize>>) {
    let parser = Parser::with_formats(Options::default(), formats);
    let sizes: Vec<u64> = inputs.paths.iter().map(size).collect();
    let ahead = Ahead::for_sizes(&sizes, || reading.jobs.count(), || parser.scanner());
    let mut feed = Feed {
        parser,
        ahead: ahead.as_ref(),
        streams: 0,
        progress: Progress::new(sizes.iter().sum()),
    };
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(inputs.paths.len());
    let Inputs { paths, errors, .. } = inputs;
    archive::read_all(paths, &sizes, ahead.as_ref(), &mut feed, |result, feed| {
        let first = ranges.last().map_or(0, |range| range.end);
        let streams = first..feed.streams;
        match result {
            Ok(()) if streams.is_empty() && reading.no_logs == NoLogs::Error => {
                errors.push(resolve::no_file(&paths[ranges.len()].name()));
            }
            Ok(()) => {}
            Err(error) => errors.push(error),
        }
        ranges.push(streams);
    });
    feed.progress.finish();
    (feed.parser.finish(), ranges)
}

/// Returns the size of an input in bytes. Standard input counts as 0.
fn size(input: &InputPath) -> u64 {
    match input {
        InputPath::Stdin => 0,
        InputPath::File(path) => path.metadata().map_or(0, |metadata| metadata.len()),
    }
}

/// Returns the streams that each argument matched.
fn sources(inputs: &Inputs, ranges: &[Range<usize>]) -> Vec<Source> {
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
