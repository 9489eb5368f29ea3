//! Tests of all dialects together: no report swallows the headline of another one, and prose is no
//! headline.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::Options;
use crate::parse::{Parsed, Parser};

fn read(log: &str) -> Parsed {
    let mut parser = Parser::new(Options::default());
    parser.begin("log");
    parser.feed(log.as_bytes());
    parser.finish()
}

/// Returns tool, kind and title of each finding.
fn findings(parsed: &Parsed) -> Vec<String> {
    parsed
        .findings
        .iter()
        .map(|f| format!("{} {} {}", f.tool, f.kind, f.title))
        .collect()
}

/// Returns the codes of the problems.
fn problems(parsed: &Parsed) -> Vec<&'static str> {
    parsed.problems.iter().map(|p| p.code.as_str()).collect()
}

/// Beginnings of reports that are open at their end.
const OPEN: &[(&str, &str)] = &[
    (
        "gwp-asan",
        "*** GWP-ASan detected a memory error ***\n\
            Double Free at 0x7f00 (a 24-byte allocation) by thread 12 here:\n  \
            #0 ./a(f+0x1) [0x5501]\n\n",
    ),
    (
        "gwp-asan",
        "Cause: [GWP-ASan]: Use After Free, 0 bytes into a 16-byte allocation at 0x7000a5fff0\n\
            backtrace:\n      #00 pc 0000000000017a8c  /data/liba.so (a::f()+28)\n",
    ),
    (
        "scudo",
        "Abort message: 'Scudo ERROR: misaligned pointer when deallocating address 0x7f01'\n\
            backtrace:\n      #00 pc 0000000000017a8c  /data/liba.so (a::f()+28)\n",
    ),
    (
        "glibc",
        "*** stack smashing detected ***: ./a terminated\n======= Backtrace: =========\n",
    ),
    (
        "tcmalloc",
        "Leak check _main_ detected leaks of 10 bytes in 1 objects\n",
    ),
    (
        "mtrace",
        "Memory not freed:\n-----------------\n0x000055b3baa3a4a0     0x64  at /a.c:3\n",
    ),
    (
        "miri",
        "error: Undefined Behavior: entering unreachable code\n --> a.rs:1:2\n",
    ),
    (
        "go-race",
        "WARNING: DATA RACE\nRead at 0x00c0 by goroutine 8:\n  f()\n      /a.go:1 +0x1\n",
    ),
    (
        "kasan",
        "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2\nRead of size 4 at addr ffff888012a4b068 by \
            task a/1\nCall Trace:\n f+0x1/0x2\n",
    ),
    (
        "kasan",
        "BUG: KFENCE: use-after-free read in f+0x1/0x2\n\n\
            Use-after-free read at 0xffff8c2a (in kfence-#31):\n f+0x1/0x2\n",
    ),
    (
        "kasan",
        "KASAN: null-ptr-deref in range [0x0000000000000000-0x0000000000000007]\n",
    ),
    ("ubsan", "UBSAN: shift-out-of-bounds in drivers/a.c:4:12\n"),
    (
        "kmemleak",
        "unreferenced object 0xffff8880 (size 64):\n  backtrace:\n    [<0000>] f+0x1/0x2\n",
    ),
    (
        "drmemory",
        "Dr. Memory results for pid 5: \"a\"\n\nError #1: LEAK 4 direct bytes 0x1-0x2 + 0 indirect bytes\n# 0 f [a.c:1]\n",
    ),
    (
        "leaks",
        "Process 83: 1 leak for 32 total leaked bytes.\n    1 (32 bytes) ROOT LEAK: 0x6000 [32]\n",
    ),
    (
        "appverifier",
        "<avrf:logfile xmlns:avrf=\"Application Verifier\">\n\
            <avrf:logEntry LayerName=\"Leak\" StopCode=\"0x900\" Severity=\"Error\">\n",
    ),
    (
        "crt",
        "Detected memory leaks!\nDumping objects ->\n{1} normal block at 0x1, 16 bytes long.\n",
    ),
    (
        "libfuzzer",
        "==7== ERROR: libFuzzer: deadly signal\n    #0 0x51 in f /src/a.c:3:9\n",
    ),
    (
        "ubsan",
        "/src/a.c:3:4: runtime error: division by zero\n    #0 0x51 in f /src/a.c:3:9\n",
    ),
    (
        "asan",
        "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\n",
    ),
];

