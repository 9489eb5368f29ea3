//! The JSON report, schema `leakgate/v1`: the types that the writer, the reader and the published
//! schema derive from.
//!
//! Doc comments become descriptions of the schema (`docs/leakgate-v1.schema.json`), which a test
//! generates and compares. Within v1, fields are only added. A field that the reader may miss,
//! because older versions did not write it, has `serde(default)`.

mod convert;
mod finding;
mod rule;
#[cfg(test)]
mod schema;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use self::convert::{KnownFrames, borrow_all, frame_error, to_str};
pub(crate) use self::finding::{Finding, Frame, Instance, Leak, Location, Stack, Suppression};
pub(crate) use self::rule::{Advice, Baseline, Dependency, Rule};

/// Name and version of the schema.
pub(crate) const SCHEMA: &str = "leakgate/v1";

/// Text that borrows from the run while it is written.
pub(crate) type Str<'a> = Cow<'a, str>;

/// Text that borrows from the report while it is read, unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct BorrowedStr<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads an optional text, which borrows from the report. By default, it would be copied.
fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(input: D) -> Result<Option<Str<'a>>, D::Error> {
    let text = Option::<BorrowedStr<'a>>::deserialize(input)?;
    Ok(text.map(|text| text.0))
}

/// The JSON report, as written by `leakgate check --format json` and
/// `leakgate merge --format json`.
///
/// Within v1, fields are only added and never removed, and their types don't change; readers must
/// ignore unknown fields. Open sets may get new values, too; readers must treat an unknown value as
/// the most severe one. Numbers are integers up to 2^64-1. Text from a log is hostile: it appears
/// here as the checker printed it, and must be escaped before it is displayed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "leakgate/v1"))]
pub(crate) struct Report<'a> {
    /// The name and version of this schema.
    #[cfg_attr(test, schemars(with = "schema::SchemaName"))]
    pub(crate) schema: Str<'a>,
    /// The version of leakgate that wrote the report.
    #[serde(default, skip_deserializing)]
    pub(crate) version: Str<'a>,
    pub(crate) verdict: Verdict<'a>,
    /// The logs, in reading order.
    pub(crate) inputs: Vec<Input<'a>>,
    /// The checker reports, one per process.
    pub(crate) reports: Vec<CheckerReport<'a>>,
    /// All findings, including accepted ones.
    #[serde(borrow)]
    pub(crate) findings: Vec<Finding<'a>>,
    /// All rules of the gate, in the order in which they are tried.
    #[serde(default, skip_deserializing)]
    pub(crate) rules: Vec<Rule<'a>>,
    /// Advice about the rules.
    #[serde(default, skip_deserializing)]
    pub(crate) advice: Vec<Advice<'a>>,
    /// The comparison with the baseline; null without a baseline.
    #[serde(default, skip_deserializing)]
    pub(crate) baseline: Option<Baseline<'a>>,
    /// Data that could not be read, was truncated, or is inconsistent.
    pub(crate) problems: Vec<Problem<'a>>,
}

/// The verdict: pass or fail, with reasons.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "verdict"))]
pub(crate) struct Verdict<'a> {
    #[cfg_attr(test, schemars(with = "schema::Outcome"))]
    pub(crate) outcome: Str<'a>,
    /// The reasons to fail, most important first; empty if the gate passed. An error may have none.
    pub(crate) reasons: Vec<Reason<'a>>,
    /// Warnings that the policy asks for; they don't fail the gate.
    #[serde(default)]
    pub(crate) warnings: Vec<Reason<'a>>,
    /// The evidence, in one human-readable line.
    #[serde(default)]
    pub(crate) evidence: Str<'a>,
    /// Checkers that `leakgate run` observed, which makes their silence proof. Absent if there are
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) watched: Vec<Verified<'a>>,
}

/// A checker that was observed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "watched"))]
pub(crate) struct Verified<'a> {
    #[cfg_attr(test, schemars(with = "schema::Tool"))]
    pub(crate) tool: Str<'a>,
    /// Number of processes that started under the checker and ended by themselves.
    pub(crate) processes: u64,
    /// True if the checker reported the errors of a canary, a small program with known errors.
    pub(crate) canary: bool,
}

/// A reason of the verdict, or a warning.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "reason"))]
pub(crate) struct Reason<'a> {
    #[cfg_attr(test, schemars(with = "schema::ReasonCode"))]
    pub(crate) code: Str<'a>,
    /// Number of findings, rules, problems, reports, tools or inputs, depending on the code.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) count: u64,
    /// A human-readable message. Its wording may change.
    pub(crate) message: Str<'a>,
}

