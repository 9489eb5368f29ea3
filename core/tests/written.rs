//! Rules that leakgate writes: applied to the same log, each allows exactly the findings that share
//! its fingerprint.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "this is a test")]

mod common;

use std::process::ExitCode;
use std::sync::Arc;

use leakgate_core::{Config, Disposition, Language, Rule, Wording, read_file, suppress};
use libtest_mimic::{Arguments, Failed, Trial};

use common::Judged;

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = Vec::new();
    for case in common::cases().into_iter().map(Arc::new) {
        for language in Language::ALL {
            let case = Arc::clone(&case);
            trials.push(Trial::test(
                format!("{}/{}", case.name, language.as_str()),
                move || is_exact(&common::judge(&case.files), *language),
            ));
        }
    }
    trials.push(Trial::test("names full of wildcards", || {
        let judged = common::judge_text(hostile().as_bytes());
        assert_eq!(judged.parsed.findings.len(), NAMES.len());
        is_exact(&judged, Language::Toml)?;
        is_exact(&judged, Language::Lsan)?;
        is_exact(&judged, Language::Valgrind)
    }));
    trials.push(Trial::test("most findings can be said", most_can_be_said));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Functions whose names are hard to write down.
const NAMES: &[&str] = &[
    "f(char*)",
    "f(charx)",
    "f(char**)",
    "g(int (*)(char const*))",
    "operator*",
    "operator\"\"_x",
    "a\\b",
    "a\\\\b",
    "x?y",
    "xzy",
    "x[0]",
    "x'y\"z",
    "$LT$T$GT$",
    "^h",
    "h$",
    "[[allow]]",
    "{",
    "}",
    "...",
    "runtime...",
    "fun:f",
    "caf\u{e9}",
    "\u{1b}[2J",
    "# no comment",
    "k # comment",
    "\u{202e}",
];

/// A leak in each of these functions.
fn hostile() -> String {
    let mut log = String::from("==7==ERROR: LeakSanitizer: detected memory leaks\n\n");
    let mut bytes = 0;
    for (at, name) in NAMES.iter().enumerate() {
        bytes += at + 1;
        log += &format!(
            "Direct leak of {} byte(s) in 1 object(s) allocated from:\n    #0 0x1 in malloc (/a+0x1)\n",
            at + 1
        );
        log += &format!(
            "    #1 0x2{at:02x} in {name} (/a+0x2{at:02x})\n    #2 0x3 in main (/a+0x3)\n\n"
        );
    }
    log + &format!(
        "SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {} allocation(s).\n",
        NAMES.len()
    )
}

fn fingerprints(judged: &Judged) -> Vec<String> {
    let mut all: Vec<String> = judged
        .triage
        .items
        .iter()
        .map(|i| i.fingerprint.to_string())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What was written for each fingerprint, read back and applied to the same log.
fn is_exact(judged: &Judged, language: Language) -> Result<(), Failed> {
    let wording = Wording {
        reason: "because\n}\nof \"this\"".into(),
        ..Wording::default()
    };
    for written in suppress(
        &judged.parsed,
        &judged.triage,
        &fingerprints(judged),
        language,
        &wording,
    ) {
        let text = match written.text {
            Ok(text) => text,
            Err(why) if language == Language::Toml => {
                return Err(format!("{}: {why}", written.fingerprint).into());
            }
            Err(_) => continue,
        };
        let rules = read(language, &text)?;
        let told: Vec<String> = common::gate()
            .with_rules(rules.clone())
            .advice()
            .into_iter()
            .map(|a| a.message)
            .collect();
        if !told.is_empty() && language == Language::Toml {
            return Err(format!("{text}: {told:?}").into());
        }
        let after = common::decide(common::gate().with_rules(rules), judged.parsed.clone(), &[]);
        for (item, finding) in after.triage.items.iter().zip(&after.parsed.findings) {
            let shares = item.fingerprint.as_str() == written.fingerprint;
            let said = match language {
                Language::Toml => true,
                Language::Valgrind => finding.tool.is_valgrind(),
                Language::Lsan => {
                    finding.tool == leakgate_core::Tool::Lsan && finding.kind.is_leak()
                }
            };
            if (shares && said) == item.matches.is_empty() {
                return Err(format!("{} in {}: {text}", finding.title, written.fingerprint).into());
            }
            let wrong = shares
                && said
                && !matches!(
                    item.disposition,
                    Disposition::Allowed | Disposition::NotGated
                );
            if wrong {
                return Err(format!("{}: not allowed: {text}", finding.title).into());
            }
        }
    }
    Ok(())
}

fn read(language: Language, text: &str) -> Result<Vec<Rule>, Failed> {
    let rules = match language {
        Language::Toml => Config::read("leakgate.toml", text).map(|c| c.rules),
        _ => read_file("file.supp", text).map(|(_, rules)| rules),
    };
    rules.map_err(|m| format!("{}\n{text}", m[0]).into())
}

/// A writer that refuses everything would be exact, too.
fn most_can_be_said() -> Result<(), Failed> {
    for (language, tool, least) in [
        (Language::Valgrind, "memcheck", 0.8),
        (Language::Lsan, "lsan", 0.6),
    ] {
        let (mut said, mut all) = (0.0, 0.0);
        for case in common::cases() {
            let judged = common::judge(&case.files);
            let wording = Wording {
                reason: "x".into(),
                ..Wording::default()
            };
            for written in suppress(
                &judged.parsed,
                &judged.triage,
                &fingerprints(&judged),
                language,
                &wording,
            ) {
                let findings = written
                    .findings
                    .iter()
                    .map(|at| &judged.parsed.findings[*at]);
                if findings
                    .clone()
                    .any(|f| f.tool.as_str() == tool && f.kind.as_str() != "fatal-signal")
                {
                    all += 1.0;
                    said += if written.text.is_ok() { 1.0 } else { 0.0 };
                }
            }
        }
        let share: f64 = said / all;
        if share < least {
            return Err(format!("{}: {said} of {all} can be said", language.as_str()).into());
        }
    }
    Ok(())
}
