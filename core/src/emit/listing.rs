//! The rules themselves, listed: each with its state, what it matches, and what is to be said about
//! it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::Style;
use super::escape::{self, terminal};
use super::text::paint::Paint;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::rules::{Advice, Rule};
use crate::triage::{Gate, Triage, Use};
use crate::verdict::Level;

/// Rules, and, where logs were read, what they did.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The rules.
    pub gate: &'a Gate,
    /// What they did.
    pub ran: Option<(&'a Parsed, &'a Triage)>,
    /// What is to be said about them.
    pub advice: &'a [Advice],
}

#[derive(Serialize)]
struct ListingV1<'a> {
    schema: &'static str,
    rules: Vec<RuleV1<'a>>,
}

#[derive(Serialize)]
struct RuleV1<'a> {
    id: &'a str,
    origin: String,
    source: &'static str,
    state: Option<&'static str>,
    findings: u64,
    records: u64,
    bytes: u64,
    blocks: u64,
    /// Fingerprints of all findings that it matches, whichever rule decides about them.
    matches: Vec<&'a str>,
    reason: &'a str,
    status: Option<&'a str>,
    owner: Option<&'a str>,
    added: Option<String>,
    expires: Option<String>,
    advice: Vec<AdviceV1<'a>>,
}

#[derive(Serialize)]
struct AdviceV1<'a> {
    code: &'static str,
    level: &'static str,
    message: &'a str,
}

impl<'a> Listing<'a> {
    fn uses(&self, rule: usize) -> Option<&'a Use> {
        self.ran.and_then(|(_, triage)| triage.uses.get(rule))
    }

    fn matches(&self, rule: usize) -> Vec<&'a str> {
        let index = u32::try_from(rule).unwrap_or(u32::MAX);
        let items = self.ran.into_iter().flat_map(|(_, triage)| &triage.items);
        let mut found: Vec<&str> = items
            .filter(|i| i.matches.contains(&index))
            .map(|i| i.fingerprint.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn advice(&self, rule: usize) -> impl Iterator<Item = &'a Advice> {
        self.advice
            .iter()
            .filter(move |a| a.rule == rule && a.level != Level::Allow)
    }

    /// Writes the list as JSON.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn json(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let rules = self
            .gate
            .rules
            .iter()
            .enumerate()
            .map(|(at, rule)| self.rule(at, rule))
            .collect();
        let text = serde_json::to_string(&ListingV1 {
            schema: "leakgate-rules/v1",
            rules,
        })
        .map_err(|_| fmt::Error)?;
        writeln!(out, "{}", escape::json(text))
    }

    fn rule(&self, at: usize, rule: &'a Rule) -> RuleV1<'a> {
        let used = self.uses(at).cloned().unwrap_or_default();
        let advice = |a: &'a Advice| AdviceV1 {
            code: a.code.as_str(),
            level: a.level.as_str(),
            message: &a.message,
        };
        RuleV1 {
            id: &rule.id,
            origin: rule.origin.to_string(),
            source: rule.origin.source.as_str(),
            state: self.uses(at).map(Use::state),
            findings: used.findings,
            records: used.decided,
            bytes: used.bytes,
            blocks: used.blocks,
            matches: self.matches(at),
            reason: &rule.about.reason,
            status: rule.about.status.as_deref(),
            owner: rule.about.owner.as_deref(),
            added: rule.about.added.map(|d| d.to_string()),
            expires: rule.expires.map(|d| d.to_string()),
            advice: self.advice(at).map(advice).collect(),
        }
    }

    /// Writes the list for people.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn text(&self, style: &Style<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let paint = Paint::of(style);
        for (at, rule) in self.gate.rules.iter().enumerate() {
            let used = self.uses(at);
            let state = match used.map(Use::state) {
                Some(state @ "used") => paint.good(state).into_owned(),
                Some(state @ ("unused" | "not-tried" | "shadowed")) => {
                    paint.dim(state).into_owned()
                }
                Some(state) => paint.bad(state).into_owned(),
                None => paint.strong("rule").into_owned(),
            };
            let what = match used {
                Some(used) if used.decided > 0 => {
                    format!(
                        " {}, {}",
                        count(used.decided, "record", "records"),
                        count(used.bytes, "byte", "bytes")
                    )
                }
                _ => String::new(),
            };
            writeln!(
                out,
                "{state} {} {}{what}",
                paint.strong(&terminal(&rule.id)),
                paint.dim(&format!("({})", terminal(&rule.origin.to_string())))
            )?;
            if !rule.about.reason.is_empty() {
                writeln!(out, "  {}", terminal(&rule.about.reason))?;
            }
            for fingerprint in self.matches(at) {
                writeln!(out, "  {} {fingerprint}", paint.mark("matches"))?;
            }
            for advice in self.advice(at) {
                writeln!(
                    out,
                    "  {} {} {}",
                    paint.mark("="),
                    terminal(&advice.message),
                    paint.dim(&format!("[{}]", advice.code.as_str()))
                )?;
            }
        }
        let failing = self
            .advice
            .iter()
            .filter(|a| a.level == Level::Fail)
            .count() as u64;
        let told = self
            .advice
            .iter()
            .filter(|a| a.level == Level::Warn)
            .count() as u64;
        if !self.gate.rules.is_empty() {
            writeln!(out)?;
        }
        let rules = count(self.gate.rules.len() as u64, "rule", "rules");
        writeln!(
            out,
            "{rules}, {}, {}",
            count(failing, "error", "errors"),
            count(told, "warning", "warnings")
        )
    }
}
