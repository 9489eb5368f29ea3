//! `leakgate.toml`: the policy of the gate, the files that belong to it, and the rules of a team.

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
use super::selector::KindSet;
use super::{Rule, Source};
use crate::advice;
use crate::format::Format;
use crate::mistake::{Mistake, nearest};
use crate::model::{Kind, OF_FORMAT, Tool};
use crate::verdict::{Level, Policy, Silence};

/// What a `leakgate.toml` says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `[gate]`
    pub policy: Policy,
    /// `[files]`
    pub files: Files,
    /// `[[allow]]`, in the order of the file.
    pub rules: Vec<Rule>,
    /// `[[format]]`: lines of the project's own.
    pub formats: Vec<Format>,
}

/// `[files]`: paths relative to the folder of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Suppression files of valgrind and the sanitizers, with the lines that name them.
    pub suppressions: Vec<(String, u32)>,
    /// Built-in packs.
    pub packs: Vec<String>,
    /// Patterns of source files that are one's own, each with its line; without any, all of the
    /// repository.
    pub own: Vec<(String, u32)>,
    /// The baseline.
    pub baseline: Option<String>,
}

const LEVELS: &[(&str, Level)] = &[
    ("allow", Level::Allow),
    ("warn", Level::Warn),
    ("fail", Level::Fail),
];

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Every mistake in it, each with its place and, where it can be guessed, what was meant.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Mistake>> {
        read_document(file, text, read)
    }
}

/// Reads the rules of a pack, which is a file of nothing else. The description comes first.
pub(crate) fn read_pack(name: &str, text: &str) -> Result<(String, Vec<Rule>), Vec<Mistake>> {
    read_document(name, text, |root| {
        root.only(&["description", "allow"]);
        (
            root.string("description").unwrap_or_default(),
            allow::read(root, Source::Pack),
        )
    })
}

/// Where a line is no TOML, what is read of the rest is told, too, but nothing that follows from
/// that line.
fn read_document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Table<'_>) -> T,
) -> Result<T, Vec<Mistake>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let document = Document::new(file, text);
    let out = read(&Table::new(&document, "", root.span(), root.get_ref()));
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|e| Mistake::at_span(file, text, e.span().unwrap_or(0..0), e.message()))
        .collect();
    let no_toml: Vec<u32> = mistakes.iter().map(|m| m.line).collect();
    mistakes.extend(
        document
            .into_mistakes()
            .into_iter()
            .filter(|m| !no_toml.contains(&m.line)),
    );
    mistakes.sort_by_key(|m| (m.line, m.column));
    if mistakes.is_empty() {
        Ok(out)
    } else {
        Err(mistakes)
    }
}

fn read(root: &Table<'_>) -> Config {
    root.only(&["gate", "files", "allow", "format"]);
    Config {
        policy: root
            .table("gate", "[gate]")
            .map(|t| gate(&t))
            .unwrap_or_default(),
        files: root
            .table("files", "[files]")
            .map(|t| files(&t))
            .unwrap_or_default(),
        rules: allow::read(root, Source::Config),
        formats: format::read(root),
    }
}

fn gate(table: &Table<'_>) -> Policy {
    table.only(&[
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
                "the default is errors, leak-definite, leak-indirect, leak-possible and fd-leak",
            );
            table.document.mistake(
                table.span_of("fail-on"),
                "an empty list `fail-on`: nothing would ever fail",
                Some(help),
            );
        }
        let kinds = table
            .strings("fail-on")
            .into_iter()
            .filter_map(|(word, span)| kind(table, &word, span));
        policy.fail_on = kinds.collect();
    }
    policy.require = tools(table, "require");
    let words = [("fail", Silence::Fail), ("pass", Silence::Pass)];
    let level = |key: &str, default| table.word(key, LEVELS).unwrap_or(default);
    policy.silence = table.word("silence", &words).unwrap_or(policy.silence);
    policy.unused_rules = level("unused-rules", policy.unused_rules);
    policy.third_party = level("third-party", policy.third_party);
    policy.tool_suppressed = level("tool-suppressed", policy.tool_suppressed);
    if let Some(days) = table.number("expiry-warning-days") {
        policy.expiry_warning_days = u32::try_from(days).unwrap_or(u32::MAX);
    }
    policy
}

