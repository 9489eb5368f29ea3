//! Frames of the JSON report. Most frames are in many stacks, so the text of each is computed once.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use hashbrown::HashMap;
use memchr::memmem::Finder;

use super::serialize;
use crate::culprit::Class;
use crate::model::{Frame, FrameInfo, Stack};
use crate::numbers::{push_decimal, push_hex};
use crate::wire;

/// The fields before and after those that depend only on a frame's information.
const HEAD: &str = "{\"index\":0,\"address\":null,";
const TAIL: &str = ",\"inlined\":false,\"class\":\"own\"}";

/// The place of the frames in a stack without any. It isn't in any string, whose quotes are escaped.
const FRAMES: &str = ",\"frames\":[";

/// Writes frames, and remembers their texts.
pub(super) struct FrameWriter {
    /// Finds [`FRAMES`].
    finder: Finder<'static>,
    /// The fields of a frame, by the address of its information.
    texts: HashMap<usize, String>,
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self {
            finder: Finder::new(FRAMES),
            texts: HashMap::new(),
        }
    }
}

impl FrameWriter {
    /// Returns the position of the first stack's frames in the text of a finding.
    pub(super) fn place_in(&self, text: &str) -> Option<usize> {
        Some(self.finder.find(text.as_bytes())? + FRAMES.len())
    }

    /// Appends the frames of a stack, separated by commas.
    pub(super) fn write(
        &mut self,
        stack: &Stack,
        classes: &[Class],
        out: &mut String,
    ) -> fmt::Result {
        for (at, (frame, class)) in stack.frames.iter().zip(classes).enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.frame(frame, *class, out)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame, class: Class, out: &mut String) -> fmt::Result {
        out.push_str("{\"index\":");
        push_decimal(frame.index.into(), out);
        out.push_str(",\"address\":");
        match frame.address {
            Some(address) => {
                out.push_str("\"0x");
                push_hex(address, out);
                out.push_str("\",");
            }
            None => out.push_str("null,"),
        }
        let key = Arc::as_ptr(&frame.info) as usize;
        match self.texts.get(&key) {
            Some(text) => out.push_str(text),
            None => {
                let text = fields(&frame.info)?;
                out.push_str(&text);
                self.texts.insert(key, text);
            }
        }
        out.push_str(match frame.inlined {
            true => ",\"inlined\":true,\"class\":\"",
            false => ",\"inlined\":false,\"class\":\"",
        });
        out.push_str(class.as_str());
        out.push_str("\"}");
        Ok(())
    }
}

/// Returns the fields that depend only on a frame's information.
fn fields(info: &Arc<FrameInfo>) -> Result<String, fmt::Error> {
    let frame = Frame {
        index: 0,
        address: None,
        inlined: false,
        info: Arc::clone(info),
    };
    let text = serialize(&wire::Frame::new(&frame, Class::Own))?;
    let fields = text.strip_prefix(HEAD).and_then(|t| t.strip_suffix(TAIL));
    fields.map(String::from).ok_or(fmt::Error)
}
