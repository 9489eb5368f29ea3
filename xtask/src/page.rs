//! `cargo xtask page [--single-file]`: the page to paste a log into, in `target/page/`, ready for
//! any server of files; or all of it as one HTML file, `target/leakgate.html`, which is opened from
//! disk.

mod offline;
mod samples;
mod single;

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::setup::{self, Need};
use crate::{Outcome, sizes, wasm};

/// What the chore needs beside cargo: what the module needs.
pub(crate) const NEEDS: &[Need] = wasm::NEEDS;

/// The page, as it is served.
const PAGE: &str = "target/page";

/// What it is made of, file by file.
const PARTS: &str = "target/page-parts";

/// The files that are served: scripts and styles, each with all that it imports and without what
/// only people read, and others.
const BUNDLES: &[&str] = &[
    "page.js",
    "worker.js",
    "offline.js",
    "report/page.css",
    "style.css",
];
const AS_THEY_ARE: &[&str] = &["index.html", "icon.svg", "leakgate_bg.wasm"];

/// The page as one file.
const SINGLE: &str = "leakgate.html";

/// What the page has in common with the HTML document of a run.
const REPORT: &str = "core/src/emit/html";
const MODULES: &[&str] = &[
    "detail.js",
    "flame.js",
    "report.js",
    "table.js",
    "view.js",
    "page.css",
];

/// What is taken from fflate; nothing else of it goes into the page.
const UNPACKERS: &str = "export { Gunzip, Unzip, UnzipInflate } from 'fflate';";

/// Runs the chore with what stood after its name on the command line.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let then: fn(&Shell) -> Outcome = match arguments {
        [] => files,
        [option] if option == "--single-file" => single_file,
        _ => return Err("usage: cargo xtask page [--single-file]".into()),
    };
    then(&setup::shell_with(NEEDS)?)
}

/// The page for a server, and as one file to take away, which the page does not keep for itself.
pub(crate) fn files(sh: &Shell) -> Outcome {
    let parts = assemble(sh)?;
    let html = single::join(sh, &parts)?;
    sh.remove_path(PAGE)?;
    let page = sh.create_dir(PAGE)?;
    for file in BUNDLES {
        sh.write_file(page.join(file), bundle(sh, &parts, file, "esm")?)?;
    }
    for file in AS_THEY_ARE {
        sh.copy_file(parts.join(file), &page)?;
    }
    offline::list_files(&page)?;
    fs::write(page.join(SINGLE), html)?;
    println!("{PAGE}/");
    sizes::print(&page)
}

fn single_file(sh: &Shell) -> Outcome {
    let html = single::join(sh, &assemble(sh)?)?;
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

/// A script or a style with all that it imports, made small.
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

/// Everything that the page is made of, where it expects it.
fn assemble(sh: &Shell) -> Outcome<std::path::PathBuf> {
    wasm::build(sh)?;
    sh.remove_path(PARTS)?;
    let page = sh.create_dir(PARTS)?;
    for file in sh.read_dir("wasm/www")? {
        sh.copy_file(file, &page)?;
    }
    let report = sh.create_dir(page.join("report"))?;
    for module in MODULES {
        sh.copy_file(Path::new(REPORT).join(module), &report)?;
    }
    for file in ["leakgate.js", "leakgate_bg.wasm"] {
        sh.copy_file(Path::new(wasm::PACKAGE).join(file), &page)?;
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
