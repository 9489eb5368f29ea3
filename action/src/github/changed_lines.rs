//! The lines that a pull request changes, from the patches of its files.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::request::ApiRequest;

/// Maximum number of files that GitHub lists; it leaves out all others.
const MAX_FILES: usize = 3000;

/// Number of files per page.
const PAGE_SIZE: usize = 100;

const CONTEXT: &str = "cannot read the changed lines of the pull request";

/// The lines that a pull request adds or changes, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangedLines {
    /// The lines of each file, in ascending order. `None` if they are unknown.
    files: BTreeMap<String, Option<Vec<u32>>>,
}

/// A file of a pull request in the API.
#[derive(Debug, Deserialize)]
struct ApiFile {
    filename: String,
    /// Number of added lines. A changed line counts as removed and added.
    #[serde(default)]
    additions: usize,
    /// Hunks without the header of the file. Missing for binary and for large files.
    #[serde(default)]
    patch: Option<String>,
}

impl ChangedLines {
    /// Returns true if the pull request adds or changes the line, or if the lines of its file are
    /// unknown. `file` is relative to the root of the repository.
    pub(crate) fn contains(&self, file: &str, line: u32) -> bool {
        match self.files.get(file) {
            Some(Some(lines)) => lines.binary_search(&line).is_ok(),
            Some(None) => true,
            None => false,
        }
    }
}

impl Client {
    /// Returns the lines that a pull request changes.
    ///
    /// # Errors
    /// A request fails, or the pull request has more files than GitHub lists.
    pub(crate) fn changed_lines(&self, pull: u64) -> Result<ChangedLines, ApiError> {
        self.block_on(async {
            let mut changed = ChangedLines::default();
            for page in 1..=MAX_FILES / PAGE_SIZE {
                let path = format!("/pulls/{pull}/files?per_page={PAGE_SIZE}&page={page}");
                let path = self.repository_path(&path);
                let response = self
                    .send_idempotent(&ApiRequest::get(path, CONTEXT))
                    .await?;
                let files: Vec<ApiFile> = response.json(CONTEXT)?;
                let is_last = files.len() < PAGE_SIZE || !response.has_next_page();
                for file in files {
                    let lines = added_lines(&file);
                    changed.files.insert(file.filename, lines);
                }
                if is_last && changed.files.len() < MAX_FILES {
                    return Ok(changed);
                }
            }
            Err(ApiError::Other(format!(
                "{CONTEXT}: it has {MAX_FILES} files or more, and GitHub lists no others"
            )))
        })
    }
}

/// Returns the numbers of the lines that a patch adds. `None` if the patch doesn't have all of
/// them.
fn added_lines(file: &ApiFile) -> Option<Vec<u32>> {
    let mut lines = Vec::new();
    let mut next = 0;
    for line in file.patch.as_deref().unwrap_or_default().lines() {
        match line.as_bytes().first() {
            Some(b'@') => next = first_line(line)?,
            Some(b'+') => {
                lines.push(next);
                next += 1;
            }
            // `\ No newline at end of file`
            Some(b'-' | b'\\') => {}
            _ => next += 1,
        }
    }
    (lines.len() == file.additions).then_some(lines)
}

/// Returns the first line of a hunk in the new file: 7 in `@@ -5,2 +7,3 @@`.
fn first_line(header: &str) -> Option<u32> {
    let (_, new) = header.split_once(" +")?;
    new.split([',', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(additions: usize, patch: Option<&str>) -> Option<Vec<u32>> {
        added_lines(&ApiFile {
            filename: "a.c".into(),
            additions,
            patch: patch.map(str::to_owned),
        })
    }

    #[test]
    fn added_lines_are_numbered_as_in_the_new_file() {
        let patch = "@@ -1,3 +1,4 @@ int f()\n a\n-b\n+B\n+@@ new\n c\n\
                     @@ -10 +11,2 @@\n-x\n\\ No newline at end of file\n+x\n+y";
        assert_eq!(lines(4, Some(patch)), Some(vec![2, 3, 11, 12]));
        assert_eq!(lines(1, Some("@@ -0,0 +1 @@\n+a")), Some(vec![1]));
        assert_eq!(lines(0, Some("@@ -1 +0,0 @@\n-a")), Some(vec![]));
    }

    #[test]
    fn lines_are_unknown_without_the_whole_patch() {
        assert_eq!(lines(0, None), Some(vec![]));
        assert_eq!(lines(9000, None), None);
        assert_eq!(lines(2, Some("@@ -0,0 +1,2 @@\n+a")), None);
        assert_eq!(lines(1, Some("@@ ?\n+a")), None);
    }

    #[test]
    fn unknown_lines_count_as_changed() {
        let changed = ChangedLines {
            files: BTreeMap::from([("a.c".into(), Some(vec![2, 5])), ("big.c".into(), None)]),
        };
        assert!(changed.contains("a.c", 5) && changed.contains("big.c", 9));
        assert!(!changed.contains("a.c", 3) && !changed.contains("b.c", 5));
    }
}
