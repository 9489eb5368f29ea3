//! `<error>` and `<fatal_signal>` of valgrind's XML.

use alloc::format;
use alloc::string::{String, ToString};

use memchr::memmem;

use super::super::collect::Collector;
use super::super::draft::Draft;
use super::super::threads::Threads;
use super::super::{drd, helgrind, memcheck, valgrind};
use super::element::{Part, lines, texts, unescape};
use crate::model::{Frame, Generated, Kind, Leak, Role, Site, Stack, Text, Tool};
use crate::problem::Code;
use crate::symbol;

/// What stands between the stacks of an error.
#[derive(Debug, Default)]
struct Words {
    kind: Option<Kind>,
    title: String,
    bytes: Option<u64>,
    blocks: Option<u64>,
    /// Role and label of the stack that comes next.
    next: Option<(Role, String)>,
    notes: alloc::vec::Vec<String>,
}

/// Reads an `<error>` into a report. What was read before a mistake in it is kept.
///
/// `search_done` tells that a leak search was summed up, so that the next leak belongs to another
/// one.
pub(crate) fn read(
    xml: &str,
    report: usize,
    span: (u64, u64),
    search_done: &mut bool,
    threads: &Threads,
    out: &mut Collector,
) -> Result<(), String> {
    let (body, suppression) = find(xml, "<suppression>").map_or((xml, ""), |at| xml.split_at(at));
    let tool = out.reports[report].tool.clone();
    let mut words = Words::default();
    let mut draft = Draft::new(tool.clone(), Kind::UNKNOWN, "", span.0);
    draft.last_line = span.1;
    let result = parts(body, &tool, &mut words, &mut draft, out);
    let kind = words.kind.unwrap_or(Kind::UNKNOWN);
    let said = memcheck::loss_record(words.title.as_bytes());
    if kind.is_leak() {
        let leak = said.map(|(_, leak)| leak);
        let plain = |bytes| Leak::direct(bytes, words.blocks.unwrap_or(0));
        draft.leak = leak.or_else(|| words.bytes.map(plain));
    }
    // 3.24 lists descriptors that the process had from its parent, without a stack.
    let bare = draft.stacks.is_empty() && find(xml, "<frame>").is_none();
    let kind = if kind == Kind::FD_LEAK && bare {
        Kind::FD_INHERITED
    } else {
        kind
    };
    if (kind.is_leak() || kind == Kind::FD_LEAK)
        && let Some(first) = draft.stacks.first_mut()
    {
        first.role = Role::Allocation;
    }
    draft.title = memcheck::without_record_number(&words.title)
        .trim_end_matches(':')
        .into();
    draft.kind = kind;
    draft.generated = generated(suppression);
    threads.add_to(&mut draft);
    draft.notes = words.notes.iter().map(|n| n.as_str().into()).collect();
    if draft.leak.is_some() && core::mem::take(search_done) {
        out.reports[report].searches += 1;
    }
    let search = out.reports[report].searches;
    out.record(report, draft, search, false);
    result
}

/// Reads a `<suppression>`, in which every text is an element of its own; the raw text repeats
/// them.
fn generated(xml: &str) -> Option<Generated> {
    let own = xml.find("<rawtext>").map_or(xml, |at| &xml[..at]);
    let mut lines: alloc::vec::Vec<Text> = alloc::vec::Vec::new();
    texts(own, |name, part| match (name, part) {
        ("sname" | "skind" | "skaux", Part::Text(text)) => {
            lines.push(unescape(text.trim()).as_ref().into())
        }
        ("fun" | "obj", Part::Text(text)) => {
            lines.push(format!("{name}:{}", unescape(text.trim())).into())
        }
        _ => {}
    })
    .ok()?;
    super::super::generated::read(&lines)
}

/// Reads a `<fatal_signal>`; a signal that was sent from outside is only noted.
pub(crate) fn read_signal(xml: &str, report: usize, span: (u64, u64), out: &mut Collector) {
    let tool = out.reports[report].tool.clone();
    let (mut name, mut event) = (String::new(), String::new());
    let _ = texts(xml, |element, part| match (element, part) {
        ("signame", Part::Text(text)) => name = text.trim().to_string(),
        ("event", Part::Text(text)) => event = unescape(text.trim()).into_owned(),
        _ => {}
    });
    if !valgrind::is_crash(&name) {
        let pid = out.reports[report].pid;
        return out.problem(
            Code::EndedBySignal,
            span.0,
            pid,
            format!("the process was ended by signal {name}"),
        );
    }
    let mut draft = Draft::new(
        tool.clone(),
        Kind::FATAL_SIGNAL,
        &format!("Process terminating with signal {name}"),
        span.0,
    );
    draft.last_line = span.1;
    draft.note(event.as_bytes());
    let _ = parts(xml, &tool, &mut Words::default(), &mut draft, out);
    let search = out.reports[report].searches;
    out.record(report, draft, search, false);
}

