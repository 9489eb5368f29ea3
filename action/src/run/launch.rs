//! What a checker needs so that a program runs under it: words before the command, variables,
//! places for its reports.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checker::{Checker, Family};
use super::{foreign, miri, preload, sanitizer, valgrind};
use crate::error::Error;

/// How programs are started under the checkers of one pass. It is written down for the helper that
/// harnesses call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Words before the program.
    pub(crate) prefix: Vec<String>,
    /// Variables of everything that runs, harnesses included.
    pub(crate) variables: Vec<(String, String)>,
    /// Variables of checked programs alone: what is loaded into them would be loaded into a
    /// harness, too.
    pub(crate) inner: Vec<(String, String)>,
    /// What was changed of what the user had set, and why, a line each.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
    /// What of the user's keeps a checker from seeing or saying something, in words.
    #[serde(skip)]
    pub(crate) blinded: Vec<String>,
    /// Why no leaks are looked for, where the user's variables say so.
    #[serde(skip)]
    pub(crate) unsearched: Option<String>,
}

/// What is asked of the machine: variables, and where programs lie. Tests have machines of their
/// own.
pub(crate) trait Machine {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// The path of a program, as a shell would find it.
    fn program(&self, name: &str) -> Option<PathBuf>;

    /// The path of a library by one of these names: where the loader looks, and where clang keeps
    /// its runtimes, the newest first.
    fn library(&self, names: &[String]) -> Option<PathBuf>;
}

impl Launch {
    /// For these checkers, which can run at once; their reports go to this folder.
    ///
    /// # Errors
    /// A checker is not here, with how to install it.
    pub(crate) fn of(
        pass: &[Checker],
        folder: &Path,
        machine: &dyn Machine,
    ) -> Result<Self, Error> {
        let first = pass.first().copied().unwrap_or(Checker::Memcheck);
        let folder = folder.to_str().ok_or_else(|| {
            let what = format!(
                "{}: checkers can't be told of a folder whose name is not UTF-8",
                folder.display()
            );
            Error::Usage(what)
        })?;
        match first.family() {
            Family::Valgrind => valgrind::launch(first, folder, machine),
            Family::Sanitizer => Ok(sanitizer::launch(pass, folder, machine)),
            Family::Preload => preload::launch(first, machine),
            Family::Command if first == Checker::Miri => miri::launch(machine),
            Family::Command => foreign::launch(first, folder, machine),
        }
    }
}

/// This machine.
#[derive(Debug)]
pub(crate) struct Here;

impl Machine for Here {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        if path.components().count() > 1 {
            return is_program(path).then(|| path.to_owned());
        }
        let folders = std::env::var_os("PATH")?;
        let names = [
            name.to_owned(),
            format!("{name}{}", std::env::consts::EXE_SUFFIX),
        ];
        std::env::split_paths(&folders)
            .flat_map(|folder| names.clone().map(|n| folder.join(n)))
            .find(|path| is_program(path))
    }

    fn library(&self, names: &[String]) -> Option<PathBuf> {
        let of_user = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&of_user)
            .filter(|path| path.is_absolute())
            .collect();
        let machine = std::env::consts::ARCH;
        folders.extend(
            ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/lib64"].map(PathBuf::from),
        );
        folders.extend(
            ["/usr/lib", "/lib"].map(|lib| Path::new(lib).join(format!("{machine}-linux-gnu"))),
        );
        folders.extend(runtimes_of_clang());
        folders
            .iter()
            .flat_map(|folder| names.iter().map(|name| folder.join(name)))
            .find(|path| path.is_file())
    }
}

/// The folders in which clang keeps its runtimes, those of the newest version first.
fn runtimes_of_clang() -> Vec<PathBuf> {
    let below = |folder: &Path| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    let is_llvm = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("llvm"))
    };
    let mut homes = vec![
        PathBuf::from("/usr/lib/clang"),
        PathBuf::from("/usr/lib64/clang"),
    ];
    homes.extend(
        below(Path::new("/usr/lib"))
            .filter(is_llvm)
            .map(|llvm| llvm.join("lib/clang")),
    );
    let mut versions: Vec<(u64, PathBuf)> = homes
        .iter()
        .flat_map(|home| below(home))
        .filter_map(|path| {
            Some((
                path.file_name()?
                    .to_str()?
                    .split('.')
                    .next()?
                    .parse()
                    .ok()?,
                path,
            ))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions
        .into_iter()
        .flat_map(|(_, path)| below(&path.join("lib")).collect::<Vec<_>>())
        .collect()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// A checker that is not here.
pub(crate) fn absent(checker: Checker, what: &str, how: &str) -> Error {
    Error::Usage(format!("{} is not here: {what}; {how}", checker.name()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A machine that has exactly this.
    #[derive(Debug, Default)]
    pub(crate) struct Made {
        pub(crate) variables: Vec<(&'static str, &'static str)>,
        pub(crate) programs: Vec<&'static str>,
        pub(crate) libraries: Vec<&'static str>,
    }

    impl Machine for Made {
        fn variable(&self, name: &str) -> Option<String> {
            self.variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        }

        fn program(&self, name: &str) -> Option<PathBuf> {
            self.programs
                .contains(&name)
                .then(|| Path::new("/bin").join(name))
        }

        fn library(&self, names: &[String]) -> Option<PathBuf> {
            let found = self
                .libraries
                .iter()
                .find(|l| names.iter().any(|name| l.ends_with(&format!("/{name}"))))?;
            Some(PathBuf::from(found))
        }
    }
}
