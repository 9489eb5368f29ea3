//! Application Verifier: the XML log that `appverif -export log` writes, and the debugger's output
//! at a stop.
//!
//! Source:
//! <https://learn.microsoft.com/en-us/windows-hardware/drivers/devtest/application-verifier-stop-codes-and-definitions>.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, find, hex, lossy, trim_start};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::xml::unescape;

/// Maximum size of a log entry, in bytes. Longer entries are truncated.
const MAX_ENTRY: usize = 1 << 18;

/// Ranges of stop codes (first, last), and their kinds. The first range that contains a code
/// decides, so the range of a whole layer comes after single codes of that layer.
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

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["VERIFIER STOP ", "<avrf:log"];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = trim_start(text);
    if let Some(stop) = text.strip_prefix(b"VERIFIER STOP ") {
        return match record_stop(stop, context) {
            Some(()) => Start::Line,
            None if stop.first().is_some_and(u8::is_ascii_digit) => {
                context.unreadable(&Tool::AppVerifier, text);
                Start::Line
            }
            None => Start::No,
        };
    }
    // The whole log may be one line, which begins with the declaration of XML.
    let is_log = text.starts_with(b"<avrf:log")
        || (text.starts_with(b"<?xml ") && contains(text, b"<avrf:log"));
    if !is_log {
        return Start::No;
    }
    let mut current = CurrentReport::new(context.incomplete_report(&Tool::AppVerifier, None));
    let mut log = Log {
        entry: Vec::new(),
        first_line: context.line,
        has_session: false,
    };
    log.read_line(text, &mut current, context);
    Start::report(current, log)
}

/// Records the stop of `00000300: pid 0x558: invalid handle exception for current stack trace`.
/// Returns `None` if the text has another form.
fn record_stop(stop: &[u8], context: &mut Context<'_>) -> Option<()> {
    let (code, rest) = hex(stop)?;
    let rest = rest.strip_prefix(b": pid 0x")?;
    let (pid, rest) = hex(rest)?;
    let title = shared_text(rest.strip_prefix(b":")?.trim_ascii());
    let report = context.complete_report(&Tool::AppVerifier, Some(pid));
    let kind = kind_of_stop(code);
    let mut finding = context.new_finding(Tool::AppVerifier, kind.clone(), &title);
    finding.leak = kind.is_leak().then(|| Leak::direct(0, 1));
    context.record(report, finding);
    Some(())
}

/// Returns the kind for a stop code.
fn kind_of_stop(code: u64) -> Kind {
    STOPS
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&code))
        .map_or(Kind::UNKNOWN, |(.., kind)| Kind::from_static(kind))
}

/// Reads an XML log.
#[derive(Clone, Debug)]
struct Log {
    /// The part of the current entry that was read so far.
    entry: Vec<u8>,
    /// Number of the entry's first line, from 1.
    first_line: u64,
    /// True if the session of a process was read. A log without one proves nothing.
    has_session: bool,
}

impl ReportReader for Log {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        self.read_session(text, current, context);
        let mut rest = text;
        loop {
            if self.entry.is_empty() {
                let Some(start) = find(rest, b"<avrf:logEntry") else {
                    break;
                };
                self.first_line = context.line;
                rest = &rest[start..];
            }
            let is_inside = !self.entry.is_empty();
            let end = find(rest, b"</avrf:logEntry>").map(|end| end + b"</avrf:logEntry>".len());
            let piece = &rest[..end.unwrap_or(rest.len())];
            if self.entry.len() + piece.len() < MAX_ENTRY {
                self.entry.extend_from_slice(piece);
                self.entry.push(b'\n');
            }
            let Some(end) = end else {
                // Between the elements of an entry there may be output of something else.
                let is_markup = contains(piece, b"avrf:") || piece.trim_ascii().is_empty();
                return if is_inside && !is_markup {
                    LineOutcome::Unrelated
                } else {
                    LineOutcome::Consumed
                };
            };
            let entry = core::mem::take(&mut self.entry);
            self.record_entry(&entry, current, context);
            rest = &rest[end..];
        }
        if contains(rest, b"</avrf:logfile>") {
            context.complete(current);
            if !self.has_session {
                let message = "the log of Application Verifier has no session of a process";
                context.mark_truncated(current, message);
            }
            return LineOutcome::Finished;
        }
        if rest.trim_ascii().is_empty() || contains(rest, b"avrf:") || contains(rest, b"<?xml") {
            LineOutcome::Consumed
        } else {
            LineOutcome::Unrelated
        }
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        let entry = core::mem::take(&mut self.entry);
        if !entry.is_empty() {
            self.record_entry(&entry, current, context);
        }
        context.end_truncated(current);
    }
}

impl Log {
    /// Reads the pid of `<avrf:logSession TimeStarted="..." PID="9120" Version="2">`, which is
    /// decimal.
    fn read_session(&mut self, text: &[u8], current: &CurrentReport, context: &mut Context<'_>) {
        let Some(session) = after(text, b"<avrf:logSession") else {
            return;
        };
        self.has_session = true;
        let tag = before(session, b">").unwrap_or(session);
        let pid = attribute(tag, b" PID=\"").and_then(|digits| digits.parse().ok());
        if let (Some(report), Some(pid)) = (current.index, pid) {
            context.report_mut(report).pid = Some(pid);
        }
    }

    /// Records the finding of a log entry.
    fn record_entry(&self, entry: &[u8], current: &mut CurrentReport, context: &mut Context<'_>) {
        let severity = attribute(entry, b"Severity=\"").unwrap_or_default();
        let code = attribute(entry, b"StopCode=\"0x")
            .and_then(|digits| u64::from_str_radix(&digits, 16).ok())
            .unwrap_or(0);
        if severity != "Error" && !(0x900..=0x9ff).contains(&code) {
            return;
        }
        let message = elements(entry, b"message").next().unwrap_or_default();
        let kind = kind_of_stop(code);
        let mut finding = context.new_finding(Tool::AppVerifier, kind.clone(), message.trim());
        finding.first_line = self.first_line;
        finding.last_line = context.line;
        if kind.is_leak() {
            finding.leak = Some(Leak::direct(0, 1));
        }
        for parameter in [b"parameter1", b"parameter2", b"parameter3", b"parameter4"] {
            elements(entry, parameter)
                .filter(|text| !text.trim().is_empty())
                .for_each(|text| finding.add_note(text.as_bytes()));
        }
        let is_resource_leak = kind.is_leak() || kind == Kind::FD_LEAK;
        let role = if is_resource_leak {
            Role::Allocation
        } else {
            Role::Access
        };
        finding.expect_stack(role, b"");
        for trace in elements(entry, b"trace") {
            context.push_site(
                &mut finding,
                FrameSyntax::AppVerifier,
                trace.trim().as_bytes(),
            );
        }
        current.finding = Some(finding);
        context.flush(current);
    }
}

/// Returns the value of an attribute. `name` includes `="`.
fn attribute(entry: &[u8], name: &[u8]) -> Option<String> {
    before(after(entry, name)?, b"\"").map(|value| lossy(value).into_owned())
}

/// Returns the texts of all elements with this name, without the `avrf:` prefix.
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
