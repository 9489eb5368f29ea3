//! `cargo xtask wasm [--bench|--test]`: the core as a WebAssembly module, and the npm package of it, in `target/wasm/npm/`.
//!
//! The module is bound by `xtask-bind`, and made smaller by binaryen, which npm keeps at the version of
//! `xtask/wasm/package-lock.json`.

mod bench;
mod native;

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::setup::{self, Need, WASM};
use crate::{Outcome, sizes};

/// What the chore needs beside cargo.
pub(crate) const NEEDS: &[Need] = &[Need::Target(WASM), Need::Program("node", "nodejs"), Need::Program("npm", "npm")];

/// The package, as it is published.
pub(crate) const PACKAGE: &str = "target/wasm/npm";

/// Beside the package: what the native core says of the cases.
const NATIVE: &str = "target/wasm/native";

/// The tools that npm keeps, and the tests of the package.
pub(crate) const TOOLS: &str = "xtask/wasm";

/// What is written by hand, and what goes with it.
const SOURCES: &[&str] = &["wasm/npm/package.json", "wasm/npm/README.md", "wasm/npm/node.js", "LICENSE-APACHE", "LICENSE-MIT"];

/// Every browser has had vector instructions since 2023; the searches of `memchr` use them.
const SIMD: &str = "-C target-feature=+simd128";

/// What rustc takes for granted of a WebAssembly engine; binaryen has to be told.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Runs the chore with what stood after its name on the command line.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let then: fn(&Shell) -> Outcome = match arguments {
        [] => build,
        [option] if option == "--test" => test,
        [option] if option == "--bench" => measure,
        _ => return Err("usage: cargo xtask wasm [--bench|--test]".into()),
    };
    if let Some(missing) = setup::missing(NEEDS) {
        return Err(missing.into());
    }
    let sh = Shell::new()?;
    sh.change_dir(setup::repository()?);
    then(&sh)
}

/// The package as somebody who installs it has it: the same answers as the native core, and the examples.
pub(crate) fn test(sh: &Shell) -> Outcome {
    build(sh)?;
    native::write(&sh.current_dir().join(NATIVE))?;
    let _folder = sh.push_dir(TOOLS);
    cmd!(sh, "node --test").run()?;
    Ok(cmd!(sh, "npx tsc").run()?)
}

fn measure(sh: &Shell) -> Outcome {
    build(sh)?;
    bench::run(sh)
}

pub(crate) fn build(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo build --package leakgate-wasm --profile wasm --target {WASM}")
        .env("RUSTFLAGS", rustflags(sh))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .run()?;
    sh.remove_path(PACKAGE)?;
    let package = sh.create_dir(PACKAGE)?;
    let module = sh.current_dir().join(format!("target/{WASM}/wasm/leakgate_wasm.wasm"));
    cmd!(sh, "cargo run --quiet --package xtask-bind -- {module} {package}").run()?;
    shrink(sh, &package.join("leakgate_bg.wasm"))?;
    for source in SOURCES {
        sh.copy_file(source, &package)?;
    }
    sh.remove_path(package.join("leakgate_bg.wasm.d.ts"))?;
    is_of_this_version(&package)?;
    sizes::print(&package)
}

/// The places of panics name sources, and those of dependencies lie in somebody's home.
fn rustflags(sh: &Shell) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.and_then(|home| sh.read_dir(home.join("registry/src")).ok()).unwrap_or_default();
    let plain: Vec<String> = registries.iter().map(|folder| format!("--remap-path-prefix={}/=", folder.display())).collect();
    // A folder with a space in its name can't stand in the variable.
    let plain = plain.into_iter().filter(|flag| !flag.contains(' '));
    std::iter::once(SIMD.to_owned()).chain(plain).collect::<Vec<_>>().join(" ")
}

/// Binaryen finds what a compiler of single functions does not. It takes a minute, so what it made of the same module is kept.
fn shrink(sh: &Shell, module: &Path) -> Outcome {
    let _folder = sh.push_dir(TOOLS);
    cmd!(sh, "npm ci --no-audit --no-fund --silent").run()?;
    let (from, to) = (module.with_file_name("../bound.wasm"), module.with_file_name("../optimised.wasm"));
    let before = fs::read(module)?;
    if !to.exists() || fs::read(&from).ok().as_ref() != Some(&before) {
        cmd!(sh, "npx wasm-opt -Oz --converge {FEATURES...} {module} -o {to}").run()?;
        fs::write(from, &before)?;
    }
    fs::copy(&to, module)?;
    println!("wasm-opt: {} bytes became {}", before.len(), fs::metadata(module)?.len());
    Ok(())
}

fn is_of_this_version(package: &Path) -> Outcome {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    match fs::read_to_string(package.join("package.json"))?.contains(version) {
        true => Ok(()),
        false => Err(format!("wasm/npm/package.json must say {version}, as Cargo.toml does").into()),
    }
}
