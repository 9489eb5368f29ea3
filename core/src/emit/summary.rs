//! Texts about a finding that several report formats share. They are not escaped.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;

use super::frames::{self, Part, ShownStack};
use super::group::Group;
use super::location::{Location, culprit_frame, display_location, repository_location};
use super::{FindingInRun, Run};
use crate::advice::Help;
use crate::culprit::Class;
use crate::model::{Finding, Frame, Role, Stack, Text};
use crate::numbers::{amount, grouped};
use crate::rules::RuleMetadata;
use crate::suppress::{GeneratedRule, RuleOptions, RuleSyntax, suppress};
use crate::triage::{Cause, TriagedFinding};

/// Returns the leaked amount, or the checker's description of an error.
pub(crate) fn size(group: &Group<'_>) -> String {
    let Some(leak) = group.leak() else {
        return detail(group.first().finding).into_owned();
    };
    let indirect = match leak.indirect_bytes {
        n if n > 0 && leak.direct_bytes > 0 => format!(
            " ({} direct, {} indirect)",
            grouped(leak.direct_bytes),
            grouped(n)
        ),
        _ => String::new(),
    };
    format!("{}{indirect}", amount(leak.bytes, leak.blocks))
}

/// Returns a sentence about a group, without a full stop: `40 bytes in 1 block leaked in make`.
/// Addresses are left out, because they change between runs.
pub(crate) fn headline(group: &Group<'_>, run: &Run<'_>) -> String {
    const MAX_LENGTH: usize = 300;
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let size = without_addresses(&size(group));
    let mut out = match finding.kind.as_str() {
        _ if finding.leak.is_none() && finding.title.starts_with(finding.kind.as_str()) => {
            format!("{}: {size}", finding.kind)
        }
        _ if finding.leak.is_none() => size,
        "leak-possible" => format!("{size} possibly leaked"),
        "leak-indirect" => format!("{size} leaked indirectly"),
        "leak-reachable" => format!("{size} still reachable"),
        _ => format!("{size} leaked"),
    };
    out = shortened(out.trim_end_matches([' ', ':']), MAX_LENGTH).into_owned();
    if let Some(name) = culprit_frame(finding, triaged).and_then(|frame| frame.info.name()) {
        out += &format!(" in {}", shortened(name, MAX_LENGTH));
    }
    if let Some(tests) = tests(group) {
        out += &format!(", {tests}");
    }
    if let Some(cause) = cause(group.first(), run) {
        out += &format!("; {cause}");
    }
    out
}

/// Returns the tests that caused a group: `in tests A.b, A.c, and others`. `None` if none is known.
pub(crate) fn tests(group: &Group<'_>) -> Option<String> {
    const MAX_NAMES: usize = 3;
    const MAX_LENGTH: usize = 120;
    let tests = group.tests();
    let names: Vec<Cow<'_, str>> = tests
        .iter()
        .take(MAX_NAMES)
        .map(|name| shortened(name, MAX_LENGTH))
        .collect();
    let word = match tests.len() {
        0 => return None,
        1 => "test",
        _ => "tests",
    };
    let more = match tests.len() - names.len() {
        _ if group.has_more_tests() => String::from(", and others"),
        0 => String::new(),
        n => format!(", and {} more", grouped(n as u64)),
    };
    Some(format!("in {word} {}{more}", names.join(", ")))
}

/// Removes addresses and the words before them. An address within a word becomes `0x…`.
fn without_addresses(text: &str) -> String {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for word in text.split_whitespace() {
        if !word.contains("0x") {
            words.push(word.into());
        } else if word
            .trim_matches(['(', ')', ':', ','])
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            while words
                .last()
                .is_some_and(|w| ["on", "at", "address", "unknown"].contains(&&**w))
            {
                words.pop();
            }
        } else {
            let mut parts = word.split("0x");
            let first = parts.next().unwrap_or_default();
            let rest = parts.map(|part| {
                format!(
                    "0x…{}",
                    part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
                )
            });
            words.push(format!("{first}{}", rest.collect::<String>()).into());
        }
    }
    let out = words.join(" ");
    let thread = out
        .rsplit_once(" in thread T")
        .filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit()));
    String::from(
        thread
            .map_or(out.as_str(), |(head, _)| head)
            .trim_end_matches([' ', ':']),
    )
}

/// Returns the checker's description of an error, without its kind and without registers.
pub(crate) fn detail(finding: &Finding) -> Cow<'_, str> {
    let Some(rest) = finding.title.strip_prefix(finding.kind.as_str()) else {
        return Cow::Borrowed(&finding.title);
    };
    let access = finding.notes.iter().find(|n| is_access(n));
    let rest = rest.split_once(" at pc 0x").map_or(rest, |(head, _)| head);
    let end = |n: &str| n.find(" at 0x").or_else(|| n.find(" at addr "));
    let access = access.map_or("", |n| &n[..end(n).unwrap_or(n.len())]);
    Cow::Owned(
        format!("{access}{rest}")
            .trim_start_matches([':', ' '])
            .to_string(),
    )
}

