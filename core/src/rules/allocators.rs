//! `[files] allocators`: functions of the project that allocate or free memory for their callers.
//!
//! Their frames count as allocator frames when the frame to look at is determined. Fingerprints,
//! rules and the level of third-party findings depend on the built-in tables alone. So the setting
//! never accepts a finding, and never changes its identity.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::ReadError;
use super::stack::StackPattern;
use crate::culprit::{Class, FrameCache, find_culprit};
use crate::model::{FrameInfo, Stack};

/// Patterns for functions of the project that allocate or free memory for their callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocators(Vec<StackPattern>);

impl Allocators {
    /// Parses a pattern and adds it.
    ///
    /// # Errors
    /// Returns the message for the user.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), ReadError> {
        if !["fun:", "sym:", "re:"]
            .iter()
            .any(|kind| text.starts_with(kind))
        {
            let message = format!(
                "invalid function pattern `{text}`; expected one of: `fun:`, `sym:`, `re:`"
            );
            return Err(message.into());
        }
        let pattern = StackPattern::read(text)?;
        if pattern.parsed.matches_any_frame() {
            return Err(format!("`{text}` matches every function").into());
        }
        self.0.push(pattern);
        Ok(())
    }
}

/// Changes the classes of frames that match [`Allocators`].
#[derive(Debug)]
pub(crate) struct Reclassifier<'a> {
    patterns: &'a [StackPattern],
    /// Whether a frame matches, by its frame information.
    known: HashMap<usize, bool>,
}

impl<'a> Reclassifier<'a> {
    pub(crate) fn new(allocators: &'a Allocators) -> Self {
        Self {
            patterns: &allocators.0,
            known: HashMap::new(),
        }
    }

    /// Returns the classes of a stack's frames, given those without the setting. If no other frame
    /// of the project is left to look at, the classes don't change.
    pub(crate) fn reclassify(
        &mut self,
        stack: &Stack,
        classes: Vec<Class>,
        names: &mut FrameCache,
    ) -> Vec<Class> {
        if self.patterns.is_empty() {
            return classes;
        }
        let frames = stack.frames.iter().zip(&classes);
        let changed: Vec<Class> = frames
            .map(|(frame, class)| match self.matches(&frame.info, names) {
                true => Class::Allocator,
                false => *class,
            })
            .collect();
        let before = find_culprit(Some(stack), &classes);
        let after = find_culprit(Some(stack), &changed);
        let has_culprit = after.own || (!before.own && after.frame.is_some());
        if has_culprit { changed } else { classes }
    }

    fn matches(&mut self, info: &Arc<FrameInfo>, names: &mut FrameCache) -> bool {
        let patterns = self.patterns;
        *self
            .known
            .entry(Arc::as_ptr(info) as usize)
            .or_insert_with(|| patterns.iter().any(|p| p.parsed.matches(info, names)))
    }
}