/// Headlines, and what must be found: the tool and the kind.
const HEADLINES: &[(&str, &str, &str)] = &[
    (
        "Scudo ERROR: out of memory trying to allocate 8 bytes",
        "scudo",
        "out-of-memory",
    ),
    ("double free or corruption (!prev)", "glibc", "double-free"),
    (
        "*** buffer overflow detected ***: terminated",
        "glibc",
        "buffer-overflow",
    ),
    (
        "ElectricFence Aborting: free(7ff0): address not from malloc().",
        "efence",
        "invalid-free",
    ),
    (
        "<jemalloc>: Leak approximation summary: ~12 bytes, ~1 objects, >= 1 contexts",
        "jemalloc",
        "leak-definite",
    ),
    (
        "src/tcmalloc.cc:333] Attempt to free invalid pointer 0x7ffd",
        "tcmalloc",
        "invalid-free",
    ),
    (
        "- 0x0000000000405510 Free 12 was never alloc'd 0x122c",
        "mtrace",
        "invalid-free",
    ),
    (
        "error: memory leaked: alloc7 (Rust heap, size: 32, align: 8), allocated here:",
        "miri",
        "leak-definite",
    ),
    ("WARNING: DATA RACE", "go-race", "data-race"),
    (
        "BUG: KASAN: slab-use-after-free in demo_write+0x8c/0x100 [demo]",
        "kasan",
        "slab-use-after-free",
    ),
    (
        "KASAN: maybe wild-memory-access in range [0xdead000000000100-0xdead000000000107]",
        "kasan",
        "wild-memory-access",
    ),
    (
        "UBSAN: signed-integer-overflow in fs/demo.c:8:1",
        "ubsan",
        "signed-integer-overflow",
    ),
    (
        "unreferenced object 0xffff8880123 (size 32):",
        "kmemleak",
        "leak-definite",
    ),
    (
        "~~Dr.M~~ Error #1: UNADDRESSABLE ACCESS: reading 0x1-0x5 4 byte(s)",
        "drmemory",
        "invalid-read",
    ),
    (
        "VERIFIER STOP 00000300: pid 0x558: invalid handle exception",
        "appverifier",
        "fd-bad-use",
    ),
    (
        "HEAP CORRUPTION DETECTED: after Normal block (#98) at 0x00C08E80.",
        "crt",
        "heap-corruption",
    ),
    (
        "Cause: [GWP-ASan]: Double Free, 0 bytes into a 16-byte allocation at 0x70",
        "gwp-asan",
        "double-free",
    ),
    (
        "==9==ERROR: HWAddressSanitizer: tag-mismatch on address 0x1 at pc 0x2",
        "hwasan",
        "tag-mismatch",
    ),
    (
        "==9== ERROR: libFuzzer: timeout after 26 seconds",
        "libfuzzer",
        "timeout",
    ),
    (
        "b.c:9:2: runtime error: index 5 out of bounds for type 'int [4]'",
        "ubsan",
        "out-of-bounds-index",
    ),
    (
        "WARNING: ThreadSanitizer: data race (pid=9)",
        "tsan",
        "data-race",
    ),
];

#[test]
fn open_report_swallows_no_headline() {
    for (tool, open) in OPEN {
        for (headline, want, kind) in HEADLINES {
            // Two reports of one checker may be continued by the same lines.
            let is_same = tool == want || (*want == "kasan" && *tool == "ubsan");
            let parsed = read(&format!("{open}{headline}\n"));
            let found = parsed
                .findings
                .iter()
                .any(|f| f.tool.as_str() == *want && f.kind.as_str() == *kind);
            assert!(
                found || is_same,
                "{open}{headline}: {:?}",
                findings(&parsed)
            );
        }
    }
}

