//! `cargo xtask wasm [--bench|--test]`: the core as a WebAssembly module, and the npm package of
//! it, in `target/wasm/npm/`.
//!
//! The module is compiled as `wasm/compile.rs` says, bound by `xtask-bind`, and made smaller by
//! binaryen, which npm keeps at the version of `xtask/wasm/package-lock.json`.

mod bench;
mod compile;
mod native;

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::setup::{self, Need, WASM};
use crate::{Outcome, sizes};

/// What the chore needs beside cargo.
pub(crate) const NEEDS: &[Need] = &[
    Need::Target(WASM),
    Need::Sources,
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
];

/// The package, as it is published.
pub(crate) const PACKAGE: &str = "target/wasm/npm";

/// Beside the package: what the native core says of the cases.
const NATIVE: &str = "target/wasm/native";

/// The tools that npm keeps, and the tests of the package.
pub(crate) const TOOLS: &str = "xtask/wasm";

/// What is written by hand, and what goes with it.
const SOURCES: &[&str] = &[
    "wasm/npm/package.json",
    "wasm/npm/README.md",
    "wasm/npm/node.js",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

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

/// What makes the module smaller where it is sent compressed, one by one: each of them was
/// measured. Binaryen's own choice for size (`-Oz`) saves as many bytes, but shuffles locals and
/// inlines whatever is called once, so that much less of the code repeats, and the compressed
/// module is larger.
const PASSES: &[&str] = &[
    "--duplicate-function-elimination",
    // Lines are read by many small functions, and a call takes longer than what most of them do.
    "--inlining",
    "--always-inline-max-function-size=6",
    "--one-caller-inline-max-function-size=0",
    "--dae-optimizing",
    "--remove-unused-brs",
    "--optimize-instructions",
    "--remove-unused-module-elements",
    "--simplify-locals-nostructure",
    "--reorder-locals",
    "--rse",
    "--code-folding",
    "--coalesce-locals-learning",
    "--vacuum",
    "--duplicate-function-elimination",
    "--optimize-instructions",
    // Copies of one generic function have one name, and compress best side by side.
    "--reorder-functions-by-name",
    "--strip-debug",
];

/// Runs the chore with what stood after its name on the command line.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let then: fn(&Shell) -> Outcome = match arguments {
        [] => build,
        [option] if option == "--test" => test,
        [option] if option == "--bench" => measure,
        _ => return Err("usage: cargo xtask wasm [--bench|--test]".into()),
    };
    then(&setup::shell_with(NEEDS)?)
}

/// The package as somebody who installs it has it: the same answers as the native core, and the
/// examples.
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
    let module = compile::module(sh)?;
    sh.remove_path(PACKAGE)?;
    let package = sh.create_dir(PACKAGE)?;
    cmd!(
        sh,
        "cargo run --quiet --package xtask-bind -- {module} {package}"
    )
    .run()?;
    shrink(sh, &package.join("leakgate_bg.wasm"))?;
    for source in SOURCES {
        sh.copy_file(source, &package)?;
    }
    sh.remove_path(package.join("leakgate_bg.wasm.d.ts"))?;
    is_of_this_version(&package)?;
    sizes::print(&package)
}

/// Binaryen finds what a compiler of single functions does not. It takes its time, so what it made
/// of the same module is kept.
fn shrink(sh: &Shell, module: &Path) -> Outcome {
    let _folder = sh.push_dir(TOOLS);
    cmd!(sh, "npm ci --no-audit --no-fund --silent").run()?;
    let before = fs::read(module)?;
    let (from, to) = (
        module.with_file_name("../bound"),
        module.with_file_name("../optimised.wasm"),
    );
    let known = [PASSES.join(" ").as_bytes(), &before].concat();
    if !to.exists() || fs::read(&from).ok().as_ref() != Some(&known) {
        cmd!(
            sh,
            "npx wasm-opt {FEATURES...} {PASSES...} {module} -o {to}"
        )
        .run()?;
        fs::write(from, known)?;
    }
    fs::copy(&to, module)?;
    println!(
        "wasm-opt: {} bytes became {}",
        before.len(),
        fs::metadata(module)?.len()
    );
    Ok(())
}

fn is_of_this_version(package: &Path) -> Outcome {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    match fs::read_to_string(package.join("package.json"))?.contains(version) {
        true => Ok(()),
        false => {
            Err(format!("wasm/npm/package.json must say {version}, as Cargo.toml does").into())
        }
    }
}
