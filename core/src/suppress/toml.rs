//! `[[allow]]` entries.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Attempt, Run, Wording, Writer};
use crate::culprit::{Class, Names};
use crate::fingerprint::DEPTH;
use crate::model::{Finding, Kind};
use crate::rules::glob::Glob;
use crate::rules::hygiene::is_over_broad;
use crate::rules::{Config, witness};

/// An entry on its way.
#[derive(Clone, Debug, Default)]
struct Entry {
    kinds: Vec<String>,
    sizes: Option<(u64, u64)>,
    stack: Vec<String>,
    fingerprint: Option<String>,
    witness: Vec<String>,
}

/// What one entry is to accept.
struct Task<'r, 'a> {
    run: &'r Run<'a>,
    /// What stands in the entry however it is said.
    plain: Entry,
}

/// Writes the entries, or, for weak fingerprints, one for each size.
pub(super) fn write(writer: &mut Writer<'_>, runs: &[Run<'_>]) -> Vec<Result<String, String>> {
    let (mut tasks, mut wishes): (Vec<Task<'_, '_>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    let mut entries_of = Vec::with_capacity(runs.len());
    for run in runs {
        let kinds = kinds(run.members());
        let before = tasks.len();
        for (sizes, meant) in by_size(run) {
            let witness = witness::reduced(&run.parsed.findings[meant[0]], &mut writer.names);
            let plain = Entry {
                kinds: kinds.clone(),
                sizes,
                witness,
                ..Entry::default()
            };
            tasks.push(Task { run, plain });
            wishes.push(meant);
        }
        entries_of.push(tasks.len() - before);
    }
    let mut chosen = writer
        .choose(&wishes, |wish, turn, names| {
            tasks[wish].say(wishes[wish][0], turn, names)
        })
        .into_iter();
    let mut text = |run: &Run<'_>, entries: usize| {
        let mut out = String::new();
        // What is behind an entry that can't be said belongs to the same run and is passed over.
        for entry in chosen.by_ref().take(entries).collect::<Vec<_>>() {
            let (id, entry) = (writer.name(run), entry?);
            if !out.is_empty() {
                out.push('\n');
            }
            out += &render(&id, &entry, writer.wording);
            writer.taken.names.insert(id);
        }
        Ok(out)
    };
    runs.iter()
        .zip(entries_of)
        .map(|(run, entries)| text(run, entries))
        .collect()
}

/// The findings of a run: of a weak fingerprint by their sizes, else together.
fn by_size(run: &Run<'_>) -> BTreeMap<Option<(u64, u64)>, Vec<usize>> {
    let mut sizes: BTreeMap<Option<(u64, u64)>, Vec<usize>> = BTreeMap::new();
    if run.item().fingerprint.is_weak() {
        for (at, finding) in run.findings.iter().zip(run.members()) {
            sizes
                .entry(finding.leak.map(|l| (l.bytes, l.blocks)))
                .or_default()
                .push(*at);
        }
    }
    // An entry without sizes accepts them all.
    if sizes.is_empty() || sizes.contains_key(&None) {
        sizes.insert(None, run.findings.clone());
    }
    sizes
}

impl Task<'_, '_> {
    /// The ways to say it, from the one that tells a reader most on: by the stack, by stack and
    /// fingerprint, by the fingerprint.
    fn say(&self, finding: usize, turn: usize, names: &mut Names) -> Attempt<Entry> {
        const BY_FINGERPRINT: usize = 4;
        let fingerprint = &self.run.item().fingerprint;
        let mut way = self.plain.clone();
        if turn > BY_FINGERPRINT {
            return Attempt::Over;
        }
        if turn < BY_FINGERPRINT {
            way.stack = stack(&self.run.parsed.findings[finding], names, turn >= 2);
            let says_something = way
                .stack
                .iter()
                .any(|item| item.starts_with("fun:") || item.starts_with("obj:"));
            if fingerprint.is_weak() || !says_something {
                return Attempt::Unsaid;
            }
        }
        if turn % 2 == 1 || turn == BY_FINGERPRINT {
            way.fingerprint = Some(fingerprint.to_string());
        }
        let text = render(
            "rule",
            &way,
            &Wording {
                reason: String::from("x"),
                ..Wording::default()
            },
        );
        match Config::read("", &text) {
            Ok(config) if !config.rules.iter().any(is_over_broad) => Attempt::Said {
                way,
                text,
                rules: config.rules,
            },
            _ => Attempt::Unsaid,
        }
    }
}

