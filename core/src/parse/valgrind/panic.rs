//! Breakdowns of valgrind itself. Its message has no tag; the frames of its own stack and of the
//! program's threads, which follow, have one.
//!
//! Source: `coregrind/m_libcassert.c` (`assert_fail`, `panic`).

use super::ValgrindProcess;
use crate::bytes::{before, contains};

/// A breakdown whose stacks are being read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Panic {
    /// The process. `None` until the next line with a tag names it.
    pid: Option<u64>,
}

impl Panic {
    /// Returns true for the message of a breakdown: `Memcheck: mc_main.c:12 (f): Assertion 'x'
    /// failed.`, or `valgrind: the 'impossible' happened:`.
    pub(crate) fn is_message(text: &[u8]) -> bool {
        const NAMES: &[&[u8]] = &[
            b"valgrind",
            b"Memcheck",
            b"Helgrind",
            b"drd",
            b"DHAT",
            b"Massif",
            b"Callgrind",
            b"Cachegrind",
            b"Lackey",
            b"Nulgrind",
            b"exp-",
        ];
        let text = text.trim_ascii();
        if !matches!(text, [b'v' | b'd' | b'e' | b'A'..=b'Z', ..]) {
            return false;
        }
        let Some(name) = before(text, b": ").filter(|n| NAMES.iter().any(|k| n.starts_with(k)))
        else {
            return false;
        };
        let message = &text[name.len() + 2..];
        let is_assertion = contains(message, b"): Assertion '") && message.ends_with(b"failed.");
        is_assertion
            || contains(message, b"): the 'impossible' happened.")
            || message.starts_with(b"the 'impossible' happened")
    }

    /// Returns true if the process with this pid broke down. The first pid after the message is
    /// that of its process.
    pub(crate) fn affects(&mut self, pid: u64) -> bool {
        *self.pid.get_or_insert(pid) == pid
    }

    /// Returns true if a line of the process that broke down is part of the breakdown. A new run
    /// may reuse the pid.
    pub(crate) fn contains(&mut self, pid: u64, text: &[u8]) -> bool {
        self.affects(pid) && ValgrindProcess::header_of(text).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_breakdowns_are_recognized() {
        for (text, want) in [
            (
                "Memcheck: mc_main.c:77 (f): Assertion 'a == b' failed.",
                true,
            ),
            (
                "valgrind: m_scheduler/sema.c:103 (x): Assertion 'sema' failed.",
                true,
            ),
            ("drd: drd_main.c:9 (f): the 'impossible' happened.", true),
            ("valgrind: the 'impossible' happened:", true),
            ("tool: a.c:9 (f): Assertion 'x' failed.", false),
            ("see Memcheck: the 'impossible' happened", false),
            ("Memcheck: a tool", false),
        ] {
            assert_eq!(Panic::is_message(text.as_bytes()), want, "{text}");
        }
    }
}
