//! Lines about a run as a whole: header, summaries, signals, and informational messages.

use alloc::format;

use super::super::collect::Collector;
use super::super::finding_builder::FindingBuilder;
use super::super::summary;
use super::ValgrindProcess;
use crate::bytes::contains;
use crate::model::{Kind, LeakSummary, Report, Tool};
use crate::problem::Code;

/// Signals that another process sends, for example a test that stops its server. Every other signal
/// is a crash or a resource limit, and so is a signal whose name is missing.
const OUTSIDE_SIGNALS: &[&str] = &[
    "SIGHUP",
    "SIGINT",
    "SIGKILL",
    "SIGUSR1",
    "SIGUSR2",
    "SIGPIPE",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGPROF",
    "SIGIO",
    "SIGPOLL",
    "SIGPWR",
    "SIGRT",
];

/// The message of an instruction that valgrind can't run (`m_scheduler/scheduler.c`).
const UNRECOGNISED: &str = "valgrind: Unrecognised instruction";

impl ValgrindProcess {
    /// Reads a line about the run as a whole. Returns false if the line isn't one.
    pub(super) fn run_level(
        &mut self,
        bytes: &[u8],
        text: &str,
        line: u64,
        out: &mut Collector,
    ) -> bool {
        if let Some(tool) = header_tool(bytes) {
            self.tool = tool.clone();
            let report = &mut out.reports[self.report].report;
            report.tool = tool;
            report.has_header = true;
            return true;
        }
        self.check_for_second_run(text, line, out);
        let report = &mut out.reports[self.report].report;
        if header_field(text, report) || self.summary(text, line, out) {
            return true;
        }
        let report = &mut out.reports[self.report].report;
        if contains(bytes, b" errors in context ")
            || contains(bytes, b" in context ") && bytes.ends_with(b":")
        {
            self.reprint = true;
            self.has_reprint = true;
        } else if text.starts_with("More than ") && contains(bytes, b"I'm not reporting any more") {
            report.capped = true;
        } else if text.starts_with("FATAL: ") || text.starts_with(UNRECOGNISED) {
            let pid = report.pid;
            let text = text.strip_prefix("valgrind: ").unwrap_or(text);
            let message = format!("valgrind failed: {text}");
            out.add_problem(Code::CheckerFailed, line, pid, message);
        } else if text.starts_with("Exit program on first error") {
            self.ended = true;
        } else if let Some(signal) =
            text.strip_prefix("Process terminating with default action of signal ")
        {
            self.signal(signal, text, line, out);
        } else {
            return is_chatter(text);
        }
        true
    }

    /// Adds a problem if the line belongs to a second run with the same pid whose first header line
    /// is missing.
    fn check_for_second_run(&self, text: &str, line: u64, out: &mut Collector) {
        const SUMMARIES: &[&str] = &[
            "HEAP SUMMARY:",
            "LEAK SUMMARY:",
            "All heap blocks were freed",
        ];
        let report = &out.reports[self.report].report;
        let is_summary = || SUMMARIES.iter().any(|start| text.starts_with(start));
        let is_second = (self.ended && !self.has_old_heap && !is_old(report) && is_summary())
            || (report.version.is_some() && text.starts_with("Using Valgrind-"))
            || (report.command.is_some() && text.starts_with("Command: "));
        if is_second {
            let pid = report.pid;
            let message =
                "another run with the same pid begins here, but the start of its header is missing";
            out.add_problem(Code::Truncated, line, pid, message);
        }
    }

    /// Reads a line that begins or ends a summary. Returns false if the line doesn't.
    fn summary(&mut self, text: &str, line: u64, out: &mut Collector) -> bool {
        let report = &mut out.reports[self.report].report;
        if text == "HEAP SUMMARY:" {
            self.has_summary = true;
            // The result of an earlier leak check doesn't describe the end of the process.
            report.totals.leaks = None;
        } else if text == "LEAK SUMMARY:" || text.starts_with("All heap blocks were freed") {
            report.totals.all_freed = text != "LEAK SUMMARY:";
            report.totals.leaks = (!report.totals.all_freed).then(LeakSummary::default);
            self.next_leak_check(out);
            self.leak_check_done = true;
            self.has_summary = true;
        } else if self.tool == Tool::Memcheck && text.starts_with("malloc/free: ") {
            summary::old_heap(text.as_bytes(), report);
            self.has_old_heap = true;
            self.has_summary = true;
        } else if let Some(errors) = text.strip_prefix("ERROR SUMMARY: ") {
            self.has_summary = true;
            let is_read = summary::errors(errors, report);
            let pid = report.pid;
            let has_contexts = report.totals.contexts.is_some();
            if !is_read && self.ended {
                out.add_problem(Code::Truncated, line, pid, "cannot read the ERROR SUMMARY");
            }
            self.ended |= has_contexts && errors.ends_with(')');
            self.reprint = false;
        } else {
            return false;
        }
        true
    }

