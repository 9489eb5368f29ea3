//! What a CI system puts before each line changes nothing: each report under `snapshots/`, wrapped
//! in several ways.

#![allow(clippy::expect_used, reason = "this is a test")]

mod common;

use std::fmt::Write as _;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use common::{Case, Judged};

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

/// Cases that can't be wrapped line by line, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "ci/utf16-memcheck",
        "its lines are not made of single bytes",
    ),
    (
        "ci/invalid-utf8-memcheck",
        "the wrapping here is made of text",
    ),
];

fn main() -> ExitCode {
    let cases = common::cases()
        .into_iter()
        .filter(|case| !EXCEPTIONS.iter().any(|(name, _)| *name == case.name));
    let trials = cases
        .map(|case| Trial::test(case.name.clone(), move || check(&case)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(case: &Case) -> Result<(), Failed> {
    let plain = gist(&common::judge(&case.files));
    let mut wrong = String::new();
    for (name, wrap) in WRAPS {
        let wrapped: Vec<(String, String)> = case
            .files
            .iter()
            .map(|(file, bytes)| (file.clone(), wrapped(bytes, *wrap)))
            .collect();
        let got = gist(&common::judge(&wrapped));
        if got != plain {
            let _ = writeln!(wrong, "{name}: {}", difference(&plain, &got));
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

/// What must not change: what was found, where, and the verdict.
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
    for (finding, item) in judged.parsed.findings.iter().zip(&judged.triage.items) {
        lines.push(format!(
            "{} {} {:?} x{} {}",
            finding.tool, finding.kind, finding.leak, finding.occurrences, item.fingerprint
        ));
        lines.push(format!("{} | {:?}", finding.title, finding.notes));
        for stack in &finding.stacks {
            lines.push(format!("  {:?} {:?}", stack.role, stack.label));
            let site = |f: &leakgate_core::Frame| {
                format!(
                    "    {:?} {:?} {:?}",
                    f.site.name(),
                    f.site.file,
                    f.site.line
                )
            };
            lines.extend(stack.frames.iter().map(site));
        }
    }
    lines
}

fn difference(plain: &[String], got: &[String]) -> String {
    let at = plain.iter().zip(got).take_while(|(a, b)| a == b).count();
    let line = |of: &[String]| {
        of.get(at)
            .map_or("nothing more".to_owned(), |l| format!("{l:?}"))
    };
    format!("{} instead of {}", line(got), line(plain))
}
