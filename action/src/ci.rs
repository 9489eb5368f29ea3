//! CI systems that turn commands in the log of a job into groups and annotations.

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
}

impl CiSystem {
    /// Returns the system that runs this process. `None` if there is none, or if its log has no
    /// annotations.
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
        } else {
            None
        }
    }

    /// Returns the format of annotations in the log.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::GithubActions => Format::Annotations,
            Self::AzurePipelines => Format::Azure,
            Self::Teamcity => Format::Teamcity,
        }
    }

    /// Returns the lines that begin and end a group in the log.
    pub(crate) fn group(self) -> (&'static str, &'static str) {
        match self {
            Self::GithubActions => ("::group::leakgate report\n", "::endgroup::\n"),
            Self::AzurePipelines => ("##[group]leakgate report\n", "##[endgroup]\n"),
            Self::Teamcity => (
                "##teamcity[blockOpened name='leakgate report']\n",
                "##teamcity[blockClosed name='leakgate report']\n",
            ),
        }
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
            (&[("CI", "true"), ("GITLAB_CI", "true")], None),
        ] {
            assert_eq!(detect(variables), expected, "{variables:?}");
        }
    }
}
