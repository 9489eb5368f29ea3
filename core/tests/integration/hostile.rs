//! Logs without a finding that must not pass, and logs that look like reports but must not fail.
//!
//! Each was once parsed wrongly, or is a trap for a simpler parser.

use leakgate_core::Outcome;

use crate::common;
use crate::logs::{CLEAN, XML, codes, xml_error};

const LEAKS: &str = "==8== LEAK SUMMARY:
==8==    definitely lost: 0 bytes in 0 blocks
==8==    indirectly lost: 0 bytes in 0 blocks
==8==      possibly lost: 0 bytes in 0 blocks
==8==    still reachable: 100 bytes in 1 blocks
==8==         suppressed: 0 bytes in 0 blocks
";

const END: &str = "==8== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n";

#[test]
fn clean_run_passes() {
    assert_eq!(codes(CLEAN.as_bytes()), (Outcome::Pass, vec![]));
}

#[test]
fn lost_evidence_fails_after_a_clean_run() {
    let bars = "=".repeat(65);
    let header = "==8== Memcheck, a memory error detector\n==8== Command: ./b\n";
    let heap = "==8== HEAP SUMMARY:\n==8==     in use at exit: 100 bytes in 1 blocks\n";
    let one_line_less = LEAKS.replace("==8==    definitely lost: 0 bytes in 0 blocks\n", "");
    for (fault, text) in [
        (
            "valgrind could not start the program",
            "valgrind: ./no-such: No such file or directory\n".to_owned(),
        ),
        (
            "valgrind has a bug",
            "valgrind: the 'impossible' happened:\n".to_owned(),
        ),
        (
            "valgrind is not installed",
            "sh: 1: valgrind: not found\n".to_owned(),
        ),
        ("a second run has no summary", header.to_owned()),
        (
            "a second run lost its first line",
            "==8== Using Valgrind-3.19.0 and LibVEX\n==8== Command: ./b\n".to_owned(),
        ),
        ("a second run has no leak check", format!("{header}{END}")),
        (
            "a line of the leak summary is lost",
            format!("{header}{heap}{one_line_less}{END}"),
        ),
        (
            "a record is lost",
            format!(
                "{header}{heap}{LEAKS}{}",
                END.replace("0 errors from 0", "1 errors from 1")
            ),
        ),
        (
            "blocks are in use after all were freed",
            CLEAN
                .replace("==7==", "==8==")
                .replace("0 bytes in 0", "9 bytes in 1"),
        ),
        (
            "pid 1 was killed and is reused",
            CLEAN.replace("==7==", "==1==").replacen(
                "==1== Memcheck",
                "==1== Memcheck, a memory error detector\n==1== Command: ./killed\n==1== Memcheck",
                1,
            ),
        ),
        (
            "ASan could not start",
            "==9==ASan runtime does not come first in initial library list\n".to_owned(),
        ),
        (
            "LSan failed",
            "==9==LeakSanitizer has encountered a fatal error.\n".to_owned(),
        ),
        (
            "LSan reports an internal error",
            "==9==ERROR: LeakSanitizer: calloc parameters overflow\n".to_owned(),
        ),
        (
            "a sanitizer without a stack",
            "==9==ERROR: HWAddressSanitizer: tag-mismatch on address 0x1\n".to_owned(),
        ),
        (
            "a sanitizer's headline after an unknown prefix",
            "worker> WARNING: ThreadSanitizer: data race (pid=9)\n".to_owned(),
        ),
        (
            "a deadly signal without its report",
            "AddressSanitizer:DEADLYSIGNAL\n".to_owned(),
        ),
        (
            "a summary without its report",
            "SUMMARY: AddressSanitizer: heap-use-after-free a.c:1 in f\n".to_owned(),
        ),
        (
            "undefined behaviour without a stack",
            "a.c:3:42: runtime error: shift exponent 41 is too large\n".to_owned(),
        ),
        ("an unknown kind of leak", XML.replace("KIND", "Leak_Vague")),
        (
            "a shell that cannot find valgrind",
            "zsh: command not found: valgrind\n".to_owned(),
        ),
        (
            "a horizontal rule and half a prefix",
            format!("{bars}\n2026-05-01T12:3"),
        ),
        ("the start of a report", format!("{bars}\n")),
        ("a part of that start", "=====".to_owned()),
        (
            "a truncated headline",
            "==9==ERROR: LeakSanitizer: detected mem".to_owned(),
        ),
        (
            "a truncated headline in colours",
            "\x1b[1m\x1b[31m==9==ERROR: AddressSan".to_owned(),
        ),
        (
            "a truncated record",
            "==8== 40 bytes in 1 blocks are def".to_owned(),
        ),
        (
            "a truncated XML document",
            "<?xml version=\"1.0\"?>\n\n".to_owned(),
        ),
        (
            "an empty XML document",
            "<valgrindoutput>\n</valgrindoutput>\n".to_owned(),
        ),
        (
            "an XML document inside an unfinished one",
            "<valgrindoutput>\n==8== <valgrindoutput></valgrindoutput>\n".to_owned(),
        ),
    ] {
        let (outcome, reasons) = codes(format!("{CLEAN}{text}").as_bytes());
        assert_eq!(outcome, Outcome::Fail, "{fault}");
        assert!(!reasons.contains(&"no-evidence"), "{fault}: {reasons:?}");
    }
    let utf16: Vec<u8> = "==9==ERROR: x\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        codes(&[CLEAN.as_bytes(), &utf16].concat()).0,
        Outcome::Fail,
        "UTF-16 appended to UTF-8"
    );
}