/// Reads an `<announcethread>`.
pub(crate) fn announce(xml: &str, threads: &mut Threads, out: &mut Collector) {
    let mut thread = None;
    let _ = texts(xml, |name, part| {
        if let ("hthreadid", Part::Text(text)) = (name, part) {
            thread = text.trim().parse().ok();
        }
    });
    let mut draft = Draft::new(Tool::Helgrind, Kind::UNKNOWN, "", 0);
    let _ = parts(xml, &Tool::Helgrind, &mut Words::default(), &mut draft, out);
    if let (Some(thread), Some(stack)) = (thread, draft.stacks.into_iter().next()) {
        threads.learn(thread, stack);
    }
}

/// Goes through stacks and what stands between them.
fn parts(
    xml: &str,
    tool: &Tool,
    words: &mut Words,
    draft: &mut Draft,
    out: &mut Collector,
) -> Result<(), String> {
    let mut rest = xml;
    let mut result = Ok(());
    while let Some(at) = find(rest, "<stack>") {
        result = result.and(words.read(&rest[..at], tool));
        let after = &rest[at + "<stack>".len()..];
        let end = find(after, "</stack>").unwrap_or(after.len());
        stack(&after[..end], words.next.take(), draft, out);
        rest = after[end..].strip_prefix("</stack>").unwrap_or_default();
    }
    result.and(words.read(rest, tool))
}

impl Words {
    fn read(&mut self, xml: &str, tool: &Tool) -> Result<(), String> {
        texts(xml, |name, part| match part {
            Part::Open => {
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
            Part::Text(text) => self.text(name, unescape(text.trim()).as_ref(), tool),
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
                    Tool::Helgrind => helgrind::part(text.as_bytes()),
                    Tool::Drd => drd::part(text.as_bytes()),
                    _ => None,
                };
                let role = role
                    .or_else(|| memcheck::auxiliary(text.as_bytes()))
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

fn find(xml: &str, tag: &str) -> Option<usize> {
    memmem::find(xml.as_bytes(), tag.as_bytes())
}

fn kind(name: &str) -> Kind {
    match name {
        "Leak_DefinitelyLost" => Kind::LEAK_DEFINITE,
        "Leak_IndirectlyLost" => Kind::LEAK_INDIRECT,
        "Leak_PossiblyLost" => Kind::LEAK_POSSIBLE,
        "Leak_StillReachable" => Kind::LEAK_REACHABLE,
        "FdNotClosed" => Kind::FD_LEAK,
        "PthAPIerror" => Kind::of("pth-api-error"),
        _ => Kind::from_name(name),
    }
}

/// The frames between `<stack>` and `</stack>`.
fn stack(xml: &str, next: Option<(Role, String)>, draft: &mut Draft, out: &mut Collector) {
    let unlabelled = next.is_none();
    let (role, label) = next.map_or((Role::Access, None), |(role, label)| {
        (role, Some(label.as_str().into()))
    });
    let mut frames = alloc::vec::Vec::new();
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
    // valgrind 3.24 prints an error's own stack last; it still is the primary one.
    let late = unlabelled && draft.stacks.first().is_some_and(|s| s.label.is_some());
    let place = if late { 0 } else { draft.stacks.len() };
    draft.stacks.insert(place, stack);
}

/// `<ip>0x…</ip>` and what follows it. Only what follows is the same for every occurrence of a
/// place, so it is read once.
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
    let site = out.site_or(raw.as_bytes(), || read_site(raw));
    Frame {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        address,
        inlined: false,
        site,
    }
}

fn read_site(xml: &str) -> Site {
    let mut parts = SiteParts::default();
    if !lines(xml, true, &mut |name, part| parts.take(name, part)) {
        parts = SiteParts::default();
        let _ = texts(xml, |name, part| parts.take(name, part));
    }
    let mut site = Site {
        raw: xml.as_bytes().into(),
        line: parts.line,
        ..Site::default()
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

/// The texts of a frame's elements.
#[derive(Debug, Default)]
struct SiteParts<'a> {
    object: Option<&'a str>,
    function: Option<&'a str>,
    folder: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
}

impl<'a> SiteParts<'a> {
    fn take(&mut self, name: &str, part: Part<'a>) {
        let Part::Text(text) = part else { return };
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
