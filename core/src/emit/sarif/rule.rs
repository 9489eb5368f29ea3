//! SARIF rules, one for each kind of finding.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::wire::{Configuration, Markup, Message, Rule, RuleProperties};
use crate::advice::{self, Help, Risk};
use crate::emit::summary::{self, shortened};
use crate::model::Kind;

/// Returns the rule for a kind.
pub(super) fn rule(kind: &Kind) -> Rule {
    let help = advice::for_kind(kind);
    let id = id(kind);
    let title = if advice::find_help(kind.as_str()).is_some() {
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
        // A name that differs from the id only in case would be redundant.
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
            markdown: summary::help(help),
        },
        help_uri: help.cwe_url(),
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

/// Returns the rule id of a kind. Kinds come from logs, so other characters than those allowed in
/// ids are replaced by `-`, including `/`, which would divide the id.
pub(super) fn id(kind: &Kind) -> String {
    let escaped = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '-'
        }
    };
    shortened(kind.as_str(), 100).chars().map(escaped).collect()
}

/// Converts an id to a name such as `HeapUseAfterFree`.
fn name(id: &str) -> String {
    let words = id
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    words
        .map(|word| [word[..1].to_ascii_uppercase().as_str(), &word[1..]].concat())
        .collect()
}

/// Returns the tags that GitHub uses to filter alerts.
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
    // CWE numbers in GitHub tags have at least three digits.
    tags.extend(
        help.cwe
            .map(|number| format!("external/cwe/cwe-{number:03}")),
    );
    tags
}

/// Returns the explanation as plain text.
fn text(help: &Help) -> String {
    help.texts()
        .map(|part| part.replace('`', ""))
        .collect::<Vec<_>>()
        .join("\n\n")
}
