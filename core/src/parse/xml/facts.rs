//! Metadata of a run in valgrind's XML: arguments, version, totals.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::memcheck::amount;
use super::element::{XmlPart, texts, unescape};
use crate::model::{Amount, LeakSummary, Report, ShownLeaks, Text, Tool};

/// Returns the text between the first start tag and the next tag.
pub(crate) fn inner_text(element: &str) -> String {
    let inner = element.split_once('>').map_or("", |(_, rest)| rest);
    unescape(inner.split('<').next().unwrap_or_default().trim()).into_owned()
}

/// Returns the text of the first element with this name.
pub(crate) fn value<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    xml[start..].split('<').next()
}

/// Parses `<name><bytes>…</bytes><blocks>…</blocks></name>`. 3.26.0 omits an end tag.
pub(crate) fn amounts(xml: &str, name: &str) -> Option<Amount> {
    let start = xml.find(&format!("<{name}>"))?;
    let rest = &xml[start..];
    let number = |tag| {
        value(rest, tag)
            .and_then(|v| amount(v.trim().as_bytes()))
            .map(|a| a.0)
    };
    Some(Amount {
        bytes: number("bytes")?,
        blocks: number("blocks").or_else(|| number("in_blocks"))?,
    })
}

/// Parses a `<leak_summary>`.
pub(crate) fn leak_summary(xml: &str) -> LeakSummary {
    let mut summary = LeakSummary::default();
    let LeakSummary {
        definite,
        indirect,
        possible,
        reachable,
        suppressed,
        lines,
    } = &mut summary;
    let fields = [
        ("definitely_lost", definite),
        ("indirectly_lost", indirect),
        ("possibly_lost", possible),
        ("still_reachable", reachable),
        ("suppressed", suppressed),
    ];
    for (name, field) in fields {
        if let Some(amount) = amounts(xml, name) {
            *field = amount;
            *lines += 1;
        }
    }
    summary
}

/// Converts the text of `<tool>`.
pub(crate) fn tool(name: &str) -> Tool {
    match name {
        "memcheck" => Tool::Memcheck,
        "helgrind" => Tool::Helgrind,
        "drd" => Tool::Drd,
        _ => Tool::Custom(name.into()),
    }
}

/// Returns valgrind's version from the text of `<preamble>`.
pub(crate) fn version(preamble: &str) -> Option<Text> {
    let (_, rest) = preamble.split_once("Using Valgrind-")?;
    rest.split([' ', ';', '<']).next().map(Text::from)
}

/// Sets the command of a report, and the facts that valgrind's own options state.
pub(crate) fn arguments(xml: &str, report: &mut Report) {
    let mut options = Vec::new();
    let mut program = Vec::new();
    let mut in_program = false;
    let _ = texts(xml, |name, part| match part {
        XmlPart::Open => in_program = in_program && name != "vargv" || name == "argv",
        XmlPart::Text(text) if in_program => program.push(unescape(text.trim()).into_owned()),
        XmlPart::Text(text) => options.push(unescape(text.trim()).into_owned()),
    });
    report.command = (!program.is_empty()).then(|| program.join(" ").into());
    report.shown_leaks = Some(shown_leaks(&options));
    report.callers = Some(callers(&options));
    let origins = options
        .iter()
        .rev()
        .find_map(|o| o.strip_prefix("--track-origins="));
    report.tracks_origins = Some(origins == Some("yes"));
}

/// Returns the value of `--num-callers`; the default is 12 (`m_options.c`).
fn callers(options: &[String]) -> u32 {
    let given = options
        .iter()
        .rev()
        .find_map(|o| o.strip_prefix("--num-callers="));
    given.and_then(|n| n.parse().ok()).unwrap_or(12)
}

/// Returns the leaks that valgrind prints with these options. For each option, the last occurrence
/// counts. `--leak-check` is ignored: with XML, valgrind always does a full leak check
/// (`mc_main.c`, `mc_post_clo_init`).
pub(crate) fn shown_leaks(options: &[String]) -> ShownLeaks {
    let mut kinds = ShownLeaks {
        definite: true,
        possible: true,
        ..ShownLeaks::default()
    };
    for option in options {
        match option.split_once('=') {
            Some(("--show-leak-kinds", list)) => {
                let has = |kind| list == "all" || list.split(',').any(|k| k.trim() == kind);
                kinds = ShownLeaks {
                    definite: has("definite"),
                    indirect: has("indirect"),
                    possible: has("possible"),
                    reachable: has("reachable"),
                };
            }
            Some(("--show-reachable", yes)) => {
                kinds.reachable = yes == "yes";
                kinds.indirect = yes == "yes";
            }
            Some(("--show-possibly-lost", yes)) => kinds.possible = yes == "yes",
            _ => {}
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn options_decide_which_leaks_are_shown() {
        let shown = |options: &[&str]| {
            let s = shown_leaks(&options.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>());
            (s.definite, s.indirect, s.possible, s.reachable)
        };
        assert_eq!(shown(&["--leak-check=no"]), (true, false, true, false));
        assert_eq!(shown(&["--leak-check=full"]), (true, false, true, false));
        assert_eq!(
            shown(&["--leak-check=full", "--show-leak-kinds=definite"]),
            (true, false, false, false)
        );
        assert_eq!(
            shown(&["--leak-check=yes", "--show-reachable=yes"]),
            (true, true, true, true)
        );
    }
}
