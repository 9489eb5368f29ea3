//! Runs that have ended, as JSON reports or logs.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use leakgate_core::verdict::judge;

use super::{GrowArgs, PointSeries};
use crate::args::{NoLogs, Reading};
use crate::error::Error;
use crate::ingest::{self, Logs};
use crate::settings::display_path;

/// Reads each run, and adds it as a point.
pub(super) fn add_all(series: &mut PointSeries<'_>, args: &GrowArgs) -> Result<(), Error> {
    if args.runs.len() != args.steps.len() {
        return Err(Error::with_help(
            format!(
                "cannot assign {} steps to {} runs",
                args.steps.len(),
                args.runs.len()
            ),
            "pass a report or log for each number in --steps, or a command after --",
        ));
    }
    let reading = Reading {
        no_logs: NoLogs::Error,
        jobs: args.jobs,
    };
    for (run, step) in args.runs.iter().zip(&args.steps) {
        if is_json(Path::new(run)) {
            add_json_report(series, *step, Path::new(run))?;
        } else {
            add_logs(series, *step, run, reading)?;
        }
    }
    Ok(())
}

fn add_json_report(series: &mut PointSeries<'_>, step: u64, path: &Path) -> Result<(), Error> {
    let document = ingest::read_json_report(path)?;
    let name = display_path(path);
    if let Some(cause) = document.incomplete_reason() {
        return Err(Error::Usage(format!(
            "cannot use {name} as a point: {cause}"
        )));
    }
    series.add(step, &name, &document.parsed, |_| document.verdict.clone())
}

fn add_logs(
    series: &mut PointSeries<'_>,
    step: u64,
    run: &OsString,
    reading: Reading,
) -> Result<(), Error> {
    let settings = series.settings;
    let logs = Logs::read(std::slice::from_ref(run), &settings.formats, reading).complete()?;
    let name = display_path(Path::new(run));
    series.add(step, &name, &logs.parsed, |triage| {
        judge(&logs.parsed, triage, &logs.sources, &settings.gate)
    })
}

/// Returns true if a file begins like the JSON files that leakgate writes.
fn is_json(path: &Path) -> bool {
    const LENGTH: u64 = 256;
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LENGTH).read_to_end(&mut start));
    let text = String::from_utf8_lossy(&start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    read.is_ok() && text.starts_with('{') && text.contains("\"schema\"")
}
