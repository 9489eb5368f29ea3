//! What CI systems, log collectors and tools for text do to a log changes no finding: each report
//! under `snapshots/` is wrapped in all [transports](transport::ALL).

use std::fmt::Write as _;

use libtest_mimic::{Failed, Trial};

use super::mutants::transport::{self, Transport};
use crate::common::{self, Case, Judged};

/// Cases that cannot be wrapped line by line, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("ci/utf16-memcheck", "its characters have two bytes"),
    ("ci/invalid-utf8-memcheck", "wrapping needs valid UTF-8"),
];

/// Returns one test for each case.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let trial =
        |case: &'static Case| Trial::test(format!("prefixes/{}", case.name), move || check(case));
    let is_exception = |case: &Case| EXCEPTIONS.iter().any(|(name, _)| *name == case.name);
    common::cases()
        .iter()
        .filter(move |case| !is_exception(case))
        .map(trial)
}

fn check(case: &Case) -> Result<(), Failed> {
    let judged = common::judge(&case.files);
    let mut wrong = String::new();
    for transport in transport::ALL {
        if !transport.carries(&case.files) {
            continue;
        }
        let wrapped: Vec<(String, Vec<u8>)> = case
            .files
            .iter()
            .map(|(file, bytes)| (file.clone(), transport.wrap(bytes)))
            .collect();
        let got = gist(&common::judge(&wrapped), transport);
        let expected = gist(&judged, transport);
        if got != expected {
            let _ = writeln!(wrong, "{}: {}", transport.name, difference(&expected, &got));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Returns everything that must not change: findings, problems and the verdict.
fn gist(judged: &Judged, transport: &Transport) -> Vec<String> {
    let mut lines = vec![format!("{:?}", judged.verdict.outcome)];
    lines.extend(
        judged
            .verdict
            .reasons
            .iter()
            .map(|r| format!("{} {}", r.code, r.count)),
    );
    lines.extend(judged.parsed.problems.iter().map(|p| {
        if transport.keeps_lines {
            format!("{} in line {}", p.code, p.line)
        } else {
            p.code.to_string()
        }
    }));
    for (finding, item) in judged.parsed.findings.iter().zip(&judged.triage.findings) {
        lines.push(format!(
            "{} {} {:?} x{} {}",
            finding.tool, finding.kind, finding.leak, finding.occurrences, item.fingerprint
        ));
        lines.push(format!("{} | {:?}", finding.title, finding.notes));
        for stack in &finding.stacks {
            lines.push(format!("  {:?} {:?}", stack.role, stack.label));
            let site = |f: &leakgate_core::model::Frame| {
                format!(
                    "    {:?} {:?} {:?}",
                    f.info.name(),
                    f.info.file,
                    f.info.line
                )
            };
            lines.extend(stack.frames.iter().map(site));
        }
    }
    lines
}

/// Returns the first line that differs.
fn difference(expected: &[String], got: &[String]) -> String {
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let line = |lines: &[String]| {
        lines
            .get(at)
            .map_or("no more lines".to_owned(), |l| format!("{l:?}"))
    };
    format!("{} instead of {}", line(got), line(expected))
}
