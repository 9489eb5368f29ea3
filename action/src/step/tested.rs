//! The commit that a run has tested.

use crate::runner::Context;
use crate::workspace::Commit;

/// The commit that the results of a run are about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestedCommit {
    /// Hash of the commit.
    pub(super) sha: String,
    /// Why it may not be the commit that is reported on, in a few words.
    pub(super) mismatch: Option<String>,
}

impl TestedCommit {
    /// Finds out which commit was tested.
    ///
    /// Only `pull_request_target` reports on another commit than the runner checks out by default:
    /// that is the base, and the report is for the head.
    pub(super) fn new(context: &Context) -> Self {
        if context.event != "pull_request_target" {
            return Self {
                sha: context.head_sha.clone(),
                mismatch: None,
            };
        }
        Self::of_checkout(context, Commit::checked_out())
    }

    fn of_checkout(context: &Context, checked_out: Option<Commit>) -> Self {
        let head = &context.head_sha;
        let Some(commit) = checked_out else {
            return Self {
                sha: String::new(),
                mismatch: Some("tested an unknown commit".into()),
            };
        };
        if commit.contains_changes_of(head) || Some(&commit.sha) == context.merge_sha.as_ref() {
            return Self {
                sha: head.clone(),
                mismatch: None,
            };
        }
        let short: String = commit.sha.chars().take(7).collect();
        Self {
            sha: commit.sha,
            mismatch: Some(format!("tested {short}, not the head of the pull request")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_head_and_its_merges_count_as_tested() {
        let context = Context {
            event: "pull_request_target".into(),
            head_sha: "aaaaaaaaaa".into(),
            merge_sha: Some("bbbbbbbbbb".into()),
            ..Context::default()
        };
        let of = |sha: &str, parents: &[&str]| {
            let commit = Commit {
                sha: sha.into(),
                parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            };
            TestedCommit::of_checkout(&context, Some(commit))
        };
        for (sha, parents) in [
            ("aaaaaaaaaa", &[][..]),
            ("bbbbbbbbbb", &[]),
            ("cccccccccc", &["dddddddddd", "aaaaaaaaaa"]),
        ] {
            let tested = of(sha, parents);
            assert_eq!((tested.sha.as_str(), tested.mismatch), ("aaaaaaaaaa", None));
        }
        let base = of("cccccccccc", &["dddddddddd"]);
        assert_eq!(base.sha, "cccccccccc");
        assert_eq!(
            base.mismatch.as_deref(),
            Some("tested ccccccc, not the head of the pull request")
        );
        let unknown = TestedCommit::of_checkout(&context, None);
        assert!(unknown.mismatch.is_some() && unknown.sha.is_empty());
    }
}
