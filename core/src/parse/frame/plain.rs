//! Frames of the checkers without tags. Each grammar is a function that reads what stands behind
//! the frame's number and address.

use super::{set_function, set_place};
use crate::bytes::{hex, lossy};
use crate::model::{Site, Text};

/// Splits a line of `backtrace_symbols`, `MODULE(FUNCTION+0xOFFSET) [0xADDRESS]`, into its address
/// and the rest.
///
/// Source: glibc `debug/backtracesyms.c`.
pub(crate) fn symbols(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_suffix(b"]")?;
    let at = rest.iter().rposition(|b| *b == b'[')?;
    let (address, end) = hex(rest[at + 1..].strip_prefix(b"0x")?)?;
    let site = rest[..at].trim_ascii_end();
    end.is_empty().then_some((address, site))
}

/// `MODULE(FUNCTION+0xOFFSET)`, `MODULE(+0xOFFSET)`, `MODULE(FUNCTION)`, `MODULE`.
pub(crate) fn symbols_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let body = text.trim();
    let Some((module, inside)) = body
        .strip_suffix(')')
        .and_then(|body| body.rsplit_once('('))
    else {
        site.module = named(body);
        return site;
    };
    let (function, offset) = inside.rsplit_once("+0x").unwrap_or((inside, ""));
    site.module = named(module);
    if function.is_empty() {
        // Behind a name it is the offset from the name, which means nothing to a symbolizer.
        site.offset = u64::from_str_radix(offset, 16).ok();
    }
    set_function(&mut site, function);
    site
}

/// A function alone, and perhaps the place behind it in brackets or parentheses.
pub(crate) fn function_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    set_function(&mut site, text.trim());
    site
}

/// `FUNCTION at FILE:LINE:COLUMN`
pub(crate) fn at_place_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let (function, place) = text.rsplit_once(" at ").unwrap_or((&text, ""));
    set_function(&mut site, function);
    set_place(&mut site, place);
    site
}

fn start(raw: &[u8]) -> (alloc::borrow::Cow<'_, str>, Site) {
    (
        lossy(raw),
        Site {
            raw: raw.into(),
            ..Site::default()
        },
    )
}

fn named(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

/// The kernel's `FUNCTION+0xOFFSET/0xSIZE [MODULE] FILE:LINE`: the place only where the log was
/// symbolised.
pub(crate) fn kernel_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    set_function(
        &mut site,
        name.split_once("+0x").map_or(name, |(name, _)| name),
    );
    for word in words {
        if let Some(inside) = word
            .strip_prefix('[')
            .map(|word| word.trim_end_matches(']'))
        {
            if inside != "inline" && site.file.is_none() {
                site.module = named(inside);
            }
        } else if word.contains(':') {
            set_place(&mut site, word);
        }
    }
    site
}

/// Dr. Memory's `FUNCTION   [FILE:LINE]`, with `MODULE!` before the function in some
/// configurations.
pub(crate) fn bracket_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let text = text.trim();
    let (name, place) = match text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once(" ["))
    {
        Some((name, place)) => (name.trim_end(), place),
        None => (text, ""),
    };
    set_place(&mut site, place);
    set_in_module(&mut site, name);
    site
}

/// Application Verifier's `MODULE!FUNCTION+0xOFFSET (FILE @ LINE)`.
pub(crate) fn verifier_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let text = text.trim();
    let (name, place) = match text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
    {
        Some((name, place)) => (name.trim_end(), place),
        None => (text, ""),
    };
    if let Some((file, line)) = place.rsplit_once(" @ ") {
        site.file = named(file.trim());
        site.line = line.trim().parse().ok();
    }
    set_in_module(
        &mut site,
        name.split_once("+0x").map_or(name, |(name, _)| name),
    );
    site
}

/// macOS's `IMAGE  0xADDRESS FUNCTION + OFFSET  FILE:LINE`, or `0xBASE + OFFSET` where the image
/// has no names.
pub(crate) fn image_site(raw: &[u8]) -> Site {
    let (text, mut site) = start(raw);
    let Some((image, rest)) = text.split_once(" 0x") else {
        return site;
    };
    site.module = named(image.trim());
    let said = rest.split_once(' ').map_or("", |(_, said)| said.trim());
    let (name, behind) = said.rsplit_once(" + ").unwrap_or((said, ""));
    let (offset, place) = behind.split_once(' ').unwrap_or((behind, ""));
    if name.starts_with("0x") {
        site.offset = offset.parse().ok();
    } else {
        set_function(&mut site, name);
    }
    let place = place.trim();
    if !place.starts_with("<compiler-generated>") {
        set_place(&mut site, place);
    }
    site
}

/// `MODULE!FUNCTION` or `FUNCTION`.
fn set_in_module(site: &mut Site, name: &str) {
    match name
        .split_once('!')
        .filter(|(module, _)| !module.contains([' ', '(', '<']))
    {
        Some((module, function)) => {
            site.module = named(module);
            set_function(site, function);
        }
        None => set_function(site, name),
    }
}
