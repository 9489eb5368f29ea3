//! Findings, rules, baseline and today become a disposition for each finding. Nothing is dropped.
//!
//! The first rule that matches a finding decides about it, in this order: the rules of
//! `leakgate.toml`, suppression files, packs. What no rule matches is held against the baseline.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::baseline::{Baseline, Comparison};
use crate::culprit::{self, Class, Culprit, Names, Workspace};
use crate::fingerprint::{self, Fingerprint};
use crate::model::{Finding, Kind};
use crate::parse::Parsed;
use crate::rules::{self, Advice, Index, Limit, Rule};
use crate::verdict::{Level, Policy};

/// Everything that a log is held against.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What fails.
    pub policy: Policy,
    /// What is accepted, in the order in which rules are tried.
    pub rules: Vec<Rule>,
    /// What was there before.
    pub baseline: Option<Baseline>,
    /// The day by which rules expire.
    pub today: Date,
}

impl Gate {
    /// A gate without rules.
    pub fn new(policy: Policy, today: Date) -> Self {
        Self {
            policy,
            rules: Vec::new(),
            baseline: None,
            today,
        }
    }

    /// Adds rules behind those that are there; names that were there before are told apart by their
    /// place.
    #[must_use]
    pub fn with_rules(mut self, more: Vec<Rule>) -> Self {
        self.rules.extend(more);
        self.rules.sort_by_key(|rule| match rule.origin.source {
            rules::Source::Config => 0,
            rules::Source::Valgrind | rules::Source::Sanitizer => 1,
            rules::Source::Pack => 2,
        });
        self.rules = rules::with_unique_names(self.rules);
        self
    }

    /// What the rules alone tell, without a log.
    pub fn advice(&self) -> Vec<Advice> {
        rules::before_run(&self.rules, &self.policy, self.today)
    }
}

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Nobody accepted it, or no longer: the gate fails.
    Unexpected,
    /// A rule accepts it.
    Allowed,
    /// It was there before.
    Baseline,
    /// The policy does not look at it.
    NotGated,
}

impl Disposition {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::Allowed => "allowed",
            Self::Baseline => "baseline",
            Self::NotGated => "not-gated",
        }
    }
}

/// Why a finding is unexpected although something was said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The rule that decides has expired.
    ExpiredRule,
    /// The rule that decides matched more than its limit.
    OverLimit,
    /// The baseline knows it smaller, or less bad.
    Grown,
}

impl Cause {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExpiredRule => "expired-rule",
            Self::OverLimit => "over-limit",
            Self::Grown => "grown",
        }
    }
}

/// What is known of the finding with the same index in [`Parsed::findings`].
#[derive(Clone, Debug)]
pub struct Item {
    /// Its identity across builds.
    pub fingerprint: Fingerprint,
    /// The frame to look at.
    pub culprit: Culprit,
    /// The classes of the frames of each of its stacks.
    pub classes: Vec<Vec<Class>>,
    /// What becomes of it.
    pub disposition: Disposition,
    /// Why it is unexpected, where something was said about it.
    pub cause: Option<Cause>,
    /// The rule that decides, by its index in [`Gate::rules`].
    pub rule: Option<usize>,
    /// All rules that match it.
    pub matches: Vec<u32>,
    /// How many records it stands for, without those that a child only repeats from its parent.
    pub records: u64,
}

impl Item {
    /// True where it is sure that no frame of the primary stack is one's own.
    pub(crate) fn is_foreign(&self) -> bool {
        self.classes
            .first()
            .is_some_and(|classes| culprit::is_foreign(classes))
    }
}

/// What became of the rule with the same index in [`Gate::rules`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Records that it matches, whoever decides about them.
    pub matched: u64,
    /// Records about which it decides.
    pub decided: u64,
    /// Findings about which it decides.
    pub findings: u64,
    /// Leaked bytes of these.
    pub bytes: u64,
    /// Leaked blocks of these.
    pub blocks: u64,
    /// A tool that it is about has written a report.
    pub tried: bool,
    /// Its last day is over.
    pub expired: bool,
    /// Records, bytes and blocks of those that the gate looks at: what a limit counts.
    pub gated: (u64, u64, u64),
    /// What the gate looks at exceeds its limit.
    pub over_limit: bool,
    /// It was to match another number of records.
    pub expectation_missed: bool,
    /// A rule that decided before it about something that it matches.
    pub shadowed_by: Option<usize>,
}

impl Use {
    /// The name of its state, as it stands in JSON.
    pub const fn state(&self) -> &'static str {
        if self.expired {
            "expired"
        } else if self.over_limit {
            "over-limit"
        } else if self.expectation_missed {
            "expectation-missed"
        } else if self.decided > 0 {
            "used"
        } else if self.matched > 0 {
            "shadowed"
        } else if self.tried {
            "unused"
        } else {
            "not-tried"
        }
    }
}

/// All findings, in the order of [`Parsed::findings`], and all rules.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    /// One item for each finding.
    pub items: Vec<Item>,
    /// One use for each rule.
    pub uses: Vec<Use>,
    /// What is to be said about the rules.
    pub advice: Vec<Advice>,
    /// What the baseline says.
    pub baseline: Option<Comparison>,
}

