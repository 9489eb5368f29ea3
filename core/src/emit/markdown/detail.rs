//! One finding, folded: what it is, its stacks, what it means, and the entry that accepts it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::sheet::Sheet;
use crate::advice;
use crate::emit::escape::{code, fenced, plain, summary};
use crate::emit::group::Group;
use crate::emit::places;
use crate::emit::words::{self, shortened};
use crate::emit::{Run, Style};
use crate::numbers::count;
use crate::rules::Written;

/// Findings that are shown in full at most: each takes a rule to be written.
const MAX_SHOWN: usize = 30;

/// What the checker says besides.
const MAX_NOTES: usize = 6;

/// Writes the findings while they fit, and tells how many did.
pub(super) fn write(
    findings: &[Group<'_>],
    run: &Run<'_>,
    style: &Style<'_>,
    sheet: &mut Sheet,
) -> usize {
    let shown = &findings[..findings.len().min(MAX_SHOWN)];
    let rules = style.suppress.map_or(Vec::new(), |suppress| {
        words::entries(shown, MAX_SHOWN, run, suppress)
    });
    let rule_of = |group: &Group<'_>| {
        rules
            .iter()
            .find(|w| w.fingerprint == group.first().1.fingerprint.as_str())
    };
    // What a kind means is told with the first finding of it.
    let is_first = |at: usize| {
        !shown[..at]
            .iter()
            .any(|g| g.first().0.kind == shown[at].first().0.kind)
    };
    let pieces = shown
        .iter()
        .enumerate()
        .map(|(at, group)| one(at + 1, group, is_first(at), rule_of(group), run));
    pieces.take_while(|piece| sheet.push(piece)).count()
}

fn one(
    number: usize,
    group: &Group<'_>,
    with_help: bool,
    rule: Option<&Written>,
    run: &Run<'_>,
) -> String {
    let (finding, item) = group.first();
    let place = places::spot(finding, item, run).unwrap_or_else(|| places::log_spot(finding, run));
    let title = format!("{number}. {}, {place}", words::sentence(group, run));
    let mut out = format!(
        "<details><summary>{}</summary>\n\n",
        summary(&shortened(&title, 400))
    );
    for note in words::notes(finding).take(MAX_NOTES) {
        out += &format!("- {}\n", code(&shortened(note, 300)));
    }
    for hint in advice::hints(finding, item.culprit.own) {
        out += &format!("- {}\n", plain(hint));
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    out += &fenced("text", &words::stacks(finding, item, run));
    if with_help {
        out += &format!("\n{}", words::help(advice::of(&finding.kind)));
    }
    let often = if group.records() > 1 {
        format!(" in {}, first", count(group.records(), "record", "records"))
    } else {
        String::new()
    };
    let log = code(&places::log_spot(finding, run).to_string());
    out += &format!(
        "\nSeen by {}{often} at {log}; `{}`.\n",
        plain(finding.tool.as_str()),
        item.fingerprint
    );
    match rule.map(|r| &r.text) {
        Some(Ok(text)) => {
            out += &format!(
                "\nTo accept it, add to `leakgate.toml`:\n\n{}",
                fenced("toml", text)
            )
        }
        Some(Err(why)) => {
            out += &format!("\nNo rule accepts it and nothing else: {}.\n", plain(why))
        }
        None => {}
    }
    out += "\n</details>\n\n";
    out
}
