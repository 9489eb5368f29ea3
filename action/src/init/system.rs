//! CI systems: which one a repository uses, and which file it reads.

use std::path::Path;

use clap::ValueEnum;

use super::suppressions::Workflow;
use super::tree::read_text;

/// A CI system for which `leakgate init` generates a workflow or pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum System {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
    /// Azure Pipelines
    Azure,
    /// Jenkins
    Jenkins,
    /// Buildkite
    Buildkite,
}

/// All systems, with the files by which they are found. The first ones are preferred.
const MARKERS: &[(System, &[&str])] = &[
    (System::Github, &[".github/workflows"]),
    (System::Gitlab, &[".gitlab-ci.yml"]),
    (System::Azure, &["azure-pipelines.yml", ".azure-pipelines"]),
    (System::Buildkite, &[".buildkite"]),
    (System::Jenkins, &["Jenkinsfile"]),
];

/// The file to generate for a system.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Path relative to the repository.
    pub(super) path: &'static str,
    /// The existing file of the system, if `path` is a second one.
    pub(super) main: Option<&'static str>,
    /// A file that already runs leakgate.
    pub(super) already: Option<String>,
}

impl System {
    /// Returns the name of the product.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub Actions",
            Self::Gitlab => "GitLab CI/CD",
            Self::Azure => "Azure Pipelines",
            Self::Jenkins => "Jenkins",
            Self::Buildkite => "Buildkite",
        }
    }

    /// Returns what the system calls the generated file.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Github => "workflow",
            _ => "pipeline",
        }
    }

    fn option(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Finds the system of a repository by its files and the host of its remote `origin`. Also
    /// returns notes about a choice that isn't obvious.
    pub(super) fn detect(repository: &Path) -> (Self, Vec<String>) {
        let exists = |marker: &&&str| repository.join(marker).exists();
        let found: Vec<(Self, &str)> = MARKERS
            .iter()
            .filter_map(|(system, files)| Some((*system, *files.iter().find(exists)?)))
            .collect();
        let host = origin_host(&repository.join(".git/config"));
        let host = host.and_then(|host| Some((Self::of_host(&host)?, host)));
        let of_host = host.as_ref().map(|(system, _)| *system);
        let chosen = found
            .iter()
            .find(|(system, _)| Some(*system) == of_host)
            .or(found.first());
        let Some((system, file)) = chosen else {
            let found = host.filter(|(system, _)| *system != Self::Github);
            return found.map_or((Self::Github, Vec::new()), |(system, host)| {
                let note = format!("found {} (the remote origin is at {host})", system.name());
                (system, vec![note])
            });
        };
        let mut notes = Vec::new();
        if *system != Self::Github {
            notes.push(format!("found {} ({file})", system.name()));
        }
        notes.extend(
            found
                .iter()
                .filter(|(other, _)| other != system)
                .map(|(other, file)| {
                    let (name, option) = (other.name(), other.option());
                    format!(
                        "not used: {name} ({file}); `--ci {option}` generates a {}",
                        other.noun()
                    )
                }),
        );
        (*system, notes)
    }

    /// Returns the system that belongs to a host of repositories.
    fn of_host(host: &str) -> Option<Self> {
        let is_below = |domain: &str| {
            host.strip_suffix(domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if is_below("github.com") {
            Some(Self::Github)
        } else if is_below("dev.azure.com") || is_below("visualstudio.com") {
            Some(Self::Azure)
        } else if host.split('.').any(|label| label == "gitlab") {
            Some(Self::Gitlab)
        } else {
            None
        }
    }

    /// Returns the file to generate. If the system's own file exists, it is a second one, which the
    /// user includes.
    pub(super) fn target(self, repository: &Path, workflows: &[Workflow]) -> Target {
        let (mains, second): (&[&str], _) = match self {
            Self::Github => {
                let runs = |workflow: &&Workflow| workflow.text.contains("leakgate/leakgate@");
                let other = workflows.iter().find(runs);
                return Target {
                    path: super::WORKFLOW,
                    main: None,
                    already: other.map(|other| format!(".github/workflows/{}", other.name)),
                };
            }
            Self::Gitlab => (&[".gitlab-ci.yml"], ".gitlab/leakgate.yml"),
            Self::Azure => (&["azure-pipelines.yml"], "azure-pipelines-leakgate.yml"),
            Self::Jenkins => (&["Jenkinsfile"], "Jenkinsfile.leakgate"),
            Self::Buildkite => (
                &[".buildkite/pipeline.yml", ".buildkite/pipeline.yaml"],
                ".buildkite/leakgate.yml",
            ),
        };
        let main = mains
            .iter()
            .copied()
            .find(|main| repository.join(main).exists());
        let runs = |main: &&str| {
            read_text(&repository.join(main)).is_some_and(|text| text.contains("leakgate"))
        };
        Target {
            path: main.map_or(mains[0], |_| second),
            main,
            already: main.filter(runs).map(str::to_owned),
        }
    }

    /// Returns how to use a second file; `None` for GitHub, which reads all workflows.
    pub(super) fn inclusion(self, target: &Target) -> Option<String> {
        let main = target.main?;
        let path = target.path;
        Some(match self {
            Self::Github => return None,
            Self::Gitlab => format!("add this line to {main}: include: /{path}"),
            Self::Azure => format!("add this line below `jobs:` in {main}: - template: {path}"),
            Self::Jenkins => format!("create a pipeline in Jenkins with the script path {path}"),
            Self::Buildkite => format!(
                "add this line below `steps:` in {main}: \
                 - command: buildkite-agent pipeline upload {path}"
            ),
        })
    }
}

/// Returns the host of the remote `origin` in a configuration file of git.
fn origin_host(config: &Path) -> Option<String> {
    let text = read_text(config)?;
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == "[remote \"origin\"]")?;
    let url = lines
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("url")?.trim_start().strip_prefix('='))?
        .trim();
    // `https://user@host:port/path` or `user@host:path`.
    let authority = match url.split_once("://") {
        Some((_, rest)) => rest.split('/').next()?,
        None => url.split_once(':')?.0,
    };
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    host.chars().all(is_name).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::test_tree;
    use super::*;

    fn detect(files: &[(&str, &str)]) -> (System, String) {
        let (dir, _) = test_tree(files);
        let (system, notes) = System::detect(dir.path());
        (system, notes.join("\n"))
    }

    fn origin(url: &str) -> String {
        format!(
            "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://gitlab.com/a/b\n\
             [remote \"origin\"]\n\tfetch = x\n\turl = {url}\n[branch \"main\"]\n"
        )
    }

    #[test]
    fn system_is_found_by_files_and_by_the_origin() {
        assert_eq!(detect(&[("a.c", "")]), (System::Github, String::new()));
        assert_eq!(
            detect(&[(".github/workflows/a.yml", ""), ("Jenkinsfile", "")]),
            (
                System::Github,
                "not used: Jenkins (Jenkinsfile); `--ci jenkins` generates a pipeline".into()
            )
        );
        for (file, system) in [
            (".gitlab-ci.yml", System::Gitlab),
            ("azure-pipelines.yml", System::Azure),
            (".buildkite/pipeline.yml", System::Buildkite),
            ("Jenkinsfile", System::Jenkins),
        ] {
            // Issue templates are no workflows.
            let github = (".github/ISSUE_TEMPLATE.md", "");
            let (found, note) = detect(&[(file, ""), github]);
            assert_eq!(found, system);
            assert!(
                note.starts_with(&format!("found {} (", system.name())),
                "{note}"
            );
        }
        let gitlab = origin("git@gitlab.example.org:github/x.git");
        assert_eq!(
            detect(&[(".git/config", &gitlab)]).1,
            "found GitLab CI/CD (the remote origin is at gitlab.example.org)"
        );
        let files = [
            (".git/config", gitlab.as_str()),
            (".github/workflows/a.yml", ""),
            (".gitlab-ci.yml", ""),
        ];
        assert_eq!(detect(&files).0, System::Gitlab);
    }

    #[test]
    fn host_is_read_from_every_form_of_url() {
        let host = |url: &str| {
            let (dir, _) = test_tree(&[("config", &origin(url))]);
            origin_host(&dir.path().join("config"))
        };
        for (url, expected) in [
            (
                "https://user:secret@GitHub.com/a/gitlab.git",
                Some("github.com"),
            ),
            (
                "ssh://git@ssh.dev.azure.com:22/v3/a/b/c",
                Some("ssh.dev.azure.com"),
            ),
            ("git@gitlab.com:a/b.git", Some("gitlab.com")),
            ("../elsewhere", None),
            ("https://\u{1b}[2J/x", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
        assert_eq!(System::of_host("ssh.dev.azure.com"), Some(System::Azure));
        assert_eq!(System::of_host("notgithub.com"), None);
    }

    #[test]
    fn existing_pipeline_gets_a_second_file() {
        for (system, main, second) in [
            (System::Gitlab, ".gitlab-ci.yml", ".gitlab/leakgate.yml"),
            (
                System::Azure,
                "azure-pipelines.yml",
                "azure-pipelines-leakgate.yml",
            ),
            (System::Jenkins, "Jenkinsfile", "Jenkinsfile.leakgate"),
            (
                System::Buildkite,
                ".buildkite/pipeline.yml",
                ".buildkite/leakgate.yml",
            ),
        ] {
            let target = |files: &[(&str, &str)]| {
                let (dir, _) = test_tree(files);
                system.target(dir.path(), &[])
            };
            let new = target(&[]);
            assert_eq!((new.path, new.main), (main, None));
            assert_eq!(system.inclusion(&new), None);
            let existing = target(&[(main, "mine")]);
            assert_eq!((existing.path, existing.main), (second, Some(main)));
            assert!(system.inclusion(&existing).unwrap().contains(second));
            assert_eq!(existing.already, None);
            let already = target(&[(main, "leakgate run -- ./t")]).already;
            assert_eq!(already.as_deref(), Some(main));
        }
    }
}
