//! A page about known findings, written from the rules that accept them.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use super::{Details, Listing};
use crate::emit::escape::{code, prose};
use crate::numbers::count;
use crate::rules::Rule;

impl Listing<'_> {
    /// Writes a page with a section for each rule: its reason, what it accepts, its owner and its
    /// end, and what it matched if there is a run.
    ///
    /// # Errors
    /// Returns an error only if `out` does.
    pub fn markdown(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let rules = &self.gate.rules;
        writeln!(out, "# Known findings\n")?;
        match rules.len() {
            0 => writeln!(out, "No rule accepts a finding of a memory checker.")?,
            1 => writeln!(out, "1 rule accepts findings of memory checkers.")?,
            n => writeln!(out, "{n} rules accept findings of memory checkers.")?,
        }
        for (at, (rule, details)) in rules.iter().zip(self.details()).enumerate() {
            self.section(at, rule, &details, out)?;
        }
        Ok(())
    }

    fn section(
        &self,
        at: usize,
        rule: &Rule,
        details: &Details<'_>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        let metadata = &rule.metadata;
        writeln!(out, "\n## {}\n", code(&rule.id))?;
        if !metadata.reason.is_empty() {
            writeln!(out, "{}\n", prose(&metadata.reason))?;
        }
        let mut item = |name: &str, text: String| writeln!(out, "- {name}: {text}");
        for line in rule.describe() {
            item("Condition", code(&line))?;
        }
        if let Some(status) = &metadata.status {
            item("Status", code(status))?;
        }
        if let Some(owner) = &metadata.owner {
            item("Owner", code(owner))?;
        }
        if let Some(investigation) = &metadata.investigation {
            item("Investigation", link(investigation))?;
        }
        for reference in &metadata.references {
            item("Reference", link(reference))?;
        }
        if let Some(added) = metadata.added {
            item("Added", added.to_string())?;
        }
        if let Some(expires) = rule.expires {
            item("Expires", expires.to_string())?;
        }
        if let Some(dependency) = &rule.dependency {
            let package = format!("{} {}", dependency.package, dependency.version);
            item("Only with", code(&package))?;
        }
        if let Some(usage) = self.usage(at) {
            let records = count(usage.decided, "record", "records");
            let bytes = count(usage.bytes, "byte", "bytes");
            item("Accepted in this run", format!("{records}, {bytes}"))?;
        }
        for advice in &details.advice {
            item("Warning", prose(&advice.message))?;
        }
        item("Defined in", code(&rule.origin.to_string()))
    }
}

/// Returns a URL as a link, and other text as code.
fn link(text: &str) -> String {
    let is_url = ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '\\');
    if is_url && text.chars().all(is_plain) {
        format!("<{text}>")
    } else {
        code(text)
    }
}
