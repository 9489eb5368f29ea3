//! Application Verifier: the log that `appverif -export log` writes as XML, and what the debugger
//! prints at a stop.
//!
//! Source: <https://learn.microsoft.com/en-us/windows-hardware/drivers/devtest/application-verifier-stop-codes-and-definitions>.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, contains, find, hex, lossy};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::frame::Head;
use crate::parse::xml::unescape;

/// An entry that is longer is cut.
const MAX_ENTRY: usize = 1 << 18;

/// Stops, and the kinds that they mean; all others of the same layer mean what stands at its end.
pub(in crate::parse) const STOPS: &[(u64, u64, &str)] = &[
    (0x2, 0x2, "access-violation"),
    (0x4, 0x4, "allocation-size-too-big"),
    (0x7, 0x7, "double-free"),
    (0x13, 0x13, "access-violation"),
    (0x1, 0x1f, "heap-corruption"),
    (0x200, 0x2ff, "mutex-err"),
    (0x300, 0x3ff, "fd-bad-use"),
    (0x600, 0x6ff, "invalid-free"),
    (0x900, 0x900, "leak-definite"),
    (0x901, 0x902, "fd-leak"),
    (0x903, 0x904, "leak-definite"),
    (0x905, 0x9ff, "fd-leak"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    if let Some(stop) = after(text, b"VERIFIER STOP ") {
        return match stopped(stop, desk) {
            Some(()) => Opened::Line,
            None if stop.first().is_some_and(u8::is_ascii_digit) => {
                desk.unreadable(&Tool::AppVerifier, text);
                Opened::Line
            }
            None => Opened::No,
        };
    }
    if find(text, b"<avrf:log").is_none() {
        return Opened::No;
    }
    let report = desk.report(&Tool::AppVerifier, None);
    desk.out.reports[report].complete = false;
    let mut log = Log {
        report,
        entry: Vec::new(),
        first: desk.line,
    };
    log.line(text, desk);
    Opened::Report(Box::new(log))
}

/// `00000300: pid 0x558: invalid handle exception for current stack trace`
fn stopped(stop: &[u8], desk: &mut Desk<'_>) -> Option<()> {
    let (code, rest) = hex(stop)?;
    let rest = rest.strip_prefix(b": pid 0x")?;
    let (pid, rest) = hex(rest)?;
    let title = text_of(rest.strip_prefix(b":")?.trim_ascii());
    let report = desk.report(&Tool::AppVerifier, Some(pid));
    desk.out.reports[report].complete = true;
    let kind = kind(code);
    let mut draft = desk.draft(Tool::AppVerifier, kind.clone(), &title);
    draft.leak = kind.is_leak().then(|| Leak::direct(0, 1));
    desk.record(report, draft);
    Some(())
}

fn kind(code: u64) -> Kind {
    STOPS
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&code))
        .map_or(Kind::UNKNOWN, |(.., kind)| Kind::of(kind))
}

/// The log as XML.
#[derive(Clone, Debug)]
struct Log {
    report: usize,
    /// The entry that is being read.
    entry: Vec<u8>,
    first: u64,
}

impl Reading for Log {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let mut rest = text;
        loop {
            if self.entry.is_empty() {
                let Some(start) = find(rest, b"<avrf:logEntry") else {
                    break;
                };
                self.first = desk.line;
                rest = &rest[start..];
            }
            let end = find(rest, b"</avrf:logEntry>").map(|end| end + b"</avrf:logEntry>".len());
            let piece = &rest[..end.unwrap_or(rest.len())];
            if self.entry.len() + piece.len() < MAX_ENTRY {
                self.entry.extend_from_slice(piece);
                self.entry.push(b'\n');
            }
            let Some(end) = end else { return Step::Own };
            let entry = core::mem::take(&mut self.entry);
            self.hand_in(&entry, desk);
            rest = &rest[end..];
        }
        if contains(rest, b"</avrf:logfile>") {
            desk.out.reports[self.report].complete = true;
            return Step::Last;
        }
        if rest.trim_ascii().is_empty() || contains(rest, b"avrf:") || contains(rest, b"<?xml") {
            Step::Own
        } else {
            Step::Foreign
        }
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        let entry = core::mem::take(&mut self.entry);
        if !entry.is_empty() {
            self.hand_in(&entry, desk);
        }
        desk.cut(self.report, "the log of Application Verifier has no end");
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

impl Log {
    fn hand_in(&self, entry: &[u8], desk: &mut Desk<'_>) {
        let severity = attribute(entry, b"Severity=\"").unwrap_or_default();
        let code = attribute(entry, b"StopCode=\"0x")
            .and_then(|digits| u64::from_str_radix(&digits, 16).ok())
            .unwrap_or(0);
        if severity != "Error" && !(0x900..=0x9ff).contains(&code) {
            return;
        }
        let message = elements(entry, b"message").next().unwrap_or_default();
        let kind = kind(code);
        let mut draft = desk.draft(Tool::AppVerifier, kind.clone(), message.trim());
        (draft.first_line, draft.last_line) = (self.first, desk.line);
        if kind.is_leak() {
            draft.leak = Some(Leak::direct(0, 1));
        }
        for number in [b"parameter1", b"parameter2", b"parameter3", b"parameter4"] {
            elements(entry, number)
                .filter(|text| !text.trim().is_empty())
                .for_each(|text| draft.note(text.as_bytes()));
        }
        let is_kept = kind.is_leak() || kind == Kind::FD_LEAK;
        draft.expect_stack(
            if is_kept {
                Role::Allocation
            } else {
                Role::Access
            },
            b"",
        );
        for trace in elements(entry, b"trace") {
            desk.frame(
                &mut draft,
                Grammar::Verifier,
                Head {
                    index: None,
                    address: None,
                    site: trace.trim().as_bytes(),
                },
            );
        }
        desk.record(self.report, draft);
    }
}

fn attribute(entry: &[u8], name: &[u8]) -> Option<String> {
    before(after(entry, name)?, b"\"").map(|value| lossy(value).into_owned())
}

/// The texts of all elements of a name.
fn elements<'a>(entry: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    let open = [b"<avrf:", name, b">"].concat();
    let close = [b"</avrf:", name, b">"].concat();
    let mut rest = entry;
    core::iter::from_fn(move || {
        let text = after(rest, &open)?;
        let end = find(text, &close)?;
        rest = &text[end..];
        Some(unescape(&lossy(&text[..end])).into_owned())
    })
}
