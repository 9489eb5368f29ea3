//! `cargo xtask wasm [--bench|--test [--full]]`: builds the core as two WebAssembly modules, and the
//! program as a third one. The full module and the program are an npm package in
//! `target/wasm/npm/`; the reader, which the page loads first, is in `target/wasm/reader/`.
//!
//! `wasm/compile.rs` compiles a module, `xtask-bind` generates the bindings of the core, and
//! binaryen optimizes the result. `xtask/wasm/package-lock.json` fixes binaryen's version.

mod bench;
mod compile;
mod native;

pub(crate) use compile::Module;
/// The cases of `snapshots/`.
pub(crate) use native::common as snapshots;

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::setup::{self, Need, WASI, WASM};
use crate::test::Extent;
use crate::{Outcome, sizes};

/// Requirements of the core's modules besides cargo.
pub(crate) const CORE_NEEDS: &[Need] = &[
    Need::Target(WASM),
    Need::Sources,
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
];

/// Requirements of the package besides cargo.
pub(crate) const NEEDS: &[Need] = &[
    Need::Target(WASM),
    Need::Target(WASI),
    Need::Sources,
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
];

/// Reports of the native core for all cases, to compare with.
const NATIVE: &str = "target/wasm/native";

/// The folder of npm's tools and of the tests of the package.
pub(crate) const TOOLS: &str = "xtask/wasm";

/// The file of the command's module.
const COMMAND: &str = "leakgate_command.wasm";

/// Files that are copied into the package.
const SOURCES: &[&str] = &[
    "wasm/npm/package.json",
    "wasm/npm/README.md",
    "wasm/npm/node.js",
    "wasm/npm/bin.js",
    "wasm/npm/command.js",
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
        [] => package,
        [option] if option == "--test" => |sh| test(sh, Extent::Fast),
        [option, extent] if option == "--test" && extent == "--full" => |sh| test(sh, Extent::Full),
        [option] if option == "--bench" => measure,
        _ => return Err("usage: cargo xtask wasm [--bench|--test [--full]]".into()),
    };
    then(&setup::shell_with(NEEDS)?)
}

/// Tests the package as its users install it, and the reader: both must give the same results as
/// the native core, and the examples must work. The command must give the same results as the
/// native program: for a sample of the cases or, with [`Extent::Full`], for all.
pub(crate) fn test(sh: &Shell, extent: Extent) -> Outcome {
    package(sh)?;
    cmd!(sh, "cargo build --quiet --workspace --bin leakgate").run()?;
    native::write(&sh.current_dir().join(NATIVE))?;
    let _folder = sh.push_dir(TOOLS);
    let all = if extent == Extent::Full { "1" } else { "" };
    cmd!(sh, "node --test")
        .env("LEAKGATE_ALL_CASES", all)
        .run()?;
    Ok(cmd!(sh, "npx tsc").run()?)
}

fn measure(sh: &Shell) -> Outcome {
    package(sh)?;
    bench::run(sh)
}

/// Builds the core's modules, which are all that the page needs.
pub(crate) fn build(sh: &Shell) -> Outcome {
    install_tools(sh)?;
    bind(sh, Module::Reader)?;
    bind(sh, Module::Full)?;
    Ok(())
}

/// Builds the npm package: the full module, and the command.
fn package(sh: &Shell) -> Outcome {
    build(sh)?;
    let package = sh.current_dir().join(Module::Full.folder());
    let folder = sh.create_dir(Module::Command.folder())?;
    let command = folder.join(COMMAND);
    sh.copy_file(Module::Command.compile(sh)?, &command)?;
    shrink(sh, &command)?;
    sh.copy_file(&command, &package)?;
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
