//! The block of several findings that are located in one function: totals, the stack of the
//! largest, and a line for each finding.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;

use super::super::escape::terminal;
use super::super::group::{self, Group};
use super::super::location::{culprit_frame, display_file, display_location};
use super::super::{FindingInRun, Run, summary};
use super::block;
use super::paint::Paint;
use crate::culprit::Class;
use crate::model::{FrameInfo, Kind, Leak};
use crate::numbers::{amount, count};

/// Writes the block of the groups, with lines for at most `max` of them. Returns the number of
/// these lines.
pub(super) fn write(
    groups: &[Group<'_>],
    max: usize,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> Result<usize, fmt::Error> {
    let FindingInRun {
        finding, triaged, ..
    } = groups[0].first();
    heading(groups, run, paint, out)?;
    block::hints(finding, triaged, run, paint, out)?;
    let info = culprit_frame(finding, triaged).map(|frame| &*frame.info);
    let sites = sites(groups.iter().flat_map(|group| &group.members), run);
    if let Some(info) = info {
        place(info, groups, sites, run, paint, out)?;
    }
    if let Some(info) = info.filter(|_| sites == 1) {
        block::source_line(info, run, paint, out)?;
    }
    block::stacks(finding, triaged, run, paint, out)?;
    let callers = different_callers(groups, run);
    for (group, caller) in groups.iter().zip(callers).take(max) {
        line(group, caller.as_deref(), run, paint, out)?;
    }
    Ok(groups.len().min(max))
}

/// Writes the kinds and the total amount, or the number of records of an error.
fn heading(
    groups: &[Group<'_>],
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut kinds: Vec<Cow<'_, str>> = Vec::new();
    for group in groups {
        let kind = terminal(group.first().finding.kind.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let new = block::new(groups[0].first().triaged, run);
    let total = match group::sum(groups.iter().map(own_bytes)) {
        Some(leak) => amount(leak.bytes, leak.blocks),
        None => count(groups.iter().map(Group::records).sum(), "record", "records"),
    };
    writeln!(
        out,
        "{} {}",
        paint.bad(&format!("{new}{}", kinds.join(", "))),
        paint.strong(&total)
    )
}

/// Returns the leaked amount of a group without the bytes that its blocks pointed to: those may be
/// the bytes of another finding of the function.
fn own_bytes(group: &Group<'_>) -> Option<Leak> {
    let leak = group.leak()?;
    let is_indirect = group.first().finding.kind == Kind::LEAK_INDIRECT;
    let bytes = match leak.direct_bytes {
        n if n > 0 && !is_indirect => n,
        _ => leak.bytes,
    };
    Some(Leak { bytes, ..leak })
}

/// Writes the file, the function, and the numbers of findings, sites and records, as
/// `--> src/a.c in make: 3 findings at 2 sites`.
fn place(
    info: &FrameInfo,
    groups: &[Group<'_>],
    sites: usize,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let name = block::culprit_name(groups[0].first().finding, info, paint).unwrap_or_default();
    let function = paint.whole(&format!("in {}", terminal(&name))).into_owned();
    let file = display_file(info, run).or_else(|| {
        let module = info.module.as_deref();
        module.map(|m| Cow::Owned(format!("({m})")))
    });
    let file = file.map_or(String::new(), |file| {
        format!("{} ", paint.whole(&terminal(&file)))
    });
    let number = |n: usize, one, many| count(n as u64, one, many);
    writeln!(
        out,
        "  {} {file}{function}: {} at {}",
        paint.mark("-->"),
        number(groups.len(), "finding", "findings"),
        number(sites, "site", "sites")
    )
}

/// Returns the number of different locations of the frames to look at.
fn sites<'a>(members: impl Iterator<Item = &'a FindingInRun<'a>>, run: &Run<'_>) -> usize {
    let infos = members.filter_map(|found| culprit_frame(found.finding, found.triaged));
    let places = infos.map(|frame| (display_location(&frame.info, run), frame.info.offset));
    places.collect::<HashSet<_>>().len()
}

/// Writes the fingerprint of a finding, its amount, its place and its records.
fn line(
    group: &Group<'_>,
    caller: Option<&str>,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let more = match sites(group.members.iter(), run) {
        0 | 1 => String::new(),
        n => format!(" and {}", count(n as u64 - 1, "other site", "other sites")),
    };
    let place = culprit_frame(finding, triaged)
        .map(|frame| display_location(&frame.info, run))
        .filter(|place| !place.is_empty())
        .map_or(String::new(), |place| {
            format!(" at {}{more}", paint.whole(&terminal(&place)))
        });
    let caller = caller.map_or(String::new(), |caller| {
        format!(", from {}", paint.whole(&terminal(caller)))
    });
    let tests = summary::tests(group).map_or(String::new(), |tests| {
        format!(", {}", paint.whole(&terminal(&tests)))
    });
    writeln!(
        out,
        "  {} {} {}{place}{caller}{tests} {}",
        triaged.fingerprint,
        terminal(finding.kind.as_str()),
        terminal(&summary::size(group)),
        paint.dim(&format!(
            "({})",
            block::log_places(group, run, paint, false)
        ))
    )
}

/// Returns for each group the first caller that distinguishes it, as `parse src/a.c:12`. `None` if
/// all have the same callers, or if there is none at this depth.
fn different_callers(groups: &[Group<'_>], run: &Run<'_>) -> Vec<Option<String>> {
    let callers: Vec<Vec<&FrameInfo>> = groups.iter().map(callers).collect();
    let is_shared = |depth: &usize| {
        let first = callers[0].get(*depth);
        first.is_some() && callers.iter().all(|callers| callers.get(*depth) == first)
    };
    let depth = (0..).take_while(is_shared).count();
    let describe = |info: &&&FrameInfo| {
        let name = run.triage.names.simple(info);
        let place = display_location(info, run);
        String::from(format!("{name} {place}").trim())
    };
    let callers = callers
        .iter()
        .map(|callers| callers.get(depth).as_ref().map(describe));
    callers.collect()
}

/// Returns the frames that called the frame to look at, without runtimes.
fn callers<'a>(group: &Group<'a>) -> Vec<&'a FrameInfo> {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let (Some(stack), Some(classes)) = (finding.primary(), triaged.classes.first()) else {
        return Vec::new();
    };
    let culprit = triaged.culprit.frame.unwrap_or_default();
    let frames = stack.frames.iter().zip(classes).skip(culprit + 1);
    let is_code = |class: &Class| !matches!(class, Class::Allocator | Class::Runtime);
    let code = frames.filter(|(_, class)| is_code(class));
    code.map(|(frame, _)| &*frame.info).collect()
}
