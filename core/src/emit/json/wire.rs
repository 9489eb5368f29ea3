//! The objects of schema `leakgate/v1`. Within `v1` fields are only added.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::model::Amount;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) verdict: Verdict<'a>,
    pub(super) inputs: Vec<Input<'a>>,
    pub(super) reports: Vec<ReportV1<'a>>,
    pub(super) findings: Vec<FindingV1<'a>>,
    pub(super) rules: Vec<RuleV1<'a>>,
    pub(super) advice: Vec<AdviceV1<'a>>,
    pub(super) baseline: Option<BaselineV1<'a>>,
    pub(super) problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
pub(super) struct Verdict<'a> {
    pub(super) outcome: &'static str,
    pub(super) reasons: Vec<Reason<'a>>,
    pub(super) warnings: Vec<Reason<'a>>,
    pub(super) evidence: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) watched: Vec<VouchedV1<'a>>,
}

#[derive(Serialize)]
pub(super) struct VouchedV1<'a> {
    pub(super) tool: &'a str,
    pub(super) processes: u64,
    pub(super) canary: bool,
}

#[derive(Serialize)]
pub(super) struct Reason<'a> {
    pub(super) code: &'static str,
    pub(super) count: u64,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
pub(super) struct Input<'a> {
    pub(super) path: &'a str,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) spoke: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) leg: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    pub(super) blocks: u64,
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self {
            bytes: amount.bytes,
            blocks: amount.blocks,
        }
    }
}

/// A [`crate::Report`].
#[derive(Serialize)]
pub(super) struct ReportV1<'a> {
    pub(super) tool: &'a str,
    pub(super) pid: Option<u64>,
    pub(super) parent: Option<u64>,
    pub(super) command: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) callers: Option<u32>,
    pub(super) input: usize,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
    pub(super) complete: bool,
    pub(super) capped: bool,
    pub(super) stated: Stated,
    pub(super) suppressed: Sum,
    pub(super) suppressed_errors: u64,
    /// Index of a finding, and how often this report printed it.
    pub(super) records: Vec<(usize, u64)>,
}

/// What the checker stated: leaked memory in sum, and errors.
#[derive(Serialize)]
pub(super) struct Stated {
    pub(super) bytes: Option<u64>,
    pub(super) blocks: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) contexts: Option<u64>,
    pub(super) all_freed: bool,
}

/// A [`crate::Finding`].
#[derive(Serialize)]
pub(super) struct FindingV1<'a> {
    pub(super) fingerprint: &'a str,
    pub(super) weak: bool,
    pub(super) tool: &'a str,
    pub(super) kind: &'a str,
    pub(super) title: &'a str,
    pub(super) severity: &'static str,
    pub(super) occurrences: u64,
    pub(super) inherited: u64,
    pub(super) leak: Option<LeakV1>,
    pub(super) location: Option<Location<'a>>,
    pub(super) stacks: Vec<StackV1<'a>>,
    pub(super) notes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suppression: Option<SuppressionV1<'a>>,
    pub(super) instances: Vec<InstanceV1>,
    pub(super) disposition: &'static str,
    pub(super) cause: Option<&'static str>,
    pub(super) rule: Option<&'a str>,
}

/// A [`crate::Rule`] and its [`crate::Use`].
#[derive(Serialize)]
pub(super) struct RuleV1<'a> {
    pub(super) id: &'a str,
    pub(super) origin: String,
    pub(super) source: &'static str,
    pub(super) state: &'static str,
    pub(super) findings: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) blocks: u64,
    pub(super) reason: &'a str,
    pub(super) investigation: Option<&'a str>,
    pub(super) status: Option<&'a str>,
    pub(super) references: &'a [String],
    pub(super) owner: Option<&'a str>,
    pub(super) expires: Option<String>,
}

/// An [`crate::Advice`].
#[derive(Serialize)]
pub(super) struct AdviceV1<'a> {
    pub(super) code: &'static str,
    pub(super) level: &'static str,
    pub(super) rule: &'a str,
    pub(super) message: &'a str,
}

/// A [`crate::Comparison`].
#[derive(Serialize)]
pub(super) struct BaselineV1<'a> {
    pub(super) known: u64,
    pub(super) grown: Vec<&'a str>,
    pub(super) fixed: Vec<&'a str>,
}

/// A [`crate::Generated`] suppression.
#[derive(Serialize)]
pub(super) struct SuppressionV1<'a> {
    pub(super) kind: &'a str,
    pub(super) extra: Option<&'a str>,
    pub(super) frames: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct LeakV1 {
    pub(super) bytes: u64,
    pub(super) blocks: u64,
    pub(super) direct_bytes: u64,
    pub(super) indirect_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct Location<'a> {
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) function: Option<&'a str>,
    pub(super) own: bool,
}

#[derive(Serialize)]
pub(super) struct StackV1<'a> {
    pub(super) role: &'static str,
    pub(super) label: Option<&'a str>,
    pub(super) frames: Vec<FrameV1<'a>>,
}

/// A [`crate::Frame`]: `symbol` is the name as printed where `function` is its demangled form.
#[derive(Serialize)]
pub(super) struct FrameV1<'a> {
    pub(super) index: u32,
    pub(super) address: Option<String>,
    pub(super) function: Option<&'a str>,
    pub(super) symbol: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) module: Option<&'a str>,
    pub(super) offset: Option<String>,
    pub(super) build_id: Option<&'a str>,
    pub(super) inlined: bool,
    pub(super) class: &'static str,
}

#[derive(Serialize)]
pub(super) struct InstanceV1 {
    pub(super) input: usize,
    pub(super) report: usize,
    pub(super) pid: Option<u64>,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
}

#[derive(Serialize)]
pub(super) struct Problem<'a> {
    pub(super) code: &'static str,
    pub(super) fatal: bool,
    pub(super) input: usize,
    pub(super) line: u64,
    pub(super) pid: Option<u64>,
    pub(super) message: &'a str,
}
