//! `cargo xtask page [--single-file]`: builds the page to paste a log into. It goes to
//! `target/page/`, for any static file server, or into one HTML file, `target/leakgate.html`, to be
//! opened from disk.

mod offline;
mod samples;
mod single;

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::setup::{self, Need};
use crate::wasm::{self, Module};
use crate::{Outcome, sizes};

/// Requirements besides cargo: those of the WebAssembly module.
pub(crate) const NEEDS: &[Need] = wasm::CORE_NEEDS;

/// The page as it is served.
const PAGE: &str = "target/page";

/// The page before bundling.
const PARTS: &str = "target/page-parts";

/// Served scripts and styles, bundled with their imports and minified.
const BUNDLES: &[&str] = &[
    "page.js",
    WORKER,
    "offline.js",
    "report/page.css",
    "style.css",
];
/// Other served files.
const UNCHANGED: &[&str] = &["index.html", "icon.svg", MODULE];

/// The worker and its module. The page starts with the reader, and has another worker with the full
/// module in the folder [`FULL`].
const WORKER: &str = "worker.js";
const MODULE: &str = "leakgate_bg.wasm";
const FULL: &str = "full";

/// The files that a visitor loads before the page can read a log.
const FIRST_VIEW: &[&str] = &[
    "index.html",
    "icon.svg",
    "page.js",
    "report/page.css",
    "style.css",
    WORKER,
    MODULE,
];

/// Maximum size of the reader, and of all files of the first view, in bytes as a server compresses
/// them.
const MAX_READER: usize = 420_000;
const MAX_FIRST_VIEW: usize = 500_000;

/// The page as one file.
const SINGLE: &str = "leakgate.html";

/// Parts that the page shares with HTML reports.
const REPORT: &str = "core/src/emit/html";
const MODULES: &[&str] = &[
    "detail.js",
    "flame.js",
    "report.js",
    "table.js",
    "view.js",
    "page.css",
];

/// The parts of fflate that the page uses; the bundler drops the rest.
const UNPACKERS: &str = "export { Gunzip, Unzip, UnzipInflate } from 'fflate';";

/// Runs `cargo xtask page` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let then: fn(&Shell) -> Outcome = match arguments {
        [] => files,
        [option] if option == "--single-file" => single_file,
        _ => return Err("usage: cargo xtask page [--single-file]".into()),
    };
    then(&setup::shell_with(NEEDS)?)
}

/// Builds the page for a server. It includes the single-file page as a download.
pub(crate) fn files(sh: &Shell) -> Outcome {
    wasm::build(sh)?;
    let full_parts = assemble(sh, Module::Full)?;
    let html = single::join(sh, &full_parts)?;
    let parts = assemble(sh, Module::Reader)?;
    sh.remove_path(PAGE)?;
    let page = sh.create_dir(PAGE)?;
    for file in BUNDLES {
        sh.write_file(page.join(file), bundle(sh, &parts, file, "esm")?)?;
    }
    for file in UNCHANGED {
        sh.copy_file(parts.join(file), &page)?;
    }
    let full = sh.create_dir(page.join(FULL))?;
    sh.write_file(full.join(WORKER), bundle(sh, &full_parts, WORKER, "esm")?)?;
    sh.copy_file(full_parts.join(MODULE), &full)?;
    offline::list_files(&page)?;
    fs::write(page.join(SINGLE), html)?;
    println!("{PAGE}/");
    sizes::print(&page)?;
    check_sizes(&page)
}

/// Checks how much a visitor loads before the page can read a log.
fn check_sizes(page: &Path) -> Outcome {
    let size =
        |file: &&str| -> Outcome<usize> { Ok(sizes::gzipped(&fs::read(page.join(file))?)?.len()) };
    let all = FIRST_VIEW.iter().map(size).sum::<Outcome<usize>>()?;
    for (subject, bytes, max) in [
        ("the reader", size(&MODULE)?, MAX_READER),
        ("the first view", all, MAX_FIRST_VIEW),
    ] {
        println!("{subject}: {bytes} bytes gzipped, at most {max}");
        if bytes > max {
            return Err(format!("{subject} is too large: {bytes} bytes gzipped").into());
        }
    }
    Ok(())
}

fn single_file(sh: &Shell) -> Outcome {
    wasm::build(sh)?;
    let html = single::join(sh, &assemble(sh, Module::Full)?)?;
    let to = sh.current_dir().join("target").join(SINGLE);
    fs::write(&to, &html)?;
    println!(
        "{}: {} bytes, {} gzipped",
        to.display(),
        html.len(),
        sizes::gzipped(html.as_bytes())?.len()
    );
    Ok(())
}

/// Bundles a script or a style with its imports, and minifies it.
fn bundle(sh: &Shell, parts: &Path, name: &str, format: &str) -> Outcome<String> {
    let _folder = sh.push_dir(wasm::TOOLS);
    let source = parts.join(name);
    let text = cmd!(
        sh,
        "npx esbuild {source} --bundle --minify --format={format} --target=es2022 --log-level=error"
    )
    .read()?;
    Ok(text + "\n")
}

/// Copies all parts of a page with this module to where its scripts expect them.
fn assemble(sh: &Shell, module: Module) -> Outcome<PathBuf> {
    let page = Path::new(PARTS).join(module.name());
    sh.remove_path(&page)?;
    let page = sh.create_dir(page)?;
    for file in sh.read_dir("wasm/www")? {
        sh.copy_file(file, &page)?;
    }
    let report = sh.create_dir(page.join("report"))?;
    for module in MODULES {
        sh.copy_file(Path::new(REPORT).join(module), &report)?;
    }
    for file in ["leakgate.js", MODULE] {
        sh.copy_file(Path::new(module.folder()).join(file), &page)?;
    }
    fs::write(page.join("samples.js"), samples::module(&sh.current_dir())?)?;
    let _folder = sh.push_dir(wasm::TOOLS);
    let unpackers = page.join("vendor/fflate.js");
    cmd!(sh, "npx esbuild --bundle --minify --format=esm --legal-comments=inline --log-level=warning --outfile={unpackers}")
        .stdin(UNPACKERS)
        .run()?;
    let licence = fs::read_to_string(sh.current_dir().join("node_modules/fflate/LICENSE"))?;
    fs::write(
        &unpackers,
        format!(
            "/*! fflate\n{licence}*/\n{}",
            fs::read_to_string(&unpackers)?
        ),
    )?;
    Ok(page)
}
