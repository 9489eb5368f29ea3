//! The data of the page's script: the findings, with each text and each frame stored once.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::Serialize;

use crate::advice;
use crate::culprit::Class;
use crate::emit::escape::terminal;
use crate::emit::group::{ChangeLabels, Group, groups};
use crate::emit::location;
use crate::emit::summary;
use crate::emit::{FindingInRun, RenderOptions, Run};
use crate::model::Frame;
use crate::triage::Disposition;

/// Maximum number of log places listed per group.
const MAX_PLACES: usize = 20;

/// Maximum number and total size in bytes of the generated rules. The worst findings come first;
/// for the rest, the page shows the command that generates a rule.
const MAX_RULES: usize = 500;
const MAX_RULE_BYTES: usize = 400_000;

/// Maximum total size of all source excerpts, in bytes.
const MAX_SOURCE_BYTES: usize = 400_000;

/// Number of source lines shown before and after the culprit's line.
const CONTEXT_LINES: u32 = 2;

/// The root of the data.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    /// Texts that other fields refer to by index.
    texts: Vec<Cow<'a, str>>,
    /// Function and place, as indexes into `texts`, and class.
    frames: Vec<(usize, usize, &'static str)>,
    findings: Vec<Row<'a>>,
    help: BTreeMap<&'a str, Help>,
    /// Generated rules by fingerprint.
    rules: BTreeMap<String, Rule>,
    inputs: Vec<String>,
}

/// A row of the table: a group of findings.
#[derive(Serialize)]
struct Row<'a> {
    fingerprint: &'a str,
    state: &'static str,
    /// Change since the base run. `None` without a base.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    tool: &'a str,
    kind: &'a str,
    detail: String,
    records: u64,
    bytes: Option<u64>,
    blocks: Option<u64>,
    function: String,
    place: String,
    /// Index of the culprit frame in the first stack.
    culprit: Option<usize>,
    notes: Vec<String>,
    /// Names of the tests that caused it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<String>,
    /// Label, and indexes into `frames`.
    stacks: Vec<(Cow<'a, str>, Vec<usize>)>,
    /// Input index, line and pid of each place in the logs.
    instances: Vec<(usize, u64, Option<u64>)>,
    /// Source excerpt: the number of its first line, and its lines.
    source: Option<(u32, Vec<String>)>,
}

/// Explanation of a finding kind.
#[derive(Serialize)]
struct Help {
    title: &'static str,
    texts: Vec<&'static str>,
}

/// A generated rule, or the error that prevents it.
#[derive(Serialize)]
struct Rule {
    text: Option<String>,
    error: Option<String>,
}

/// Returns the data of a run.
pub(super) fn report<'a>(run: &Run<'a>, options: &RenderOptions<'_>) -> Report<'a> {
    let mut report = Report {
        texts: Vec::new(),
        frames: Vec::new(),
        findings: Vec::new(),
        help: BTreeMap::new(),
        rules: BTreeMap::new(),
        inputs: run
            .parsed
            .inputs
            .iter()
            .map(|input| clean(&input.display_name()))
            .collect(),
    };
    let mut builder = Builder {
        against: ChangeLabels::new(run),
        ..Builder::default()
    };
    for state in [
        Disposition::Unexpected,
        Disposition::Baseline,
        Disposition::Allowed,
        Disposition::NotGated,
    ] {
        let groups = groups(run, state);
        if state == Disposition::Unexpected && options.suggest_rules {
            report.rules = rules(&groups, run);
        }
        for group in &groups {
            let row = row(group, state, run, &mut report, &mut builder);
            report.findings.push(row);
        }
    }
    report
}

/// Indexes of the texts and frames stored so far, and other state of the conversion.
#[derive(Default)]
struct Builder<'a> {
    against: ChangeLabels<'a>,
    texts: HashMap<String, usize>,
    frames: HashMap<(usize, usize, Class), usize>,
    /// The same by the address of the frame's information.
    by_address: HashMap<(usize, Class), usize>,
    /// Size of the source excerpts so far, in bytes.
    source_bytes: usize,
}

impl Builder<'_> {
    /// Returns the index of a text, storing it if it's new.
    fn text<'a>(&mut self, text: Cow<'a, str>, texts: &mut Vec<Cow<'a, str>>) -> usize {
        if let Some(index) = self.texts.get(text.as_ref()) {
            return *index;
        }
        self.texts.insert(text.to_string(), texts.len());
        texts.push(text);
        texts.len() - 1
    }

    /// Returns the index of a frame, storing it if it's new.
    fn frame<'a>(
        &mut self,
        frame: &'a Frame,
        class: Class,
        run: &Run<'a>,
        report: &mut Report<'a>,
    ) -> usize {
        let key = (Arc::as_ptr(&frame.info) as usize, class);
        if let Some(index) = self.by_address.get(&key) {
            return *index;
        }
        let name = self.text(
            terminal(frame.info.name().unwrap_or("?")),
            &mut report.texts,
        );
        let place = self.text(
            clean(&location::display_location(&frame.info, run)).into(),
            &mut report.texts,
        );
        let next = report.frames.len();
        let index = *self.frames.entry((name, place, class)).or_insert(next);
        if index == next {
            report.frames.push((name, place, class.as_str()));
        }
        self.by_address.insert(key, index);
        index
    }
}

