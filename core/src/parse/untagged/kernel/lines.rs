//! The lines of the kernel's reports: introductions of stacks, frames, explanations, and dumps.
//!
//! Sources: Linux `lib/dump_stack.c`, `kernel/kallsyms.c`, `scripts/decode_stacktrace.sh`,
//! `arch/arm/kernel/traps.c`, `arch/powerpc/kernel/process.c`, `mm/slub.c`; the Linux Kernel
//! Library `tools/lkl`.

use crate::bytes::{after, before, contains, find, hex, number, trim_start};
use crate::model::Role;
use crate::parse::collect::FrameSyntax;
use crate::parse::frame::{self, SplitFrame};

/// A frame and its syntax.
pub(super) struct KernelFrame<'a> {
    pub(super) syntax: FrameSyntax,
    pub(super) frame: SplitFrame<'a>,
}

/// Returns the role of the stack that a line introduces. `needs_error_stack` is true until the
/// stack of the error itself was read.
pub(super) fn stack_role(text: &[u8], needs_error_stack: bool) -> Option<Role> {
    let has = |part: &[u8]| contains(text, part);
    if is_trace_heading(text) {
        return Some(if needs_error_stack {
            Role::Access
        } else {
            Role::Other
        });
    }
    // SLUB's dump, which old kernels print within KASAN's report.
    let tracked = text.strip_prefix(b"INFO: ").unwrap_or(text);
    if contains(tracked, b" age=") {
        return if tracked.starts_with(b"Allocated in ") {
            Some(Role::Allocation)
        } else if tracked.starts_with(b"Freed in ") {
            Some(Role::Free)
        } else {
            None
        };
    }
    if !text.ends_with(b":") {
        return None;
    }
    // KCSAN names both accesses. KFENCE repeats the error with its address.
    let is_access = [
        &b"read "[..],
        b"write ",
        b"race at unknown origin",
        b"assert no ",
    ]
    .iter()
    .any(|prefix| text.starts_with(prefix));
    if is_access && (has(b" by task ") || has(b" by interrupt")) {
        return Some(if needs_error_stack {
            Role::Access
        } else {
            Role::Conflict
        });
    }
    if has(b" (in kfence-#") || has(b" of kfence-#") || has(b" right of kfence") {
        return Some(Role::Access);
    }
    let lower = text.to_ascii_lowercase();
    let starts = |part: &[u8]| lower.starts_with(part);
    if starts(b"freed by task") {
        Some(Role::Free)
    } else if starts(b"allocated by task") {
        Some(Role::Allocation)
    } else if starts(b"uninit was created at:")
        || starts(b"uninit was stored to memory at:")
        || (starts(b"local variable ") && lower.ends_with(b" created at:"))
    {
        Some(Role::Origin)
    } else if lower.ends_with(b"work creation:") || lower.ends_with(b"stack is:") {
        Some(Role::Other)
    } else {
        None
    }
}

/// Returns true for `Call Trace:`, `Call trace:`, `Backtrace:`, `Linux Kernel Library Stack
/// Trace:`.
pub(super) fn is_trace_heading(text: &[u8]) -> bool {
    let is = |heading: &[u8]| text.eq_ignore_ascii_case(heading);
    is(b"call trace:")
        || is(b"backtrace:")
        || is(b"stack trace:")
        || (text.starts_with(b"Linux ") && text.ends_with(b" Stack Trace:"))
}

/// Parses a frame. Returns `Some(None)` for a frame that the unwinder marks as unreliable, and
/// `None` for a line that isn't a frame.
pub(super) fn parse_frame(text: &[u8]) -> Option<Option<KernelFrame<'_>>> {
    let text = text.trim_ascii();
    if text.starts_with(b"#") {
        return library_frame(text).map(Some);
    }
    let (address, site) = split_address(text)?;
    let unreliable = site.strip_prefix(b"? ");
    let site = caller(unreliable.unwrap_or(site));
    let name = site.split(|b| *b == b' ').next()?;
    let has_size = after(name, b"+0x")
        .and_then(hex)
        .is_some_and(|(_, rest)| rest.starts_with(b"/0x"));
    let is_frame = has_size
        || site.ends_with(b"[inline]")
        || is_decoded(site)
        || is_from(site)
        || (address.is_some() && !name.is_empty());
    is_frame.then(|| {
        unreliable.is_none().then_some(KernelFrame {
            syntax: FrameSyntax::Kernel,
            frame: SplitFrame {
                index: None,
                address,
                text: site,
            },
        })
    })
}