/// Leaks move between definite and possible from run to run, so one brings the other.
fn kinds<'a>(members: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut kinds: Vec<Kind> = Vec::new();
    for finding in members {
        let with: &[Kind] = match finding.kind.as_str() {
            "leak-definite" | "leak-possible" => &[Kind::LEAK_DEFINITE, Kind::LEAK_POSSIBLE],
            _ => core::slice::from_ref(&finding.kind),
        };
        for kind in with {
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
    }
    kinds.iter().map(|k| k.as_str().to_owned()).collect()
}

/// The frames that make up the fingerprint; what the tables leave out is free.
fn stack(finding: &Finding, names: &mut Names, free_between: bool) -> Vec<String> {
    let mut stack: Vec<String> = Vec::new();
    let mut named = 0;
    for frame in finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default()
    {
        let known = names.get(&frame.site);
        let item = match known.class {
            Class::Allocator | Class::Runtime => String::from("runtime..."),
            _ if !known.name.is_empty() => format!("fun:{}", Glob::escape(&known.name)),
            _ => match frame.site.module.as_deref() {
                Some(module) => format!(
                    "obj:{}",
                    Glob::escape(module.rsplit(['/', '\\']).next().unwrap_or(module))
                ),
                None => String::from("..."),
            },
        };
        let gap = item.ends_with("...");
        if free_between && !gap && stack.last().is_some_and(|last| last != "runtime...") {
            stack.push(String::from("runtime..."));
        }
        named += usize::from(!gap);
        if !(gap && stack.last() == Some(&item)) {
            stack.push(item);
        }
        if named == DEPTH {
            break;
        }
    }
    while stack.last().is_some_and(|item| item.ends_with("...")) {
        stack.pop();
    }
    stack
}

fn render(id: &str, entry: &Entry, wording: &Wording) -> String {
    let mut out = format!("[[allow]]\nid = {}\n", quoted(id));
    if !entry.kinds.is_empty() {
        out += &format!("kinds = {}\n", list(&entry.kinds));
    }
    if let Some((bytes, blocks)) = entry.sizes {
        out += &format!("bytes = {bytes}\nblocks = {blocks}\n");
    }
    if !entry.stack.is_empty() {
        out += &format!("stack = {}\n", list(&entry.stack));
    }
    if let Some(fingerprint) = &entry.fingerprint {
        out += &format!("fingerprint = {}\n", quoted(fingerprint));
    }
    out += &format!("reason = {}\n", quoted(&wording.reason));
    let texts = [
        ("investigation", &wording.investigation),
        ("status", &wording.status),
        ("owner", &wording.owner),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            out += &format!("{key} = {}\n", quoted(text));
        }
    }
    for (key, day) in [("added", wording.added), ("expires", wording.expires)] {
        if let Some(day) = day {
            out += &format!("{key} = {day}\n");
        }
    }
    if !entry.witness.is_empty() {
        out += &format!("witness = {}\n", list(&entry.witness));
    }
    out
}

/// A list of strings, on one line where that is short.
pub(crate) fn list(items: &[String]) -> String {
    const WIDE: usize = 100;
    let items: Vec<String> = items.iter().map(|i| quoted(i)).collect();
    let line = format!("[{}]", items.join(", "));
    if line.len() <= WIDE {
        line
    } else {
        format!("[\n    {},\n]", items.join(",\n    "))
    }
}

/// A string as TOML writes it, on one line.
pub(crate) fn quoted(text: &str) -> String {
    if !text.contains(['"', '\\', '\'']) && !text.chars().any(char::is_control) {
        return format!("\"{text}\"");
    }
    let literal = !text.contains('\'') && !text.chars().any(char::is_control);
    if literal {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back() {
        for text in [
            "plain",
            "a\"b",
            "a\\b",
            "it's",
            "both ' and \"",
            "line\nfeed\ttab\u{7f}\u{1}",
            "\u{202e}",
            "\\*?[x]'\"",
        ] {
            let config = format!(
                "[[allow]]\nfingerprint = \"lg1-{}\"\nreason = {}\n",
                "0".repeat(32),
                quoted(text)
            );
            let config = Config::read("f", &config).unwrap();
            assert_eq!(config.rules[0].about.reason, text);
        }
    }
}
