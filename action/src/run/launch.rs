//! How a program is started under a checker: the wrapper command, the environment variables, and
//! the machine on which checkers are looked up. [`super::launcher`] fills in a [`Launch`] for each
//! checker.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checker::Checker;
use super::program_filter::ProgramFilter;
use crate::error::Error;

/// Wrapper and environment of programs that run under the checkers of one invocation.
///
/// It is also written to a file for the helper that test harnesses call, without the notes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Arguments in front of the program, such as `valgrind --tool=memcheck`. Empty if the checker
    /// needs no wrapper.
    pub(crate) wrapper: Vec<String>,
    /// Environment variables of every process, test harnesses included.
    pub(crate) env: Vec<(String, String)>,
    /// Environment variables of checked programs only. A library that is preloaded into a checked
    /// program must not be loaded into its test harness, too.
    pub(crate) child_env: Vec<(String, String)>,
    /// How programs that a checked program starts are checked in turn. `None` if the checker follows
    /// them itself.
    pub(crate) following: Option<Following>,
    /// User options that leakgate has overridden, each with the reason; one line per entry.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
    /// User options that keep a checker from detecting or reporting errors; one line per entry.
    #[serde(skip)]
    pub(crate) disabled_checks: Vec<String>,
    /// The user option that turns the leak check off; `None` if leaks are checked.
    #[serde(skip)]
    pub(crate) leak_check_disabled: Option<String>,
}

/// The library that is preloaded to check the programs of the project, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Following {
    /// The environment variables that preload the library.
    pub(crate) env: Vec<(String, String)>,
    /// Decides which programs are checked.
    pub(crate) filter: ProgramFilter,
}

/// Access to the environment variables, files, programs and libraries of a machine. Tests replace
/// it by a fake machine.
pub(crate) trait Machine {
    /// Returns an environment variable; `None` if it is unset or empty.
    fn env_var(&self, name: &str) -> Option<String>;

    /// Returns the text of a file; `None` if it can't be read.
    fn read_text(&self, path: &str) -> Option<String>;

    /// Returns the path of a program, looked up as a shell does.
    fn find_program(&self, name: &str) -> Option<PathBuf>;

    /// Returns the path of the first library with one of these file names. It is searched for where
    /// the loader looks and where clang keeps its runtimes, the newest version first.
    fn find_library(&self, names: &[String]) -> Option<PathBuf>;
}

/// The machine that leakgate runs on.
#[derive(Debug)]
pub(crate) struct LocalMachine;

impl Machine for LocalMachine {
    fn env_var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn read_text(&self, path: &str) -> Option<String> {
        // A pipe or a device could block.
        let is_file = std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
        let bytes = is_file.then(|| std::fs::read(path).ok())??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).components().count() > 1 {
            return with_suffix(Path::new(name)).find(|path| is_program(path));
        }
        let dirs = std::env::var_os("PATH")?;
        std::env::split_paths(&dirs)
            .flat_map(|dir| with_suffix(&dir.join(name)))
            .find(|path| is_program(path))
    }

    fn find_library(&self, names: &[String]) -> Option<PathBuf> {
        let user_path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let mut dirs: Vec<PathBuf> = std::env::split_paths(&user_path)
            .filter(|path| path.is_absolute())
            .collect();
        let arch = std::env::consts::ARCH;
        dirs.extend(
            ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/lib64"].map(PathBuf::from),
        );
        dirs.extend(
            ["/usr/lib", "/lib"].map(|lib| Path::new(lib).join(format!("{arch}-linux-gnu"))),
        );
        dirs.extend(clang_runtime_dirs());
        dirs.iter()
            .flat_map(|dir| names.iter().map(|name| dir.join(name)))
            .find(|path| path.is_file())
    }
}

/// Returns the directories in which clang keeps its runtimes, those of the newest version first.
fn clang_runtime_dirs() -> Vec<PathBuf> {
    let is_llvm = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("llvm"))
    };
    let mut roots = vec![
        PathBuf::from("/usr/lib/clang"),
        PathBuf::from("/usr/lib64/clang"),
    ];
    roots.extend(
        list_dir(Path::new("/usr/lib"))
            .filter(is_llvm)
            .map(|llvm| llvm.join("lib/clang")),
    );
    let mut versions: Vec<(u64, PathBuf)> = roots
        .iter()
        .flat_map(|root| list_dir(root))
        .filter_map(|path| Some((major_version(&path)?, path)))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions
        .into_iter()
        .flat_map(|(_, path)| list_dir(&path.join("lib")))
        .collect()
}

fn major_version(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.split('.').next()?.parse().ok()
}

/// Returns the entries of a directory; none if it cannot be read.
fn list_dir(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// Returns the paths that a command may stand for: on Windows, `.exe` may be omitted.
fn with_suffix(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let suffix = std::env::consts::EXE_SUFFIX;
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    let with_suffix = (!suffix.is_empty()).then(|| name.into());
    with_suffix.into_iter().chain([path.to_owned()])
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

/// Returns the error for a checker whose program or library was not found, with how to get it.
pub(crate) fn not_found(checker: Checker, message: &str, help: &str) -> Error {
    let name = checker.name();
    if message.starts_with(&format!("{name} ")) {
        return Error::with_help(message, help);
    }
    Error::with_help(format!("{message} (needed for {name})"), help)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A machine with exactly these variables, files, programs and libraries.
    #[derive(Debug, Default)]
    pub(crate) struct FakeMachine {
        pub(crate) env: Vec<(&'static str, &'static str)>,
        pub(crate) files: Vec<(&'static str, &'static str)>,
        pub(crate) programs: Vec<&'static str>,
        pub(crate) libraries: Vec<&'static str>,
    }

    impl Machine for FakeMachine {
        fn env_var(&self, name: &str) -> Option<String> {
            self.env
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        }

        fn read_text(&self, path: &str) -> Option<String> {
            self.files
                .iter()
                .find(|(p, _)| *p == path)
                .map(|(_, text)| (*text).to_owned())
        }

        fn find_program(&self, name: &str) -> Option<PathBuf> {
            self.programs
                .contains(&name)
                .then(|| Path::new("/bin").join(name))
        }

        fn find_library(&self, names: &[String]) -> Option<PathBuf> {
            let found = self
                .libraries
                .iter()
                .find(|l| names.iter().any(|name| l.ends_with(&format!("/{name}"))))?;
            Some(PathBuf::from(found))
        }
    }
}