/// Parses a frame of the Linux Kernel Library: `#3 [<0x0000000000610004>] f+0x9a/0x1b9`, or after
/// symbolization `#3 0x0000000000610004 in f /src/demo.c:41:9`.
fn library_frame(text: &[u8]) -> Option<KernelFrame<'_>> {
    let (index, rest) = number(text.strip_prefix(b"#")?)?;
    let Some(rest) = rest.strip_prefix(b" [<") else {
        let frame = frame::split_numbered(text).filter(|frame| frame.address.is_some())?;
        return Some(KernelFrame {
            syntax: FrameSyntax::Sanitizer,
            frame,
        });
    };
    let (address, rest) = hex(rest.strip_prefix(b"0x").unwrap_or(rest))?;
    let site = trim_start(rest.strip_prefix(b">]")?);
    Some(KernelFrame {
        syntax: FrameSyntax::Kernel,
        frame: SplitFrame {
            index: u32::try_from(index).ok(),
            address: Some(address),
            text: site,
        },
    })
}

/// Splits the address off: `[<ffffffff81000000>] f`, or on PowerPC after the stack pointer
/// `[c000000002c8f6b0] [c0000000004a1b2c] f`.
fn split_address(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    let text = text
        .strip_prefix(b"(")
        .filter(|text| text.starts_with(b"[<"))
        .unwrap_or(text);
    if let Some((address, rest)) = text.strip_prefix(b"[<").and_then(hex) {
        let rest = rest.strip_prefix(b">]")?;
        let rest = rest.strip_prefix(b")").unwrap_or(rest);
        return Some((Some(address), trim_start(rest)));
    }
    let bracketed = |text: &[u8]| {
        let (address, rest) = hex(text.strip_prefix(b"[")?).filter(|_| text.len() > 17)?;
        Some((address, rest.strip_prefix(b"] ")?.len()))
    };
    if let Some((_, rest)) = bracketed(text)
        && let Some((address, rest)) = bracketed(&text[text.len() - rest..])
    {
        return Some((Some(address), &text[text.len() - rest..]));
    }
    Some((None, text))
}

/// Returns the function of a frame that also names its caller, as on ARM: `(f) from [<c0011a30>]
/// (g+0x18/0x1c)`, `(f+0x18/0x1c) from …`.
fn caller(site: &[u8]) -> &[u8] {
    let Some(inside) = site.strip_prefix(b"(") else {
        return site;
    };
    before(inside, b") from ")
        .or_else(|| inside.strip_suffix(b")"))
        .unwrap_or(site)
}

/// Returns true for `f (drivers/demo.c:42) module`, as `decode_stacktrace.sh` writes it.
fn is_decoded(site: &[u8]) -> bool {
    let Some(open) = find(site, b" (") else {
        return false;
    };
    let is_name = site[..open]
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"_.$+/".contains(b));
    let place = &site[open + 2..];
    let has_line = after(place, b":").is_some_and(|line| {
        line.first()
            .is_some_and(|b| b.is_ascii_digit() || *b == b'?')
    });
    let tail = after(place, b")").unwrap_or_default();
    open > 0 && is_name && has_line && contains(place, b")") && !contains(tail, b": ")
}

/// Returns true for `f from g+0x18/0x1c`, the form of ARM since Linux 6.
fn is_from(site: &[u8]) -> bool {
    before(site, b" from ").is_some_and(|name| !contains(name, b" "))
        && after(site, b" from ").is_some_and(|caller| contains(caller, b"+0x"))
}

