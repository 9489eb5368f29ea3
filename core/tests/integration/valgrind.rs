//! valgrind's logs as they arrive: with other white space, broken lines, lost beginnings, messages
//! of valgrind itself, and the wordings of all its tools and versions.

use leakgate_core::problem::Class;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::{Finding, Outcome, Parsed};

use crate::common;
use crate::logs::CLEAN;

const HEADER: &str = "==77== Memcheck, a memory error detector
==77== Using Valgrind-3.22.0 and LibVEX; rerun with -h for copyright info
==77== Command: ./demo
==77== 
";

/// Two errors, with their own stack and another one.
const ERRORS: &str = "==77== Invalid write of size 4
==77==    at 0x109166: fill_table(std::vector<int, std::allocator<int> >&, int) (table.cpp:12)
==77==    by 0x1091A0: main (demo.cpp:20)
==77==  Address 0x4a8e044 is 0 bytes after a block of size 4 alloc'd
==77==    at 0x48487A9: operator new(unsigned long) (vg_replace_malloc.c:446)
==77==    by 0x109150: build_table(char const*, unsigned long, unsigned long) (table.cpp:40)
==77== 
==77== Conditional jump or move depends on uninitialised value(s)
==77==    at 0x109177: check_table (table.cpp:55)
==77==  Uninitialised value was created by a heap allocation
==77==    at 0x48487A9: malloc (vg_replace_malloc.c:446)
==77==    by 0x109150: raw_table (table.cpp:44)
==77== 
";

const LEAK: &str = "==77== 
==77== HEAP SUMMARY:
==77==     in use at exit: 1,024 bytes in 2 blocks
==77==   total heap usage: 3 allocs, 1 frees, 1,028 bytes allocated
==77== 
==77== 1,024 (24 direct, 1,000 indirect) bytes in 1 blocks are definitely lost in loss record 2 of 2
==77==    at 0x48487A9: malloc (vg_replace_malloc.c:446)
==77==    by 0x109150: keep_rows (table.cpp:30)
==77==    by 0x1091A2: main (demo.cpp:21)
==77== 
==77== LEAK SUMMARY:
==77==    definitely lost: 24 bytes in 1 blocks
==77==    indirectly lost: 1,000 bytes in 1 blocks
==77==      possibly lost: 0 bytes in 0 blocks
==77==    still reachable: 0 bytes in 0 blocks
==77==         suppressed: 0 bytes in 0 blocks
==77== 
==77== For lists of detected and suppressed errors, rerun with: -s
==77== ERROR SUMMARY: 3 errors from 3 contexts (suppressed: 0 from 0)
";

fn parse(log: &str) -> Parsed {
    common::judge_text(log.as_bytes()).parsed
}

/// Returns the codes of the problems.
fn problems(parsed: &Parsed) -> Vec<&'static str> {
    parsed.problems.iter().map(|p| p.code.as_str()).collect()
}

/// Describes a finding: kind, title, sizes, and for each stack its role, functions and lines.
fn describe(finding: &Finding) -> String {
    let mut text = format!("{} | {} | {:?}", finding.kind, finding.title, finding.leak);
    for stack in &finding.stacks {
        text += &format!(" | {}:", stack.role.as_str());
        for frame in &stack.frames {
            let info = &frame.info;
            let file = info.file.as_deref().unwrap_or_default();
            let name = info.name().unwrap_or_default();
            text += &format!(" {name}@{file}:{}", info.line.unwrap_or(0));
        }
    }
    text
}

fn described(parsed: &Parsed) -> Vec<String> {
    parsed.findings.iter().map(describe).collect()
}

/// Breaks each line after `width` characters.
fn at_width(log: &str, width: usize) -> String {
    let mut out = String::new();
    for line in log.lines() {
        for (at, part) in line.as_bytes().chunks(width.max(1)).enumerate() {
            out += if at > 0 { "\n" } else { "" };
            out += std::str::from_utf8(part).unwrap();
        }
        out.push('\n');
    }
    out
}

/// Breaks each line between two words, so that no part is longer than `width` if possible.
fn between_words(log: &str, width: usize) -> String {
    let mut out = String::new();
    for line in log.lines() {
        let mut part = String::new();
        for (at, word) in line.split(' ').enumerate() {
            if at > 0 && part.len() + word.len() >= width && !part.trim().is_empty() {
                out += &part;
                out.push('\n');
                part = word.to_owned();
            } else {
                part += if at > 0 { " " } else { "" };
                part += word;
            }
        }
        out += &part;
        out.push('\n');
    }
    out
}

