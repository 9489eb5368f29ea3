//! `<error>` and `<fatal_signal>` of valgrind's XML.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use memchr::memmem;

use super::super::collect::Collector;
use super::super::finding_builder::FindingBuilder;
use super::super::threads::Threads;
use super::super::{drd, helgrind, memcheck, valgrind};
use super::element::{XmlPart, lines, texts, unescape};
use crate::model::{Frame, FrameInfo, GeneratedSuppression, Kind, Leak, Role, Stack, Text, Tool};
use crate::problem::Code;
use crate::symbol;

/// The parts of an error between its stacks.
#[derive(Debug, Default)]
struct ErrorText {
    kind: Option<Kind>,
    title: String,
    bytes: Option<u64>,
    blocks: Option<u64>,
    /// Role and label of the stack that comes next.
    next: Option<(Role, String)>,
    notes: Vec<String>,
}

/// Reads an `<error>` that occupies these lines into a report.
///
/// If `leak_check_done` is set and the error is a leak, the leak belongs to the next leak check.
///
/// # Errors
///
/// Returns a message if the XML is malformed. The parts before that place are kept.
pub(crate) fn read(
    xml: &str,
    report: usize,
    line_range: RangeInclusive<u64>,
    leak_check_done: &mut bool,
    threads: &Threads,
    out: &mut Collector,
) -> Result<(), String> {
    let (body, suppression) = find(xml, "<suppression>").map_or((xml, ""), |at| xml.split_at(at));
    let tool = out.reports[report].report.tool.clone();
    let mut text_parts = ErrorText::default();
    let mut draft = FindingBuilder::new(tool.clone(), Kind::UNKNOWN, "", *line_range.start());
    draft.last_line = *line_range.end();
    let result = parts(body, &tool, &mut text_parts, &mut draft, out);
    let kind = text_parts.kind.unwrap_or(Kind::UNKNOWN);
    let loss_record = memcheck::loss_record(text_parts.title.as_bytes());
    if kind.is_leak() {
        let leak = loss_record.map(|(_, leak)| leak);
        let plain = |bytes| Leak::direct(bytes, text_parts.blocks.unwrap_or(0));
        draft.leak = leak.or_else(|| text_parts.bytes.map(plain));
    }
    // 3.24 lists file descriptors that the process inherited from its parent without a stack.
    let has_no_stack = draft.stacks.is_empty() && find(xml, "<frame>").is_none();
    let kind = if kind == Kind::FD_LEAK && has_no_stack {
        Kind::FD_INHERITED
    } else {
        kind
    };
    if (kind.is_leak() || kind == Kind::FD_LEAK)
        && let Some(first) = draft.stacks.first_mut()
    {
        first.role = Role::Allocation;
    }
    draft.title = memcheck::without_record_number(&text_parts.title)
        .trim_end_matches(':')
        .into();
    draft.kind = kind;
    draft.generated = generated(suppression);
    threads.add_to(&mut draft);
    draft.notes = text_parts.notes.iter().map(|n| n.as_str().into()).collect();
    if draft.leak.is_some() && core::mem::take(leak_check_done) {
        out.reports[report].leak_checks += 1;
    }
    out.add_record(report, draft, false);
    result
}

/// Parses a `<suppression>`, in which every line is an element. `<rawtext>` repeats them.
fn generated(xml: &str) -> Option<GeneratedSuppression> {
    let elements = xml.find("<rawtext>").map_or(xml, |at| &xml[..at]);
    let mut lines: Vec<Text> = Vec::new();
    texts(elements, |name, part| match (name, part) {
        ("sname" | "skind" | "skaux", XmlPart::Text(text)) => {
            lines.push(unescape(text.trim()).as_ref().into())
        }
        ("fun" | "obj", XmlPart::Text(text)) => {
            lines.push(format!("{name}:{}", unescape(text.trim())).into())
        }
        _ => {}
    })
    .ok()?;
    super::super::generated::parse(&lines)
}

/// Reads a `<fatal_signal>`. A signal that was sent by another process becomes a problem instead of
/// a finding.
pub(crate) fn read_fatal_signal(
    xml: &str,
    report: usize,
    line_range: RangeInclusive<u64>,
    out: &mut Collector,
) {
    let tool = out.reports[report].report.tool.clone();
    let mut name = String::new();
    let mut event = String::new();
    let _ = texts(xml, |element, part| match (element, part) {
        ("signame", XmlPart::Text(text)) => name = text.trim().to_string(),
        ("event", XmlPart::Text(text)) => event = unescape(text.trim()).into_owned(),
        _ => {}
    });
    if !valgrind::is_crash(&name) {
        let pid = out.reports[report].report.pid;
        return out.add_problem(
            Code::EndedBySignal,
            *line_range.start(),
            pid,
            format!("the process was terminated by signal {name}"),
        );
    }
    let mut draft = FindingBuilder::new(
        tool.clone(),
        Kind::FATAL_SIGNAL,
        &format!("Process terminating with signal {name}"),
        *line_range.start(),
    );
    draft.last_line = *line_range.end();
    draft.add_note(event.as_bytes());
    let _ = parts(xml, &tool, &mut ErrorText::default(), &mut draft, out);
    out.add_record(report, draft, false);
}

