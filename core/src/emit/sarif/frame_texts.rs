//! The JSON of frames. Most frames are in many stacks, so the text of each is computed once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use hashbrown::HashMap;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::finding;
use crate::emit::Run;
use crate::model::{Frame, Stack};

/// The texts of the frames so far, by the address of their information.
#[derive(Default)]
pub(super) struct FrameTexts {
    texts: HashMap<usize, Texts>,
}

struct Texts {
    /// The frame in a stack.
    frame: Box<RawValue>,
    /// The step in a code flow. `None` if the frame isn't in the repository.
    step: Option<Box<RawValue>>,
}

impl FrameTexts {
    /// Computes the texts of the frames of these stacks.
    ///
    /// # Errors
    /// Returns an error only if formatting fails.
    pub(super) fn add(&mut self, stacks: &[Stack], run: &Run<'_>) -> fmt::Result {
        for frame in stacks.iter().flat_map(|stack| &stack.frames) {
            let key = address(frame);
            if !self.texts.contains_key(&key) {
                let step = finding::step(frame, run);
                let texts = Texts {
                    frame: text(&finding::frame(frame, run))?,
                    step: step.as_ref().map(text).transpose()?,
                };
                self.texts.insert(key, texts);
            }
        }
        Ok(())
    }

    /// Returns a frame that was added.
    pub(super) fn frame(&self, frame: &Frame) -> Option<&RawValue> {
        Some(&self.texts.get(&address(frame))?.frame)
    }

    /// Returns the step of a frame that was added. `None` if it isn't in the repository.
    pub(super) fn step(&self, frame: &Frame) -> Option<&RawValue> {
        self.texts.get(&address(frame))?.step.as_deref()
    }
}

fn text(value: &impl Serialize) -> Result<Box<RawValue>, fmt::Error> {
    to_raw_value(value).map_err(|_| fmt::Error)
}

fn address(frame: &Frame) -> usize {
    Arc::as_ptr(&frame.info) as usize
}
