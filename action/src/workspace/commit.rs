//! The commit that is checked out.

use super::listing::git;
use super::root_of;

/// A commit with its parents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Hash of the commit.
    pub(crate) sha: String,
    /// Hashes of its parents.
    pub(crate) parents: Vec<String>,
}

impl Commit {
    /// Returns the commit that is checked out around the working directory. `None` without a
    /// repository or without git.
    pub(crate) fn checked_out() -> Option<Self> {
        let working_dir = std::env::current_dir().ok()?;
        let root = root_of(&working_dir)?;
        let run = |arguments: &[&str]| {
            let output = git(root).args(arguments).output().ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            output.status.success().then_some(text)
        };
        let sha = run(&["rev-parse", "--verify", "HEAD"])?.trim().to_owned();
        // Other commands hide the parents of a shallow clone.
        let text = run(&["cat-file", "commit", &sha])?;
        Some(Self {
            sha,
            parents: parents(&text),
        })
    }

    /// Returns true for this commit, and for a merge of it.
    pub(crate) fn contains_changes_of(&self, sha: &str) -> bool {
        self.sha == sha || self.parents.iter().any(|parent| parent == sha)
    }
}

/// Returns the parents in the text of a commit, whose header ends with an empty line.
fn parents(text: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("parent "))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_from_the_header_only() {
        let text = "tree 1\nparent 2\nparent 3\nauthor a <a@b> 0 +0000\n\nparent 4\n";
        let commit = Commit {
            sha: "5".into(),
            parents: parents(text),
        };
        assert_eq!(commit.parents, ["2", "3"]);
        assert!(commit.contains_changes_of("5") && commit.contains_changes_of("3"));
        assert!(!commit.contains_changes_of("4"));
    }
}
