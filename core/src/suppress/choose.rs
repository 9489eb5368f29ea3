//! Ways to say something, tried against all findings.
//!
//! To hold one rule after the other against every finding would take a time that grows with the
//! square of the log, so the first ways of all are tried together, by an index; then the second
//! ways of those that are still open.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::culprit::Names;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::rules::{Index, Rule};
use crate::triage::Triage;

/// What comes of asking for the next way.
pub(crate) enum Attempt<W> {
    /// A way, as a text that means the same wherever it is the same, and as it is read back.
    Said {
        way: W,
        text: String,
        rules: Vec<Rule>,
    },
    /// The language has no such way here; there may be another.
    Unsaid,
    /// There are no more ways.
    Over,
}

/// A way that is tried.
struct Trial<W> {
    wish: usize,
    /// Which of the wish's ways it is.
    turn: usize,
    way: W,
    /// The number of its text.
    text: usize,
}

/// For each wish, which is a list of findings, the first way that means exactly these; or what the
/// last one got wrong.
pub(crate) fn choose<W>(
    parsed: &Parsed,
    triage: &Triage,
    names: &mut Names,
    wishes: &[Vec<usize>],
    mut attempt: impl FnMut(usize, usize, &mut Names) -> Attempt<W>,
) -> Vec<Result<W, String>> {
    let mut chosen: Vec<Result<W, String>> = wishes.iter().map(|_| Err(String::new())).collect();
    let mut open: Vec<(usize, usize)> = (0..wishes.len()).map(|wish| (wish, 0)).collect();
    while !open.is_empty() {
        let mut trials = Vec::with_capacity(open.len());
        let mut texts: HashMap<String, usize> = HashMap::new();
        let (mut rules, mut text_of): (Vec<Rule>, Vec<usize>) = (Vec::new(), Vec::new());
        for (wish, mut turn) in open {
            let said = loop {
                match attempt(wish, turn, names) {
                    Attempt::Unsaid => turn += 1,
                    Attempt::Over => break None,
                    Attempt::Said { way, text, rules } => break Some((way, text, rules)),
                }
            };
            let Some((way, text, read)) = said else {
                continue;
            };
            let next = texts.len();
            let text = *texts.entry(text).or_insert(next);
            if text == next {
                text_of.extend(read.iter().map(|_| text));
                rules.extend(read);
            }
            trials.push(Trial {
                wish,
                turn,
                way,
                text,
            });
        }
        let tried: Vec<(usize, usize)> = trials
            .iter()
            .map(|trial| (trial.wish, trial.text))
            .collect();
        let (all, meant) = matched(parsed, triage, names, wishes, &rules, &text_of, &tried);
        open = Vec::new();
        for (
            Trial {
                wish,
                turn,
                way,
                text,
            },
            meant,
        ) in trials.into_iter().zip(meant)
        {
            chosen[wish] = match difference(all[text] - meant, wishes[wish].len() as u64 - meant) {
                None => Ok(way),
                Some(why) => {
                    open.push((wish, turn + 1));
                    Err(why)
                }
            };
        }
    }
    chosen
}

/// How many findings the rules of each text match; and how many of these are meant, for each wish
/// that is tried.
fn matched(
    parsed: &Parsed,
    triage: &Triage,
    names: &mut Names,
    wishes: &[Vec<usize>],
    rules: &[Rule],
    text_of: &[usize],
    tried: &[(usize, usize)],
) -> (Vec<u64>, Vec<u64>) {
    let mut trials_of: Vec<Vec<usize>> = vec![Vec::new(); parsed.findings.len()];
    for (trial, (wish, _)) in tried.iter().enumerate() {
        wishes[*wish]
            .iter()
            .for_each(|at| trials_of[*at].push(trial));
    }
    let (mut all, mut meant) = (
        vec![0; text_of.last().map_or(0, |last| last + 1)],
        vec![0; tried.len()],
    );
    let mut index = Index::new(rules, &parsed.reports);
    for ((finding, item), trials) in parsed.findings.iter().zip(&triage.items).zip(&trials_of) {
        let found = index.matches(finding, &item.fingerprint, &parsed.reports, names);
        // The rules of a text stand together.
        let mut texts: Vec<usize> = found.iter().map(|rule| text_of[*rule as usize]).collect();
        texts.dedup();
        texts.iter().for_each(|text| all[*text] += 1);
        for trial in trials
            .iter()
            .filter(|trial| texts.binary_search(&tried[**trial].1).is_ok())
        {
            meant[*trial] += 1;
        }
    }
    (all, meant)
}

/// Why what was matched is not what was meant; nothing where it is.
fn difference(more: u64, less: u64) -> Option<String> {
    match (more, less) {
        (0, 0) => None,
        (0, n) => Some(format!(
            "it would miss {}",
            count(
                n,
                "finding that shares the fingerprint",
                "findings that share the fingerprint"
            )
        )),
        (n, _) => Some(format!(
            "it would also accept {}",
            count(n, "other finding", "other findings")
        )),
    }
}
