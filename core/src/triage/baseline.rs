//! A baseline: what was there before. What it knows passes, what has grown does not.
//!
//! Sizes are those of the process that leaked most: a leak that a second test prints too has not
//! grown. Findings that were not gated, or that a rule accepts, are never written into it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::mistake::Mistake;
use crate::model::{Finding, Kind, Tool};
use crate::parse::Parsed;
use crate::rules::config::is_fingerprint;
use crate::triage::{Cause, Disposition, Item, Triage};
use crate::verdict::Silence;
use crate::{fingerprint, numbers};

/// The name and version of the file's form.
const SCHEMA: &str = "leakgate-baseline/v1";

/// Known findings of an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// One entry for each fingerprint; of a weak one, for each fingerprint and size.
    pub known: Vec<Known>,
}

/// A known finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its identity.
    pub fingerprint: String,
    /// Nothing but allocators and runtimes stands in its stack: it is known only with the same
    /// sizes.
    #[serde(default)]
    pub weak: bool,
    /// Who found it.
    pub tools: Vec<String>,
    /// The worst of its kinds.
    pub kind: String,
    /// Leaked bytes, of the process that leaked most.
    pub bytes: u64,
    /// Leaked blocks, or open descriptors, of that process.
    pub blocks: u64,
    /// The functions that make up the fingerprint, so that it can be carried over when
    /// fingerprints change.
    pub frames: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    schema: String,
    findings: T,
}

/// What a run and a baseline have in common, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Known findings that were seen and have not grown.
    pub known: u64,
    /// Those that have grown, each with what it was.
    pub grown: Vec<(String, String)>,
    /// Entries of the baseline that were not seen, though their tool ran.
    pub fixed: Vec<Known>,
}

