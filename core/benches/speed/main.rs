//! Reading speed and the cost of rules, measured by divan.
//!
//! `cargo xtask bench` runs this and compares the medians with their aims, by the names below.

#![allow(missing_docs, clippy::panic, reason = "this is a benchmark")]

mod dense;
#[allow(dead_code, reason = "xtask uses the rest")]
mod noise;
mod rules;

use std::fs;
use std::hint::black_box;
use std::path::Path;

use divan::Bencher;
use divan::counter::BytesCount;
use fastrand::Rng;
use leakgate_core::triage::triage;
use leakgate_core::{Gate, NoWorkspace, Options, Parsed, Parser};
use quick_xml::events::Event;

/// Leaks in a dense report.
const LEAKS: usize = 5_000;

/// Bytes of noise in one log.
const NOISE: usize = 16 << 20;

/// Names of the dense reports.
const DENSE: [&str; 3] = ["lsan", "memcheck", "valgrind-xml"];

fn main() {
    divan::main();
}

/// Reports without noise: thousands of different leaks.
#[divan::bench(args = DENSE)]
fn dense(bencher: Bencher, name: &str) {
    let text = dense_report(name);
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench(|| parse_dense(&text));
}

/// The same XML through an event loop that does nothing else: a lower bound.
#[divan::bench]
fn quick_xml_events(bencher: Bencher) {
    let text = dense::xml(LEAKS);
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench(|| count_events(&text));
}

/// All reports of one dialect under `snapshots/`, one after another.
#[divan::bench(args = dialects())]
fn dialect(bencher: Bencher, name: &str) {
    let reports = reports_of(name);
    let bytes: usize = reports.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for report in &reports {
            black_box(parse(report));
        }
    });
}

/// CI logs without any report.
#[divan::bench(args = noise_names())]
fn noise(bencher: Bencher, name: &str) {
    let kind = noise::KINDS.iter().find(|kind| slug(kind.name) == name);
    let kind = kind.unwrap_or_else(|| panic!("unknown noise {name}"));
    let text = kind.block(&mut Rng::with_seed(0x6c65_616b), NOISE);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| parse(text.as_bytes()));
}

/// Triage of a dense report with a thousand rules.
#[divan::bench(args = ["lsan", "memcheck"])]
fn triage_with_rules(bencher: Bencher, name: &str) {
    let parsed = parse_dense(&dense_report(name));
    let gate = rules::gate();
    rules::assert_used(&parsed, &gate);
    bencher.bench(|| apply(&parsed, &gate));
}

/// Triage of the same report without rules.
#[divan::bench(args = ["lsan", "memcheck"])]
fn triage_without_rules(bencher: Bencher, name: &str) {
    let parsed = parse_dense(&dense_report(name));
    let gate = rules::empty_gate();
    bencher.bench(|| apply(&parsed, &gate));
}

fn apply(parsed: &Parsed, gate: &Gate) {
    black_box(triage(parsed, gate, &NoWorkspace));
}

fn dense_report(name: &str) -> Vec<u8> {
    match name {
        "lsan" => dense::lsan(LEAKS),
        "memcheck" => dense::memcheck(LEAKS),
        "valgrind-xml" => dense::xml(LEAKS),
        _ => panic!("unknown report {name}"),
    }
}

fn noise_names() -> impl Iterator<Item = String> {
    noise::KINDS.iter().map(|kind| slug(kind.name))
}

/// A name without spaces, which would be hard to split in divan's table.
fn slug(name: &str) -> String {
    name.replace(' ', "-")
}

/// Folders of `snapshots/` that hold cases.
fn dialects() -> Vec<String> {
    let mut names: Vec<String> = entries(Path::new("../snapshots"))
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| !reports_of(name).is_empty())
        .collect();
    names.sort();
    names
}

fn reports_of(dialect: &str) -> Vec<Vec<u8>> {
    let cases = entries(&Path::new("../snapshots").join(dialect));
    let reports = cases
        .iter()
        .filter(|case| case.join("case.toml").exists())
        .flat_map(|case| entries(case))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("report")
        });
    reports.filter_map(|path| fs::read(path).ok()).collect()
}

/// Paths in a folder; none if it isn't a folder.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// Parses a text in chunks as large as those of a file.
fn parse(text: &[u8]) -> Parsed {
    let mut parser = Parser::new(Options::default());
    parser.begin("log");
    text.chunks(64 << 10).for_each(|chunk| parser.feed(chunk));
    parser.finish()
}

fn parse_dense(text: &[u8]) -> Parsed {
    let parsed = parse(text);
    assert_eq!(
        parsed.findings.len(),
        LEAKS,
        "all leaks differ, so each is a finding"
    );
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems.first());
    parsed
}

fn count_events(text: &[u8]) -> u64 {
    let mut reader = quick_xml::Reader::from_reader(text);
    let mut count = 0_u64;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return count,
            Ok(event) => count += event.len() as u64,
            Err(error) => panic!("the generated XML is invalid: {error}"),
        }
    }
}