#[test]
fn unrelated_output_is_no_evidence() {
    for text in [
        "==12== hello\n",
        "==12==\n",
        "test ==123== foo\n",
        "==12== Massif, a heap profiler\n",
        "Suppressions used:\n",
        "Suppressions used: none\n",
        "all tests passed\n",
    ] {
        assert_eq!(
            codes(text.as_bytes()),
            (Outcome::Fail, vec!["no-evidence"]),
            "{text:?}"
        );
    }
}

#[test]
fn lookalikes_of_reports_change_nothing() {
    for text in [
        "oauth2==3.1\nsix==1.16.0\n",
        "aGVsbG8gd29ybGQ0==\n",
        "<<<<<<< HEAD\n=======\n>>>>>>> main\n",
        "-- Enabled AddressSanitizer and LeakSanitizer\n",
        "c++ -fsanitize=address -DLeakSanitizer a.c\n",
        "WARNING: ThreadSanitizer is not supported on this platform\n",
        "ERROR: LeakSanitizer: detected memory leaks is what you may see\n",
        "assert '==1==ERROR: AddressSanitizer: x' in log\n",
        "+ grep \"<valgrindoutput>\" out.xml\nuse <valgrindoutput> as root\n",
        "==1== step one of ten\n",
        "================ 12 passed in 0.12s ================\n",
        "Running valgrind: this may take a while\n",
        "-- valgrind: not found\n",
        "<<< valgrind done >>>\n",
    ] {
        assert_eq!(
            codes(format!("{text}{CLEAN}{text}").as_bytes()),
            (Outcome::Pass, vec![]),
            "{text:?}"
        );
    }
}

#[test]
fn thousands_of_finished_processes_and_sources_are_read() {
    let mut log = String::new();
    for pid in 1..=6000 {
        log += &CLEAN.replace("==7==", &format!("=={}==", pid + 1));
        log += &format!("{pid}: assert x==y, =={pid}== step\n");
    }
    assert_eq!(codes(log.as_bytes()), (Outcome::Pass, vec![]));
}

#[test]
fn child_that_execs_an_unchecked_program_passes() {
    let parent = CLEAN.replace("Command: ./clean", "Command: ./a\n==7== Parent PID: 1");
    let child = "==8== Memcheck, a memory error detector\n==8== Command: ./a\n==8== Parent PID: 7\n==8== \n";
    let judge = |child: &str| {
        let files = [
            ("p.7".to_owned(), parent.clone().into_bytes()),
            ("p.8".to_owned(), child.as_bytes().to_vec()),
        ];
        common::judge(&files).verdict.outcome
    };
    assert_eq!(judge(child), Outcome::Pass);
    assert_eq!(judge(&child.replace("./a", "./other")), Outcome::Fail);
    assert_eq!(judge(&child.replace("PID: 7", "PID: 5")), Outcome::Fail);
}

#[test]
fn forked_child_counts_the_errors_of_its_parent() {
    let record = "==7== Invalid read of size 4\n==7==    at 0x1: main (a.c:1)\n==7== \n";
    let one = "ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)";
    let parent = CLEAN
        .replace("==7== HEAP", &format!("{record}==7== HEAP"))
        .replace("./clean", "./a\n==7== Parent PID: 1");
    let parent = parent.replace(
        "ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)",
        one,
    );
    let child = parent
        .replace(record, "")
        .replace("==7==", "==8==")
        .replace("PID: 1", "PID: 7");
    let reasons = |files: &[(&str, &str)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec()))
            .collect();
        let judged = common::judge(&files);
        judged
            .verdict
            .reasons
            .iter()
            .map(|r| r.code.as_str())
            .collect::<Vec<_>>()
    };
    let child = child.replace(&record.replace("==7==", "==8=="), "");
    assert_eq!(
        reasons(&[("7", &parent), ("8", &child)]),
        ["unexpected-finding"]
    );
    assert_eq!(reasons(&[("8", &child)]), ["unreconciled-report"]);
    let unrelated = parent.replace("==7==", "==9==");
    assert_eq!(
        reasons(&[("9", &unrelated), ("8", &child)]),
        ["unexpected-finding", "unreconciled-report"]
    );
}

