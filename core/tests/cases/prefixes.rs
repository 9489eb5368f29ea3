//! Prefixes, colours and line ends of CI systems change no finding: each report under `snapshots/` is
//! wrapped in several ways.

use std::fmt::Write as _;

use libtest_mimic::{Failed, Trial};

use crate::common::{self, Case, Judged};

type Wrap = fn(number: usize, line: &str) -> String;

const WRAPS: &[(&str, Wrap)] = &[
    ("github time stamps", |n, line| {
        format!(
            "2026-05-01T12:34:{:02}.{:07}Z {line}\n",
            n / 1000 % 60,
            n % 1000 * 10_000
        )
    }),
    ("ctest numbers", |_, line| format!("12: {line}\n")),
    ("a compose service", |_, line| format!("svc-1  | {line}\n")),
    ("windows line ends", |_, line| format!("{line}\r\n")),
    ("colours", |n, line| {
        format!("\x1b[{}m{line}\x1b[0m\n", 31 + n % 6)
    }),
    ("time stamps before a service", |n, line| {
        format!("2026-05-01T12:34:56.{n:07}Z svc-1  | {line}\n")
    }),
];

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
    let expected = gist(&common::judge(&case.files));
    let mut wrong = String::new();
    for (name, wrap) in WRAPS {
        let wrapped: Vec<(String, String)> = case
            .files
            .iter()
            .map(|(file, bytes)| (file.clone(), wrapped(bytes, *wrap)))
            .collect();
        let got = gist(&common::judge(&wrapped));
        if got != expected {
            let _ = writeln!(wrong, "{name}: {}", difference(&expected, &got));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

fn wrapped(bytes: &[u8], wrap: Wrap) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .enumerate()
        .map(|(number, line)| wrap(number, line))
        .collect()
}

/// Returns everything that must not change: findings, problems and the verdict.
fn gist(judged: &Judged) -> Vec<String> {
    let mut lines = vec![format!("{:?}", judged.verdict.outcome)];
    lines.extend(
        judged
            .verdict
            .reasons
            .iter()
            .map(|r| format!("{} {}", r.code, r.count)),
    );
    lines.extend(
        judged
            .parsed
            .problems
            .iter()
            .map(|p| format!("{} in line {}", p.code, p.line)),
    );
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
