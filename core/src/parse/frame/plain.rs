//! Frames of the checkers without tags. Each function parses one syntax, after the frame's number
//! and address were split off.

use super::{last_group, set_function, set_location};
use crate::bytes::{hex, lossy};
use crate::model::{FrameInfo, Text};

/// Splits a line of `backtrace_symbols`, `MODULE(FUNCTION+0xOFFSET) [0xADDRESS]`, into its address
/// and the rest.
///
/// Source: glibc `debug/backtracesyms.c`.
pub(crate) fn split_backtrace_symbols(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_suffix(b"]")?;
    let at = rest.iter().rposition(|b| *b == b'[')?;
    let (address, end) = hex(rest[at + 1..].strip_prefix(b"0x")?)?;
    let site = rest[..at].trim_ascii_end();
    end.is_empty().then_some((address, site))
}

/// Parses `MODULE(FUNCTION+0xOFFSET)`, `MODULE(+0xOFFSET)`, `MODULE(FUNCTION)`, `MODULE`.
pub(crate) fn parse_backtrace_symbols(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let body = text.trim();
    let Some((module, inside)) = body
        .strip_suffix(')')
        .and_then(|body| body.rsplit_once('('))
    else {
        info.module = non_empty(body);
        return info;
    };
    let (function, offset) = inside.rsplit_once("+0x").unwrap_or((inside, ""));
    info.module = non_empty(module);
    if function.is_empty() {
        // After a function it is the offset from the function, which a symbolizer can't use.
        info.offset = u64::from_str_radix(offset, 16).ok();
    }
    set_function(&mut info, function);
    info
}

/// Parses a function without a location.
pub(crate) fn parse_function(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    set_function(&mut info, text.trim());
    info
}

/// Parses `FUNCTION at FILE:LINE:COLUMN`.
pub(crate) fn parse_at_location(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let (function, location) = text.rsplit_once(" at ").unwrap_or((&text, ""));
    set_function(&mut info, function);
    set_location(&mut info, location);
    info
}

/// Decodes the text of a frame.
fn decode(raw: &[u8]) -> (alloc::borrow::Cow<'_, str>, FrameInfo) {
    (
        lossy(raw),
        FrameInfo {
            raw: raw.into(),
            ..FrameInfo::default()
        },
    )
}

/// Returns the text, or `None` if it is empty.
fn non_empty(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

/// Parses the Linux kernel's `FUNCTION+0xOFFSET/0xSIZE [MODULE] FILE:LINE`, or after
/// `decode_stacktrace.sh` `FUNCTION (FILE:LINE) MODULE`. Only symbolized logs contain the location.
pub(crate) fn parse_kernel(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let (head, places, tail) = split_places(&text);
    let mut parts = head.split_whitespace().chain(tail.split_whitespace());
    let name = parts.next().unwrap_or_default();
    if !name.starts_with("0x") {
        set_function(
            &mut info,
            name.split_once("+0x").map_or(name, |(name, _)| name),
        );
    }
    // Inlined functions come first, so the last place is in the function itself.
    let place = places.split_whitespace().rfind(|part| part.contains(':'));
    if let Some(place) = place {
        set_location(&mut info, place.trim_end_matches(":?"));
    }
    for part in parts {
        if let Some(inside) = part
            .strip_prefix('[')
            .map(|part| part.trim_end_matches(']'))
        {
            if inside != "inline" && (info.file.is_none() || place.is_some()) {
                info.module = non_empty(inside);
            }
        } else if place.is_some() {
            info.module = non_empty(part);
        } else if part.contains(':') {
            set_location(&mut info, part);
        }
    }
    info
}

/// Splits `FUNCTION (FILE:LINE (discriminator 1) FILE:LINE) MODULE` into the text before, within
/// and after the parentheses.
fn split_places(text: &str) -> (&str, &str, &str) {
    let groups = text
        .split_once(" (")
        .zip(text.rsplit_once(')'))
        .filter(|((head, _), (inside, _))| inside.len() > head.len() + 2);
    match groups {
        Some(((head, _), (inside, tail))) if inside[head.len()..].contains(':') => {
            (head, &inside[head.len() + 2..], tail)
        }
        _ => (text, "", ""),
    }
}

/// Parses Dr. Memory's `FUNCTION   [FILE:LINE]`, with `MODULE!` before the function in some
/// configurations.
pub(crate) fn parse_bracketed(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let text = text.trim();
    let (name, location) = match text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once(" ["))
    {
        Some((name, location)) => (name.trim_end(), location),
        None => (text, ""),
    };
    set_location(&mut info, location);
    set_in_module(&mut info, name);
    info
}

/// Parses Application Verifier's `MODULE!FUNCTION+0xOFFSET (FILE @ LINE)`.
pub(crate) fn parse_app_verifier(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let text = text.trim();
    let (name, location) = match text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
    {
        Some((name, location)) => (name.trim_end(), location),
        None => (text, ""),
    };
    if let Some((file, line)) = location.rsplit_once(" @ ") {
        info.file = non_empty(file.trim());
        info.line = line.trim().parse().ok();
    }
    set_in_module(
        &mut info,
        name.split_once("+0x").map_or(name, |(name, _)| name),
    );
    info
}

/// Parses macOS's `IMAGE  0xADDRESS FUNCTION + OFFSET  FILE:LINE`, or `0xBASE + OFFSET` if the
/// image has no symbols.
pub(crate) fn parse_image(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let Some((image, rest)) = text.split_once(" 0x") else {
        return info;
    };
    info.module = non_empty(image.trim());
    let symbol = rest.split_once(' ').map_or("", |(_, symbol)| symbol.trim());
    let (name, tail) = symbol.rsplit_once(" + ").unwrap_or((symbol, ""));
    let (offset, location) = tail.split_once(' ').unwrap_or((tail, ""));
    if name.starts_with("0x") {
        info.offset = offset.parse().ok();
    } else {
        set_function(&mut info, name);
    }
    let location = location.trim();
    if !location.starts_with("<compiler-generated>") {
        set_location(&mut info, location);
    }
    info
}

/// Parses Android's `OFFSET  MODULE (FUNCTION+28) (BuildId: ab12)`.
pub(crate) fn parse_tombstone(raw: &[u8]) -> FrameInfo {
    let (text, mut info) = decode(raw);
    let (offset, rest) = text.trim().split_once(' ').unwrap_or((&text, ""));
    info.offset = u64::from_str_radix(offset, 16).ok();
    let mut rest = rest.trim();
    if let Some((before, inside)) = last_group(rest)
        && let Some(id) = inside.strip_prefix("BuildId: ")
    {
        info.build_id = non_empty(id);
        rest = before;
    }
    if let Some((before, inside)) = last_group(rest) {
        let function = inside
            .rsplit_once('+')
            .filter(|(_, digits)| digits.bytes().all(|b| b.is_ascii_digit()))
            .map_or(inside, |(function, _)| function);
        set_function(&mut info, function);
        rest = before;
    }
    // A library within a package follows the position of the package in the file.
    if let Some((before, _)) = rest.split_once(" (offset 0x") {
        rest = before;
    }
    info.module = non_empty(rest.trim()).filter(|module| !module.starts_with('<'));
    info
}

/// Sets the function, and the module, from `MODULE!FUNCTION` or `FUNCTION`.
fn set_in_module(info: &mut FrameInfo, name: &str) {
    match name
        .split_once('!')
        .filter(|(module, _)| !module.contains([' ', '(', '<']))
    {
        Some((module, function)) => {
            info.module = non_empty(module);
            set_function(info, function);
        }
        None => set_function(info, name),
    }
}
