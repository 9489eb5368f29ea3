//! Frames of the checkers without tags. Each grammar is a function that reads what stands behind the frame's number and address.

use super::{set_function, take_position};
use crate::bytes::{hex, lossy};
use crate::model::{Site, Text};

/// Splits a line of `backtrace_symbols`, `MODULE(FUNCTION+0xOFFSET) [0xADDRESS]`, into its address and the rest.
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
    let body = symbols(raw).map_or(&*text, |(_, body)| text.get(..body.len()).unwrap_or_default()).trim();
    let Some((module, inside)) = body.strip_suffix(')').and_then(|body| body.rsplit_once('(')) else {
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

fn start(raw: &[u8]) -> (alloc::borrow::Cow<'_, str>, Site) {
    (lossy(raw), Site { raw: raw.into(), ..Site::default() })
}

fn named(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

/// Sets file, line and column.
fn set_place(site: &mut Site, place: &str) {
    let (file, line, column) = take_position(place);
    site.file = named(file);
    site.line = line.filter(|n| *n > 0);
    site.column = column.filter(|n| *n > 0);
}
