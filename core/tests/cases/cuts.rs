//! Truncated logs must fail: each failing report under `snapshots/` is cut at every byte.
//!
//! Each case is a test, so that one run shows every case with a gap, and its position.

use leakgate_core::Outcome;
use libtest_mimic::{Failed, Trial};

use crate::common::{self, Case};

/// Reports up to this size are cut at every byte, larger ones only around the ends of lines.
const EVERY_BYTE: usize = 12 * 1024;

/// Cases whose truncated log may pass, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Returns one test for each case.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let trial =
        |case: &'static Case| Trial::test(format!("cuts/{}", case.name), move || check(case));
    common::cases().iter().map(trial)
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
            Err(format!("the exception is unused, because no cut passes: {why}").into())
        }
        ([first, ..], None) => {
            let last = passing.last().expect("the list is not empty");
            Err(format!("{} cuts pass, from\n  {first}\nto\n  {last}", passing.len()).into())
        }
    }
}

/// Judges the case with one file truncated and the others complete.
fn outcome(case: &Case, truncated: usize, length: usize) -> Outcome {
    let mut files: Vec<(String, &[u8])> = Vec::new();
    for (index, (name, bytes)) in case.files.iter().enumerate() {
        let end = if index == truncated {
            length
        } else {
            bytes.len()
        };
        files.push((name.clone(), &bytes[..end]));
    }
    common::judge(&files).verdict.outcome
}

/// Returns the lengths to cut a report to.
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

/// Returns the text before a cut, to find the position in the report.
fn before(bytes: &[u8], cut: usize) -> String {
    String::from_utf8_lossy(&bytes[cut.saturating_sub(80)..cut]).into_owned()
}