/// A finding of this run as the baseline would know it.
#[derive(Clone, Debug)]
struct Group {
    known: Known,
    members: Vec<usize>,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// One mistake, with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Mistake> {
        let text = text.trim_start_matches('\u{feff}');
        let parsed: File<Vec<Known>> = serde_json::from_str(text).map_err(|e| {
            let message = e.to_string();
            let message = message
                .rsplit_once(" at line ")
                .map_or(message.as_str(), |(head, _)| head);
            let mut mistake = Mistake::at_line(
                file,
                text,
                u32::try_from(e.line()).unwrap_or(0),
                format!("this is no baseline: {message}"),
            );
            mistake.column = u32::try_from(e.column()).unwrap_or(0);
            mistake
        })?;
        if parsed.schema != SCHEMA {
            let what = format!(
                "the schema is `{}`, this version of leakgate reads `{SCHEMA}`",
                parsed.schema
            );
            return Err(Mistake::at_line(file, text, 0, what));
        }
        let mut names: Vec<(&str, u64, u64)> = Vec::new();
        for known in &parsed.findings {
            let sizes = if known.weak {
                (known.bytes, known.blocks)
            } else {
                (0, 0)
            };
            names.push((&known.fingerprint, sizes.0, sizes.1));
            if !is_fingerprint(&known.fingerprint) {
                let line = text
                    .lines()
                    .position(|l| l.contains(&known.fingerprint))
                    .unwrap_or(0)
                    + 1;
                let what = format!("`{}` is no fingerprint", known.fingerprint);
                return Err(Mistake::at_line(
                    file,
                    text,
                    u32::try_from(line).unwrap_or(0),
                    what,
                ));
            }
        }
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Mistake::at_line(
                file,
                text,
                0,
                format!("{} stands in it twice", pair[0].0),
            ));
        }
        Ok(Self {
            known: parsed.findings,
        })
    }

    /// The file: one line for each finding, in an order that does not change, so that merges are
    /// easy.
    pub fn to_text(&self) -> String {
        let mut known = self.known.clone();
        known.sort_by(|a, b| {
            (&a.fingerprint, a.bytes, a.blocks).cmp(&(&b.fingerprint, b.bytes, b.blocks))
        });
        // A struct of strings and numbers can't fail to be written.
        let lines: Vec<String> = known
            .iter()
            .map(|k| serde_json::to_string(k).unwrap_or_default())
            .collect();
        let separator = if lines.is_empty() { "" } else { "\n" };
        format!(
            "{{\"schema\":\"{SCHEMA}\",\"findings\":[{separator}{}{separator}]}}\n",
            lines.join(",\n")
        )
    }

    /// What a run would be known by: everything that the gate looks at and no rule accepts.
    pub fn of(parsed: &Parsed, triage: &Triage) -> Self {
        // A rule that no longer allows has the last word.
        let is_ruled =
            |item: &Item| matches!(item.cause, Some(Cause::ExpiredRule | Cause::OverLimit));
        let open = |item: &Item| {
            matches!(
                item.disposition,
                Disposition::Unexpected | Disposition::Baseline
            ) && !is_ruled(item)
        };
        let groups = groups(parsed, &triage.items, |at| open(&triage.items[at]));
        Self {
            known: groups.into_iter().map(|g| g.known).collect(),
        }
    }

    /// This baseline after a run: without what was fixed, with the sizes of what has shrunk; and,
    /// if asked, with what is new or has grown.
    #[must_use]
    pub fn updated(&self, parsed: &Parsed, triage: &Triage, grow: bool) -> Self {
        let fixed: &[Known] = triage
            .baseline
            .as_ref()
            .map(|c| c.fixed.as_slice())
            .unwrap_or_default();
        let now = Self::of(parsed, triage).known;
        let mut known: Vec<Known> = self
            .known
            .iter()
            .filter(|k| !fixed.contains(k))
            .cloned()
            .collect();
        for new in now {
            match known.iter_mut().find(|k| k.is_same(&new)) {
                Some(old) if grow || !old.is_exceeded_by(&new) => *old = new,
                Some(_) => {}
                None if grow => known.push(new),
                None => {}
            }
        }
        Self { known }
    }

    /// Marks what is known, and what has grown.
    pub(crate) fn apply(
        &self,
        parsed: &Parsed,
        items: &mut [Item],
        silence: Silence,
    ) -> Comparison {
        let mut comparison = Comparison::default();
        let mut by_name: HashMap<&str, Vec<&Known>> = HashMap::new();
        for known in &self.known {
            by_name.entry(&known.fingerprint).or_default().push(known);
        }
        let open: Vec<bool> = items
            .iter()
            .map(|item| item.disposition == Disposition::Unexpected && item.cause.is_none())
            .collect();
        for group in groups(parsed, items, |at| open[at]) {
            let same = by_name
                .get(group.known.fingerprint.as_str())
                .into_iter()
                .flatten()
                .find(|k| k.is_same(&group.known));
            let Some(known) = same else { continue };
            let grown = known.is_exceeded_by(&group.known);
            if grown {
                comparison
                    .grown
                    .push((group.known.fingerprint.clone(), known.describe()));
            } else {
                comparison.known += 1;
            }
            for at in group.members {
                let item = &mut items[at];
                (item.disposition, item.cause) = if grown {
                    (Disposition::Unexpected, Some(Cause::Grown))
                } else {
                    (Disposition::Baseline, None)
                };
            }
        }
        let all = groups(parsed, items, |_| true);
        let mut seen: HashMap<&str, Vec<&Known>> = HashMap::new();
        for group in &all {
            seen.entry(&group.known.fingerprint)
                .or_default()
                .push(&group.known);
        }
        let ran = |tool: &String| {
            silence == Silence::Pass || parsed.reports.iter().any(|r| r.tool == Tool::named(tool))
        };
        let is_fixed = |k: &&Known| {
            k.tools.iter().any(&ran)
                && !seen
                    .get(k.fingerprint.as_str())
                    .into_iter()
                    .flatten()
                    .any(|g| k.is_same(g))
        };
        comparison.fixed = self.known.iter().filter(is_fixed).cloned().collect();
        comparison
    }
}

