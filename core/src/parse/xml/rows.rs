//! A fast path for consecutive lines of an error, of which a large document mostly consists: they
//! are appended to the buffer without checking each for other formats.

use memchr::{memchr, memchr3};

use super::{MAX_ELEMENT, SHORT, State, XmlDocument, element};
use crate::bytes::trim_start;
use crate::parse::collect::Collector;

/// The number of bytes and lines that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) bytes: usize,
    pub(crate) lines: u64,
}

impl XmlDocument {
    /// Reads lines at the start of `text`, which consists of complete lines, as long as they can
    /// only be parts of the open error. `number` is the number of the first line.
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

/// Returns true for a line that begins with an element's tag and contains no colors, no process tag
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
    fn only_plain_element_lines_take_the_fast_path() {
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