#[test]
fn sentence_is_no_headline() {
    for line in [
        "HEAD is now at 1a2b3c4 Fix double free or corruption (!prev)",
        "double free or corruption (!prev) is gone when the parser is closed twice",
        "free(): invalid pointer in the parser was fixed",
        "malloc(): corrupted top size of the pool",
        "*** stack smashing detected *** is what gcc prints",
        "Scudo ERROR: corrupted chunk header at address is now caught",
        "Scudo ERROR: invalid chunk state when the pool is closed",
        "Explain \"Detected memory leaks!\" in the manual",
        "Detected memory leaks! How to find them",
        "Memory not freed: a survey",
        "drivers/demo: fix BUG: KASAN: slab-use-after-free in demo_write",
        "KASAN: slab-use-after-free Read in demo_write",
        "KASAN: null-ptr-deref in range of the pool",
        "UBSAN: array-index-out-of-bounds in drivers/demo",
        "UBSAN: fixes in the driver",
        "Cause: [GWP-ASan]: is printed in tombstones",
        "UBSan prints lines like `demo.c:12:3: runtime error: signed integer overflow`.",
        "HEAD is now at 2a3b4c5 Avoid src/hash.c:12:3: runtime error: signed integer overflow",
        "* 2a3b4c5 src/hash.c:12:3: runtime error: division by zero",
        "1a2b3c4 Avoid src/hash.c:12:3: runtime error: division by zero",
        "Attempt to free invalid pointer arithmetic",
        "the memory stomping bug",
        "ERROR: libFuzzer: how to read its output",
        "AddressSanitizer: heap-use-after-free on address 0x602 is explained below",
        "unreferenced object 0x1 of the scene",
    ] {
        let parsed = read(&format!("{line}\nall tests passed\n"));
        assert!(
            parsed.findings.is_empty(),
            "{line}: {:?}",
            findings(&parsed)
        );
        assert!(parsed.problems.is_empty(), "{line}: {:?}", parsed.problems);
    }
}

#[test]
fn whole_headline_is_certain_without_a_body() {
    for (line, want) in [
        (
            "double free or corruption (!pr",
            "glibc double-free double free or corruption (!pr",
        ),
        (
            "Scudo ERROR: corrupted chunk header at address 0x20000112: chunk header is zero and \
             might indicate memory corruption or a double free",
            "scudo heap-corruption corrupted chunk header at address 0x20000112: chunk header is \
             zero and might indicate memory corruption or a double free",
        ),
        (
            "Scudo ERROR: something new",
            "scudo unknown-error something new",
        ),
        (
            "*** glibc detected *** ./demo: free(): invalid next size (fast): 0x000000000940 ***",
            "glibc heap-corruption free(): invalid next size (fast)",
        ),
        (
            "AddressSanitizer: attempting double-free on 0x602000000010 in thread T0:",
            "asan double-free attempting double-free on 0x602000000010 in thread T0",
        ),
        (
            "AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x51 bp 0x7ffc sp 0x7ffc T0)",
            "asan segv SEGV on unknown address 0x000000000000 (pc 0x51 bp 0x7ffc sp 0x7ffc T0)",
        ),
        (
            "Result: src/a.c:3:4: runtime error: division by zero",
            "ubsan integer-divide-by-zero division by zero",
        ),
        (
            "src/a.c:3:4: runtime error: something new",
            "ubsan undefined-behavior something new",
        ),
    ] {
        assert_eq!(findings(&read(&format!("{line}\n"))), [want], "{line}");
    }
}

