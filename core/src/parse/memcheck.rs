//! memcheck's messages.
//!
//! Sources: `memcheck/mc_errors.c` (`MC_(pp_Error)`, `pp_LossRecord`), `coregrind/m_addrinfo.c`,
//! `coregrind/m_clientstate.c` for file descriptors.

use memchr::memmem;

use crate::bytes::{after, contains, grouped};
use crate::model::{Kind, Leak, Role};

/// Starts of headlines, and the kinds of the errors. The end of a headline may be missing.
pub(super) const HEADLINES: &[(&str, &str)] = &[
    ("Invalid read", "invalid-read"),
    ("Invalid write", "invalid-write"),
    ("Use of uninitialised value", "uninit-value"),
    ("Conditional jump or move depends on", "uninit-condition"),
    ("Syscall param ", "syscall-param"),
    (
        "Unaddressable byte(s) found during client check request",
        "client-check",
    ),
    (
        "Uninitialised byte(s) found during client check request",
        "client-check",
    ),
    ("Invalid free()", "invalid-free"),
    ("Mismatched free()", "mismatched-free"),
    ("Jump to the invalid address", "invalid-jump"),
    ("Source and destination overlap", "overlap"),
    ("Illegal memory pool address", "invalid-mem-pool"),
    ("realloc() with size 0", "realloc-size-zero"),
    ("Invalid size value: ", "invalid-size-and-alignment"),
    ("Invalid alignment value: ", "invalid-alignment"),
    ("Unsafe allocation with size of zero", "invalid-size"),
    ("Open file descriptor ", "fd-leak"),
    ("Open socket ", "fd-leak"),
    ("Block 0x", "overlapping-blocks"),
];

/// The kind of the message that memcheck prints before it gives up because blocks of a custom
/// allocator overlap.
pub(crate) const OVERLAPPING_BLOCKS: &str = "overlapping-blocks";

/// Starts of the lines that valgrind prints with one more space than a headline. White space may
/// have been collapsed on the way, so these lines are recognized by their words.
///
/// Sources: `coregrind/m_addrinfo.c`, `m_debuginfo/debuginfo.c` (`format_message`), `m_signals.c`.
const DETAILS: &[&str] = &[
    "Address 0x",
    "Block was alloc'd",
    "Uninitialised value was created",
    "Previously closed",
    "Originally opened",
    "Location 0x",
    "declared at ",
    "a global variable declared at ",
    "in frame #",
    "Blocks allocation contexts:",
    "<inherited from parent>",
    "(thread finished, call stack",
    "with error code ",
    "Lock at 0x",
    "followed by a later acquisition",
    "Access not within mapped region",
    "Bad permissions for mapped region",
    "General Protection Fault",
    "Illegal opcode",
    "Illegal operand",
    "Illegal addressing mode",
    "Illegal trap",
    "Privileged opcode",
    "Privileged register",
    "Coprocessor error",
    "Internal stack error",
    "Integer divide by zero",
    "Integer overflow",
    "FP ",
    "Invalid address alignment",
    "Non-existent physical address",
    "Hardware error",
    "If you believe this happened as a result of a stack",
    "overflow in your program's main thread",
    "possible), you can try to increase the size of the",
    "main thread stack using the --main-stacksize",
    "The main thread stack size used in this run was",
];

/// Returns the kind of a headline.
pub(crate) fn headline_kind(text: &str) -> Option<Kind> {
    if let Some((_, kind)) = HEADLINES.iter().find(|(start, _)| text.starts_with(start)) {
        let is_other = *kind == OVERLAPPING_BLOCKS && !text.contains(" overlaps with block 0x");
        return (!is_other).then(|| Kind::from_static(kind));
    }
    let kind = if text.starts_with("Argument '") && text.contains("fishy (possibly negative) value")
    {
        "fishy-value"
    } else if text.contains(" invalid size value: ") {
        "invalid-size"
    } else if text.ends_with(" contains unaddressable byte(s)") {
        "core-mem-error"
    } else if text.starts_with("Mismatched ") && text.contains("alignment") {
        "mismatched-allocate-deallocate-alignment"
    } else if text.starts_with("Mismatched new/delete")
        || (text.starts_with("Mismatched ") && text.contains("size value"))
    {
        "mismatched-allocate-deallocate-size"
    } else if text.starts_with("File descriptor ") {
        return descriptor(text);
    } else if text.starts_with("Open ") && text.contains(" socket ") {
        // A family without a name is `pf-N`, and `AF_…` otherwise.
        "fd-leak"
    } else {
        return None;
    };
    Some(Kind::from_static(kind))
}

