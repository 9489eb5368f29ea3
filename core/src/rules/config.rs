//! `leakgate.toml`: the policy of the gate, the files it uses, and the project's rules.

mod allow;
mod format;
mod reader;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use toml::de::DeTable;

pub(crate) use self::allow::is_fingerprint;
use self::reader::{Document, Table};
use super::{Allocators, Rule, Source};
use crate::custom_format::CustomFormat;
use crate::diagnostic::Diagnostic;
use crate::error::UnknownName;
use crate::full;
use crate::model::Tool;
use crate::policy::{KindSet, Level, Policy, Silence};

/// The contents of a `leakgate.toml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The `[gate]` table.
    pub policy: Policy,
    /// The `[files]` table.
    pub files: Files,
    /// The `[[allow]]` tables, in the order of the file.
    pub rules: Vec<Rule>,
    /// The `[[format]]` tables: log formats of the project's own checkers.
    pub formats: Vec<CustomFormat>,
    /// The `[run]` table.
    pub run: RunPatterns,
}

/// The `[run]` table: glob patterns for the programs that `leakgate run` checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPatterns {
    /// If there are any, only programs that fit one are checked.
    pub only: Vec<String>,
    /// Programs that fit one of these are never checked.
    pub skip: Vec<String>,
}

/// The `[files]` table. Paths are relative to the directory of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Suppression files of valgrind and the sanitizers, each with the configuration line that
    /// names it, counted from 1.
    pub suppressions: Vec<(String, u32)>,
    /// Names of built-in packs.
    pub packs: Vec<String>,
    /// Glob patterns for the project's own source files, each with its line. If empty, all files
    /// in the repository count as the project's own.
    pub own: Vec<(String, u32)>,
    /// Functions of the project that allocate or free memory for their callers.
    pub allocators: Allocators,
    /// Path of the baseline file, and the line that names it, counted from 1.
    pub baseline: Option<(String, u32)>,
}

const LEVELS: &[(&str, Level)] = &[
    ("allow", Level::Allow),
    ("warn", Level::Warn),
    ("fail", Level::Fail),
];

impl Config {
    /// Parses a configuration. `file` is the name used in errors and origins.
    ///
    /// # Errors
    /// Returns every error in the text, with its position and, if possible, a suggestion.
    ///
    /// ```
    /// use leakgate_core::Config;
    ///
    /// let config = Config::read("leakgate.toml", r#"
    ///     [gate]
    ///     fail-on = ["errors", "leaks"]
    /// "#).unwrap();
    /// assert!(config.policy.gates_leaks());
    ///
    /// let errors = Config::read("leakgate.toml", "[gate]\nfail_on = []\n").unwrap_err();
    /// assert_eq!((errors[0].line, errors[0].column), (2, 1));
    /// assert_eq!(errors[0].help.as_deref(), Some("did you mean `fail-on`?"));
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        read_document(file, text, read_config)
    }
}

/// Parses the text of a pack, which contains only a description and rules. Returns both.
pub(crate) fn read_pack(name: &str, text: &str) -> Result<(String, Vec<Rule>), Vec<Diagnostic>> {
    read_document(name, text, |root| {
        root.reject_unknown_keys(&["description", "allow"]);
        (
            root.string("description").unwrap_or_default(),
            allow::read(root, Source::Pack),
        )
    })
}

/// Parses TOML and passes its root table to `read`.
///
/// After a syntax error, the rest of the text is still checked. Other errors in a line with a
/// syntax error are dropped, because they only follow from it.
fn read_document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Table<'_>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    full::require();
    let (root, errors) = DeTable::parse_recoverable(text);
    let document = Document::new(file, text);
    let out = read(&Table::new(&document, "", root.span(), root.get_ref()));
    let mut errors: Vec<Diagnostic> = errors
        .iter()
        .map(|e| Diagnostic::at_span(file, text, e.span().unwrap_or(0..0), e.message()))
        .collect();
    let syntax_error_lines: Vec<u32> = errors.iter().map(|error| error.line).collect();
    errors.extend(
        document
            .into_errors()
            .into_iter()
            .filter(|error| !syntax_error_lines.contains(&error.line)),
    );
    errors.sort_by_key(|error| (error.line, error.column));
    if errors.is_empty() {
        Ok(out)
    } else {
        Err(errors)
    }
}

