//! Where the files go, and whether they may.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The project, and the repository around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder of the project.
    pub(super) project: PathBuf,
    /// The folder that GitHub takes workflows from.
    pub(super) repository: PathBuf,
    /// The way from the one to the other, with `/`; empty where they are the same.
    pub(super) below: String,
}

impl Place {
    /// The folder that was named, or the root of the repository, or else the working directory.
    ///
    /// # Errors
    /// There is no such folder, or its name can't stand in a workflow.
    pub(super) fn of(named: Option<&Path>) -> Result<Self, Error> {
        let start = named.unwrap_or(Path::new("."));
        let read = |error| Error::Read(start.to_owned(), error);
        let real = start.canonicalize().map_err(read)?;
        if !real.is_dir() {
            return Err(Error::Usage(format!("{}: is no folder", start.display())));
        }
        // Of a submodule and a second worktree it is a file.
        let repository = real
            .ancestors()
            .find(|folder| folder.join(".git").exists())
            .unwrap_or(&real)
            .to_owned();
        let project = if named.is_some() {
            real
        } else {
            repository.clone()
        };
        let below = project
            .strip_prefix(&repository)
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .replace('\\', "/");
        // GitHub would evaluate an expression in it.
        if below.contains("${{")
            || below.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER)
        {
            return Err(Error::Usage(format!(
                "{}: a workflow can't name this folder",
                start.display()
            )));
        }
        Ok(Self {
            project,
            repository,
            below,
        })
    }

    /// A file of the project, as seen from the root of the repository.
    pub(super) fn inside(&self, name: &str) -> String {
        if self.below.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.below)
        }
    }
}

/// A file that may be written.
#[derive(Debug)]
pub(super) struct New {
    /// From the root of the repository.
    pub(super) name: String,
    /// Where it goes.
    pub(super) path: PathBuf,
    /// What stands in it.
    pub(super) text: String,
}

impl New {
    /// True when there is no such file yet.
    ///
    /// # Errors
    /// Something else is in the way: a link that leads nowhere, or to a folder elsewhere.
    pub(super) fn is_free(&self, root: &Path) -> Result<bool, Error> {
        if self.path.exists() {
            return Ok(false);
        }
        let way = self.path.ancestors().take_while(|path| *path != root);
        for path in way {
            let Ok(meta) = fs::symlink_metadata(path) else {
                continue;
            };
            let why = match (meta.is_symlink(), meta.is_dir()) {
                (true, _) => "is a link; nothing is written through it",
                (false, true) => continue,
                (false, false) => "is no folder",
            };
            let name = path.strip_prefix(root).unwrap_or(path).display();
            return Err(Error::Usage(format!("{name}: {why}")));
        }
        Ok(true)
    }

    /// Writes it, and the folders on the way.
    pub(super) fn write(&self) -> Result<(), Error> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::Write(folder.to_owned(), error))?;
        }
        crate::output::new_file(&self.path, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(root: &Path, name: &str) -> New {
        New {
            name: name.to_owned(),
            path: root.join(name),
            text: "x".into(),
        }
    }

    #[test]
    fn a_project_may_lie_below_its_repository() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b/${{ x }}")).unwrap();
        fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
        let place = Place::of(Some(&root.join("a/b"))).unwrap();
        assert_eq!(place.inside("x"), "a/b/x");
        assert_eq!(
            place,
            Place {
                project: root.join("a/b"),
                repository: root.clone(),
                below: "a/b".into()
            }
        );
        assert_eq!(Place::of(Some(&root)).unwrap().below, "");
        assert!(
            Place::of(Some(&root.join("a/b/${{ x }}")))
                .unwrap_err()
                .to_string()
                .contains("can't name")
        );
        assert!(
            Place::of(Some(&root.join("none")))
                .unwrap_err()
                .to_string()
                .contains("no such")
        );
        assert!(
            Place::of(Some(&root.join(".git")))
                .unwrap_err()
                .to_string()
                .contains("is no folder")
        );
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = new(dir.path(), ".github/workflows/a.yml");
        assert!(file.is_free(dir.path()).unwrap());
        file.write().unwrap();
        assert!(!file.is_free(dir.path()).unwrap());
        // Even when it came between the look and the writing.
        fs::write(&file.path, "mine").unwrap();
        assert!(
            file.write()
                .unwrap_err()
                .to_string()
                .contains("can't be written")
        );
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "mine");
        assert_eq!(
            fs::read_dir(file.path.parent().unwrap()).unwrap().count(),
            1
        );
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("leakgate.toml")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(".github")).unwrap();
        for name in ["leakgate.toml", ".github/workflows/a.yml"] {
            assert!(
                new(dir.path(), name)
                    .is_free(dir.path())
                    .unwrap_err()
                    .to_string()
                    .contains("is a link"),
                "{name}"
            );
        }
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(
            new(dir.path(), "file/a.yml")
                .is_free(dir.path())
                .unwrap_err()
                .to_string()
                .contains("file: is no folder")
        );
    }
}
