//! Two runs against each other: what is new, fixed, grown, or has moved.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::document::{Document, Seen};
use crate::model::{Kind, Leak};
use crate::numbers::{amount_of, count};
use crate::parse::Parsed;

/// A finding in one or both of two runs, by its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened to it.
    pub what: What,
    /// Its identity.
    pub fingerprint: String,
    /// The worst of its kinds, in the later run where it is there.
    pub kind: String,
    /// The function to look at.
    pub function: Option<String>,
    /// What it was.
    pub before: Option<Side>,
    /// What it is.
    pub after: Option<Side>,
}

/// What happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// It was not there before.
    New,
    /// More bytes or blocks in one process, or it was only reachable before.
    Grown,
    /// It is somewhere else in the source.
    Moved,
    /// It is no longer there.
    Fixed,
}

impl What {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Moved => "moved",
            Self::Fixed => "fixed",
        }
    }
}

/// A finding in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The worst of its kinds.
    pub kind: String,
    /// Leaked bytes, of the process that leaked most.
    pub bytes: u64,
    /// Leaked blocks of that process, or descriptors.
    pub blocks: u64,
    /// `file:line`.
    pub place: Option<String>,
    /// What became of it.
    pub disposition: String,
    function: Option<String>,
}

/// Every change, the new first. Findings that the gate does not look at in either run are left out.
pub fn compare(before: &Document, after: &Document) -> Vec<Change> {
    compare_with(before, &after.parsed, &after.seen)
}

/// The same for a run of which there is no document yet.
pub(crate) fn compare_with(before: &Document, after: &Parsed, seen: &[Seen]) -> Vec<Change> {
    let (old, new) = (sides(&before.parsed, &before.seen), sides(after, seen));
    let mut earlier: HashMap<&str, &Side> =
        old.iter().map(|(f, side)| (f.as_str(), side)).collect();
    let mut changes = Vec::new();
    for (fingerprint, now) in &new {
        let was = earlier.remove(fingerprint.as_str());
        let what = match was {
            None => What::New,
            Some(was)
                if now.bytes > was.bytes || now.blocks > was.blocks || rank(now) > rank(was) =>
            {
                What::Grown
            }
            Some(was) if was.place != now.place => What::Moved,
            Some(_) => continue,
        };
        changes.push(change(what, fingerprint, was, Some(now)));
    }
    for (fingerprint, was) in old.iter().filter(|(f, _)| earlier.contains_key(f.as_str())) {
        changes.push(change(What::Fixed, fingerprint, Some(was), None));
    }
    let gated = |side: &Option<Side>| side.as_ref().is_some_and(|s| s.disposition != "not-gated");
    changes.retain(|c| gated(&c.before) || gated(&c.after));
    changes.sort_by_key(|c| c.what);
    changes
}

/// `2 new findings, 1 grown, 0 moved, 3 fixed`
pub(crate) fn summary(changes: &[Change]) -> String {
    let number = |what: What| changes.iter().filter(|c| c.what == what).count() as u64;
    let (new, grown, moved, fixed) = (
        number(What::New),
        number(What::Grown),
        number(What::Moved),
        number(What::Fixed),
    );
    format!(
        "{}, {grown} grown, {moved} moved, {fixed} fixed",
        count(new, "new finding", "new findings")
    )
}

/// `40 bytes in 2 blocks`, and of what has no size its kind.
pub(crate) fn sized(side: &Side) -> String {
    if side.blocks > 0 {
        amount_of(&side.kind, side.bytes, side.blocks)
    } else {
        side.kind.clone()
    }
}

fn change(what: What, fingerprint: &str, before: Option<&Side>, after: Option<&Side>) -> Change {
    let side = after.or(before);
    Change {
        what,
        fingerprint: fingerprint.into(),
        kind: side.map_or(String::new(), |s| s.kind.clone()),
        function: side.and_then(|s| s.function.clone()),
        before: before.cloned(),
        after: after.cloned(),
    }
}

fn rank(side: &Side) -> u8 {
    u8::from(side.kind != Kind::LEAK_REACHABLE.as_str())
}

/// The findings of a run by fingerprint, in the order of the document.
fn sides(parsed: &Parsed, seen: &[Seen]) -> Vec<(String, Side)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut sides: Vec<(String, Side)> = Vec::new();
    let mut side_of = Vec::new();
    for (seen, finding) in seen.iter().zip(&parsed.findings) {
        let at = *places.entry(&seen.fingerprint).or_insert_with(|| {
            let side = Side {
                kind: finding.kind.as_str().into(),
                bytes: 0,
                blocks: 0,
                place: seen.place(),
                disposition: seen.disposition.clone(),
                function: seen.function.clone(),
            };
            sides.push((seen.fingerprint.clone(), side));
            sides.len() - 1
        });
        let side = &mut sides[at].1;
        if side.kind == Kind::LEAK_REACHABLE.as_str() {
            side.kind = finding.kind.as_str().into();
        }
        if side.disposition == "not-gated" {
            side.disposition.clone_from(&seen.disposition);
        }
        side_of.push(at);
    }
    for report in &parsed.reports {
        let mut sums: HashMap<usize, (u64, u64)> = HashMap::new();
        for entry in &report.entries {
            let finding = &parsed.findings[entry.finding];
            // Descriptors are counted as blocks are.
            let descriptors = Leak {
                blocks: u64::from(finding.kind == Kind::FD_LEAK),
                ..Leak::default()
            };
            let leak = finding.leak.unwrap_or(descriptors).times(entry.count);
            let sum = sums.entry(side_of[entry.finding]).or_default();
            *sum = (
                sum.0.saturating_add(leak.bytes),
                sum.1.saturating_add(leak.blocks),
            );
        }
        for (at, (bytes, blocks)) in sums {
            let side = &mut sides[at].1;
            (side.bytes, side.blocks) = (side.bytes.max(bytes), side.blocks.max(blocks));
        }
    }
    sides
}
