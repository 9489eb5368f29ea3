//! What every document says of a finding, in plain words that are not escaped yet.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use super::Run;
use super::group::Group;
use crate::culprit::Class;
use crate::model::{Finding, Frame, Site};
use crate::numbers::{amount, grouped};
use crate::triage::{Cause, Item};
use crate::verdict::ReasonCode;

/// Where something is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) file: String,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

impl core::fmt::Display for Spot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.file)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, ":{line}:{column}"),
            (Some(line), None) => write!(f, ":{line}"),
            _ => Ok(()),
        }
    }
}

/// How much leaked, or what the checker says of an error.
pub(crate) fn size(group: &Group<'_>) -> String {
    let Some(leak) = group.leak() else { return said(group.first().0).into_owned() };
    let indirect = match leak.indirect_bytes {
        n if n > 0 && leak.direct_bytes > 0 => format!(" ({} direct, {} indirect)", grouped(leak.direct_bytes), grouped(n)),
        _ => String::new(),
    };
    format!("{}{indirect}", amount(leak.bytes, leak.blocks))
}

/// What was found, in a sentence without its end: `40 bytes in 1 block leaked in make`. Addresses are left out, for they change
/// from run to run.
pub(crate) fn sentence(group: &Group<'_>, run: &Run<'_>) -> String {
    const LONGEST: usize = 300;
    let (finding, item) = group.first();
    let said = size(group);
    let said = without_address(&said);
    let mut out = match finding.kind.as_str() {
        _ if finding.leak.is_none() && finding.title.starts_with(finding.kind.as_str()) => format!("{}: {said}", finding.kind),
        _ if finding.leak.is_none() => said.into(),
        "leak-possible" => format!("{said} possibly leaked"),
        "leak-indirect" => format!("{said} leaked indirectly"),
        "leak-reachable" => format!("{said} still reachable"),
        _ => format!("{said} leaked"),
    };
    out = shortened(out.trim_end_matches([' ', ':']), LONGEST).into_owned();
    if let Some(name) = culprit(finding, item).and_then(|frame| frame.site.name()) {
        out += &format!(" in {}", shortened(name, LONGEST));
    }
    if let Some(cause) = cause(item, run) {
        out += &format!("; {cause}");
    }
    out
}

fn without_address(said: &str) -> &str {
    [" on address 0x", " on unknown address", " at 0x"]
        .iter()
        .find_map(|words| said.split_once(words))
        .map_or(said, |(head, _)| head)
}

/// What the checker says of an error, without its kind once more and without registers.
pub(crate) fn said(finding: &Finding) -> Cow<'_, str> {
    let Some(rest) = finding.title.strip_prefix(finding.kind.as_str()) else { return Cow::Borrowed(&finding.title) };
    let access = finding.notes.iter().find(|n| n.contains(" of size "));
    let rest = rest.split_once(" at pc 0x").map_or(rest, |(head, _)| head);
    let access = access.map_or("", |n| n.split(" at 0x").next().unwrap_or(n));
    Cow::Owned(format!("{access}{rest}").trim_start_matches([':', ' ']).to_string())
}

/// Why a finding is unexpected although something was said about it.
pub(crate) fn cause(item: &Item, run: &Run<'_>) -> Option<String> {
    let rule = item.rule.and_then(|at| run.gate.rules.get(at));
    let named = rule.map_or(String::new(), |r| format!("`{}` ({})", r.id, r.origin));
    Some(match item.cause? {
        Cause::ExpiredRule => {
            let last = rule.and_then(|r| r.expires).map_or(String::new(), |day| format!(" on {day}"));
            format!("the rule {named} expired{last}")
        }
        Cause::OverLimit => format!("the rule {named} matches more than its limit"),
        Cause::Grown => {
            let grown = run.triage.baseline.iter().flat_map(|b| &b.grown).find(|(f, _)| f == item.fingerprint.as_str());
            format!("it has grown: the baseline knows it as {}", grown.map_or("smaller", |(_, was)| was))
        }
    })
}

/// `file:line:column`, or the module where there is no file.
pub(crate) fn place(site: &Site, run: &Run<'_>) -> String {
    let Some(file) = site.file.as_deref() else {
        return site.module.as_deref().map_or(String::new(), |m| format!("({m})"));
    };
    let mut out = run.workspace.resolve(file).map_or(Cow::Borrowed(file), Cow::Owned).into_owned();
    if let Some(line) = site.line {
        out += &format!(":{line}");
        if let Some(column) = site.column {
            out += &format!(":{column}");
        }
    }
    out
}

