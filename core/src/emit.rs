//! Reports, one module per format. All formats render the same [`Run`], and none of them affects
//! the verdict.

mod annotations;
mod azure;
mod bitbucket;
mod buildkite;
mod cdash;
mod changes;
mod escape;
mod folded;
mod frames;
mod gitlab;
mod group;
mod growth;
mod html;
mod issues;
mod json;
mod junit;
mod listing;
mod location;
mod markdown;
mod next_step;
mod rdjson;
mod sarif;
mod style;
mod summary;
mod teamcity;
mod text;
mod warnings_ng;
mod wrap;

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

pub use self::annotations::{Annotation, annotation_commands, annotations, command, verdict_line};
pub use self::changes::{changes_as_json, changes_as_text, changes_since};
pub use self::escape::terminal;
pub use self::growth::{growth_as_html, growth_as_json, growth_as_text};
pub use self::html::{Panes, panes};
pub use self::listing::Listing;
pub use self::location::Location;
pub use self::style::{Excerpt, RenderOptions};
pub use self::wrap::{unbroken, wrap};
use crate::compare::Change;
use crate::culprit::{NoWorkspace, Workspace};
use crate::error::UnknownName;
use crate::full;
use crate::model::Finding;
use crate::parse::Parsed;
use crate::rules::{Rule, RuleUsage};
use crate::triage::{Gate, Triage, TriagedFinding};
use crate::verdict::Verdict;

/// A format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For machines: one object of the schema `leakgate/v1`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One page for a browser.
    Html,
    /// For the summary of a job, and for comments.
    Markdown,
    /// JUnit's XML, for dashboards.
    Junit,
    /// Workflow commands of GitHub Actions.
    Annotations,
    /// GitLab's Code Quality report.
    Gitlab,
    /// Logging commands of Azure Pipelines.
    Azure,
    /// Service messages of TeamCity.
    Teamcity,
    /// The body of a Buildkite annotation.
    Buildkite,
    /// Bitbucket's Code Insights.
    Bitbucket,
    /// The native format of Jenkins' Warnings plugin.
    WarningsNg,
    /// Reviewdog's diagnostic format.
    Rdjson,
    /// CDash's `DynamicAnalysis.xml`.
    Cdash,
    /// Folded stacks of leaks, for flame graphs.
    Folded,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Json,
        Self::Html,
        Self::Sarif,
        Self::Markdown,
        Self::Junit,
        Self::Annotations,
        Self::Gitlab,
        Self::Azure,
        Self::Teamcity,
        Self::Buildkite,
        Self::Bitbucket,
        Self::WarningsNg,
        Self::Rdjson,
        Self::Cdash,
        Self::Folded,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Annotations => "annotations",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
            Self::Teamcity => "teamcity",
            Self::Buildkite => "buildkite",
            Self::Bitbucket => "bitbucket",
            Self::WarningsNg => "warnings-ng",
            Self::Rdjson => "rdjson",
            Self::Cdash => "cdash",
            Self::Folded => "folded",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().copied().find(|f| f.as_str() == name);
        found.ok_or_else(|| UnknownName::new("format", name, Self::ALL.iter().map(|f| f.as_str())))
    }
}

/// A complete run, as reports show it: parsed data, gate, triage and verdict.
///
/// ```
/// use leakgate_core::emit::{self, Format, RenderOptions, Run};
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
/// let verdict = judge(&parsed, &triage, &sources, &gate);
///
/// let run = Run::new(&parsed, &gate, &triage, &verdict);
/// for found in run.findings() {
///     assert_eq!(found.finding.kind.as_str(), "leak-definite");
///     assert_eq!(found.triaged.disposition.as_str(), "unexpected");
///     assert!(found.rule.is_none());
/// }
/// let text = emit::render(&run, Format::Text, &RenderOptions::default());
/// assert!(text.contains("/src/a.c:3:9"));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Run<'a> {
    /// Inputs, reports, findings and problems.
    pub parsed: &'a Parsed,
    /// Policy, rules, baseline and date.
    pub gate: &'a Gate,
    /// The decision about each finding.
    pub triage: &'a Triage,
    /// Pass or fail, with reasons.
    pub verdict: &'a Verdict,
    /// The repository that paths are shown relative to. Default: none.
    pub workspace: &'a dyn Workspace,
    /// Source lines to quote. Default: none.
    pub sources: &'a dyn Excerpt,
    /// Changes since an earlier run. `None` if there is no earlier run to compare with.
    pub changes: Option<&'a [Change]>,
    /// Why inputs could not be read, a message each. Markdown and HTML reports list them. Default: none.
    pub input_errors: &'a [String],
}

