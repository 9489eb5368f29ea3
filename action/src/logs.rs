//! Logs on their way into the core: every place that was named is read once, and what comes from
//! where is kept.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use leakgate_core::{Format, Options, Parsed, Parser, Source};

use crate::error::{Error, Status};
use crate::input::{self, Inputs, Place};
use crate::open::{self, Sink};
use crate::progress::Progress;

/// What was read.
pub(crate) struct Logs {
    /// Reports, findings, problems.
    pub(crate) parsed: Parsed,
    /// What was named, and what it stands for.
    pub(crate) sources: Vec<Source>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be read.
    pub(crate) errors: Vec<Error>,
}

impl Logs {
    /// Reads everything that these names mean; the formats are those of `leakgate.toml`.
    pub(crate) fn read(names: &[OsString], formats: &[Format]) -> Self {
        let mut inputs = input::resolve(names);
        let (parsed, ranges) = read(&mut inputs, formats);
        let sources = sources(&inputs, &ranges);
        let file = |place: Place| {
            if let Place::File(path) = place {
                Some(path)
            } else {
                None
            }
        };
        let files = inputs.places.into_iter().filter_map(file).collect();
        Self {
            parsed,
            sources,
            files,
            errors: inputs.errors,
        }
    }

    /// Reads the logs of a run, each with a name of its own.
    pub(crate) fn of_run(files: &[(String, PathBuf)], formats: &[Format]) -> Self {
        let mut errors = Vec::new();
        let mut parser = Parser::with_formats(
            Options {
                children_are_traced: true,
                ..Options::default()
            },
            formats,
        );
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

    /// For commands that write down what they read: they need all of it.
    pub(crate) fn complete(self) -> Result<Self, Error> {
        if self.errors.is_empty() {
            Ok(self)
        } else {
            Err(Error::Several(self.errors))
        }
    }

    /// Tells what could not be read, and the status that follows.
    pub(crate) fn report_errors(&self) -> Option<Status> {
        self.errors.iter().for_each(crate::error::print);
        (!self.errors.is_empty()).then_some(Status::Error)
    }
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

/// Feeds the parser and counts the streams.
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

/// Reads every place; the ranges tell which streams came from which place.
fn read(inputs: &mut Inputs, formats: &[Format]) -> (Parsed, Vec<std::ops::Range<usize>>) {
    let progress = Progress::new(total(inputs));
    let mut feed = Feed {
        parser: Parser::with_formats(Options::default(), formats),
        streams: 0,
        progress,
    };
    let mut ranges = Vec::with_capacity(inputs.places.len());
    for place in &inputs.places {
        let first = feed.streams;
        if let Err(error) = open::read(place, &mut feed) {
            inputs.errors.push(error);
        }
        ranges.push(first..feed.streams);
    }
    feed.progress.finish();
    (feed.parser.finish(), ranges)
}

/// How many bytes there are to read, as far as files tell.
fn total(inputs: &Inputs) -> u64 {
    let size = |place: &Place| match place {
        Place::Stdin => 0,
        Place::File(path) => path.metadata().map_or(0, |m| m.len()),
    };
    inputs.places.iter().map(size).sum()
}

fn sources(inputs: &Inputs, ranges: &[std::ops::Range<usize>]) -> Vec<Source> {
    let source = |named: &input::Named| Source {
        name: named.name.clone(),
        inputs: named
            .places
            .iter()
            .flat_map(|at| ranges[*at].clone())
            .collect(),
    };
    inputs.named.iter().map(source).collect()
}
