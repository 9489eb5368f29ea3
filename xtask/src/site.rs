//! `cargo xtask site`: builds the documentation site in `target/site/`, for the folder `docs/` of
//! the web page.
//!
//! mdBook renders the pages of docs/ that docs/SUMMARY.md lists, and reference pages that are
//! generated from the program. lychee then follows each link between the rendered pages.

mod commands;
mod knowledge;
mod schemas;
mod sources;

use std::path::Path;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

/// Requirements besides cargo.
pub(crate) const NEEDS: &[Need] = &[Need::MdBook, Need::PyPi];

/// The Markdown files that mdBook reads, and the rendered site.
const BOOK: &str = "target/site-sources";
const SITE: &str = "target/site";

/// Runs `cargo xtask site`. Installs mdBook and lychee if they are missing.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask site".into());
    }
    setup::install(&setup::shell()?, NEEDS);
    build(&setup::shell_with(NEEDS)?)
}

/// Builds the site, and checks its links.
pub(crate) fn build(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo build --workspace --bin leakgate").run()?;
    let repository = setup::repository()?;
    let book = repository.join(BOOK);
    let site = repository.join(SITE);
    sh.remove_path(&book)?;
    sh.remove_path(&site)?;
    let reference = reference(&repository)?;
    sources::assemble(&repository, &book, &reference)?;
    let mdbook = setup::tools()?.join("mdbook");
    cmd!(sh, "{mdbook} build {book} --dest-dir {site}").run()?;
    check_links(sh, &site)?;
    println!("{SITE}/");
    Ok(())
}

/// A generated page: its file in the folder `reference`, its title, and its text.
struct Page {
    file: &'static str,
    title: &'static str,
    text: String,
}

/// Generates the pages that repeat what the program knows.
fn reference(repository: &Path) -> Outcome<Vec<Page>> {
    let program = repository.join("target/debug/leakgate");
    let schema = |name: &str| schemas::page(&repository.join("docs").join(name));
    let pages = [
        ("commands.md", "Commands", commands::page(&program)?),
        (
            "configuration.md",
            "leakgate.toml",
            schema("leakgate.schema.json")?,
        ),
        ("kinds.md", "Kinds of findings", knowledge::kinds()),
        ("codes.md", "Explanations of codes", knowledge::codes()),
        ("packs.md", "Rules of the packs", knowledge::packs()?),
        ("json.md", "JSON report", schema("leakgate-v1.schema.json")?),
        (
            "diff.md",
            "JSON comparison",
            schema("leakgate-diff-v1.schema.json")?,
        ),
        (
            "growth.md",
            "JSON report of growth",
            schema("leakgate-grow-v1.schema.json")?,
        ),
        (
            "baseline.md",
            "Baseline file",
            schema("leakgate-baseline-v1.schema.json")?,
        ),
    ];
    let page = |(file, title, body)| Page {
        file,
        title,
        text: format!("# {title}\n\n{body}"),
    };
    Ok(pages.map(page).into())
}

/// Checks links and anchors between pages. The page for missing addresses is shown at any depth, so
/// its links begin at the root of the host.
fn check_links(sh: &Shell, site: &Path) -> Outcome {
    let lychee = setup::tools()?.join("lychee");
    let options = [
        "--config",
        "lychee.toml",
        "--offline",
        "--extensions",
        "html",
    ];
    let exclude = ["--exclude-path", "404.html"];
    Ok(cmd!(sh, "{lychee} {options...} {exclude...} {site}").run()?)
}
