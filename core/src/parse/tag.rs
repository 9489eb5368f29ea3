//! The tag that identifies the process that wrote a line: `==PID==` and its variants.
//!
//! valgrind: `==PID== text`, `--PID-- text`, `**PID** text`, with `--time-stamp=yes`
//! `==DD:HH:MM:SS.mmm PID==` (`m_libcprint.c`, `add_to__vmessage_buf`). Sanitizers: `==PID==text`,
//! with `log_exe_name=1` `==EXE==PID==text` (`sanitizer_printf.cpp`). If the program's last line
//! had no line feed, its text comes before the tag. So tags are also searched for within the line.

use crate::bytes::{find as find_bytes, number, trim_start};

/// The tag of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// The character of the tag: `=`, `-` or `*`.
    pub(crate) mark: u8,
    pub(crate) pid: u64,
    /// Position of the tag in the line.
    pub(crate) at: usize,
    /// The text after the tag.
    pub(crate) rest: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Returns the text after the space that follows valgrind's tags, which may be a tab instead.
    pub(crate) fn text(&self) -> &'a [u8] {
        match self.rest {
            [b' ' | b'\t', text @ ..] => text,
            _ => self.rest,
        }
    }

    /// Returns true for valgrind's tags, which a space follows. Sanitizers print no space, except
    /// those of 2012 before `ERROR:`.
    pub(crate) fn is_valgrind(&self) -> bool {
        match self.rest {
            [] => true,
            [b' ', text @ ..] if text.first().is_some_and(u8::is_ascii_uppercase) => {
                let levels: [&[u8]; 4] = [b"ERROR: ", b"WARNING: ", b"HINT: ", b"ABORTING"];
                !levels.iter().any(|level| text.starts_with(level))
            }
            // A tab or a no-break space may have replaced the space.
            [b' ' | b'\t', ..] | [0xc2, 0xa0, ..] => true,
            _ => self.mark != b'=',
        }
    }
}

/// Finds the first tag of a line.
pub(crate) fn find(line: &[u8]) -> Option<Tag<'_>> {
    let start = line.len() - trim_start(line).len();
    match line.get(start..)? {
        [b'=', b'=', ..] => parse(line, start, b'=')
            .or_else(|| with_program(line, start))
            .or_else(|| find_from(line, start)),
        [b'-', b'-', ..] => parse(line, start, b'-').or_else(|| find_from(line, start)),
        [b'*', b'*', ..] => parse(line, start, b'*').or_else(|| find_from(line, start)),
        _ => find_from(line, start),
    }
}

/// Finds the next tag of a sanitizer's line, starting at `from`. Some messages have no line feed,
/// so another process continues the same line.
pub(crate) fn find_from(line: &[u8], from: usize) -> Option<Tag<'_>> {
    let hay = line.get(from..)?;
    // In a run of more than two, the last two belong to the tag.
    let is_last = |at: &usize| hay[*at..].starts_with(b"==") && hay.get(at + 2) != Some(&b'=');
    memchr::memchr_iter(b'=', hay)
        .filter(is_last)
        .find_map(|at| {
            let at = from + at;
            if at > 0 && matches!(line[at - 1], b'"' | b'\'' | b'`') {
                // The tag is part of a quotation.
                return None;
            }
            let begins_word = at > 0 && b" \t:]>|".contains(&line[at - 1]);
            parse(line, at, b'=').or_else(|| begins_word.then(|| with_program(line, at)).flatten())
        })
}

/// Finds the first tag after a quote. It is part of a quotation, unless each line begins with a
/// quote.
pub(crate) fn find_quoted(line: &[u8]) -> Option<Tag<'_>> {
    memchr::memchr3_iter(b'"', b'\'', b'`', line)
        .filter(|at| line[at + 1..].starts_with(b"=="))
        .find_map(|at| parse(line, at + 1, b'='))
}

/// Parses the tag at a position.
fn parse(line: &[u8], at: usize, mark: u8) -> Option<Tag<'_>> {
    let digits = line.get(at + 2..)?;
    let digits = after_time(digits).unwrap_or(digits);
    let (pid, rest) = number(digits).or_else(|| after_mask(digits))?;
    let rest = rest.strip_prefix(&[mark, mark])?;
    Some(Tag {
        mark,
        pid,
        at,
        rest,
    })
}

