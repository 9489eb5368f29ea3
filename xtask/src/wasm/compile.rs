//! Compiles the module together with its own standard library, which has no panic messages.
//!
//! Cargo builds that library from source with `-Zbuild-std`, which is unstable. `RUSTC_BOOTSTRAP`
//! allows it with the stable compiler; a nightly would give the page another standard library than
//! the program.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::WASM;

/// Flags for rustc.
const FLAGS: &[&str] = &[
    // Every browser has had vector instructions since 2023; the searches use them.
    "-Ctarget-feature=+simd128",
    "-Zunstable-options",
    // A panic ends the module anyway, and its message would not be shown.
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    // Derived `Debug` prints only the name of the type; no report contains it.
    "-Zfmt-debug=shallow",
    // These names start with the path, so sorting by name groups similar functions.
    "-Csymbol-mangling-version=legacy",
    // Many small functions parse lines. With the default threshold for size (5), none is inlined:
    // 530 kB compressed, and 130 to 149 MB/s for dense logs. With 40: 543 kB, and 158 to 191 MB/s.
    // With 100: 577 kB.
    "-Cllvm-args=-inline-threshold=40",
    // Makes `zmij` compute values instead of using a table of 10 kB. It formats fractions, which no
    // report contains.
    "--cfg=opt_level=\"s\"",
];

/// Comparing bytes, which is done everywhere, is part of this package. It isn't in `Cargo.toml`,
/// because cargo warns about a profile for a package that other builds don't have.
const FAST: &str = "profile.wasm.package.compiler_builtins.opt-level=3";

/// Compiles the module, and returns its path.
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

/// Returns the flags, with a mapping that keeps the path of the user's home out of the module.
fn rustflags(sh: &Shell) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home
        .and_then(|home| sh.read_dir(home.join("registry/src")).ok())
        .unwrap_or_default();
    let plain = registries
        .iter()
        .map(|folder| format!("--remap-path-prefix={}/=", folder.display()));
    // The variable can't contain a path with a space.
    let plain = plain.filter(|flag| !flag.contains(' '));
    FLAGS
        .iter()
        .map(|flag| (*flag).to_owned())
        .chain(plain)
        .collect::<Vec<_>>()
        .join(" ")
}
