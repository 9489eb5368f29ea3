//! Files that `leakgate init` creates. Existing files are never changed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file to create.
#[derive(Debug)]
pub(super) struct NewFile {
    /// Path relative to the repository, as it is displayed.
    pub(super) name: String,
    /// Path to write to.
    pub(super) path: PathBuf,
    /// Content of the file.
    pub(super) text: String,
}

impl NewFile {
    /// Returns true if the file does not exist yet.
    ///
    /// # Errors
    /// Fails if the file, or a directory of its path below `repository`, is a symbolic link, or if
    /// a parent is not a directory.
    pub(super) fn can_create(&self, repository: &Path) -> Result<bool, Error> {
        if self.path.exists() {
            return Ok(false);
        }
        let ancestors = self.path.ancestors().take_while(|path| *path != repository);
        for path in ancestors {
            let Ok(meta) = fs::symlink_metadata(path) else {
                continue;
            };
            let cause = if meta.is_symlink() {
                "it is a symbolic link"
            } else if meta.is_dir() {
                continue;
            } else {
                "it is not a directory"
            };
            let name = path.strip_prefix(repository).unwrap_or(path).display();
            return Err(Error::Usage(format!("cannot write to {name}: {cause}")));
        }
        Ok(true)
    }

    /// Writes the file, and creates its parent directories.
    ///
    /// # Errors
    /// Fails if the file exists or cannot be written.
    pub(super) fn write(&self) -> Result<(), Error> {
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::Write(parent.to_owned(), error))?;
        }
        crate::output::new_file(&self.path, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_file(root: &Path, name: &str) -> NewFile {
        NewFile {
            name: name.to_owned(),
            path: root.join(name),
            text: "x".into(),
        }
    }

    #[test]
    fn existing_file_is_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let file = new_file(dir.path(), ".github/workflows/a.yml");
        assert!(file.can_create(dir.path()).unwrap());
        file.write().unwrap();
        assert!(!file.can_create(dir.path()).unwrap());
        // Even if it was created after the check.
        fs::write(&file.path, "mine").unwrap();
        let error = file.write().unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "mine");
        assert_eq!(
            fs::read_dir(file.path.parent().unwrap()).unwrap().count(),
            1
        );
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("leakgate.toml")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(".github")).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        for (name, expected) in [
            (
                "leakgate.toml",
                "cannot write to leakgate.toml: it is a symbolic link",
            ),
            (
                ".github/workflows/a.yml",
                "cannot write to .github: it is a symbolic link",
            ),
            ("file/a.yml", "cannot write to file: it is not a directory"),
        ] {
            let error = new_file(dir.path(), name)
                .can_create(dir.path())
                .unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