/// Strips what a CI system or a person wrote instead of the pid. All masked processes have the pid
/// 0.
fn after_mask(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(16).position(|b| *b == b'=')?;
    let mask = &bytes[..end];
    let is_mask = matches!(mask, b"PID" | b"pid" | b"<PID>" | b"<pid>" | b"***")
        || (mask.len() > 2 && mask.iter().all(|b| *b == mask[0]) && b"*Xx#".contains(&mask[0]));
    is_mask.then_some((0, &bytes[end..]))
}

/// Strips `DD:HH:MM:SS.mmm `.
fn after_time(bytes: &[u8]) -> Option<&[u8]> {
    let (stamp, rest) = bytes.split_at_checked(16)?;
    let fits = stamp.iter().zip(b"00:00:00:00.000 ").all(|(b, p)| {
        if *p == b'0' {
            b.is_ascii_digit()
        } else {
            b == p
        }
    });
    fits.then_some(rest)
}

/// Parses `==EXE==PID==`.
fn with_program(line: &[u8], at: usize) -> Option<Tag<'_>> {
    let name = line.get(at + 2..)?;
    let end = find_bytes(name, b"==")?;
    let plausible =
        end > 0 && end < 256 && !name[..end].iter().any(|b| matches!(b, b' ' | b'=' | b'\t'));
    if !plausible {
        return None;
    }
    parse(line, at + 2 + end, b'=').map(|tag| Tag { at, ..tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found() {
        for (line, want) in [
            (
                "==12== Invalid read",
                Some((b'=', 12, 0, " Invalid read", true)),
            ),
            ("==12==", Some((b'=', 12, 0, "", true))),
            ("==12==ERROR: x", Some((b'=', 12, 0, "ERROR: x", false))),
            (
                "==12== ERROR: AddressSanitizer",
                Some((b'=', 12, 0, " ERROR: AddressSanitizer", false)),
            ),
            (
                "==12== ERROR SUMMARY: 0",
                Some((b'=', 12, 0, " ERROR SUMMARY: 0", true)),
            ),
            (
                "==12== FATAL: in suppressions file",
                Some((b'=', 12, 0, " FATAL: in suppressions file", true)),
            ),
            ("--12-- REDIR", Some((b'-', 12, 0, " REDIR", true))),
            ("--> ==12== Invalid", Some((b'=', 12, 4, " Invalid", true))),
            (
                "==12==\tat 0x1: f",
                Some((b'=', 12, 0, "\tat 0x1: f", true)),
            ),
            (
                "==12==\u{a0}Invalid",
                Some((b'=', 12, 0, "\u{a0}Invalid", true)),
            ),
            ("**12** hello", Some((b'*', 12, 0, " hello", true))),
            ("==00:00:00:00.534 15== x", Some((b'=', 15, 0, " x", true))),
            (
                "==prog==15==ERROR: x",
                Some((b'=', 15, 0, "ERROR: x", false)),
            ),
            (
                "text: ==15== LEAK SUMMARY:",
                Some((b'=', 15, 6, " LEAK SUMMARY:", true)),
            ),
            (">>==15== x", Some((b'=', 15, 2, " x", true))),
            ("=====15==ERROR: x", Some((b'=', 15, 3, "ERROR: x", false))),
            (
                "[build] ==prog==15==ERROR: x",
                Some((b'=', 15, 8, "ERROR: x", false)),
            ),
            ("==***== Invalid", Some((b'=', 0, 0, " Invalid", true))),
            ("x ==PID==ERROR: x", Some((b'=', 0, 2, "ERROR: x", false))),
            ("==12345", None),
            ("==id==", None),
            ("==== 12 ====", None),
            ("a==b", None),
            ("x=0==y", None),
            ("", None),
        ] {
            let got = find(line.as_bytes());
            let got = got.map(|t| {
                (
                    t.mark,
                    t.pid,
                    t.at,
                    core::str::from_utf8(t.rest).unwrap(),
                    t.is_valgrind(),
                )
            });
            assert_eq!(got, want, "{line}");
        }
    }
}
