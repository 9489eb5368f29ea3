//! Builds the packages that users install, and installs the Python one into an empty environment.

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

pub(super) const NEEDS: &[Need] = &[Need::Program("python3", "python3"), Need::PyPi];

/// A log with one finding, and a part of its report.
const SAMPLE: (&str, &str) = (
    "snapshots/asan/heap-use-after-free-gcc12/report.txt",
    "heap-use-after-free",
);

/// Packages of crates.io, whose program cargo builds from the packed files.
const CRATES: &[&str] = &["leakgate-core", "leakgate", "leakgate-canary"];

pub(super) fn check(sh: &Shell) -> Outcome {
    let crates = CRATES.iter().flat_map(|name| ["--package", name]);
    // The working tree may have changes, which are tested, too.
    cmd!(sh, "cargo package --quiet --allow-dirty {crates...}").run()?;
    wheel(sh)
}

/// Builds the wheel, and runs its program in both ways.
fn wheel(sh: &Shell) -> Outcome {
    let maturin = setup::tools()?.join("maturin");
    let wheels = sh.current_dir().join("target/wheels");
    sh.remove_path(&wheels)?;
    // The profile that all tests use.
    let options = ["--profile", "dev", "--compatibility", "linux"];
    cmd!(
        sh,
        "{maturin} build --quiet {options...} --manifest-path action/Cargo.toml --out {wheels}"
    )
    .run()?;
    let folder = sh.create_temp_dir()?;
    let environment = folder.path().join("venv");
    cmd!(sh, "python3 -m venv {environment}").run()?;
    let bin = environment.join("bin");
    let pip = ["--quiet", "--disable-pip-version-check", "--no-index"];
    let wheel = sh.read_dir(&wheels)?;
    cmd!(sh, "{bin}/pip install {pip...} {wheel...}").run()?;
    let python = bin.join("python").display().to_string();
    let program = bin.join("leakgate").display().to_string();
    for command in [vec![program], vec![python, "-m".into(), "leakgate".into()]] {
        check_sample(sh, &command)?;
    }
    Ok(())
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
