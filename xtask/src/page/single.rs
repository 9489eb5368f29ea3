//! The page as one file. It contains the scripts, the styles and the module, and its content
//! security policy forbids it to load anything.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use xshell::Shell;

use super::bundle;
use crate::{Outcome, sizes};

/// A part that only the served page has.
const TAKE_AWAY: &str =
    " <a href=\"leakgate.html\" download>Download this page as a single file</a> for offline use.";

/// Joins the parts of the page.
pub(super) fn join(sh: &Shell, parts: &Path) -> Outcome<String> {
    let read = |name: &str| fs::read_to_string(parts.join(name));
    let worker = script(sh, parts, "worker.js", "iife")?;
    let script = script(sh, parts, "page.js", "esm")?;
    let style =
        bundle(sh, parts, "report/page.css", "esm")? + &bundle(sh, parts, "style.css", "esm")?;
    let module = STANDARD.encode(sizes::gzipped(&fs::read(parts.join("leakgate_bg.wasm"))?)?);
    let icon = format!(
        "data:image/svg+xml;base64,{}",
        STANDARD.encode(read("icon.svg")?)
    );
    let policy = format!(
        "default-src 'none'; script-src '{}' 'wasm-unsafe-eval'; style-src '{}'; img-src data:; worker-src blob:; base-uri 'none'; \
         form-action 'none'; webrtc 'block'",
        hash(&script),
        hash(&style)
    );
    let data = format!(
        "<script type=\"text/plain\" id=\"worker\">{worker}</script>\n\
         <script type=\"application/octet-stream\" id=\"module\">{module}</script>\n<script type=\"module\">{script}</script>"
    );
    let mut html = read("index.html")?;
    let served = between(&html, "Content-Security-Policy\" content=\"", "\"")?.to_owned();
    put(&mut html, &served, &policy)?;
    put(
        &mut html,
        "<link rel=\"stylesheet\" href=\"report/page.css\">\n",
        "",
    )?;
    put(
        &mut html,
        "<link rel=\"stylesheet\" href=\"style.css\">",
        &format!("<style>{style}</style>"),
    )?;
    put(&mut html, "icon.svg", &icon)?;
    put(&mut html, TAKE_AWAY, "")?;
    put(
        &mut html,
        "<script type=\"module\" src=\"page.js\"></script>",
        &data,
    )?;
    Ok(html)
}

/// Bundles a script for a `<script>` element, which nothing in the script may close. In a page
/// opened from disk, a worker can't be created from a module, so it gets another format.
fn script(sh: &Shell, parts: &Path, name: &str, format: &str) -> Outcome<String> {
    Ok(bundle(sh, parts, name, format)?
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--"))
}

/// Replaces a text that occurs exactly once.
fn put(html: &mut String, old: &str, new: &str) -> Outcome {
    if html.matches(old).count() != 1 {
        return Err(format!("wasm/www/index.html must contain `{old}` exactly once").into());
    }
    *html = html.replacen(old, new, 1);
    Ok(())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Outcome<&'a str> {
    let found = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split_once(after));
    found
        .map(|(inner, _)| inner)
        .ok_or_else(|| format!("wasm/www/index.html must contain `{before}`").into())
}

fn hash(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}