#[test]
fn line_with_a_hundred_thousand_tags_is_read() {
    let log = format!("{CLEAN}{}\n", "==1==x".repeat(100_000));
    assert_eq!(codes(log.as_bytes()).0, Outcome::Pass);
}

#[test]
fn element_without_end_is_malformed() {
    let log = format!(
        "{CLEAN}<valgrindoutput>\n<error>\n{}",
        "<a>0123456789012345678901234567890123456789</a>\n".repeat(400_000)
    );
    let judged = common::judge(&[("log".to_owned(), log.into_bytes())]);
    assert!(
        judged
            .parsed
            .problems
            .iter()
            .any(|p| p.code.as_str() == "malformed-xml"),
        "{:?}",
        judged.parsed.problems
    );
}

#[test]
fn repeated_report_counts_twice_in_one_log_and_once_in_two_copies() {
    let leak = "==1== 40 bytes in 1 blocks are definitely lost in loss record 1 of 1\n==1==    at 0x1: f (a.c:1)\n==1== \n";
    let log = CLEAN
        .replace("==7==", "==1==")
        .replace("==1== HEAP", &format!("{leak}==1== HEAP"));
    let count = |files: &[&str]| {
        let files: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(n, t)| (n.to_string(), t.as_bytes().to_vec()))
            .collect();
        common::judge(&files)
            .parsed
            .findings
            .iter()
            .map(|f| f.occurrences)
            .sum::<u64>()
    };
    assert_eq!(count(&[&log.repeat(2)]), 2);
    assert_eq!(count(&[&log, &log]), 1);
    assert_eq!(count(&[&log, &log.replace("==1==", "==2==")]), 2);
}

#[test]
fn errors_of_a_parent_after_the_document_of_its_child_fail() {
    let child = XML.replace(xml_error(), "");
    let rest = format!(
        "child gone\n{}</valgrindoutput>\n",
        xml_error().replace("KIND", "InvalidRead")
    );
    assert_eq!(codes(child.as_bytes()).0, Outcome::Pass);
    assert_eq!(
        codes(format!("{child}\n<testsuites>\n</testsuites>\n").as_bytes()).0,
        Outcome::Pass
    );
    let (outcome, reasons) = codes(format!("{child}{rest}").as_bytes());
    assert_eq!(outcome, Outcome::Fail);
    assert!(
        reasons.contains(&"unexpected-finding") && reasons.contains(&"interleaved-report"),
        "{reasons:?}"
    );
}

#[test]
fn stack_after_a_warning_or_a_signal_is_no_error() {
    let stack = "==8==    at 0x1: pause (pause.c:29)\n";
    let child = CLEAN
        .lines()
        .skip(2)
        .collect::<Vec<_>>()
        .join("\n")
        .replace("==7==", "==8==");
    for text in [
        format!(
            "==8== \n==8== Process terminating with default action of signal 15 (SIGTERM)\n{stack}{child}\n"
        ),
        format!("==8== Warning: invalid file descriptor -1 in syscall close()\n{stack}{child}\n"),
    ] {
        assert_eq!(
            codes(format!("{CLEAN}{text}").as_bytes()),
            (Outcome::Pass, vec![]),
            "{text}"
        );
    }
    let verbose = CLEAN.replace(
        "==7== HEAP",
        &format!(
            "==7== Reading syms\n==7== Warning: x\n{}==7== HEAP",
            stack.replace("8", "7")
        ),
    );
    assert_eq!(codes(verbose.as_bytes()), (Outcome::Pass, vec![]));
}

#[test]
fn tool_is_detected_without_its_header() {
    let race = "==7== Possible data race during read of size 4 at 0x1 by thread #3\n==7== Locks held: none\n==7==    at 0x1: w (race.c:7)\n";
    let judged = common::judge(&[("log".to_owned(), race.as_bytes().to_vec())]);
    let finding = &judged.parsed.findings[0];
    assert_eq!(
        (
            finding.tool.as_str(),
            finding.kind.as_str(),
            judged.parsed.findings.len()
        ),
        ("helgrind", "race", 1)
    );
}

