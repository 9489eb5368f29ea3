//! A simulated machine for each test: the action, a directory with releases, a tool cache, and a
//! PATH.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::common::{repository, write_script};

pub(crate) const VERSION: &str = "7.8.9";
pub(crate) const ARCHIVE: &str = "leakgate-7.8.9-x86_64-unknown-linux-musl.tar.gz";

/// Programs that the scripts use. cargo and leakgate are missing on purpose, although the real
/// machine may have them.
const PROGRAMS: &[&str] = &[
    "awk", "bash", "cat", "chmod", "cp", "curl", "cut", "dirname", "env", "find", "grep", "gzip",
    "mkdir", "mktemp", "mv", "rm", "sh", "sort", "tar", "touch", "tr", "xargs",
];

pub(crate) struct Machine {
    home: TempDir,
}

/// Result of a run of the script.
pub(crate) struct SetupRun {
    /// Value of the output `path`; empty if it was not set.
    pub(crate) path: String,
    /// Standard output and standard error.
    pub(crate) log: String,
    status: Option<i32>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let action = machine.action();
        for folder in ["action/setup", "core"] {
            fs::create_dir_all(action.join(folder)).unwrap();
        }
        for script in ["get.sh", "tools.sh"] {
            let source = repository("action/setup").join(script);
            fs::copy(source, action.join("action/setup").join(script)).unwrap();
        }
        fs::write(
            action.join("Cargo.toml"),
            format!("[workspace.package]\nversion = \"{VERSION}\"\nrust-version = \"1.95\"\n"),
        )
        .unwrap();
        fs::write(action.join("Cargo.lock"), "").unwrap();
        machine.manifest("# no release yet\n");
        fs::create_dir(machine.at("bin")).unwrap();
        for program in PROGRAMS.iter().chain(&digest()[..1]) {
            symlink(which(program).unwrap(), machine.at("bin").join(program)).unwrap();
        }
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns the directory of the action.
    pub(crate) fn action(&self) -> PathBuf {
        self.at("action")
    }

    /// Returns the directory of the releases.
    pub(crate) fn releases(&self) -> PathBuf {
        self.at("releases")
    }

    /// Replaces the manifest of checksums.
    pub(crate) fn manifest(&self, text: &str) {
        fs::write(self.action().join("action/setup/checksums.txt"), text).unwrap();
    }

    /// Returns the path of a program on PATH.
    pub(crate) fn path_of(&self, program: &str) -> PathBuf {
        self.at("bin").join(program)
    }

