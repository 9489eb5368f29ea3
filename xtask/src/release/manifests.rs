//! Files that describe a release to Homebrew and winget, rendered from templates and the manifest
//! of checksums. docs/releasing.md describes how they are submitted.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// The address of a release's files.
const RELEASES: &str = "https://github.com/leakgate/leakgate/releases/download";

/// Homebrew's formula: its path in a tap, and its template.
pub(super) const FORMULA: &[(&str, &str)] =
    &[("Formula/leakgate.rb", include_str!("templates/leakgate.rb"))];

/// winget's manifests: their paths in the repository of winget, and their templates.
pub(super) const WINGET: &[(&str, &str)] = &[
    (
        "manifests/l/leakgate/leakgate/{version}/leakgate.leakgate.yaml",
        include_str!("templates/leakgate.leakgate.yaml"),
    ),
    (
        "manifests/l/leakgate/leakgate/{version}/leakgate.leakgate.installer.yaml",
        include_str!("templates/leakgate.leakgate.installer.yaml"),
    ),
    (
        "manifests/l/leakgate/leakgate/{version}/leakgate.leakgate.locale.en-US.yaml",
        include_str!("templates/leakgate.leakgate.locale.en-US.yaml"),
    ),
];

/// Renders templates of a version into a folder. Nothing is written unless all can be rendered.
pub(super) fn write(
    templates: &[(&str, &str)],
    folder: &Path,
    sums: &str,
    version: &str,
) -> Outcome {
    let mut rendered = Vec::new();
    for (path, template) in templates {
        let path = folder.join(path.replace("{version}", version));
        rendered.push((path, render(template, sums, version)?));
    }
    for (path, text) in rendered {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let temporary = path.with_extension("new");
        fs::write(&temporary, text)?;
        fs::rename(&temporary, &path)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Replaces `{version}`, `{url FILE}` and `{sha256 FILE}` in a template.
fn render(template: &str, sums: &str, version: &str) -> Outcome<String> {
    let template = template.replace("{version}", version);
    let mut out = String::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (placeholder, after) = after.split_once('}').ok_or("missing `}` in a template")?;
        out += before;
        match placeholder.split_once(' ') {
            Some(("url", file)) => out += &format!("{RELEASES}/v{version}/{file}"),
            Some(("sha256", file)) => out += checksum(sums, file)?,
            // `#{bin}` in Ruby.
            _ => out += &format!("{{{placeholder}}}"),
        }
        rest = after;
    }
    Ok(out + rest)
}

/// Returns the checksum of a file in the manifest.
fn checksum<'a>(sums: &'a str, file: &str) -> Outcome<&'a str> {
    let line = sums
        .lines()
        .find_map(|line| line.strip_suffix(file)?.strip_suffix("  "));
    Ok(line.ok_or_else(|| {
        format!(
            "cannot find the checksum of {file}: {} has no line for it",
            super::MANIFEST
        )
    })?)
}
