//! LeakSanitizer's messages: leak records, totals, caps, and the table of its own suppressions.
//!
//! Source: compiler-rt `lsan/lsan_common.cpp` (`LeakReport::PrintReportForLeak`, `PrintSummary`,
//! `PrintMatchedSuppressions`).

use crate::bytes::{number, trim_start};
use crate::model::{Amount, Kind, Leak};

/// Parses `Direct leak of 24 byte(s) in 1 object(s) allocated from:`.
pub(crate) fn record(line: &[u8]) -> Option<(Kind, Leak)> {
    let text = trim_start(line);
    let (kind, direct) = match text {
        [b'D', ..] => (Kind::LEAK_DEFINITE, true),
        [b'I', b'n', b'd', ..] => (Kind::LEAK_INDIRECT, false),
        _ => return None,
    };
    let rest = text.strip_prefix(if direct {
        &b"Direct leak of "[..]
    } else {
        b"Indirect leak of "
    })?;
    let (bytes, rest) = number(rest)?;
    let (blocks, _) = number(rest.strip_prefix(b" byte(s) in ")?)?;
    let direct_bytes = if direct { bytes } else { 0 };
    Some((
        kind,
        Leak {
            bytes,
            blocks,
            direct_bytes,
            indirect_bytes: bytes - direct_bytes,
        },
    ))
}

/// Parses the text after `SUMMARY: …Sanitizer: ` in the summary of leaks: `4136 byte(s) leaked in 2
/// allocation(s).`
pub(crate) fn total(text: &[u8]) -> Option<Amount> {
    let (amount, rest) = leaked(text)?;
    rest.starts_with(b" allocation(s)").then_some(amount)
}

fn leaked(text: &[u8]) -> Option<(Amount, &[u8])> {
    let (bytes, rest) = number(text)?;
    let (blocks, rest) = number(rest.strip_prefix(b" byte(s) leaked in ")?)?;
    Some((Amount { bytes, blocks }, rest))
}

/// Returns true for a line that is a summary of leaks and nothing else, with which most logs of
/// leaks end. No other check is needed for it.
pub(crate) fn is_whole_summary(line: &[u8]) -> bool {
    [
        &b"SUMMARY: LeakSanitizer: "[..],
        b"SUMMARY: AddressSanitizer: ",
    ]
    .iter()
    .filter_map(|start| leaked(line.strip_prefix(*start)?))
    .any(|(_, rest)| rest == b" allocation(s).")
}

/// Returns true for the lines that state that leaks were omitted.
pub(crate) fn is_cap(text: &[u8]) -> bool {
    let text = trim_start(text);
    text.starts_with(b"Too many leaks! Only the first")
        || (text.starts_with(b"Omitting ") && text.ends_with(b" more leak(s)."))
        || (text.starts_with(b"The ") && text.ends_with(b" top leak(s):"))
}

/// Returns true for a line of `Objects leaked above:`, the addresses that `report_objects=1` adds:
/// `0x602000000000 (16 bytes)`.
pub(crate) fn is_object(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.starts_with(b"0x") && text.ends_with(b" bytes)")
}

/// Parses a row of the table `Suppressions used:`, which contains blocks and bytes: `      1
/// 1337 suppressed_fn_leak`
pub(crate) fn suppression_row(text: &[u8]) -> Option<Amount> {
    let (blocks, rest) = number(trim_start(text))?;
    let (bytes, rest) = number(trim_start(rest.strip_prefix(b" ")?))?;
    rest.starts_with(b" ").then_some(Amount { bytes, blocks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_summaries_without_other_text_are_whole() {
        let whole = b"SUMMARY: LeakSanitizer: 8 byte(s) leaked in 2 allocation(s).";
        assert!(is_whole_summary(whole));
        let cut = &whole[..whole.len() - 1];
        let longer = [&whole[..], b"==7==ABORTING"].concat();
        for other in [
            cut,
            &longer,
            &whole[9..],
            b"SUMMARY: LeakSanitizer: 8 leaks",
        ] {
            assert!(!is_whole_summary(other));
        }
    }

    #[test]
    fn records_and_totals_are_parsed() {
        let (kind, leak) =
            record(b"Direct leak of 24 byte(s) in 2 object(s) allocated from:").unwrap();
        assert_eq!(
            (kind, leak.bytes, leak.blocks, leak.indirect_bytes),
            (Kind::LEAK_DEFINITE, 24, 2, 0)
        );
        let (kind, leak) =
            record(b"Indirect leak of 1 byte(s) in 1 object(s) allocated from:").unwrap();
        assert_eq!(
            (kind, leak.direct_bytes, leak.indirect_bytes),
            (Kind::LEAK_INDIRECT, 0, 1)
        );
        assert!(record(b"Direct leak of many").is_none());
        assert_eq!(
            total(b"25 byte(s) leaked in 3 allocation(s)."),
            Some(Amount {
                bytes: 25,
                blocks: 3
            })
        );
        assert_eq!(total(b"heap-buffer-overflow a.c:1 in f"), None);
    }

    #[test]
    fn caps_and_suppressions_are_recognized() {
        assert!(is_cap(
            b"Too many leaks! Only the first 5000 leaks encountered will be reported."
        ));
        assert!(is_cap(b"Omitting 3 more leak(s)."));
        assert!(is_cap(b"The 2 top leak(s):"));
        assert!(!is_cap(b"The end"));
        assert!(is_object(b"0x602000000000 (16 bytes)") && !is_object(b"0x602000000000"));
        let row = suppression_row(b"      1       1337 some fn");
        assert_eq!(
            row,
            Some(Amount {
                bytes: 1337,
                blocks: 1
            })
        );
        assert_eq!(suppression_row(b"  count      bytes template"), None);
    }
}
