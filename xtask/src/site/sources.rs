//! The Markdown files of the site: copies of the manual, in which links to other files of the
//! repository are links to GitHub.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Page;
use crate::Outcome;

/// The manual, and its list of pages.
const DOCS: &str = "docs";
const SUMMARY: &str = "SUMMARY.md";

/// The place of the generated pages in the list of pages.
const REFERENCE: &str = "<!-- reference -->\n";

/// The first page. mdBook would rename it, and not the links to it.
const FIRST: (&str, &str) = ("README.md", "index.md");

/// Files outside of the manual that are pages of the site.
const ROOT_PAGES: &[&str] = &["CHANGELOG.md", "SECURITY.md"];

/// The icon of the web page, which is that of the site, too.
const ICON: &str = "wasm/www/icon.svg";

/// The address of the published site, by which pages link to generated ones.
const SITE: &str = "https://leakgate.github.io/leakgate/docs/";

const GITHUB: &str = "https://github.com/leakgate/leakgate";

const CONFIG: &str = "\
[book]
title = \"leakgate\"
description = \"Fails a build when a memory checker reports a bug that you haven't accepted\"
language = \"en\"
src = \"src\"

[output.html]
site-url = \"/leakgate/docs/\"
git-repository-url = \"https://github.com/leakgate/leakgate\"
no-section-label = true
smart-punctuation = false

[output.html.search]
limit-results = 20
";

/// Writes a book to a folder: all pages of the summary, the generated ones, and other files of the
/// manual, such as pictures and schemas.
pub(super) fn assemble(repository: &Path, book: &Path, reference: &[Page]) -> Outcome {
    let src = book.join("src");
    fs::create_dir_all(src.join("reference"))?;
    fs::write(book.join("book.toml"), CONFIG)?;
    let theme = book.join("theme");
    fs::create_dir(&theme)?;
    fs::copy(repository.join(ICON), theme.join("favicon.svg"))?;
    let summary = fs::read_to_string(repository.join(DOCS).join(SUMMARY))?;
    let paths = site_paths(repository, &summary)?;
    for (path, site_path) in &paths {
        let to = src.join(site_path);
        fs::create_dir_all(to.parent().ok_or("a page has no folder")?)?;
        match path.extension().is_some_and(|end| end == "md") {
            true => {
                let text = fs::read_to_string(repository.join(path))?;
                fs::write(
                    to,
                    with_links(&text, |link| target(link, path, site_path, &paths)),
                )?;
            }
            false => {
                fs::copy(repository.join(path), to)?;
            }
        }
    }
    for page in reference {
        fs::write(src.join("reference").join(page.file), &page.text)?;
    }
    let entries: String = reference
        .iter()
        .map(|page| format!("- [{}](reference/{})\n", page.title, page.file))
        .collect();
    if !summary.contains(REFERENCE) {
        return Err(format!("{DOCS}/{SUMMARY} has no {}", REFERENCE.trim_end()).into());
    }
    let (first, index) = FIRST;
    let summary = summary
        .replace(REFERENCE, &entries)
        .replace(&format!("]({first})"), &format!("]({index})"))
        .replace("](../", "](");
    Ok(fs::write(src.join(SUMMARY), summary)?)
}

/// Returns the files of the site, by their paths in the repository. Pages that the summary doesn't
/// list aren't part of it.
fn site_paths(repository: &Path, summary: &str) -> Outcome<BTreeMap<PathBuf, PathBuf>> {
    let mut paths = BTreeMap::new();
    for path in files_below(&repository.join(DOCS))? {
        let path = path.strip_prefix(repository)?.to_owned();
        let site_path = path.strip_prefix(DOCS)?.to_owned();
        let is_page = path.extension().is_some_and(|end| end == "md");
        if !is_page || summary.contains(&format!("]({})", site_path.display())) {
            paths.insert(path, site_path);
        }
    }
    for page in ROOT_PAGES {
        paths.insert(page.into(), page.into());
    }
    let (first, index) = FIRST;
    paths.insert(Path::new(DOCS).join(first), index.into());
    Ok(paths)
}

fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => files.extend(files_below(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}

/// Returns the text with other link targets. Blocks of code are unchanged.
fn with_links(text: &str, target: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_code = false;
    for line in text.split_inclusive('\n') {
        is_code ^= line.trim_start().starts_with("```");
        let mut rest = line;
        while !is_code && let Some((before, after)) = rest.split_once("](") {
            let Some((link, after)) = after.split_once(')') else {
                break;
            };
            out += &format!("{before}]({})", target(link));
            rest = after;
        }
        out += rest;
    }
    out
}

/// Returns the target of a link in a page: a path between two pages of the site, an address on
/// GitHub for another file of the repository, or the address itself.
fn target(link: &str, page: &Path, site_page: &Path, paths: &BTreeMap<PathBuf, PathBuf>) -> String {
    let up = "../".repeat(site_page.components().count() - 1);
    if let Some(generated) = link.strip_prefix(SITE) {
        return format!("{up}{}", generated.replace(".html", ".md"));
    }
    if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
        return link.to_owned();
    }
    let (path, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
    let path = normal(&page.with_file_name("").join(path));
    match paths.get(&path) {
        Some(site_path) => format!("{up}{}{anchor}", site_path.display()),
        None => format!("{GITHUB}/blob/main/{}{anchor}", path.display()),
    }
}

/// Resolves `..` in a path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup;

    #[test]
    fn links_lead_to_pages_or_to_github() {
        let paths = ["docs/run.md", "docs/run/ffi.md", "CHANGELOG.md"]
            .map(|path| (path.into(), path.trim_start_matches("docs/").into()));
        let paths = BTreeMap::from(paths);
        let page = Path::new("docs/run/ffi.md");
        for (link, expected) in [
            ("#top", "#top"),
            ("https://example.org/a.html", "https://example.org/a.html"),
            ("../run.md#canary", "../run.md#canary"),
            ("../../CHANGELOG.md", "../CHANGELOG.md"),
            (
                "../../core/src",
                "https://github.com/leakgate/leakgate/blob/main/core/src",
            ),
            (
                "https://leakgate.github.io/leakgate/docs/reference/kinds.html#overlap",
                "../reference/kinds.md#overlap",
            ),
        ] {
            assert_eq!(
                target(link, page, Path::new("run/ffi.md"), &paths),
                expected
            );
        }
    }

    #[test]
    fn links_in_code_are_unchanged() {
        let text = "[a](b) and [c](d)\n```text\n[a](b)\n```\n";
        assert_eq!(
            with_links(text, |link| link.to_uppercase()),
            "[a](B) and [c](D)\n```text\n[a](b)\n```\n"
        );
    }

    /// Pages for maintainers aren't part of the site.
    #[test]
    fn summary_lists_every_page_for_users() {
        let repository = setup::repository().unwrap();
        let summary = fs::read_to_string(repository.join(DOCS).join(SUMMARY)).unwrap();
        let paths = site_paths(&repository, &summary).unwrap();
        let mut left: Vec<String> = files_below(&repository.join(DOCS))
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(&repository).unwrap().to_owned())
            .filter(|path| path.extension().is_some_and(|end| end == "md"))
            .filter(|path| !paths.contains_key(path))
            .map(|path| path.display().to_string())
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["docs/SUMMARY.md", "docs/decisions.md", "docs/releasing.md"]
        );
    }
}
