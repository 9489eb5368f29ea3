//! Triage: rules, baseline and policy decide about each finding.
//!
//! Triage keeps every finding and gives it a [`Disposition`]. The first rule that matches a finding
//! decides about it. Rules are tried in this order: rules of `leakgate.toml`, suppression files,
//! built-in packs. Findings that no rule matches are compared with the baseline.

mod apply;
pub(crate) mod baseline;
mod finding;
mod lookup;
pub(crate) mod places;
pub(crate) mod spot;

use alloc::sync::Arc;
use alloc::vec::Vec;

use jiff::civil::Date;

pub use self::baseline::{Baseline, BaselineEntry, Comparison, GrownFinding};
pub use self::finding::{Cause, Disposition, TriagedFinding};
pub use self::lookup::LookupError;
use crate::culprit::{self, FrameCache, FrameNames, Workspace};
use crate::fingerprint::{self, Fingerprint};
use crate::lock_file::LockFile;
use crate::model::{Finding, Kind};
use crate::parse::Parsed;
use crate::policy::{Level, Policy};
use crate::rules::{self, Advice, Allocators, Expiry, Index, Reclassifier, Rule, RuleUsage};

/// The criteria for findings: policy, rules, baseline, date and lock files.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gate {
    /// What fails the gate.
    pub policy: Policy,
    /// Rules that accept findings, in the order in which they are tried.
    pub rules: Vec<Rule>,
    /// Known findings of an earlier run. `None` if no baseline is used.
    pub baseline: Option<Baseline>,
    /// Functions of the project that count as allocators when the frame to look at is determined.
    pub allocators: Allocators,
    /// The current date, in any time zone. Rules expire when their last day is before it.
    pub today: Date,
    /// The lock files of the project. A rule that is tied to a dependency expires if none of them
    /// has it in the right version, so without any, each such rule has expired.
    pub locks: Vec<LockFile>,
}

impl Gate {
    /// Creates a gate without rules and without a baseline.
    pub fn new(policy: Policy, today: Date) -> Self {
        Self {
            policy,
            rules: Vec::new(),
            baseline: None,
            allocators: Allocators::default(),
            today,
            locks: Vec::new(),
        }
    }

    /// Appends rules, ordered by their source. Duplicate ids get their origin as a suffix.
    ///
    /// ```
    /// use leakgate_core::rules::read_file;
    /// use leakgate_core::{Date, Gate, Policy};
    ///
    /// let (_, rules) = read_file("lsan.supp", "leak:make\nleak:make\n").unwrap();
    /// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22)).with_rules(rules);
    /// assert_eq!(gate.rules[0].id, "leak:make");
    /// assert_eq!(gate.rules[1].id, "leak:make (lsan.supp:2)");
    /// assert_eq!(gate.advice()[0].code.as_str(), "duplicate-rule");
    /// ```
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

    /// Sets the baseline.
    #[must_use]
    pub fn with_baseline(mut self, baseline: Option<Baseline>) -> Self {
        self.baseline = baseline;
        self
    }

    /// Sets the project's functions that count as allocators.
    #[must_use]
    pub fn with_allocators(mut self, allocators: Allocators) -> Self {
        self.allocators = allocators;
        self
    }

    /// Sets the lock files.
    #[must_use]
    pub fn with_locks(mut self, locks: Vec<LockFile>) -> Self {
        self.locks = locks;
        self
    }

    /// Returns why a rule has expired. `None` if it hasn't.
    pub fn expiry(&self, rule: &Rule) -> Option<Expiry> {
        rule.expiry(self.today, &self.locks)
    }

    /// Returns advice about the rules that needs no log: expired, duplicate or too broad rules.
    pub fn advice(&self) -> Vec<Advice> {
        let expiry = |rule: &Rule| self.expiry(rule);
        rules::advice_before_run(&self.rules, &self.policy, self.today, expiry)
    }
}

/// The decisions about all findings of a run.
///
/// Use [`Triage::iter`] and [`Triage::rules`] to read the decisions together with the findings and
/// rules that they are about.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Triage {
    /// One decision for each finding, in the order of [`Parsed::findings`].
    pub findings: Vec<TriagedFinding>,
    /// One usage for each rule, in the order of [`Gate::rules`].
    pub usages: Vec<RuleUsage>,
    /// Advice about the rules.
    pub advice: Vec<Advice>,
    /// The comparison with the baseline. `None` if the gate has no baseline.
    pub baseline: Option<Comparison>,
    /// The simple name and class of each frame, which reports use, too.
    pub(crate) names: Arc<FrameNames>,
}