/// Returns the kind of a headline about a file descriptor.
fn descriptor(text: &str) -> Option<Kind> {
    if text.ends_with(" is already closed") {
        Some(Kind::from_static("fd-bad-close"))
    } else if text.ends_with(" was never created") || text.ends_with(" was closed already") {
        Some(Kind::from_static("fd-bad-use"))
    } else {
        None
    }
}

/// Returns true for a line that describes an error or a signal, whatever white space it begins
/// with.
pub(crate) fn is_detail(text: &[u8]) -> bool {
    DETAILS
        .iter()
        .any(|start| text.starts_with(start.as_bytes()))
        || text.ends_with(b" bytes below stack pointer")
}

/// Returns true for a line that can only follow the stack of an error.
pub(crate) fn follows_stack(text: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"Address 0x",
        b"Block was alloc'd",
        b"Uninitialised value was created",
        b"Previously closed",
        b"Originally opened",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// Returns the role of the stack that a line with one leading space introduces, such as ` Address
/// 0x… is 0 bytes inside a block of size 4 free'd`.
pub(crate) fn stack_role(text: &[u8]) -> Option<Role> {
    let text = text.trim_ascii();
    if text.ends_with(b"free'd") || text == b"Previously closed" {
        Some(Role::Free)
    } else if text.ends_with(b"alloc'd")
        || text.starts_with(b"Block was alloc'd")
        || contains(text, b"alloc'd at")
        || text == b"Originally opened"
        || text.ends_with(b"client-defined")
    {
        Some(Role::Allocation)
    } else if text.starts_with(b"Uninitialised value was created") {
        Some(Role::Origin)
    } else {
        None
    }
}

/// Parses `40 (16 direct, 24 indirect) bytes in 1 blocks are definitely lost in loss record 3 of
/// 4`. Numbers may have a change (`50 (+50)`) and `,` as thousands separator. The text after `lost`
/// varies (since 3.27 `in new loss record`), and may be cut.
pub(crate) fn loss_record(text: &[u8]) -> Option<(Kind, Leak)> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (bytes, rest) = amount(text)?;
    let (direct, indirect, rest) = match rest.strip_prefix(b" (") {
        None => (bytes, 0, rest),
        Some(inner) => {
            let (direct, rest) = amount(inner)?;
            let (indirect, rest) = amount(rest.strip_prefix(b" direct, ")?)?;
            (direct, indirect, rest.strip_prefix(b" indirect)")?)
        }
    };
    let (blocks, rest) = amount(rest.strip_prefix(b" bytes in ")?)?;
    let state = rest.strip_prefix(b" blocks are ")?;
    let states: [(&[u8], Kind); 4] = [
        (b"definitely lost", Kind::LEAK_DEFINITE),
        (b"indirectly lost", Kind::LEAK_INDIRECT),
        (b"possibly lost", Kind::LEAK_POSSIBLE),
        (b"still reachable", Kind::LEAK_REACHABLE),
    ];
    let is_state =
        |name: &[u8]| state.starts_with(name) || (!state.is_empty() && name.starts_with(state));
    let (_, kind) = states.into_iter().find(|(name, _)| is_state(name))?;
    let is_indirect = kind == Kind::LEAK_INDIRECT;
    let leak = Leak {
        bytes,
        blocks,
        direct_bytes: if is_indirect { 0 } else { direct },
        indirect_bytes: if is_indirect { bytes } else { indirect },
    };
    Some((kind, leak))
}