/// Reads a `<stack>` outside of errors. With it, 3.19 to 3.23 list an open file descriptor; they
/// print the descriptor itself to another log.
pub(crate) fn read_descriptor(
    xml: &str,
    report: usize,
    line_range: RangeInclusive<u64>,
    out: &mut Collector,
) {
    let tool = out.reports[report].report.tool.clone();
    let title = "Open file descriptor";
    let mut draft = FindingBuilder::new(tool.clone(), Kind::FD_LEAK, title, *line_range.start());
    draft.last_line = *line_range.end();
    let _ = parts(xml, &tool, &mut ErrorText::default(), &mut draft, out);
    if let Some(first) = draft.stacks.first_mut() {
        first.role = Role::Allocation;
    }
    out.add_record(report, draft, false);
}

/// Reads an `<announcethread>`, which contains the stack that created a thread.
pub(crate) fn announce(xml: &str, threads: &mut Threads, out: &mut Collector) {
    let mut thread = None;
    let _ = texts(xml, |name, part| {
        if let ("hthreadid", XmlPart::Text(text)) = (name, part) {
            thread = text.trim().parse().ok();
        }
    });
    let mut draft = FindingBuilder::new(Tool::Helgrind, Kind::UNKNOWN, "", 0);
    let _ = parts(
        xml,
        &Tool::Helgrind,
        &mut ErrorText::default(),
        &mut draft,
        out,
    );
    if let (Some(thread), Some(stack)) = (thread, draft.stacks.into_iter().next()) {
        threads.insert(thread, stack);
    }
}

/// Reads the stacks of an error and the parts between them.
fn parts(
    xml: &str,
    tool: &Tool,
    text_parts: &mut ErrorText,
    draft: &mut FindingBuilder,
    out: &mut Collector,
) -> Result<(), String> {
    let mut rest = xml;
    let mut result = Ok(());
    while let Some(at) = find(rest, "<stack>") {
        result = result.and(text_parts.read(&rest[..at], tool));
        let after = &rest[at + "<stack>".len()..];
        let end = find(after, "</stack>").unwrap_or(after.len());
        stack(&after[..end], text_parts.next.take(), draft, out);
        rest = after[end..].strip_prefix("</stack>").unwrap_or_default();
    }
    result.and(text_parts.read(rest, tool))
}

impl ErrorText {
    fn read(&mut self, xml: &str, tool: &Tool) -> Result<(), String> {
        texts(xml, |name, part| match part {
            XmlPart::Open => {
                if matches!(
                    name,
                    "other_segment_start" | "other_segment_end" | "confl_wait_call"
                ) {
                    self.next = Some((Role::Conflict, name.replace('_', " ")));
                } else if name == "allocation_context" {
                    self.next = Some((Role::Allocation, name.replace('_', " ")));
                } else if matches!(name, "first_observed_at" | "acquired_at") {
                    self.next = Some((Role::Lock, name.replace('_', " ")));
                }
            }
            XmlPart::Text(text) => self.text(name, unescape(text.trim()).as_ref(), tool),
        })
    }

    fn text(&mut self, name: &str, text: &str, tool: &Tool) {
        match name {
            "kind" => self.kind = Some(kind(text)),
            "leakedbytes" => self.bytes = text.parse().ok(),
            "leakedblocks" => self.blocks = text.parse().ok(),
            "what" | "text" if self.title.is_empty() => self.title = text.to_string(),
            "what" | "text" | "auxwhat" | "allocation_context" => {
                let role = match tool {
                    Tool::Helgrind => helgrind::stack_role(text.as_bytes()),
                    Tool::Drd => drd::stack_role(text.as_bytes()),
                    _ => None,
                };
                let role = role
                    .or_else(|| memcheck::stack_role(text.as_bytes()))
                    .unwrap_or(Role::Other);
                if name != "what" || role != Role::Other {
                    self.next = Some((role, text.to_string()));
                }
                self.notes.push(text.to_string());
            }
            _ => {}
        }
    }
}

