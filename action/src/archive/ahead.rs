//! Reads in several threads, and passes on what they read in order.
//!
//! The order of the inputs, and so every result, is that of a single thread. What was read but not
//! yet parsed is bounded: a thread waits before it goes further ahead.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use leakgate_core::parse::{Scan, Scanner};

use super::{CHUNK, LARGE, Sink};

/// Number of tasks for each thread that may be finished or in progress.
const TASKS_AHEAD: usize = 2;

/// Number of blocks of one task that may wait.
const BLOCKS_AHEAD: usize = 2;

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
        if spent.len() < self.jobs * TASKS_AHEAD {
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
        let (sender, queue) = sync_channel(self.jobs * TASKS_AHEAD);
        let tasks = Mutex::new(Tasks {
            tasks,
            sender: Some(sender),
        });
        // A lock in the condition of the loop would be held until its body has ended.
        let next = || lock(&tasks).next();
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while let Some((task, sender)) = next() {
                        let mut recorder = Recorder::new(self, sender);
                        read(task, &mut recorder);
                        recorder.send();
                    }
                });
            }
            // Without the queue, the threads end.
            'all: for blocks in queue {
                for event in blocks.into_iter().flatten() {
                    if !self.pass_on(event, sink, &mut done) {
                        break 'all;
                    }
                }
            }
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

/// Locks a mutex. A thread that panics ends the program, so the data is never used afterwards.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The tasks that are left, and the queue in which their events arrive.
struct Tasks<I, R> {
    tasks: I,
    /// `None` after the last task, so that the queue ends.
    sender: Option<SyncSender<Receiver<Block<R>>>>,
}

impl<T, I: Iterator<Item = T>, R> Tasks<I, R> {
    /// Returns the next task and where its events go. Waits if too many tasks are ahead of the
    /// parser. `None` if there is no task, or the parser needs none.
    fn next(&mut self) -> Option<(T, SyncSender<Block<R>>)> {
        let Some(task) = self.tasks.next() else {
            self.sender = None;
            return None;
        };
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        self.sender.as_ref()?.send(blocks).ok()?;
        Some((task, sender))
    }
}

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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use leakgate_core::{Options, Parser};

    use super::*;

    struct Names(Vec<String>);

    impl Sink for Names {
        fn begin(&mut self, name: &str) {
            self.0.push(name.to_owned());
        }
        fn bytes(&mut self, _: &[u8]) {}
        fn progress(&mut self, _: u64) {}
    }

    #[test]
    fn tasks_run_at_the_same_time_and_end_in_order() {
        let ahead = Ahead::new(2, Parser::new(Options::default()).scanner());
        let (sender, receiver) = channel();
        let (sender, receiver) = (Mutex::new(sender), Mutex::new(receiver));
        // The first task waits for the second one.
        let read = |task: usize, recorder: &mut Recorder<'_, bool>| {
            recorder.begin(&task.to_string());
            let is_met = match task {
                0 => lock(&receiver)
                    .recv_timeout(Duration::from_secs(60))
                    .is_ok(),
                _ => lock(&sender).send(task).is_ok(),
            };
            recorder.done(is_met);
        };
        let mut names = Names(Vec::new());
        let mut results = Vec::new();
        ahead.in_order(0..20, read, &mut names, |is_met, _| {
            results.push(is_met);
            true
        });
        assert_eq!(results, [true; 20]);
        assert!(
            names
                .0
                .iter()
                .enumerate()
                .all(|(at, name)| *name == at.to_string())
        );
    }

    #[test]
    fn threads_end_when_no_more_is_needed() {
        let ahead = Ahead::new(3, Parser::new(Options::default()).scanner());
        let read = |task: usize, recorder: &mut Recorder<'_, usize>| {
            recorder.bytes(&[0; CHUNK]);
            recorder.done(task);
        };
        let mut last = 0;
        ahead.in_order(0.., read, &mut Names(Vec::new()), |task, _| {
            last = task;
            task < 7
        });
        assert_eq!(last, 7);
    }
}
