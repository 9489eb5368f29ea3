//! Compiles the modules and the command together with their own standard library, which has no
//! panic messages.
//!
//! Cargo builds that library from source with `-Zbuild-std`, which is unstable. `RUSTC_BOOTSTRAP`
//! allows it with the stable compiler; a nightly would give the page another standard library than
//! the program.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{WASI, WASM};

/// Flags for rustc, for all modules.
const FLAGS: &[&str] = &[
    // Every browser has had vector instructions since 2023; the searches use them.
    "-Ctarget-feature=+simd128",
    "-Zunstable-options",
    // A panic ends the module anyway, and a page would not show its message.
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    // Derived `Debug` prints only the name of the type; no report contains it.
    "-Zfmt-debug=shallow",
    // These names start with the path, so sorting by name groups similar functions.
    "-Csymbol-mangling-version=legacy",
    // Makes `zmij` compute values instead of using a table of 10 kB. It formats fractions, which no
    // report contains.
    "--cfg=opt_level=\"s\"",
];

/// A module to compile.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    /// Everything: the library of the npm package.
    Full,
    /// The program with its command line: the command of the npm package.
    Command,
    /// The module that the page loads first. `core/src/full.rs` describes what it doesn't have.
    Reader,
}

impl Module {
    /// Returns the name of the folder of a page with this module.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Command => "command",
            Self::Reader => "reader",
        }
    }

    /// Returns the folder of the optimized module and its bindings.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Full => "target/wasm/npm",
            Self::Command => "target/wasm/command",
            Self::Reader => "target/wasm/reader",
        }
    }

    /// Returns the profile in `Cargo.toml`. Each has its own folder, so neither build replaces the
    /// other's.
    fn profile(self) -> &'static str {
        match self {
            Self::Full | Self::Command => "wasm",
            Self::Reader => "wasm-reader",
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            // Many small functions parse lines, and with the default for size (5), none is inlined.
            Self::Full | Self::Command => &["-Cllvm-args=-inline-threshold=40"],
            // With 70, the reader has 435 kB compressed instead of about 413, and reads dense logs
            // 4 % faster.
            Self::Reader => &["--cfg=leakgate_reader", "-Cllvm-args=-inline-threshold=33"],
        }
    }

    /// Returns the name of the package, the target, and the name of the compiled file.
    fn source(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Full | Self::Reader => ("leakgate-wasm", WASM, "leakgate_wasm.wasm"),
            Self::Command => ("leakgate", WASI, "leakgate.wasm"),
        }
    }

    /// Compiles the module, and returns its path.
    pub(super) fn compile(self, sh: &Shell) -> Outcome<PathBuf> {
        let profile = self.profile();
        let (package, target, file) = self.source();
        let std = [
            "-Zbuild-std=std,panic_abort",
            "-Zbuild-std-features=optimize_for_size",
        ];
        // Comparing bytes, which is done everywhere, is part of this package. It isn't in
        // `Cargo.toml`, because cargo warns about a profile for a package that other builds don't
        // have.
        let fast = format!("profile.{profile}.package.compiler_builtins.opt-level=3");
        cmd!(sh, "cargo build --package {package} --profile {profile} --target {target} {std...} --config {fast}")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", rustflags(sh, self.flags()))
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .run()?;
        Ok(sh
            .current_dir()
            .join(format!("target/{target}/{profile}/{file}")))
    }
}

/// Returns the flags, with a mapping that keeps the path of the user's home out of the module.
fn rustflags(sh: &Shell, more: &[&str]) -> String {
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
        .chain(more)
        .map(|flag| (*flag).to_owned())
        .chain(plain)
        .collect::<Vec<_>>()
        .join(" ")
}
