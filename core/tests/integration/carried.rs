//! Reports in the forms in which log collectors, test reporters and web pages store them. Each log
//! follows a clean run, because a report that isn't read must not pass.

use crate::common;
use crate::logs::CLEAN;

/// Returns the kinds of the findings of a log after a clean run.
fn kinds(log: &str) -> Vec<String> {
    let judged = common::judge_text(format!("{CLEAN}{log}").as_bytes());
    let findings = judged.parsed.findings.iter();
    findings.map(|finding| finding.kind.to_string()).collect()
}

#[test]
fn single_line_message_is_read_in_each_form() {
    for log in [
        "id,log\n1,\"free(): invalid pointer\nAborted\n\"\n",
        "<testcase><failure message=\"free(): invalid pointer&#10;Aborted&#10;\"/></testcase>\n",
        "Output { stdout: \"\", stderr: \"free(): invalid pointer\\n\" }\n",
        "E   AssertionError: Lists differ: ['free(): invalid pointer', 'Aborted'] != []\n",
        "{\"MESSAGE\":[102,114,101,101,40,41,58,32,105,110,118,97,108,105,100,32,112,111,105,110,\
         116,101,114],\"_PID\":\"1\"}\n",
        "MESSAGE=free(): invalid pointer\n",
        "<td class=\"n\"></td><td>free(): invalid pointer</td>\n",
        "free():&nbsp;invalid&nbsp;pointer<br>\n",
        "free():\u{a0}invalid\u{a0}pointer\n",
        "May 01 12:34:56 free(): invalid pointer\n",
        "2026/05/01 12:34:56 free(): invalid pointer\n",
        "# | free(): invalid pointer\n",
        "#033[31mfree(): invalid pointer#033[0m\n",
    ] {
        assert_eq!(kinds(log), ["invalid-free"], "{log}");
    }
}

#[test]
fn diagnostics_of_the_test_anything_protocol_are_read() {
    for message in [
        "free(): invalid pointer",
        "double free or corruption (fasttop)",
        "*** stack smashing detected ***: terminated",
        "Scudo ERROR: invalid chunk state when deallocating address 0x7f00",
        "ubsan: mul-overflow",
    ] {
        for prefix in ["# ", "    # ", "#   "] {
            let log = format!("1..2\n{prefix}{message}\nnot ok 1 - parse\n");
            let found = kinds(&log);
            assert_eq!(found.len(), 1, "{log}");
            assert_eq!(found, kinds(&format!("{message}\n")), "{log}");
        }
    }
    for comment in [
        "# double free or corruption (fasttop) was fixed in 1.2\n",
        "# see free(): invalid pointer\n",
        "#include <stdlib.h> // free(): invalid pointer\n",
        "# ubsan: off\n",
        "# WARNING: ThreadSanitizer: data races are expected\n",
    ] {
        assert_eq!(kinds(comment), [""; 0], "{comment}");
    }
}

#[test]
fn failed_assertions_of_malloc_are_findings() {
    for log in [
        "a.out: malloc.c:2379: sysmalloc: Assertion `(old_top == initial_top (av))' failed.\n",
        "Fatal glibc error: malloc.c:2599 (sysmalloc): assertion failed: (old_top == 0)\n",
        "Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == 0)\n",
    ] {
        assert_eq!(kinds(log), ["heap-corruption"], "{log}");
    }
    for log in [
        "a.out: pool.c:12: my_malloc: Assertion `size > 0' failed.\n",
        "Fatal glibc error: CPU does not support x86-64-v3\n",
    ] {
        assert_eq!(kinds(log), [""; 0], "{log}");
    }
}

#[test]
fn report_in_abort_message_of_tombstone_is_read() {
    let log = "05-01 12:00:00.000  1234  1234 F DEBUG   : Abort message: '==1234==ERROR: \
               HWAddressSanitizer: tag-mismatch on address 0x0042a0826510 at pc 0x007b24d90a0c\n\
               05-01 12:00:00.000  1234  1234 F DEBUG   : WRITE of size 1 at 0x0042a0826510 tags: \
               32/3d (ptr/mem) in thread T0\n\
               05-01 12:00:00.000  1234  1234 F DEBUG   :     #0 0x7b24d90a08  \
               (/system/lib64/libapp.so+0xa08)\n";
    assert_eq!(kinds(log), ["tag-mismatch"]);
}

#[test]
fn names_of_tests_and_directives_are_no_findings() {
    for log in [
        "ok 12 - free(): invalid pointer\n",
        "> # CHECK: WARNING: ThreadSanitizer: data race\n",
        "Memory leaks detected: 0\n",
    ] {
        let judged = common::judge_text(format!("{CLEAN}{log}").as_bytes());
        assert!(
            judged.parsed.findings.is_empty() && judged.parsed.problems.is_empty(),
            "{log}"
        );
    }
}

#[test]
fn carriage_returns_before_lines_are_no_blank_lines() {
    let report = "==================\nWARNING: ThreadSanitizer: data race (pid=9)\n  Write of size 4 \
                  at 0x7b04 by thread T1:\n    #0 f /a.c:3 (a+0x1)\n\nSUMMARY: ThreadSanitizer: \
                  data race /a.c:3 in f\n==================\n";
    let plain = common::judge_text(report.as_bytes());
    let returned = common::judge_text(report.replace('\n', "\n\r").as_bytes());
    let gist = |judged: &common::Judged| {
        (
            judged.parsed.problems.len(),
            judged.triage.findings[0].fingerprint.to_string(),
        )
    };
    assert_eq!(gist(&plain), gist(&returned));
}

#[test]
fn colors_and_blanks_around_carriage_returns_are_no_blank_lines() {
    let report = "==9==ERROR: AddressSanitizer: heap-use-after-free on address 0x6020 at pc 0x1 bp \
                  0x2 sp 0x3\nREAD of size 4 at 0x6020 thread T0\n    #0 0x1 in f /a.c:3\n    #1 \
                  0x2 in main /a.c:9\n\n0x6020 is located 0 bytes inside of 4-byte region \
                  [0x6020,0x6024)\nfreed by thread T0 here:\n    #0 0x3 in free (a+0x3)\n    #1 \
                  0x4 in g /a.c:5\n\nSUMMARY: AddressSanitizer: heap-use-after-free /a.c:3 in f\n";
    let plain = common::judge_text(report.as_bytes());
    let gist = |judged: &common::Judged| {
        let finding = &judged.parsed.findings[0];
        let frames = finding.stacks.iter().map(|stack| stack.frames.len());
        let problems: Vec<_> = judged.parsed.problems.iter().map(|p| p.code).collect();
        (problems, frames.collect::<Vec<_>>())
    };
    for end in [
        "\r\x1b[0m\r\n",
        "\r\x1b[0m\n",
        "\r\x1b[0m  \n",
        "\r\r\n",
        "\x1b[K\r   \r\n",
    ] {
        let colored: String = report
            .lines()
            .map(|line| format!("\x1b[31;1m{line}{end}"))
            .collect();
        let colored = common::judge_text(colored.as_bytes());
        assert_eq!(gist(&plain), gist(&colored), "{end:?}");
    }
}
