//! `leakgate check`: read logs, decide, show.

use std::io::Write;

use leakgate_core::emit::{self, Run, Style};
use leakgate_core::{Options, Outcome, Parsed, Parser, Policy, Source, Verdict};

use crate::args::{Document, Settings};
use crate::error::{Error, Status};
use crate::input::{self, Inputs, Place};
use crate::open::{self, Sink};
use crate::output;
use crate::progress::Progress;
use crate::workspace::Repository;

/// Runs the command. Every document is written before the exit status is known to anybody.
pub(crate) fn run(settings: &Settings) -> Result<Status, Error> {
    let mut inputs = input::resolve(&settings.names);
    let (parsed, ranges) = read(&mut inputs);
    let policy = Policy { silence: settings.silence, ..Policy::default() };
    let repository = if parsed.findings.is_empty() { Repository::default() } else { Repository::find() };
    let triage = leakgate_core::triage(&parsed, &policy, &repository);
    let sources = sources(&inputs, &ranges);
    let mut verdict = leakgate_core::judge(&parsed, &triage, &sources, &policy);
    if !inputs.errors.is_empty() {
        verdict.outcome = Outcome::Error;
    }
    for error in &inputs.errors {
        let _ = writeln!(anstream::stderr(), "error: {error}");
    }
    let run = Run { parsed: &parsed, triage: &triage, verdict: &verdict, workspace: &repository, sources: &repository };
    for document in &settings.documents {
        write(&run, document)?;
    }
    Ok(status(&verdict))
}

fn status(verdict: &Verdict) -> Status {
    match verdict.outcome {
        Outcome::Pass => Status::Pass,
        Outcome::Fail => Status::Fail,
        Outcome::Error => Status::Error,
    }
}

fn write(run: &Run<'_>, document: &Document) -> Result<(), Error> {
    let style = Style { colour: document.file.is_none() && output::colours() };
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = emit::write(run, document.format, &style, &mut text);
    match &document.file {
        Some(path) => output::file(path, &text),
        None => output::stdout(&text),
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
fn read(inputs: &mut Inputs) -> (Parsed, Vec<std::ops::Range<usize>>) {
    let progress = Progress::new(total(inputs));
    let mut feed = Feed { parser: Parser::new(Options::default()), streams: 0, progress };
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
        inputs: named.places.iter().flat_map(|at| ranges[*at].clone()).collect(),
    };
    inputs.named.iter().map(source).collect()
}