/// Returns true if the headline of a loss record is complete up to its last number.
pub(crate) fn is_whole_loss_record(text: &[u8]) -> bool {
    let Some(numbers) = after(text, b"loss record ") else {
        return false;
    };
    let last = after(numbers, b" of ").and_then(grouped);
    last.is_some_and(|(_, rest)| rest.is_empty())
}

/// Removes ` in loss record 3 of 4` from the title of a loss record, because it changes with every
/// other leak.
pub(crate) fn without_record_number(title: &str) -> &str {
    let cut = [&b" in loss record"[..], b" in new loss record"]
        .into_iter()
        .find_map(|part| memmem::find(title.as_bytes(), part));
    cut.map_or(title, |at| &title[..at])
}

/// Parses a number with thousands separators, and skips the change since the last leak check:
/// `1,050 (+50)`. Also returns the rest of the text.
pub(crate) fn amount(text: &[u8]) -> Option<(u64, &[u8])> {
    let (value, rest) = grouped(text)?;
    let change = rest
        .strip_prefix(b" (+")
        .or_else(|| rest.strip_prefix(b" (-"));
    let after_change = change
        .and_then(grouped)
        .and_then(|(_, tail)| tail.strip_prefix(b")"));
    Some((value, after_change.unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_records_are_parsed() {
        for (text, want) in [
            (
                "40 bytes in 1 blocks are definitely lost in loss record 1 of 2",
                Some(("leak-definite", 40, 1, 40, 0)),
            ),
            (
                "4,500,040 (16 direct, 4,500,024 indirect) bytes in 1 blocks are definitely lost in \
                 loss record 3 of 4",
                Some(("leak-definite", 4_500_040, 1, 16, 4_500_024)),
            ),
            (
                "50 (+50) bytes in 1 (+1) blocks are possibly lost in new loss record 2 of 2",
                Some(("leak-possible", 50, 1, 50, 0)),
            ),
            (
                "40 (+40) (16 (+16) direct, 24 (+24) indirect) bytes in 1 (+1) blocks are definitely \
                 lost in loss record 1 of 1",
                Some(("leak-definite", 40, 1, 16, 24)),
            ),
            (
                "24 bytes in 1 blocks are indirectly lost in loss record 1 of 2",
                Some(("leak-indirect", 24, 1, 0, 24)),
            ),
            (
                "8 bytes in 2 blocks are still reachable in loss record 1 of 2",
                Some(("leak-reachable", 8, 2, 8, 0)),
            ),
            (
                "40 bytes in 1 blocks are definitely lo",
                Some(("leak-definite", 40, 1, 40, 0)),
            ),
            ("40 bytes in 1 blocks are ", None),
            ("40 bytes in 1 blocks are free", None),
            ("1 errors in context 1 of 9:", None),
        ] {
            let got = loss_record(text.as_bytes());
            let got = got.as_ref().map(|(k, l)| {
                (
                    k.as_str(),
                    l.bytes,
                    l.blocks,
                    l.direct_bytes,
                    l.indirect_bytes,
                )
            });
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn headlines_have_kinds() {
        for (text, want) in [
            ("Invalid read of size 4", Some("invalid-read")),
            (
                "Invalid free() / delete / delete[] / realloc()",
                Some("invalid-free"),
            ),
            (
                "Argument 'size' of function malloc has a fishy (possibly negative) value: -3",
                Some("fishy-value"),
            ),
            (
                "File descriptor 6: /dev/null is already closed",
                Some("fd-bad-close"),
            ),
            ("File descriptor 77 was never created", Some("fd-bad-use")),
            ("Open AF_UNIX socket 8: <unknown>", Some("fd-leak")),
            ("Open pf-17 socket 4", Some("fd-leak")),
            ("Open questions about a thing", None),
            (
                "Block 0x4a8e040..0x4a8e060 overlaps with block 0x4a8e050..0x4a8e070",
                Some("overlapping-blocks"),
            ),
            ("Block 0x4a8e040 is free", None),
            ("HEAP SUMMARY:", None),
            ("Warning: set address range perms", None),
        ] {
            assert_eq!(
                headline_kind(text).as_ref().map(Kind::as_str),
                want,
                "{text}"
            );
        }
    }
}
