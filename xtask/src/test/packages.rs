//! Builds the packages that users install, as a release does, installs each in an empty folder, and
//! checks a sample with its program.

mod debian;
mod image;

use std::path::Path;

use xshell::{Shell, cmd};

use crate::setup::{self, Need};
use crate::{Outcome, release};

pub(super) const NEEDS: &[Need] = &[
    Need::Target(TARGET),
    Need::Program("python3", "python3"),
    Need::Program("buildah", "buildah"),
    Need::Program("fish", "fish"),
    Need::Program("git", "git"),
    Need::Program("lintian", "lintian"),
    Need::File("/usr/bin/unzip", "unzip"),
    Need::Program("zsh", "zsh"),
    Need::File("/usr/bin/dpkg-deb", "dpkg"),
    Need::File("/usr/bin/mandoc", "mandoc"),
    Need::File("/usr/bin/musl-gcc", "musl-tools"),
    Need::CargoDeb,
    Need::PyPi,
];

/// A log with one finding, and a part of its report.
const SAMPLE: (&str, &str) = (
    "snapshots/asan/heap-use-after-free-gcc12/report.txt",
    "heap-use-after-free",
);

/// Packages of crates.io, whose program cargo builds from the packed files.
const CRATES: &[&str] = &["leakgate-core", "leakgate", "leakgate-canary"];

/// The target of the static program.
const TARGET: &str = "x86_64-unknown-linux-musl";

/// The folder to which the scripts of a release write.
const ARCHIVES: &str = "target/archives";

/// Settings that make a release build as fast as a debug build.
const FAST_RELEASE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
];

pub(super) fn check(sh: &Shell) -> Outcome {
    build(sh)?;
    archive(sh)?;
    debian::check(sh)?;
    image::check(sh)?;
    wheel(sh)?;
    crates(sh)
}

/// Builds the archive, the wheel and the package for Debian, with the scripts of a release.
fn build(sh: &Shell) -> Outcome {
    sh.remove_path(ARCHIVES)?;
    let tools = setup::tools()?;
    let path = std::env::var("PATH")?;
    let path = format!("{}:{path}", tools.display());
    let maturin = tools.join("maturin");
    for script in ["archive", "wheel", "deb"] {
        cmd!(sh, ".ci/{script} {TARGET}")
            .env("MATURIN", &maturin)
            .env("PATH", &path)
            .envs(FAST_RELEASE.iter().copied())
            .run()?;
    }
    let expected = release::files(release::VERSION);
    for file in sh.read_dir(ARCHIVES)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !expected.iter().any(|expected| *expected == name) {
            return Err(format!("{name} isn't a file of a release; expected {expected:?}").into());
        }
    }
    Ok(())
}

/// Returns the file of the release in [`ARCHIVES`] with this ending.
fn built(sh: &Shell, ending: &str) -> Outcome<std::path::PathBuf> {
    let files = sh.read_dir(ARCHIVES)?;
    let mut files = files.into_iter();
    let file = files.find(|file| file.to_string_lossy().ends_with(ending));
    Ok(file.ok_or_else(|| format!("no file in {ARCHIVES} ends with {ending}"))?)
}

/// Unpacks the archive, and runs its program.
fn archive(sh: &Shell) -> Outcome {
    let archive = built(sh, ".tar.gz")?;
    let folder = sh.create_temp_dir()?;
    let path = folder.path();
    cmd!(sh, "tar -xzf {archive} -C {path} --strip-components 1").run()?;
    for part in [
        "man/leakgate-check.1",
        "completions/_leakgate.ps1",
        "README.md",
    ] {
        ensure_exists(&path.join(part))?;
    }
    check_sample(sh, &[path.join("leakgate").display().to_string()])
}

/// Installs the wheel, and runs its program in both ways.
fn wheel(sh: &Shell) -> Outcome {
    let wheel = built(sh, ".whl")?;
    let folder = sh.create_temp_dir()?;
    let environment = folder.path().join("venv");
    cmd!(sh, "python3 -m venv {environment}").run()?;
    let bin = environment.join("bin");
    let pip = ["--quiet", "--disable-pip-version-check", "--no-index"];
    cmd!(sh, "{bin}/pip install {pip...} {wheel}").run()?;
    let python = bin.join("python").display().to_string();
    let program = bin.join("leakgate").display().to_string();
    for command in [vec![program], vec![python, "-m".into(), "leakgate".into()]] {
        check_sample(sh, &command)?;
    }
    Ok(())
}

/// Packs the crates, and installs the program from the packed files. Its library isn't published
/// yet, so cargo takes that from the packed files, too.
fn crates(sh: &Shell) -> Outcome {
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    // The working tree may have changes, which are tested, too.
    let options = ["--quiet", "--allow-dirty", "--no-verify"];
    cmd!(sh, "cargo package {options...} {packages...}").run()?;
    let folder = sh.create_temp_dir()?;
    let folder = folder.path();
    let version = release::VERSION;
    for name in CRATES {
        let packed = format!("target/package/{name}-{version}.crate");
        // Packed files have an old date, with which cargo would take an earlier build for current.
        cmd!(sh, "tar -xzf {packed} --touch -C {folder}").run()?;
    }
    let unpacked = |name: &str| folder.join(format!("{name}-{version}"));
    let source = unpacked("leakgate");
    let library = unpacked("leakgate-core").display().to_string();
    let patch = format!("patch.crates-io.leakgate-core.path=\"{library}\"");
    let options = ["--quiet", "--debug", "--no-track", "--config", &patch];
    cmd!(
        sh,
        "cargo install {options...} --path {source} --root {folder}"
    )
    .env("CARGO_TARGET_DIR", sh.current_dir().join("target"))
    .run()?;
    check_sample(sh, &[folder.join("bin/leakgate").display().to_string()])
}

/// Returns an error unless a file exists.
fn ensure_exists(path: &Path) -> Outcome {
    match path.exists() {
        true => Ok(()),
        false => Err(format!("cannot find {}", path.display()).into()),
    }
}

/// Returns an error unless a command fails for the finding of the sample.
fn check_sample(sh: &Shell, command: &[String]) -> Outcome {
    let (log, part) = SAMPLE;
    let (program, arguments) = (&command[0], &command[1..]);
    let output = cmd!(sh, "{program} {arguments...} check --no-config {log}")
        .ignore_status()
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    match output.status.code() == Some(1) && text.contains(part) {
        true => Ok(()),
        false => Err(format!("{command:?} ended with {}:\n{text}", output.status).into()),
    }
}