impl Known {
    fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && (!(self.weak || other.weak)
                || (self.bytes, self.blocks) == (other.bytes, other.blocks))
    }

    /// More bytes or blocks, or reachable before and lost now.
    fn is_exceeded_by(&self, now: &Self) -> bool {
        now.bytes > self.bytes || now.blocks > self.blocks || rank(&now.kind) > rank(&self.kind)
    }

    /// `leak-definite, 40 bytes in 1 block`
    pub fn describe(&self) -> String {
        if self.bytes == 0 && self.blocks == 0 {
            return self.kind.clone();
        }
        format!(
            "{}, {}",
            self.kind,
            numbers::amount_of(&self.kind, self.bytes, self.blocks)
        )
    }
}

/// Definite, possible and indirect are one: checkers move records between them from run to run.
fn rank(kind: &str) -> u8 {
    u8::from(kind != Kind::LEAK_REACHABLE.as_str())
}

/// The chosen findings by fingerprint; weak ones by size, too.
fn groups(parsed: &Parsed, items: &[Item], chosen: impl Fn(usize) -> bool) -> Vec<Group> {
    // By fingerprint, and by the sizes of a weak one.
    type Key<'a> = (&'a str, Option<(u64, u64)>);
    let mut places: HashMap<Key<'_>, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of = vec![None; items.len()];
    for (at, (item, finding)) in items
        .iter()
        .zip(&parsed.findings)
        .enumerate()
        .filter(|(at, _)| chosen(*at))
    {
        let sizes = finding
            .leak
            .map(|l| (l.bytes, l.blocks))
            .filter(|_| item.fingerprint.is_weak());
        let place = *places
            .entry((item.fingerprint.as_str(), sizes))
            .or_insert_with(|| {
                groups.push(Group {
                    known: known(finding, item),
                    members: Vec::new(),
                });
                groups.len() - 1
            });
        let group = &mut groups[place];
        // Sizes are those of the worst kind: what is only reachable does not make room for what is
        // lost.
        if rank(finding.kind.as_str()) > rank(&group.known.kind) {
            group.known.kind = finding.kind.as_str().to_owned();
        }
        let tool = finding.tool.as_str();
        if !group.known.tools.iter().any(|t| t == tool) {
            group.known.tools.push(tool.to_owned());
        }
        group.members.push(at);
        group_of[at] = Some(place);
    }
    sizes(parsed, items, &group_of, &mut groups);
    groups
}

fn known(finding: &Finding, item: &Item) -> Known {
    Known {
        fingerprint: item.fingerprint.to_string(),
        weak: item.fingerprint.is_weak(),
        tools: Vec::new(),
        kind: finding.kind.as_str().to_owned(),
        bytes: 0,
        blocks: 0,
        frames: fingerprint::lines(finding, &mut crate::culprit::Names::default()).0,
    }
}

/// The largest sums in one process.
fn sizes(parsed: &Parsed, items: &[Item], group_of: &[Option<usize>], groups: &mut [Group]) {
    for report in &parsed.reports {
        let mut sums: HashMap<usize, (u64, u64)> = HashMap::new();
        for entry in &report.entries {
            let Some(group) = group_of.get(entry.finding).copied().flatten() else {
                continue;
            };
            let finding = &parsed.findings[entry.finding];
            if rank(finding.kind.as_str()) < rank(&groups[group].known.kind) {
                continue;
            }
            let weak = items[entry.finding].fingerprint.is_weak();
            // A weak finding is known by the sizes of one record.
            let count = if weak { 1 } else { entry.count };
            let (bytes, blocks) = match finding.leak {
                Some(leak) => (leak.times(count).bytes, leak.times(count).blocks),
                None if finding.kind == Kind::FD_LEAK => (0, count),
                None => (0, 0),
            };
            let sum = sums.entry(group).or_default();
            *sum = (sum.0.saturating_add(bytes), sum.1.saturating_add(blocks));
        }
        for (group, (bytes, blocks)) in sums {
            let known = &mut groups[group].known;
            (known.bytes, known.blocks) = (known.bytes.max(bytes), known.blocks.max(blocks));
        }
    }
}
