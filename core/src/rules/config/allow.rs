//! Reads `[[allow]]`: one rule, with its reason.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::reader::{NumberOrTable, Table};
use super::{read_kind, read_tools};
use crate::fingerprint::PREFIX;
use crate::lock_file::LockFile;
use crate::rules::dependency::{Dependency, check_version};
use crate::rules::glob::Glob;
use crate::rules::selector::{Bounds, GrowthBounds, Limit, Selector, Tests, Title};
use crate::rules::stack::StackPattern;
use crate::rules::{Matcher, Origin, Rule, RuleMetadata, Source};

const KEYS: &[&str] = &[
    "id",
    "tools",
    "kinds",
    "bytes",
    "blocks",
    "stack",
    "fingerprint",
    "title",
    "tests",
    "reason",
    "investigation",
    "status",
    "references",
    "owner",
    "added",
    "expires",
    "while",
    "limit",
    "growth",
    "expect",
    "witness",
];

/// Reads every `[[allow]]` of a document.
pub(crate) fn read(root: &Table<'_>, source: Source) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for table in root.tables("allow", "[[allow]]") {
        let rule = read_rule(&table, source);
        let first = *seen.entry_ref(&rule.id).or_insert(rules.len());
        if let Some(first) = rules.get(first) {
            let help = format!("choose another id: {} already uses it", first.origin);
            table.document.error(
                table.span_of("id"),
                format!("duplicate rule id `{}`", rule.id),
                Some(help),
            );
        }
        rules.push(rule);
    }
    rules
}

fn read_rule(table: &Table<'_>, source: Source) -> Rule {
    table.reject_unknown_keys(KEYS);
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
                .error(table.span_of("id"), "`id` is empty", None);
        }
        !empty
    });
    let selector = read_selector(table);
    let patterns = read_stack(table, "stack");
    if patterns.is_empty()
        && selector.fingerprint.is_none()
        && !table.has("stack")
        && !table.has("fingerprint")
    {
        let help = "add `stack = […]` or `fingerprint = \"lg2-…\"`, or generate the rule with \
                    `leakgate allow FINGERPRINT`";
        table.document.error(
            table.span.clone(),
            "missing `stack` or `fingerprint`: the rule would accept every finding",
            Some(help.into()),
        );
    }
    Rule {
        metadata: read_metadata(table),
        selector,
        expires: table.date("expires"),
        dependency: read_dependency(table),
        limit: read_limit(table),
        growth: read_growth(table),
        expect: table.number("expect"),
        witness: read_witness(table),
        ..Rule::new(
            id.unwrap_or_else(|| origin.to_string()),
            origin,
            Matcher::Stack(patterns),
        )
    }
}

fn read_metadata(table: &Table<'_>) -> RuleMetadata {
    let reason = table.string("reason");
    if !table.has("reason") {
        let help = "explain why the findings are accepted: `reason = \"…\"`";
        table
            .document
            .error(table.span.clone(), "missing `reason`", Some(help.into()));
    } else if reason.as_ref().is_some_and(|r| r.trim().is_empty()) {
        table.document.error(
            table.span_of("reason"),
            "`reason` is empty",
            Some(String::from("explain why the findings are accepted")),
        );
    }
    let statuses = ["false-positive", "accepted", "to-fix"].map(|name| (name, name));
    RuleMetadata {
        reason: reason.unwrap_or_default(),
        investigation: table.string("investigation"),
        status: table.choice("status", &statuses).map(String::from),
        references: table
            .strings("references")
            .into_iter()
            .map(|(text, _)| text)
            .collect(),
        owner: table.string("owner"),
        added: table.date("added"),
    }
}

fn read_selector(table: &Table<'_>) -> Selector {
    let kinds = table
        .strings("kinds")
        .into_iter()
        .filter_map(|(name, span)| read_kind(table, &name, span))
        .collect();
    for key in ["tools", "kinds", "tests", "stack"] {
        if table.has(key) && table.strings(key).is_empty() {
            let help = match key {
                "stack" => {
                    "list at least one pattern, such as `fun:NAME`, or use `fingerprint`".into()
                }
                _ => format!("omit `{key}` to match everything"),
            };
            table
                .document
                .error(table.span_of(key), format!("`{key}` is empty"), Some(help));
        }
    }
    let fingerprint = table.string("fingerprint");
    if let Some(text) = &fingerprint
        && !is_fingerprint(text)
    {
        let help =
            String::from("copy the fingerprint from a report: `lg2-` and 32 hexadecimal digits");
        table.document.error(
            table.span_of("fingerprint"),
            format!("invalid fingerprint `{text}`"),
            Some(help),
        );
    }
    let title = table
        .string("title")
        .map(|pattern| Title(Glob::from_toml(&pattern)));
    let tests = table.strings("tests").into_iter();
    let patterns = tests.map(|(pattern, _)| Glob::from_toml(&pattern));
    Selector {
        tools: read_tools(table, "tools"),
        kinds,
        title,
        tests: Tests(patterns.collect()),
        bytes: read_bounds(table, "bytes"),
        blocks: read_bounds(table, "blocks"),
        fingerprint,
    }
}

