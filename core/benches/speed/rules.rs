//! A gate with a thousand rules, for the findings of dense reports.

use std::fmt::Write as _;

use leakgate_core::rules::read_file;
use leakgate_core::triage::triage;
use leakgate_core::{Config, Date, Gate, NoWorkspace, Parsed, Policy, Rule};

use super::dense::{MODULES, NOUNS, VERBS};

/// Rules in the gate.
const RULES: usize = 1_000;

/// Returns a gate with rules in all three formats: exact names, wildcards, and names that no stack
/// contains.
pub(crate) fn gate() -> Gate {
    empty_gate().with_rules(rules())
}

/// Returns a gate without rules.
pub(crate) fn empty_gate() -> Gate {
    Gate::new(Policy::default(), Date::constant(2026, 6, 1))
}

/// Panics unless a tenth of the rules match a finding: rules that never match would be cheap.
pub(crate) fn assert_used(parsed: &Parsed, gate: &Gate) {
    let triage = triage(parsed, gate, &NoWorkspace);
    let used = triage.usages.iter().filter(|rule| rule.matched > 0).count();
    assert!(used > RULES / 10, "only {used} of {RULES} rules match");
}

/// The texts of the three rule files.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) toml: String,
    pub(crate) valgrind: String,
    pub(crate) lsan: String,
}

/// Returns the files with the rules of [`gate`].
pub(crate) fn files() -> Files {
    let mut files = Files::default();
    for n in 0..RULES {
        // The errors of writing into a string can't happen.
        let _ = files.add(n);
    }
    files
}

fn rules() -> Vec<Rule> {
    let files = files();
    let mut rules = match Config::read("leakgate.toml", &files.toml) {
        Ok(config) => config.rules,
        Err(errors) => panic!("{}", errors[0]),
    };
    for text in [files.valgrind, files.lsan] {
        match read_file("file.supp", &text) {
            Ok((_, more)) => rules.extend(more),
            Err(errors) => panic!("{}", errors[0]),
        }
    }
    assert_eq!(rules.len(), RULES);
    rules
}

impl Files {
    /// Appends rule `n`, with the function name that leak `n` of a dense report would have.
    fn add(&mut self, n: usize) -> std::fmt::Result {
        let module = MODULES[n / 7 % MODULES.len()];
        let noun = NOUNS[n / 3 % NOUNS.len()];
        let verb = VERBS[n % VERBS.len()];
        let suffix = n % 97;
        match n % 10 {
            0..4 => self.add_toml(&format!(
                "[\"runtime...\", \"fun:{module}::{noun}::{verb}_{suffix}\", \"...\", \"fun:main\"]"
            )),
            4 => self.add_toml(&format!(
                "[\"...\", \"fun:*::{noun}::*_{n}\"]\nbytes = {{ max = 4096 }}"
            )),
            5 => self.add_toml(&format!("[\"runtime...\", \"fun:gone_{n}\"]")),
            6 => self.add_valgrind(n, &format!("fun:_Znwm\n...\nfun:*{verb}_{suffix}*")),
            7 => {
                let mangled = format!(
                    "_ZN{}{module}{}{noun}{}gone_{n}Ev",
                    module.len(),
                    noun.len(),
                    "gone_".len() + n.to_string().len()
                );
                self.add_valgrind(n, &format!("...\nfun:{mangled}"))
            }
            _ => writeln!(self.lsan, "leak:{noun}::{verb}_{suffix}("),
        }
    }

    fn add_toml(&mut self, stack: &str) -> std::fmt::Result {
        writeln!(self.toml, "[[allow]]\nstack = {stack}\nreason = \"x\"")
    }

    fn add_valgrind(&mut self, n: usize, frames: &str) -> std::fmt::Result {
        writeln!(self.valgrind, "{{\nr{n}\nMemcheck:Leak\n{frames}\n}}")
    }
}
