//! Locates the project and its repository.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The project, and the repository that contains it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProjectLocation {
    /// Directory of the project.
    pub(super) project: PathBuf,
    /// Root of the repository, in which GitHub looks for workflows.
    pub(super) repository: PathBuf,
    /// Path of the project relative to the repository, with `/`. Empty if they are the same.
    pub(super) subdir: String,
}

impl ProjectLocation {
    /// Locates the project at `dir`. If it is `None`, the project is the repository that contains
    /// the working directory, or else the working directory.
    ///
    /// # Errors
    /// Fails if the directory does not exist, or its name cannot be written to a workflow.
    pub(super) fn find(dir: Option<&Path>) -> Result<Self, Error> {
        let start = dir.unwrap_or(Path::new("."));
        let resolved = start
            .canonicalize()
            .map_err(|error| Error::Read(start.into(), error))?;
        let error = |cause| Error::Usage(format!("cannot use {}: {cause}", start.display()));
        if !resolved.is_dir() {
            return Err(error("not a directory"));
        }
        // In submodules and additional worktrees, `.git` is a file.
        let repository = resolved
            .ancestors()
            .find(|ancestor| ancestor.join(".git").exists())
            .unwrap_or(&resolved)
            .to_owned();
        let project = if dir.is_some() {
            resolved
        } else {
            repository.clone()
        };
        let subdir = project
            .strip_prefix(&repository)
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .replace('\\', "/");
        // GitHub would evaluate an expression.
        let is_invalid = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
        if subdir.contains("${{") || subdir.contains(is_invalid) {
            return Err(error("a workflow cannot contain this path"));
        }
        Ok(Self {
            project,
            repository,
            subdir,
        })
    }

    /// Returns the path of a project file relative to the repository.
    pub(super) fn repository_path(&self, name: &str) -> String {
        if self.subdir.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.subdir)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn project_may_be_a_subdirectory_of_its_repository() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b/${{ x }}")).unwrap();
        fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
        let location = ProjectLocation::find(Some(&root.join("a/b"))).unwrap();
        assert_eq!(location.repository_path("x"), "a/b/x");
        let expected = ProjectLocation {
            project: root.join("a/b"),
            repository: root.clone(),
            subdir: "a/b".into(),
        };
        assert_eq!(location, expected);
        assert_eq!(ProjectLocation::find(Some(&root)).unwrap().subdir, "");
        for (path, cause) in [
            ("a/b/${{ x }}", "a workflow cannot contain this path"),
            ("none", "not found"),
            (".git", "not a directory"),
        ] {
            let error = ProjectLocation::find(Some(&root.join(path))).unwrap_err();
            assert!(error.to_string().contains(cause), "{error}");
        }
    }
}
