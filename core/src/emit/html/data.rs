//! What the page's script needs to know: the findings, each text and each frame once.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::Serialize;

use crate::advice;
use crate::culprit::Class;
use crate::emit::Run;
use crate::emit::escape::terminal;
use crate::emit::group::{Against, Group, groups};
use crate::emit::places;
use crate::emit::style::Suppress;
use crate::emit::words;
use crate::model::{Finding, Frame};
use crate::symbol::simple_name;
use crate::triage::{Disposition, Item};

/// So many places of a group are listed.
const MAX_PLACES: usize = 20;

/// So many rules are written, of the worst findings, until they fill so many bytes; of the others
/// the page shows the command that writes one.
const MAX_RULES: usize = 500;
const MAX_RULE_BYTES: usize = 400_000;

/// All excerpts of sources together.
const MAX_SOURCE_BYTES: usize = 400_000;

/// Lines around the one to look at.
const AROUND: u32 = 2;

#[derive(Serialize)]
pub(super) struct Report<'a> {
    /// Texts, by their index elsewhere.
    texts: Vec<Cow<'a, str>>,
    /// Function, place, class; the first two are texts.
    frames: Vec<(usize, usize, &'static str)>,
    findings: Vec<Row<'a>>,
    help: BTreeMap<&'a str, Help>,
    /// The entry that accepts a fingerprint, or why there is none.
    rules: BTreeMap<String, Rule>,
    inputs: Vec<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    fingerprint: &'a str,
    state: &'static str,
    /// What it is against an earlier run, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    tool: &'a str,
    kind: &'a str,
    said: String,
    records: u64,
    bytes: Option<u64>,
    blocks: Option<u64>,
    function: String,
    place: String,
    /// The frame to look at, of the first stack.
    culprit: Option<usize>,
    notes: Vec<String>,
    stacks: Vec<(Cow<'a, str>, Vec<usize>)>,
    /// Input, line, pid.
    seen: Vec<(usize, u64, Option<u64>)>,
    /// The number of the first line, and the lines.
    source: Option<(u32, Vec<String>)>,
}

#[derive(Serialize)]
struct Help {
    title: &'static str,
    texts: Vec<&'static str>,
}

#[derive(Serialize)]
struct Rule {
    text: Option<String>,
    why: Option<String>,
}

/// Everything about the findings of a run.
pub(super) fn report<'a>(run: &Run<'a>, suppress: Option<Suppress>) -> Report<'a> {
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
            .map(|input| shown(&input.shown()))
            .collect(),
    };
    let mut known = Known {
        against: Against::of(run),
        ..Known::default()
    };
    for state in [
        Disposition::Unexpected,
        Disposition::Baseline,
        Disposition::Allowed,
        Disposition::NotGated,
    ] {
        let groups = groups(run, state);
        if state == Disposition::Unexpected {
            report.rules =
                suppress.map_or_else(BTreeMap::new, |suppress| rules(&groups, run, suppress));
        }
        for group in &groups {
            let row = row(group, state, run, &mut report, &mut known);
            report.findings.push(row);
        }
    }
    report
}

/// What stands in the report already.
#[derive(Default)]
struct Known<'a> {
    against: Against<'a>,
    texts: HashMap<String, usize>,
    frames: HashMap<(usize, usize, Class), usize>,
    source: usize,
}

impl Known<'_> {
    fn text<'a>(&mut self, text: Cow<'a, str>, texts: &mut Vec<Cow<'a, str>>) -> usize {
        if let Some(at) = self.texts.get(text.as_ref()) {
            return *at;
        }
        self.texts.insert(text.to_string(), texts.len());
        texts.push(text);
        texts.len() - 1
    }

    fn frame<'a>(
        &mut self,
        frame: &'a Frame,
        class: Class,
        run: &Run<'a>,
        report: &mut Report<'a>,
    ) -> usize {
        let name = self.text(
            terminal(frame.site.name().unwrap_or("?")),
            &mut report.texts,
        );
        let place = self.text(
            shown(&places::place(&frame.site, run)).into(),
            &mut report.texts,
        );
        let next = report.frames.len();
        let at = *self.frames.entry((name, place, class)).or_insert(next);
        if at == next {
            report.frames.push((name, place, class.as_str()));
        }
        at
    }
}

