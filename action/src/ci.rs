//! CI systems that turn commands in the log of a job into groups and annotations.

use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use leakgate_core::Outcome;
use leakgate_core::emit::Format;

/// A CI system, as it is known by its environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CiSystem {
    /// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
    GithubActions,
    /// <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>
    AzurePipelines,
    /// <https://www.jetbrains.com/help/teamcity/service-messages.html>
    Teamcity,
    /// <https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections>
    Gitlab,
    /// <https://buildkite.com/docs/pipelines/configure/managing-log-output>
    Buildkite,
}

/// The text before and after a group in the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) begin: String,
    pub(crate) end: String,
}

impl CiSystem {
    /// Returns the system that runs this process. `None` if there is none, or if its log has no
    /// groups.
    pub(crate) fn detect() -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is_true = |name| value(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let is_set = |name| value(name).is_some_and(|text| !text.is_empty());
        if is_true("GITHUB_ACTIONS") {
            Some(Self::GithubActions)
        } else if is_true("TF_BUILD") {
            Some(Self::AzurePipelines)
        } else if is_set("TEAMCITY_VERSION") {
            Some(Self::Teamcity)
        } else if is_true("GITLAB_CI") {
            Some(Self::Gitlab)
        } else if is_true("BUILDKITE") {
            Some(Self::Buildkite)
        } else {
            None
        }
    }

    /// Returns the format of annotations in the log; `None` if it has none.
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Self::GithubActions => Some(Format::Annotations),
            Self::AzurePipelines => Some(Format::Azure),
            Self::Teamcity => Some(Format::Teamcity),
            Self::Gitlab | Self::Buildkite => None,
        }
    }

    /// Returns the group of a report with this outcome.
    pub(crate) fn group(self, outcome: Outcome) -> Group {
        let group = |begin: &str, end: &str| Group {
            begin: begin.to_owned(),
            end: end.to_owned(),
        };
        match self {
            Self::GithubActions => group("::group::leakgate report\n", "::endgroup::\n"),
            Self::AzurePipelines => group("##[group]leakgate report\n", "##[endgroup]\n"),
            Self::Teamcity => group(
                "##teamcity[blockOpened name='leakgate report']\n",
                "##teamcity[blockClosed name='leakgate report']\n",
            ),
            Self::Gitlab => gitlab_section(),
            // The next heading ends a group. A group without annotations below it must be open
            // when there is something to read.
            Self::Buildkite => match outcome {
                Outcome::Pass => group("--- leakgate report\n", ""),
                Outcome::Fail | Outcome::Error => group("+++ leakgate report\n", ""),
            },
        }
    }
}

/// Returns a collapsed section. Its name is unique in the job, and its times are those of its
/// beginning, because nothing runs meanwhile.
fn gitlab_section() -> Group {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_secs());
    let name = format!("leakgate_{}", process::id());
    Group {
        begin: format!(
            "\x1b[0Ksection_start:{now}:{name}[collapsed=true]\r\x1b[0Kleakgate report\n"
        ),
        end: format!("\x1b[0Ksection_end:{now}:{name}\r\x1b[0K\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_is_known_by_its_variables() {
        let detect = |variables: &[(&str, &str)]| {
            CiSystem::from_variables(|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        for (variables, expected) in [
            (
                &[("GITHUB_ACTIONS", "true")][..],
                Some(CiSystem::GithubActions),
            ),
            (&[("TF_BUILD", "True")], Some(CiSystem::AzurePipelines)),
            (&[("TEAMCITY_VERSION", "2026.1")], Some(CiSystem::Teamcity)),
            (&[("GITHUB_ACTIONS", ""), ("TEAMCITY_VERSION", "")], None),
            (
                &[("CI", "true"), ("GITLAB_CI", "true")],
                Some(CiSystem::Gitlab),
            ),
            (
                &[("CI", "true"), ("BUILDKITE", "true")],
                Some(CiSystem::Buildkite),
            ),
            (&[("CI", "true"), ("BITBUCKET_BUILD_NUMBER", "1")], None),
        ] {
            assert_eq!(detect(variables), expected, "{variables:?}");
        }
    }
}
