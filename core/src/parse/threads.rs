//! Where threads were created: helgrind announces each thread once, before the first error that
//! speaks of it.

use alloc::format;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::bytes::{after, number};
use crate::model::{Role, Stack};

use super::draft::Draft;

/// The creation stacks of a process's threads, by helgrind's number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threads {
    known: HashMap<u64, Stack>,
}

impl Threads {
    pub(crate) fn learn(&mut self, thread: u64, mut stack: Stack) {
        stack.role = Role::Thread;
        stack.label = Some(format!("Thread #{thread} was created").as_str().into());
        self.known.insert(thread, stack);
    }

    /// Adds the stacks of the threads that the record speaks of, in the order in which it does.
    pub(crate) fn add_to(&self, draft: &mut Draft) {
        if self.known.is_empty() {
            return;
        }
        let labels = draft.stacks.iter().filter_map(|s| s.label.as_deref());
        let mut named: Vec<u64> = Vec::new();
        for text in [&*draft.title].into_iter().chain(labels) {
            let mut rest = text.as_bytes();
            while let Some((thread, tail)) = after(rest, b"hread #").and_then(number) {
                if !named.contains(&thread) {
                    named.push(thread);
                }
                rest = tail;
            }
        }
        draft.stacks.extend(
            named
                .iter()
                .filter_map(|thread| self.known.get(thread).cloned()),
        );
    }
}
