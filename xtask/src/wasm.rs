//! `cargo xtask wasm [--bench|--test]`: the core as a WebAssembly module, and the npm package of it, in `target/wasm/npm/`.
//!
//! The module is compiled as `wasm/compile.rs` says, bound by `xtask-bind`, and made smaller by binaryen, which npm keeps at the
//! version of `xtask/wasm/package-lock.json`.

mod bench;
mod compile;
mod native;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need, WASM};

/// What the chore needs beside cargo.
pub(crate) const NEEDS: &[Need] =
    &[Need::Target(WASM), Need::Sources, Need::Program("node", "nodejs"), Need::Program("npm", "npm")];

/// The package, as it is published.
const PACKAGE: &str = "target/wasm/npm";

/// Beside the package: what the native core says of the cases.
const NATIVE: &str = "target/wasm/native";

/// The tools that npm keeps, and the tests of the package.
const TOOLS: &str = "xtask/wasm";

/// What is written by hand, and what goes with it.
const SOURCES: &[&str] = &["wasm/npm/package.json", "wasm/npm/README.md", "wasm/npm/node.js", "LICENSE-APACHE", "LICENSE-MIT"];

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

/// What makes the module smaller where it is sent compressed, one by one: each of them was measured. Binaryen's own choice for size
/// (`-Oz`) saves as many bytes, but shuffles locals and inlines whatever is called once, so that much less of the code repeats, and
/// the compressed module is larger.
const PASSES: &[&str] = &[
    "--duplicate-function-elimination",
    // Lines are read by many small functions, and a call takes longer than what most of them do.
    "--inlining",
    "--always-inline-max-function-size=12",
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

fn build(sh: &Shell) -> Outcome {
    let module = compile::module(sh)?;
    sh.remove_path(PACKAGE)?;
    let package = sh.create_dir(PACKAGE)?;
    cmd!(sh, "cargo run --quiet --package xtask-bind -- {module} {package}").run()?;
    shrink(sh, &package.join("leakgate_bg.wasm"))?;
    for source in SOURCES {
        sh.copy_file(source, &package)?;
    }
    sh.remove_path(package.join("leakgate_bg.wasm.d.ts"))?;
    is_of_this_version(&package)?;
    print_sizes(&package)
}

/// Binaryen finds what a compiler of single functions does not.
fn shrink(sh: &Shell, module: &Path) -> Outcome {
    let before = fs::metadata(module)?.len();
    {
        let _folder = sh.push_dir(TOOLS);
        cmd!(sh, "npm ci --no-audit --no-fund --silent").run()?;
        cmd!(sh, "npx wasm-opt {FEATURES...} {PASSES...} {module} -o {module}").run()?;
    }
    println!("wasm-opt: {before} bytes became {}", fs::metadata(module)?.len());
    Ok(())
}

fn is_of_this_version(package: &Path) -> Outcome {
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    match fs::read_to_string(package.join("package.json"))?.contains(version) {
        true => Ok(()),
        false => Err(format!("wasm/npm/package.json must say {version}, as Cargo.toml does").into()),
    }
}

/// The bytes of every file of the package, as they are and as a server sends them.
fn print_sizes(package: &Path) -> Outcome {
    let mut files: Vec<PathBuf> = fs::read_dir(package)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    println!("{:24} {:>10} {:>10}", "file", "bytes", "gzip -9");
    for file in files {
        let bytes = fs::read(&file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("{name:24} {:>10} {:>10}", bytes.len(), gzipped(&bytes)?);
    }
    Ok(())
}

fn gzipped(bytes: &[u8]) -> std::io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