/// The frame to look at.
pub(crate) fn culprit<'a>(finding: &'a Finding, item: &Item) -> Option<&'a Frame> {
    finding.primary()?.frames.get(item.culprit.frame?)
}

/// Where a frame is in the repository; where nothing is known of a repository, as it is printed.
pub(crate) fn in_repository(site: &Site, run: &Run<'_>) -> Option<Spot> {
    let printed = site.file.as_deref()?;
    let leaves = || printed.split(['/', '\\']).any(|part| part == "..");
    let file = run.workspace.resolve(printed).or_else(|| (!run.workspace.is_known() && !leaves()).then(|| printed.into()))?;
    Some(Spot { file, line: site.line.filter(|n| *n > 0), column: site.column.filter(|n| *n > 0) })
}

/// Where a finding is in the repository: at the frame to look at, else at the first frame that lies there at all and is nobody's
/// runtime.
pub(crate) fn spot(finding: &Finding, item: &Item, run: &Run<'_>) -> Option<Spot> {
    let frames = finding.stacks.iter().zip(&item.classes).flat_map(|(stack, classes)| stack.frames.iter().zip(classes));
    let others = frames.filter(|(_, class)| !matches!(class, Class::Allocator | Class::Runtime)).map(|(frame, _)| frame);
    culprit(finding, item).into_iter().chain(others).find_map(|frame| in_repository(&frame.site, run))
}

/// Where the log tells of a finding, by a path that may stand in the repository.
pub(crate) fn log_spot(finding: &Finding, run: &Run<'_>) -> Spot {
    let first = finding.instances.first();
    log_line(first.map_or(0, |i| i.input), first.map_or(0, |i| i.first_line), run)
}

/// A line of a log, by a path that may stand in the repository: services refuse others.
pub(crate) fn log_line(input: usize, line: u64, run: &Run<'_>) -> Spot {
    let name = run.parsed.inputs.get(input).map_or("", |i| i.name.as_str()).replace('\\', "/");
    let name = name.trim_start_matches("./");
    let foreign = name.starts_with('/') || name.split('/').any(|part| part == ".." || part.ends_with(':'));
    let file = if foreign { name.rsplit('/').next().unwrap_or_default() } else { name };
    let file = if file.is_empty() || file == "-" { "stdin" } else { file };
    Spot { file: file.into(), line: u32::try_from(line).ok().filter(|n| *n > 0), column: None }
}

/// Where a reason of the verdict that is no finding has its cause: a line of a log, or of the file that holds a rule.
pub(crate) fn reason_spot(code: ReasonCode, run: &Run<'_>) -> Spot {
    let rules = || run.gate.rules.iter().zip(&run.triage.uses);
    let rule = match code {
        ReasonCode::ExpectationMissed => rules().find(|(_, used)| used.expectation_missed),
        ReasonCode::UnusedRule => rules().find(|(_, used)| used.state() == "unused"),
        _ => None,
    };
    if let Some((rule, _)) = rule {
        return Spot { file: rule.origin.file.clone(), line: Some(rule.origin.line.max(1)), column: None };
    }
    if let Some(problem) = run.parsed.problems.iter().find(|p| p.code.reason() == Some(code)) {
        return log_line(problem.input, problem.line, run);
    }
    if run.parsed.inputs.is_empty() {
        return Spot { file: "leakgate.toml".into(), line: Some(1), column: None };
    }
    log_line(run.parsed.inputs.iter().position(|i| !i.spoke).unwrap_or(0), 1, run)
}

/// At most so many characters; what is cut off is shown by `…`.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(most.saturating_sub(1)).chain(['…']).collect()),
    }
}

/// All stacks as lines, each frame with its place, and `>` before the frame to look at; a label above each but the first.
pub(crate) fn stacks(finding: &Finding, item: &Item, run: &Run<'_>) -> String {
    const MOST: usize = 40;
    let mut out = String::new();
    for (at, stack) in finding.stacks.iter().enumerate() {
        if at > 0 {
            let label = stack.label.as_deref().map(|l| l.trim_end_matches([':', ' '])).filter(|l| !l.is_empty());
            out += &format!("{}:\n", label.unwrap_or(stack.role.as_str()));
        }
        for (index, frame) in stack.frames.iter().take(MOST).enumerate() {
            let mark = if at == 0 && item.culprit.frame == Some(index) { "  > " } else { "    " };
            let (name, place) = (frame.site.name().unwrap_or("?"), place(&frame.site, run));
            out += format!("{mark}{}  {}", shortened(name, 200), shortened(&place, 200)).trim_end();
            out.push('\n');
        }
        if stack.frames.len() > MOST {
            out += &format!("    … {} more frames\n", stack.frames.len() - MOST);
        }
    }
    out
}
