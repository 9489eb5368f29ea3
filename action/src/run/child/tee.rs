//! What a command prints, passed on and kept.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::run::status::StatusLine;

/// Both outputs on their way.
pub(super) struct Outputs {
    ended: Receiver<Result<(), String>>,
    open: usize,
    /// Grows while something comes.
    passed: Arc<AtomicU64>,
}

/// Passes both outputs on until nobody holds them open.
pub(super) fn outputs(child: &mut Child, folder: &Path, line: &StatusLine) -> Outputs {
    let (sender, ended) = mpsc::channel();
    let passed = Arc::new(AtomicU64::new(0));
    let mut open = 0;
    let mut begin = |from: Option<Box<dyn Read + Send>>, to: Box<dyn Write + Send>, name: &'static str| {
        let Some(from) = from else { return };
        let (sender, line, path, passed) = (sender.clone(), line.clone(), folder.join(name), Arc::clone(&passed));
        open += 1;
        std::thread::spawn(move || {
            let told = copy(from, to, &path, &line, &passed).map_err(|error| format!("{name} could not be kept: {error}"));
            sender.send(told)
        });
    };
    begin(child.stdout.take().map(|out| Box::new(out) as _), Box::new(io::stdout()), "stdout.txt");
    begin(child.stderr.take().map(|out| Box::new(out) as _), Box::new(io::stderr()), "stderr.txt");
    Outputs { ended, open, passed }
}

/// An error of the reader of our output is no reason to stop: the command goes on, and what it prints is still read.
fn copy(mut from: impl Read, mut to: impl Write, path: &Path, line: &StatusLine, passed: &AtomicU64) -> io::Result<()> {
    let mut kept = File::create(path);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        // A slow reader must not keep anything from being kept.
        let wrote = kept.as_mut().map_or(Ok(()), |file| file.write_all(&buffer[..read]));
        if let Err(error) = wrote {
            kept = Err(error);
        }
        line.aside(&buffer[..read], || {
            let _ = to.write_all(&buffer[..read]).and_then(|()| to.flush());
        });
        passed.fetch_add(1, Ordering::Relaxed);
    }
    kept.map(drop)
}

impl Outputs {
    /// Waits until nothing has come for so long: a process that nobody knows of may hold them open for ever.
    pub(super) fn finish(self, most: Duration) -> Vec<String> {
        let mut lost = Vec::new();
        let mut left = self.open;
        let mut before = self.passed.load(Ordering::Relaxed);
        while left > 0 {
            match self.ended.recv_timeout(most) {
                Ok(told) => {
                    lost.extend(told.err());
                    left -= 1;
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.passed.load(Ordering::Relaxed);
                    if now == before {
                        break;
                    }
                    before = now;
                }
            }
        }
        lost
    }
}