/// Converts a group to a row, adding its texts and frames to the report.
fn row<'a>(
    group: &Group<'a>,
    state: Disposition,
    run: &Run<'a>,
    report: &mut Report<'a>,
    builder: &mut Builder<'_>,
) -> Row<'a> {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let leak = group.leak();
    let help = advice::for_kind(&finding.kind);
    report
        .help
        .entry(finding.kind.as_str())
        .or_insert_with(|| Help {
            title: help.title,
            texts: help.texts().collect(),
        });
    let stacks = stacks(group, run, report, builder);
    let culprit = location::culprit_frame(finding, triaged);
    let spot = culprit.and_then(|frame| location::repository_location(&frame.info, run));
    Row {
        fingerprint: triaged.fingerprint.as_str(),
        state: state.as_str(),
        change: builder.against.label(triaged),
        tool: finding.tool.as_str(),
        kind: finding.kind.as_str(),
        detail: clean(&summary::size(group)),
        records: group.records(),
        bytes: leak.map(|l| l.bytes),
        blocks: leak.map(|l| l.blocks),
        function: culprit.map_or(String::new(), |f| clean(&run.triage.names.simple(&f.info))),
        place: culprit.map_or(String::new(), |f| {
            clean(&location::display_location(&f.info, run))
        }),
        culprit: triaged.culprit.frame,
        notes: notes(group, run),
        tests: group.tests().into_iter().map(clean).collect(),
        stacks,
        instances: instances(group),
        source: spot.and_then(|spot| source(&spot, run, builder)),
    }
}

/// Converts the stacks of a group, adding their texts and frames to the report.
fn stacks<'a>(
    group: &Group<'a>,
    run: &Run<'a>,
    report: &mut Report<'a>,
    builder: &mut Builder<'_>,
) -> Vec<(Cow<'a, str>, Vec<usize>)> {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let mut stacks = Vec::new();
    for (at, (stack, classes)) in finding.stacks.iter().zip(&triaged.classes).enumerate() {
        let frames = stack
            .frames
            .iter()
            .zip(classes)
            .map(|(frame, class)| builder.frame(frame, *class, run, report))
            .collect();
        let label = summary::heading(finding, at).map_or(Cow::Borrowed(""), terminal);
        stacks.push((label, frames));
    }
    stacks
}

/// Returns log text without invisible and control characters.
fn clean(text: &str) -> String {
    terminal(text).into_owned()
}

/// Returns the notes about a finding, ending with the checker's own.
fn notes(group: &Group<'_>, run: &Run<'_>) -> Vec<String> {
    let FindingInRun {
        finding,
        triaged,
        rule,
    } = group.first();
    let mut notes: Vec<String> = summary::cause(group.first(), run).into_iter().collect();
    if triaged.cause.is_none()
        && let Some(rule) = rule
    {
        notes.push(format!(
            "allowed by `{}` ({}): {}",
            rule.id, rule.origin, rule.metadata.reason
        ));
    }
    notes.extend(summary::tests(group));
    notes.extend(
        advice::hints_by_names(finding, triaged.culprit.own, &run.triage.names)
            .into_iter()
            .map(String::from),
    );
    notes.extend(summary::conflict(finding, triaged, run).map(|c| c.to_string()));
    notes.extend(summary::leaked_block(finding).map(String::from));
    if group.inherited() > 0 {
        notes.push(format!(
            "{} of the records are the parent process's, printed again after fork",
            group.inherited()
        ));
    }
    notes.extend(summary::notes(finding).map(ToString::to_string));
    notes.iter().map(|note| clean(note)).collect()
}

/// Returns the first places in the logs that report a group.
fn instances(group: &Group<'_>) -> Vec<(usize, u64, Option<u64>)> {
    let instances = group.members.iter().flat_map(|f| &f.finding.instances);
    instances
        .take(MAX_PLACES)
        .map(|i| (i.input, i.first_line, i.pid))
        .collect()
}

/// Returns a source excerpt around a place. `None` if the source is unavailable or the size limit
/// is reached.
fn source(
    spot: &location::Location,
    run: &Run<'_>,
    builder: &mut Builder<'_>,
) -> Option<(u32, Vec<String>)> {
    let line = spot
        .line
        .filter(|_| builder.source_bytes < MAX_SOURCE_BYTES)?;
    let culprit_line = run.sources.line(&spot.file, line)?;
    let first = line.saturating_sub(CONTEXT_LINES).max(1);
    let text = |n: u32| {
        if n == line {
            Some(culprit_line.clone())
        } else {
            run.sources.line(&spot.file, n)
        }
    };
    let lines: Vec<String> = (first..=line + CONTEXT_LINES)
        .map_while(text)
        .map(|l| clean(&summary::shortened(&l, 200).replace('\t', "    ")))
        .collect();
    builder.source_bytes += lines.iter().map(String::len).sum::<usize>();
    Some((first, lines))
}

/// Generates rules that accept the findings of groups.
fn rules(groups: &[Group<'_>], run: &Run<'_>) -> BTreeMap<String, Rule> {
    let mut remaining = MAX_RULE_BYTES;
    let mut rules = BTreeMap::new();
    for rule in summary::suggested_rules(groups, MAX_RULES, run) {
        let text = rule.text.map_err(|error| error.to_string());
        let size = text.as_ref().map_or_else(String::len, String::len);
        let Some(left) = remaining.checked_sub(size) else {
            break;
        };
        remaining = left;
        let (text, error) = match text {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(error)),
        };
        rules.insert(rule.fingerprint, Rule { text, error });
    }
    rules
}