    /// Adds a program to PATH.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.path_of(name);
        let _ = fs::remove_file(&path);
        write_script(&path, script);
    }

    /// Adds a cargo of this version to PATH, which builds a program. It logs its folder, its
    /// arguments and the variables that influence builds.
    pub(crate) fn cargo(&self, version: &str) {
        let script = r##"if [ "$1" = --version ]; then echo "cargo VERSION (f2d3ce0bd 2026-03-21)"; exit; fi
echo "$PWD $*" >&2
env | grep -E '^(RUST|CARGO|CC|CXX|C.*FLAGS|LD|AR|HOST|TARGET)' | sort >&2
mkdir -p "$CARGO_TARGET_DIR/release"
printf '#!/bin/sh\necho built\n' >"$CARGO_TARGET_DIR/release/leakgate"
chmod +x "$CARGO_TARGET_DIR/release/leakgate""##;
        self.program("cargo", &script.replace("VERSION", version));
    }

    /// Sets the time of the last use of an entry of the tool cache to so many days ago.
    pub(crate) fn age(&self, entry: &str, days: u32) {
        let status = Command::new("touch")
            .args(["-d", &format!("{days} days ago")])
            .arg(self.at("tools/leakgate").join(entry))
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Releases an archive and returns its checksum.
    pub(crate) fn release(&self, archive: &str) -> String {
        let name = archive.strip_suffix(".tar.gz").unwrap();
        let version = name
            .split_once("-x86_64")
            .unwrap()
            .0
            .replace("leakgate-", "v");
        let built = self.at("built");
        let folder = self.releases().join(version);
        fs::create_dir_all(built.join(name)).unwrap();
        fs::create_dir_all(&folder).unwrap();
        write_script(&built.join(name).join("leakgate"), "echo released");
        let status = Command::new("tar")
            .arg("-czf")
            .arg(folder.join(archive))
            .arg("-C")
            .arg(&built)
            .arg(name)
            .status()
            .unwrap();
        assert!(status.success());
        self.checksum(&folder.join(archive))
    }

    fn checksum(&self, file: &Path) -> String {
        let [program, options @ ..] = digest() else {
            unreachable!()
        };
        let output = Command::new(program)
            .args(options)
            .arg(file)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()[..64].to_owned()
    }

    /// Builds and packs the source like a real release, and returns the checksum of the archive.
    pub(crate) fn archive(&self, target: &str) -> String {
        fs::create_dir_all(self.action().join(".ci")).unwrap();
        for script in [".ci/archive", ".ci/extras", ".ci/settings"] {
            fs::copy(repository(script), self.action().join(script)).unwrap();
        }
        // The date of the commit is a part of manual pages.
        self.program("git", "echo 2026-12-01");
        for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            fs::write(self.action().join(file), "").unwrap();
        }
        let packed = Command::new(self.at("bin/bash"))
            .arg(self.action().join(".ci/archive"))
            .arg(target)
            .env_clear()
            .env("PATH", self.at("bin"))
            .status()
            .unwrap();
        assert!(packed.success());
        let name = format!("leakgate-{VERSION}-{target}");
        let folder = self.releases().join(format!("v{VERSION}"));
        fs::create_dir_all(&folder).unwrap();
        let archive = format!("{name}.tar.gz");
        fs::rename(
            self.action().join("target/archives").join(&archive),
            folder.join(&archive),
        )
        .unwrap();
        self.checksum(&folder.join(archive))
    }

    /// Runs the script with these variables in addition to the runner's own.
    pub(crate) fn get(&self, variables: &[(&str, &str)]) -> SetupRun {
        let outputs = self.at("outputs");
        fs::write(&outputs, "").unwrap();
        let run = Command::new(self.at("bin/bash"))
            .arg(self.action().join("action/setup/get.sh"))
            .env_clear()
            .env("PATH", self.at("bin"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("RUNNER_TOOL_CACHE", self.at("tools"))
            .env("GITHUB_OUTPUT", &outputs)
            .env(
                "LEAKGATE_RELEASES",
                format!("file://{}", self.releases().display()),
            )
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let path = fs::read_to_string(&outputs)
            .unwrap()
            .trim_start_matches("path=")
            .trim_end()
            .to_owned();
        let log = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
        SetupRun {
            path,
            log,
            status: run.status.code(),
        }
    }

    /// Returns all files in the tool cache, sorted.
    pub(crate) fn cached_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let root = self.at("tools/leakgate");
        let mut folders = vec![root.clone()];
        while let Some(entries) = folders.pop().and_then(|folder| fs::read_dir(folder).ok()) {
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(
                        path.strip_prefix(&root)
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
        files.sort();
        files
    }
}

impl SetupRun {
    /// Runs the installed program and returns its output.
    pub(crate) fn program_output(&self) -> String {
        assert_eq!(self.status, Some(0), "{}", self.log);
        let output = Command::new(&self.path).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Returns the only error, after checking that no program was installed.
    pub(crate) fn error(&self) -> String {
        assert_eq!(
            (self.status, self.path.as_str()),
            (Some(2), ""),
            "{}",
            self.log
        );
        let commands: Vec<&str> = self
            .log
            .lines()
            .filter(|line| line.trim_start().starts_with("::"))
            .collect();
        assert_eq!(commands.len(), 1, "{}", self.log);
        commands[0]
            .strip_prefix("::error title=leakgate::")
            .unwrap()
            .to_owned()
    }
}

/// Returns the command for SHA-256 checksums on this machine.
fn digest() -> &'static [&'static str] {
    if which("sha256sum").is_some() {
        &["sha256sum"]
    } else {
        &["shasum", "-a", "256"]
    }
}

fn which(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