#[test]
fn part_of_report_without_headline_is_truncated() {
    for log in [
        // HWASan, ASan.
        "READ of size 4 at 0x6806 tags: 07/8f (ptr/mem) in thread T0\n    #0 0x5a in f /src/a.c:3:9\n",
        "previously allocated by thread T0 here:\n    #0 0x5a in malloc (/bin/a+0x5a)\n",
        // MSan, UBSan.
        "    #0 0x5a in f /src/a.c:3:9\n    #1 0x5b in main /src/a.c:9:1\n",
        "    #0 0x55d0c01c01c0  (/src/build/demo+0x11c0)\n",
        // TSan.
        "  Previous write of size 8 at 0x7b by main thread:\n    #0 f /src/a.c:3 (a+0x1)\n",
        // The kernel.
        "Write of size 4 at addr ffff888012a4b068 by task demo/4\n\nCall Trace:\n \
            demo_write+0x8c/0x100\n\nThe buggy address belongs to the object at ffff888012a4b040\n",
        " kasan_save_stack+0x24/0x50\n\nMemory state around the buggy address:\n \
            >ffff888012a4b000: fc fc fc\n=======\n",
        "Uninit was created at:\n demo_make+0x1/0x2\n",
        "kfence-#31: 0xffff8c2a-0xffff8c2b, size=32, cache=kmalloc-32\n",
        " __ubsan_handle_out_of_bounds+0x39/0x44\n demo_decode+0x308/0x3a0\n",
        // libFuzzer.
        "SUMMARY: libFuzzer: deadly signal\n",
    ] {
        let parsed = read(&format!("all tests passed\n{log}"));
        let codes = problems(&parsed);
        assert!(
            codes == ["truncated"] || codes == ["summary-without-report"],
            "{log}: {codes:?}"
        );
    }
}

/// Returns the frames of a stack: function, file and line.
fn stack(parsed: &Parsed, finding: usize, stack: usize) -> Vec<String> {
    parsed.findings[finding].stacks[stack]
        .frames
        .iter()
        .map(|frame| {
            let info = &frame.info;
            let place = info.file.as_deref().map_or(String::new(), |file| {
                format!(" {file}:{}", info.line.unwrap_or(0))
            });
            let module = info
                .module
                .as_deref()
                .map_or(String::new(), |m| format!(" [{m}]"));
            format!("{}{place}{module}", info.name().unwrap_or("?"))
        })
        .collect()
}

