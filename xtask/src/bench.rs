//! `cargo xtask bench [--small]`: the figures that ARCHITECTURE.md promises, measured in one run on
//! one machine.
//!
//! Against other programs only ratios count, taken in turns, so that a slow machine or a noisy
//! neighbour hits both alike.

pub(crate) mod dense;
mod logs;
mod measure;
pub(crate) mod noise;
mod rules;
mod run;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use quick_xml::events::Event;
use xshell::cmd;

use crate::Outcome;
use crate::setup::{self, Need};
use table::Row;

/// What the benchmarks need beside cargo.
pub(crate) const NEEDS: &[Need] = &[Need::Program("rg", "ripgrep")];

/// Leaks in a dense report.
pub(crate) const LEAKS: usize = 5_000;

const MIB: u64 = 1 << 20;

/// What is measured, and where.
struct Bench {
    /// `target/bench/`
    folder: PathBuf,
    snapshots: PathBuf,
    /// The binary as it is released.
    binary: PathBuf,
    /// Bytes of each large log.
    size: u64,
    /// How often each large log is read.
    rounds: usize,
}

/// Runs the chore with what stood after its name on the command line.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let small = match arguments {
        [] => false,
        [option] if option == "--small" => true,
        _ => return Err("usage: cargo xtask bench [--small]".into()),
    };
    let sh = setup::shell_with(NEEDS)?;
    if cfg!(debug_assertions) {
        // The core is measured in this process too, so it must be built as it is released.
        return Ok(cmd!(
            sh,
            "cargo run --release --quiet --package xtask -- bench {arguments...}"
        )
        .run()?);
    }
    let home = sh.current_dir();
    cmd!(sh, "cargo build --release --quiet --package leakgate").run()?;
    let bench = Bench {
        folder: home.join("target/bench"),
        snapshots: home.join("snapshots"),
        binary: home.join("target/release/leakgate"),
        size: if small { 64 * MIB } else { 1024 * MIB },
        rounds: if small { 3 } else { 7 },
    };
    fs::create_dir_all(&bench.folder)?;
    let mut rows = bench.large_logs()?;
    rows.extend(bench.dense_reports()?);
    rows.extend(bench.binary()?);
    rows.extend(run::rows(&bench.binary, &bench.folder, bench.rounds)?);
    table::print(&rows);
    Ok(())
}

impl Bench {
    /// A large log with few reports in it, against the fastest search for the same markers.
    fn large_logs(&self) -> Outcome<Vec<Row>> {
        let markers = self.folder.join("markers.txt");
        fs::write(&markers, leakgate_core::parse::markers().join("\n"))?;
        let mut rows = Vec::new();
        for kind in noise::KINDS {
            let log = logs::large(self, kind)?;
            let ours = || self.check(&log);
            let theirs = || rg(&markers, &log);
            let pair = measure::in_turns(ours, theirs, self.rounds)?;
            let peak = measure::peak_memory(&mut self.check(&log))?;
            let gbs = self.size as f64 / pair.ours.as_secs_f64() / 1e9;
            let what = format!("{} MiB of {}, 200 reports", self.size / MIB, kind.name);
            rows.push(Row::at_most(&what, 1.5, pair.ratio, "x rg").with(format!(
                "{:.0} ms, rg {:.0} ms, {gbs:.1} GB/s",
                pair.ours.as_secs_f64() * 1e3,
                pair.theirs.as_secs_f64() * 1e3
            )));
            rows.push(Row::at_most(
                "    peak memory",
                32.0,
                peak as f64 / MIB as f64,
                "MiB",
            ));
        }
        Ok(rows)
    }

    fn check(&self, log: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(["check", "--format", "json"]).arg(log);
        command
    }

    /// Reports without noise, read in this process.
    fn dense_reports(&self) -> Outcome<Vec<Row>> {
        let lsan = dense::lsan(LEAKS);
        let memcheck = dense::memcheck(LEAKS);
        let xml = dense::xml(LEAKS);
        let mut rows = Vec::new();
        for (name, text, aim) in [
            ("LSan", &lsan, 200.0),
            ("memcheck", &memcheck, 200.0),
            ("valgrind XML", &xml, 150.0),
        ] {
            fs::write(
                self.folder
                    .join(format!("dense-{}.log", name.replace(' ', "-"))),
                text,
            )?;
            let speed = measure::megabytes_per_second(text, || drop(parse(text)));
            let what = format!("{name}, {LEAKS} leaks, {:.1} MB", text.len() as f64 / 1e6);
            rows.push(Row::at_least(&what, aim, speed, "MB/s"));
        }
        for (name, text) in [("LSan", &lsan), ("memcheck", &memcheck)] {
            let share = rules::share_of_reading(&parse(text), || drop(parse(text)));
            let what = format!("    {} rules on {LEAKS} leaks of {name}", rules::RULES);
            rows.push(Row::at_most(&what, 1.0, share, "x reading"));
        }
        let bare = measure::ratio(|| drop(parse(&xml)), || events(&xml));
        rows.push(Row::at_most(
            "    against a bare quick-xml event loop",
            2.0,
            bare,
            "x",
        ));
        Ok(rows)
    }

    fn binary(&self) -> Outcome<Vec<Row>> {
        let size = fs::metadata(&self.binary)?.len();
        let log = self.snapshots.join("lsan/indirect-clang19/report.txt");
        let version = || {
            let mut command = Command::new(&self.binary);
            command.arg("--version");
            command
        };
        let mut rows = vec![Row::at_most(
            "binary, stripped",
            8.0,
            size as f64 / 1e6,
            "MB",
        )];
        rows.push(
            match measure::start_time(version, |status| status.success())? {
                Some(time) => {
                    Row::at_most("start (--version)", 10.0, time.as_secs_f64() * 1e3, "ms")
                }
                None => Row::unknown("start (--version)", "the binary does not know --version"),
            },
        );
        // A failing log is a failing exit status, once the binary gates.
        let time = measure::start_time(
            || self.check(&log),
            |status| matches!(status.code(), Some(0 | 1)),
        )?;
        rows.push(match time {
            Some(time) => {
                Row::at_most("check of a small log", 20.0, time.as_secs_f64() * 1e3, "ms")
            }
            None => Row::unknown("check of a small log", "the binary fails"),
        });
        Ok(rows)
    }
}

fn rg(markers: &Path, log: &Path) -> Command {
    let mut command = Command::new("rg");
    command
        .args(["--no-config", "-c", "-F", "-f"])
        .arg(markers)
        .arg(log);
    command
}

/// Parses a text in chunks as large as those of a file.
fn parse(text: &[u8]) -> leakgate_core::Parsed {
    let mut parser = leakgate_core::Parser::new(leakgate_core::Options::default());
    parser.begin("log");
    text.chunks(64 << 10).for_each(|chunk| parser.feed(chunk));
    let parsed = parser.finish();
    assert_eq!(
        parsed.findings.len(),
        LEAKS,
        "every leak is different, so each is a finding"
    );
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems.first());
    std::hint::black_box(parsed)
}

/// What reading XML costs at least.
fn events(text: &[u8]) {
    let mut reader = quick_xml::Reader::from_reader(text);
    let mut count = 0_u64;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => count += event.len() as u64,
            Err(error) => panic!("the generated XML is wrong: {error}"),
        }
    }
    std::hint::black_box(count);
}
