//! A rule for each kind of finding.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::wire::{Configuration, Markup, Message, Rule, RuleProperties};
use crate::advice::{self, Help, Risk};
use crate::emit::words::{self, shortened};
use crate::model::Kind;

/// The rule of a kind.
pub(super) fn of(kind: &Kind) -> Rule {
    let help = advice::of(kind);
    let id = id(kind);
    let title = if advice::named(kind.as_str()).is_some() {
        help.title.to_string()
    } else {
        format!("{}: {id}", help.title)
    };
    let (level, severity) = match help.risk {
        Risk::Security(_) | Risk::Error | Risk::Leak => ("error", "error"),
        Risk::Possible => ("warning", "warning"),
        Risk::Untidy => ("note", "recommendation"),
    };
    let score = match help.risk {
        Risk::Security(score) => Some(score),
        _ => None,
    };
    Rule {
        // An id and a name that differ in capitals only would be one too many.
        name: Some(name(&id))
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&id))
            .unwrap_or_else(|| name(help.title)),
        short_description: Message {
            text: format!("{title}."),
        },
        full_description: Message {
            text: help.meaning.to_string(),
        },
        help: Markup {
            text: text(help),
            markdown: words::help(help),
        },
        help_uri: help
            .cwe
            .map(|number| format!("https://cwe.mitre.org/data/definitions/{number}.html")),
        default_configuration: Configuration { level },
        properties: RuleProperties {
            tags: tags(kind, help),
            precision: if help.risk == Risk::Possible {
                "medium"
            } else {
                "very-high"
            },
            problem_severity: severity,
            security_severity: score,
        },
        id,
    }
}

/// A kind comes from a log; `/` would divide the id, and what else is not meant for one becomes
/// `-`.
pub(super) fn id(kind: &Kind) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '-'
        }
    };
    shortened(kind.as_str(), 100).chars().map(plain).collect()
}

/// `HeapUseAfterFree`
fn name(id: &str) -> String {
    let words = id
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    words
        .map(|word| [word[..1].to_ascii_uppercase().as_str(), &word[1..]].concat())
        .collect()
}

fn tags(kind: &Kind, help: &Help) -> Vec<String> {
    let mut tags = Vec::new();
    if matches!(help.risk, Risk::Security(_)) {
        tags.push(String::from("security"));
    }
    tags.push(String::from(if kind.is_leak() {
        "memory-leak"
    } else {
        "correctness"
    }));
    // GitHub's tags of weaknesses have three digits at least.
    tags.extend(
        help.cwe
            .map(|number| format!("external/cwe/cwe-{number:03}")),
    );
    tags
}

fn text(help: &Help) -> String {
    help.texts()
        .map(|part| part.replace('`', ""))
        .collect::<Vec<_>>()
        .join("\n\n")
}
