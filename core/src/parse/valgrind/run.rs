//! Lines about a run as a whole: header, summaries, signals, and what says nothing about an error.

use alloc::format;
use alloc::string::String;

use super::super::collect::Collector;
use super::super::draft::Draft;
use super::super::summary;
use super::Process;
use crate::bytes::contains;
use crate::model::{Kind, LeakSummary, Tool};
use crate::problem::Code;

/// Signals that are sent from outside: a test that stops its server, for example. Any other is a
/// crash, or a limit that the process ran into, and so is one whose name is lost.
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

impl Process {
    /// Lines about the run as a whole. True when the line is one.
    pub(super) fn run_level(
        &mut self,
        text: &[u8],
        words: &str,
        line: u64,
        out: &mut Collector,
    ) -> bool {
        if let Some(tool) = header_tool(text) {
            self.tool = tool.clone();
            out.reports[self.report].tool = tool;
            out.reports[self.report].has_header = true;
            return true;
        }
        let report = &mut out.reports[self.report];
        let again = |word: &str, known: bool| known && words.starts_with(word);
        let sums = [
            "HEAP SUMMARY:",
            "LEAK SUMMARY:",
            "All heap blocks were freed",
        ]
        .iter()
        .any(|word| again(word, self.ended));
        if sums
            || again("Using Valgrind-", report.version.is_some())
            || again("Command: ", report.command.is_some())
        {
            let pid = report.pid;
            out.problem(
                Code::Truncated,
                line,
                pid,
                "another run begins here under the same pid, and the start of its header is lost",
            );
        }
        let report = &mut out.reports[self.report];
        if let Some(version) = words.strip_prefix("Using ") {
            let version = version.split([' ', ';']).next().unwrap_or_default();
            report.version = Some(version.trim_start_matches("Valgrind-").into());
            report.has_header = true;
        } else if let Some(command) = words.strip_prefix("Command: ") {
            report.command = Some(command.into());
            report.has_header = true;
        } else if let Some(parent) = words.strip_prefix("Parent PID: ") {
            report.parent = parent.parse().ok();
        } else if words == "HEAP SUMMARY:" {
            self.has_summary = true;
            // What an earlier search found is no word about the end.
            report.stated.leaks = None;
        } else if words == "LEAK SUMMARY:" || words.starts_with("All heap blocks were freed") {
            report.stated.all_freed = words != "LEAK SUMMARY:";
            report.stated.leaks = (!report.stated.all_freed).then(LeakSummary::default);
            self.next_search(out);
            self.search_done = true;
            self.has_summary = true;
        } else if let Some(said) = words.strip_prefix("ERROR SUMMARY: ") {
            self.has_summary = true;
            if !summary::errors(said, report) && self.ended {
                let pid = report.pid;
                out.problem(
                    Code::Truncated,
                    line,
                    pid,
                    "an ERROR SUMMARY that can't be read",
                );
            }
            self.ended |= out.reports[self.report].stated.contexts.is_some() && said.ends_with(')');
            self.reprint = false;
        } else if contains(text, b" errors in context ")
            || contains(text, b" in context ") && text.ends_with(b":")
        {
            self.reprint = true;
        } else if words.starts_with("More than ")
            && contains(text, b"errors detected.  I'm not reporting any more")
        {
            report.capped = true;
        } else if words.starts_with("FATAL: ") {
            let pid = report.pid;
            out.problem(
                Code::CheckerFailed,
                line,
                pid,
                format!("valgrind failed: {words}"),
            );
        } else if words.starts_with("Exit program on first error") {
            self.ended = true;
        } else if let Some(signal) =
            words.strip_prefix("Process terminating with default action of signal ")
        {
            self.signal(signal, words, line, out);
        } else {
            return is_chatter(words);
        }
        true
    }

    fn signal(&mut self, signal: &str, words: &str, line: u64, out: &mut Collector) {
        if is_crash(signal) {
            self.draft = Some(Draft::new(
                self.tool.clone(),
                Kind::FATAL_SIGNAL,
                words,
                line,
            ));
        } else {
            let message = format!("the process was ended by signal {}", String::from(signal));
            out.problem(Code::EndedBySignal, line, self.pid(out), message);
        }
    }
}

/// True for signals of a crash.
pub(crate) fn is_crash(signal: &str) -> bool {
    !OUTSIDE_SIGNALS.iter().any(|name| signal.contains(name))
}

/// The tool that a header announces.
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

/// True for lines about the run as a whole.
pub(super) fn is_run_level(words: &str) -> bool {
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
    ];
    STARTS.iter().any(|start| words.starts_with(start))
}

/// Lines that say nothing about an error, and that a stack may follow only in a verbose run.
fn is_chatter(words: &str) -> bool {
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
    STARTS.iter().any(|start| words.starts_with(start))
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
