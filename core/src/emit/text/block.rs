//! One finding as a block: what, how much, where in your code, the stacks, how often.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use super::super::Run;
use super::super::escape::{inline, terminal};
use super::super::group::Group;
use super::super::places::{self, place};
use super::super::words;
use super::paint::Paint;
use crate::advice;
use crate::culprit::Class;
use crate::model::{Finding, Site, Stack, Text};
use crate::numbers::{count, grouped};
use crate::triage::Item;

/// Places where a finding was seen that are listed.
const MAX_PLACES: usize = 3;

/// Writes a group.
pub(crate) fn write(
    group: &Group<'_>,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let (finding, item) = group.first();
    // Beside a baseline it tells that this finding is not in it.
    let new = if run.triage.baseline.is_some() && item.cause.is_none() {
        "new "
    } else {
        ""
    };
    let kind = format!("{new}{}", terminal(finding.kind.as_str()));
    writeln!(
        out,
        "{} {}",
        paint.bad(&kind),
        paint.strong(&terminal(&words::size(group)))
    )?;
    cause(item, run, paint, out)?;
    notes(finding, paint, out)?;
    location(finding, item, run, paint, out)?;
    for (at, (stack, classes)) in finding.stacks.iter().zip(&item.classes).enumerate() {
        if at > 0 {
            writeln!(out, "  {}", paint.dim(&terminal(words::label(stack))))?;
        }
        let culprit = item.culprit.frame.filter(|_| at == 0);
        self::stack(stack, classes, culprit, run, paint, out)?;
    }
    footer(group, item, run, paint, out)
}

/// Why it is unexpected although something was said about it.
fn cause(item: &Item, run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(text) = words::cause(item, run) else {
        return Ok(());
    };
    writeln!(out, "  {} {}", paint.mark("="), terminal(&text))
}

/// What the checker explains of an error; where a block lies is often what tells most.
fn notes(finding: &Finding, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    const MAX_SHOWN: usize = 4;
    let tells =
        |note: &&Text| !note.starts_with("AddressSanitizer can not") && !note.contains(" of size ");
    for note in words::notes(finding).filter(tells).take(MAX_SHOWN) {
        writeln!(out, "  {} {}", paint.mark("="), terminal(note))?;
    }
    Ok(())
}

/// `--> file:line:column in function`, and the line itself with a caret.
fn location(
    finding: &Finding,
    item: &Item,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    for hint in advice::hints(finding, item.culprit.own) {
        writeln!(out, "  {} {hint}", paint.mark("="))?;
    }
    let Some(site) = places::culprit(finding, item).map(|f| &f.site) else {
        return Ok(());
    };
    const BESIDE: usize = 10;
    let place = place(site, run);
    let place = terminal(&place);
    let room = BESIDE + place.chars().count();
    let function = site
        .name()
        .map(|f| format!("in {}", paint.fit(&terminal(f), room)));
    let parts = [(!place.is_empty()).then_some(&*place), function.as_deref()];
    let shown = parts
        .into_iter()
        .flatten()
        .collect::<alloc::vec::Vec<_>>()
        .join(" ");
    if !shown.is_empty() {
        writeln!(out, "  {} {shown}", paint.mark("-->"))?;
    }
    let (Some(file), Some(line)) = (site.file.as_deref(), site.line) else {
        return Ok(());
    };
    let source = run
        .workspace
        .resolve(file)
        .and_then(|file| run.sources.line(&file, line));
    source.map_or(Ok(()), |source| {
        excerpt(&source, line, site.column, paint, out)
    })
}

/// The source line with a caret under its column, or under its first letter.
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

/// The frames, with runs of allocator and runtime frames folded.
fn stack(
    stack: &Stack,
    classes: &[Class],
    culprit: Option<usize>,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut at = 0;
    while at < stack.frames.len() {
        let folded = classes[at..]
            .iter()
            .take_while(|c| matches!(c, Class::Allocator | Class::Runtime))
            .count();
        if folded > 1 {
            let frames = |n: usize| count(n as u64, "frame", "frames");
            let text = match stack.frames[at].site.name() {
                Some(first) => {
                    let rest = format!("and {} of allocator and runtime", frames(folded - 1));
                    format!(
                        "    … {} {rest}",
                        paint.fit(&terminal(first), 7 + rest.len())
                    )
                }
                None => format!("    … {} of allocator and runtime", frames(folded)),
            };
            writeln!(out, "{}", paint.dim(&text))?;
            at += folded;
            continue;
        }
        let site = &stack.frames[at].site;
        let text = frame(site, run, paint);
        if culprit == Some(at) {
            writeln!(
                out,
                "  {} {}",
                paint.mark(">"),
                paint.strong(text.trim_end())
            )?;
        } else if folded == 1 {
            writeln!(out, "    {}", paint.dim(text.trim_end()))?;
        } else {
            writeln!(out, "    {}", text.trim_end())?;
        }
        at += 1;
    }
    Ok(())
}

/// Name and place; in a narrow terminal the name gives way.
fn frame(site: &Site, run: &Run<'_>, paint: Paint) -> String {
    const BESIDE: usize = 6;
    let place = place(site, run);
    let place = terminal(&place);
    let name = terminal(site.name().unwrap_or("?"));
    format!(
        "{}  {place}",
        paint.fit(&name, BESIDE + place.chars().count())
    )
}

fn footer(
    group: &Group<'_>,
    item: &Item,
    run: &Run<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let records = group.records();
    let instances = group.members.iter().flat_map(|(f, _)| &f.instances);
    let mut places: alloc::vec::Vec<String> = instances
        .take(MAX_PLACES)
        .map(|i| {
            let input = run
                .parsed
                .inputs
                .get(i.input)
                .map_or(String::new(), |input| input.shown());
            let pid = i.pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            format!("{}:{}{pid}", terminal(&input), i.first_line)
        })
        .collect();
    if records > places.len() as u64 {
        places.push(String::from("…"));
    }
    let often = if records == 1 {
        String::new()
    } else {
        format!("{} records: ", grouped(records))
    };
    let inherited = match group.inherited() {
        0 => String::new(),
        n => format!("; {} the parent's, printed again after fork", grouped(n)),
    };
    let text = format!(
        "  {} {often}{}{inherited}",
        group.first().0.tool,
        places.join(", ")
    );
    writeln!(out, "{}", paint.dim(&text))?;
    writeln!(out, "{}", paint.dim(&format!("  {}", item.fingerprint)))
}
