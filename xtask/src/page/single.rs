//! The page as one file: scripts, styles and the module stand in it, and by its policy it may load nothing at all.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use crate::{Outcome, sizes, wasm};

/// What only a served page offers.
const TAKE_AWAY: &str = " Take the page away <a href=\"leakgate.html\" download>as one file</a>, for a place without network.";

/// Joins the page's files.
pub(super) fn join(sh: &Shell, page: &Path) -> Outcome<String> {
    let read = |name: &str| fs::read_to_string(page.join(name));
    let (script, worker) = (bundle(sh, page, "page.js", "esm")?, bundle(sh, page, "worker.js", "iife")?);
    let style = format!("\n{}{}", read("report/page.css")?, read("style.css")?);
    let module = STANDARD.encode(sizes::gzipped(&fs::read(page.join("leakgate_bg.wasm"))?)?);
    let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(read("icon.svg")?));
    let policy = format!(
        "default-src 'none'; script-src '{}' 'wasm-unsafe-eval'; style-src '{}'; img-src data:; worker-src blob:; base-uri 'none'; \
         form-action 'none'",
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
    put(&mut html, "<link rel=\"stylesheet\" href=\"report/page.css\">\n", "")?;
    put(&mut html, "<link rel=\"stylesheet\" href=\"style.css\">", &format!("<style>{style}</style>"))?;
    put(&mut html, "icon.svg", &icon)?;
    put(&mut html, TAKE_AWAY, "")?;
    put(&mut html, "<script type=\"module\" src=\"page.js\"></script>", &data)?;
    Ok(html)
}

/// A script with all that it imports. A worker made of text, in a page from disk, may be no module.
fn bundle(sh: &Shell, page: &Path, name: &str, format: &str) -> Outcome<String> {
    let _folder = sh.push_dir(wasm::TOOLS);
    let script = page.join(name);
    let text = cmd!(sh, "npx esbuild {script} --bundle --minify --format={format} --target=es2022 --log-level=error").read()?;
    // Neither may end the element that it stands in.
    Ok(text.replace("</script", "<\\/script").replace("<!--", "<\\!--"))
}

/// Puts a text in the place of one that stands there once.
fn put(html: &mut String, old: &str, new: &str) -> Outcome {
    if html.matches(old).count() != 1 {
        return Err(format!("wasm/www/index.html must hold `{old}` once").into());
    }
    *html = html.replacen(old, new, 1);
    Ok(())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Outcome<&'a str> {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.map(|(inner, _)| inner).ok_or_else(|| format!("wasm/www/index.html must hold `{before}`").into())
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
