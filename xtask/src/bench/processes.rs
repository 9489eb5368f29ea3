//! The processor time and the memory of whole commands with many findings, files or rules.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use xshell::cmd;

use super::hyperfine::{self, Command};
use super::table::Row;
use super::{Bench, LEAKS, MIB, crowds, dense, rules};
use crate::Outcome;

/// Formats of `check`, with the milliseconds of processor time that it may take for a dense report.
const FORMATS: &[(&str, f64)] = &[
    ("text", 40.0),
    ("json", 50.0),
    ("sarif", 100.0),
    ("html", 100.0),
    ("markdown", 50.0),
    ("junit", 50.0),
];

/// Peak memory that `check` may take, as a multiple of the size of the log.
const MEMORY: f64 = 5.0;

/// Small logs in one folder.
const SMALL_LOGS: usize = 10_000;

/// JSON reports to merge, and the leaks in each.
const DOCUMENTS: (usize, usize) = (100, 1_000);

/// A command and its aim.
struct Case {
    name: String,
    /// Arguments of leakgate. No path contains a blank.
    arguments: String,
    /// Milliseconds of processor time.
    aim: f64,
}

impl Case {
    fn new(name: impl Into<String>, aim: f64, arguments: String) -> Self {
        Self {
            name: name.into(),
            arguments,
            aim,
        }
    }
}

/// Returns a row for each command, with its processor time and its peak memory.
pub(super) fn rows(bench: &Bench<'_>) -> Outcome<Vec<Row>> {
    let files = Files::write(bench)?;
    let mut rows = Vec::new();
    for log in &files.dense {
        rows.extend(dense_rows(bench, log)?);
    }
    rows.extend(measured(bench, "commands", bench.rounds, files.commands())?);
    let slow = bench.rounds.div_ceil(2);
    rows.extend(measured(bench, "many", slow, files.many())?);
    Ok(rows)
}

/// Returns the rows of `check` for one dense report.
fn dense_rows(bench: &Bench<'_>, log: &Path) -> Outcome<Vec<Row>> {
    let name = log.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let cases = FORMATS.iter().map(|(format, aim)| {
        let arguments = format!("check --no-config --format {format} {}", log.display());
        Case::new(
            format!("{name}, {LEAKS} leaks to {format}"),
            *aim,
            arguments,
        )
    });
    let mut rows = measured(bench, name, bench.rounds, cases.collect())?;
    let ratio = bench.peak_memory(log)? as f64 / fs::metadata(log)?.len() as f64;
    rows.push(Row::at_most("    peak memory (json)", MEMORY, ratio, "x the log").exact());
    Ok(rows)
}

/// Measures commands together. The export of hyperfine is named after `name`.
fn measured(bench: &Bench<'_>, name: &str, rounds: usize, cases: Vec<Case>) -> Outcome<Vec<Row>> {
    let command = |case: &Case| Command {
        line: format!("{} {}", bench.binary.display(), case.arguments),
        exit_codes: &[0, 1],
    };
    let commands: Vec<Command> = cases.iter().map(command).collect();
    let name = format!("processes-{name}");
    let times = hyperfine::processor_times(bench, &name, rounds, &commands)?;
    let mut rows = Vec::new();
    for (case, seconds) in cases.iter().zip(times) {
        let words: Vec<&OsStr> = case.arguments.split(' ').map(OsStr::new).collect();
        let peak = bench.peak_of(&words)? as f64 / MIB as f64;
        let row = Row::at_most(&case.name, case.aim, seconds * 1e3, "ms CPU");
        rows.push(row.with_details(format!("peak {peak:.0} MiB")));
    }
    Ok(rows)
}

/// The inputs of the commands, under `target/bench/`.
struct Files {
    /// One report of each kind, with [`LEAKS`] leaks.
    dense: Vec<PathBuf>,
    /// A configuration and two suppression files with a thousand rules.
    rules: Vec<PathBuf>,
    /// The folder of [`SMALL_LOGS`].
    small: PathBuf,
    /// The folder of [`DOCUMENTS`].
    documents: PathBuf,
}

impl Files {
    /// Writes the files. The many small logs are written only once.
    fn write(bench: &Bench<'_>) -> Outcome<Self> {
        let folder = &bench.folder;
        let write = |name: &str, bytes: Vec<u8>| -> Outcome<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, bytes)?;
            Ok(path)
        };
        let dense = vec![
            write("lsan.log", dense::lsan(LEAKS))?,
            write("memcheck.log", dense::memcheck(LEAKS))?,
            write("valgrind-xml.xml", dense::xml(LEAKS))?,
        ];
        let texts = rules::files();
        let rules = vec![
            write("rules.toml", texts.toml.into_bytes())?,
            write("valgrind.supp", texts.valgrind.into_bytes())?,
            write("lsan.supp", texts.lsan.into_bytes())?,
        ];
        Ok(Self {
            dense,
            rules,
            small: crowds::folder(bench, SMALL_LOGS)?,
            documents: documents(bench)?,
        })
    }

    /// Commands that read one or two reports, and those with rules.
    fn commands(&self) -> Vec<Case> {
        let [config, valgrind, lsan] = [0, 1, 2].map(|at| self.rules[at].display());
        let log = self.dense[0].display();
        let gate = format!("--config {config} --suppressions {valgrind} --suppressions {lsan}");
        let [before, after] = ["0.json", "1.json"].map(|name| self.documents.join(name));
        let (_, leaks) = DOCUMENTS;
        vec![
            Case::new(
                format!("check of {LEAKS} leaks with 1000 rules"),
                60.0,
                format!("check {gate} --format text {log}"),
            ),
            Case::new("rules, 1000 of them", 40.0, format!("rules {gate}")),
            Case::new(
                "rules, 1000 of them, with a log",
                60.0,
                format!("rules {gate} {log}"),
            ),
            Case::new(
                format!("baseline of {LEAKS} leaks"),
                50.0,
                format!(
                    "baseline write --no-config --force --baseline {} {log}",
                    self.documents.with_file_name("baseline.json").display()
                ),
            ),
            Case::new(
                format!("diff of {leaks} and {leaks} findings"),
                40.0,
                format!("diff {} {}", before.display(), after.display()),
            ),
        ]
    }

    /// Commands that read many files.
    fn many(&self) -> Vec<Case> {
        let (documents, findings) = DOCUMENTS;
        let names: Vec<String> = (0..documents)
            .map(|n| {
                self.documents
                    .join(format!("{n}.json"))
                    .display()
                    .to_string()
            })
            .collect();
        vec![
            Case::new(
                format!(
                    "check of {SMALL_LOGS} logs with {} leaks each",
                    crowds::LEAKS
                ),
                250.0,
                format!("check --no-config --format text {}", self.small.display()),
            ),
            Case::new(
                format!("merge of {documents} runs with {findings} findings each"),
                1000.0,
                format!("merge --no-config --format text {}", names.join(" ")),
            ),
        ]
    }
}

/// Returns the folder with [`DOCUMENTS`], written by this leakgate: their format may have changed.
fn documents(bench: &Bench<'_>) -> Outcome<PathBuf> {
    let folder = bench.folder.join("documents");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let (documents, leaks) = DOCUMENTS;
    let log = folder.join("run.log");
    for n in 0..documents {
        fs::write(&log, dense::lsan_from(n * leaks / 2, leaks))?;
        let (sh, binary) = (bench.sh, &bench.binary);
        let target = format!("json={}", folder.join(format!("{n}.json")).display());
        cmd!(sh, "{binary} check --no-config --format {target} {log}")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .ignore_status()
            .run()?;
    }
    Ok(folder)
}
