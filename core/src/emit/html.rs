//! The HTML report: a single self-contained page that loads nothing and sends nothing.
//!
//! The verdict, its reasons, the rules, reports and inputs are static markup. The findings are
//! embedded as data, from which the page's script builds the table, the stacks and the flame graph.
//! The page's Content-Security-Policy allows only its own script and style, by their hashes
//! (<https://www.w3.org/TR/CSP3/#framework-directive-source-list>).

mod data;
mod sections;

use alloc::format;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use sha2::{Digest, Sha256};

use super::escape::{script, xml};
use super::{RenderOptions, Run};

const STYLE: &str = include_str!("html/page.css");

/// The modules of the page's script, each after the ones it imports. See [`join`].
const SCRIPTS: &[&str] = &[
    include_str!("html/report.js"),
    include_str!("html/detail.js"),
    include_str!("html/table.js"),
    include_str!("html/flame.js"),
    include_str!("html/view.js"),
    include_str!("html/page.js"),
];

/// Maximum size of uncompressed data, in bytes. Larger data is compressed, because reports of
/// thousands of findings are uploaded and shared.
const MAX_PLAIN: usize = 256 * 1024;

/// Compression level, from 0 to 10. For thousands of findings, level 6 takes twice the time and
/// makes the report 7 % smaller.
const LEVEL: u8 = 3;

/// Writes the HTML report.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let code = format!("'use strict';\n(async () => {{\n{}}})();\n", join(SCRIPTS));
    let style = with_unix_lines(STYLE);
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        hash(&code),
        hash(&style)
    );
    let title = xml(&sections::title(run));
    let data = data_element(json(run, options)?);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    )?;
    sections::write(run, out)?;
    write!(out, "{data}\n<script>{code}</script>\n</body>\n</html>\n")
}

/// The parts of the HTML report, for a page that shows several runs in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panes {
    /// Title with the outcome, as plain text.
    pub title: String,
    /// Evidence, reasons and warnings, as markup. Log text is escaped.
    pub verdict: String,
    /// Lists of changes, rules, problems, reports and inputs, as markup. Log text is escaped.
    pub lists: String,
    /// Findings as JSON for the modules of the page's script. The format is internal and changes
    /// with them.
    pub data: String,
}

/// Returns the parts of the HTML report.
///
/// # Errors
/// Returns an error only if formatting fails.
pub fn panes(run: &Run<'_>, options: &RenderOptions<'_>) -> Result<Panes, fmt::Error> {
    let mut verdict = String::new();
    sections::verdict(run, &mut verdict)?;
    let mut lists = String::new();
    sections::lists(run, &mut lists)?;
    Ok(Panes {
        title: sections::title(run),
        verdict,
        lists,
        data: json(run, options)?,
    })
}

fn json(run: &Run<'_>, options: &RenderOptions<'_>) -> Result<String, fmt::Error> {
    serde_json::to_string(&data::report(run, options)).map_err(|_| fmt::Error)
}

/// Joins modules into one script, in which exports are visible everywhere. Each import must be on a
/// single line.
fn join(modules: &[&str]) -> String {
    let lines = modules
        .iter()
        .flat_map(|module| module.lines())
        .filter(|line| !line.starts_with("import "));
    lines.fold(String::new(), |script, line| {
        script + line.strip_prefix("export ").unwrap_or(line) + "\n"
    })
}

/// Replaces the line ends of Windows, which the checkout of a build may have. Browsers do so before
/// they hash an element, and the page would lose its style.
fn with_unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Returns the script element with the data: JSON, deflated if it's larger than [`MAX_PLAIN`].
fn data_element(json: String) -> String {
    if json.len() <= MAX_PLAIN {
        return format!(
            "<script type=\"application/json\" id=\"data\">{}</script>",
            script(json)
        );
    }
    let deflated = STANDARD.encode(compress_to_vec(json.as_bytes(), LEVEL));
    format!("<script type=\"application/octet-stream\" id=\"data\">{deflated}</script>")
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_do_not_depend_on_the_line_ends_of_the_checkout() {
        let windows = |text: &str| with_unix_lines(text).replace('\n', "\r\n");
        let style = with_unix_lines(&windows(STYLE));
        assert!(!style.contains('\r') && style.contains('\n'));
        assert_eq!(hash(&style), hash(&with_unix_lines(STYLE)));
        let scripts: alloc::vec::Vec<String> =
            SCRIPTS.iter().map(|script| windows(script)).collect();
        let scripts: alloc::vec::Vec<&str> = scripts.iter().map(String::as_str).collect();
        assert_eq!(hash(&join(&scripts)), hash(&join(SCRIPTS)));
    }
}
