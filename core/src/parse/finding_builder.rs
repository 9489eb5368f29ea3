//! A record that is being assembled from the lines of a log.

use alloc::vec::Vec;

use super::collect::shared_text;
use crate::model::{GeneratedSuppression, Kind, Leak, Role, Stack, Text, Tool};

/// A record that a dialect completes line by line.
#[derive(Clone, Debug)]
pub(crate) struct FindingBuilder {
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) title: Text,
    pub(crate) leak: Option<Leak>,
    pub(crate) stacks: Vec<Stack>,
    pub(crate) notes: Vec<Text>,
    pub(crate) generated: Option<GeneratedSuppression>,
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    /// Role and label of the stack that the next frame opens; `None` if it continues the last
    /// stack.
    pub(crate) next_stack: Option<(Role, Option<Text>)>,
}

/// Maximum number of notes of a finding.
const MAX_NOTES: usize = 64;

impl FindingBuilder {
    /// Creates a record without stacks. A first stack gets the role [`Role::Access`].
    pub(crate) fn new(tool: Tool, kind: Kind, title: &str, line: u64) -> Self {
        Self {
            tool,
            kind,
            title: title.into(),
            leak: None,
            stacks: Vec::new(),
            notes: Vec::new(),
            generated: None,
            first_line: line,
            last_line: line,
            next_stack: Some((Role::Access, None)),
        }
    }

    /// Adds a line that explains the record.
    pub(crate) fn add_note(&mut self, text: &[u8]) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(shared_text(text.trim_ascii()));
        }
    }

    /// Lets the next frame open a stack with this role and label. An empty label means no label.
    pub(crate) fn expect_stack(&mut self, role: Role, label: &[u8]) {
        let label = label.trim_ascii();
        self.next_stack = Some((role, (!label.is_empty()).then(|| shared_text(label))));
    }

    /// Returns true if the next frame opens a stack.
    pub(crate) fn stack_is_closed(&self) -> bool {
        self.next_stack.is_some()
    }

    /// Lets the next frame open a stack without a description.
    pub(crate) fn close_stack(&mut self) {
        if self.next_stack.is_none() {
            self.next_stack = Some((Role::Other, None));
        }
    }

    /// Marks inlined frames, which have the same address as the frame after them.
    pub(crate) fn mark_inlined(&mut self) {
        for stack in &mut self.stacks {
            for at in 1..stack.frames.len() {
                let address = stack.frames[at].address;
                let before = &mut stack.frames[at - 1];
                before.inlined = address.is_some() && before.address == address;
            }
        }
    }
}
