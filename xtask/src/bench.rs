//! `cargo xtask bench [--small]`: runs the benchmarks and compares them with the project's aims.
//!
//! divan measures the core (`core/benches/speed/`), hyperfine measures whole commands (their time,
//! and the processor time of commands with many findings), and GNU time their memory. Against other
//! programs only ratios count. Their results stay under `target/bench/`: `speed.txt`, and one JSON
//! file for each call of hyperfine.

mod crowds;
mod hyperfine;
mod logs;
mod processes;
mod run;
mod speed;
mod table;

/// Dense reports, as the benchmarks of the core use them.
#[path = "../../core/benches/speed/dense.rs"]
pub(crate) mod dense;
/// Noise, as the benchmarks of the core use it.
#[path = "../../core/benches/speed/noise.rs"]
pub(crate) mod noise;
/// A thousand rules, as the benchmarks of the core use them.
#[allow(
    dead_code,
    clippy::panic,
    reason = "the benchmarks of the core use the rest"
)]
#[path = "../../core/benches/speed/rules.rs"]
pub(crate) mod rules;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};
use hyperfine::Command;
use table::Row;

/// Requirements of the benchmarks besides cargo.
pub(crate) const NEEDS: &[Need] = &[
    Need::Program("rg", "ripgrep"),
    Need::Program("hyperfine", "hyperfine"),
    Need::Program("time", "time"),
];

/// Leaks in a dense report.
pub(crate) const LEAKS: usize = 5_000;

const MIB: u64 = 1 << 20;

/// Settings of one run.
struct Bench<'a> {
    sh: &'a Shell,
    /// `target/bench/`
    folder: PathBuf,
    snapshots: PathBuf,
    /// The binary built with the release profile.
    binary: PathBuf,
    /// Bytes of each large log.
    size: u64,
    /// How often each large log is read.
    rounds: usize,
}

/// Runs `cargo xtask bench` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let is_small = match arguments {
        [] => false,
        [option] if option == "--small" => true,
        _ => return Err("usage: cargo xtask bench [--small]".into()),
    };
    let sh = setup::shell_with(NEEDS)?;
    let home = sh.current_dir();
    cmd!(sh, "cargo build --release --quiet --package leakgate").run()?;
    let bench = Bench {
        sh: &sh,
        folder: sh.create_dir("target/bench")?,
        snapshots: home.join("snapshots"),
        binary: home.join("target/release/leakgate"),
        size: if is_small { 64 * MIB } else { 1024 * MIB },
        rounds: if is_small { 3 } else { 7 },
    };
    let mut rows = speed::rows(&sh, &bench.folder, is_small)?;
    rows.extend(bench.large_logs()?);
    rows.extend(bench.small_commands()?);
    rows.extend(processes::rows(&bench)?);
    rows.extend(crowds::rows(&bench, is_small)?);
    rows.extend(run::rows(&bench)?);
    table::print(&rows);
    // A quick look on a busy machine proves nothing about speed.
    let missed = rows.iter().filter(|row| row.is_missed(is_small)).count();
    match missed {
        0 => Ok(()),
        _ => Err(format!("{missed} of {} aims missed", rows.len()).into()),
    }
}

impl Bench<'_> {
    /// Large logs with few reports, compared with ripgrep searching for the same markers.
    fn large_logs(&self) -> Outcome<Vec<Row>> {
        let markers = self.folder.join("markers.txt");
        fs::write(&markers, leakgate_core::parse::markers().join("\n"))?;
        let mut rows = Vec::new();
        for kind in noise::KINDS {
            let log = logs::large(self, kind)?;
            let commands = [self.check(&log), search(&markers, &log), literal(&log)];
            let medians = hyperfine::medians(self, kind.name, self.rounds, commands)?;
            let [ours, rg, one] = medians;
            let speed = self.size as f64 / ours / 1e9;
            let name = format!("{} MiB of {}, 200 reports", self.size / MIB, kind.name);
            let details = format!(
                "{:.0} ms, rg {:.0} ms, {speed:.1} GB/s",
                ours * 1e3,
                rg * 1e3
            );
            rows.push(Row::at_most(&name, 0.6, ours / rg, "x rg").with_details(details));
            let details = format!("rg {:.0} ms", one * 1e3);
            let row = Row::at_most("    against one literal", 2.5, ours / one, "x rg");
            rows.push(row.with_details(details));
            let peak = self.peak_memory(&log)? as f64 / MIB as f64;
            rows.push(Row::at_most("    peak memory", 32.0, peak, "MiB").exact());
        }
        Ok(rows)
    }

    /// `leakgate check LOG`, which exits with 1 if the log fails.
    fn check(&self, log: &Path) -> Command {
        let binary = self.binary.display();
        Command {
            line: format!(
                "'{binary}' check --no-config --format json '{}'",
                log.display()
            ),
            exit_codes: &[0, 1],
        }
    }

    /// Returns the largest resident set of `leakgate check LOG` in bytes.
    fn peak_memory(&self, log: &Path) -> Outcome<u64> {
        self.peak_of(&[
            "check".as_ref(),
            "--no-config".as_ref(),
            "--format".as_ref(),
            "json".as_ref(),
            log.as_os_str(),
        ])
    }

    /// Returns the largest resident set of a command of leakgate in bytes.
    fn peak_of(&self, arguments: &[&OsStr]) -> Outcome<u64> {
        let sh = self.sh;
        let binary = &self.binary;
        let report = self.folder.join("memory");
        cmd!(
            sh,
            "time --quiet --format %M --output {report} {binary} {arguments...}"
        )
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .ignore_status()
        .run()?;
        let kib: u64 = fs::read_to_string(&report)?.trim().parse()?;
        Ok(kib << 10)
    }

    /// The size of the binary, and commands that end at once.
    fn small_commands(&self) -> Outcome<Vec<Row>> {
        let size = fs::metadata(&self.binary)?.len() as f64 / 1e6;
        let version = Command {
            line: format!("'{}' --version", self.binary.display()),
            exit_codes: &[0],
        };
        let small = self.check(&self.snapshots.join("lsan/indirect-clang19/report.txt"));
        let [version, small] = hyperfine::medians(self, "start", 51, [version, small])?;
        Ok(vec![
            Row::at_most("binary, stripped", 8.0, size, "MB").exact(),
            Row::at_most("start (--version)", 10.0, version * 1e3, "ms"),
            Row::at_most("check of a small log", 20.0, small * 1e3, "ms"),
        ])
    }
}

/// ripgrep, which counts the lines with one rare text: the least that a search can cost.
fn literal(log: &Path) -> Command {
    Command {
        line: format!("rg --no-config -c -F 'No such line' '{}'", log.display()),
        exit_codes: &[0, 1],
    }
}

/// ripgrep, which counts the lines that contain a marker; it exits with 1 if there are none.
fn search(markers: &Path, log: &Path) -> Command {
    let markers = markers.display();
    let log = log.display();
    Command {
        line: format!("rg --no-config -c -F -f '{markers}' '{log}'"),
        exit_codes: &[0, 1],
    }
}
