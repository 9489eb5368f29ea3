//! The end of a log that broke off just when a checker began to speak, before there was a report that could be incomplete.

use crate::prefix;

/// True when the last line is the start of a report and nothing more: sanitizers begin with a line of 65 `=`, everybody goes on
/// with `==PID==`.
pub(crate) fn is_cut(tail: &[u8]) -> bool {
    let ended = tail.last() == Some(&b'\n');
    let Some(line) = tail.split(|b| *b == b'\n').rev().map(|l| prefix::strip(l).rest.trim_ascii()).find(|l| !l.is_empty()) else {
        return false;
    };
    is_separator(line) || (!ended && is_start(line))
}

/// The line before a headline (`sanitizer_common/sanitizer_report_decorator.h` and its users). Test runners draw lines too, as
/// wide as their terminal.
fn is_separator(line: &[u8]) -> bool {
    line.len() == 65 && line.iter().all(|b| *b == b'=')
}

/// `==12`, `==123=`, `==123==`, `==123==ERR`
fn is_start(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"==") else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let said = &rest[digits..];
    let headline = said.strip_prefix(b"==").map(<[u8]>::trim_ascii_start);
    digits > 0 && (said.len() < 2 && b"==".starts_with(said) || headline.is_some_and(|h| b"ERROR: ".starts_with(h)))
}

#[cfg(test)]
mod tests {
    use super::is_cut;

    #[test]
    fn the_start_of_a_report_at_the_end_of_a_log() {
        let bars = "=".repeat(65);
        for (tail, want) in [
            ("ok\n==12", true),
            ("ok\n==12=", true),
            ("ok\n==12==", true),
            ("ok\n==12==ERR", true),
            ("ok\n==12==\n", false),
            ("ok\n==12==x", false),
            ("ok\n", false),
            ("", false),
            ("====", false),
        ] {
            assert_eq!(is_cut(tail.as_bytes()), want, "{tail:?}");
        }
        assert!(is_cut(format!("ok\n{bars}\n\n").as_bytes()));
        assert!(is_cut(format!("2026-05-01T12:34:56.1234567Z {bars}").as_bytes()));
        assert!(!is_cut(format!("={bars}").as_bytes()));
    }

    use alloc::format;
}
