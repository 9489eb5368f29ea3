//! `[[allow]]` entries.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{Run, Wording};
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

/// Writes the entry, or, for a weak fingerprint, one for each size.
pub(crate) fn write(run: &mut Run<'_>, wording: &mut Wording) -> Result<String, String> {
    let mut out = String::new();
    let sizes: Vec<Option<(u64, u64)>> = if run.item().fingerprint.is_weak() {
        let mut sizes: Vec<_> = run.members().map(|f| f.leak.map(|l| (l.bytes, l.blocks))).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    } else {
        vec![None]
    };
    for sizes in sizes {
        let of_size = |f: &Finding| sizes.is_none() || f.leak.map(|l| (l.bytes, l.blocks)) == sizes;
        let meant: Vec<usize> = run.findings.iter().copied().filter(|at| of_size(&run.parsed.findings[*at])).collect();
        let id = run.name(&wording.taken);
        let entry = best(run, &meant, sizes)?;
        if !out.is_empty() {
            out.push('\n');
        }
        out += &render(&id, &entry, wording);
        wording.taken.push(id);
    }
    Ok(out)
}

/// The first way to say it that means exactly these findings.
fn best(run: &mut Run<'_>, meant: &[usize], sizes: Option<(u64, u64)>) -> Result<Entry, String> {
    let finding = &run.parsed.findings[meant[0]];
    let weak = run.item().fingerprint.is_weak();
    let fingerprint = Some(run.item().fingerprint.to_string());
    let kinds = kinds(run.members());
    let plain = Entry { kinds, sizes, stack: Vec::new(), fingerprint: None, witness: witness::reduced(finding, run.names) };
    let mut ways = Vec::new();
    if !weak {
        for stack in [stack(finding, run.names, false), stack(finding, run.names, true)] {
            if stack.iter().any(|item| item.starts_with("fun:") || item.starts_with("obj:")) {
                ways.push(Entry { stack: stack.clone(), ..plain.clone() });
                ways.push(Entry { stack, fingerprint: fingerprint.clone(), ..plain.clone() });
            }
        }
    }
    ways.push(Entry { fingerprint, ..plain });
    let mut why = String::new();
    for entry in ways {
        let text = render("rule", &entry, &Wording { reason: String::from("x"), ..Wording::default() });
        let Ok(config) = Config::read("", &text) else { continue };
        if config.rules.iter().any(is_over_broad) {
            continue;
        }
        let matched = run.matched(&config.rules);
        match run.difference(&matched, meant) {
            None => return Ok(entry),
            Some(difference) => why = difference,
        }
    }
    Err(why)
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
    for frame in finding.primary().map(|s| s.frames.as_slice()).unwrap_or_default() {
        let known = names.get(&frame.site);
        let item = match known.class {
            Class::Allocator | Class::Runtime => String::from("runtime..."),
            _ if !known.name.is_empty() => format!("fun:{}", Glob::escape(&known.name)),
            _ => match frame.site.module.as_deref() {
                Some(module) => format!("obj:{}", Glob::escape(module.rsplit(['/', '\\']).next().unwrap_or(module))),
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
    let texts = [("investigation", &wording.investigation), ("status", &wording.status), ("owner", &wording.owner)];
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
    if line.len() <= WIDE { line } else { format!("[\n    {},\n]", items.join(",\n    ")) }
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
        for text in ["plain", "a\"b", "a\\b", "it's", "both ' and \"", "line\nfeed\ttab\u{7f}\u{1}", "\u{202e}", "\\*?[x]'\""] {
            let config = format!("[[allow]]\nfingerprint = \"lg1-{}\"\nreason = {}\n", "0".repeat(32), quoted(text));
            let config = Config::read("f", &config).unwrap();
            assert_eq!(config.rules[0].about.reason, text);
        }
    }
}
