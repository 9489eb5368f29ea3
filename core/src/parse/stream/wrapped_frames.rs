//! Frames of sanitizers that a terminal broke at its width.

use alloc::vec::Vec;

use super::Stream;
use crate::bytes::{contains, trim_start};
use crate::line::Line;
use crate::parse::collect::Collector;
use crate::parse::detect::Markers;
use crate::parse::valgrind::is_round_width;

/// Maximum number of lines that one frame fills.
const MAX_PARTS: usize = 200;

/// A frame that fills the width of a terminal, and the lines in which it may go on.
#[derive(Clone, Debug)]
pub(super) struct WrappedFrame {
    parts: Vec<Part>,
    /// The text of all parts.
    joined: Vec<u8>,
    /// Length of a full line, with all prefixes.
    width: usize,
}

/// A line that is a part of a frame.
#[derive(Clone, Debug)]
struct Part {
    /// The text without prefixes.
    text: Vec<u8>,
    /// The line as it is in the log.
    raw: Vec<u8>,
    number: u64,
}

impl Part {
    fn new(text: &[u8], line: &Line<'_>) -> Self {
        Self {
            text: text.to_vec(),
            raw: line.bytes.to_vec(),
            number: line.number,
        }
    }
}

impl Stream {
    /// Keeps a frame that may go on in the next line. Returns false if it can't.
    pub(super) fn holds_frame(&mut self, text: &[u8], line: &Line<'_>) -> bool {
        let width = line.bytes.len();
        let fills_width = self.fills_width(line);
        self.longest_untagged = self.longest_untagged.max(width);
        if !fills_width || line.continues {
            return false;
        }
        self.wrapped = Some(WrappedFrame {
            parts: [Part::new(text, line)].into(),
            joined: text.to_vec(),
            width,
        });
        true
    }

    /// Returns true if a frame fills the width of a terminal.
    pub(super) fn fills_width(&self, line: &Line<'_>) -> bool {
        let width = line.bytes.len();
        width >= self.longest_untagged && is_round_width(width)
    }

    /// Reads the line after a frame that may go on in it. Returns false if the line is another one.
    pub(super) fn resumes_frame(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        markers: &Markers,
        out: &mut Collector,
    ) -> bool {
        let Some(mut frame) = self.wrapped.take() else {
            return false;
        };
        let width = line.bytes.len();
        let is_part = frame.can_go_on_in(text)
            && width <= frame.width
            && frame.parts.len() < MAX_PARTS
            && !markers.contains_any(text);
        if !is_part {
            self.end_frame(frame, out);
            return false;
        }
        frame.joined.extend_from_slice(text);
        frame.parts.push(Part::new(text, line));
        if width == frame.width {
            self.wrapped = Some(frame);
        } else {
            self.end_frame(frame, out);
        }
        true
    }

    /// Reads a frame that waited for its next line.
    pub(super) fn flush_frame(&mut self, out: &mut Collector) {
        if let Some(frame) = self.wrapped.take() {
            self.end_frame(frame, out);
        }
    }

    /// Reads the lines as one if they are a frame together, else each by itself.
    fn end_frame(&mut self, mut frame: WrappedFrame, out: &mut Collector) {
        if has_location(&frame.joined) {
            let raw: Vec<u8> = frame
                .parts
                .iter()
                .flat_map(|part| &part.raw)
                .copied()
                .collect();
            let number = frame.parts[0].number;
            frame.parts = [Part {
                text: frame.joined,
                raw,
                number,
            }]
            .into();
        }
        for part in &frame.parts {
            let line = Line {
                bytes: &part.raw,
                number: part.number,
                continues: false,
            };
            self.untagged(&part.text, &line, out);
        }
    }
}

impl WrappedFrame {
    /// Returns true if the next line may be a part of the frame.
    fn can_go_on_in(&self, next: &[u8]) -> bool {
        let is_indented = next.starts_with(b"  ") || next.starts_with(b"\t");
        if next.trim_ascii().is_empty() || is_indented || trim_start(next).starts_with(b"#") {
            return false;
        }
        if !has_location(&self.joined) {
            return true;
        }
        // The module and the build id come after a place, and numbers may be cut.
        next.starts_with(b" (")
            || next.starts_with(b"(BuildId: ")
            || (!self.joined.ends_with(b")")
                && next.iter().all(|b| b.is_ascii_digit() || *b == b':'))
    }
}

/// Returns true if a frame ends with `FILE:LINE`, `FILE:LINE:COLUMN`, `FILE(LINE,COLUMN)`,
/// `(MODULE+0xOFFSET)` or `(BuildId: ID)`.
fn has_location(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    if let Some(inner) = text.strip_suffix(b")") {
        let start = memchr::memrchr(b'(', inner).map_or(0, |at| at + 1);
        let inner = &inner[start..];
        let is_position = inner.first().is_some_and(u8::is_ascii_digit)
            && inner.iter().all(|b| b.is_ascii_digit() || *b == b',');
        return is_position || contains(inner, b"+0x") || inner.starts_with(b"BuildId: ");
    }
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && text[..text.len() - digits].ends_with(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_recognized() {
        for (text, want) in [
            ("    #0 0x1 in f(int) /src/a.c:3:5", true),
            ("    #0 0x1 in f(int) /src/a.c:3", true),
            ("    #0 0x1 in f (/bin/a+0x12) (BuildId: 12ab)", true),
            ("    #0 0x1 (/bin/a+0x12)", true),
            ("    #0 0x1 in f C:\\src\\a.cc(12,3)", true),
            ("    #0 0x1 in f(int)", false),
            ("    #0 0x1 in f /src/a.c", false),
            ("    #0 0x1 in f (/bin/a", false),
        ] {
            assert_eq!(has_location(text.as_bytes()), want, "{text}");
        }
    }
}
