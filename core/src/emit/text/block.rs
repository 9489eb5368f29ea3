//! The block of a finding: kind, amount, location, stacks and number of records.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::super::escape::{inline, terminal};
use super::super::frames::{self, Part, ShownStack};
use super::super::group::Group;
use super::super::location::{self, display_location};
use super::super::summary;
use super::super::{FindingInRun, Run};
use super::paint::Paint;
use crate::advice;
use crate::culprit::Class;
use crate::model::{Finding, FrameInfo, Stack, Text};
use crate::numbers::grouped;
use crate::triage::TriagedFinding;

/// Maximum number of log locations listed per finding.
const MAX_LOCATIONS: usize = 3;

/// Writes the block of a group of findings.
pub(crate) fn write(
    group: &Group<'_>,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let kind = format!("{}{}", new(triaged, run), terminal(finding.kind.as_str()));
    writeln!(
        out,
        "{} {}",
        paint.bad(&kind),
        paint.strong(&terminal(&summary::size(group)))
    )?;
    cause(group, run, paint, out)?;
    if let Some(tests) = summary::tests(group) {
        writeln!(out, "  {} {}", paint.mark("="), terminal(&tests))?;
    }
    notes(finding, paint, out)?;
    location(finding, triaged, run, paint, out)?;
    if let Some(conflict) = summary::conflict(finding, triaged, run) {
        let prose = |text: &str| terminal(text).into_owned();
        let name = |text: &str| paint.whole(&terminal(text)).into_owned();
        let conflict = conflict.map(prose, name);
        writeln!(out, "  {} {conflict}", paint.mark("="))?;
    }
    stacks(finding, triaged, run, paint, out)?;
    footer(group, triaged, run, paint, out)
}

/// Writes all stacks of a finding, each with its label.
pub(super) fn stacks(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    for (at, (stack, classes)) in finding.stacks.iter().zip(&triaged.classes).enumerate() {
        if let Some(heading) = summary::heading(finding, at) {
            writeln!(out, "  {}", paint.dim(&terminal(heading)))?;
        }
        let culprit = triaged.culprit.frame.filter(|_| at == 0);
        self::stack(stack, classes, culprit, run, paint, out)?;
    }
    Ok(())
}

/// Returns the mark of a finding that isn't in the baseline, if there is one.
pub(super) fn new(triaged: &TriagedFinding, run: &Run<'_>) -> &'static str {
    if run.triage.baseline.is_some() && triaged.cause.is_none() {
        "new "
    } else {
        ""
    }
}

/// Writes why a finding is unexpected although a rule or the baseline matches it.
fn cause(group: &Group<'_>, run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(text) = summary::cause(group.first(), run) else {
        return Ok(());
    };
    writeln!(out, "  {} {}", paint.mark("="), terminal(&text))
}

/// Writes the checker's notes about an error, such as the location of a block, or its description
/// of a leaked block without a stack. Notes that only repeat the headline are left out.
fn notes(finding: &Finding, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    const MAX_SHOWN: usize = 4;
    if let Some(text) = summary::leaked_block(finding) {
        writeln!(out, "  {} {}", paint.mark("="), terminal(text))?;
    }
    let is_useful =
        |note: &&Text| !note.starts_with("AddressSanitizer can not") && !note.contains(" of size ");
    for note in summary::notes(finding).filter(is_useful).take(MAX_SHOWN) {
        writeln!(out, "  {} {}", paint.mark("="), terminal(note))?;
    }
    Ok(())
}

/// Writes the hints, the location as `--> file:line:column in function`, and its source line.
fn location(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    hints(finding, triaged, run, paint, out)?;
    let Some(info) = location::culprit_frame(finding, triaged).map(|f| &f.info) else {
        return Ok(());
    };
    let place = display_location(info, run);
    let place = terminal(&place);
    let place = paint.whole(&place);
    let function = culprit_name(finding, info, paint)
        .map(|f| paint.whole(&format!("in {}", terminal(&f))).into_owned());
    let parts = [(!place.is_empty()).then_some(&*place), function.as_deref()];
    let shown = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if !shown.is_empty() {
        writeln!(out, "  {} {shown}", paint.mark("-->"))?;
    }
    source_line(info, run, paint, out)
}

/// Writes the hints about a finding.
pub(super) fn hints(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    for hint in advice::hints_by_names(finding, triaged.culprit.own, &run.triage.names) {
        writeln!(out, "  {} {hint}", paint.mark("="))?;
    }
    Ok(())
}

