//! How the module is compiled: together with a standard library that is made for it, without the
//! words of panics.
//!
//! cargo builds the library from its sources with `-Zbuild-std`, which is not stable.
//! `RUSTC_BOOTSTRAP` allows it with the compiler that builds everything else; with a nightly, the
//! page would have another library than the program.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::WASM;

/// What is said to the compiler.
const FLAGS: &[&str] = &[
    // Every browser has had vector instructions since 2023; the searches use them.
    "-Ctarget-feature=+simd128",
    "-Zunstable-options",
    // A panic ends the module either way, and nobody reads its message.
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    // Of what is derived for debugging the name remains; no document shows it.
    "-Zfmt-debug=shallow",
    // These names begin with the path, so that what is sorted by them lies beside its like.
    "-Csymbol-mangling-version=legacy",
    // Lines are read by many small functions. The compiler's own threshold for size calls each of
    // them (5): 530 kB compressed, and dense logs at 130 to 149 MB/s. At 40 these are 543 kB,
    // and 158 to 191 MB/s; at 100, 577 kB.
    "-Cllvm-args=-inline-threshold=40",
    // By this, `zmij` computes what would be a table of ten kilobytes. It writes fractions, which
    // stand in no document.
    "--cfg=opt_level=\"s\"",
];

/// Bytes are compared in there, which takes time everywhere. In `Cargo.toml` it would be a package
/// that other builds do not have.
const FAST: &str = "profile.wasm.package.compiler_builtins.opt-level=3";

/// Compiles the module, and tells where it is.
pub(super) fn module(sh: &Shell) -> Outcome<PathBuf> {
    let std = [
        "-Zbuild-std=std,panic_abort",
        "-Zbuild-std-features=optimize_for_size",
    ];
    cmd!(sh, "cargo build --package leakgate-wasm --profile wasm --target {WASM} {std...} --config {FAST}")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", rustflags(sh))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .run()?;
    Ok(sh
        .current_dir()
        .join(format!("target/{WASM}/wasm/leakgate_wasm.wasm")))
}

/// Sources of dependencies lie in somebody's home, which is nobody's business.
fn rustflags(sh: &Shell) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home
        .and_then(|home| sh.read_dir(home.join("registry/src")).ok())
        .unwrap_or_default();
    let plain = registries
        .iter()
        .map(|folder| format!("--remap-path-prefix={}/=", folder.display()));
    // A folder with a space in its name can't stand in the variable.
    let plain = plain.filter(|flag| !flag.contains(' '));
    FLAGS
        .iter()
        .map(|flag| (*flag).to_owned())
        .chain(plain)
        .collect::<Vec<_>>()
        .join(" ")
}
