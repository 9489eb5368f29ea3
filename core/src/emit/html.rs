//! One HTML page that holds everything: nothing is loaded, nothing is sent.
//!
//! The verdict, its reasons, the rules and what was read stand in the page as they are; the
//! findings stand in it as data, of which the page's own script makes the table, the stacks and the
//! flame graph. The page allows no script and no style but its own, by their hashes (<https://www.w3.org/TR/CSP3/#framework-directive-source-list>).

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
use super::{Run, Style, Suppress};

const STYLE: &str = include_str!("html/page.css");

/// Modules, in the order in which they need each other: [`joined`] makes one script of them.
const SCRIPTS: &[&str] = &[
    include_str!("html/report.js"),
    include_str!("html/detail.js"),
    include_str!("html/table.js"),
    include_str!("html/flame.js"),
    include_str!("html/view.js"),
    include_str!("html/page.js"),
];

/// More data than that is compressed: a report of thousands of findings is sent around.
const MAX_PLAIN: usize = 256 * 1024;

/// Of 0 to 10: as small as the usual tools make it, and several times as fast as the smallest.
const LEVEL: u8 = 6;

/// Writes the page.
pub(crate) fn write(run: &Run<'_>, style: &Style<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let code = format!(
        "'use strict';\n(async () => {{\n{}}})();\n",
        joined(SCRIPTS)
    );
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&code),
        hash(STYLE)
    );
    let title = xml(&sections::title(run));
    let data = packed(json(run, style.suppress)?);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )?;
    sections::write(run, out)?;
    write!(out, "{data}\n<script>{code}</script>\n</body>\n</html>\n")
}

/// What the page is made of, for a page that shows run after run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panes {
    /// How it ended, as text.
    pub title: String,
    /// What was proved or seen and every reason, as markup in which every text of a log is
    /// escaped.
    pub verdict: String,
    /// What has changed, rules, problems, reports and inputs, as markup of the same kind.
    pub lists: String,
    /// The findings in JSON, as the modules of the page's script take them. It is no contract:
    /// both change together.
    pub data: String,
}

/// Writes the page's parts. `suppress` makes the rule that accepts a finding.
///
/// # Errors
/// None but those of a formatter.
pub fn panes(run: &Run<'_>, suppress: Option<Suppress>) -> Result<Panes, fmt::Error> {
    let (mut verdict, mut lists) = (String::new(), String::new());
    sections::verdict(run, &mut verdict)?;
    sections::lists(run, &mut lists)?;
    Ok(Panes {
        title: sections::title(run),
        verdict,
        lists,
        data: json(run, suppress)?,
    })
}

fn json(run: &Run<'_>, suppress: Option<Suppress>) -> Result<String, fmt::Error> {
    serde_json::to_string(&data::report(run, suppress)).map_err(|_| fmt::Error)
}

/// Modules as one script: what one exports the others see. Each import stands in a line of its own.
fn joined(modules: &[&str]) -> String {
    let lines = modules
        .iter()
        .flat_map(|module| module.lines())
        .filter(|line| !line.starts_with("import "));
    lines.fold(String::new(), |script, line| {
        script + line.strip_prefix("export ").unwrap_or(line) + "\n"
    })
}

/// The data as an element: as JSON, or, where there is much of it, as deflated JSON.
fn packed(json: String) -> String {
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
