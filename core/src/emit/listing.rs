//! Lists of rules with their state, matches and advice, as text, as JSON and as a page of known
//! findings.

mod markdown;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use serde::Serialize;

use super::RenderOptions;
use super::escape::{self, terminal};
use super::text::paint::Paint;
use super::wrap::Wrapped;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::policy::Level;
use crate::rules::{Advice, Rule, RuleUsage};
use crate::triage::{Gate, Triage};

/// A list of rules, with their effect on a run if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The rules to list.
    pub gate: &'a Gate,
    /// The run and its triage. `None` to list only the rules.
    pub ran: Option<(&'a Parsed, &'a Triage)>,
    /// Advice about the rules.
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
    /// Fingerprints of all findings that the rule matches, even if an earlier rule decides about
    /// them.
    matches: Vec<&'a str>,
    reason: &'a str,
    status: Option<&'a str>,
    owner: Option<&'a str>,
    added: Option<String>,
    expires: Option<String>,
    #[serde(rename = "while")]
    dependency: Option<DependencyV1<'a>>,
    advice: Vec<AdviceV1<'a>>,
}

#[derive(Serialize)]
struct DependencyV1<'a> {
    package: &'a str,
    version: &'a str,
    file: Option<&'a str>,
}

#[derive(Serialize)]
struct AdviceV1<'a> {
    code: &'static str,
    level: &'static str,
    message: &'a str,
}

/// What is listed below a rule.
#[derive(Default)]
struct Details<'a> {
    /// The fingerprints of all findings that the rule matches, sorted.
    matches: Vec<&'a str>,
    /// The advice about the rule, except for ignored advice.
    advice: Vec<&'a Advice>,
}

impl<'a> Listing<'a> {
    fn usage(&self, rule: usize) -> Option<&'a RuleUsage> {
        self.ran.and_then(|(_, triage)| triage.usages.get(rule))
    }

    /// Returns the matches of each rule and the advice about it, in the order of the rules.
    fn details(&self) -> Vec<Details<'a>> {
        let mut details: Vec<Details<'a>> = Vec::new();
        details.resize_with(self.gate.rules.len(), Details::default);
        let findings = self
            .ran
            .into_iter()
            .flat_map(|(_, triage)| &triage.findings);
        for triaged in findings {
            for at in &triaged.matches {
                if let Some(details) = details.get_mut(*at as usize) {
                    details.matches.push(triaged.fingerprint.as_str());
                }
            }
        }
        for advice in self.advice.iter().filter(|a| a.level != Level::Allow) {
            if let Some(details) = details.get_mut(advice.rule) {
                details.advice.push(advice);
            }
        }
        for details in &mut details {
            details.matches.sort_unstable();
            details.matches.dedup();
        }
        details
    }

    /// Writes the list as JSON, schema `leakgate-rules/v1`.
    ///
    /// # Errors
    /// Returns an error only if `out` does.
    pub fn json(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let rules = self
            .gate
            .rules
            .iter()
            .zip(self.details())
            .enumerate()
            .map(|(at, (rule, details))| self.rule(at, rule, details))
            .collect();
        let listing = ListingV1 {
            schema: "leakgate-rules/v1",
            rules,
        };
        escape::write_json(&listing, out)
    }

    fn rule(&self, at: usize, rule: &'a Rule, details: Details<'a>) -> RuleV1<'a> {
        let usage = self.usage(at).cloned().unwrap_or_default();
        let advice = |a: &'a Advice| AdviceV1 {
            code: a.code.as_str(),
            level: a.level.as_str(),
            message: &a.message,
        };
        RuleV1 {
            id: &rule.id,
            origin: rule.origin.to_string(),
            source: rule.origin.source.as_str(),
            state: self.usage(at).map(RuleUsage::state),
            findings: usage.findings,
            records: usage.decided,
            bytes: usage.bytes,
            blocks: usage.blocks,
            matches: details.matches,
            reason: &rule.metadata.reason,
            status: rule.metadata.status.as_deref(),
            owner: rule.metadata.owner.as_deref(),
            added: rule.metadata.added.map(|d| d.to_string()),
            expires: rule.expires.map(|d| d.to_string()),
            dependency: rule.dependency.as_ref().map(|dependency| DependencyV1 {
                package: &dependency.package,
                version: &dependency.version,
                file: dependency.file.as_deref(),
            }),
            advice: details.advice.into_iter().map(advice).collect(),
        }
    }

    /// Writes the list as text.
    ///
    /// # Errors
    /// Returns an error only if `out` does.
    pub fn text(&self, options: &RenderOptions<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let paint = Paint::new(options);
        let mut out = Wrapped::new(out, options.width);
        for (at, (rule, details)) in self.gate.rules.iter().zip(self.details()).enumerate() {
            self.rule_text(at, rule, &details, paint, &mut out)?;
        }
        if !self.gate.rules.is_empty() {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}, {}, {}",
            count(self.gate.rules.len() as u64, "rule", "rules"),
            count(self.count_advice(Level::Fail), "error", "errors"),
            count(self.count_advice(Level::Warn), "warning", "warnings")
        )?;
        out.finish()
    }

    /// Writes a rule with its state, reason, matches and advice.
    fn rule_text(
        &self,
        at: usize,
        rule: &Rule,
        details: &Details<'_>,
        paint: Paint,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        let usage = self.usage(at);
        let state = match usage.map(RuleUsage::state) {
            Some(state @ "used") => paint.good(state),
            Some(state @ ("unused" | "not-tried" | "shadowed")) => paint.dim(state),
            Some(state) => paint.bad(state),
            None => paint.strong("rule"),
        };
        let amount = match usage {
            Some(usage) if usage.decided > 0 => format!(
                " {}, {}",
                count(usage.decided, "record", "records"),
                count(usage.bytes, "byte", "bytes")
            ),
            _ => String::new(),
        };
        writeln!(
            out,
            "{state} {} {}{amount}",
            paint.strong(&paint.whole(&terminal(&rule.id))),
            paint.dim(&paint.whole(&format!("({})", terminal(&rule.origin.to_string()))))
        )?;
        if !rule.metadata.reason.is_empty() {
            writeln!(out, "  {}", terminal(&rule.metadata.reason))?;
        }
        for fingerprint in &details.matches {
            writeln!(out, "  {} {fingerprint}", paint.mark("matches"))?;
        }
        for advice in &details.advice {
            writeln!(
                out,
                "  {} {} {}",
                paint.mark("="),
                terminal(&advice.message),
                paint.dim(&format!("[{}]", advice.code.as_str()))
            )?;
        }
        Ok(())
    }

    fn count_advice(&self, level: Level) -> u64 {
        self.advice.iter().filter(|a| a.level == level).count() as u64
    }
}
