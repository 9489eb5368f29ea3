//! The creation stacks of threads. helgrind announces each thread once, before the first error that
//! mentions it.

use alloc::format;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::bytes::{after, number};
use crate::model::{Role, Stack};

use super::finding_builder::FindingBuilder;

/// The creation stacks of a process's threads, by helgrind's thread number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threads {
    known: HashMap<u64, Stack>,
}

impl Threads {
    /// Stores the creation stack of a thread.
    pub(crate) fn insert(&mut self, thread: u64, mut stack: Stack) {
        stack.role = Role::Thread;
        stack.label = Some(format!("Thread #{thread} was created").as_str().into());
        self.known.insert(thread, stack);
    }

    /// Adds the creation stacks of the threads that the record mentions, in the order of the
    /// mentions.
    pub(crate) fn add_to(&self, draft: &mut FindingBuilder) {
        if self.known.is_empty() {
            return;
        }
        let labels = draft.stacks.iter().filter_map(|s| s.label.as_deref());
        let mut mentioned: Vec<u64> = Vec::new();
        for text in [&*draft.title].into_iter().chain(labels) {
            let mut rest = text.as_bytes();
            while let Some((thread, tail)) = after(rest, b"hread #").and_then(number) {
                if !mentioned.contains(&thread) {
                    mentioned.push(thread);
                }
                rest = tail;
            }
        }
        draft.stacks.extend(
            mentioned
                .iter()
                .filter_map(|thread| self.known.get(thread).cloned()),
        );
    }
}
