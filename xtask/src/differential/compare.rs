//! What a suppression file did: the difference of two runs, held against what the tool counted.

use std::collections::BTreeSet;

use super::matrix::{Checker, Log};
use super::records::{Record, Report};
use super::referee;
use crate::Outcome;

/// What the tool did with a file.
pub(super) enum Effect {
    Refused {
        why: String,
        line: Option<usize>,
    },
    /// valgrind itself failed over the file.
    Crashed {
        why: String,
    },
    Hides {
        /// First lines of the records that were gone.
        hidden: Vec<usize>,
        /// Those among them that no template matched: only suppressed blocks lead to them.
        behind: Vec<usize>,
        used: Used,
    },
}

/// What the tool counted itself.
#[derive(Default)]
pub(super) enum Used {
    /// It says nothing that names an entry for sure: XML.
    #[default]
    Unknown,
    /// valgrind: the lines of the names of the entries used.
    Entries(BTreeSet<usize>),
    /// LSan: the table of suppressions used.
    Templates {
        templates: BTreeSet<String>,
        bytes: u64,
        blocks: u64,
    },
}

/// How the tool refused the file or failed over it, if it did.
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

/// What was gone in the run with `file`, which holds `supp`; an error where the tool's own counts
/// say something else.
pub(super) fn effect(
    log: &Log,
    plain: &Report,
    with: &Report,
    file: &str,
    supp: &str,
) -> Outcome<Effect> {
    let left: BTreeSet<&str> = with
        .records
        .iter()
        .map(|record| record.key.as_str())
        .collect();
    let known: BTreeSet<&str> = plain
        .records
        .iter()
        .map(|record| record.key.as_str())
        .collect();
    if let Some(new) = left.difference(&known).next() {
        return Err(format!("a record that the plain log lacks: {new}").into());
    }
    let gone: Vec<&Record> = plain
        .records
        .iter()
        .filter(|record| !left.contains(record.key.as_str()))
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
    fn reads_how_a_file_was_refused() {
        let printed = "==1== FATAL: in suppressions file \"a\" near line 3:\n==1==    unexpected '}'\n==1== exiting now.\n";
        let Some(Effect::Refused { why, line }) = refusal(printed) else {
            panic!("not refused")
        };
        assert_eq!((why.as_str(), line), ("unexpected '}'", Some(3)));
    }
}
