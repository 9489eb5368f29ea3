//! What every document says of a finding, in plain words that are not escaped yet.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashSet;

use super::Run;
use super::group::Group;
use super::places::{culprit, place};
use super::style::Suppress;
use crate::advice::Help;
use crate::model::{Finding, Stack, Text};
use crate::numbers::{amount, grouped};
use crate::rules::{Language, Wording, Written};
use crate::triage::{Cause, Item};

/// How much leaked, or what the checker says of an error.
pub(crate) fn size(group: &Group<'_>) -> String {
    let Some(leak) = group.leak() else {
        return said(group.first().0).into_owned();
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

/// What was found, in a sentence without its end: `40 bytes in 1 block leaked in make`. Addresses
/// are left out, for they change from run to run.
pub(crate) fn sentence(group: &Group<'_>, run: &Run<'_>) -> String {
    const LONGEST: usize = 300;
    let (finding, item) = group.first();
    let said = without_addresses(&size(group));
    let mut out = match finding.kind.as_str() {
        _ if finding.leak.is_none() && finding.title.starts_with(finding.kind.as_str()) => {
            format!("{}: {said}", finding.kind)
        }
        _ if finding.leak.is_none() => said,
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

/// Without addresses and the words that lead to them; where an address is part of a phrase, `0x…`.
fn without_addresses(said: &str) -> String {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for word in said.split_whitespace() {
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

/// What the checker says of an error, without its kind once more and without registers.
pub(crate) fn said(finding: &Finding) -> Cow<'_, str> {
    let Some(rest) = finding.title.strip_prefix(finding.kind.as_str()) else {
        return Cow::Borrowed(&finding.title);
    };
    let access = finding.notes.iter().find(|n| n.contains(" of size "));
    let rest = rest.split_once(" at pc 0x").map_or(rest, |(head, _)| head);
    let access = access.map_or("", |n| n.split(" at 0x").next().unwrap_or(n));
    Cow::Owned(
        format!("{access}{rest}")
            .trim_start_matches([':', ' '])
            .to_string(),
    )
}

/// Why a finding is unexpected although something was said about it.
pub(crate) fn cause(item: &Item, run: &Run<'_>) -> Option<String> {
    let rule = item.rule.and_then(|at| run.gate.rules.get(at));
    let named = rule.map_or(String::new(), |r| format!("`{}` ({})", r.id, r.origin));
    Some(match item.cause? {
        Cause::ExpiredRule => {
            let last = rule
                .and_then(|r| r.expires)
                .map_or(String::new(), |day| format!(" on {day}"));
            format!("the rule {named} expired{last}")
        }
        Cause::OverLimit => format!("the rule {named} matches more than its limit"),
        Cause::Grown => {
            let grown = run
                .triage
                .baseline
                .iter()
                .flat_map(|b| &b.grown)
                .find(|(f, _)| f == item.fingerprint.as_str());
            format!(
                "it has grown: the baseline knows it as {}",
                grown.map_or("smaller", |(_, was)| was)
            )
        }
    })
}

/// At most so many characters; what is cut off is shown by `…`.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(
            text.chars()
                .take(most.saturating_sub(1))
                .chain(['…'])
                .collect(),
        ),
    }
}

/// What stands above a stack: the checker's words, or what role the stack has.
pub(crate) fn label(stack: &Stack) -> &str {
    let label = stack
        .label
        .as_deref()
        .map(|l| l.trim_end_matches([':', ' ']))
        .filter(|l| !l.is_empty());
    label.unwrap_or(stack.role.as_str())
}

/// What the checker explains, without the lines that stand above stacks.
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

/// The entries of `leakgate.toml` that accept these groups, one for each of the first so many
/// fingerprints.
pub(crate) fn entries(
    groups: &[Group<'_>],
    most: usize,
    run: &Run<'_>,
    suppress: Suppress,
) -> Vec<Written> {
    let mut known = HashSet::new();
    let all = groups
        .iter()
        .map(|group| group.first().1.fingerprint.as_str())
        .filter(|f| known.insert(*f));
    let fingerprints: Vec<String> = all.take(most).map(String::from).collect();
    let wording = Wording {
        reason: String::from("Say here why this is accepted."),
        taken: run.gate.rules.iter().map(|r| r.id.clone()).collect(),
        ..Wording::default()
    };
    suppress(
        run.parsed,
        run.triage,
        &fingerprints,
        Language::Toml,
        &wording,
    )
}

/// All stacks as lines, each frame with its place, and `>` before the frame to look at; a label
/// above each but the first.
pub(crate) fn stacks(finding: &Finding, item: &Item, run: &Run<'_>) -> String {
    const MOST: usize = 40;
    let mut out = String::new();
    for (at, stack) in finding.stacks.iter().enumerate() {
        if at > 0 {
            out += &format!("{}:\n", label(stack));
        }
        for (index, frame) in stack.frames.iter().take(MOST).enumerate() {
            let mark = if at == 0 && item.culprit.frame == Some(index) {
                "  > "
            } else {
                "    "
            };
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

/// What is known of a kind, as markdown: these are leakgate's own words.
pub(crate) fn help(help: &Help) -> String {
    let mut out = format!(
        "{}\n\n**What usually fixes it.** {}\n",
        help.meaning, help.fix
    );
    for (head, text) in [
        ("What is often harmless.", help.harmless),
        ("How to learn more.", help.more),
    ] {
        if let Some(text) = text {
            out += &format!("\n**{head}** {text}\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_change_from_run_to_run_and_are_left_out() {
        for (said, want) in [
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
            assert_eq!(without_addresses(said), want);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        assert_eq!(shortened("caf\u{e9}s", 4), "caf…");
        assert_eq!(shortened("caf\u{e9}", 4), "caf\u{e9}");
    }
}
