//! Maps sanitizer names to tools, and selects the module that knows a tool's messages.

use super::super::asan::{self, ErrorLine};
use super::super::{hwasan, msan, tsan};
use super::fuzzer;
use crate::bytes::contains;
use crate::model::{Kind, Tool};

/// Returns the tool for the name before `Sanitizer`.
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

/// Returns true if a `SUMMARY:` of this name ends an error of the tool. The summary of
/// LeakSanitizer's errors names the sanitizer that it runs in.
pub(crate) fn is_summary_of(name: &[u8], of: &Tool) -> bool {
    let leaks = |tool: &Tool| matches!(tool, Tool::Asan | Tool::Lsan);
    tool(name).is_some_and(|named| named == *of || (leaks(&named) && leaks(of)))
}

/// The parsed headline of an error.
pub(crate) struct Headline<'a> {
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) title: &'a str,
    /// The pid, if the headline contains it.
    pub(crate) pid: Option<u64>,
}

/// Parses the text after `LEVEL: NAMESanitizer`. Only old versions of AddressSanitizer omit the
/// colon of their headlines.
pub(crate) fn headline<'a>(
    level: &[u8],
    name: &[u8],
    text: &'a str,
    is_tagged: bool,
) -> Option<Headline<'a>> {
    let tool = tool(name)?;
    let message = text
        .strip_prefix(':')
        .or((tool == Tool::Asan || tool == Tool::Lsan).then_some(text))?
        .trim();
    match (level, &tool) {
        (b"WARNING:", Tool::Tsan) => {
            let (kind, title, pid) = tsan::headline(message)?;
            Some(Headline {
                tool,
                kind,
                title,
                pid,
            })
        }
        (b"WARNING:", Tool::Msan) if msan::is_headline(message, is_tagged) => Some(Headline {
            tool,
            kind: asan::kind(message),
            title: message,
            pid: None,
        }),
        // The beginning of the line may be missing.
        (b"", _) if !is_tagged && is_whole(message) => Some(Headline {
            tool,
            kind: asan::kind(message),
            title: message.trim_end_matches(':'),
            pid: None,
        }),
        // Without a tag it may be prose; a headline contains an address.
        (b"ERROR:", _) if is_tagged || contains(message.as_bytes(), b"0x") => Some(Headline {
            tool,
            kind: asan::kind(message),
            title: message.trim_end_matches(':'),
            pid: None,
        }),
        _ => None,
    }
}

/// Returns true for a headline that is certainly one, even without a level: it contains the address
/// of the access and the instruction, or the thread.
fn is_whole(message: &str) -> bool {
    let has = |part: &str| message.contains(part);
    let has_place = has(" at pc 0x") || has("(pc 0x") || has("; pc 0x");
    let (_, thread) = message.rsplit_once(" in thread T").unwrap_or_default();
    let has_thread = thread
        .trim_end_matches(':')
        .bytes()
        .all(|b| b.is_ascii_digit());
    has("0x") && ((has_place && has(" sp 0x")) || (has_thread && !thread.is_empty()))
}

/// Parses the number of printed errors that a sanitizer states at the end of a process.
pub(crate) fn total(tool: &Tool, message: &[u8]) -> Option<u64> {
    match tool {
        Tool::Tsan => tsan::total(message),
        Tool::Msan => msan::total(message),
        _ => None,
    }
}

/// Returns true for a warning about the sanitizer itself.
pub(crate) fn is_chatter(name: &[u8], message: &[u8]) -> bool {
    tool(name).is_some()
        && message
            .trim_ascii_start()
            .starts_with(b"memory layout is incompatible")
}

/// Recognizes the lines between the stacks of an error. All sanitizers report a fatal signal with
/// the same lines.
pub(crate) fn error_line(tool: &Tool, line: &[u8]) -> Option<ErrorLine> {
    match tool {
        Tool::Tsan => tsan::error_line(line).or_else(|| asan::error_line(line)),
        Tool::Msan => msan::error_line(line).or_else(|| asan::error_line(line)),
        Tool::Hwasan => hwasan::error_line(line).or_else(|| asan::error_line(line)),
        Tool::LibFuzzer => fuzzer::error_line(line),
        _ => asan::error_line(line),
    }
}
