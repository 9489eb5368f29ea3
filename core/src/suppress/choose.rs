//! Finds the first candidate rule that matches exactly the wanted findings.
//!
//! Testing the candidates one after the other would take time that grows with the square of the
//! log's size. Therefore, the first candidates of all goals are tested together with an index, then
//! the second candidates of the goals that are still open, and so on.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Unsupported;
use crate::culprit::FrameCache;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::rules::{Index, Rule};
use crate::triage::{Triage, TriagedFinding};

/// The result of asking for a candidate.
pub(crate) enum Attempt<T> {
    /// A candidate: its text and the rules parsed from it. Candidates with equal texts have equal
    /// rules.
    Candidate {
        value: T,
        text: String,
        rules: Vec<Rule>,
    },
    /// The syntax has no candidate with this number, but maybe one with a higher number.
    Inexpressible,
    /// No candidates are left.
    Exhausted,
}

/// A candidate that is tested.
struct Trial<T> {
    /// Index of the goal.
    goal: usize,
    /// Number of the candidate among those of the goal.
    number: usize,
    value: T,
    /// Index of the candidate's text.
    text: usize,
}

/// The candidates that are tested together.
struct Round<T> {
    trials: Vec<Trial<T>>,
    /// The rules of all texts. Rules of the same text are adjacent.
    rules: Vec<Rule>,
    /// For each rule, the index of its text.
    text_of: Vec<usize>,
}

/// The numbers of findings that the candidates of a round match.
struct MatchCounts {
    /// For each text, the number of matched findings.
    by_text: Vec<u64>,
    /// For each trial, the number of matched findings that belong to its goal.
    wanted: Vec<u64>,
}

/// For each goal, which is a list of findings, returns the first candidate that matches exactly
/// these findings, or the reason why the last one doesn't.
///
/// `attempt` receives the index of a goal and the number of a candidate, counted from 0. A candidate
/// may also match findings for which `is_ignored` returns true; none of them belongs to a goal.
pub(crate) fn choose<T>(
    parsed: &Parsed,
    triage: &Triage,
    cache: &mut FrameCache,
    goals: &[Vec<usize>],
    is_ignored: impl Fn(&TriagedFinding) -> bool,
    mut attempt: impl FnMut(usize, usize, &mut FrameCache) -> Attempt<T>,
) -> Vec<Result<T, Unsupported>> {
    let mut chosen: Vec<Result<T, Unsupported>> =
        goals.iter().map(|_| Err(Unsupported::new(""))).collect();
    let mut open: Vec<(usize, usize)> = (0..goals.len()).map(|goal| (goal, 0)).collect();
    while !open.is_empty() {
        let round = Round::new(&open, cache, &mut attempt);
        let counts = round.count_matches(parsed, triage, cache, goals, &is_ignored);
        open.clear();
        for (trial, wanted) in round.trials.into_iter().zip(counts.wanted) {
            let extra = counts.by_text[trial.text] - wanted;
            let missing = goals[trial.goal].len() as u64 - wanted;
            chosen[trial.goal] = match describe_difference(extra, missing) {
                None => Ok(trial.value),
                Some(difference) => {
                    open.push((trial.goal, trial.number + 1));
                    Err(Unsupported::new(difference))
                }
            };
        }
    }
    chosen
}

impl<T> Round<T> {
    /// Collects the next candidates of the open goals. `open` contains the index of each goal and
    /// the number of its next candidate.
    fn new(
        open: &[(usize, usize)],
        cache: &mut FrameCache,
        mut attempt: impl FnMut(usize, usize, &mut FrameCache) -> Attempt<T>,
    ) -> Self {
        let mut round = Self {
            trials: Vec::with_capacity(open.len()),
            rules: Vec::new(),
            text_of: Vec::new(),
        };
        let mut texts: HashMap<String, usize> = HashMap::new();
        for &(goal, first) in open {
            let mut number = first;
            let candidate = loop {
                match attempt(goal, number, cache) {
                    Attempt::Candidate { value, text, rules } => break Some((value, text, rules)),
                    Attempt::Inexpressible => number += 1,
                    Attempt::Exhausted => break None,
                }
            };
            let Some((value, text, rules)) = candidate else {
                continue;
            };
            let next = texts.len();
            let text = *texts.entry(text).or_insert(next);
            if text == next {
                round.text_of.extend(rules.iter().map(|_| text));
                round.rules.extend(rules);
            }
            round.trials.push(Trial {
                goal,
                number,
                value,
                text,
            });
        }
        round
    }

    /// Matches the rules of this round against all findings.
    fn count_matches(
        &self,
        parsed: &Parsed,
        triage: &Triage,
        cache: &mut FrameCache,
        goals: &[Vec<usize>],
        is_ignored: impl Fn(&TriagedFinding) -> bool,
    ) -> MatchCounts {
        let mut trials_of: Vec<Vec<usize>> = vec![Vec::new(); parsed.findings.len()];
        for (at, trial) in self.trials.iter().enumerate() {
            for finding in &goals[trial.goal] {
                trials_of[*finding].push(at);
            }
        }
        let mut counts = MatchCounts {
            by_text: vec![0; self.text_of.last().map_or(0, |last| last + 1)],
            wanted: vec![0; self.trials.len()],
        };
        let mut index = Index::new(&self.rules, &parsed.reports);
        for ((finding, triaged), trials) in
            parsed.findings.iter().zip(&triage.findings).zip(&trials_of)
        {
            let found = index.matches(finding, &triaged.fingerprint, &parsed.reports, cache);
            // The texts are sorted, because the rules of a text are adjacent.
            let mut texts: Vec<usize> = found
                .iter()
                .map(|rule| self.text_of[*rule as usize])
                .collect();
            texts.dedup();
            if !is_ignored(triaged) {
                texts.iter().for_each(|text| counts.by_text[*text] += 1);
            }
            for trial in trials {
                if texts.binary_search(&self.trials[*trial].text).is_ok() {
                    counts.wanted[*trial] += 1;
                }
            }
        }
        counts
    }
}

/// Describes how the matched findings differ from the wanted ones, or returns `None` if they are
/// equal.
fn describe_difference(extra: u64, missing: u64) -> Option<String> {
    match (extra, missing) {
        (0, 0) => None,
        (0, n) => Some(format!("it would miss {}", count(n, "finding", "findings"))),
        (n, _) => Some(format!(
            "it would also accept {}",
            count(n, "other finding", "other findings")
        )),
    }
}
