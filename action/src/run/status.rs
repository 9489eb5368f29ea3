//! Progress while a command runs: a status line at the bottom of a terminal, or a line per minute
//! if standard error isn't a terminal.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// Interval between progress lines without a terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Interval between updates of the status line at a terminal.
const REDRAW_INTERVAL: Duration = Duration::from_millis(500);

/// The status line. Clones share it with the threads that write the command's output.
#[derive(Clone, Debug)]
pub(super) struct StatusLine(Arc<Mutex<LineState>>);

#[derive(Debug)]
struct LineState {
    /// True if standard error is a terminal.
    is_enabled: bool,
    started: Instant,
    bar: Option<ProgressBar>,
    /// True if the command's last line of output has no newline yet and must not be overwritten.
    is_mid_line: bool,
}

/// Numbers that a progress line shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) processes: u64,
    pub(super) findings: u64,
}

impl StatusLine {
    /// Creates a status line. It stays hidden in CI and without a terminal.
    pub(super) fn new() -> Self {
        let is_enabled = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self(Arc::new(Mutex::new(LineState {
            is_enabled,
            started: Instant::now(),
            bar: None,
            is_mid_line: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, LineState> {
        // A thread that panicked leaves the state consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears the status line and calls `write`, which writes `text` to the terminal.
    pub(super) fn suspend(&self, text: &[u8], write: impl FnOnce()) {
        let mut state = self.lock();
        state.clear();
        write();
        state.is_mid_line = !text.ends_with(b"\n");
    }

    /// Clears the status line and disables it.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.clear();
        state.is_enabled = false;
    }

    fn is_enabled(&self) -> bool {
        self.lock().is_enabled
    }
}

impl LineState {
    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, text: String) {
        if self.is_mid_line || !self.is_enabled {
            return;
        }
        let elapsed = self.started.elapsed();
        let bar = self
            .bar
            .get_or_insert_with(|| new_bar().with_elapsed(elapsed));
        bar.set_message(text);
        bar.tick();
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(
        ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

/// Reports progress at regular intervals.
#[derive(Debug)]
pub(super) struct ProgressReporter {
    label: String,
    started: Instant,
    next: Instant,
    line: StatusLine,
}

impl ProgressReporter {
    /// Creates a reporter. `label` is printed in front of the numbers.
    pub(super) fn new(label: String, line: StatusLine) -> Self {
        let started = Instant::now();
        let delay = if line.is_enabled() {
            Duration::ZERO
        } else {
            LOG_INTERVAL
        };
        Self {
            label,
            started,
            next: started + delay,
            line,
        }
    }

    /// Returns true if progress is due. Callers compute the numbers only then.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Updates the status line, or prints a line if standard error isn't a terminal.
    pub(super) fn report(&mut self, progress: Progress) {
        let text = progress_text(&self.label, progress);
        if self.line.is_enabled() {
            self.line.lock().show(text);
            self.next = Instant::now() + REDRAW_INTERVAL;
        } else {
            let minutes = self.started.elapsed().as_secs() / 60;
            output::note(&format!("leakgate: {minutes} min, {text}"));
            self.next += LOG_INTERVAL;
        }
    }
}

fn progress_text(label: &str, progress: Progress) -> String {
    format!(
        "{label}: {}, {} so far",
        counted(progress.processes, "process", "processes"),
        counted(progress.findings, "finding", "findings")
    )
}

fn counted(number: u64, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_text_counts_processes_and_findings() {
        assert_eq!(
            progress_text(
                "memcheck",
                Progress {
                    processes: 1,
                    findings: 2
                }
            ),
            "memcheck: 1 process, 2 findings so far"
        );
    }

    #[test]
    fn unfinished_output_line_hides_status_line() {
        let line = StatusLine::new();
        line.lock().is_enabled = true;
        line.suspend(b"....", || ());
        line.lock().show("text".into());
        assert!(line.lock().bar.is_none());
        line.suspend(b"\n", || ());
        line.lock().show("text".into());
        assert!(line.lock().bar.is_some());
        line.finish();
        assert!(line.lock().bar.is_none());
    }

    #[test]
    fn progress_is_logged_every_minute_without_terminal() {
        let line = StatusLine::new();
        line.finish();
        let reporter = ProgressReporter::new("asan".into(), line);
        assert!(!reporter.is_due() && reporter.next - reporter.started == LOG_INTERVAL);
    }
}