#[test]
fn two_copies_of_a_clean_log_pass() {
    let lsan = "==1==LeakSanitizer: checking for leaks\n";
    for log in [CLEAN, lsan] {
        let files: Vec<_> = ["a", "b"]
            .iter()
            .map(|n| ((*n).to_owned(), log.as_bytes().to_vec()))
            .collect();
        assert_eq!(common::judge(&files).verdict.outcome, Outcome::Pass);
    }
}

#[test]
fn long_run_of_brackets_is_read_in_time() {
    let log = format!(
        "==9==ERROR: AddressSanitizer: x on address 0x1\n    #0 0x5 in f{}\n",
        "<".repeat(500_000)
    );
    assert_eq!(codes(log.as_bytes()).0, Outcome::Fail);
}

#[test]
fn line_with_a_hundred_thousand_reports_is_read() {
    for part in [
        "==1== x",
        "==1== Invalid read of size 4 ",
        "==1== ==1==x",
        "==1==ERROR: AddressSanitizer: x",
    ] {
        let log = format!("{CLEAN}{}\n", part.repeat(100_000));
        let judged = common::judge(&[("log".to_owned(), log.into_bytes())]);
        let parsed = &judged.parsed;
        assert!(
            parsed.findings.len() <= 8,
            "{part}: {}",
            parsed.findings.len()
        );
        assert!(
            parsed.problems.len() <= 1000,
            "{part}: {}",
            parsed.problems.len()
        );
        assert_eq!(judged.verdict.outcome, Outcome::Fail, "{part}");
    }
}

#[test]
fn element_with_many_starts_is_read() {
    let log = format!(
        "<valgrindoutput>\n{}</error>\n</valgrindoutput>\n",
        "<error>".repeat(400_000)
    );
    assert_eq!(codes(log.as_bytes()).0, Outcome::Fail);
}

/// Returns the time in which the fastest of three attempts reads a log.
fn time_to_read(log: &str) -> std::time::Duration {
    let read = || {
        let start = std::time::Instant::now();
        let mut parser = leakgate_core::Parser::new(leakgate_core::Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish();
        start.elapsed()
    };
    (0..3).map(|_| read()).min().unwrap()
}

/// Measures times, so it isn't part of the usual tests. Four times the length may take twelve times
/// as long; a quadratic parser takes sixteen times as long.
#[test]
#[ignore = "measures time"]
fn time_is_linear_in_the_length() {
    let process = "==PID==ERROR: AddressSanitizer: heap-use-after-free on address 0x6\n    #0 0x5 in f a.c:1\n\nSUMMARY: AddressSanitizer: heap-use-after-free a.c:1 in f\n==PID==ABORTING\n";
    let processes = |n: usize| {
        (0..n)
            .map(|pid| process.replace("PID", &pid.to_string()))
            .collect()
    };
    let in_line = |head: &'static str, part: &'static str| {
        move |n: usize| format!("{head}{}\n", part.repeat(n / part.len()))
    };
    type Make = Box<dyn Fn(usize) -> String>;
    let line = |head, part| Box::new(in_line(head, part)) as Make;
    let mut all: Vec<(&str, Make)> = vec![("processes", Box::new(move |n| processes(n / 20)))];
    for part in [
        "==1==ERROR: AddressSanitizer: x",
        "==1== x",
        "==1== ==1==x",
        "a.c:1:2: runtime error: x ",
        "WARNING: DATA RACE ",
        "WARNING: DATA RACE\r",
        "WARNING: DATA RACE\\n",
        "WARNING: ThreadSanitizer: data race (pid=1)\\n",
        "double free or corruption (!prev) ",
        "&lt;",
        "<b>",
        "<b ",
        "<a x>",
        "</td>",
        "['a', ",
        "\"",
        "\\n",
        "\r",
        "[1m",
        "{\"",
        "<br>",
        "\u{a0}",
    ] {
        all.push((part, line("", part)));
        all.push((part, line("==1==ERROR: AddressSanitizer: x ", part)));
        all.push((
            part,
            line("{\"a\":\"==1==ERROR: AddressSanitizer: x ", part),
        ));
    }
    for (name, log) in all {
        let (short, long) = (time_to_read(&log(150_000)), time_to_read(&log(600_000)));
        let is_short = long.as_millis() < 50;
        assert!(
            is_short || long < short * 12,
            "{name:?}: {short:?}, {long:?}"
        );
    }
}
