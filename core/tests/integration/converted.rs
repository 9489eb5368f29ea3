//! Checks on every real report that a converted rule never matches more than its original. The
//! rules are those of the differential tests, of the packs, and the ones below.

use std::collections::BTreeSet;
use std::fs;

use leakgate_core::rules::{Source as RuleSource, packs, read_file};
use leakgate_core::suppress::{RuleSyntax, convert};
use leakgate_core::{Config, Rule};

use crate::common;

/// Suppressions that no file of the differential tests contains.
const MORE: &[(&str, &str)] = &[
    (
        "more.supp",
        "{\n a\n Memcheck:Leak\n ...\n fun:make\n}\n{\n b\n Memcheck:Leak\n ...\n fun:ma*\n}\n{\n c\n Memcheck:Leak\n fun:*a*\n}\n\
         {\n d\n Memcheck:Leak\n ...\n fun:_*\n}\n{\n e\n Memcheck:Leak\n ...\n fun:m?in\n}\n{\n f\n Memcheck:Leak\n ...\n obj:*lib*\n}\n",
    ),
    (
        "more.lsan",
        "leak:malloc\nleak:^malloc$\nleak:^m\nleak:a*c\nleak:n$\nleak:^main$\nleak:ma*n$\nleak:*\nleak:^*a\nleak:*libc*\nleak:calloc\n\
         leak:^operator new\nleak:main*$\nleak:::\nleak:(\nleak:^known_leak$\nleak:_leak\n",
    ),
];

/// Stacks with `sym:`, `fun:` and paths, with and without a leading `...`.
const STACKS: &[&str] = &[
    "\"fun:malloc\"",
    "\"...\", \"fun:main\"",
    "\"...\", \"fun:m*\"",
    "\"...\", \"sym:main\"",
    "\"...\", \"sym:ma?n\"",
    "\"...\", \"fun:*test*\"",
    "\"...\", \"fun:*a*\"",
    "\"...\", \"fun:_*\"",
    "\"...\", \"obj:lib*\"",
    "\"...\", \"obj:/usr/*\"",
    "\"...\", \"src:leak.c\"",
    "\"fun:malloc\", \"fun:*\"",
    "\"...\", \"fun:known_leak\"",
];

fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = packs().iter().flat_map(|p| p.read().unwrap().1).collect();
    for (name, text) in MORE {
        rules.extend(read_file(name, text).unwrap().1);
    }
    for (at, stack) in STACKS.iter().enumerate() {
        for kinds in ["", "kinds = [\"leaks\"]\n", "kinds = [\"leak-definite\"]\n"] {
            for tools in ["memcheck", "lsan"] {
                let text = format!(
                    "[[allow]]\nid = \"{at}\"\ntools = [\"{tools}\"]\n{kinds}stack = [{stack}]\nreason = \"r\"\n"
                );
                rules.extend(Config::read("more.toml", &text).unwrap().rules);
            }
        }
    }
    let mut folders: Vec<_> = fs::read_dir(common::home().join("differential/supp"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.sort();
    for file in folders
        .iter()
        .flat_map(|f| fs::read_dir(f).unwrap())
        .map(|e| e.unwrap().path())
    {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        rules.extend(
            read_file("a.supp", &text)
                .map(|(_, rules)| rules)
                .unwrap_or_default(),
        );
    }
    rules
}

/// Converts a rule and parses the result. Returns `None` if the rule cannot be expressed in the
/// other syntax, or if no log can have findings for both.
fn converted(rule: &Rule, to: RuleSyntax) -> Option<(String, Vec<Rule>)> {
    let other_tool = match to {
        RuleSyntax::Toml => false,
        RuleSyntax::Valgrind => rule.origin.source == RuleSource::Sanitizer,
        RuleSyntax::Lsan => rule.origin.source == RuleSource::Valgrind,
    };
    let text = convert(std::slice::from_ref(rule), to)
        .remove(0)
        .text
        .ok()
        .filter(|_| !other_tool)?;
    let read = |e| panic!("{text}\n{e:?}");
    let rules = if to == RuleSyntax::Toml {
        Config::read("a.toml", &text).unwrap_or_else(read).rules
    } else {
        read_file("a.supp", &text)
            .unwrap_or_else(|e| panic!("{text}\n{e:?}"))
            .1
    };
    Some((text, rules))
}

#[test]
fn converted_rules_never_match_more() {
    let (mut before, mut after, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for rule in rules() {
        // After inlined functions valgrind compares the file of another frame.
        let text = format!("{:?}", rule);
        if text.contains("File(") && rule.origin.source == RuleSource::Valgrind {
            continue;
        }
        for to in RuleSyntax::ALL {
            if let Some((text, rules)) = converted(&rule, *to)
                .filter(|(text, _)| !texts.iter().any(|t: &String| t.ends_with(text)))
            {
                assert_eq!(rules.len(), 1);
                before.push(rule.clone());
                after.extend(rules);
                texts.push(format!("{rule:?}\n{text}"));
            }
        }
    }
    // A gate sorts rules by source, but here both lists must keep the same order.
    before
        .iter_mut()
        .chain(&mut after)
        .for_each(|rule: &mut Rule| rule.origin.source = RuleSource::Config);
    let logs = fs::read_dir(common::home().join("differential/logs"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let mut files: Vec<Vec<(String, Vec<u8>)>> = logs
        .map(|p| vec![("log".to_owned(), fs::read(p).unwrap())])
        .collect();
    files.extend(common::cases().iter().map(|case| case.files.clone()));
    let (mut matched, mut kept, mut wider) = (0, 0, BTreeSet::new());
    for files in &files {
        let judge =
            |rules: &Vec<Rule>| common::judge_by(common::gate().with_rules(rules.clone()), files);
        let (old, new) = (judge(&before), judge(&after));
        for (finding, (was, is)) in old
            .parsed
            .findings
            .iter()
            .zip(old.triage.findings.iter().zip(&new.triage.findings))
        {
            matched += was.matches.len();
            kept += is.matches.len();
            let frames = finding.primary().map_or(0, |s| s.frames.len());
            // valgrind truncates a suppression that has more locations than it keeps frames.
            let is_truncated = |at: &u32| {
                texts[*at as usize]
                    .lines()
                    .filter(|line| line.starts_with("   "))
                    .count()
                    > frames + 2
            };
            // A demangled name doesn't show whether the function is static.
            let known = format!(
                "{:?} {:?}",
                finding.generated_suppression,
                finding.primary()
            );
            let is_static = |at: &u32| {
                known.contains("_Z") && format!("{known}{}", texts[*at as usize]).contains("_ZL")
            };
            let more = is
                .matches
                .iter()
                .filter(|at| !was.matches.contains(at) && !is_truncated(at) && !is_static(at));
            wider.extend(more.map(|at| {
                (
                    texts[*at as usize].clone(),
                    finding.primary().map_or(String::new(), |s| {
                        s.frames
                            .iter()
                            .filter_map(|f| f.info.name())
                            .collect::<Vec<_>>()
                            .join(" ")
                    }),
                )
            }));
        }
    }
    println!(
        "{} rules: {matched} matches before, {kept} after",
        before.len()
    );
    let examples: Vec<_> = wider.iter().take(10).collect();
    assert!(
        wider.is_empty(),
        "{} rules match more: {examples:#?}",
        wider.len()
    );
    assert!(
        before.len() > 500 && kept * 2 > matched,
        "{} rules, {matched} matches, {kept} kept",
        before.len()
    );
}
