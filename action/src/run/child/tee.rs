//! What a command prints, passed on and kept.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::run::status::StatusLine;

/// Both outputs on their way.
pub(super) struct Outputs {
    ended: Receiver<Result<(), String>>,
    open: usize,
}

/// Passes both outputs on until nobody holds them open.
pub(super) fn outputs(child: &mut Child, folder: &Path, line: &StatusLine) -> Outputs {
    let (sender, ended) = mpsc::channel();
    let mut open = 0;
    let mut begin = |from: Option<Box<dyn Read + Send>>, to: Box<dyn Write + Send>, name: &'static str| {
        let Some(from) = from else { return };
        let (sender, line, path) = (sender.clone(), line.clone(), folder.join(name));
        open += 1;
        std::thread::spawn(move || {
            let told = copy(from, to, &path, &line).map_err(|error| format!("{name} could not be kept: {error}"));
            sender.send(told)
        });
    };
    begin(child.stdout.take().map(|out| Box::new(out) as _), Box::new(io::stdout()), "stdout.txt");
    begin(child.stderr.take().map(|out| Box::new(out) as _), Box::new(io::stderr()), "stderr.txt");
    Outputs { ended, open }
}

/// An error of the reader of our output is no reason to stop: the command goes on, and what it prints is still read.
fn copy(mut from: impl Read, mut to: impl Write, path: &Path, line: &StatusLine) -> io::Result<()> {
    let mut kept = File::create(path);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        line.aside(&buffer[..read], || {
            let _ = to.write_all(&buffer[..read]).and_then(|()| to.flush());
        });
        let wrote = kept.as_mut().map_or(Ok(()), |file| file.write_all(&buffer[..read]));
        if let Err(error) = wrote {
            kept = Err(error);
        }
    }
    kept.map(drop)
}

impl Outputs {
    /// Waits so long at most: a process that nobody knows of may hold them open for ever.
    pub(super) fn finish(self, most: Duration) -> Vec<String> {
        let until = Instant::now() + most;
        let mut lost = Vec::new();
        for _ in 0..self.open {
            match self.ended.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(told) => lost.extend(told.err()),
                Err(_) => break,
            }
        }
        lost
    }
}