#[test]
fn kernel_frames_are_read_in_every_form() {
    let parsed = read(
        "BUG: KASAN: slab-out-of-bounds in toy_put (drivers/toy.c:42) toy\n\
        Write of size 1 at addr ffff888007c4a180 by task toyd/12\n\nCall Trace:\n <TASK>\n\
        dump_stack_lvl (lib/dump_stack.c:122)\n\
        ? toy_put (drivers/toy.c:42) toy\n\
        toy_put (./include/linux/toy.h:9 (discriminator 1) drivers/toy.c:42 (discriminator 1)) toy\n\
        toy_open+0x1/0x2 [toy]\n </TASK>\n\nAllocated by task 12:\n\
        toy_new (drivers/toy.c:7)\n\n\
        ==================================================================\n",
    );
    assert_eq!(
        stack(&parsed, 0, 0),
        [
            "dump_stack_lvl lib/dump_stack.c:122",
            "toy_put drivers/toy.c:42 [toy]",
            "toy_open [toy]"
        ]
    );
    assert_eq!(stack(&parsed, 0, 1), ["toy_new drivers/toy.c:7"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let parsed = read(
        "BUG: KASAN: slab-out-of-bounds in toy_put+0x1/0x2\nLinux Kernel Library Stack Trace:\n\
        #0 [<0x0000000000610001>] kasan_report+0x9f/0x74f\n\
            #1 0x0000000000610004 in toy_put /src/toy.c:41:9\n\
        ==================================================================\n",
    );
    assert_eq!(
        stack(&parsed, 0, 0),
        ["kasan_report", "toy_put /src/toy.c:41"]
    );
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn dump_of_slub_does_not_end_a_report() {
    let parsed = read(
        "BUG: KASan: use after free in toy_put+0x62/0x1fc at addr ffff880011112222\n\
        Read of size 4 by task toyd/31\n\
        =============================================================================\n\
        BUG kmalloc-64 (Tainted: G    B   ): kasan: bad access detected\n\
        -----------------------------------------------------------------------------\n\n\
        INFO: Allocated in toy_new+0x1/0x2 age=5 cpu=0 pid=31\n\t__slab_alloc+0x4f/0x5a\n\
        INFO: Freed in toy_drop+0x1/0x2 age=1 cpu=0 pid=31\n\ttoy_drop+0x1/0x2\n\
        INFO: Slab 0xffffea0000abcd00 objects=21 used=5\n\
        Object ffff880011112222: 00 00 00 00  ....\n\
        CPU: 0 PID: 31 Comm: toyd\nCall Trace:\n [<ffffffff816030a1>] toy_put+0x62/0x1fc\n\
        Memory state around the buggy address:\n ffff880011112180: fb fb\n\
        ==================================================================\n",
    );
    assert_eq!(
        findings(&parsed),
        ["kasan use-after-free use after free in toy_put"]
    );
    let roles: Vec<_> = parsed.findings[0]
        .stacks
        .iter()
        .map(|s| s.role.as_str())
        .collect();
    assert_eq!(roles, ["allocation", "free", "access"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn report_without_a_stack_is_truncated() {
    let parsed = read(
        "BUG: KASAN: slab-out-of-bounds in toy_put+0x1/0x2\nRead of size 4 at addr ffff8880\n\
        ==================================================================\nall tests passed\n",
    );
    assert_eq!(problems(&parsed), ["truncated"]);
    // The end of the headline is missing, but a report follows.
    let parsed = read("BUG: KASAN: slab-out-of-bounds in toy_p\nRead of size 4 at addr ffff8880\n");
    assert_eq!(findings(&parsed).len(), 1);
    assert_eq!(problems(&parsed), ["truncated"]);
    // The log ends there.
    let parsed = read("BUG: KASAN: slab-out-of-bounds in toy_p");
    assert_eq!(
        (findings(&parsed).len(), problems(&parsed)),
        (1, ["truncated"].to_vec())
    );
}

#[test]
fn oops_of_kasan_has_the_instruction_as_top_frame() {
    let parsed = read(
        "Oops: general protection fault, probably for non-canonical address 0xdffffc0000000000\n\
        KASAN: probably user-memory-access in range [0x0000000000000010-0x0000000000000017]\n\
        CPU: 1 PID: 12 Comm: toyd\nRIP: 0010:toy_put+0x7c/0x390\nCode: 00 00\n\
        RSP: 0018:ffffc90000 EFLAGS: 00010202\nCall Trace:\n <TASK>\n toy_open+0x1/0x2\n\
        </TASK>\n---[ end trace 0000000000000000 ]---\nRIP: 0010:toy_put+0x7c/0x390\n",
    );
    assert_eq!(
        findings(&parsed),
        ["kasan user-memory-access probably user-memory-access"]
    );
    assert_eq!(stack(&parsed, 0, 0), ["toy_put", "toy_open"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn kernel_ubsan_takes_only_its_own_messages() {
    let parsed = read(
        "UBSAN: array-index-out-of-bounds in drivers/toy.c:40:4\n\
        UBSAN: Undefined behaviour in drivers/toy.c:8:21\nsigned integer overflow:\n\
        2147483647 + 1 cannot be represented in type 'int'\nCall Trace:\n\
        ubsan_epilogue+0x1/0x2\n __ubsan_handle_add_overflow+0x1/0x2\n toy_put+0x1/0x2\n\
        ==================================================================\n\
        UBSAN: shift-out-of-bounds in drivers/toy.c:9:2\nall tests passed\n",
    );
    assert_eq!(
        findings(&parsed),
        [
            "ubsan out-of-bounds-index array-index-out-of-bounds in drivers/toy.c:40:4",
            "ubsan signed-integer-overflow signed integer overflow: 2147483647 + 1 cannot be \
             represented in type 'int'",
            "ubsan invalid-shift shift-out-of-bounds in drivers/toy.c:9:2"
        ]
    );
    assert_eq!(stack(&parsed, 0, 0), ["? drivers/toy.c:40"]);
    assert_eq!(stack(&parsed, 1, 0)[2], "toy_put drivers/toy.c:8");
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn tombstones_are_read() {
    let parsed = read(
        "signal 6 (SIGABRT), code -1 (SI_QUEUE), fault addr --------\n\
        Abort message: 'Scudo ERROR: misaligned pointer when deallocating address 0x7f01'\n    \
            x0  0000000000000000  x1  0000000000001b0e\nbacktrace:\n      \
            #00 pc 000000000007902c  /apex/lib64/libc.so (abort+156) (BuildId: 00aa)\n      \
            #01 pc 0000000000017a8c  /data/app/base.apk!libtoy.so (offset 0x1000) (toy::drop()+28)\n",
    );
    assert_eq!(
        findings(&parsed),
        ["scudo invalid-free misaligned pointer when deallocating address 0x7f01"]
    );
    assert_eq!(
        stack(&parsed, 0, 0),
        [
            "abort [/apex/lib64/libc.so]",
            "toy::drop() [/data/app/base.apk!libtoy.so]"
        ]
    );
    let top = &parsed.findings[0].stacks[0].frames[0].info;
    assert_eq!(
        (top.offset, top.build_id.as_deref()),
        (Some(0x7902c), Some("00aa"))
    );
    let parsed = read(
        "Cause: [MTE]: Buffer Overflow, 4 bytes right of a 16-byte allocation at 0x70\n\
        backtrace:\n      #00 pc 0000000000017a8c  /data/libtoy.so\n\n\
        allocated by thread 41:\n      #00 pc 0000000000017b8c  /data/libtoy.so (toy_new+8)\n",
    );
    assert_eq!(parsed.findings[0].kind.as_str(), "heap-buffer-overflow");
    assert_eq!(parsed.findings[0].stacks[1].role.as_str(), "allocation");
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn miri_names_what_is_wrong() {
    for (message, want) in [
        ("dereferencing a null reference", "null-pointer-use"),
        (
            "attempting a read access using <9> at alloc7[0x0], but that tag only grants Disabled permission for this location",
            "aliasing-violation",
        ),
        (
            "attempting a write access using <wildcard> at alloc7[0x0], but no exposed tags have suitable permission in the borrow stack for this location",
            "aliasing-violation",
        ),
        (
            "in-bounds pointer arithmetic failed: attempting to offset pointer by 8 bytes, but got alloc7+0x4 which is only 1 byte from the end of the allocation",
            "out-of-bounds",
        ),
        (
            "using uninitialized data, but this operation requires initialized memory",
            "uninit-value",
        ),
        ("enum value has invalid tag: 0x7", "invalid-enum-load"),
        (
            "interpreting an invalid 8-bit value as a bool: 0x03",
            "invalid-bool-load",
        ),
        ("Attempt to access freed memory", "use-after-free"),
        ("Non-atomic race", "data-race"),
        (
            "incorrect number of arguments for `toy`: got 1, expected 2",
            "function-type-mismatch",
        ),
        ("something new", "undefined-behavior"),
    ] {
        let parsed = read(&format!(
            "error: Undefined Behavior: {message}\n --> a.rs:1:2\n\n\
             error: aborting due to 1 previous error\n"
        ));
        assert_eq!(parsed.findings[0].kind.as_str(), want, "{message}");
    }
}

#[test]
fn leak_of_unreadable_size_is_a_leak_and_a_problem() {
    let parsed = read(
        "error: memory leaked: ALLOC (Rust heap, SIZE, ALIGN), allocated here:\n  \
        --> src/toy.rs:LL:CC\n   |\n   = note: stack backtrace:\n           0: main\n               \
        at src/toy.rs:LL:CC\n\nerror: aborting due to 1 previous error\n",
    );
    assert_eq!(
        findings(&parsed),
        ["miri leak-definite memory leaked: Rust heap, SIZE, ALIGN"]
    );
    assert_eq!(stack(&parsed, 0, 0), ["main src/toy.rs:0"]);
    assert_eq!(problems(&parsed), ["unreadable-line"]);
}

#[test]
fn excluded_leaks_explain_the_total() {
    let log = |excluded: u64| {
        format!(
            "leaks Report Version: 4.0\nProcess 321: 4 leaks for 1040 total leaked bytes.\n\n    \
             1 (16 bytes) ROOT LEAK: <ToyNode 0x600000001230> [16]\n\n\
             {excluded} leaks excluded (not printed)\n"
        )
    };
    let parsed = read(&log(3));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert_eq!(
        parsed.reports[0]
            .totals
            .leaks
            .as_ref()
            .unwrap()
            .suppressed
            .blocks,
        3
    );
    assert_eq!(problems(&read(&log(2))), ["unreconciled"]);
}

#[test]
fn broken_line_of_a_debug_heap_block_is_joined() {
    let log = |lines: &str| {
        format!("Detected memory leaks!\nDumping objects ->\n{lines}Object dump complete.\n")
    };
    let block = "C:\\src\\cart.cpp(41) : {157} normal block at 0x000001B2F4A63C10, 48 bytes long.";
    for at in 24..block.len() {
        let (first, second) = block.split_at(at);
        let next = "{142} normal block at 0x000001B2F4A5E0D0, 16 bytes long.";
        let parsed = read(&log(&format!(
            "{first}\n{second}\n Data: <cart> 63\n{next}\n"
        )));
        assert_eq!(findings(&parsed).len(), 2, "{first}");
        assert!(problems(&parsed).is_empty(), "{first}");
    }
    for lost in [
        "{157} normal block at 0x000001B2F4A63C10, 48 by\n",
        "{157} normal block at 0x000001B2F4A63C10, 48 by\n{142} normal block at 0x1, 16 bytes long.\n",
    ] {
        assert_eq!(problems(&read(&log(lost))), ["unreadable-line"], "{lost}");
    }
}

#[test]
fn message_with_other_output_in_its_line_is_an_error() {
    for (text, kind) in [
        (
            "Scudo ERROR: misaligned pointer when deall- 0x00 No memory leaks.",
            "scudo invalid-free",
        ),
        (
            "Scudo ERROR: corrupted chunk header at address 0xWARNING: the heap check is active",
            "scudo heap-corruption",
        ),
        ("Scudo ERROR: ", "scudo unknown"),
        (
            "0405 Free 2 was never alloc'd 0x122c",
            "mtrace invalid-free",
        ),
        (
            "- 0q00405510 Free 2 was never alloc'd 0x1r2c",
            "mtrace invalid-free",
        ),
    ] {
        let found = findings(&read(&format!("{text}\n")));
        assert_eq!(found.len(), 1, "{text}");
        assert!(found[0].starts_with(kind), "{text}: {found:?}");
    }
}

/// Application Verifier writes a session for each process, even if it finds nothing.
#[test]
fn verifier_log_needs_a_session() {
    let log = |session: &str| {
        let open = "<avrf:logfile xmlns:avrf=\"Application Verifier\">";
        read(&format!("{open}\n{session}\n</avrf:logfile>\n"))
    };
    let session = "<avrf:logSession TimeStarted=\"x\" PID=\"9120\" Version=\"2\">";
    let with_session = log(&format!("{session}\n</avrf:logSession>"));
    assert_eq!(with_session.reports[0].pid, Some(9120));
    assert!(problems(&with_session).is_empty());
    assert_eq!(problems(&log("")), ["truncated"]);
}