impl<'a> Run<'a> {
    /// Creates a run without a repository, source lines and an earlier run.
    pub fn new(
        parsed: &'a Parsed,
        gate: &'a Gate,
        triage: &'a Triage,
        verdict: &'a Verdict,
    ) -> Self {
        Self {
            parsed,
            gate,
            triage,
            verdict,
            workspace: &NoWorkspace,
            sources: &NoWorkspace,
            changes: None,
            input_errors: &[],
        }
    }

    /// Sets the repository that paths are shown relative to.
    #[must_use]
    pub fn with_workspace(mut self, workspace: &'a dyn Workspace) -> Self {
        self.workspace = workspace;
        self
    }

    /// Sets the source lines to quote.
    #[must_use]
    pub fn with_sources(mut self, sources: &'a dyn Excerpt) -> Self {
        self.sources = sources;
        self
    }

    /// Sets the changes since an earlier run.
    #[must_use]
    pub fn with_changes(mut self, changes: Option<&'a [Change]>) -> Self {
        self.changes = changes;
        self
    }

    /// Sets the messages about inputs that could not be read.
    #[must_use]
    pub fn with_input_errors(mut self, errors: &'a [String]) -> Self {
        self.input_errors = errors;
        self
    }

    /// Returns each finding with its triage result and the rule that decided about it, in the order
    /// of first appearance.
    pub fn findings(&self) -> impl Iterator<Item = FindingInRun<'a>> + use<'a> {
        let Self { gate, triage, .. } = *self;
        triage
            .iter(self.parsed)
            .map(move |(finding, triaged)| FindingInRun {
                finding,
                triaged,
                rule: triaged.rule.and_then(|at| gate.rules.get(at)),
            })
    }

    /// Returns each rule with its usage in this run, in the order in which rules are tried.
    pub fn rules(&self) -> impl Iterator<Item = (&'a Rule, &'a RuleUsage)> + use<'a> {
        self.triage.rules(self.gate)
    }
}

/// A finding together with the decision about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FindingInRun<'a> {
    /// The finding as the checker reported it.
    pub finding: &'a Finding,
    /// Its fingerprint, culprit and disposition.
    pub triaged: &'a TriagedFinding,
    /// The first rule that matches it. `None` if no rule matches.
    pub rule: Option<&'a Rule>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("parsed", self.parsed)
            .field("verdict", self.verdict)
            .finish_non_exhaustive()
    }
}

/// Renders a report and returns its text.
pub fn render(run: &Run<'_>, format: Format, style: &RenderOptions<'_>) -> String {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = write(run, format, style, &mut text);
    text
}

/// Writes a report to `out`.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn write(
    run: &Run<'_>,
    format: Format,
    style: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    full::require();
    match format {
        Format::Text => text::write(run, style, out),
        Format::Json => json::write(run, out),
        Format::Html => html::write(run, style, out),
        Format::Sarif => sarif::write(run, style, out),
        Format::Markdown => markdown::write(run, style, out),
        Format::Junit => junit::write(run, out),
        Format::Annotations => annotations::write(run, out),
        Format::Gitlab => gitlab::write(run, out),
        Format::Azure => azure::write(run, out),
        Format::Teamcity => teamcity::write(run, out),
        Format::Buildkite => buildkite::write(run, style, out),
        Format::Bitbucket => bitbucket::write(run, out),
        Format::WarningsNg => warnings_ng::write(run, out),
        Format::Rdjson => rdjson::write(run, out),
        Format::Cdash => cdash::write(run, style, out),
        Format::Folded => folded::write(run, style, out),
    }
}
