//! Which of the programs that a command starts are checked: those of the project, and not those of
//! the system.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use leakgate_core::rules::RunPatterns;
use serde::{Deserialize, Serialize};

use super::extensions;
use super::harness::program_name;
use super::launch::Machine;
use crate::error::Error;

/// Folders of the system and of package managers.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libexec",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/etc",
    "/home/linuxbrew",
];

/// Folders below the home folder that contain toolchains.
const HOME: &[&str] = &[
    ".asdf",
    ".bun",
    ".cabal",
    ".cargo",
    ".conda",
    ".deno",
    ".gem",
    ".ghcup",
    ".local",
    ".nix-profile",
    ".npm",
    ".nvm",
    ".opam",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".rvm",
    ".sdkman",
    ".volta",
    "miniconda3",
    "miniforge3",
];

/// Variables that name the folder of a toolchain or of the system.
const VARIABLES: &[&str] = &[
    "CARGO_HOME",
    "CONDA_PREFIX",
    "GOROOT",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "RUNNER_TOOL_CACHE",
    "RUSTUP_HOME",
    "VIRTUAL_ENV",
    // Windows
    "ProgramFiles",
    "ProgramFiles(x86)",
    "SystemRoot",
];

/// Folders of the system in which projects are often built, as in container images.
const SOURCES: &[&str] = &["/usr/src", "/usr/local/src"];

/// Folders within a project that contain other people's programs.
const ENVIRONMENTS: &[&str] = &[".venv", "venv", ".tox", ".nox", "node_modules"];

/// Decides which programs are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramFilter {
    root: PathBuf,
    own: Vec<PathBuf>,
    system: Vec<PathBuf>,
    /// If there are any, only programs that fit one are checked.
    only: Vec<String>,
    /// Programs that fit one of these are never checked.
    skip: Vec<String>,
    /// Names of interpreters that are checked wherever they are.
    interpreters: Vec<String>,
}

impl ProgramFilter {
    /// Returns the filter of a project.
    ///
    /// # Errors
    /// A pattern is invalid.
    pub(crate) fn new(
        root: &Path,
        patterns: &RunPatterns,
        machine: &dyn Machine,
    ) -> Result<Self, Error> {
        glob_set(&patterns.only)?;
        glob_set(&patterns.skip)?;
        let root = canonical(root);
        let home = machine.env_var("HOME").map(PathBuf::from);
        let in_home = |name: &&str| home.as_ref().map(|home| home.join(name));
        let mut system: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
        system.extend(HOME.iter().filter_map(in_home));
        let named = VARIABLES.iter().filter_map(|name| machine.env_var(name));
        system.extend(named.map(PathBuf::from));
        system.extend(ENVIRONMENTS.iter().map(|name| root.join(name)));
        let mut own: Vec<PathBuf> = SOURCES.iter().map(PathBuf::from).collect();
        own.push(root.clone());
        // A project in the folder of a toolchain is still a project.
        system.retain(|folder| folder.is_absolute() && *folder != root);
        let mut resolved: Vec<PathBuf> = system.iter().map(|folder| canonical(folder)).collect();
        resolved.retain(|folder| !system.contains(folder) && *folder != root);
        system.extend(resolved);
        Ok(Self {
            root,
            own,
            system,
            only: patterns.only.clone(),
            skip: patterns.skip.clone(),
            interpreters: Vec::new(),
        })
    }

    /// Makes the filter check the interpreter that a command names, or that runs its script.
    pub(super) fn add_interpreter_of(&mut self, command: &str, machine: &dyn Machine) {
        let of_script = machine
            .find_program(command)
            .and_then(|path| script_interpreter(&path));
        let name = match program_name(command) {
            "pytest" | "py.test" => "python",
            name => name,
        };
        let names = [Some(name), of_script.as_deref().map(program_name)];
        let interpreters = names
            .into_iter()
            .flatten()
            .filter_map(extensions::interpreter);
        self.interpreters.extend(interpreters.map(str::to_owned));
    }

    /// Returns true for an interpreter that is checked wherever it is.
    fn is_interpreter(&self, program: &Path) -> bool {
        let name = program.to_string_lossy();
        extensions::interpreter(program_name(&name))
            .is_some_and(|name| self.interpreters.iter().any(|known| known == name))
    }

