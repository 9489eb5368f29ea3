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

/// Reads the text after `ERROR SUMMARY: `: `4 errors from 3 contexts (suppressed: 2 from 1)`.
/// Returns false and changes nothing if a part is missing.
pub(crate) fn errors(text: &str, report: &mut Report) -> bool {
    let text = text.as_bytes();
    let read = || {
        let (errors, rest) = amount(text)?;
        let (contexts, rest) = amount(rest.strip_prefix(b" errors from ")?)?;
        let (suppressed, _) = amount(after(rest, b"(suppressed: ")?)?;
        Some((errors, contexts, suppressed))
    };
    let Some((errors, contexts, suppressed)) = read() else {
        return false;
    };
    report.totals.errors = Some(errors);
    report.totals.contexts = Some(contexts);
    report.totals.suppressed_errors = Some(suppressed);
    true
}
