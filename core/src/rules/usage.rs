//! Usage of a rule in one run.

/// Usage of the rule with the same index in [`Gate::rules`](crate::triage::Gate::rules).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleUsage {
    /// Number of records that the rule matches, including records that an earlier rule decided.
    pub matched: u64,
    /// Number of records for which this rule was the first match.
    pub decided: u64,
    /// Number of findings for which this rule was the first match.
    pub findings: u64,
    /// Leaked bytes of these findings.
    pub bytes: u64,
    /// Leaked blocks of these findings.
    pub blocks: u64,
    /// True if a tool that the rule applies to has written a report. Only then is a rule without
    /// matches known to be unused.
    pub checker_ran: bool,
    /// True if the last day of the rule is over.
    pub expired: bool,
    /// Totals of the decided findings that the policy looks at. Limits apply to these totals.
    pub gated: GatedTotals,
    /// True if the gated totals exceed the limit of the rule.
    pub over_limit: bool,
    /// True if the rule has an `expect` value and matched another number of records.
    pub expectation_missed: bool,
    /// Index of an earlier rule that decided about a finding that this rule matches, too. `None` if
    /// no such rule exists.
    pub shadowed_by: Option<usize>,
}

/// Totals of the findings that a rule's limit applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatedTotals {
    /// Number of records.
    pub records: u64,
    /// Leaked bytes.
    pub bytes: u64,
    /// Leaked blocks.
    pub blocks: u64,
    /// The largest number of places in one process. Zero if the rule doesn't limit it.
    pub per_process: u64,
}

impl RuleUsage {
    /// Returns the name of the state used in JSON, such as `used`, `unused` or `expired`.
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
        } else if self.checker_ran {
            "unused"
        } else {
            "not-tried"
        }
    }
}