    fn signal(&mut self, signal: &str, text: &str, line: u64, out: &mut Collector) {
        if is_crash(signal) {
            self.draft = Some(FindingBuilder::new(
                self.tool.clone(),
                Kind::FATAL_SIGNAL,
                text,
                line,
            ));
        } else {
            let message = format!("the process was terminated by signal {signal}");
            out.add_problem(Code::EndedBySignal, line, self.pid(out), message);
        }
    }
}

/// Reads a line of valgrind's header into a report. Returns false if the line isn't one.
fn header_field(text: &str, report: &mut Report) -> bool {
    let version = text.strip_prefix("Using ").map(|version| {
        let version = version.split([' ', ';', ',']).next().unwrap_or_default();
        version
            .trim_start_matches(['V', 'v'])
            .trim_start_matches("algrind-")
    });
    // Until 3.5, a line about the library comes first: `Using LibVEX rev 1804, a library for`.
    if version == Some("LibVEX") {
        report.has_header = true;
    } else if let Some(version) = version {
        report.version = Some(version.into());
        report.has_header = true;
    } else if let Some(command) = text.strip_prefix("Command: ") {
        report.command = Some(command.into());
        report.has_header = true;
    } else if let Some(parent) = text.strip_prefix("Parent PID: ") {
        report.parent = parent.parse().ok();
    } else {
        return false;
    }
    true
}

/// Returns true for valgrind 3.5 and older, which print the `ERROR SUMMARY` before they check for
/// leaks.
pub(super) fn is_old(report: &Report) -> bool {
    let version = report.version.as_deref().unwrap_or_default();
    let mut numbers = version.split('.').map(|n| n.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < (3, 6),
        _ => false,
    }
}

/// Returns true for signals of a crash.
pub(crate) fn is_crash(signal: &str) -> bool {
    !OUTSIDE_SIGNALS.iter().any(|name| signal.contains(name))
}

/// Returns the tool that the first line of a header names.
pub(super) fn header_tool(text: &[u8]) -> Option<Tool> {
    const TOOLS: &[(&[u8], &str)] = &[
        (b"Massif, a heap profiler", "massif"),
        (b"DHAT, a dynamic heap analysis tool", "dhat"),
        (b"Callgrind, a call-graph", "callgrind"),
        (b"Cachegrind, a ", "cachegrind"),
        (b"Lackey, an example", "lackey"),
        (b"Nulgrind, the minimal", "none"),
    ];
    // Most lines are frames.
    if !matches!(text, [b'A'..=b'Z' | b'd', ..]) {
        None
    } else if text.starts_with(b"Memcheck, a ") {
        Some(Tool::Memcheck)
    } else if text.starts_with(b"Helgrind, a ") {
        Some(Tool::Helgrind)
    } else if text.starts_with(b"drd, a ") {
        Some(Tool::Drd)
    } else {
        let other = TOOLS.iter().find(|(start, _)| text.starts_with(start));
        other.map(|(_, name)| Tool::Custom((*name).into()))
    }
}

/// Returns true for important lines about the run as a whole, by which a process can be recognized.
pub(super) fn is_run_level(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Using Valgrind-",
        "Command: ",
        "HEAP SUMMARY:",
        "LEAK SUMMARY:",
        "All heap blocks were freed",
        "ERROR SUMMARY: ",
        "Process terminating with default action",
        "Exit program on first error",
        "FATAL: ",
        UNRECOGNISED,
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// Returns true if valgrind may print a stack after a line about the run.
pub(super) fn may_have_stack(text: &str) -> bool {
    !is_run_level(text) || text.starts_with("Process terminating") || text.starts_with(UNRECOGNISED)
}

/// Returns true for messages of valgrind's core that aren't errors, and may appear within the
/// record of an error (`m_signals.c`, `m_stacks.c`).
pub(super) fn is_core_message(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Warning: ",
        "WARNING: ",
        "Stack overflow in thread ",
        "brk segment overflow in thread ",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// Returns true for informational messages. Only a verbose run prints a stack after one.
pub(super) fn is_chatter(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Copyright (C)",
        "FILE DESCRIPTORS: ",
        "For lists of detected",
        "For counts of detected",
        "For a detailed leak analysis",
        "Use --track-origins=yes",
        "Rerun with --leak-check",
        "Reachable blocks (those",
        "To see them, rerun",
        "More than 100 errors detected.",
        "will still be recorded",
        "---Thread-Announcement",
        "--------------------",
        "(No origin, error cannot",
        "(action on error)",
        "Continuing ...",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_the_tool() {
        assert_eq!(header_tool(b"Memcheck, a "), Some(Tool::Memcheck));
        assert_eq!(
            header_tool(b"drd, a thread error detector"),
            Some(Tool::Drd)
        );
        assert_eq!(
            header_tool(b"Massif, a heap profiler").unwrap().as_str(),
            "massif"
        );
    }
}
