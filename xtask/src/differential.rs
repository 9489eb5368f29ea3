//! `cargo xtask differential [LOG...]`: records which findings the real tools hide for which
//! suppression file.
//!
//! `snapshots/differential/matrix.toml` lists the programs, and the suppression files to try on
//! each. This command runs every pair and records which findings disappeared. It has its own
//! parser, because its results are the reference for leakgate's.

mod compare;
mod cut;
mod edit;
mod matrix;
mod records;
mod referee;
mod truth;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::snapshots::make::{Workshop, copy};
use crate::snapshots::matrix::Matrix as Cases;
use crate::snapshots::tools::Tools;
use crate::snapshots::{finish, private, repository};
use compare::Effect;
use matrix::{Log, Matrix};
use records::Report;
use truth::{Figures, Truth};

/// The folder where programs run. Logs contain this path, so it reveals nothing about a machine.
const PLACE: &str = "/tmp/leakgate-differential";

/// Runs `cargo xtask differential` for the logs named in the arguments, or for all of them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let snapshots = repository()?.join("snapshots");
    let cases = Cases::read(&snapshots.join("matrix.toml"))?;
    let mut bench = Bench::open(&snapshots, Tools::detect(&cases.tools))?;
    let names: BTreeSet<&str> = bench
        .matrix
        .logs
        .iter()
        .map(|log| log.name.as_str())
        .collect();
    if let Some(unknown) = arguments.iter().find(|name| !names.contains(name.as_str())) {
        return Err(format!("differential: unknown log {unknown}").into());
    }
    let missing = bench.record_all(|log| arguments.is_empty() || arguments.contains(&log.name))?;
    private::check(&snapshots)?;
    finish(&missing, &bench.tools)
}

/// Everything needed to create the logs.
struct Bench<'a> {
    home: PathBuf,
    matrix: Matrix,
    tools: Tools<'a>,
    workshop: Workshop,
}

impl<'a> Bench<'a> {
    fn open(snapshots: &Path, tools: Tools<'a>) -> Outcome<Bench<'a>> {
        let home = snapshots.join("differential");
        let matrix = Matrix::read(&home.join("matrix.toml"))?;
        let mut workshop = Workshop::open(&home.join("programs"), PLACE)?;
        workshop.build(&matrix.library)?;
        Ok(Bench {
            home,
            matrix,
            tools,
            workshop,
        })
    }

    /// Creates the wanted logs and returns the names of missing tools.
    ///
    /// A failing log doesn't stop the others.
    fn record_all(&mut self, wanted: impl Fn(&Log) -> bool) -> Outcome<BTreeSet<String>> {
        let Bench {
            home,
            matrix,
            tools,
            workshop,
        } = self;
        let mut missing = BTreeSet::new();
        let mut failures = Vec::new();
        let mut total = Figures::default();
        for log in matrix.logs.iter().filter(|log| wanted(log)) {
            let absent = tools.absent(&matrix.case(log)?);
            if !absent.is_empty() {
                println!("{} skipped: {} not found", log.name, absent.join(", "));
                missing.extend(absent.into_iter().map(str::to_owned));
                continue;
            }
            match record(home, matrix, log, tools, workshop) {
                Ok(figures) => {
                    println!("{}: {figures}", log.name);
                    total += figures;
                }
                Err(error) => failures.push(format!("{}: {error}", log.name)),
            }
        }
        println!("all: {total}");
        match failures.is_empty() {
            true => Ok(missing),
            false => Err(failures.join("\nxtask: ").into()),
        }
    }
}

/// Creates one log, the suppression files extracted from it (if any), and its truth file.
fn record(
    home: &Path,
    matrix: &Matrix,
    log: &Log,
    tools: &Tools,
    workshop: &mut Workshop,
) -> Outcome<Figures> {
    let case = matrix.case(log)?;
    workshop.build(&case.build)?;
    let (bytes, _) = workshop.run(&case.run)?;
    let bytes = if log.is_xml() {
        fs::read(workshop.place.join(matrix::XML))?
    } else {
        bytes
    };
    write_log(&home.join(log.file()), &bytes)?;
    let plain = Report::read(log, &bytes)?;
    let supp = home.join("supp");
    if let Some(group) = &log.cut {
        cut::write(&supp, group, &String::from_utf8_lossy(&bytes))?;
    }
    copy(&supp, &workshop.place.join("supp"))?;
    let mut truth = Truth::new(log, &case, tools.version(&case)?, &plain);
    let mut failures = Vec::new();
    for file in matrix::suppression_files(&supp, &log.supp)? {
        match try_file(workshop, log, &plain, &file) {
            Ok(effect) => truth.add(file, effect),
            Err(error) => failures.push(format!("{file}: {error}")),
        }
    }
    if !failures.is_empty() {
        return Err(failures.join("\n    ").into());
    }
    write(
        &home.join(format!("truth/{}.toml", log.name)),
        truth.to_string().as_bytes(),
    )?;
    Ok(truth.figures())
}

/// Runs a log's command with a suppression file and returns the effect of the file.
fn try_file(workshop: &Workshop, log: &Log, plain: &Report, file: &str) -> Outcome<Effect> {
    let xml = workshop.place.join(matrix::XML);
    if xml.exists() {
        fs::remove_file(&xml)?;
    }
    let (printed, _) = workshop.run(&log.with(file))?;
    if let Some(refusal) = compare::refusal(&String::from_utf8_lossy(&printed)) {
        return Ok(refusal);
    }
    let bytes = if log.is_xml() {
        fs::read(xml)?
    } else {
        printed
    };
    let supp = fs::read(workshop.place.join("supp").join(file))?;
    compare::effect(
        log,
        plain,
        &Report::read(log, &bytes)?,
        file,
        &String::from_utf8_lossy(&supp),
    )
}

/// Writes a log, unless only times and the use counts of valgrind's own suppressions changed.
fn write_log(path: &Path, bytes: &[u8]) -> Outcome {
    let varies = |line: &str| {
        let line = line.trim();
        ["<time>", "<unique>", "<count>"]
            .iter()
            .any(|field| line.starts_with(field))
            || line.contains("(suppressed: ")
    };
    let steady = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines()
            .filter(|line| !varies(line))
            .map(str::to_owned)
            .collect()
    };
    match fs::read(path) {
        Ok(old) if steady(&old) == steady(bytes) => Ok(()),
        _ => write(path, bytes),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::create_dir_all(path.parent().ok_or("the path has no parent folder")?)?;
    Ok(fs::write(path, bytes)?)
}
