//! `cargo xtask wasm [--bench|--test]`: builds the core as two WebAssembly modules. The full one
//! is an npm package in `target/wasm/npm/`; the reader, which the page loads first, is in
//! `target/wasm/reader/`.
//!
//! `wasm/compile.rs` compiles a module, `xtask-bind` generates the bindings, and binaryen
//! optimizes the result. `xtask/wasm/package-lock.json` fixes binaryen's version.

mod bench;
mod compile;
mod native;

pub(crate) use compile::Module;
/// The cases of `snapshots/`.
pub(crate) use native::common as snapshots;

use std::fs;
use std::path::{Path, PathBuf};

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

/// Tests the package as its users install it, and the reader: both must give the same results as
/// the native core, and the examples must work.
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
    install_tools(sh)?;
    bind(sh, Module::Reader)?;
    let package = bind(sh, Module::Full)?;
    for source in SOURCES {
        sh.copy_file(source, &package)?;
    }
    check_version(&package)?;
    sizes::print(&package)
}

fn install_tools(sh: &Shell) -> Outcome {
    let _folder = sh.push_dir(TOOLS);
    Ok(cmd!(sh, "npm ci --no-audit --no-fund --silent").run()?)
}

/// Compiles a module and its bindings, and returns their folder.
fn bind(sh: &Shell, module: Module) -> Outcome<PathBuf> {
    let compiled = module.compile(sh)?;
    sh.remove_path(module.folder())?;
    let folder = sh.create_dir(module.folder())?;
    cmd!(
        sh,
        "cargo run --quiet --package xtask-bind -- {compiled} {folder}"
    )
    .run()?;
    shrink(sh, &folder.join("leakgate_bg.wasm"))?;
    sh.remove_path(folder.join("leakgate_bg.wasm.d.ts"))?;
    Ok(folder)
}

/// Optimizes a module with binaryen. This takes long, so the result for the same input is cached
/// next to the module's folder.
fn shrink(sh: &Shell, module: &Path) -> Outcome {
    let _folder = sh.push_dir(TOOLS);
    let before = fs::read(module)?;
    let cached = |extension| {
        let folder = module.parent().unwrap_or(module);
        folder.with_extension(extension)
    };
    let from = cached("bound");
    let to = cached("optimized.wasm");
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