    /// Returns true if a program is checked. The path has no links.
    pub(super) fn is_checked(&self, program: &Path) -> bool {
        let fits = |patterns: &[String]| {
            let name = program.file_name().map(Path::new).unwrap_or(program);
            let within = program.strip_prefix(&self.root).unwrap_or(program);
            glob_set(patterns).is_ok_and(|set| {
                [program, within, name]
                    .iter()
                    .any(|path| set.is_match(path))
            })
        };
        if fits(&self.skip) {
            return false;
        }
        if !self.only.is_empty() {
            return fits(&self.only);
        }
        !self.is_of_system(program)
            || self.is_interpreter(program)
            || extensions::concerns(&self.root, program)
    }

    /// Returns true for a program of the system: the longest folder that contains it is one.
    pub(super) fn is_of_system(&self, program: &Path) -> bool {
        let length = |folders: &[PathBuf]| {
            let containing = folders.iter().filter(|folder| program.starts_with(folder));
            containing.map(|folder| folder.as_os_str().len()).max()
        };
        length(&self.system) > length(&self.own)
    }

    /// Returns the names of programs of the system that may be checked; `*` stands for all.
    pub(super) fn programs_to_ask_about(&self) -> Vec<&str> {
        if self.only.is_empty() {
            extensions::INTERPRETERS.to_vec()
        } else {
            vec!["*"]
        }
    }

    /// Returns all folders, those of the project after a `+` and those of the system after a `-`.
    pub(super) fn folders(&self) -> Vec<String> {
        let marked = |mark: char| move |folder: &PathBuf| format!("{mark}{}", folder.display());
        let own = self.own.iter().map(marked('+'));
        own.chain(self.system.iter().map(marked('-'))).collect()
    }
}

/// Names of programs that leakgate follows without checking them if the user gives them as the
/// command: they only start other programs.
const FOLLOWED: &[&str] = &[
    "ash",
    "bash",
    "bats",
    "bazel",
    "bmake",
    "bundle",
    "busybox",
    "cargo",
    "chrt",
    "cmake",
    "cmd",
    "csh",
    "ctest",
    "dash",
    "dbus-run-session",
    "dejagnu",
    "env",
    "expect",
    "fakeroot",
    "find",
    "fish",
    "flock",
    "gmake",
    "go",
    "gradle",
    "hatch",
    "invoke",
    "ionice",
    "just",
    "ksh",
    "make",
    "meson",
    "mksh",
    "mvn",
    "nice",
    "ninja",
    "nohup",
    "nox",
    "npm",
    "npx",
    "parallel",
    "pnpm",
    "poetry",
    "powershell",
    "prove",
    "pwsh",
    "rake",
    "runtest",
    "samu",
    "scons",
    "script",
    "setarch",
    "setsid",
    "sh",
    "stdbuf",
    "sudo",
    "task",
    "taskset",
    "tcsh",
    "time",
    "timeout",
    "tox",
    "unshare",
    "uv",
    "waf",
    "xargs",
    "xvfb-run",
    "yarn",
    "zsh",
];

/// Returns true if a command only starts other programs: a shell, `make`, a runner of tests, or a
/// script, whose interpreter is met when it starts.
pub(super) fn is_followed(command: &str, filter: &ProgramFilter, machine: &dyn Machine) -> bool {
    let Some(path) = machine.find_program(command) else {
        return false;
    };
    let is_listed = |path: &Path| {
        let name = path.to_string_lossy();
        filter.is_of_system(&canonical(path)) && FOLLOWED.contains(&program_name(&name))
    };
    if is_listed(&path) {
        return true;
    }
    let Some(interpreter) = script_interpreter(&path) else {
        return false;
    };
    machine
        .find_program(&interpreter)
        .is_some_and(|path| is_listed(&path) || filter.is_interpreter(&path))
}

