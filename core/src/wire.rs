//! The JSON report, schema `leakgate/v1`: the types that the writer, the reader and the published
//! schema derive from.
//!
//! Doc comments become descriptions of the schema (`docs/leakgate-v1.schema.json`), which a test
//! generates and compares. Within v1, fields are only added. A field that the reader may miss,
//! because older versions did not write it, has `serde(default)`.

mod convert;
#[cfg(test)]
mod schema;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub(crate) use self::convert::{borrow_all, to_str};

/// Name and version of the schema.
pub(crate) const SCHEMA: &str = "leakgate/v1";

/// Text that borrows from the run while it is written.
pub(crate) type Str<'a> = Cow<'a, str>;

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
    #[serde(default)]
    pub(crate) version: Str<'a>,
    pub(crate) verdict: Verdict<'a>,
    /// The logs, in reading order.
    pub(crate) inputs: Vec<Input<'a>>,
    /// The checker reports, one per process.
    pub(crate) reports: Vec<CheckerReport<'a>>,
    /// All findings, including accepted ones.
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

/// Records of one checker with the same kind, sizes and stacks. Several findings may have the same
/// fingerprint.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "finding"))]
pub(crate) struct Finding<'a> {
    #[cfg_attr(test, schemars(with = "schema::Fingerprint"))]
    pub(crate) fingerprint: Str<'a>,
    /// True if only allocators and runtimes have names in the stack. Different findings may then
    /// have the same fingerprint.
    #[serde(default)]
    pub(crate) weak: bool,
    #[cfg_attr(test, schemars(with = "schema::Tool"))]
    pub(crate) tool: Str<'a>,
    #[cfg_attr(test, schemars(with = "schema::Kind"))]
    pub(crate) kind: Str<'a>,
    /// The checker's headline.
    pub(crate) title: Str<'a>,
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "schema::Severity"))]
    pub(crate) severity: Str<'a>,
    /// Number of records.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) occurrences: u64,
    /// Number of records that only repeat a leak of the parent process after `fork`. Rules and
    /// totals of the verdict don't count them.
    #[serde(default)]
    pub(crate) inherited: u64,
    /// The sizes of leaked memory; null if it isn't a memory leak.
    #[serde(default)]
    pub(crate) leak: Option<Leak>,
    /// The frame of the first stack to look at; null if the finding has no stack, or only allocator
    /// and runtime frames.
    #[serde(default)]
    pub(crate) location: Option<Location<'a>>,
    /// The stacks; the first is the primary one. Empty if the checker printed none.
    pub(crate) stacks: Vec<Stack<'a>>,
    /// Further lines that the checker printed.
    #[serde(default)]
    pub(crate) notes: Vec<Str<'a>>,
    /// The suppression that valgrind generated for the finding; absent if it generated none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Suppression<'a>"))]
    pub(crate) suppression: Option<Suppression<'a>>,
    /// The first places in the logs where it occurred. Their number is limited (16 per run), unlike
    /// `occurrences`.
    pub(crate) instances: Vec<Instance>,
    #[cfg_attr(test, schemars(with = "schema::Disposition"))]
    pub(crate) disposition: Str<'a>,
    /// Why it is unexpected although a rule or the baseline matches it; otherwise null.
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(with = "Option<schema::Cause>"))]
    pub(crate) cause: Option<Str<'a>>,
    /// The `id` of the first rule that matches it, whether or not the rule accepts it; null if none
    /// matches.
    #[serde(default, skip_deserializing)]
    pub(crate) rule: Option<Str<'a>>,
}

/// A rule of the gate and its use.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "rule"))]
pub(crate) struct Rule<'a> {
    /// The name of the rule, unique in the report.
    pub(crate) id: Str<'a>,
    /// The place of its definition: file and line, such as `leakgate.toml:12` or `pack glib:3`.
    pub(crate) origin: Str<'a>,
    #[cfg_attr(test, schemars(with = "schema::RuleSource"))]
    pub(crate) source: Str<'a>,
    #[cfg_attr(test, schemars(with = "schema::RuleState"))]
    pub(crate) state: Str<'a>,
    /// Number of entries of `findings` that the rule decides about.
    pub(crate) findings: u64,
    /// Number of records that the rule decides about, without inherited ones.
    pub(crate) records: u64,
    /// Leaked bytes of these records.
    pub(crate) bytes: u64,
    /// Leaked blocks of these records.
    pub(crate) blocks: u64,
    /// Why matching findings are accepted; empty only if a suppression file has no comment.
    pub(crate) reason: Str<'a>,
    /// The investigation: a path or a URL; null if not given.
    pub(crate) investigation: Option<Str<'a>>,
    /// `false-positive`, `accepted` or `to-fix`; null if not given.
    pub(crate) status: Option<Str<'a>>,
    /// URLs of further information.
    pub(crate) references: Vec<Str<'a>>,
    /// The owner of the rule; null if not given.
    pub(crate) owner: Option<Str<'a>>,
    /// The last day on which the rule is valid; null if it never expires.
    #[cfg_attr(test, schemars(with = "Option<schema::Date>"))]
    pub(crate) expires: Option<Str<'a>>,
}

