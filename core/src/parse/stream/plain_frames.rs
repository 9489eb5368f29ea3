//! A fast path for frames, of which a large report mostly consists.
//!
//! A plain frame contains nothing that the other steps of parsing look for, which is checked once
//! for each text. The property tests compare this path with the other one, because lines that
//! arrive in pieces don't take it.

use super::Stream;
use crate::bytes::contains;
use crate::line::Line;
use crate::parse::collect::{Collector, FrameSyntax};
use crate::parse::valgrind::has_location;
use crate::parse::xml::Rows;
use crate::parse::{frame, tag};
use crate::{carrier, plain};

impl Stream {
    /// Reads the lines at the start of `text`, which consists of complete lines, as long as they
    /// are plain frames of an open report. `number` is the number of the first line.
    pub(crate) fn plain_frames(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        let mut rows = Rows::default();
        let is_other = self.xml.is_some()
            || self.panic.is_some()
            || self.untagged_reports.is_open()
            || self.expects_line();
        if is_other {
            return rows;
        }
        while let Some(length) = memchr::memchr(b'\n', &text[rows.bytes..]) {
            let line = Line {
                bytes: &text[rows.bytes..rows.bytes + length],
                number: number + rows.lines,
                continues: false,
            };
            if length > out.options.max_line || !self.plain_frame(&line, out) {
                break;
            }
            rows.bytes += length + 1;
            rows.lines += 1;
        }
        rows
    }

    /// Reads a plain frame. Returns false if the line is another one.
    fn plain_frame(&mut self, line: &Line<'_>, out: &mut Collector) -> bool {
        match line.bytes {
            [b' ', ..] => self.untagged_frame(line, out),
            [b'=', b'=', digit, ..] if digit.is_ascii_digit() => self.tagged_frame(line, out),
            _ => false,
        }
    }

    /// Reads a plain frame of a sanitizer.
    fn untagged_frame(&mut self, line: &Line<'_>, out: &mut Collector) -> bool {
        let Some(head) = frame::split_numbered(line.bytes) else {
            return false;
        };
        let is_frame = head.index.is_some()
            && head.address.is_some()
            && self.sanitizers.holds_frames()
            && !self.fills_width(line)
            && out.is_plain_frame(FrameSyntax::Sanitizer, head.text, is_plain);
        if !is_frame || !self.sanitizers.frame(head, line, out) {
            return false;
        }
        self.longest_untagged = self.longest_untagged.max(line.bytes.len());
        true
    }

    /// Reads a plain frame of valgrind.
    fn tagged_frame(&mut self, line: &Line<'_>, out: &mut Collector) -> bool {
        let Some(tag) = tag::find(line.bytes).filter(|tag| tag.at == 0 && tag.is_valgrind()) else {
            return false;
        };
        let Some(process) = self.processes.get_mut(&tag.pid) else {
            return false;
        };
        let is_frame = frame::split_valgrind(tag.rest).is_some_and(|(_, head)| {
            out.is_plain_frame(FrameSyntax::Valgrind, head.text, |text| {
                is_plain(text) && has_location(text)
            })
        });
        if !is_frame {
            return false;
        }
        process.line(tag.rest, line, out);
        self.longest = self.longest.max(line.bytes.len());
        true
    }
}

/// Bytes that can't be part of anything but a name or a path: printable ASCII without escapes,
/// quotes and the signs of tags.
const USUAL: [bool; 256] = {
    let mut usual = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        usual[byte as usize] = !matches!(byte, b'=' | b'\\' | b'%' | b'^' | b'`' | b'\'' | b'"');
        byte += 1;
    }
    usual
};

/// Returns true if a line whose frame ends with this text can be nothing but a frame.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| USUAL[usize::from(*byte)])
        && !text.starts_with(b"0x")
        && !contains(text, b"#0")
        && !contains(text, b"valgrindoutput")
        && !contains(text, b": runtime error: ")
        && !plain::needs_work(text)
        && carrier::unescape(text, &|_| true).is_none()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::is_plain;
    use crate::options::Options;
    use crate::parse::{Parsed, Parser};

    #[test]
    fn only_texts_without_other_syntax_are_plain() {
        for text in [
            "in main /src/a.cc:24:18",
            "in std::vector<int, A>::push(int const&) /src/a.h:3",
            "in f[abi:cxx11](int) (/bin/a+0x1) (BuildId: 48ec)",
            "in {lambda()#1}::operator()() const /src/a.cc:3",
            "malloc (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)",
        ] {
            assert!(is_plain(text.as_bytes()), "{text}");
        }
        for text in [
            "0x51",
            "in f /src/a.cc:3==12==ERROR: LeakSanitizer",
            "in a::operator== /src/a.cc:3",
            "in f /src/a.cc:3:4: runtime error: load of null pointer",
            "in f(A&lt;int&gt;) /src/a.cc:3",
            "in f</span> /src/a.cc:3",
            "in f /src/a.cc:3\u{1b}[0m",
            "in f /src/a.cc:3[0m",
            "in f /src/a.cc:3\r",
            "in f C:\\new\\a.cc:3",
            "in f /src/a.cc:3\u{a0}",
            "in f /src/a.cc:3#012",
            "in f /src/a.cc:3^M",
            "in f /src/a.cc:3\"",
            "f (a.cc:3) <valgrindoutput>",
        ] {
            assert!(!is_plain(text.as_bytes()), "{text}");
        }
    }

    fn parse(chunks: &[&[u8]]) -> Parsed {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        chunks.iter().for_each(|chunk| parser.feed(chunk));
        parser.finish()
    }

    #[test]
    fn state_between_frames_is_that_of_the_slow_path() {
        let frame = |n: u32| format!("    #{n} 0x5{n} in f{n} /src/a.cc:{n}\n");
        let leak = "Direct leak of 4 byte(s) in 1 object(s) allocated from:\n";
        let start = format!(
            "==7==ERROR: LeakSanitizer: detected memory leaks\n\n{leak}{}{}\n",
            frame(0),
            frame(1)
        );
        let end = "\nSUMMARY: LeakSanitizer: 8 byte(s) leaked in 2 allocation(s).\n";
        let wide = format!("    #1 0x51 in g /src/{}.cc:3\n", "a".repeat(55));
        let others = [
            format!("{leak}{}{}", frame(0), frame(3)),
            format!(
                "{leak}{}==8==ERROR: AddressSanitizer: x\n{}",
                frame(0),
                frame(1)
            ),
            format!("{leak}{}{wide}4\n{}", frame(0), frame(2)),
            format!("{leak}\n{}\n{}\n{}\n", frame(0), frame(1), frame(2)),
            format!("{}{leak}{}", frame(0), frame(1)),
        ];
        let tagged = "==9== Invalid read of size 4\n==9==    at 0x51: f (a.c:3)\n\
            ==9==    by 0x52: main (a.c:9)\n";
        let logs = others
            .iter()
            .map(|other| format!("{start}{other}{end}"))
            // A frame after valgrind's frames isn't relevant.
            .chain([format!("{tagged}{}{tagged}{start}{end}", frame(0))]);
        for log in logs {
            let lines: Vec<&[u8]> = log.as_bytes().chunks(1).collect();
            let [whole, slow] = [parse(&[log.as_bytes()]), parse(&lines)];
            assert_eq!(format!("{whole:?}"), format!("{slow:?}"), "{log}");
        }
    }
}
