//! What is shown while a command runs: a line at the bottom of a terminal, elsewhere a line every minute.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// How often something is said where there is no terminal.
const QUIET: Duration = Duration::from_secs(60);

/// The line. It is shared with those who write what the command prints.
#[derive(Clone, Debug)]
pub(super) struct StatusLine {
    bar: Option<Arc<ProgressBar>>,
}

/// What is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) processes: u64,
    pub(super) findings: u64,
}

impl StatusLine {
    pub(super) fn new() -> Self {
        let possible = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self { bar: possible.then(|| Arc::new(bar())) }
    }

    /// Writes something else while the line is off the terminal.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes it off the terminal.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
    bar.with_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()))
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
        Self { name, begun, next: begun + if line.bar.is_some() { Duration::ZERO } else { QUIET }, line }
    }

    /// True when something is to be said, so that what it takes to know it is only done then.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Says it.
    pub(super) fn say(&mut self, state: State) {
        let text = told(&self.name, state);
        match &self.line.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
                self.next = Instant::now() + Duration::from_secs(1);
            }
            None => {
                let minutes = self.begun.elapsed().as_secs() / 60;
                output::note(&format!("leakgate: {minutes} min, {text}"));
                self.next += QUIET;
            }
        }
    }
}

fn told(name: &str, state: State) -> String {
    let count = |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let processes = count(state.processes, "process", "processes");
    format!("{name}: {processes}, {} so far", count(state.findings, "finding", "findings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_told_in_numbers() {
        assert_eq!(told("memcheck", State { processes: 1, findings: 2 }), "memcheck: 1 process, 2 findings so far");
    }

    #[test]
    fn without_a_terminal_it_is_told_every_minute() {
        let speaker = Speaker::new("asan".into(), StatusLine { bar: None });
        assert!(!speaker.is_due() && speaker.next - speaker.begun == QUIET);
    }
}
