//! What a command prints, passed on and kept.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::run::status::StatusLine;

/// Both outputs on their way.
pub(super) struct Outputs {
    sender: Sender<Result<(), String>>,
    ended: Receiver<Result<(), String>>,
    open: usize,
    traffic: Arc<Traffic>,
}

/// What tells a process that is silent from a reader that is slow.
#[derive(Default)]
struct Traffic {
    /// Grows while something comes.
    passed: AtomicU64,
    /// How many are handing something on, which takes as long as its reader does.
    busy: AtomicU64,
}

/// Passes both outputs on until nobody holds them open.
pub(super) fn outputs(child: &mut Child, folder: &Path, line: &StatusLine) -> Outputs {
    let mut outputs = Outputs::new();
    if let Some(out) = child.stdout.take() {
        outputs.begin(out, io::stdout(), &folder.join("stdout.txt"), line);
    }
    if let Some(out) = child.stderr.take() {
        outputs.begin(out, io::stderr(), &folder.join("stderr.txt"), line);
    }
    outputs
}

/// An error of the reader of our output is no reason to stop: the command goes on, and what it
/// prints is still read.
fn copy(
    mut from: impl Read,
    mut to: impl Write,
    path: &Path,
    line: &StatusLine,
    traffic: &Traffic,
) -> io::Result<()> {
    let mut kept = File::create(path);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        traffic.busy.fetch_add(1, Ordering::Relaxed);
        // A slow reader must not keep anything from being kept.
        let wrote = kept
            .as_mut()
            .map_or(Ok(()), |file| file.write_all(&buffer[..read]));
        if let Err(error) = wrote {
            kept = Err(error);
        }
        line.aside(&buffer[..read], || {
            let _ = to.write_all(&buffer[..read]).and_then(|()| to.flush());
        });
        traffic.passed.fetch_add(1, Ordering::Relaxed);
        traffic.busy.fetch_sub(1, Ordering::Relaxed);
    }
    kept.map(drop)
}

impl Outputs {
    fn new() -> Self {
        let (sender, ended) = mpsc::channel();
        Self {
            sender,
            ended,
            open: 0,
            traffic: Arc::default(),
        }
    }

    /// Passes one on, and keeps it in this file.
    fn begin(
        &mut self,
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
        path: &Path,
        line: &StatusLine,
    ) {
        let (sender, line, path, traffic) = (
            self.sender.clone(),
            line.clone(),
            path.to_owned(),
            Arc::clone(&self.traffic),
        );
        self.open += 1;
        std::thread::spawn(move || {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let told = copy(from, to, &path, &line, &traffic)
                .map_err(|error| format!("{name} could not be kept: {error}"));
            sender.send(told)
        });
    }

    /// Waits until nothing has come for so long: a process that nobody knows of may hold them open
    /// for ever.
    pub(super) fn finish(self, most: Duration) -> Vec<String> {
        let mut lost = Vec::new();
        let mut left = self.open;
        let mut before = self.traffic.passed.load(Ordering::Relaxed);
        while left > 0 {
            match self.ended.recv_timeout(most) {
                Ok(told) => {
                    lost.extend(told.err());
                    left -= 1;
                }
                Err(_) => {
                    let now = self.traffic.passed.load(Ordering::Relaxed);
                    if now == before && self.traffic.busy.load(Ordering::Relaxed) == 0 {
                        break;
                    }
                    before = now;
                }
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes its time, and lets nobody hurry it.
    struct Slow(Duration);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            std::thread::sleep(self.0);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// So many bytes were kept when nobody waited any longer.
    fn kept(from: impl Read + Send + 'static, to: Slow, most: Duration) -> u64 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stderr.txt");
        let mut outputs = Outputs::new();
        outputs.begin(from, to, &path, &StatusLine::new());
        assert!(outputs.finish(most).is_empty());
        path.metadata().unwrap().len()
    }

    #[test]
    fn a_slow_reader_loses_nothing() {
        let text = io::repeat(b'x').take(300_000);
        assert_eq!(
            kept(
                text,
                Slow(Duration::from_millis(300)),
                Duration::from_millis(30)
            ),
            300_000
        );
    }

    #[test]
    fn who_says_nothing_is_not_waited_for() {
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(
            kept(reader, Slow(Duration::ZERO), Duration::from_millis(30)),
            0
        );
    }
}
