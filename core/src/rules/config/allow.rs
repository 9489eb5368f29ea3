//! `[[allow]]`: one thing that is accepted, with its reason.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::reader::Table;
use super::{kind, tools};
use crate::rules::glob::Glob;
use crate::rules::selector::{Bounds, Limit, Selector, Title};
use crate::rules::stack::Item;
use crate::rules::{About, Matcher, Origin, Rule, Source};

const KEYS: &[&str] = &[
    "id",
    "tools",
    "kinds",
    "bytes",
    "blocks",
    "stack",
    "fingerprint",
    "title",
    "reason",
    "investigation",
    "status",
    "references",
    "owner",
    "added",
    "expires",
    "limit",
    "expect",
    "witness",
];

/// Reads every `[[allow]]` of a document.
pub(crate) fn read(root: &Table<'_>, source: Source) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for table in root.tables("allow", "[[allow]]") {
        let rule = rule(&table, source);
        let first = *seen.entry_ref(&rule.id).or_insert(rules.len());
        if let Some(first) = rules.get(first) {
            let help = format!("{} has it already; a name is for one rule", first.origin);
            table.document.mistake(
                table.span_of("id"),
                format!("a second rule `{}`", rule.id),
                Some(help),
            );
        }
        rules.push(rule);
    }
    rules
}

fn rule(table: &Table<'_>, source: Source) -> Rule {
    table.only(KEYS);
    let line = table.document.line(table.span.start);
    let origin = Origin {
        source,
        file: table.document.file.into(),
        line,
    };
    let id = table.string("id").filter(|id| {
        let empty = id.trim().is_empty();
        if empty {
            table
                .document
                .mistake(table.span_of("id"), "an empty `id`", None);
        }
        !empty
    });
    let selector = selector(table);
    let items = stack(table, "stack");
    if items.is_empty()
        && selector.fingerprint.is_none()
        && !table.has("stack")
        && !table.has("fingerprint")
    {
        let help = "add `stack = […]` or `fingerprint = \"lg1-…\"`; `leakgate allow FINGERPRINT` writes an entry for you";
        table.document.mistake(
            table.span.clone(),
            "this entry names no stack and no fingerprint: it would accept everything",
            Some(help.into()),
        );
    }
    Rule {
        about: about(table),
        selector,
        expires: table.date("expires"),
        limit: limit(table),
        expect: table.number("expect"),
        witness: witness(table),
        ..Rule::new(
            id.unwrap_or_else(|| origin.to_string()),
            origin,
            Matcher::Stack(items),
        )
    }
}

fn about(table: &Table<'_>) -> About {
    let reason = table.string("reason");
    if !table.has("reason") {
        let help = "say why it is accepted: `reason = \"…\"`";
        table.document.mistake(
            table.span.clone(),
            "an entry without a `reason`",
            Some(help.into()),
        );
    } else if reason.as_ref().is_some_and(|r| r.trim().is_empty()) {
        table.document.mistake(
            table.span_of("reason"),
            "an empty `reason`",
            Some(String::from("say why it is accepted")),
        );
    }
    let words = ["false-positive", "accepted", "to-fix"].map(|word| (word, word));
    About {
        reason: reason.unwrap_or_default(),
        investigation: table.string("investigation"),
        status: table.word("status", &words).map(String::from),
        references: table
            .strings("references")
            .into_iter()
            .map(|(text, _)| text)
            .collect(),
        owner: table.string("owner"),
        added: table.date("added"),
    }
}

fn selector(table: &Table<'_>) -> Selector {
    let kinds = table
        .strings("kinds")
        .into_iter()
        .filter_map(|(word, span)| kind(table, &word, span))
        .collect();
    for key in ["tools", "kinds", "stack"] {
        if table.has(key) && table.strings(key).is_empty() {
            table.document.mistake(
                table.span_of(key),
                format!("an empty list `{key}`"),
                Some(String::from("leave it out where anything will do")),
            );
        }
    }
    let fingerprint = table.string("fingerprint");
    if let Some(text) = &fingerprint
        && !is_fingerprint(text)
    {
        let help = String::from("it is `lg1-` and 32 hexadecimal digits, as reports show it");
        table.document.mistake(
            table.span_of("fingerprint"),
            format!("`{text}` is no fingerprint"),
            Some(help),
        );
    }
    let title = table
        .string("title")
        .map(|pattern| Title(Glob::escaped(&pattern)));
    Selector {
        tools: tools(table, "tools"),
        kinds,
        title,
        bytes: bounds(table, "bytes"),
        blocks: bounds(table, "blocks"),
        fingerprint,
    }
}

/// `lg1-` and 32 hexadecimal digits.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    text.strip_prefix("lg1-").is_some_and(|hex| {
        hex.len() == 32
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn bounds(table: &Table<'_>, key: &'static str) -> Bounds {
    match table.number_or_table(key, key) {
        None => Bounds::default(),
        Some(Ok(size)) => Bounds::exactly(size),
        Some(Err(range)) => {
            range.only(&["min", "max"]);
            let bounds = Bounds {
                min: range.number("min"),
                max: range.number("max"),
            };
            if bounds
                .min
                .zip(bounds.max)
                .is_some_and(|(min, max)| min > max)
            {
                table.document.mistake(
                    range.span.clone(),
                    format!("`{key}`: min is larger than max"),
                    None,
                );
            }
            bounds
        }
    }
}

fn limit(table: &Table<'_>) -> Limit {
    let Some(limit) = table.table("limit", "limit") else {
        return Limit::default();
    };
    limit.only(&["findings", "bytes", "blocks"]);
    Limit {
        findings: limit.number("findings"),
        bytes: limit.number("bytes"),
        blocks: limit.number("blocks"),
    }
}

fn stack(table: &Table<'_>, key: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for (text, span) in table.strings(key) {
        match Item::read(&text) {
            Ok(item) => items.push(item),
            Err(what) => {
                let bare = !text.contains(':') && !text.is_empty();
                let help = bare.then(|| format!("did you mean `fun:{text}`?"));
                table.document.mistake(span, what, help);
            }
        }
    }
    items
}

/// The witness is a stack without wildcards.
fn witness(table: &Table<'_>) -> Vec<String> {
    let mut frames = Vec::new();
    for (text, span) in table.strings("witness") {
        if text.starts_with("fun:") || text.starts_with("obj:") {
            frames.push(text);
        } else {
            table.document.mistake(
                span,
                format!("`{text}` is no frame of a witness: it begins with `fun:` or `obj:`"),
                None,
            );
        }
    }
    frames
}
