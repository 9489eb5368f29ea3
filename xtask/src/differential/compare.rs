//! The effect of a suppression file: the difference between two runs, checked against the tool's
//! own counts.

use std::collections::BTreeSet;

use super::matrix::{Checker, Log};
use super::records::{Record, Report};
use super::referee;
use crate::Outcome;

/// What the tool did with a suppression file.
pub(super) enum Effect {
    Refused {
        why: String,
        line: Option<usize>,
    },
    /// valgrind itself crashed because of the file.
    Crashed {
        why: String,
    },
    Hides {
        /// First lines of the records that disappeared.
        hidden: Vec<usize>,
        /// The hidden records that no template matched: only suppressed blocks point to them.
        behind: Vec<usize>,
        used: Used,
    },
}

/// The entries that the tool reported as used.
#[derive(Default)]
pub(super) enum Used {
    /// XML, which doesn't identify entries reliably.
    #[default]
    Unknown,
    /// valgrind: the lines of the names of used entries.
    Entries(BTreeSet<usize>),
    /// LSan: the table of used suppressions.
    Templates {
        templates: BTreeSet<String>,
        bytes: u64,
        blocks: u64,
    },
}

/// Returns how the tool refused the file or crashed because of it; `None` if it did neither.
pub(super) fn refusal(printed: &str) -> Option<Effect> {
    let mut lines = printed.lines();
    while let Some(line) = lines.next() {
        if line.contains("failed to parse suppressions") {
            return Some(Effect::Refused {
                why: "failed to parse suppressions".to_owned(),
                line: None,
            });
        }
        if line.contains(": Assertion '") || line.contains("the 'impossible' happened") {
            let why = line.split_once(": ").map_or(line, |(_, why)| why);
            return Some(Effect::Crashed {
                why: why.to_owned(),
            });
        }
        if let Some((_, near)) = line.split_once("FATAL: in suppressions file ") {
            let line = near
                .rsplit_once("near line ")
                .and_then(|(_, number)| number.trim_end_matches(':').parse().ok());
            let why = lines
                .next()
                .and_then(|reason| reason.rsplit_once("==    "))
                .map_or("", |(_, reason)| reason);
            return Some(Effect::Refused {
                why: why.to_owned(),
                line,
            });
        }
    }
    None
}

/// Returns the records that disappeared in the run with `file`, which contains `supp`.
///
/// # Errors
///
/// Fails if the tool's own counts disagree.
pub(super) fn effect(
    log: &Log,
    plain: &Report,
    with: &Report,
    file: &str,
    supp: &str,
) -> Outcome<Effect> {
    let remaining: BTreeSet<&str> = with
        .records
        .iter()
        .map(|record| record.key.as_str())
        .collect();
    let known: BTreeSet<&str> = plain
        .records
        .iter()
        .map(|record| record.key.as_str())
        .collect();
    if let Some(new) = remaining.difference(&known).next() {
        return Err(format!("a record that is not in the plain log: {new}").into());
    }
    let gone: Vec<&Record> = plain
        .records
        .iter()
        .filter(|record| !remaining.contains(record.key.as_str()))
        .collect();
    let (used, behind) = match log.checker() {
        Checker::Lsan => referee::lsan(&gone, &with.rest)?,
        _ if log.is_xml() => (referee::xml(&gone, &with.rest, supp)?, Vec::new()),
        _ => (
            referee::valgrind(&gone, &plain.rest, &with.rest, file)?,
            Vec::new(),
        ),
    };
    Ok(Effect::Hides {
        hidden: gone.iter().map(|record| record.line).collect(),
        behind,
        used,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_parsed() {
        let printed = "==1== FATAL: in suppressions file \"a\" near line 3:\n==1==    unexpected '}'\n==1== exiting now.\n";
        let Some(Effect::Refused { why, line }) = refusal(printed) else {
            panic!("not refused")
        };
        assert_eq!((why.as_str(), line), ("unexpected '}'", Some(3)));
    }
}