/// Returns true for a line with an explanation of the error.
pub(super) fn is_note(text: &[u8]) -> bool {
    const PREFIXES: &[&[u8]] = &[
        b"Read of size ",
        b"Write of size ",
        b"Write at addr ",
        b"Read at addr ",
        b"Free of addr ",
        b"Pointer tag: ",
        b"The buggy address ",
        b"which belongs to ",
        b"The buggy address is located ",
        b"Bytes ",
        b"Memory access of size ",
        b"Data copied to user address ",
        b"kfence-#",
        b"value changed: ",
        b"Local variable ",
        b"freed via ",
    ];
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Returns true for a line of a dump that explains nothing: SLUB's, the state of the memory, the
/// registers, the machine.
pub(super) fn is_dump(text: &[u8]) -> bool {
    const PREFIXES: &[&[u8]] = &[
        b"BUG kmalloc",
        b"INFO: ",
        b"Object ",
        b"Redzone ",
        b"Padding ",
        b"Bytes b4 ",
        b"Slab 0x",
        b"CPU: ",
        b"Hardware name: ",
        b"Memory state around the buggy address:",
        b"Reported by Kernel Concurrency Sanitizer on:",
        b"Code: ",
        b"-----",
        b"^",
    ];
    let is_mark = matches!(text, [b'<', b'A'..=b'Z' | b'/' | b'#', .., b'>']) && text.len() < 16;
    is_mark
        || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        || is_shadow(text)
        || is_slub_object(text)
}

/// Returns true for a row of shadow memory: `>ffff888012a4b000: fc fc fc 00`.
fn is_shadow(text: &[u8]) -> bool {
    let text = text.strip_prefix(b">").unwrap_or(text);
    hex(text).is_some_and(|(_, rest)| rest.starts_with(b": ") && text.len() - rest.len() >= 8)
}

/// Returns true for `BUG kmalloc-32 (Tainted: G    B   ): kasan: bad access detected`.
fn is_slub_object(text: &[u8]) -> bool {
    text.starts_with(b"BUG ") && text.ends_with(b": kasan: bad access detected")
}

/// Returns true for a line that only a report contains, so a report whose beginning is missing is
/// recognized by it.
pub(super) fn is_certain_part(text: &[u8]) -> bool {
    let is_handler = |frame: &SplitFrame<'_>| {
        [
            &b"kasan_report"[..],
            b"__asan_report",
            b"__ubsan_handle",
            b"kmsan_report",
            b"kcsan_report",
            b"kfence_report",
        ]
        .iter()
        .any(|name| frame.text.starts_with(name))
    };
    text.starts_with(b"The buggy address belongs to ")
        || text.starts_with(b"The buggy address is located ")
        || text == b"Memory state around the buggy address:"
        || (text.starts_with(b"Uninit was ") && text.ends_with(b" at:"))
        || (text.starts_with(b"kfence-#") && contains(text, b", cache="))
        || text == b"Reported by Kernel Concurrency Sanitizer on:"
        || (contains(text, b"+0x")
            && parse_frame(text)
                .flatten()
                .is_some_and(|part| is_handler(&part.frame)))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::bytes::lossy;

    #[test]
    fn frames_of_all_architectures_are_parsed() {
        for (line, want) in [
            (
                " demo_write+0x8c/0x100 [demo]",
                Some("demo_write+0x8c/0x100 [demo]"),
            ),
            (" [<ffffffff816030a1>] f+0x75/0x5fd", Some("f+0x75/0x5fd")),
            (
                " ([<000000000012a4b0>] f+0x75/0x5fd)",
                Some("f+0x75/0x5fd)"),
            ),
            (
                "[<c0015db8>] (unwind) from [<c0011a30>] (show+0x1/0x2)",
                Some("unwind"),
            ),
            (
                " unwind_backtrace from show_stack+0x18/0x1c",
                Some("unwind_backtrace from show_stack+0x18/0x1c"),
            ),
            (
                "[c000000002c8f6b0] [c0000000004a1b2c] f+0x1/0x2 (unreliable)",
                Some("f+0x1/0x2 (unreliable)"),
            ),
            (
                "f (drivers/demo.c:42) demo",
                Some("f (drivers/demo.c:42) demo"),
            ),
            (
                "f (a.h:49 (discriminator 1) b.c:60 (discriminator 1))",
                Some("f (a.h:49 (discriminator 1) b.c:60 (discriminator 1))"),
            ),
            (
                "__dump_stack lib/dump_stack.c:88 [inline]",
                Some("__dump_stack lib/dump_stack.c:88 [inline]"),
            ),
            (
                "#3 [<0x0000000000610004>] f+0x9a/0x1b9",
                Some("f+0x9a/0x1b9"),
            ),
            ("#5 [<0x0000000000610006>] 0x610006", Some("0x610006")),
            (
                "    #3 0x0000000000610004 in f /src/demo.c:41:9",
                Some("in f /src/demo.c:41:9"),
            ),
            ("? f+0x1/0x2", Some("?")),
            ("CPU: 0 PID: 1 Comm: a (b:1)", None),
            ("Read of size 4 at addr ffff by task a/1", None),
            ("all tests passed (took 3:12)", None),
        ] {
            let found = parse_frame(line.as_bytes());
            let found: Option<String> = found
                .map(|frame| frame.map_or("?".into(), |part| lossy(part.frame.text).into_owned()));
            assert_eq!(found.as_deref(), want, "{line}");
        }
    }

    #[test]
    fn parts_of_reports_are_recognized() {
        for line in [
            "The buggy address belongs to the object at ffff888012a4b040",
            "Uninit was created at:",
            " __ubsan_handle_out_of_bounds+0x39/0x44",
            "kfence-#31: 0xffff-0xffff, size=32, cache=kmalloc-32",
        ] {
            assert!(is_certain_part(line.trim().as_bytes()), "{line}");
        }
        for line in [
            "undefined reference to `__ubsan_handle_add_overflow'",
            "the buggy address",
        ] {
            assert!(!is_certain_part(line.as_bytes()), "{line}");
        }
        assert!(is_dump(b"<TASK>") && is_dump(b">ffff888012a4b000: fc fc") && is_dump(b"</IRQ>"));
        assert!(!is_dump(b"<avrf:logfile>") && !is_dump(b"<valgrindoutput>"));
    }
}
