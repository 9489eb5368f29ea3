//! The lines of an error in a row: most of a large document, read without asking of each what else
//! it may be.

use memchr::{memchr, memchr3};

use super::{Document, MAX_ELEMENT, SHORT, State, element};
use crate::bytes::trim_start;
use crate::parse::collect::Collector;

/// So many bytes and lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) bytes: usize,
    pub(crate) lines: u64,
}

impl Document {
    /// Reads lines at the start of a text of whole lines, as far as they can be nothing but parts
    /// of the error that is open. `number` is that of the first.
    pub(crate) fn rows(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        let mut rows = Rows::default();
        if self.state != State::Inside || !self.waiting || element::name(&self.buffer) != b"error" {
            return rows;
        }
        let mut is_closed = false;
        while !is_closed {
            let Some(row) =
                memchr(b'\n', &text[rows.bytes..]).map(|len| &text[rows.bytes..rows.bytes + len])
            else {
                break;
            };
            let is_too_long = row.len() > out.options.max_line.min(SHORT - 1)
                || self.buffer.len() + rows.bytes + row.len() >= MAX_ELEMENT;
            if is_too_long || !is_plain(row) {
                break;
            }
            out.touch(self.report, row, number + rows.lines);
            is_closed = trim_start(row).starts_with(b"</error>");
            rows.bytes += row.len() + 1;
            rows.lines += 1;
        }
        self.buffer.extend_from_slice(&text[..rows.bytes]);
        if is_closed {
            self.read(number + rows.lines - 1, out);
        }
        rows
    }
}

/// True for a line that begins with a tag of an element, and has no colours, no tag of a process
/// and no carriage return.
fn is_plain(row: &[u8]) -> bool {
    const ESC: u8 = 0x1B;
    let is_element = match trim_start(row) {
        [b'<', b'/', ..] => true,
        [b'<', first, rest @ ..] => {
            first.is_ascii_alphabetic() && !(*first == b'v' && rest.starts_with(b"algrindoutput"))
        }
        _ => false,
    };
    is_element && memchr3(ESC, b'=', b'\r', row).is_none()
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn whatever_else_a_line_may_be_is_left_to_those_who_ask() {
        for row in ["<error>", "      <fn>main</fn>", "\t</stack>"] {
            assert!(is_plain(row.as_bytes()), "{row}");
        }
        for row in [
            "",
            "text",
            "<",
            "<34>x",
            "<valgrindoutput>",
            "<fn>\u{1b}[1mmain</fn>",
            "<fn>operator==</fn>",
            "<fn>main</fn>\r",
            "==",
        ] {
            assert!(!is_plain(row.as_bytes()), "{row}");
        }
    }
}
