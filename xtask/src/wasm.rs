//! `cargo xtask wasm [--bench|--test]`: builds the core as a WebAssembly module, and its npm
//! package in `target/wasm/npm/`.
//!
//! `wasm/compile.rs` compiles the module, `xtask-bind` generates the bindings, and binaryen
//! optimizes the result. `xtask/wasm/package-lock.json` fixes binaryen's version.

mod bench;
mod compile;
mod native;

/// The cases of `snapshots/`.
pub(crate) use native::common as snapshots;

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::setup::{self, Need, WASM};
use crate::{Outcome, sizes};

/// Requirements besides cargo.
pub(crate) const NEEDS: &[Need] = &[
    Need::Target(WASM),
    Need::Sources,
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
];

/// The package as it is published.
pub(crate) const PACKAGE: &str = "target/wasm/npm";

/// Reports of the native core for all cases, to compare with.
const NATIVE: &str = "target/wasm/native";

/// The folder of npm's tools and of the tests of the package.
pub(crate) const TOOLS: &str = "xtask/wasm";

/// Files that are copied into the package.
const SOURCES: &[&str] = &[
    "wasm/npm/package.json",
    "wasm/npm/README.md",
    "wasm/npm/node.js",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// WebAssembly features that rustc assumes; binaryen doesn't detect them.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Passes that reduce the compressed size of the module; the effect of each was measured.
/// Binaryen's `-Oz` saves as many bytes, but it shuffles locals and inlines functions with a single
/// caller, so the code has fewer repetitions and the compressed module is larger.
const PASSES: &[&str] = &[
    "--duplicate-function-elimination",
    // Many small functions parse lines, and a call takes longer than the work of most.
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
    // Copies of a generic function have the same name, and compress best next to each other.
    "--reorder-functions-by-name",
    "--strip-debug",
];

/// Runs `cargo xtask wasm` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let then: fn(&Shell) -> Outcome = match arguments {
        [] => build,
        [option] if option == "--test" => test,
        [option] if option == "--bench" => measure,
        _ => return Err("usage: cargo xtask wasm [--bench|--test]".into()),
    };
    then(&setup::shell_with(NEEDS)?)
}

/// Tests the package as its users install it: it must give the same reports as the native core, and
/// the examples must work.
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
    check_version(&package)?;
    sizes::print(&package)
}

/// Optimizes the module with binaryen. This takes long, so the result for the same input is cached.
fn shrink(sh: &Shell, module: &Path) -> Outcome {
    let _folder = sh.push_dir(TOOLS);
    cmd!(sh, "npm ci --no-audit --no-fund --silent").run()?;
    let before = fs::read(module)?;
    let from = module.with_file_name("../bound");
    let to = module.with_file_name("../optimized.wasm");
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
        "wasm-opt: {} -> {} bytes",
        before.len(),
        fs::metadata(module)?.len()
    );
    Ok(())
}

fn check_version(package: &Path) -> Outcome {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    match fs::read_to_string(package.join("package.json"))?.contains(version) {
        true => Ok(()),
        false => {
            Err(format!("wasm/npm/package.json must contain {version}, as in Cargo.toml").into())
        }
    }
}