/// Writes the source line of a frame if it's available.
pub(super) fn source_line(
    info: &FrameInfo,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let (Some(file), Some(line)) = (info.file.as_deref(), info.line) else {
        return Ok(());
    };
    let source = run
        .workspace
        .resolve(file)
        .and_then(|file| run.sources.line(&file, line));
    source.map_or(Ok(()), |source| {
        excerpt(&source, line, info.column, paint, out)
    })
}

/// Writes the source line with a caret under its column, or under its first character that isn't
/// blank.
fn excerpt(
    source: &str,
    line: u32,
    column: Option<u32>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let shown = source.replace('\t', "    ");
    let indent = source.len() - source.trim_start().len();
    let before = column.map_or(indent, |c| (c as usize).saturating_sub(1));
    let head = source.get(..before).unwrap_or_default();
    let width = head
        .chars()
        .map(|c| if c == '\t' { 4 } else { 1 })
        .sum::<usize>();
    let bar = paint.mark("|").into_owned();
    writeln!(out, "  {gutter} {bar}")?;
    writeln!(
        out,
        "  {} {bar} {}",
        paint.mark(&number),
        inline(shown.trim_end())
    )?;
    writeln!(
        out,
        "  {gutter} {bar} {}{}",
        " ".repeat(width),
        paint.bad("^")
    )
}

/// Writes the frames, some of which are folded. See [`ShownStack`].
fn stack(
    stack: &Stack,
    classes: &[Class],
    culprit: Option<usize>,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let full = paint.shows_full_stacks();
    let ShownStack { parts, is_rust } =
        ShownStack::new(stack, classes, culprit, &run.triage.names, full);
    for part in parts {
        let at = match part {
            Part::Folded { name, text, .. } => {
                let name = name.map_or(String::new(), |name| {
                    format!("{} ", paint.whole(&terminal(&name)))
                });
                let text = format!("    … {name}{text}");
                writeln!(out, "{}", paint.dim(&text))?;
                continue;
            }
            Part::Frame(at) => at,
        };
        let text = frame(&stack.frames[at].info, is_rust, run, paint);
        let is_runtime = matches!(classes.get(at), Some(Class::Allocator | Class::Runtime));
        if culprit == Some(at) {
            writeln!(
                out,
                "  {} {}",
                paint.mark(">"),
                paint.strong(text.trim_end())
            )?;
        } else if is_runtime {
            writeln!(out, "    {}", paint.dim(text.trim_end()))?;
        } else {
            writeln!(out, "    {}", text.trim_end())?;
        }
    }
    Ok(())
}

/// Returns the name and location of a frame.
fn frame(info: &FrameInfo, is_rust: bool, run: &Run<'_>, paint: Paint) -> String {
    let place = display_location(info, run);
    let name = frames::name(info, is_rust);
    let name = terminal(&name);
    format!("{}  {}", paint.whole(&name), paint.whole(&terminal(&place)))
}

/// Returns the shown name of the function to look at. `None` if it has none.
pub(super) fn culprit_name(finding: &Finding, info: &FrameInfo, paint: Paint) -> Option<String> {
    let stack = finding.primary().filter(|_| !paint.shows_full_stacks());
    info.name()?;
    Some(frames::name(info, stack.is_some_and(frames::is_rust)).into_owned())
}

/// Writes the checker, the first locations in the logs, and the fingerprint.
fn footer(
    group: &Group<'_>,
    triaged: &TriagedFinding,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let text = format!("  {}", log_places(group, run, paint, true));
    writeln!(out, "{}", paint.dim(&text))?;
    writeln!(out, "{}", paint.dim(&format!("  {}", triaged.fingerprint)))
}

/// Returns the checker, the number of records and their first locations in the logs, with or without
/// the pids of the processes.
pub(super) fn log_places(
    group: &Group<'_>,
    run: &Run<'_>,
    paint: Paint,
    with_pids: bool,
) -> String {
    let records = group.records();
    let instances = group.members.iter().flat_map(|f| &f.finding.instances);
    let mut places: Vec<String> = instances
        .take(MAX_LOCATIONS)
        .map(|i| {
            let input = run
                .parsed
                .inputs
                .get(i.input)
                .map_or(String::new(), |input| input.display_name());
            let pid = i.pid.filter(|_| with_pids);
            let pid = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            format!("{}:{}{pid}", paint.whole(&terminal(&input)), i.first_line)
        })
        .collect();
    if records > places.len() as u64 {
        places.push(String::from("…"));
    }
    let number = if records == 1 {
        String::new()
    } else {
        format!("{} records: ", grouped(records))
    };
    let inherited = match group.inherited() {
        0 => String::new(),
        n => format!(
            "; {} repeated from the parent process after fork",
            grouped(n)
        ),
    };
    format!(
        "{} {number}{}{inherited}",
        group.first().finding.tool,
        places.join(", ")
    )
}
