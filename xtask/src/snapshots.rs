//! `cargo xtask snapshots [--list] [FILTER]`: recreates the real outputs under `snapshots/`.
//!
//! `snapshots/matrix.toml` lists the cases. This command builds the programs, runs the checkers and
//! writes their output, byte for byte, with a `case.toml` that describes the run.

pub(crate) mod make;
pub(crate) mod matrix;
pub(crate) mod private;
pub(crate) mod tools;
mod wrap;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use make::Workshop;
use matrix::{Case, Matrix};
use tools::Tools;

/// The folder where programs are built and run. Reports contain this path, so it reveals nothing
/// about a machine.
const PLACE: &str = "/tmp/leakgate-snapshots";

/// Runs `cargo xtask snapshots` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (list, filter) = read(arguments)?;
    let home = repository()?.join("snapshots");
    let matrix = Matrix::read(&home.join("matrix.toml"))?;
    let wanted = |name: &str| filter.is_none_or(|part| name.contains(part));
    if list {
        matrix
            .names()
            .filter(|name| wanted(name))
            .for_each(|name| println!("{name}"));
        return Ok(());
    }
    let cases: Vec<&Case> = matrix
        .cases
        .iter()
        .filter(|case| wanted(&case.name))
        .collect();
    let tools = Tools::detect(&matrix.tools);
    let missing = make_all(&home, &cases, &tools)?;
    for wrapped in matrix
        .wrapped
        .iter()
        .filter(|wrapped| wanted(&wrapped.name))
    {
        wrap::make(&home, wrapped)?;
        println!("{} (wrapped)", wrapped.name);
    }
    private::check(&home)?;
    if filter.is_none() {
        print_strays(&home, &matrix)?;
    }
    finish(&missing, &tools)
}

fn read(arguments: &[String]) -> Outcome<(bool, Option<&str>)> {
    let mut list = false;
    let mut filter = None;
    for argument in arguments {
        match argument.as_str() {
            "--list" => list = true,
            option if option.starts_with('-') => {
                return Err(format!("snapshots: unknown option {option}").into());
            }
            part => filter = Some(part),
        }
    }
    Ok((list, filter))
}

pub(crate) fn repository() -> Outcome<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let parent = own.parent().ok_or("the xtask crate has no parent folder")?;
    Ok(parent.to_path_buf())
}

/// Creates each case whose tools are installed, and returns the names of missing tools.
///
/// A failing case doesn't stop the others.
fn make_all(home: &Path, cases: &[&Case], tools: &Tools) -> Outcome<BTreeSet<String>> {
    let mut workshop = Workshop::open(&home.join("programs"), PLACE)?;
    let mut missing = BTreeSet::new();
    let mut failures = Vec::new();
    for case in cases {
        let absent = tools.absent(case);
        if absent.is_empty() {
            match workshop.make(case, tools, &home.join(&case.name)) {
                Ok(exit) => println!("{} (exit status {exit})", case.name),
                Err(error) => failures.push(error.to_string()),
            }
        } else {
            println!("{} skipped: {} not found", case.name, absent.join(", "));
            missing.extend(absent.into_iter().map(str::to_owned));
        }
    }
    match failures.is_empty() {
        true => Ok(missing),
        false => Err(failures.join("\nxtask: ").into()),
    }
}

/// Prints folders with a `case.toml` that aren't in the matrix: they belong to an older one.
fn print_strays(home: &Path, matrix: &Matrix) -> Outcome {
    let known: BTreeSet<&str> = matrix.names().collect();
    for dialect in fs::read_dir(home)? {
        let dialect = dialect?.path();
        if !dialect.is_dir() || dialect.ends_with("programs") {
            continue;
        }
        for case in fs::read_dir(&dialect)? {
            let case = case?.path();
            let name = case.strip_prefix(home)?.to_string_lossy().into_owned();
            let is_written = fs::read_to_string(case.join("case.toml"))
                .is_ok_and(|about| about.contains("\norigin = "));
            if case.join("case.toml").exists() && !is_written && !known.contains(name.as_str()) {
                println!("{name} is no longer in matrix.toml; delete it");
            }
        }
    }
    Ok(())
}

/// Prints missing tools; in CI they are a failure.
pub(crate) fn finish(missing: &BTreeSet<String>, tools: &Tools) -> Outcome {
    if missing.is_empty() {
        return Ok(());
    }
    let advice: Vec<String> = missing.iter().map(|name| tools.advice(name)).collect();
    let message = format!("skipped because of missing tools: {}", advice.join("; "));
    if std::env::var_os("CI").is_some() {
        return Err(message.into());
    }
    println!("{message}");
    Ok(())
}