/// A log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "input"))]
pub(crate) struct Input<'a> {
    /// The name of the log; `-` is standard input. For a log in an archive, the archive and the
    /// name in it.
    pub(crate) path: Str<'a>,
    /// Number of bytes read, after decompression.
    pub(crate) bytes: u64,
    /// Number of lines read.
    pub(crate) lines: u64,
    /// True if it contains a checker report. Reports of valgrind's profilers don't count, because
    /// they prove nothing.
    #[serde(default)]
    pub(crate) spoke: bool,
    /// The run that it belongs to. Present only in reports of `leakgate merge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "alloc::string::String"))]
    pub(crate) leg: Option<Str<'a>>,
}

/// The report of one checker about one process.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "report"))]
pub(crate) struct CheckerReport<'a> {
    #[cfg_attr(test, schemars(with = "schema::Tool"))]
    pub(crate) tool: Str<'a>,
    /// The pid; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) pid: Option<u64>,
    /// The pid of the parent; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) parent: Option<u64>,
    /// The command line of the process; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) command: Option<Str<'a>>,
    /// The version of the checker; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) version: Option<Str<'a>>,
    /// The source within the input, such as a docker service or a test, taken from the prefix of
    /// its lines; null if its lines have no such prefix.
    #[serde(default)]
    pub(crate) source: Option<Str<'a>>,
    /// The maximum number of frames that valgrind kept per stack (`--num-callers`); null if the
    /// report doesn't contain it, and for other checkers.
    #[serde(default)]
    pub(crate) callers: Option<u32>,
    /// An index into `inputs`, from 0.
    pub(crate) input: usize,
    /// The first line of the report, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) first_line: u64,
    /// The last line of the report, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) last_line: u64,
    /// True if the end of the report isn't missing.
    pub(crate) complete: bool,
    /// True if the checker reported that it left out findings.
    #[serde(default)]
    pub(crate) capped: bool,
    pub(crate) stated: Totals,
    /// Leaked memory hidden by the checker's own suppressions; zero also if the checker doesn't
    /// report it.
    pub(crate) suppressed: Amount,
    /// Errors hidden by the checker's own suppressions; zero also if the checker doesn't report
    /// them.
    #[serde(default)]
    pub(crate) suppressed_errors: u64,
    /// The findings of the report in printed order, as pairs of an index into `findings` and the
    /// number of its records in this report.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<schema::Record>"))]
    pub(crate) records: Vec<(usize, u64)>,
}

/// Totals that the checker printed. The parsed data is compared with them.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "stated"))]
pub(crate) struct Totals {
    /// Leaked bytes (for valgrind: definitely, indirectly and possibly lost); null if no total was
    /// printed.
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    /// Leaked blocks, counted in the same way; null if `bytes` is null.
    #[serde(default)]
    pub(crate) blocks: Option<u64>,
    /// Errors including repetitions (valgrind's ERROR SUMMARY); null if no total was printed.
    #[serde(default)]
    pub(crate) errors: Option<u64>,
    /// Distinct errors; null if no total was printed.
    #[serde(default)]
    pub(crate) contexts: Option<u64>,
    /// True if the checker reported that all heap blocks were freed.
    #[serde(default)]
    pub(crate) all_freed: bool,
}

/// An amount of memory.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "amount"))]
pub(crate) struct Amount {
    /// Bytes.
    pub(crate) bytes: u64,
    /// Blocks, objects or allocations.
    pub(crate) blocks: u64,
}

/// Data that could not be read, or is inconsistent.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "problem"))]
pub(crate) struct Problem<'a> {
    #[cfg_attr(test, schemars(with = "schema::ProblemCode"))]
    pub(crate) code: Str<'a>,
    /// True if findings may be hidden, which fails the gate; false for a note.
    #[serde(default = "fatal_by_default")]
    pub(crate) fatal: bool,
    /// An index into `inputs`, from 0.
    pub(crate) input: usize,
    /// A line of the input, from 1; 0 if no line applies.
    pub(crate) line: u64,
    /// The pid; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) pid: Option<u64>,
    /// A human-readable message. Its wording may change.
    pub(crate) message: Str<'a>,
}

/// A problem that doesn't state whether it is fatal may hide findings.
const fn fatal_by_default() -> bool {
    true
}
