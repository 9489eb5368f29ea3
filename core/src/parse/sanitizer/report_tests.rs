//! Tests of whole reports: headlines without tags, places of UBSan, libFuzzer, renumbered frames.

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

/// Returns the functions and places of a finding's first stack.
fn frames(parsed: &Parsed, finding: usize) -> Vec<String> {
    parsed.findings[finding].stacks[0]
        .frames
        .iter()
        .map(|frame| {
            let info = &frame.info;
            let number = |n: Option<u32>| n.map_or("-".into(), |n| format!("{n}"));
            format!(
                "{} {}:{}:{}",
                info.name().unwrap_or("?"),
                info.file.as_deref().unwrap_or("-"),
                number(info.line),
                number(info.column)
            )
        })
        .collect()
}

#[test]
fn place_of_ubsan_is_kept_next_to_a_stack() {
    for (stack, want) in [
        ("    #0 0x55d0  (/bin/toy+0x11c0)\n", "? src/toy.c:12:7"),
        ("    #0 0x55d0 in f (/bin/toy+0x11c0)\n", "f src/toy.c:12:7"),
        (
            "    #0 0x55d0 in f /home/src/toy.c:13\n",
            "f /home/src/toy.c:12:7",
        ),
        (
            "    #0 0x55d0 in f /home/src/toy.c:12:7\n",
            "f /home/src/toy.c:12:7",
        ),
        (
            "    #0 f(int) /home/src/toy.c:12:7 (toy+0xabc10)\n",
            "f(int) /home/src/toy.c:12:7",
        ),
        (
            "    #0 0x55d0 in get /home/src/vec.h:9:1\n",
            "get /home/src/vec.h:9:1",
        ),
        ("", "? src/toy.c:12:7"),
    ] {
        let parsed = read(&format!(
            "src/toy.c:12:7: runtime error: division by zero\n{stack}\nSUMMARY: \
             UndefinedBehaviorSanitizer: undefined-behavior src/toy.c:12:7 in \n"
        ));
        assert_eq!(frames(&parsed, 0), [want], "{stack}");
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }
    let parsed = read(
        "src/toy.c:12:7: runtime error: division by zero\n    \
        #0 0x51 in __ubsan_handle_divrem_overflow (/bin/toy+0x51)\n    \
        #1 0x52  (/bin/toy+0x52)\n\n",
    );
    assert_eq!(
        frames(&parsed, 0),
        ["__ubsan_handle_divrem_overflow -:-:-", "? src/toy.c:12:7"]
    );
}