fn row<'a>(
    group: &Group<'a>,
    state: Disposition,
    run: &Run<'a>,
    report: &mut Report<'a>,
    known: &mut Known<'_>,
) -> Row<'a> {
    let (finding, item) = group.first();
    let leak = group.leak();
    let help = advice::of(&finding.kind);
    report
        .help
        .entry(finding.kind.as_str())
        .or_insert_with(|| Help {
            title: help.title,
            texts: help.texts().collect(),
        });
    let mut stacks = Vec::new();
    for (at, (stack, classes)) in finding.stacks.iter().zip(&item.classes).enumerate() {
        let frames = stack
            .frames
            .iter()
            .zip(classes)
            .map(|(frame, class)| known.frame(frame, *class, run, report))
            .collect();
        stacks.push((
            if at == 0 {
                Cow::Borrowed("")
            } else {
                terminal(words::label(stack))
            },
            frames,
        ));
    }
    let culprit = places::culprit(finding, item);
    let spot = culprit.and_then(|frame| places::in_repository(&frame.site, run));
    Row {
        fingerprint: item.fingerprint.as_str(),
        state: state.as_str(),
        change: known.against.word(item),
        tool: finding.tool.as_str(),
        kind: finding.kind.as_str(),
        said: shown(&words::size(group)),
        records: group.records(),
        bytes: leak.map(|l| l.bytes),
        blocks: leak.map(|l| l.blocks),
        function: culprit
            .and_then(|f| f.site.name())
            .map_or(String::new(), |name| shown(&simple_name(name))),
        place: culprit.map_or(String::new(), |f| shown(&places::place(&f.site, run))),
        culprit: item.culprit.frame,
        notes: notes(finding, item, group, run),
        stacks,
        seen: seen(group),
        source: spot.and_then(|spot| source(&spot, run, known)),
    }
}

/// A text of a log without what is not seen.
fn shown(text: &str) -> String {
    terminal(text).into_owned()
}

/// What is to be said of a finding besides, the checker's own words last.
fn notes(finding: &Finding, item: &Item, group: &Group<'_>, run: &Run<'_>) -> Vec<String> {
    let mut notes: Vec<String> = words::cause(item, run).into_iter().collect();
    if item.cause.is_none()
        && let Some(rule) = item.rule.and_then(|at| run.gate.rules.get(at))
    {
        notes.push(format!(
            "allowed by `{}` ({}): {}",
            rule.id, rule.origin, rule.about.reason
        ));
    }
    notes.extend(
        advice::hints(finding, item.culprit.own)
            .into_iter()
            .map(String::from),
    );
    if group.inherited() > 0 {
        notes.push(format!(
            "{} of the records are the parent's, printed again after fork",
            group.inherited()
        ));
    }
    notes.extend(words::notes(finding).map(ToString::to_string));
    notes.iter().map(|note| shown(note)).collect()
}

fn seen(group: &Group<'_>) -> Vec<(usize, u64, Option<u64>)> {
    let instances = group.members.iter().flat_map(|(f, _)| &f.instances);
    instances
        .take(MAX_PLACES)
        .map(|i| (i.input, i.first_line, i.pid))
        .collect()
}

/// Lines around a place, as far as they may be shown and all of them together are not too many.
fn source(spot: &places::Spot, run: &Run<'_>, known: &mut Known<'_>) -> Option<(u32, Vec<String>)> {
    let line = spot.line.filter(|_| known.source < MAX_SOURCE_BYTES)?;
    let middle = run.sources.line(&spot.file, line)?;
    let first = line.saturating_sub(AROUND).max(1);
    let text = |n: u32| {
        if n == line {
            Some(middle.clone())
        } else {
            run.sources.line(&spot.file, n)
        }
    };
    let lines: Vec<String> = (first..=line + AROUND)
        .map_while(text)
        .map(|l| shown(&words::shortened(&l, 200).replace('\t', "    ")))
        .collect();
    known.source += lines.iter().map(String::len).sum::<usize>();
    Some((first, lines))
}

fn rules(groups: &[Group<'_>], run: &Run<'_>, suppress: Suppress) -> BTreeMap<String, Rule> {
    let mut room = MAX_RULE_BYTES;
    let mut rules = BTreeMap::new();
    for written in words::entries(groups, MAX_RULES, run, suppress) {
        let size = written.text.as_ref().map_or_else(String::len, String::len);
        let Some(left) = room.checked_sub(size) else {
            break;
        };
        room = left;
        let (text, why) = match written.text {
            Ok(text) => (Some(text), None),
            Err(why) => (None, Some(why)),
        };
        rules.insert(written.fingerprint, Rule { text, why });
    }
    rules
}
