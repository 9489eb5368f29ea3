//! Generated rules: applied to the same log, each allows exactly the findings with its fingerprint.

use leakgate_core::rules::RuleMetadata;
use leakgate_core::rules::read_file;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::{Config, Disposition, Rule};
use libtest_mimic::{Failed, Trial};

use crate::common::{self, Judged};

/// Returns one test for each case and syntax, and the tests of [`special_names`] and
/// [`few_findings_are_inexpressible`].
pub(crate) fn trials() -> Vec<Trial> {
    let test = |name: &str, check: fn() -> Result<(), Failed>| {
        Trial::test(format!("suppress_roundtrip/{name}"), check)
    };
    let mut trials = vec![
        test("special_names", special_names),
        test(
            "few_findings_are_inexpressible",
            few_findings_are_inexpressible,
        ),
    ];
    for case in common::cases() {
        for language in RuleSyntax::ALL {
            trials.push(Trial::test(
                format!("suppress_roundtrip/{}/{}", case.name, language.as_str()),
                move || assert_exact(&common::judge(&case.files), *language),
            ));
        }
    }
    trials
}

/// Names with wildcards, quotes and other special characters are escaped.
fn special_names() -> Result<(), Failed> {
    let judged = common::judge_text(log_with_special_names().as_bytes());
    assert_eq!(judged.parsed.findings.len(), NAMES.len());
    for language in RuleSyntax::ALL {
        assert_exact(&judged, *language)?;
    }
    Ok(())
}

/// Names of functions that need escaping.
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

/// Returns a log with a leak in each function of [`NAMES`].
fn log_with_special_names() -> String {
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

/// Returns the different fingerprints, sorted.
fn fingerprints(judged: &Judged) -> Vec<String> {
    let mut all: Vec<String> = judged
        .triage
        .findings
        .iter()
        .map(|i| i.fingerprint.to_string())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Generates a rule for each fingerprint, parses it and applies it to the same log.
fn assert_exact(judged: &Judged, language: RuleSyntax) -> Result<(), Failed> {
    let wording = RuleOptions {
        metadata: RuleMetadata::new("because\n}\nof \"this\""),
        ..RuleOptions::default()
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
            Err(error)
                if language == RuleSyntax::Toml && !is_lost(judged, &written.fingerprint) =>
            {
                return Err(format!("{}: {error}", written.fingerprint).into());
            }
            Err(_) => continue,
        };
        let rules = parse(language, &text)?;
        let advice: Vec<String> = common::gate()
            .with_rules(rules.clone())
            .advice()
            .into_iter()
            .map(|a| a.message)
            .collect();
        if !advice.is_empty() && language == RuleSyntax::Toml {
            return Err(format!("{text}: {advice:?}").into());
        }
        let after = common::decide(common::gate().with_rules(rules), judged.parsed.clone(), &[]);
        for (item, finding) in after.triage.findings.iter().zip(&after.parsed.findings) {
            let shares = item.fingerprint.as_str() == written.fingerprint;
            let applies = match language {
                RuleSyntax::Toml => true,
                RuleSyntax::Valgrind => finding.tool.is_valgrind(),
                RuleSyntax::Lsan => {
                    finding.tool == leakgate_core::Tool::Lsan && finding.kind.is_leak()
                }
            };
            if (shares && applies) == item.matches.is_empty() {
                return Err(format!("{} in {}: {text}", finding.title, written.fingerprint).into());
            }
            let wrong = shares
                && applies
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

/// Returns true if the findings with this fingerprint lost their stack.
fn is_lost(judged: &Judged, fingerprint: &str) -> bool {
    let findings = &judged.triage.findings;
    let mut same = findings
        .iter()
        .filter(|f| f.fingerprint.as_str() == fingerprint);
    same.all(|f| f.fingerprint.is_lost())
}

fn parse(language: RuleSyntax, text: &str) -> Result<Vec<Rule>, Failed> {
    let rules = match language {
        RuleSyntax::Toml => Config::read("leakgate.toml", text).map(|c| c.rules),
        _ => read_file("file.supp", text).map(|(_, rules)| rules),
    };
    rules.map_err(|m| format!("{}\n{text}", m[0]).into())
}

/// A generator that rejects everything would pass [`assert_exact`], so most findings must be
/// expressible.
fn few_findings_are_inexpressible() -> Result<(), Failed> {
    for (language, tool, least) in [
        (RuleSyntax::Valgrind, "memcheck", 0.8),
        (RuleSyntax::Lsan, "lsan", 0.6),
    ] {
        let mut expressible = 0.0;
        let mut all = 0.0;
        for case in common::cases() {
            let judged = common::judge(&case.files);
            let wording = RuleOptions {
                metadata: RuleMetadata::new("x"),
                ..RuleOptions::default()
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
                    expressible += if written.text.is_ok() { 1.0 } else { 0.0 };
                }
            }
        }
        let share: f64 = expressible / all;
        if share < least {
            return Err(format!(
                "{}: only {expressible} of {all} rules can be expressed",
                language.as_str()
            )
            .into());
        }
    }
    Ok(())
}