/// Holds each finding against the rules, the baseline and the policy.
pub fn triage(parsed: &Parsed, gate: &Gate, workspace: &dyn Workspace) -> Triage {
    let mut names = Names::default();
    let mut items = items(parsed, gate, workspace, &mut names);
    let uses = apply_rules(parsed, gate, &mut items);
    for (item, finding) in items.iter_mut().zip(&parsed.findings) {
        let foreign = item.is_foreign() && gate.policy.third_party != Level::Fail;
        if item.disposition == Disposition::Unexpected
            && (foreign || !gate.policy.gates(&finding.kind))
        {
            (item.disposition, item.cause) = (Disposition::NotGated, None);
        }
    }
    let baseline = gate
        .baseline
        .as_ref()
        .map(|baseline| baseline.apply(parsed, &mut items, gate.policy.silence));
    let mut advice = gate.advice();
    advice.extend(rules::after_run(&gate.rules, &uses, &gate.policy));
    Triage {
        items,
        uses,
        advice,
        baseline,
    }
}

fn items(parsed: &Parsed, gate: &Gate, workspace: &dyn Workspace, names: &mut Names) -> Vec<Item> {
    let mut index = Index::new(&gate.rules, &parsed.reports);
    let mut item = |finding: &Finding| {
        let classes: Vec<_> = finding
            .stacks
            .iter()
            .map(|s| culprit::classes(s, workspace, names))
            .collect();
        let fingerprint = fingerprint::of(finding, names);
        let matches = index.matches(finding, &fingerprint, &parsed.reports, names);
        Item {
            culprit: culprit::of(classes.first().map(Vec::as_slice).unwrap_or_default()),
            classes,
            disposition: Disposition::Unexpected,
            cause: None,
            rule: matches.first().map(|at| *at as usize),
            matches,
            records: finding.occurrences.saturating_sub(finding.inherited),
            fingerprint,
        }
    };
    parsed.findings.iter().map(&mut item).collect()
}

/// The first match decides, whatever comes of it; limits count what the gate would look at.
fn apply_rules(parsed: &Parsed, gate: &Gate, items: &mut [Item]) -> Vec<Use> {
    let mut uses = vec![Use::default(); gate.rules.len()];
    let mut gated = vec![Use::default(); gate.rules.len()];
    for (item, finding) in items.iter().zip(&parsed.findings) {
        for at in &item.matches {
            let used = &mut uses[*at as usize];
            used.matched += item.records;
            used.shadowed_by = used
                .shadowed_by
                .or(item.rule.filter(|first| *first != *at as usize));
        }
        let Some(rule) = item.rule else { continue };
        count(&mut uses[rule], finding, item.records);
        let foreign = item.is_foreign() && gate.policy.third_party != Level::Fail;
        if gate.policy.gates(&finding.kind) && !foreign {
            count(&mut gated[rule], finding, item.records);
        }
    }
    for ((rule, used), gated) in gate.rules.iter().zip(&mut uses).zip(&gated) {
        used.tried = rule.was_tried(&parsed.reports);
        used.expired = rule.is_expired(gate.today);
        used.gated = (gated.decided, gated.bytes, gated.blocks);
        used.over_limit = is_over(rule.limit, gated);
        used.expectation_missed = rule.expect.is_some_and(|n| n != used.matched);
    }
    for item in items {
        let Some(used) = item.rule.map(|at| &uses[at]) else {
            continue;
        };
        if used.expired {
            item.cause = Some(Cause::ExpiredRule);
        } else if used.over_limit {
            item.cause = Some(Cause::OverLimit);
        } else {
            item.disposition = Disposition::Allowed;
        }
    }
    uses
}

fn count(used: &mut Use, finding: &Finding, records: u64) {
    let leak = finding.leak.unwrap_or_default().times(records);
    used.decided += records;
    used.findings += 1;
    used.bytes = used.bytes.saturating_add(leak.bytes);
    used.blocks = used.blocks.saturating_add(leak.blocks);
}

fn is_over(limit: Limit, used: &Use) -> bool {
    let over = |limit: Option<u64>, sum: u64| limit.is_some_and(|max| sum > max);
    over(limit.findings, used.decided)
        || over(limit.bytes, used.bytes)
        || over(limit.blocks, used.blocks)
}

impl Triage {
    /// How many groups (different fingerprints or kinds) and how many records have this
    /// disposition.
    pub fn count(&self, parsed: &Parsed, disposition: Disposition) -> (u64, u64) {
        self.count_where(parsed, |item| item.disposition == disposition)
    }

    /// The fingerprint that a person means by it or by its start, with or without `lg1-`.
    ///
    /// # Errors
    /// None, or several, begin so.
    pub fn find(&self, text: &str) -> Result<String, String> {
        const SHORTEST: usize = 4;
        let start = text.strip_prefix("lg1-").unwrap_or(text);
        if start.len() < SHORTEST {
            return Err(format!("`{text}` is too short for a fingerprint"));
        }
        let begins = |f: &&str| {
            f.strip_prefix("lg1-")
                .is_some_and(|hex| hex.starts_with(start))
        };
        let mut found: Vec<&str> = self
            .items
            .iter()
            .map(|i| i.fingerprint.as_str())
            .filter(begins)
            .collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [one] => Ok(String::from(*one)),
            [] => Err(format!(
                "no finding of these logs has the fingerprint `{text}`"
            )),
            [first, second, ..] => Err(format!(
                "`{text}` begins several fingerprints: {first}, {second}"
            )),
        }
    }

    /// The same for the items that `chosen` picks.
    pub fn count_where(&self, parsed: &Parsed, chosen: impl Fn(&Item) -> bool) -> (u64, u64) {
        let chosen = || {
            self.items
                .iter()
                .zip(&parsed.findings)
                .filter(|(item, _)| chosen(item))
        };
        let mut groups: Vec<(&Fingerprint, &Kind)> = chosen()
            .map(|(item, finding)| (&item.fingerprint, &finding.kind))
            .collect();
        groups.sort_unstable();
        groups.dedup();
        (
            groups.len() as u64,
            chosen().map(|(item, _)| item.records).sum(),
        )
    }
}
