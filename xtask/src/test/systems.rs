//! Compiles the program for macOS and Windows.

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::Need;

const TARGETS: &[&str] = &[
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

pub(super) const NEEDS: &[Need] = &[
    Need::Target(TARGETS[0]),
    Need::Target(TARGETS[1]),
    Need::Target(TARGETS[2]),
];

/// Type-checks `leakgate` for all targets. Nothing is linked, so `true` can replace the C compiler
/// and the archiver that the build script of ring calls; no SDK is needed.
pub(super) fn check(sh: &Shell) -> Outcome {
    let targets = TARGETS.iter().flat_map(|target| ["--target", target]);
    let mut check = cmd!(
        sh,
        "cargo check --package leakgate --keep-going {targets...}"
    );
    for target in TARGETS {
        let suffix = target.replace('-', "_");
        check = check.env(format!("CC_{suffix}"), "true");
        check = check.env(format!("AR_{suffix}"), "true");
    }
    Ok(check.run()?)
}