/// Returns true for a note about the access: `READ of size 4 at 0x6020 thread T0`, or the kernel's
/// `Read at addr 0dff000012345600 by task demo/52`.
fn is_access(note: &str) -> bool {
    (note.contains(" of size ") || note.contains(" at addr ")) && !note.starts_with("which ")
}

/// Returns why a finding is unexpected although a rule or the baseline matches it. `None` if
/// neither does.
pub(crate) fn cause(found: FindingInRun<'_>, run: &Run<'_>) -> Option<String> {
    let FindingInRun { triaged, rule, .. } = found;
    let name = rule.map_or(String::new(), |r| format!("`{}` ({})", r.id, r.origin));
    Some(match triaged.cause? {
        Cause::ExpiredRule => match rule.and_then(|rule| run.gate.expiry(rule)) {
            Some(expiry) => format!("rule {name} {expiry}"),
            None => format!("rule {name} expired"),
        },
        Cause::OverLimit => format!("rule {name} matches more than its limit"),
        Cause::Grown => {
            let grown = run
                .triage
                .baseline
                .iter()
                .flat_map(|b| &b.grown)
                .find(|grown| grown.fingerprint == triaged.fingerprint.as_str());
            match grown {
                Some(grown) => format!("grown since the baseline, from {}", grown.before),
                None => String::from("grown since the baseline"),
            }
        }
    })
}

/// Shortens text to at most `max` characters. An omitted end is replaced by `…`.
pub(crate) fn shortened(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(
            text.chars()
                .take(max.saturating_sub(1))
                .chain(['…'])
                .collect(),
        ),
    }
}

/// Returns the label of a stack: the checker's, or the role of the stack.
pub(crate) fn label(stack: &Stack) -> &str {
    let label = stack
        .label
        .as_deref()
        .map(|l| l.trim_end_matches([':', ' ']))
        .filter(|l| !l.is_empty());
    label.unwrap_or(stack.role.as_str())
}

/// Returns the label of a stack, unless the finding's headline introduces it. The first stack has a
/// label only if another access conflicts with it.
pub(crate) fn heading(finding: &Finding, at: usize) -> Option<&str> {
    let stack = finding.stacks.get(at)?;
    let has_label = stack.label.as_ref().is_some_and(|label| !label.is_empty());
    let is_race = || finding.stacks.iter().any(|s| s.role == Role::Conflict);
    (at > 0 || (has_label && is_race())).then(|| label(stack))
}

/// The access that a race conflicts with, and the frame to look at. It's displayed as
/// `Previous write of size 4 by thread T1: src/a.c:16:12 in count`.
pub(crate) struct Conflict {
    pub(crate) access: String,
    /// Empty if the frame has no location.
    pub(crate) place: String,
    /// Empty if the frame has no function.
    pub(crate) function: String,
    /// The place in the repository. `None` if it isn't there.
    pub(crate) location: Option<Location>,
}

impl Conflict {
    /// Changes the access with `prose`, and the place and the function with `name`.
    pub(crate) fn map(self, prose: impl Fn(&str) -> String, name: impl Fn(&str) -> String) -> Self {
        Self {
            access: prose(&self.access),
            place: name(&self.place),
            function: name(&self.function),
            location: self.location,
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.access)?;
        if !self.place.is_empty() || !self.function.is_empty() {
            f.write_str(":")?;
        }
        if !self.place.is_empty() {
            write!(f, " {}", self.place)?;
        }
        if !self.function.is_empty() {
            write!(f, " in {}", self.function)?;
        }
        Ok(())
    }
}

/// Returns the access that a race conflicts with. `None` for other findings.
pub(crate) fn conflict(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
) -> Option<Conflict> {
    const MAX_LENGTH: usize = 200;
    let at = finding
        .stacks
        .iter()
        .position(|s| s.role == Role::Conflict)?;
    if at == 0 {
        return None;
    }
    let stack = &finding.stacks[at];
    // KCSAN writes `read to 0xffff of 4 bytes`.
    let access = without_addresses(&label(stack).replace(" to 0x", " at 0x"));
    let classes = triaged.classes.get(at).map_or(&[][..], Vec::as_slice);
    let find = |is: fn(&Class) -> bool| {
        let mut frames = stack.frames.iter().zip(classes);
        frames.find(|(_, class)| is(class)).map(|(frame, _)| frame)
    };
    let frame: Option<&Frame> = find(|class| *class == Class::Own)
        .or_else(|| find(|class| !matches!(class, Class::Allocator | Class::Runtime)))
        .or_else(|| stack.frames.first());
    let place = frame.map_or(String::new(), |f| display_location(&f.info, run));
    let function = frame.and_then(|f| f.info.name()).unwrap_or_default();
    let access = access.trim_end_matches([':', ' ']);
    Some(Conflict {
        access: shortened(access, MAX_LENGTH).into_owned(),
        place: shortened(&place, MAX_LENGTH).into_owned(),
        function: shortened(function, MAX_LENGTH).into_owned(),
        location: frame.and_then(|f| repository_location(&f.info, run)),
    })
}