fn files(table: &Table<'_>) -> Files {
    table.only(&["suppressions", "packs", "own", "baseline"]);
    let names: Vec<&str> = super::packs().iter().map(|p| p.name).collect();
    let mut packs = Vec::new();
    for (pack, span) in table.strings("packs") {
        if names.contains(&pack.as_str()) {
            packs.push(pack);
        } else {
            let help =
                nearest(&pack, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| format!("there are {}", names.join(", ")));
            table
                .document
                .mistake(span, format!("there is no pack `{pack}`"), Some(help));
        }
    }
    let baseline = table.string("baseline");
    if baseline.as_deref() == Some("") {
        table
            .document
            .mistake(table.span_of("baseline"), "an empty `baseline`", None);
    }
    let lines = |key: &str| {
        table
            .strings(key)
            .into_iter()
            .map(|(text, span)| (text, table.document.line(span.start)))
            .collect()
    };
    Files {
        suppressions: lines("suppressions"),
        packs,
        own: lines("own"),
        baseline,
    }
}

/// A kind, `errors` or `leaks`. Checkers name their own errors, so that any word may be a kind;
/// those of leaks are known.
fn kind(table: &Table<'_>, word: &str, span: Range<usize>) -> Option<KindSet> {
    let result = kind_named(word);
    if let Err((message, help)) = &result {
        table.document.mistake(span, message.clone(), help.clone());
    }
    result.ok()
}

/// The same for a word from elsewhere: what is wrong with it, and what was meant.
pub(crate) fn kind_named(word: &str) -> Result<KindSet, (String, Option<String>)> {
    const KNOWN: &[Kind] = &[
        Kind::LEAK_DEFINITE,
        Kind::LEAK_INDIRECT,
        Kind::LEAK_POSSIBLE,
        Kind::LEAK_REACHABLE,
        Kind::FD_LEAK,
        Kind::FD_INHERITED,
        Kind::of("thread-leak"),
    ];
    match word {
        "errors" => return Ok(KindSet::Errors),
        "leaks" => return Ok(KindSet::Leaks),
        _ => {}
    }
    if let Some(known) = KNOWN.iter().find(|k| k.as_str() == word) {
        return Ok(KindSet::One(known.clone()));
    }
    let own = Kind::own(word);
    let words = KNOWN.iter().map(Kind::as_str).chain(["errors", "leaks"]);
    let near = nearest(word, words);
    let is_name = |c: char| !c.is_ascii_uppercase() && !c.is_whitespace() && !c.is_control();
    // Kinds of one word are few; anything else of one word, or of leaks, is meant to be something
    // that it is not.
    let is_listed = advice::kinds().contains(&word) || word.ends_with("-infoleak");
    let unknown = !is_listed && (!word.contains('-') || word.contains("leak"));
    if own.as_str() != word
        || word.is_empty()
        || !word.chars().all(is_name)
        || near.is_some()
        || unknown
    {
        let help = near.map_or_else(
            || String::from("there are errors, leaks, leak-definite, leak-indirect, leak-possible, leak-reachable, fd-leak, and every checker's own kinds, such as heap-buffer-overflow"),
            |near| format!("did you mean `{near}`?"),
        );
        return Err((format!("`{word}` is no kind of finding"), Some(help)));
    }
    Ok(KindSet::One(own))
}

fn tools(table: &Table<'_>, key: &str) -> Vec<Tool> {
    let mut out = Vec::new();
    for (name, span) in table.strings(key) {
        match tool_named(&name) {
            Ok(tool) => out.push(tool),
            Err(help) => {
                table
                    .document
                    .mistake(span, format!("there is no tool `{name}`"), Some(help))
            }
        }
    }
    out
}

/// A tool by the name that a person writes; else what was meant.
pub(crate) fn tool_named(name: &str) -> Result<Tool, String> {
    let is_custom = name.strip_prefix(OF_FORMAT).is_some_and(|n| !n.is_empty());
    if is_custom || Tool::names().any(|known| known == name) {
        return Ok(Tool::named(name));
    }
    let near = nearest(name, Tool::names()).map(|near| format!("did you mean `{near}`?"));
    Err(near
        .unwrap_or_else(|| format!("there are {}", Tool::names().collect::<Vec<_>>().join(", "))))
}
