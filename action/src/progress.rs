//! A progress bar for inputs that take over a second, on a terminal only.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long to wait before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows how much was read, once it takes long.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    total: u64,
    done: u64,
    bar: Option<ProgressBar>,
    possible: bool,
}

impl Progress {
    /// For so many bytes; 0 where nobody knows.
    pub(crate) fn new(total: u64) -> Self {
        let possible = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self {
            started: Instant::now(),
            total,
            done: 0,
            bar: None,
            possible,
        }
    }

    /// So many more bytes were read.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if !self.possible || (self.bar.is_none() && self.started.elapsed() < PATIENCE) {
            return;
        }
        let started = self.started;
        self.bar
            .get_or_insert_with(|| bar(self.total).with_elapsed(started.elapsed()))
            .set_position(self.done);
    }

    /// Takes the bar off the terminal.
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
