//! The memory of `check` for many logs, and for many equal reports in one log. It may grow with the
//! number of different findings only.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::table::Row;
use super::{Bench, MIB, dense};
use crate::Outcome;

/// Logs in one folder, and equal reports in one log.
const MANY: (usize, usize) = (100_000, 1_000_000);

/// The same for `--small`.
const FEWER: (usize, usize) = (20_000, 200_000);

/// Leaks in each log.
pub(super) const LEAKS: usize = 3;

/// Returns the peak memory for each kind of crowd.
pub(super) fn rows(bench: &Bench<'_>, is_small: bool) -> Outcome<Vec<Row>> {
    let (logs, reports) = if is_small { FEWER } else { MANY };
    let folder = folder(bench, logs)?;
    let log = log(bench, reports)?;
    let peak = |path| -> Outcome<f64> { Ok(bench.peak_memory(path)? as f64 / MIB as f64) };
    let row = |name: String, aim, measured| Row::at_most(&name, aim, measured, "MiB").exact();
    Ok(vec![
        row(format!("memory for {logs} logs"), 200.0, peak(&folder)?),
        row(
            format!("memory for {reports} equal reports"),
            200.0,
            peak(&log)?,
        ),
    ])
}

/// Returns the folder with this number of logs, each of another process; writes them if they don't
/// exist.
pub(super) fn folder(bench: &Bench<'_>, logs: usize) -> Outcome<PathBuf> {
    let path = bench.folder.join(format!("crowd-{logs}"));
    if path.exists() {
        return Ok(path);
    }
    // An interrupted run must not leave a folder that looks complete.
    let unfinished = bench.folder.join("crowd.part");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished)?;
    for n in 0..logs {
        let text = report(n % 500 * LEAKS, LEAKS, n)?;
        fs::write(unfinished.join(format!("{n}.log")), text)?;
    }
    fs::rename(unfinished, &path)?;
    Ok(path)
}

/// Returns the log with this number of reports of the same leak, each of another process; writes it
/// if it doesn't exist.
fn log(bench: &Bench<'_>, reports: usize) -> Outcome<PathBuf> {
    let path = bench.folder.join(format!("equal-{reports}.log"));
    if path.exists() {
        return Ok(path);
    }
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&unfinished)?);
    let text = report(0, 1, 0)?;
    for n in 0..reports {
        let renamed = text.replace("==10000==", &format!("=={}==", 10_000 + n));
        out.write_all(renamed.as_bytes())?;
    }
    out.flush()?;
    fs::rename(unfinished, &path)?;
    Ok(path)
}

/// Returns a report of LeakSanitizer.
fn report(first: usize, leaks: usize, number: usize) -> Outcome<String> {
    let text = String::from_utf8(dense::lsan_from(first, leaks))?;
    Ok(text.replace("==77==", &format!("=={}==", 10_000 + number)))
}