fn read_config(root: &Table<'_>) -> Config {
    root.reject_unknown_keys(&["gate", "files", "run", "allow", "format"]);
    Config {
        policy: root
            .table("gate", "[gate]")
            .map(|t| read_gate(&t))
            .unwrap_or_default(),
        files: root
            .table("files", "[files]")
            .map(|t| read_files(&t))
            .unwrap_or_default(),
        rules: allow::read(root, Source::Config),
        formats: format::read(root),
        run: root
            .table("run", "[run]")
            .map(|t| read_run(&t))
            .unwrap_or_default(),
    }
}

fn read_run(table: &Table<'_>) -> RunPatterns {
    table.reject_unknown_keys(&["only", "skip"]);
    let patterns = |key: &str| {
        let texts = table.strings(key).into_iter();
        texts.map(|(text, _)| text).collect()
    };
    RunPatterns {
        only: patterns("only"),
        skip: patterns("skip"),
    }
}

fn read_gate(table: &Table<'_>) -> Policy {
    table.reject_unknown_keys(&[
        "fail-on",
        "require",
        "silence",
        "unused-rules",
        "third-party",
        "tool-suppressed",
        "expiry-warning-days",
    ]);
    let mut policy = Policy::default();
    if table.has("fail-on") {
        if table.strings("fail-on").is_empty() {
            let help = String::from(
                "omit the key to use the default: errors, leak-definite, leak-indirect, \
                 leak-possible, fd-leak",
            );
            table.document.error(
                table.span_of("fail-on"),
                "`fail-on` is empty: no finding would fail the gate",
                Some(help),
            );
        }
        let kinds = table
            .strings("fail-on")
            .into_iter()
            .filter_map(|(name, span)| read_kind(table, &name, span));
        policy.fail_on = kinds.collect();
    }
    policy.require = read_tools(table, "require");
    let silences = [("fail", Silence::Fail), ("pass", Silence::Pass)];
    let level = |key: &str, default| table.choice(key, LEVELS).unwrap_or(default);
    policy.silence = table.choice("silence", &silences).unwrap_or(policy.silence);
    policy.unused_rules = level("unused-rules", policy.unused_rules);
    policy.third_party = level("third-party", policy.third_party);
    policy.tool_suppressed = level("tool-suppressed", policy.tool_suppressed);
    if let Some(days) = table.number("expiry-warning-days") {
        policy.expiry_warning_days = u32::try_from(days).unwrap_or(u32::MAX);
    }
    policy
}

fn read_files(table: &Table<'_>) -> Files {
    table.reject_unknown_keys(&["suppressions", "packs", "own", "allocators", "baseline"]);
    let names: Vec<&str> = super::packs().iter().map(|p| p.name).collect();
    let mut packs = Vec::new();
    for (pack, span) in table.strings("packs") {
        if names.contains(&pack.as_str()) {
            packs.push(pack);
        } else {
            let error = UnknownName::new("pack", &pack, names.iter().copied());
            table.document.unknown_name(span, &error);
        }
    }
    let baseline = table.string("baseline");
    if baseline.as_deref() == Some("") {
        table
            .document
            .error(table.span_of("baseline"), "`baseline` is empty", None);
    }
    let with_lines = |key: &str| {
        table
            .strings(key)
            .into_iter()
            .map(|(text, span)| (text, table.document.line(span.start)))
            .collect()
    };
    Files {
        suppressions: with_lines("suppressions"),
        packs,
        own: with_lines("own"),
        allocators: read_allocators(table),
        baseline: baseline.map(|file| {
            let span = table.span_of("baseline");
            (file, table.document.line(span.start))
        }),
    }
}

fn read_allocators(table: &Table<'_>) -> Allocators {
    let mut allocators = Allocators::default();
    for (text, span) in table.strings("allocators") {
        if let Err(message) = allocators.add(&text) {
            let has_no_prefix = !text.contains([':', '.']) && !text.is_empty();
            let help = has_no_prefix.then(|| format!("did you mean `fun:{text}`?"));
            table.document.error(span, message, help);
        }
    }
    allocators
}

/// Parses a finding kind, `errors` or `leaks`, and reports an unknown name. Checkers name their
/// own errors, so most names are accepted; the kinds of leaks are a closed set.
fn read_kind(table: &Table<'_>, name: &str, span: Range<usize>) -> Option<KindSet> {
    let result = name.parse();
    if let Err(error) = &result {
        table.document.unknown_name(span, error);
    }
    result.ok()
}

fn read_tools(table: &Table<'_>, key: &str) -> Vec<Tool> {
    let mut out = Vec::new();
    for (name, span) in table.strings(key) {
        match Policy::tool(&name) {
            Ok(tool) => out.push(tool),
            Err(error) => table.document.unknown_name(span, &error),
        }
    }
    out
}