/// Advice about a rule.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "advice"))]
pub(crate) struct Advice<'a> {
    #[cfg_attr(test, schemars(with = "schema::AdviceCode"))]
    pub(crate) code: Str<'a>,
    #[cfg_attr(test, schemars(with = "schema::Level"))]
    pub(crate) level: Str<'a>,
    /// The `id` of the rule.
    pub(crate) rule: Str<'a>,
    /// A human-readable message. Its wording may change.
    pub(crate) message: Str<'a>,
}

/// The comparison with the baseline.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "baseline"))]
pub(crate) struct Baseline<'a> {
    /// Number of findings in the baseline that were seen and haven't grown, by fingerprint.
    pub(crate) known: u64,
    /// Findings in the baseline that have grown.
    #[cfg_attr(test, schemars(with = "Vec<schema::Fingerprint>"))]
    pub(crate) grown: Vec<Str<'a>>,
    /// Findings in the baseline that weren't seen although their tool ran.
    #[cfg_attr(test, schemars(with = "Vec<schema::Fingerprint>"))]
    pub(crate) fixed: Vec<Str<'a>>,
}

/// The suppression that valgrind generated for a record (`--gen-suppressions`), with mangled names.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "suppression"))]
pub(crate) struct Suppression<'a> {
    /// The tool and the kind, such as `Memcheck:Leak`.
    pub(crate) kind: Str<'a>,
    /// The line between the kind and the frames, such as `match-leak-kinds: definite`; null without
    /// such a line.
    #[serde(default)]
    pub(crate) extra: Option<Str<'a>>,
    /// `fun:NAME` or `obj:FILE` for each frame of the primary stack. Empty if equal records had
    /// different suppressions.
    pub(crate) frames: Vec<Str<'a>>,
}

/// The sizes of a leak, totaled over all occurrences. Bytes and blocks are those of the records as
/// printed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "leak"))]
pub(crate) struct Leak {
    /// Leaked bytes, direct and indirect together.
    pub(crate) bytes: u64,
    /// Leaked blocks of the records themselves.
    pub(crate) blocks: u64,
    /// Bytes of these blocks.
    pub(crate) direct_bytes: u64,
    /// Bytes that only these blocks pointed to; zero if the checker doesn't report them.
    pub(crate) indirect_bytes: u64,
}

/// The location to look at.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "location"))]
pub(crate) struct Location<'a> {
    /// The source file: its path in the repository if it belongs to the repository, otherwise as
    /// printed; null if unknown.
    #[serde(default)]
    pub(crate) file: Option<Str<'a>>,
    /// The line, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) line: Option<u32>,
    /// The column, from 1; null if unknown.
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) column: Option<u32>,
    /// The function, demangled; null if it has no name.
    #[serde(default)]
    pub(crate) function: Option<Str<'a>>,
    /// True if the frame is your code; false if it is only the first frame that isn't an allocator
    /// or a runtime.
    #[serde(default, skip_deserializing)]
    pub(crate) own: bool,
}

/// A list of frames.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "stack"))]
pub(crate) struct Stack<'a> {
    #[cfg_attr(test, schemars(with = "schema::Role"))]
    pub(crate) role: Str<'a>,
    /// The line of the log that introduces the stack, such as `freed by thread T0 here:`; null if
    /// no line introduces it.
    #[serde(default)]
    pub(crate) label: Option<Str<'a>>,
    /// The frames, innermost first.
    pub(crate) frames: Vec<Frame<'a>>,
}

/// A stack frame.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "frame"))]
pub(crate) struct Frame<'a> {
    /// The number of the frame: as printed if the checker numbers frames, otherwise counted from 0.
    pub(crate) index: u32,
    /// The address in hex, from the first process with the finding; null if it wasn't printed.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<schema::Hex>"))]
    pub(crate) address: Option<Str<'a>>,
    /// The function, demangled; null if it has no name.
    #[serde(default)]
    pub(crate) function: Option<Str<'a>>,
    /// The name as printed if `function` is its demangled form; otherwise null.
    #[serde(default)]
    pub(crate) symbol: Option<Str<'a>>,
    /// The source file, as printed; null if unknown.
    #[serde(default)]
    pub(crate) file: Option<Str<'a>>,
    /// The line, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) line: Option<u32>,
    /// The column, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) column: Option<u32>,
    /// The binary or library; null if it wasn't printed.
    #[serde(default)]
    pub(crate) module: Option<Str<'a>>,
    /// The offset in `module`, in hex; null if it wasn't printed.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<schema::Hex>"))]
    pub(crate) offset: Option<Str<'a>>,
    /// The build id of `module`, as printed; null if it wasn't printed.
    #[serde(default)]
    pub(crate) build_id: Option<Str<'a>>,
    /// True if the frame was inlined into the next one, which has the same address.
    #[serde(default)]
    pub(crate) inlined: bool,
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(with = "schema::Class"))]
    pub(crate) class: Str<'a>,
}

/// A place in a log where a finding occurred.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "instance"))]
pub(crate) struct Instance {
    /// An index into `inputs`, from 0.
    pub(crate) input: usize,
    /// An index into `reports`, from 0.
    #[serde(default)]
    pub(crate) report: usize,
    /// The pid; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) pid: Option<u64>,
    /// The first line of the record, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) first_line: u64,
    /// The last line of the record, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) last_line: u64,
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
