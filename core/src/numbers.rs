//! Formats numbers for reports.

use alloc::format;
use alloc::string::{String, ToString};

use crate::model::Kind;

/// Returns a number with its noun: `1 byte`, `4,096 bytes`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Returns an amount of memory: `4,096 bytes in 1 block`.
pub(crate) fn amount(bytes: u64, blocks: u64) -> String {
    format!(
        "{} in {}",
        count(bytes, "byte", "bytes"),
        count(blocks, "block", "blocks")
    )
}

/// Returns the size of a finding: an amount of memory, or the number of descriptors if they leaked.
pub(crate) fn amount_for_kind(kind: &str, bytes: u64, blocks: u64) -> String {
    if kind == Kind::FD_LEAK.as_str() {
        count(blocks, "descriptor", "descriptors")
    } else {
        amount(bytes, blocks)
    }
}

/// Appends the decimal digits of a number. The standard library's formatting takes longer.
pub(crate) fn push_decimal(n: u64, out: &mut String) {
    push_digits::<10>(n, out);
}

/// Appends the hexadecimal digits of a number, without a prefix.
pub(crate) fn push_hex(n: u64, out: &mut String) {
    push_digits::<16>(n, out);
}

fn push_digits<const BASE: u64>(n: u64, out: &mut String) {
    /// The decimal digits of the largest number.
    const MAX: usize = 20;
    let mut digits = [0; MAX];
    let mut rest = n;
    let mut start = MAX;
    while start == MAX || rest > 0 {
        start -= 1;
        digits[start] = b"0123456789abcdef"[(rest % BASE) as usize];
        rest /= BASE;
    }
    // Digits are valid UTF-8.
    out.push_str(core::str::from_utf8(&digits[start..]).unwrap_or_default());
}

/// Returns a number with `,` as the thousands separator.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!(grouped(4_510_308), "4,510,308");
        assert_eq!(grouped(999), "999");
        for n in [0, 7, 10, 4096, u64::MAX] {
            let mut digits = String::new();
            push_decimal(n, &mut digits);
            assert_eq!(digits, n.to_string());
            digits.clear();
            push_hex(n, &mut digits);
            assert_eq!(digits, format!("{n:x}"));
        }
        assert_eq!(count(1, "byte", "bytes"), "1 byte");
        assert_eq!(amount(4096, 2), "4,096 bytes in 2 blocks");
        assert_eq!(amount_for_kind("fd-leak", 0, 2), "2 descriptors");
        assert_eq!(amount_for_kind("leak-definite", 1, 1), "1 byte in 1 block");
    }
}
