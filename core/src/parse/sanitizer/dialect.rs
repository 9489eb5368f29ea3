//! Which sanitizer speaks, and who knows its words.

use super::super::asan::{self, Section};
use super::super::{hwasan, msan, tsan};
use crate::bytes::contains;
use crate::model::{Kind, Tool};

/// The tool of the name before `Sanitizer`.
pub(crate) fn tool(name: &[u8]) -> Option<Tool> {
    Some(match name {
        b"Address" => Tool::Asan,
        b"Leak" => Tool::Lsan,
        b"Thread" => Tool::Tsan,
        b"Memory" => Tool::Msan,
        b"HWAddress" => Tool::Hwasan,
        b"UndefinedBehavior" => Tool::Ubsan,
        _ => return None,
    })
}

/// True where a `SUMMARY:` of this name ends an error of the tool. LeakSanitizer's errors are
/// summed up in the name of the sanitizer that it runs in.
pub(crate) fn sums_up(name: &[u8], of: &Tool) -> bool {
    let leaks = |tool: &Tool| matches!(tool, Tool::Asan | Tool::Lsan);
    tool(name).is_some_and(|named| named == *of || (leaks(&named) && leaks(of)))
}

/// The headline of an error.
pub(crate) struct Headline<'a> {
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) title: &'a str,
    /// The process, where the headline names it.
    pub(crate) pid: Option<u64>,
}

/// Reads what follows `LEVEL: NAMESanitizer`. Only AddressSanitizer wrote its headlines without a
/// colon, long ago.
pub(crate) fn headline<'a>(
    level: &[u8],
    name: &[u8],
    text: &'a str,
    is_tagged: bool,
) -> Option<Headline<'a>> {
    let tool = tool(name)?;
    let said = text
        .strip_prefix(':')
        .or((tool == Tool::Asan || tool == Tool::Lsan).then_some(text))?
        .trim();
    match (level, &tool) {
        (b"WARNING:", Tool::Tsan) => {
            let (kind, title, pid) = tsan::headline(said)?;
            Some(Headline {
                tool,
                kind,
                title,
                pid,
            })
        }
        (b"WARNING:", Tool::Msan) if msan::is_headline(said, is_tagged) => Some(Headline {
            tool,
            kind: asan::kind(said),
            title: said,
            pid: None,
        }),
        // Without a tag it may be prose; a headline holds an address.
        (b"ERROR:", _) if is_tagged || contains(said.as_bytes(), b"0x") => Some(Headline {
            tool,
            kind: asan::kind(said),
            title: said.trim_end_matches(':'),
            pid: None,
        }),
        _ => None,
    }
}

/// How many errors a sanitizer says at the end of a process that it printed.
pub(crate) fn total(tool: &Tool, said: &[u8]) -> Option<u64> {
    match tool {
        Tool::Tsan => tsan::total(said),
        Tool::Msan => msan::total(said),
        _ => None,
    }
}

/// True for a warning about the sanitizer's own affairs.
pub(crate) fn is_chatter(name: &[u8], said: &[u8]) -> bool {
    tool(name).is_some()
        && said
            .trim_ascii_start()
            .starts_with(b"memory layout is incompatible")
}

/// Recognises the lines between the stacks of an error. A fatal signal is told in the same words by
/// all.
pub(crate) fn section(tool: &Tool, line: &[u8]) -> Option<Section> {
    match tool {
        Tool::Tsan => tsan::section(line).or_else(|| asan::section(line)),
        Tool::Msan => msan::section(line).or_else(|| asan::section(line)),
        Tool::Hwasan => hwasan::section(line).or_else(|| asan::section(line)),
        _ => asan::section(line),
    }
}
