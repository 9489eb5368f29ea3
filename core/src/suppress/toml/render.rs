//! Formats `[[allow]]` rules as TOML.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::rules::Limit;
use crate::suppress::RuleOptions;

/// The conditions of a rule and its witness.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowEntry {
    pub(crate) kinds: Vec<String>,
    /// Exact bytes and blocks.
    pub(crate) sizes: Option<(u64, u64)>,
    pub(crate) limit: Limit,
    pub(crate) stack: Vec<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) witness: Vec<String>,
}

/// Formats a rule as a table.
pub(crate) fn render(id: &str, entry: &AllowEntry, options: &RuleOptions) -> String {
    let mut out = format!("[[allow]]\nid = {}\n", quote(id));
    if !entry.kinds.is_empty() {
        out += &format!("kinds = {}\n", string_list(&entry.kinds));
    }
    if let Some((bytes, blocks)) = entry.sizes {
        out += &format!("bytes = {bytes}\nblocks = {blocks}\n");
    }
    if !entry.stack.is_empty() {
        out += &format!("stack = {}\n", string_list(&entry.stack));
    }
    if let Some(fingerprint) = &entry.fingerprint {
        out += &format!("fingerprint = {}\n", quote(fingerprint));
    }
    let metadata = &options.metadata;
    out += &format!("reason = {}\n", quote(&metadata.reason));
    let texts = [
        ("investigation", &metadata.investigation),
        ("status", &metadata.status),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            out += &format!("{key} = {}\n", quote(text));
        }
    }
    if !metadata.references.is_empty() {
        out += &format!("references = {}\n", string_list(&metadata.references));
    }
    if let Some(owner) = &metadata.owner {
        out += &format!("owner = {}\n", quote(owner));
    }
    for (key, day) in [("added", metadata.added), ("expires", options.expires)] {
        if let Some(day) = day {
            out += &format!("{key} = {day}\n");
        }
    }
    out += &limit_line(entry.limit);
    if !entry.witness.is_empty() {
        out += &format!("witness = {}\n", string_list(&entry.witness));
    }
    out
}

/// Returns the line of a limit. Empty if nothing is limited.
fn limit_line(limit: Limit) -> String {
    let parts: Vec<String> = [
        ("findings", limit.findings),
        ("bytes", limit.bytes),
        ("blocks", limit.blocks),
        ("per-process", limit.per_process),
    ]
    .into_iter()
    .filter_map(|(key, max)| Some(format!("{key} = {}", max?)))
    .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!("limit = {{ {} }}\n", parts.join(", "))
}

/// Formats a list of strings, on one line if that is short enough.
pub(crate) fn string_list(items: &[String]) -> String {
    const MAX_WIDTH: usize = 100;
    let items: Vec<String> = items.iter().map(|i| quote(i)).collect();
    let line = format!("[{}]", items.join(", "));
    if line.len() <= MAX_WIDTH {
        line
    } else {
        format!("[\n    {},\n]", items.join(",\n    "))
    }
}

/// Formats a TOML string on one line.
pub(crate) fn quote(text: &str) -> String {
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
    use crate::rules::{Config, RuleMetadata};

    #[test]
    fn keys_in_the_reason_do_not_change_the_limit() {
        let entry = AllowEntry {
            limit: Limit {
                bytes: Some(64),
                blocks: Some(1),
                per_process: Some(2),
                ..Limit::default()
            },
            fingerprint: Some(format!("lg2-{}", "0".repeat(32))),
            ..AllowEntry::default()
        };
        let options = RuleOptions {
            metadata: RuleMetadata::new("limit = { bytes = 1 }\nlimit = { blocks = 7 }"),
            ..RuleOptions::default()
        };
        let config = Config::read("f", &render("rule", &entry, &options)).unwrap();
        assert_eq!(config.rules[0].limit, entry.limit);
        assert_eq!(config.rules[0].metadata.reason, options.metadata.reason);
    }

    #[test]
    fn quoted_strings_parse_to_original() {
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
                "[[allow]]\nfingerprint = \"lg2-{}\"\nreason = {}\n",
                "0".repeat(32),
                quote(text)
            );
            let config = Config::read("f", &config).unwrap();
            assert_eq!(config.rules[0].metadata.reason, text);
        }
    }
}