/// Decides about each finding, using the gate's rules, baseline and policy.
///
/// `workspace` knows which source files belong to the project.
///
/// ```
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Config, Date, Disposition, Gate, NoWorkspace, Options, Parser};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
///
/// let config = Config::read("leakgate.toml", r#"
///     [[allow]]
///     id = "make-at-exit"
///     stack = ["fun:make"]
///     reason = "freed by the system at exit"
/// "#).unwrap();
/// let gate = Gate::new(config.policy, Date::constant(2026, 11, 22)).with_rules(config.rules);
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// for (finding, triaged) in triage.iter(&parsed) {
///     assert_eq!(finding.leak.unwrap().bytes, 4);
///     assert_eq!(triaged.disposition, Disposition::Allowed);
/// }
/// let (rule, usage) = triage.rules(&gate).next().unwrap();
/// assert_eq!((rule.id.as_str(), usage.decided), ("make-at-exit", 1));
/// ```
pub fn triage(parsed: &Parsed, gate: &Gate, workspace: &dyn Workspace) -> Triage {
    triage_with_fingerprints(parsed, Vec::new(), gate, workspace)
}

/// Decides about each finding as [`triage`] does, without computing known fingerprints again.
/// `known` are those of the first findings, as a [`Document`](crate::document::Document) has them.
pub fn triage_with_fingerprints(
    parsed: &Parsed,
    known: Vec<Fingerprint>,
    gate: &Gate,
    workspace: &dyn Workspace,
) -> Triage {
    let mut names = FrameCache::default();
    let findings = identify(parsed, known, gate, workspace, &mut names);
    decide(parsed, gate, findings, names.into_names())
}

/// Decides about findings whose matching rules are known.
fn decide(
    parsed: &Parsed,
    gate: &Gate,
    mut findings: Vec<TriagedFinding>,
    names: Arc<FrameNames>,
) -> Triage {
    let usages = apply::rules(parsed, gate, &mut findings);
    for (triaged, finding) in findings.iter_mut().zip(&parsed.findings) {
        if triaged.disposition == Disposition::Unexpected
            && !is_gated(&gate.policy, finding, triaged)
        {
            triaged.disposition = Disposition::NotGated;
            triaged.cause = None;
        }
    }
    let baseline = gate
        .baseline
        .as_ref()
        .map(|baseline| baseline.apply(parsed, &mut findings, &names, gate.policy.silence));
    let mut advice = gate.advice();
    advice.extend(rules::advice_after_run(&gate.rules, &usages, &gate.policy));
    Triage {
        findings,
        usages,
        advice,
        baseline,
        names,
    }
}

/// Returns true if the policy looks at the finding.
pub(crate) fn is_gated(policy: &Policy, finding: &Finding, triaged: &TriagedFinding) -> bool {
    let is_ignored = triaged.is_third_party && policy.third_party != Level::Fail;
    !is_ignored && policy.gates(&finding.kind)
}

/// Computes fingerprint, culprit and matching rules of each finding. `known` are the
/// fingerprints of the first findings.
fn identify(
    parsed: &Parsed,
    known: Vec<Fingerprint>,
    gate: &Gate,
    workspace: &dyn Workspace,
    names: &mut FrameCache,
) -> Vec<TriagedFinding> {
    let mut index = Index::new(&gate.rules, &parsed.reports);
    let mut reclassifier = Reclassifier::new(&gate.allocators);
    let mut known = known.into_iter();
    let mut identify = |finding: &Finding| {
        let classes: Vec<_> = finding
            .stacks
            .iter()
            .map(|s| culprit::classify_stack(s, workspace, names))
            .collect();
        let is_third_party = classes
            .first()
            .is_some_and(|classes| culprit::is_third_party_only(classes));
        let stacks = finding.stacks.iter().zip(classes);
        let classes: Vec<_> = stacks
            .map(|(stack, classes)| reclassifier.reclassify(stack, classes, names))
            .collect();
        let fingerprint = known
            .next()
            .unwrap_or_else(|| fingerprint::fingerprint(finding, names));
        let matches = index.matches(finding, &fingerprint, &parsed.reports, names);
        TriagedFinding {
            culprit: culprit::find_culprit(
                finding.primary(),
                classes.first().map(Vec::as_slice).unwrap_or_default(),
            ),
            classes,
            disposition: Disposition::Unexpected,
            cause: None,
            rule: matches.first().map(|at| *at as usize),
            matches,
            records: finding.occurrences.saturating_sub(finding.inherited),
            fingerprint,
            is_third_party,
        }
    };
    parsed.findings.iter().map(&mut identify).collect()
}

