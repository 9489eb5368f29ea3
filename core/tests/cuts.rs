//! A log that fails must not pass when it breaks off: each failing report under `snapshots/`, cut
//! at every byte.
//!
//! One test for each case, so that a run shows every case with a gap and where it is.

#![allow(clippy::expect_used, reason = "this is a test")]

mod common;

use std::process::ExitCode;

use leakgate_core::Outcome;
use libtest_mimic::{Arguments, Failed, Trial};

use common::Case;

/// Up to this size a report is cut at every byte, above it only around the ends of lines.
const EVERY_BYTE: usize = 12 * 1024;

/// Cases whose cut log may pass, and why.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    let trials = common::cases()
        .into_iter()
        .map(|case| Trial::test(case.name.clone(), move || check(&case)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(case: &Case) -> Result<(), Failed> {
    if common::judge(&case.files).verdict.outcome == Outcome::Pass {
        return Ok(());
    }
    let mut passing = Vec::new();
    for (file, (name, bytes)) in case.files.iter().enumerate() {
        for cut in cuts(bytes) {
            if outcome(case, file, cut) == Outcome::Pass {
                passing.push(format!(
                    "{name} cut to {cut} bytes, after {:?}",
                    before(bytes, cut)
                ));
            }
        }
    }
    let exception = EXCEPTIONS.iter().find(|(name, _)| *name == case.name);
    match (passing.as_slice(), exception) {
        ([], None) | ([_, ..], Some(_)) => Ok(()),
        ([], Some((_, why))) => {
            Err(format!("no cut passes any more, so the exception is idle: {why}").into())
        }
        ([first, ..], None) => {
            let last = passing.last().expect("the list is not empty");
            Err(format!("{} cuts pass, from\n  {first}\nto\n  {last}", passing.len()).into())
        }
    }
}

/// The verdict when one file of the case breaks off and the others are whole.
fn outcome(case: &Case, file: usize, cut: usize) -> Outcome {
    let kept = |(at, (name, bytes)): (usize, &(String, Vec<u8>))| {
        (
            name.clone(),
            if at == file {
                &bytes[..cut]
            } else {
                &bytes[..]
            }
            .to_vec(),
        )
    };
    let files: Vec<(String, Vec<u8>)> = case.files.iter().enumerate().map(kept).collect();
    common::judge(&files).verdict.outcome
}

/// Where to cut a report.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    if bytes.len() <= EVERY_BYTE {
        return (0..bytes.len()).collect();
    }
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'\n')
        .map(|(at, _)| at + 1);
    let mut cuts: Vec<usize> = ends
        .flat_map(|end| end.saturating_sub(2)..=end + 2)
        .filter(|cut| *cut < bytes.len())
        .collect();
    cuts.dedup();
    cuts
}

/// The last bytes before a cut, for a person to find the place.
fn before(bytes: &[u8], cut: usize) -> String {
    String::from_utf8_lossy(&bytes[cut.saturating_sub(80)..cut]).into_owned()
}
