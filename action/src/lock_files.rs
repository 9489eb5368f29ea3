//! Reads the lock files of the project, if a rule is tied to the version of a dependency.
//!
//! Of each kind of lock file, the one nearest to the configuration is read: in its folder, or in a
//! folder above it within the repository. Rules may name others.

use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::Rule;
use leakgate_core::lock_file::LockFile;

use crate::error::Error;

/// The lock files of a project.
#[derive(Debug, Default)]
pub(crate) struct LockFiles {
    /// Their contents.
    pub(crate) locks: Vec<LockFile>,
    /// Their paths.
    pub(crate) paths: Vec<PathBuf>,
}

impl LockFiles {
    /// Reads the lock files that these rules depend on. `folder` is that of the configuration.
    /// Without any such rule, reads nothing. Appends an error for each file that can't be read.
    pub(crate) fn read(folder: &Path, rules: &[Rule], errors: &mut Vec<Error>) -> Self {
        let mut out = Self::default();
        let dependencies = || rules.iter().filter_map(|rule| rule.dependency.as_ref());
        if dependencies().any(|dependency| dependency.file.is_none()) {
            for (name, path) in nearest(folder) {
                out.add(&name, path, errors);
            }
        }
        for rule in rules {
            let file = rule.dependency.as_ref().and_then(|d| d.file.as_deref());
            let Some(name) = file.map(|file| file.trim_start_matches("./")) else {
                continue;
            };
            if out.locks.iter().any(|lock| lock.file == name) {
                continue;
            }
            let path = folder.join(name);
            if path.is_file() {
                out.add(name, path, errors);
            } else {
                errors.push(Error::with_help(
                    format!(
                        "{}: cannot read lock file {name}: file not found",
                        rule.origin
                    ),
                    "write the path of the lock file relative to leakgate.toml",
                ));
            }
        }
        out
    }

    /// Reads a file. `name` is its path relative to the folder of the configuration.
    fn add(&mut self, name: &str, path: PathBuf, errors: &mut Vec<Error>) {
        match fs::read_to_string(&path) {
            Ok(text) => match LockFile::read(name, &text) {
                Ok(lock) => self.locks.push(lock),
                Err(diagnostic) => errors.push(Error::Diagnostic(diagnostic)),
            },
            Err(error) => errors.push(Error::Read(path.clone(), error)),
        }
        self.paths.push(path);
    }
}

/// Returns the nearest lock file of each kind, with its path relative to the folder.
fn nearest(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let mut relative = String::new();
    let here = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let absolute = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    let in_repository = absolute
        .ancestors()
        .any(|parent| parent.join(".git").exists());
    for (depth, parent) in absolute.ancestors().enumerate() {
        let has_kind = |found: &[(String, PathBuf)], name: &str| {
            found
                .iter()
                .any(|(known, _)| known.rsplit('/').next() == Some(name))
        };
        let path_of = |name: &str| match depth {
            0 => folder.join(name),
            _ => parent.join(name),
        };
        for name in lock_names(parent) {
            if !has_kind(&found, &name) {
                found.push((format!("{relative}{name}"), path_of(&name)));
            }
        }
        if !in_repository || parent.join(".git").exists() {
            break;
        }
        relative += "../";
    }
    found
}

/// Returns the names of the lock files in a folder, sorted.
fn lock_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().is_file());
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| LockFile::is_known(name)).collect();
    names.sort_unstable();
    names
}