#[test]
fn headline_without_tag_is_a_finding() {
    let parsed = read(
        "AddressSanitizer: heap-buffer-overflow on address 0x6034 at pc 0x4011 bp 0x7ffc sp 0x7ff0\n\
        READ of size 4 at 0x6034 thread T0\n    #0 0x4011 in sum /src/toy.c:7:12\n\n\
        SUMMARY: AddressSanitizer: heap-buffer-overflow /src/toy.c:7:12 in sum\n==12==ABORTING\n",
    );
    assert_eq!(parsed.findings[0].kind.as_str(), "heap-buffer-overflow");
    assert_eq!(frames(&parsed, 0), ["sum /src/toy.c:7:12"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn reports_of_libfuzzer_are_read() {
    for (message, summary, kind) in [
        ("deadly signal", "deadly signal", "deadly-signal"),
        ("timeout after 26 seconds", "timeout", "timeout"),
        (
            "out-of-memory (used: 2049Mb; limit: 2048Mb)",
            "out-of-memory",
            "out-of-memory",
        ),
        (
            "fuzz target exited",
            "fuzz target exited",
            "fuzz-target-exited",
        ),
        (
            "fuzz target overwrites its const input",
            "overwrites-const-input",
            "overwrites-const-input",
        ),
        ("something new", "something new", "unknown-error"),
    ] {
        let log = format!(
            "==88== ERROR: libFuzzer: {message}\n    #0 0x51 in f /src/toy.cc:14:3\n    \
             #1 0x52 in LLVMFuzzerTestOneInput /src/toy.cc:21:1\n\n\
             NOTE: libFuzzer has rudimentary signal handlers.\nSUMMARY: libFuzzer: {summary}\n"
        );
        let parsed = read(&log);
        assert_eq!(parsed.findings[0].kind.as_str(), kind, "{message}");
        assert_eq!(parsed.findings[0].tool.as_str(), "libfuzzer");
        assert_eq!(frames(&parsed, 0).len(), 2);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let cut = read(log.split_once("NOTE").unwrap().0);
        assert_eq!(cut.problems[0].code.as_str(), "truncated");
    }
}

#[test]
fn frames_of_generated_code_may_be_renumbered() {
    let log = |frames: &str| {
        format!(
            "==5==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp \
             0x4\nREAD of size 4 at 0x1 thread T0\n{frames}\n\
             SUMMARY: AddressSanitizer: heap-use-after-free /src/a.c:3:9 in f\n==5==ABORTING\n"
        )
    };
    // Symbolized afterwards, and by the process itself.
    for frames in [
        "    #0 0x5 in get a.h:8:2\n    #1 0x5 in walk a.c:9:7\n    #1 0x7  (<unknown module>)\n    \
         #2 0x8  (<unknown module>)\n    #2 0x6 in main a.c:11:3\n",
        "    #0 0x5 in get a.h:8:2\n    #1 0x7  (<unknown module>)\n    #2 0x6 in main a.c:11:3\n",
        "    #0 0x7  (<unknown module>)\n    #0 0x5 in get a.h:8:2\n    #1 0x6 in main a.c:11:3\n",
    ] {
        let parsed = read(&log(frames));
        let frames = &parsed.findings[0].stacks[0].frames;
        let numbers: Vec<_> = frames.iter().map(|frame| frame.index).collect();
        let want: Vec<u32> = (0..).take(frames.len()).collect();
        assert_eq!(numbers, want);
        assert!(
            frames.len() >= 3 && parsed.problems.is_empty(),
            "{:?}",
            parsed.problems
        );
    }
    let parsed = read(&log(
        "    #0 0x5 in get a.h:8:2\n    #3 0x6 in main a.c:11:3\n",
    ));
    assert_eq!(parsed.problems[0].code.as_str(), "interleaved");
}

#[test]
fn thousands_of_leaked_objects_do_not_end_a_report() {
    let objects: String = (0..3000)
        .map(|n| format!("0x{n:012x} (8 bytes)\n"))
        .collect();
    let parsed = read(&format!(
        "==5==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 24000 byte(s) in 3000 \
         object(s) allocated from:\n    #0 0x5 in f a.c:3:9\n\nObjects leaked above:\n{objects}\n\
         SUMMARY: LeakSanitizer: 24000 byte(s) leaked in 3000 allocation(s).\n"
    ));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert_eq!(parsed.findings[0].leak.unwrap().blocks, 3000);
}

#[test]
fn list_of_threads_at_exit_is_no_report() {
    const STACK: &str = "    #0 0x5581 in pthread_create /llvm/asan_interceptors.cpp:257:3\n    \
                         #1 0x5582 in main /src/toy.c:4:2\n\n";
    let report = "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
                  Direct leak of 40 byte(s) in 1 object(s) allocated from:\n    \
                  #0 0x5583 in make /src/toy.c:9:5\n\n\
                  SUMMARY: AddressSanitizer: 40 byte(s) leaked in 1 allocation(s).\n";
    let list = format!(
        "==7==Thread T0/7 was created by T-1\n    <empty stack>\n\n\
         Thread T1/9 was created by T0/7\n{STACK}Thread T2/10 was created by T0/7\n{STACK}"
    );
    let parsed = read(&format!("{report}{list}"));
    assert_eq!(parsed.findings.len(), 1);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    for lost in [
        format!("{report}Thread T1/9 was created by T0/7\n{STACK}"),
        format!("{list}==7==hello\n{STACK}"),
    ] {
        assert_eq!(read(&lost).problems.len(), 1, "{lost}");
    }
}
