//! A record on its way from the lines of a log to a finding.

use alloc::vec::Vec;

use super::collect::text_of;
use crate::model::{Generated, Kind, Leak, Role, Stack, Text, Tool};

/// A dialect fills it line by line.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) title: Text,
    pub(crate) leak: Option<Leak>,
    pub(crate) stacks: Vec<Stack>,
    pub(crate) notes: Vec<Text>,
    pub(crate) generated: Option<Generated>,
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    /// Role and label of the stack that the next frame opens.
    pub(crate) next: Option<(Role, Option<Text>)>,
}

/// Lines of explanation that a finding keeps.
const MAX_NOTES: usize = 64;

impl Draft {
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
            next: Some((Role::Access, None)),
        }
    }

    pub(crate) fn note(&mut self, text: &[u8]) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(text_of(text.trim_ascii()));
        }
    }

    /// The next frame opens a stack of this role.
    pub(crate) fn expect_stack(&mut self, role: Role, label: &[u8]) {
        let label = label.trim_ascii();
        self.next = Some((role, (!label.is_empty()).then(|| text_of(label))));
    }

    /// True when a frame would open a stack rather than continue one.
    pub(crate) fn stack_is_closed(&self) -> bool {
        self.next.is_some()
    }

    /// The next frame opens a stack, of which nothing is said.
    pub(crate) fn close_stack(&mut self) {
        if self.next.is_none() {
            self.next = Some((Role::Other, None));
        }
    }

    /// Which frames were inlined can be told only when all of them are there.
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
