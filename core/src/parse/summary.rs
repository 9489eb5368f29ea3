//! valgrind's summaries: the totals with which the records are compared.

use super::memcheck::amount;
use crate::bytes::{after, trim_start};
use crate::model::{Amount, LeakSummary, Report};

/// Reads an indented line of `HEAP SUMMARY` or `LEAK SUMMARY`. Returns false if the line isn't one.
pub(crate) fn indented(text: &[u8], report: &mut Report) -> bool {
    let text = trim_start(text);
    let Some(colon) = memchr::memchr(b':', text) else {
        return false;
    };
    let name = &text[..colon];
    let value = trim_start(&text[colon + 1..]);
    if name == b"in use at exit" {
        report.totals.in_use = bytes_in_blocks(value);
        return true;
    }
    if name == b"total heap usage" {
        return true;
    }
    let Some(field) = field(name) else {
        return matches!(name, b"of which reachable via heuristic");
    };
    let (Some(leaks), Some(amount)) = (&mut report.totals.leaks, bytes_in_blocks(value)) else {
        return false;
    };
    *field(leaks) = amount;
    leaks.lines = leaks.lines.saturating_add(1);
    true
}

/// Returns true for a row of `HEAP SUMMARY` or `LEAK SUMMARY` without its indentation.
pub(crate) fn is_row(text: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"in use at exit:",
        b"total heap usage:",
        b"definitely lost:",
        b"indirectly lost:",
        b"possibly lost:",
        b"still reachable:",
        b"suppressed:",
        b"of which reachable via heuristic",
    ];
    NAMES.iter().any(|name| text.starts_with(name))
}

/// Returns true if a row ends where valgrind ends it.
pub(crate) fn is_whole_row(text: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[b" blocks", b" blocks.", b" allocated", b"heuristic:"];
    ENDS.iter().any(|end| text.ends_with(end))
}

/// Reads a row of the heap summary of valgrind 3.5 and older: `malloc/free: in use at exit: 0 bytes
/// in 0 blocks.`
pub(crate) fn old_heap(text: &[u8], report: &mut Report) {
    if let Some(value) = after(text, b"in use at exit: ") {
        report.totals.in_use = bytes_in_blocks(value);
    }
}

/// Returns the field of a line of the `LEAK SUMMARY`.
fn field(name: &[u8]) -> Option<fn(&mut LeakSummary) -> &mut Amount> {
    Some(match name {
        b"definitely lost" => |l| &mut l.definite,
        b"indirectly lost" => |l| &mut l.indirect,
        b"possibly lost" => |l| &mut l.possible,
        b"still reachable" => |l| &mut l.reachable,
        b"suppressed" => |l| &mut l.suppressed,
        _ => return None,
    })
}

/// Parses `4,500,148 bytes in 5 blocks`.
fn bytes_in_blocks(text: &[u8]) -> Option<Amount> {
    let (bytes, rest) = amount(text)?;
    let (blocks, rest) = amount(rest.strip_prefix(b" bytes in ")?)?;
    rest.starts_with(b" blocks")
        .then_some(Amount { bytes, blocks })
}

/// Reads the text after `ERROR SUMMARY: `. Returns false and changes nothing if a part is missing.
pub(crate) fn errors(text: &str, report: &mut Report) -> bool {
    let Some([errors, contexts, suppressed]) = parse_errors(text.as_bytes()) else {
        return false;
    };
    report.totals.errors = Some(errors);
    report.totals.contexts = Some(contexts);
    report.totals.suppressed_errors = Some(suppressed);
    true
}

/// Parses `4 errors from 3 contexts (suppressed: 2 from 1)` into the numbers of errors, contexts
/// and suppressed errors.
pub(crate) fn parse_errors(text: &[u8]) -> Option<[u64; 3]> {
    let (errors, rest) = amount(text)?;
    let (contexts, rest) = amount(rest.strip_prefix(b" errors from ")?)?;
    let (suppressed, _) = amount(after(rest, b"(suppressed: ")?)?;
    Some([errors, contexts, suppressed])
}