/// Finds a tag.
fn find(xml: &str, tag: &str) -> Option<usize> {
    memmem::find(xml.as_bytes(), tag.as_bytes())
}

/// Converts the text of `<kind>`.
fn kind(name: &str) -> Kind {
    match name {
        "Leak_DefinitelyLost" => Kind::LEAK_DEFINITE,
        "Leak_IndirectlyLost" => Kind::LEAK_INDIRECT,
        "Leak_PossiblyLost" => Kind::LEAK_POSSIBLE,
        "Leak_StillReachable" => Kind::LEAK_REACHABLE,
        "FdNotClosed" => Kind::FD_LEAK,
        "PthAPIerror" => Kind::from_static("pth-api-error"),
        _ => Kind::from_name(name),
    }
}

/// Reads the frames between `<stack>` and `</stack>` into a new stack of the draft.
fn stack(xml: &str, next: Option<(Role, String)>, draft: &mut FindingBuilder, out: &mut Collector) {
    let is_unlabelled = next.is_none();
    let (role, label) = next.map_or((Role::Access, None), |(role, label)| {
        (role, Some(label.as_str().into()))
    });
    let mut frames = Vec::new();
    let mut rest = xml;
    let end_of_frame = memmem::Finder::new("</frame>");
    while let Some(at) = crate::bytes::find(rest.as_bytes(), b"<frame>") {
        let after = &rest[at + "<frame>".len()..];
        let end = end_of_frame.find(after.as_bytes()).unwrap_or(after.len());
        if frames.len() < out.options.max_frames {
            frames.push(frame(after[..end].trim_ascii(), frames.len(), out));
        }
        rest = &after[end..];
    }
    if draft.stacks.len() >= out.options.max_stacks {
        return;
    }
    let stack = Stack {
        role,
        label,
        frames,
    };
    // valgrind 3.24 prints an error's own stack last; it is still the primary one.
    let is_own_stack = is_unlabelled && draft.stacks.first().is_some_and(|s| s.label.is_some());
    let position = if is_own_stack { 0 } else { draft.stacks.len() };
    draft.stacks.insert(position, stack);
}

/// Reads a frame. The elements after `<ip>0x…</ip>` are the same for every occurrence of a place in
/// the code, so they are parsed only once.
fn frame(xml: &str, index: usize, out: &mut Collector) -> Frame {
    let ip = xml
        .strip_prefix("<ip>")
        .and_then(|rest| Some(rest.split_at(crate::bytes::find(rest.as_bytes(), b"</ip>")?)));
    let (address, site) = ip.map_or((None, xml), |(digits, rest)| {
        let digits = digits.trim_ascii();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        (
            u64::from_str_radix(digits, 16).ok(),
            rest["</ip>".len()..].trim_ascii_start(),
        )
    });
    let raw = if site.is_empty() { xml } else { site };
    let site = out.xml_frame_info(raw.as_bytes(), || parse_frame_info(raw));
    Frame {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        address,
        inlined: false,
        info: site,
    }
}

fn parse_frame_info(xml: &str) -> FrameInfo {
    let mut parts = FrameParts::default();
    if !lines(xml, true, &mut |name, part| parts.take(name, part)) {
        parts = FrameParts::default();
        let _ = texts(xml, |name, part| parts.take(name, part));
    }
    let mut site = FrameInfo {
        raw: xml.as_bytes().into(),
        line: parts.line,
        ..FrameInfo::default()
    };
    site.module = parts.object.map(|o| unescape(o).as_ref().into());
    if let Some(function) = parts.function.filter(|f| *f != "???") {
        let function = unescape(function);
        site.demangled = symbol::demangle(&function).map(Into::into);
        site.function = Some(function.as_ref().into());
    }
    site.file = parts.file.map(|file| match parts.folder {
        Some(folder) if !file.starts_with('/') => {
            unescape(&format!("{folder}/{file}")).as_ref().into()
        }
        _ => unescape(file).as_ref().into(),
    });
    site
}

/// The texts of a frame's elements, still escaped.
#[derive(Debug, Default)]
struct FrameParts<'a> {
    object: Option<&'a str>,
    function: Option<&'a str>,
    folder: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
}

impl<'a> FrameParts<'a> {
    fn take(&mut self, name: &str, part: XmlPart<'a>) {
        let XmlPart::Text(text) = part else { return };
        let text = text.trim_ascii();
        match name {
            "obj" => self.object = Some(text),
            "fn" => self.function = Some(text),
            "dir" => self.folder = Some(text).filter(|t| !t.is_empty()),
            "file" => self.file = Some(text),
            "line" => self.line = text.parse().ok(),
            _ => {}
        }
    }
}
