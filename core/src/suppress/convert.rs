//! Rules of one language in another, as far as it can say the same: what is written never matches
//! more than the rule did.

mod lsan;
mod toml;
mod valgrind;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Language;
use crate::model::Tool;
use crate::rules::{Limit, Rule};

/// A rule in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The rule's name.
    pub id: String,
    /// The rule; or what can't be said.
    pub text: Result<String, String>,
    /// What it no longer matches.
    pub narrower: Option<String>,
}

/// Writes rules in another language. The languages compare different names, so that a written rule
/// may match less: `narrower` tells.
pub fn convert(rules: &[Rule], to: Language) -> Vec<Converted> {
    let one = |rule: &Rule| {
        let mut losses = Losses::default();
        let text = match to {
            Language::Toml => toml::write(rule, &mut losses),
            Language::Valgrind => valgrind::write(rule, &mut losses),
            Language::Lsan => lsan::write(rule, &mut losses),
        };
        let narrower = (text.is_ok() && !losses.0.is_empty()).then(|| losses.0.join("; "));
        Converted {
            id: rule.id.clone(),
            text,
            narrower,
        }
    };
    rules.iter().map(one).collect()
}

/// What a written rule no longer matches; each said once.
#[derive(Debug, Default)]
struct Losses(Vec<&'static str>);

impl Losses {
    fn say(&mut self, what: &'static str) {
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }
}

/// Nothing but what a suppression file can say, and that about one tool.
fn only_stack(rule: &Rule, tool: &Tool) -> Result<(), String> {
    let selector = &rule.selector;
    let said = [
        (selector.fingerprint.is_some(), "a fingerprint"),
        (
            !selector.bytes.is_open() || !selector.blocks.is_open(),
            "sizes",
        ),
        (selector.title.is_some(), "a headline"),
        (rule.expires.is_some(), "a last day"),
        (rule.limit != Limit::default(), "a limit"),
        (rule.expect.is_some(), "an expectation"),
        (selector.tools.iter().any(|t| t != tool), "other tools"),
    ];
    let lost: Vec<&str> = said
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, what)| *what)
        .collect();
    if lost.is_empty() {
        Ok(())
    } else {
        Err(format!("a suppression file can't say {}", lost.join(", ")))
    }
}

/// True for a name that no demangler has to do with: C, and what is extern "C".
fn is_plain(name: &str) -> bool {
    !name.contains(['(', '<', ':', ' ', ',', '~', '[', '{']) && !is_mangled(name)
}

fn is_mangled(name: &str) -> bool {
    name.starts_with("_Z") || name.starts_with("_R")
}
