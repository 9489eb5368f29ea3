//! A progress bar for inputs that take longer than a second to read, on terminals only.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Delay before the progress bar appears.
const DELAY: Duration = Duration::from_secs(1);

/// Progress of reading, shown as a bar after a delay.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    total: u64,
    done: u64,
    bar: Option<ProgressBar>,
    is_interactive: bool,
}

impl Progress {
    /// Creates a progress bar for `total` bytes; 0 means an unknown total.
    pub(crate) fn new(total: u64) -> Self {
        let is_interactive = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self {
            started: Instant::now(),
            total,
            done: 0,
            bar: None,
            is_interactive,
        }
    }

    /// Adds bytes that were read.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if !self.is_interactive || (self.bar.is_none() && self.started.elapsed() < DELAY) {
            return;
        }
        let started = self.started;
        self.bar
            .get_or_insert_with(|| bar(self.total).with_elapsed(started.elapsed()))
            .set_position(self.done);
    }

    /// Removes the bar from the terminal.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let (bar, template) = if total > 0 {
        (
            ProgressBar::new(total),
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        )
    } else {
        (
            ProgressBar::no_length(),
            "{spinner} {bytes} {bytes_per_sec}",
        )
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