/// Returns true if the text is `lg2-` and 32 lower-case hexadecimal digits.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|hex| {
        hex.len() == 32
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn read_bounds(table: &Table<'_>, key: &'static str) -> Bounds {
    match table.number_or_table(key, key) {
        None => Bounds::default(),
        Some(NumberOrTable::Number(size)) => Bounds::exactly(size),
        Some(NumberOrTable::Table(range)) => {
            range.reject_unknown_keys(&["min", "max"]);
            let bounds = Bounds {
                min: range.number("min"),
                max: range.number("max"),
            };
            if bounds
                .min
                .zip(bounds.max)
                .is_some_and(|(min, max)| min > max)
            {
                table.document.error(
                    range.span.clone(),
                    format!("invalid `{key}`: `min` is greater than `max`"),
                    None,
                );
            }
            bounds
        }
    }
}

fn read_limit(table: &Table<'_>) -> Limit {
    let Some(limit) = table.table("limit", "limit") else {
        return Limit::default();
    };
    limit.reject_unknown_keys(&["findings", "bytes", "blocks", "per-process"]);
    Limit {
        findings: limit.number("findings"),
        bytes: limit.number("bytes"),
        blocks: limit.number("blocks"),
        per_process: limit.number("per-process"),
    }
}

/// Reads `growth`. One without a bound is an error, because it would accept any growth.
fn read_growth(table: &Table<'_>) -> Option<GrowthBounds> {
    let growth = table.table("growth", "growth")?;
    growth.reject_unknown_keys(&["blocks", "bytes"]);
    if !growth.has("blocks") && !growth.has("bytes") {
        let help = "write the most that each step may add: `growth = { blocks = 1, bytes = 64 }`";
        table.document.error(
            growth.span.clone(),
            "missing `blocks` or `bytes`",
            Some(help.into()),
        );
    }
    Some(GrowthBounds {
        blocks: growth.number("blocks"),
        bytes: growth.number("bytes"),
    })
}

/// Reads `while`. An invalid one is an error, and never a rule without it.
fn read_dependency(table: &Table<'_>) -> Option<Dependency> {
    let dependency = table.table("while", "while")?;
    dependency.reject_unknown_keys(&["package", "version", "file"]);
    let document = table.document;
    for key in ["package", "version"] {
        if !dependency.has(key) {
            let help = "write `while = { package = \"NAME\", version = \"1.2\" }`";
            let message = format!("missing `{key}`");
            document.error(dependency.span.clone(), message, Some(help.into()));
        }
    }
    let package = dependency.string("package");
    if package.as_ref().is_some_and(|name| name.trim().is_empty()) {
        document.error(dependency.span_of("package"), "`package` is empty", None);
    }
    let version = dependency.string("version");
    if let Some(Err(message)) = version.as_deref().map(check_version) {
        let help = "write the first numbers of the version, without operators: `1.2` means 1.2 \
                    and every 1.2.x";
        document.error(dependency.span_of("version"), message, Some(help.into()));
    }
    let file = dependency.string("file");
    if let Some(file) = file.as_ref().filter(|file| !LockFile::is_known(file)) {
        let names: Vec<&str> = LockFile::names().collect();
        let help = format!("expected one of: {}, requirements*.txt", names.join(", "));
        let message = format!("`{file}` isn't a lock file that leakgate can read");
        document.error(dependency.span_of("file"), message, Some(help));
    }
    Some(Dependency {
        package: package?,
        version: version?,
        file,
    })
}

fn read_stack(table: &Table<'_>, key: &str) -> Vec<StackPattern> {
    let mut patterns = Vec::new();
    for (text, span) in table.strings(key) {
        match StackPattern::read(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(message) => {
                let has_no_prefix = !text.contains(':') && !text.is_empty();
                let help = has_no_prefix.then(|| format!("did you mean `fun:{text}`?"));
                table.document.error(span, message, help);
            }
        }
    }
    patterns
}

/// Reads the witness, which is a stack without wildcards.
fn read_witness(table: &Table<'_>) -> Vec<String> {
    let mut frames = Vec::new();
    for (text, span) in table.strings("witness") {
        if text.starts_with("fun:") || text.starts_with("obj:") {
            frames.push(text);
        } else {
            table.document.error(
                span,
                format!("invalid witness frame `{text}`"),
                Some(String::from("start the frame with `fun:` or `obj:`")),
            );
        }
    }
    frames
}
