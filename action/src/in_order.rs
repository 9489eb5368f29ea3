//! Work in several threads, whose results are used in order.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(not(target_os = "wasi"))]
use std::thread;

/// Number of tasks for each thread that may be finished or in progress.
const TASKS_AHEAD: usize = 2;

/// Number of messages of one task that may wait.
const MESSAGES_AHEAD: usize = 2;

/// Returns the number of tasks that may be finished or in progress in this number of threads.
pub(crate) const fn max_tasks(jobs: usize) -> usize {
    jobs * TASKS_AHEAD
}

/// Performs tasks one after the other, because WebAssembly has no threads. A task sends at most
/// [`MESSAGES_AHEAD`] messages: reports, which are merged. Logs are read without this function.
#[cfg(target_os = "wasi")]
pub(crate) fn in_order<T, M>(
    _: usize,
    tasks: impl Iterator<Item = T>,
    perform: impl Fn(T, SyncSender<M>),
    mut take: impl FnMut(M) -> bool,
) {
    for task in tasks {
        let (sender, messages) = sync_channel(MESSAGES_AHEAD);
        perform(task, sender);
        if !messages.into_iter().all(&mut take) {
            break;
        }
    }
}

/// Performs tasks in `jobs` threads, and passes the messages that they send to `take`, in the order
/// of the tasks. Ends early if `take` returns false. What was sent but not yet taken is bounded: a
/// thread waits before it goes further ahead.
#[cfg(not(target_os = "wasi"))]
pub(crate) fn in_order<T: Send, M: Send>(
    jobs: usize,
    tasks: impl Iterator<Item = T> + Send,
    perform: impl Fn(T, SyncSender<M>) + Sync,
    mut take: impl FnMut(M) -> bool,
) {
    let (sender, queue) = sync_channel(max_tasks(jobs));
    let tasks = Mutex::new(Tasks {
        tasks,
        sender: Some(sender),
    });
    // A lock in the condition of the loop would be held until its body has ended.
    let next = || lock(&tasks).next();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some((task, sender)) = next() {
                    perform(task, sender);
                }
            });
        }
        // Without the queue, the threads end.
        for message in queue.into_iter().flatten() {
            if !take(message) {
                break;
            }
        }
    });
}

/// Locks a mutex. A thread that panics ends the program, so the data is never used afterwards.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tasks that are left, and the queue in which their messages arrive.
struct Tasks<I, M> {
    tasks: I,
    /// `None` after the last task, so that the queue ends.
    sender: Option<SyncSender<Receiver<M>>>,
}

impl<T, I: Iterator<Item = T>, M> Tasks<I, M> {
    /// Returns the next task and where its messages go. Waits if too many tasks are ahead. `None`
    /// if there is no task, or no more are needed.
    fn next(&mut self) -> Option<(T, SyncSender<M>)> {
        let Some(task) = self.tasks.next() else {
            self.sender = None;
            return None;
        };
        let (sender, messages) = sync_channel(MESSAGES_AHEAD);
        self.sender.as_ref()?.send(messages).ok()?;
        Some((task, sender))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn tasks_run_at_the_same_time_and_end_in_order() {
        let (sender, receiver) = channel();
        let (sender, receiver) = (Mutex::new(sender), Mutex::new(receiver));
        // The first task waits for the second one.
        let perform = |task: usize, messages: SyncSender<(usize, bool)>| {
            let is_met = match task {
                0 => lock(&receiver)
                    .recv_timeout(Duration::from_secs(60))
                    .is_ok(),
                _ => lock(&sender).send(task).is_ok(),
            };
            messages.send((task, is_met)).unwrap();
        };
        let mut results = Vec::new();
        in_order(2, 0..20, perform, |message| {
            results.push(message);
            true
        });
        let expected: Vec<_> = (0..20).map(|task| (task, true)).collect();
        assert_eq!(results, expected);
    }

    #[test]
    fn threads_end_when_no_more_is_needed() {
        let perform = |task: usize, messages: SyncSender<usize>| {
            // Fails after the end.
            let _ = messages.send(task);
        };
        let mut last = 0;
        in_order(3, 0.., perform, |task| {
            last = task;
            task < 7
        });
        assert_eq!(last, 7);
    }
}
