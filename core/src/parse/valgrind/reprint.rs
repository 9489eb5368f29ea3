//! Errors that drd prints a second time, with `-s` or `-v`. Other threads may have ended between
//! the two, so that their stacks differ.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashSet;

use crate::model::Kind;
use crate::parse::finding_builder::FindingBuilder;

/// The errors that a process has printed.
#[derive(Clone, Debug, Default)]
pub(super) struct PrintedErrors {
    known: HashSet<Identity>,
}

/// The parts of an error that are equal in both prints.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Identity {
    kind: Kind,
    /// The headline up to its first address.
    title: String,
    /// Addresses of the shared frames of the error's own stack.
    frames: Vec<usize>,
}

impl PrintedErrors {
    /// Returns true if the record is a reprint of a known error. Adds the error otherwise.
    pub(super) fn contains_or_add(&mut self, draft: &FindingBuilder, is_reprint: bool) -> bool {
        let frames = draft
            .stacks
            .first()
            .map_or(&[][..], |s| s.frames.as_slice());
        let title = draft.title.split("0x").next().unwrap_or_default();
        let is_new = self.known.insert(Identity {
            kind: draft.kind.clone(),
            title: title.into(),
            frames: frames
                .iter()
                .map(|f| Arc::as_ptr(&f.info) as usize)
                .collect(),
        });
        is_reprint && !is_new
    }
}
