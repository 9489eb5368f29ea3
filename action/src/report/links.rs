//! Links of a report: to its commit, its run, its artifact, and the places of findings.

use crate::github::encode_segment;
use crate::runner::Context;

/// The links of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// URL of the files of the commit. `None` if the commit or its repository is unknown.
    pub(crate) files: Option<String>,
    /// Markdown that names the commit and links the run and its artifacts. Empty if neither is
    /// known.
    pub(crate) origin: String,
}

impl Links {
    /// Creates the links of a report about this commit, from a run with this URL. `has_artifact` is
    /// true if the run uploads the reports.
    pub(crate) fn new(
        context: &Context,
        sha: &str,
        run_url: Option<&str>,
        has_artifact: bool,
    ) -> Self {
        let is_hash = !sha.is_empty() && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        let repository = context.repository.as_ref().filter(|_| is_hash);
        let repository_url = repository.map(|(owner, name)| {
            let (owner, name) = (encode_segment(owner), encode_segment(name));
            format!("{}/{owner}/{name}", context.server)
        });
        let commit = repository_url.as_ref().map(|url| {
            let short = &sha[..sha.len().min(7)];
            format!("Commit [`{short}`]({url}/commit/{sha})")
        });
        let run = run_url.map(|url| format!("[run]({url})"));
        let artifact = run_url
            .filter(|_| has_artifact)
            .map(|url| format!("[reports]({url}#artifacts)"));
        let parts: Vec<String> = [commit, run, artifact].into_iter().flatten().collect();
        Self {
            files: repository_url.map(|url| format!("{url}/blob/{sha}")),
            origin: parts.join(" · "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(sha: &str, run_url: Option<&str>, has_artifact: bool) -> Links {
        let context = Context {
            server: "https://h".into(),
            repository: Some(("o".into(), "r)".into())),
            ..Context::default()
        };
        Links::new(&context, sha, run_url, has_artifact)
    }

    #[test]
    fn commit_run_and_artifact_are_linked_as_far_as_they_are_known() {
        let sha = "0123456789abcdef";
        let all = links(sha, Some("https://h/run"), true);
        assert_eq!(
            all.origin,
            "Commit [`0123456`](https://h/o/r%29/commit/0123456789abcdef) · [run](https://h/run) · \
             [reports](https://h/run#artifacts)"
        );
        assert_eq!(
            all.files.as_deref(),
            Some("https://h/o/r%29/blob/0123456789abcdef")
        );
        let run_only = links("not a hash", Some("https://h/run"), false);
        assert_eq!(run_only.origin, "[run](https://h/run)");
        assert_eq!(run_only.files, None);
        assert_eq!(links("", None, true), Links::default());
    }
}
