//! Passes the command's output on and keeps a copy in a file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::run::status::StatusLine;

/// The streams that are being copied, each by its own thread.
pub(super) struct Outputs {
    sender: Sender<Result<(), String>>,
    finished: Receiver<Result<(), String>>,
    /// Number of streams.
    open: usize,
    traffic: Arc<Traffic>,
}

/// Distinguishes a silent process from a slow reader.
#[derive(Default)]
struct Traffic {
    /// Number of chunks that were passed on.
    passed: AtomicU64,
    /// Number of threads that are passing on a chunk, which blocks while the reader is slow.
    busy: AtomicU64,
}

/// Starts to copy standard output and standard error of a child.
pub(super) fn outputs(child: &mut Child, folder: &Path, line: &StatusLine) -> Outputs {
    let mut outputs = Outputs::new();
    if let Some(out) = child.stdout.take() {
        outputs.start(out, io::stdout(), &folder.join("stdout.txt"), line);
    }
    if let Some(out) = child.stderr.take() {
        outputs.start(out, io::stderr(), &folder.join("stderr.txt"), line);
    }
    outputs
}

/// Copies a stream to `target` and to the file at `path`.
///
/// If the reader of leakgate's output fails, the command continues and its output is still copied
/// to the file.
fn copy(
    mut source: impl Read,
    mut target: impl Write,
    path: &Path,
    line: &StatusLine,
    traffic: &Traffic,
) -> io::Result<()> {
    let mut file = File::create(path);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        traffic.busy.fetch_add(1, Ordering::Relaxed);
        // Write to the file first: a slow reader must not delay it.
        let written = file
            .as_mut()
            .map_or(Ok(()), |file| file.write_all(&buffer[..length]));
        if let Err(error) = written {
            file = Err(error);
        }
        line.suspend(&buffer[..length], || {
            let _ = target
                .write_all(&buffer[..length])
                .and_then(|()| target.flush());
        });
        traffic.passed.fetch_add(1, Ordering::Relaxed);
        traffic.busy.fetch_sub(1, Ordering::Relaxed);
    }
    file.map(drop)
}

impl Outputs {
    fn new() -> Self {
        let (sender, finished) = mpsc::channel();
        Self {
            sender,
            finished,
            open: 0,
            traffic: Arc::default(),
        }
    }

    /// Starts a thread that copies a stream.
    fn start(
        &mut self,
        source: impl Read + Send + 'static,
        target: impl Write + Send + 'static,
        path: &Path,
        line: &StatusLine,
    ) {
        let sender = self.sender.clone();
        let line = line.clone();
        let path = path.to_owned();
        let traffic = Arc::clone(&self.traffic);
        self.open += 1;
        std::thread::spawn(move || {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let result = copy(source, target, &path, &line, &traffic)
                .map_err(|error| format!("{name} cannot be written: {error}"));
            sender.send(result)
        });
    }

    /// Waits for the streams to end. Returns a message for each file that cannot be written.
    ///
    /// Stops waiting when nothing was copied for the time `idle`, because an unknown process may
    /// hold a stream open forever.
    pub(super) fn finish(self, idle: Duration) -> Vec<String> {
        let mut lost = Vec::new();
        let mut remaining = self.open;
        let mut last_passed = self.traffic.passed.load(Ordering::Relaxed);
        while remaining > 0 {
            match self.finished.recv_timeout(idle) {
                Ok(result) => {
                    lost.extend(result.err());
                    remaining -= 1;
                }
                Err(_) => {
                    let passed = self.traffic.passed.load(Ordering::Relaxed);
                    if passed == last_passed && self.traffic.busy.load(Ordering::Relaxed) == 0 {
                        break;
                    }
                    last_passed = passed;
                }
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that takes this long for each write.
    struct SlowWriter(Duration);

    impl Write for SlowWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            std::thread::sleep(self.0);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the number of bytes in the file when `finish` returns.
    fn kept_bytes(source: impl Read + Send + 'static, target: SlowWriter, idle: Duration) -> u64 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stderr.txt");
        let mut outputs = Outputs::new();
        outputs.start(source, target, &path, &StatusLine::new());
        assert!(outputs.finish(idle).is_empty());
        path.metadata().unwrap().len()
    }

    #[test]
    fn slow_reader_loses_nothing() {
        let text = io::repeat(b'x').take(300_000);
        assert_eq!(
            kept_bytes(
                text,
                SlowWriter(Duration::from_millis(300)),
                Duration::from_millis(30)
            ),
            300_000
        );
    }

    #[test]
    fn silent_stream_is_not_waited_for() {
        let (source, _writer) = io::pipe().unwrap();
        assert_eq!(
            kept_bytes(
                source,
                SlowWriter(Duration::ZERO),
                Duration::from_millis(30)
            ),
            0
        );
    }
}