impl Triage {
    /// Decides about the same findings by another gate. This is faster than [`triage`], because
    /// fingerprints and culprits don't depend on the gate.
    ///
    /// `parsed` must be the value that [`triage`] was called with.
    #[must_use]
    pub fn with_gate(&self, parsed: &Parsed, gate: &Gate) -> Self {
        self.with_matches(parsed, gate, self.matches(parsed, gate))
    }

    /// Decides as [`Triage::with_gate`] does. Returns `None` if no rule matches any finding, which
    /// is found out faster.
    pub fn with_matching_gate(&self, parsed: &Parsed, gate: &Gate) -> Option<Self> {
        let matches = self.matches(parsed, gate);
        let is_any = matches.iter().any(|rules| !rules.is_empty());
        is_any.then(|| self.with_matches(parsed, gate, matches))
    }

    /// Returns the indices of the gate's rules that match each finding.
    fn matches(&self, parsed: &Parsed, gate: &Gate) -> Vec<Vec<u32>> {
        let mut names = FrameCache::with_names(&self.names);
        let mut index = Index::new(&gate.rules, &parsed.reports);
        let findings = self.iter(parsed).map(|(finding, triaged)| {
            index.matches(finding, &triaged.fingerprint, &parsed.reports, &mut names)
        });
        findings.collect()
    }

    /// Decides about the findings, with the indices of the gate's rules that match each.
    fn with_matches(&self, parsed: &Parsed, gate: &Gate, matches: Vec<Vec<u32>>) -> Self {
        let findings = self.findings.iter().zip(matches);
        let findings = findings.map(|(triaged, matches)| TriagedFinding {
            disposition: Disposition::Unexpected,
            cause: None,
            rule: matches.first().map(|at| *at as usize),
            matches,
            ..triaged.clone()
        });
        decide(parsed, gate, findings.collect(), Arc::clone(&self.names))
    }

    /// Counts the findings with this disposition.
    pub fn count(&self, parsed: &Parsed, disposition: Disposition) -> FindingCount {
        self.count_where(parsed, |triaged| triaged.disposition == disposition)
    }

    /// Returns each finding with its triage result, in the order of first appearance.
    ///
    /// `parsed` must be the value that [`triage`] was called with.
    pub fn iter<'a>(
        &'a self,
        parsed: &'a Parsed,
    ) -> impl Iterator<Item = (&'a Finding, &'a TriagedFinding)> {
        parsed.findings.iter().zip(&self.findings)
    }

    /// Returns each rule with its usage, in the order in which rules are tried.
    ///
    /// `gate` must be the value that [`triage`] was called with.
    pub fn rules<'a>(&'a self, gate: &'a Gate) -> impl Iterator<Item = (&'a Rule, &'a RuleUsage)> {
        gate.rules.iter().zip(&self.usages)
    }

    /// Counts the findings for which `is_counted` returns true.
    pub fn count_where(
        &self,
        parsed: &Parsed,
        is_counted: impl Fn(&TriagedFinding) -> bool,
    ) -> FindingCount {
        let counted = || self.iter(parsed).filter(|(_, triaged)| is_counted(triaged));
        let mut groups: Vec<(&Fingerprint, &Kind)> = counted()
            .map(|(finding, triaged)| (&triaged.fingerprint, &finding.kind))
            .collect();
        groups.sort_unstable();
        groups.dedup();
        FindingCount {
            groups: groups.len() as u64,
            records: counted().map(|(_, triaged)| triaged.records).sum(),
        }
    }
}

/// A number of findings, as returned by [`Triage::count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FindingCount {
    /// Number of groups; findings with the same fingerprint and kind form one group.
    pub groups: u64,
    /// Number of records, without the records that a child process inherited through `fork`.
    pub records: u64,
}
