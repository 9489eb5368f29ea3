//! Rules of the JSON report, advice about them, and the baseline. The reader ignores them.

use alloc::vec::Vec;

use serde::Serialize;

use super::Str;
#[cfg(test)]
use super::schema;

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
    /// The version of a dependency that the rule is tied to; null if it is tied to none. With
    /// another version, the rule has expired.
    #[serde(rename = "while")]
    pub(crate) dependency: Option<Dependency<'a>>,
}

/// A version of a dependency.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "dependency"))]
pub(crate) struct Dependency<'a> {
    /// The name of the package.
    pub(crate) package: Str<'a>,
    /// The first numbers of the version: `0.27` means 0.27 and every 0.27.x.
    pub(crate) version: Str<'a>,
    /// The lock file, relative to the configuration; null for every lock file of the project.
    pub(crate) file: Option<Str<'a>>,
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