/// Returns the interpreter of a script; `None` if the file isn't one. A file without a first line
/// such as `#!/bin/sh` is run by a shell.
fn script_interpreter(path: &Path) -> Option<String> {
    let text = read_start(path)?;
    if text.starts_with(b"\x7fELF") || text.contains(&0) {
        return None;
    }
    let Some(line) = text.strip_prefix(b"#!") else {
        return Some("sh".to_owned());
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_whitespace();
    let interpreter = words.next()?;
    if program_name(interpreter) != "env" {
        return Some(interpreter.to_owned());
    }
    words
        .find(|word| !word.starts_with('-') && !word.contains('='))
        .map(str::to_owned)
}

/// Returns the first bytes of a file.
pub(super) fn read_start(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(256).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Returns the path without links, or the path itself if it doesn't exist.
pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn glob_set(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|error| {
            Error::Usage(format!("invalid pattern `{pattern}`: {}", error.kind()))
        })?;
        set.add(glob);
    }
    set.build()
        .map_err(|error| Error::Usage(format!("invalid patterns: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    fn filter(root: &str, only: &[&str], skip: &[&str]) -> ProgramFilter {
        let machine = FakeMachine {
            env: vec![("HOME", "/home/a"), ("GOROOT", "/srv/go")],
            ..FakeMachine::default()
        };
        let owned = |patterns: &[&str]| patterns.iter().map(|&p| p.to_owned()).collect();
        let patterns = RunPatterns {
            only: owned(only),
            skip: owned(skip),
        };
        ProgramFilter::new(Path::new(root), &patterns, &machine).unwrap()
    }

    #[test]
    fn programs_of_the_system_are_not_checked() {
        let filter = filter("/w/project", &[], &[]);
        for (program, want) in [
            ("/w/project/t", true),
            ("/w/build/t", true),
            ("/tmp/go-build1/t.test", true),
            ("/usr/bin/sed", false),
            ("/usr/local/bin/tool", false),
            ("/usr/src/app/t", true),
            ("/bin/sh", false),
            ("/nix/store/x/bin/sh", false),
            ("/home/a/.cargo/bin/cargo", false),
            ("/home/a/t", true),
            ("/srv/go/bin/go", false),
            ("/w/project/node_modules/.bin/x", false),
            ("/w/project/.venv/bin/x", false),
            ("/usrlocal/t", true),
        ] {
            assert_eq!(filter.is_checked(Path::new(program)), want, "{program}");
        }
    }

    #[test]
    fn project_within_a_folder_of_the_system_is_checked() {
        for root in [
            "/usr/local/share/p",
            "/opt/p",
            "/home/a/.cargo/p",
            "/srv/go",
        ] {
            let filter = filter(root, &[], &[]);
            assert!(filter.is_checked(&Path::new(root).join("t")), "{root}");
        }
        assert!(!filter("/", &[], &[]).is_checked(Path::new("/usr/bin/sed")));
        assert!(filter("/", &[], &[]).is_checked(Path::new("/t")));
    }

    #[test]
    fn patterns_override_folders() {
        let only = filter("/w/p", &["sed", "build/*"], &[]);
        assert!(only.is_checked(Path::new("/usr/bin/sed")));
        assert!(only.is_checked(Path::new("/w/p/build/t")));
        assert!(!only.is_checked(Path::new("/w/p/t")));
        assert_eq!(only.programs_to_ask_about(), ["*"]);
        let skip = filter("/w/p", &[], &["**/gen-*"]);
        assert!(!skip.is_checked(Path::new("/w/p/tools/gen-table")));
        assert!(skip.is_checked(Path::new("/w/p/t")));
        let patterns = RunPatterns {
            only: vec!["a[".to_owned()],
            ..RunPatterns::default()
        };
        let error = ProgramFilter::new(Path::new("/"), &patterns, &FakeMachine::default());
        assert!(error.unwrap_err().to_string().contains("`a[`"));
    }

    #[test]
    fn interpreter_of_a_script_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        for (text, want) in [
            ("#!/bin/sh -e\n", Some("/bin/sh")),
            ("#! /usr/bin/env -S A=1 bash\nx", Some("bash")),
            ("echo x\n", Some("sh")),
            ("\x7fELF\0", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(script_interpreter(&path).as_deref(), want, "{text}");
        }
        assert_eq!(script_interpreter(dir.path()), None);
    }
}
