//! What is shown while a command runs: a line at the bottom of a terminal, elsewhere a line every
//! minute.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// How often something is said where there is no terminal.
const QUIET: Duration = Duration::from_secs(60);

/// How often the line at a terminal is renewed.
const LIVELY: Duration = Duration::from_millis(500);

/// The line. It is shared with those who write what the command prints.
#[derive(Clone, Debug)]
pub(super) struct StatusLine(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    /// There is a terminal to show it on.
    is_possible: bool,
    begun: Instant,
    bar: Option<ProgressBar>,
    /// The last line of what was printed has no end yet, and must not be overwritten.
    is_within: bool,
}

/// What is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) processes: u64,
    pub(super) findings: u64,
}

impl StatusLine {
    pub(super) fn new() -> Self {
        let is_possible = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self(Arc::new(Mutex::new(Slot {
            is_possible,
            begun: Instant::now(),
            bar: None,
            is_within: false,
        })))
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        // Whoever panicked has left nothing half-done in it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something else while the line is off the terminal.
    pub(super) fn aside(&self, text: &[u8], write: impl FnOnce()) {
        let mut slot = self.slot();
        slot.clear();
        write();
        slot.is_within = !text.ends_with(b"\n");
    }

    /// Takes it off the terminal.
    pub(super) fn finish(&self) {
        let mut slot = self.slot();
        slot.clear();
        slot.is_possible = false;
    }

    fn is_possible(&self) -> bool {
        self.slot().is_possible
    }
}

impl Slot {
    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, text: String) {
        if self.is_within || !self.is_possible {
            return;
        }
        let elapsed = self.begun.elapsed();
        let bar = self.bar.get_or_insert_with(|| bar().with_elapsed(elapsed));
        bar.set_message(text);
        bar.tick();
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(
        ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

/// Says the state at its time.
#[derive(Debug)]
pub(super) struct Speaker {
    name: String,
    begun: Instant,
    next: Instant,
    line: StatusLine,
}

impl Speaker {
    pub(super) fn new(name: String, line: StatusLine) -> Self {
        let begun = Instant::now();
        Self {
            name,
            begun,
            next: begun
                + if line.is_possible() {
                    Duration::ZERO
                } else {
                    QUIET
                },
            line,
        }
    }

    /// True when something is to be said, so that what it takes to know it is only done then.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Says it.
    pub(super) fn say(&mut self, state: State) {
        let text = told(&self.name, state);
        if self.line.is_possible() {
            self.line.slot().show(text);
            self.next = Instant::now() + LIVELY;
        } else {
            let minutes = self.begun.elapsed().as_secs() / 60;
            output::note(&format!("leakgate: {minutes} min, {text}"));
            self.next += QUIET;
        }
    }
}

fn told(name: &str, state: State) -> String {
    let count = |number: u64, one: &str, many: &str| {
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let processes = count(state.processes, "process", "processes");
    format!(
        "{name}: {processes}, {} so far",
        count(state.findings, "finding", "findings")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_told_in_numbers() {
        assert_eq!(
            told(
                "memcheck",
                State {
                    processes: 1,
                    findings: 2
                }
            ),
            "memcheck: 1 process, 2 findings so far"
        );
    }

    #[test]
    fn a_line_without_an_end_is_left_alone() {
        let line = StatusLine::new();
        line.slot().is_possible = true;
        line.aside(b"....", || ());
        line.slot().show("text".into());
        assert!(line.slot().bar.is_none());
        line.aside(b"\n", || ());
        line.slot().show("text".into());
        assert!(line.slot().bar.is_some());
        line.finish();
        assert!(line.slot().bar.is_none());
    }

    #[test]
    fn without_a_terminal_it_is_told_every_minute() {
        let line = StatusLine::new();
        line.finish();
        let speaker = Speaker::new("asan".into(), line);
        assert!(!speaker.is_due() && speaker.next - speaker.begun == QUIET);
    }
}
