//! A thousand rules on thousands of findings, against the time that reading the findings takes.

use std::fmt::Write as _;

use leakgate_core::rules::read_file;
use leakgate_core::triage::triage;
use leakgate_core::{Config, Date, Gate, NoWorkspace, Parsed, Policy, Rule};

use super::measure;

/// Rules of each gate.
pub(crate) const RULES: usize = 1_000;

/// Rules in the three languages: exact names, wildcards, and names that stand nowhere.
fn rules() -> Vec<Rule> {
    let modules = [
        "net", "store", "query", "render", "codec", "sched", "ui", "util",
    ];
    let nouns = [
        "Session", "Buffer", "Index", "Parser", "Tree", "Page", "Cursor", "Request", "Stream",
        "Cache", "Worker",
    ];
    let verbs = [
        "open",
        "load",
        "insert",
        "clone_into",
        "decode",
        "resolve",
        "dispatch",
        "flush",
        "grow",
        "merge",
    ];
    let (mut toml, mut valgrind, mut lsan) = (String::new(), String::new(), String::new());
    for n in 0..RULES {
        // As the leaks of the dense reports choose their functions.
        let (module, noun, verb) = (
            modules[n / 7 % modules.len()],
            nouns[n / 3 % nouns.len()],
            verbs[n % verbs.len()],
        );
        let name = format!("{module}::{noun}::{verb}_{}", n % 97);
        let _ = match n % 10 {
            0..4 => writeln!(
                toml,
                "[[allow]]\nstack = [\"runtime...\", \"fun:{name}\", \"...\", \"fun:main\"]\nreason = \"x\""
            ),
            4 => {
                writeln!(
                    toml,
                    "[[allow]]\nstack = [\"...\", \"fun:*::{noun}::*_{n}\"]\nbytes = {{ max = 4096 }}\nreason = \"x\""
                )
            }
            5 => writeln!(
                toml,
                "[[allow]]\nstack = [\"runtime...\", \"fun:gone_{n}\"]\nreason = \"x\""
            ),
            6 => writeln!(
                valgrind,
                "{{\nr{n}\nMemcheck:Leak\nfun:_Znwm\n...\nfun:*{verb}_{}*\n}}",
                n % 97
            ),
            7 => writeln!(
                valgrind,
                "{{\nr{n}\nMemcheck:Leak\n...\nfun:_ZN{}{module}{}{noun}{}gone_{n}Ev\n}}",
                module.len(),
                noun.len(),
                5 + n.to_string().len()
            ),
            _ => writeln!(lsan, "leak:{noun}::{verb}_{}(", n % 97),
        };
    }
    let mut rules = Config::read("leakgate.toml", &toml)
        .map(|c| c.rules)
        .unwrap_or_else(|m| panic!("{}", m[0]));
    for text in [valgrind, lsan] {
        rules.extend(
            read_file("file.supp", &text)
                .map(|(_, rules)| rules)
                .unwrap_or_else(|m| panic!("{}", m[0])),
        );
    }
    assert_eq!(rules.len(), RULES);
    rules
}

/// What the rules add to the time of holding findings against a gate, as a share of the time of
/// reading them.
pub(crate) fn share_of_reading(parsed: &Parsed, read: impl Fn()) -> f64 {
    let gate = |rules| Gate::new(Policy::default(), Date::constant(2026, 6, 1)).with_rules(rules);
    let (with, without) = (gate(rules()), gate(Vec::new()));
    let apply = |gate: &Gate| drop(std::hint::black_box(triage(parsed, gate, &NoWorkspace)));
    let used = triage(parsed, &with, &NoWorkspace)
        .usages
        .iter()
        .filter(|u| u.matched > 0)
        .count();
    assert!(used > RULES / 10, "{used} rules of {RULES} match something");
    measure::difference_to(|| apply(&with), || apply(&without), read)
}