/// Returns what the checker states about a leak that has no stack, such as the class of the block.
/// `None` for other findings.
pub(crate) fn leaked_block(finding: &Finding) -> Option<&str> {
    let is_bare = finding.leak.is_some() && finding.primary().is_none();
    is_bare
        .then_some(&*finding.title)
        .filter(|title| !title.is_empty())
}

/// Returns the checker's notes, without those that are labels of stacks.
pub(crate) fn notes(finding: &Finding) -> impl Iterator<Item = &Text> {
    let labels: HashSet<&Text> = finding
        .stacks
        .iter()
        .filter_map(|stack| stack.label.as_ref())
        .collect();
    finding
        .notes
        .iter()
        .filter(move |note| !labels.contains(note))
}

/// Generates `leakgate.toml` rules that accept the findings of groups, one for each of the first
/// `max` fingerprints.
pub(crate) fn suggested_rules(
    groups: &[Group<'_>],
    max: usize,
    run: &Run<'_>,
) -> Vec<GeneratedRule> {
    let mut known = HashSet::new();
    let all = groups
        .iter()
        .map(|group| group.first().triaged.fingerprint.as_str())
        .filter(|f| known.insert(*f));
    let fingerprints: Vec<String> = all.take(max).map(String::from).collect();
    let options = RuleOptions {
        metadata: RuleMetadata::new("Explain here why this is accepted."),
        taken: run.gate.rules.iter().map(|r| r.id.clone()).collect(),
        ..RuleOptions::default()
    };
    suppress(
        run.parsed,
        run.triage,
        &fingerprints,
        RuleSyntax::Toml,
        &options,
    )
}

/// Returns all stacks as lines. Each frame has its location, the culprit frame is marked with `>`,
/// and each stack but the first is preceded by its label. Unless `full` is true, frames are folded
/// and names shortened as in text reports.
pub(crate) fn stacks(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
    full: bool,
) -> String {
    const MAX_FRAMES: usize = 40;
    let mut out = String::new();
    for (at, stack) in finding.stacks.iter().enumerate() {
        if let Some(heading) = heading(finding, at) {
            out += &format!("{heading}:\n");
        }
        let classes = triaged.classes.get(at).map_or(&[][..], Vec::as_slice);
        let culprit = triaged.culprit.frame.filter(|_| at == 0);
        let ShownStack { parts, is_rust } =
            ShownStack::new(stack, classes, culprit, &run.triage.names, full);
        for part in parts.iter().take(MAX_FRAMES) {
            let index = match part {
                Part::Frame(index) => *index,
                Part::Folded { name, text, .. } => {
                    let name = name.as_deref().map(|name| shortened(name, 200));
                    let name = name.map_or(String::new(), |name| format!("{name} "));
                    out += &format!("    … {name}{text}\n");
                    continue;
                }
            };
            let mark = if culprit == Some(index) {
                "  > "
            } else {
                "    "
            };
            let info = &stack.frames[index].info;
            let name = frames::name(info, is_rust);
            let place = display_location(info, run);
            out += format!(
                "{mark}{}  {}",
                shortened(&name, 200),
                shortened(&place, 200)
            )
            .trim_end();
            out.push('\n');
        }
        if parts.len() > MAX_FRAMES {
            let left = parts[MAX_FRAMES..].iter().map(Part::frames);
            out += &format!("    … {} more frames\n", left.sum::<usize>());
        }
    }
    out
}

/// Returns the explanation of a kind as Markdown. It's not escaped, because it contains no log
/// text.
pub(crate) fn help(help: &Help) -> String {
    let mut out = format!("{}\n\n**How to fix it:** {}\n", help.meaning, help.fix);
    for (heading, text) in [
        ("If it is intended:", help.harmless),
        ("How to learn more:", help.more),
    ] {
        if let Some(text) = text {
            out += &format!("\n**{heading}** {text}\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_removed() {
        for (text, want) in [
            ("READ of size 8 on address 0x603000000048", "READ of size 8"),
            (
                "attempting double-free on 0x603000000040 in thread T0",
                "attempting double-free",
            ),
            (
                "attempting free on address which was not malloc()-ed: 0x7f in thread T0",
                "attempting free on address which was not malloc()-ed",
            ),
            (
                "Possible data race during read of size 4 at 0x10C080 by thread #3",
                "Possible data race during read of size 4 by thread #3",
            ),
            (
                "lock order \"0x10C100 before 0x10C140\" violated",
                "lock order \"0x… before 0x…\" violated",
            ),
            ("(0x55555569cb60)", ""),
            ("on unknown address", "on unknown address"),
        ] {
            assert_eq!(without_addresses(text), want);
        }
    }

    #[test]
    fn text_is_shortened_by_characters() {
        assert_eq!(shortened("caf\u{e9}s", 4), "caf…");
        assert_eq!(shortened("caf\u{e9}", 4), "caf\u{e9}");
    }
}
