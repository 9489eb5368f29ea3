//! Reads in several threads, and passes on what they read in order.
//!
//! The order of the inputs, and so every result, is that of a single thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use leakgate_core::parse::{Scan, Scanner};

use super::{CHUNK, LARGE, Sink};
use crate::in_order::{in_order, lock, max_tasks};

/// Number of bytes from which looking for markers in a chunk pays.
const MIN_SCAN: usize = 32 << 10;

/// What the reading threads share with the parser.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// Number of threads.
    jobs: usize,
    scanner: Scanner,
    /// True if no report is open, so that the parser needs to know where the next marker is.
    seeks_marker: AtomicBool,
    /// Buffers to be used again.
    spent: Mutex<Vec<Vec<u8>>>,
}

impl Ahead {
    /// Returns the threads that read inputs of these sizes, in bytes; `None` if other threads don't
    /// pay. `jobs` returns the number of threads.
    pub(crate) fn for_sizes(
        sizes: &[u64],
        jobs: impl FnOnce() -> usize,
        scanner: impl FnOnce() -> Scanner,
    ) -> Option<Self> {
        if sizes.iter().sum::<u64>() < LARGE {
            return None;
        }
        let jobs = jobs();
        (jobs > 1).then(|| Self::new(jobs, scanner()))
    }

    fn new(jobs: usize, scanner: Scanner) -> Self {
        Self {
            jobs,
            scanner,
            seeks_marker: AtomicBool::new(false),
            spent: Mutex::default(),
        }
    }

    /// Tells the reading threads whether to look for markers.
    pub(crate) fn set_seeks_marker(&self, seeks_marker: bool) {
        self.seeks_marker.store(seeks_marker, Ordering::Relaxed);
    }

    /// Looks for markers in a chunk, if the parser needs to know where they are.
    pub(super) fn scan(&self, chunk: &[u8]) -> Option<Scan> {
        let is_useful = chunk.len() >= MIN_SCAN && self.seeks_marker.load(Ordering::Relaxed);
        is_useful.then(|| self.scanner.scan(chunk))
    }

    /// Returns a buffer with any content.
    pub(super) fn buffer(&self) -> Vec<u8> {
        lock(&self.spent).pop().unwrap_or_default()
    }

    fn reuse(&self, buffer: Vec<u8>) {
        let mut spent = lock(&self.spent);
        if spent.len() < max_tasks(self.jobs) {
            spent.push(buffer);
        }
    }

    /// Performs tasks in several threads. Passes what they read to `sink`, and their results to
    /// `done`, in the order of the tasks. Ends early if `done` returns false.
    pub(super) fn in_order<T: Send, R: Send, S: Sink + ?Sized>(
        &self,
        tasks: impl Iterator<Item = T> + Send,
        read: impl Fn(T, &mut Recorder<'_, R>) + Sync,
        sink: &mut S,
        mut done: impl FnMut(R, &mut S) -> bool,
    ) {
        let perform = |task, sender| {
            let mut recorder = Recorder::new(self, sender);
            read(task, &mut recorder);
            recorder.send();
        };
        in_order(self.jobs, tasks, perform, |block: Block<R>| {
            let mut events = block.into_iter();
            events.all(|event| self.pass_on(event, sink, &mut done))
        });
    }

    /// Passes on an event. Returns the result of `done`.
    fn pass_on<R, S: Sink + ?Sized>(
        &self,
        event: Event<R>,
        sink: &mut S,
        done: &mut impl FnMut(R, &mut S) -> bool,
    ) -> bool {
        match event {
            Event::Begin(name) => sink.begin(&name),
            Event::Bytes(chunk, scan) => {
                match scan {
                    Some(scan) => sink.scanned(&chunk, &scan),
                    None => sink.bytes(&chunk),
                }
                self.reuse(chunk);
            }
            Event::Progress(bytes) => sink.progress(bytes),
            Event::Done(result) => return done(result, sink),
        }
        true
    }
}

/// What a task reads.
#[derive(Debug)]
enum Event<R> {
    Begin(String),
    Bytes(Vec<u8>, Option<Scan>),
    Progress(u64),
    Done(R),
}

/// Events that a thread sends at once.
type Block<R> = Vec<Event<R>>;

/// Records what a task reads, and sends it in blocks.
pub(super) struct Recorder<'a, R> {
    ahead: &'a Ahead,
    sender: SyncSender<Block<R>>,
    block: Block<R>,
    /// Number of bytes in the block.
    size: usize,
}

impl<'a, R> Recorder<'a, R> {
    fn new(ahead: &'a Ahead, sender: SyncSender<Block<R>>) -> Self {
        Self {
            ahead,
            sender,
            block: Vec::new(),
            size: 0,
        }
    }

    /// Records a chunk without copying it.
    pub(super) fn push(&mut self, chunk: Vec<u8>) {
        self.size += chunk.len();
        let scan = self.ahead.scan(&chunk);
        self.block.push(Event::Bytes(chunk, scan));
        if self.size >= CHUNK {
            self.send();
        }
    }

    /// Records the result of a part of the task.
    pub(super) fn done(&mut self, result: R) {
        self.block.push(Event::Done(result));
    }

    fn send(&mut self) {
        self.size = 0;
        // The parser may need no more.
        let _ = self.sender.send(std::mem::take(&mut self.block));
    }
}

impl<R> Sink for Recorder<'_, R> {
    fn begin(&mut self, name: &str) {
        self.block.push(Event::Begin(name.to_owned()));
    }

    fn bytes(&mut self, chunk: &[u8]) {
        let mut buffer = self.ahead.buffer();
        buffer.clear();
        buffer.extend_from_slice(chunk);
        self.push(buffer);
    }

    fn progress(&mut self, bytes: u64) {
        self.block.push(Event::Progress(bytes));
    }
}
