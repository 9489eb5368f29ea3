//! Collapsed details of a finding: its stacks, an explanation, and the rule that accepts it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::bounded_text::BoundedText;
use super::link;
use crate::advice;
use crate::emit::escape::{code, fenced, prose, summary};
use crate::emit::group::Group;
use crate::emit::location;
use crate::emit::summary::{self, Conflict, shortened};
use crate::emit::{FindingInRun, RenderOptions, Run};
use crate::numbers::count;
use crate::suppress::GeneratedRule;

/// Maximum number of findings with details at the default length limit, because a rule is generated
/// for each of them.
pub(super) const MAX_SHOWN: usize = 30;

/// Maximum number of notes by the checker, per finding.
const MAX_NOTES: usize = 6;

/// Writes the details of at most `max` findings, as long as they fit. Returns the number of findings
/// written.
pub(super) fn write(
    findings: &[Group<'_>],
    max: usize,
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    report: &mut BoundedText,
) -> usize {
    let shown = &findings[..findings.len().min(max)];
    let rules = if options.suggest_rules {
        summary::suggested_rules(shown, max, run)
    } else {
        Vec::new()
    };
    let rule_of = |group: &Group<'_>| {
        rules
            .iter()
            .find(|w| w.fingerprint == group.first().triaged.fingerprint.as_str())
    };
    // A kind is explained with the first finding of that kind.
    let is_first = |at: usize| {
        !shown[..at]
            .iter()
            .any(|g| g.first().finding.kind == shown[at].first().finding.kind)
    };
    let full = options.full_stacks;
    let stacks = |FindingInRun {
                      finding, triaged, ..
                  }: FindingInRun<'_>| {
        fenced("text", &summary::stacks(finding, triaged, run, full))
    };
    let pieces = shown.iter().enumerate().map(|(at, group)| {
        let stacks = stacks(group.first());
        let rule = rule_of(group);
        details(at + 1, group, is_first(at), rule, &stacks, run, options)
    });
    pieces.take_while(|piece| report.push(piece)).count()
}

/// Returns the details of a finding. `with_help` includes the explanation of its kind; `stacks` is
/// Markdown.
fn details(
    number: usize,
    group: &Group<'_>,
    with_help: bool,
    rule: Option<&GeneratedRule>,
    stacks: &str,
    run: &Run<'_>,
    options: &RenderOptions<'_>,
) -> String {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let place = location::finding_location(finding, triaged, run)
        .unwrap_or_else(|| location::log_location(finding, run));
    let title = format!("{number}. {}, {place}", summary::headline(group, run));
    let mut out = format!(
        "<details><summary>{}</summary>\n\n",
        summary(&shortened(&title, 400))
    );
    if let Some(conflict) = summary::conflict(finding, triaged, run) {
        out += &format!("- {}\n", conflicting_access(&conflict, options));
    }
    if let Some(text) = summary::leaked_block(finding) {
        out += &format!("- {}\n", code(&shortened(text, 300)));
    }
    for note in summary::notes(finding).take(MAX_NOTES) {
        out += &format!("- {}\n", code(&shortened(note, 300)));
    }
    for hint in advice::hints_by_names(finding, triaged.culprit.own, &run.triage.names) {
        out += &format!("- {}\n", prose(hint));
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    out += stacks;
    if with_help {
        out += &format!("\n{}", summary::help(advice::for_kind(&finding.kind)));
    }
    let records = if group.records() > 1 {
        format!(" in {}, first", count(group.records(), "record", "records"))
    } else {
        String::new()
    };
    let log = code(&location::log_location(finding, run).to_string());
    out += &format!(
        "\nReported by {}{records} at {log}; fingerprint `{}`.\n",
        prose(finding.tool.as_str()),
        triaged.fingerprint
    );
    out += &rule.map(acceptance).unwrap_or_default();
    out += "\n</details>\n\n";
    out
}

/// Returns the access that a race conflicts with. Its place is a link if that is possible.
fn conflicting_access(conflict: &Conflict, options: &RenderOptions<'_>) -> String {
    let url = conflict.location.as_ref().map(|at| link::url(at, options));
    let Some(url) = url.flatten() else {
        return code(&conflict.to_string());
    };
    let function = match conflict.function.as_str() {
        "" => String::new(),
        name => format!(" in {}", code(name)),
    };
    let place = link::linked(code(&conflict.place), Some(url));
    format!("{}: {place}{function}", code(&conflict.access))
}

/// Returns the rule that accepts a finding, or the reason why there is none.
fn acceptance(rule: &GeneratedRule) -> String {
    match &rule.text {
        Ok(text) => format!(
            "\nTo accept it, add to `leakgate.toml`:\n\n{}",
            fenced("toml", text)
        ),
        Err(error) => format!(
            "\nCannot generate a rule that accepts only this finding: {}.\n",
            prose(&error.to_string())
        ),
    }
}
