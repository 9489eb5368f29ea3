//! The SARIF 2.1.0 objects that leakgate writes, with their sections in the specification
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html>).

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use serde_json::value::RawValue;

use super::physical_location::SarifLocation;

/// Section 3.13.
#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) runs: [RunObject<'a>; 1],
}

/// Section 3.14.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunObject<'a> {
    pub(super) tool: Tool,
    pub(super) automation_details: AutomationDetails,
    pub(super) invocations: [Invocation<'a>; 1],
    pub(super) original_uri_base_ids: BaseIds,
    pub(super) column_kind: &'static str,
    /// Empty: results are written one by one.
    pub(super) results: [(); 0],
}

/// Section 3.18.
#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
}

/// Section 3.19.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub(super) name: &'static str,
    pub(super) semantic_version: &'static str,
    pub(super) information_uri: &'static str,
    pub(super) rules: Vec<Rule>,
}

/// Section 3.49.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) short_description: Message,
    pub(super) full_description: Message,
    pub(super) help: Markup,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help_uri: Option<String>,
    pub(super) default_configuration: Configuration,
    pub(super) properties: RuleProperties,
}

/// Section 3.50.
#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: &'static str,
}

/// The properties of rules that GitHub reads
/// (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).
#[derive(Serialize)]
pub(super) struct RuleProperties {
    pub(super) tags: Vec<String>,
    pub(super) precision: &'static str,
    #[serde(rename = "problem.severity")]
    pub(super) problem_severity: &'static str,
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    pub(super) security_severity: Option<&'static str>,
}

/// Section 3.11. Brackets in `text` that don't belong to a link are escaped by a backslash.
#[derive(Clone, PartialEq, Serialize)]
pub(super) struct Message {
    pub(super) text: String,
}

/// Section 3.12.
#[derive(Serialize)]
pub(super) struct Markup {
    pub(super) text: String,
    pub(super) markdown: String,
}

/// Section 3.17.
#[derive(Serialize)]
pub(super) struct AutomationDetails {
    pub(super) id: String,
}

/// Section 3.20.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation<'a> {
    pub(super) execution_successful: bool,
    pub(super) exit_code: u8,
    pub(super) tool_execution_notifications: Vec<Notification<'a>>,
}

/// Section 3.58.
#[derive(Serialize)]
pub(super) struct Notification<'a> {
    pub(super) descriptor: Reference<'a>,
    pub(super) level: &'static str,
    pub(super) message: Message,
    pub(super) locations: Vec<SarifLocation>,
}

/// Section 3.52.
#[derive(Serialize)]
pub(super) struct Reference<'a> {
    pub(super) id: &'a str,
}

/// Section 3.14.14. The URI of the root is left out, because it differs between machines.
#[derive(Serialize)]
pub(super) struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    pub(super) source_root: BaseId,
}

#[derive(Serialize)]
pub(super) struct BaseId {
    pub(super) description: Message,
}

/// Section 3.27.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultObject<'a, 't> {
    pub(super) rule_id: String,
    pub(super) rule_index: usize,
    pub(super) kind: &'static str,
    pub(super) level: &'static str,
    pub(super) message: Message,
    pub(super) locations: [SarifLocation; 1],
    pub(super) partial_fingerprints: Fingerprints<'a>,
    pub(super) occurrence_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suppressions: Option<Vec<Suppression>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_locations: Vec<SarifLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) code_flows: Vec<CodeFlow<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stacks: Vec<StackObject<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<ResultProperties<'a>>,
}

/// Properties of results that SARIF doesn't define (section 3.8).
#[derive(Serialize)]
pub(super) struct ResultProperties<'a> {
    /// Names of the tests that caused the result.
    pub(super) tests: Vec<&'a str>,
}

/// Section 3.27.17. GitHub only reads the first.
#[derive(Serialize)]
pub(super) struct Fingerprints<'a> {
    #[serde(rename = "primaryLocationLineHash")]
    pub(super) line_hash: &'a str,
    #[serde(rename = "leakgate/v1")]
    pub(super) leakgate: &'a str,
}

/// Section 3.35.
#[derive(Serialize)]
pub(super) struct Suppression {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) justification: String,
}

/// Section 3.36.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CodeFlow<'t> {
    pub(super) message: Message,
    pub(super) thread_flows: [ThreadFlow<'t>; 1],
}

/// Section 3.37.
#[derive(Serialize)]
pub(super) struct ThreadFlow<'t> {
    /// The texts of [`ThreadFlowLocation`].
    pub(super) locations: Vec<&'t RawValue>,
}

/// Section 3.38.
#[derive(Serialize)]
pub(super) struct ThreadFlowLocation {
    pub(super) location: SarifLocation,
}

/// Section 3.44.
#[derive(Serialize)]
pub(super) struct StackObject<'t> {
    pub(super) message: Message,
    /// The texts of [`FrameObject`].
    pub(super) frames: Vec<&'t RawValue>,
}

impl PartialEq for StackObject<'_> {
    fn eq(&self, other: &Self) -> bool {
        let texts = self.frames.iter().map(|frame| frame.get());
        let others = other.frames.iter().map(|frame| frame.get());
        self.message == other.message && texts.eq(others)
    }
}

/// Section 3.45.
#[derive(Serialize)]
pub(super) struct FrameObject {
    pub(super) location: SarifLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) module: Option<String>,
}