/// Replaces each run of spaces.
fn with_spaces(log: &str, replace: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = log;
    while let Some(at) = rest.find(' ') {
        out += &rest[..at];
        let run = &rest[at..];
        let end = run.find(|c| c != ' ').unwrap_or(run.len());
        out += &replace(&run[..end]);
        rest = &run[end..];
    }
    out + rest
}

#[test]
fn damaged_white_space_changes_nothing() {
    let log = format!("{HEADER}{ERRORS}{LEAK}");
    let want = described(&parse(&log));
    assert_eq!(want.len(), 3);
    let stripped = log.replace(" \n", "\n");
    for damaged in [
        stripped.clone(),
        with_spaces(&stripped, |_| " ".to_owned()),
        log.replace("==77== ", "==77==\t"),
        with_spaces(&stripped, |run| "\u{a0}".repeat(run.len())),
        stripped.replace("==77==   ", "==77==\u{a0}\u{a0} "),
        log.replace("==77==    ", "==77==\t\t"),
    ] {
        let parsed = parse(&damaged);
        assert_eq!(described(&parsed), want, "{damaged}");
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }
    // Without the summary, nothing else reveals the loss of a stack.
    let quiet = with_spaces(ERRORS, |_| " ".to_owned());
    assert_eq!(described(&parse(&quiet)), want[..2]);
}

#[test]
fn broken_lines_are_joined() {
    let log = format!("{HEADER}{ERRORS}{LEAK}");
    let want = described(&parse(&log));
    let widths = [60, 72, 80, 100];
    let columns = widths.map(|width| at_width(&log, width));
    let words = widths.map(|width| between_words(&log, width));
    for damaged in columns.into_iter().chain(words) {
        let parsed = parse(&damaged);
        assert_eq!(described(&parsed), want, "{damaged}");
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }
}

#[test]
fn frame_is_joined_from_many_parts() {
    let name = "part_of_a_name::".repeat(15);
    let log = format!(
        "==7== Invalid read of size 8\n==7==    at 0x10A: {name}get() (a.cpp:3)\n\
         ==7==    by 0x10B: main (a.cpp:9)\n==7== \n"
    );
    assert_eq!(
        described(&parse(&at_width(&log, 80))),
        described(&parse(&log))
    );
}

#[test]
fn output_of_program_is_no_part_of_a_line() {
    let log = "==7== Invalid read of size 8\n==7==    at 0x10A: get\nloading rows\nstep 2 (of 3)\n\
               ==7==    by 0x10B: main (a.cpp:9)\n==7== \n";
    let parsed = parse(log);
    let frames = &parsed.findings[0].stacks[0].frames;
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].info.function.as_deref(), Some("get"));
    // A report may begin there.
    let log = "==7== Invalid read of size 8\n==7==    at 0x10A: get\n\
               a.c:3:4: runtime error: division by zero\n==7==    by 0x10B: main (a.cpp:9)\n";
    assert_eq!(parse(log).findings.len(), 2);
}

#[test]
fn lost_beginning_is_truncated() {
    let record = "==7== 8 bytes in 1 blocks are still reachable in loss record 1 of 1\n\
                  ==7==    at 0x48: malloc (vg_replace_malloc.c:446)\n\
                  ==7==    by 0x10: keep (a.c:3)\n==7== \n";
    for start in [
        "==7==    by 0x10: grow (a.c:31)\n==7== \n",
        "==7==    at 0x10: grow (a.c:31)\n==7== \n",
        "ow (a.c:31)\n==7==    by 0x11: main (a.c:41)\n==7== \n",
        "==7==  Address 0x0 is not stack'd, malloc'd or (recently) free'd\n==7== \n",
        "==7==  Block was alloc'd at\n==7==    at 0x10: malloc (a.c:3)\n==7== \n",
        "==7== by 0x10: grow (a.c:31)\n",
        "==7==\tby 0x10: grow (a.c:31)\n",
        "==7== Other segment end (thread 3)\n==7==    at 0x10: grow (a.c:31)\n==7== \n",
        "==7== Allocation context: BSS section of /src/a\n==7== \n",
        "==7== This conflicts with a previous write of size 4 by thread #2\n\
         ==7==    at 0x10: grow (a.c:31)\n==7== \n",
        "==7==  Lock at 0x1 was first observed\n==7==    at 0x10: grow (a.c:31)\n==7== \n",
    ] {
        let parsed = parse(&format!("{start}{record}"));
        assert_eq!(problems(&parsed), ["truncated"], "{start}");
        assert_eq!(parsed.findings.len(), 1, "{start}");
    }
    assert!(parse(record).problems.is_empty());
}

#[test]
fn stack_after_error_summary_is_truncated() {
    for stack in [
        "==7==    at 0x10: grow (a.c:31)\n==7==    by 0x11: main (a.c:3)\n==7== \n",
        "==7==    by 0x11: main (a.c:3)\n==7== \n",
        "==7==  Address 0x4a40040 is 0 bytes inside a block of size 4 free'd\n",
        "==7== \n==7==    by 0x11: main (a.c:3)\n",
    ] {
        let parsed = parse(&format!("{CLEAN}{stack}"));
        assert_eq!(problems(&parsed), ["truncated"], "{stack}");
    }
}

#[test]
fn stack_overflow_is_one_finding() {
    let log = "==7== Memcheck, a memory error detector\n==7== Command: ./deep\n==7== \n\
               ==7== Stack overflow in thread #1: can't grow stack to 0x1ffe801000\n==7== \n\
               ==7== Process terminating with default action of signal 11 (SIGSEGV)\n\
               ==7==  Access not within mapped region at address 0x1FFE801FF8\n\
               ==7== Stack overflow in thread #1: can't grow stack to 0x1ffe801000\n\
               ==7==    at 0x109139: descend (deep.c:2)\n\
               ==7==  If you believe this happened as a result of a stack\n==7== \n\
               ==7== HEAP SUMMARY:\n==7==     in use at exit: 0 bytes in 0 blocks\n\
               ==7==   total heap usage: 0 allocs, 0 frees, 0 bytes allocated\n==7== \n\
               ==7== All heap blocks were freed -- no leaks are possible\n==7== \n\
               ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n";
    let parsed = parse(log);
    assert_eq!(
        described(&parsed),
        [
            "fatal-signal | Process terminating with default action of signal 11 (SIGSEGV) | None | \
          access: descend@deep.c:2"
        ]
    );
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

const RACE: &str = "==7== Conflicting load by thread 2 at 0x0010c02c size 4
==7==    at 0x10916F: racer (race.c:4)
==7==    by 0x490E1F4: start_thread (pthread_create.c:442)
==7== Allocation context: BSS section of /src/race
==7== Other segment start (thread 3)
==7==    at 0x498DB42: clone (clone.S:83)
==7== Other segment end (thread 3)
==7==    at 0x1091B2: other (race.c:5)
==7== 
";

#[test]
fn reprinted_drd_error_counts_once() {
    let ended = "==7==    (thread finished, call stack no longer available)";
    let reprint = RACE
        .replace("==7==    at 0x498DB42: clone (clone.S:83)", ended)
        .replace("==7==    at 0x1091B2: other (race.c:5)", ended);
    let summary = "==7== \n==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)\n";
    let log = format!(
        "==7== drd, a thread error detector\n==7== Command: ./race\n==7== \n==7== Thread 2:\n{RACE}\
         {summary}==7== \n==7== 1 errors in context 1 of 1:\n{reprint}{summary}"
    );
    let parsed = parse(&log);
    assert_eq!(parsed.findings.len(), 1);
    assert_eq!(parsed.findings[0].occurrences, 1);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn quiet_log_is_read_by_tool_of_its_headline() {
    let parsed = parse(&format!("==7== Thread 2:\n{RACE}"));
    assert_eq!(parsed.findings[0].tool.as_str(), "drd");
    assert_eq!(parsed.findings[0].stacks.len(), 3);
    let parsed = parse(
        "==7== Thread 3 worker:\n==7== Invalid read of size 1\n==7==    at 0x1: f (a.c:1)\n==7== \n",
    );
    assert_eq!(parsed.findings[0].tool.as_str(), "memcheck");
}

#[test]
fn variable_of_drd_error_is_a_note() {
    let variable = "==7== Location 0x10c02c is 0 bytes inside local var \"sum\"\n==7== declared at race.c:3, in frame #1 of \
         thread 2\n";
    let log = RACE.replace(
        "==7== Allocation context: BSS section of /src/race\n",
        variable,
    );
    let parsed = parse(&format!(
        "==7== drd, a thread error detector\n==7== Command: ./race\n==7== \n{log}\
         ==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)\n"
    ));
    assert_eq!(parsed.findings.len(), 1);
    assert_eq!(parsed.findings[0].stacks.len(), 3);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn lock_held_too_long_has_stacks_of_release_and_acquisition() {
    let parsed = parse(
        "==7== Acquired at:\n==7==    at 0x48: pthread_rwlock_wrlock (drd_pthread_intercepts.c:9)\n\
         ==7==    by 0x10: enter (a.c:2)\n==7==    by 0x11: main (a.c:5)\n\
         ==7== Lock on rwlock 0x1ffe0 was held during 31 ms (threshold: 20 ms).\n\
         ==7==    at 0x49: pthread_rwlock_unlock (drd_pthread_intercepts.c:10)\n\
         ==7==    by 0x12: leave (a.c:3)\n==7==    by 0x13: main (a.c:6)\n\
         ==7== rwlock 0x1ffe0 was first observed at:\n\
         ==7==    at 0x48: pthread_rwlock_init (drd_pthread_intercepts.c:8)\n==7== \n",
    );
    let finding = &parsed.findings[0];
    assert_eq!(
        (finding.tool.as_str(), finding.kind.as_str()),
        ("drd", "holdtime-err")
    );
    assert!(finding.title.starts_with("Lock on rwlock"));
    let stacks: Vec<_> = finding
        .stacks
        .iter()
        .map(|s| {
            (
                s.role.as_str(),
                s.frames.len(),
                s.frames.get(1).and_then(|f| f.info.name()),
            )
        })
        .collect();
    assert_eq!(
        stacks,
        [
            ("access", 3, Some("leave")),
            ("lock", 3, Some("enter")),
            ("lock", 1, None)
        ]
    );
}

#[test]
fn breakdown_of_valgrind_is_named() {
    let frames = "\nhost stacktrace:\n==7==    at 0x58026BEC: ??? (in /usr/libexec/valgrind/x)\n\
                  ==7==    by 0x58026D4F: ??? (in /usr/libexec/valgrind/x)\n\nsched status:\n\
                  \nThread 1: status = VgTs_Runnable (lwpid 7)\n==7==    at 0x109: f (a.c:3)\n";
    for message in [
        "Memcheck: mc_main.c:900 (mc_check): the 'impossible' happened.",
        "Helgrind: hg_main.c:309 (acquire): Assertion 'lk->kind == LK_rdwr' failed.",
        "drd: drd_thread.c:10 (f): Assertion 'p' failed.",
        "valgrind: m_mallocfree.c:303 (get_bszB_as_is): Assertion 'lo == hi' failed.",
        "valgrind: the 'impossible' happened:",
    ] {
        for start in [HEADER.replace("==77==", "==7=="), String::new()] {
            let parsed = parse(&format!("{start}{message}\n{frames}"));
            assert_eq!(problems(&parsed), ["checker-failed"], "{start}{message}");
            assert!(parsed.problems[0].message.contains(message));
            assert!(parsed.findings.is_empty(), "{message}");
        }
    }
    let other = "assert: a.c:3 (f): Assertion 'x' failed.\n";
    assert!(parse(other).problems.is_empty());
}

#[test]
fn unrecognised_instruction_is_no_error_of_the_program() {
    let log = CLEAN.replace(
        "==7== HEAP SUMMARY:",
        "==7== valgrind: Unrecognised instruction at address 0x4e8a1b0.\n\
         ==7==    at 0x4E8A1B0: probe (cpu.S:12)\n\
         ==7== Your program just tried to execute an instruction that Valgrind\n\
         ==7== did not recognise.  There are two possible reasons for this.\n\
         ==7== HEAP SUMMARY:",
    );
    let parsed = parse(&log);
    assert_eq!(problems(&parsed), ["checker-failed"]);
    assert!(parsed.problems[0].message.contains("0x4e8a1b0"));
    assert!(parsed.findings.is_empty());
}

#[test]
fn overlapping_blocks_are_one_finding() {
    let log = format!(
        "{HEADER}==77== Block 0x4a0..0x4c0 overlaps with block 0x4b0..0x4d0\n\
         ==77==  Blocks allocation contexts:\n==77==    at 0x10: carve (pool.c:18)\n==77== \n\
         ==77==    at 0x20: carve (pool.c:24)\n\
         ==77== This is usually caused by using VALGRIND_MALLOCLIKE_BLOCK in an inappropriate way.\n\
         \nMemcheck: mc_leakcheck.c:2121 (f): the 'impossible' happened.\n"
    );
    let parsed = parse(&log);
    assert_eq!(parsed.findings.len(), 1);
    assert_eq!(parsed.findings[0].kind.as_str(), "overlapping-blocks");
    assert_eq!(parsed.findings[0].stacks.len(), 2);
    assert_eq!(problems(&parsed), ["checker-failed"]);
}

#[test]
fn old_valgrind_checks_for_leaks_after_error_summary() {
    let start = "==7== Memcheck, a memory error detector.\n\
                 ==7== Using LibVEX rev 1884, a library for dynamic binary translation.\n\
                 ==7== Using valgrind-3.5.0, a dynamic binary instrumentation framework.\n==7== \n\
                 ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 5 from 1)\n";
    let clean = format!(
        "{start}==7== malloc/free: in use at exit: 0 bytes in 0 blocks.\n\
         ==7== malloc/free: 5 allocs, 5 frees, 100 bytes allocated.\n\
         ==7== For counts of detected errors, rerun with: -v\n\
         ==7== All heap blocks were freed -- no leaks are possible.\n"
    );
    let judged = common::judge_text(clean.as_bytes());
    assert_eq!(judged.codes(), (Outcome::Pass, vec![]));
    assert_eq!(judged.parsed.reports[0].version.as_deref(), Some("3.5.0"));
    let leak = format!(
        "{start}==7== malloc/free: in use at exit: 10 bytes in 1 blocks.\n\
         ==7== malloc/free: 1 allocs, 0 frees, 10 bytes allocated.\n\
         ==7== searching for pointers to 1 not-freed blocks.\n==7== checked 66,908 bytes.\n==7== \n\
         ==7== 10 bytes in 1 blocks are definitely lost in loss record 1 of 1\n\
         ==7==    at 0x40: malloc (vg_replace_malloc.c:149)\n==7==    by 0x80: main (a.c:3)\n==7== \n\
         ==7== LEAK SUMMARY:\n==7==    definitely lost: 10 bytes in 1 blocks.\n\
         ==7==      possibly lost: 0 bytes in 0 blocks.\n\
         ==7==    still reachable: 0 bytes in 0 blocks.\n\
         ==7==         suppressed: 0 bytes in 0 blocks.\n"
    );
    let parsed = parse(&leak);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert_eq!(parsed.findings.len(), 1);
    let cut = leak.replace("==7==    definitely lost: 10 bytes in 1 blocks.\n", "");
    assert_eq!(problems(&parse(&cut)), ["unreconciled"; 2]);
}

#[test]
fn error_summary_alone_proves_nothing_about_leaks() {
    let line = "==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n";
    assert_eq!(problems(&parse(line)), ["leaks-not-shown"]);
    let lost = "==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)\n";
    assert!(problems(&parse(lost)).contains(&"unreconciled"));
    // Without `-q`, the beginning is missing.
    let hint = "==7== For lists of detected and suppressed errors, rerun with: -s\n";
    assert_eq!(problems(&parse(&format!("{hint}{line}"))), ["truncated"]);
    let record = "==7== Thread #1: Exiting thread still holds 1 lock\n==7==    at 0x1: f (a.c:1)\n";
    assert_eq!(problems(&parse(&format!("{record}{lost}"))), ["truncated"]);
    let heap = format!("==7== HEAP SUMMARY:\n{line}");
    assert!(!parse(&heap).problems.is_empty());
}

#[test]
fn line_after_a_lost_end_is_read() {
    let log = "==7== Invalid read of size 8\n\
               ==7==    at 0x10A: very::long::name<==7==    by 0x10B: Table::add(int) (t.cpp:4)\n\
               ==7==    by 0x10C: main (t.cpp:9)\n==7== \n";
    let parsed = parse(log);
    assert_eq!(parsed.findings[0].stacks[0].frames.len(), 3);
    assert_eq!(problems(&parsed), ["truncated"]);
    let other = log.replace("<==7==", "<==8==");
    assert!(problems(&parse(&other)).contains(&"interleaved"));
}

#[test]
fn sanitizer_behind_tag_of_valgrind_is_read() {
    let log = format!(
        "{CLEAN}==9== math.c:11:33: runtime error: negation of -2147483648 cannot be represented in \
         type 'int'\n==9==     #0 0x55 in negate math.c:11:33\n==9==     #1 0x56 in main math.c:20:1\n\
         ==9== SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior math.c:11:33 \n\
         ==9== Direct leak of 4 byte(s) in 1 object(s) allocated from:\n"
    );
    let parsed = parse(&log);
    assert_eq!(parsed.findings[0].tool.as_str(), "ubsan");
    assert_eq!(parsed.findings[0].stacks[0].frames.len(), 2);
    assert!(
        parsed
            .problems
            .iter()
            .any(|p| p.code.class() == Class::Fatal)
    );
}

#[test]
fn records_of_ruby_memcheck_are_read() {
    let log = "Run options: --seed 1\n\
               40 (16 direct, 24 indirect) bytes in 1 blocks are definitely lost in loss record 1,120 of 2,340\n  \
               malloc (at /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)\n *\
               wrap_new (ext.c:51)\n  <unknown stack frame>\n  main (main.c:47)\n\n\
               Invalid read of size 4\n *peek(int) (ext.c:60)\n  main (main.c:47)\n\n\
               rake aborted!\nValgrind reported errors (e.g. memory leak or use-after-free)\n";
    let parsed = parse(log);
    assert_eq!(
        described(&parsed),
        [
            "leak-definite | 40 (16 direct, 24 indirect) bytes in 1 blocks are definitely lost | \
             Some(Leak { bytes: 40, blocks: 1, direct_bytes: 16, indirect_bytes: 24 }) | allocation: \
             malloc@:0 wrap_new@ext.c:51 @:0 main@main.c:47",
            "invalid-read | Invalid read of size 4 | None | access: peek(int)@ext.c:60 \
             main@main.c:47",
        ]
    );
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let end = "Valgrind reported errors (e.g. memory leak or use-after-free)\n";
    assert_eq!(problems(&parse(end)), ["truncated"]);
    for prose in [
        "Invalid read of size 4\nis what memcheck prints\n",
        "Invalid read of size 4 at the start\n",
    ] {
        let parsed = parse(prose);
        assert!(
            parsed.findings.is_empty() && parsed.problems.is_empty(),
            "{prose}"
        );
    }
}

#[test]
fn record_without_tags_is_not_lost() {
    let headline = "8 bytes in 1 blocks are definitely lost in loss record 1 of 2\n";
    let frames = "   at 0x48: malloc (vg_replace_malloc.c:446)\n   by 0x10: keep (a.c:3)\n\n";
    assert_eq!(parse(&format!("{headline}{frames}")).findings.len(), 1);
    assert_eq!(
        problems(&parse(&format!("{headline}ok\n"))),
        ["unknown-report"]
    );
}

/// Returns valgrind suppressions for the descriptor leaks of a case, or the reason why there are
/// none.
fn descriptor_suppression(case: &str) -> Result<String, String> {
    let judged = common::judge(&common::case(case).files);
    let findings = judged.fingerprints();
    let leaks = findings.filter(|(_, kind)| kind == "fd-leak");
    let mut fingerprints: Vec<String> = leaks.map(|(fingerprint, _)| fingerprint).collect();
    fingerprints.dedup();
    let options = RuleOptions::default();
    let (parsed, triage) = (&judged.parsed, &judged.triage);
    let rules = suppress(
        parsed,
        triage,
        &fingerprints,
        RuleSyntax::Valgrind,
        &options,
    );
    let rule = rules.into_iter().next().expect("a rule");
    rule.text.map_err(|error| error.to_string())
}

#[test]
fn descriptor_leaks_can_be_suppressed_since_valgrind_3_24() {
    for case in [
        "memcheck/track-fds-324",
        "memcheck/track-fds-327",
        "memcheck-xml/track-fds-324",
    ] {
        let text = descriptor_suppression(case).expect(case);
        assert!(text.contains("CoreError:FdNotClosed\n   fun:"), "{text}");
    }
    let error = descriptor_suppression("memcheck/track-fds").expect_err("an old valgrind");
    assert!(
        error.contains("since 3.24, and the log is of 3.19"),
        "{error}"
    );
}
