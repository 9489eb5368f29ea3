//! Truncated and damaged logs: lines are lost, run into others, or are garbled. None of them may
//! pass, not even next to a clean run.
//!
//! Each of these logs used to pass. The mutation tests (`cases/mutants.rs`) found them.

use leakgate_core::Outcome;

use crate::logs::{CLEAN, XML, codes, xml_error};

const DRD: &str = "==9== drd, a thread error detector
==9== Command: ./a
==9== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
";

const LEAKS: &str = "==8== LEAK SUMMARY:
==8==    definitely lost: 40 bytes in 1 blocks
==8==    indirectly lost: 0 bytes in 0 blocks
==8==      possibly lost: 0 bytes in 0 blocks
==8==    still reachable: 0 bytes in 0 blocks
==8==         suppressed: 0 bytes in 0 blocks
==8== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
";

/// A record that is not gated, then a bracket that the program prints.
const BRACKET: &str = "==8== 8 bytes in 1 blocks are still reachable in loss record 1 of 1
==8==    at 0x1: f (a.c:1)
==8== 
{
==8== Invalid read of size 4
==8==    at 0x1: f (a.c:1)
==8== 
";

const SUM: &str = "SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";

/// A clean XML report of a child of the clean run.
const CHILD: &str = "<valgrindoutput>
<pid>9</pid>
<ppid>7</ppid>
<tool>memcheck</tool>
<args>
  <vargv>
    <exe>valgrind</exe>
  </vargv>
  <argv>
    <exe>./clean</exe>
  </argv>
</args>
<status>
  <state>FINISHED</state>
</status>
</valgrindoutput>
";

/// Returns [`CHILD`] with an error in place of the end of the status and of the document.
fn truncated_child() -> String {
    CHILD.replace(
        "</status>\n</valgrindoutput>",
        &xml_error().replace("KIND", "InvalidRead"),
    )
}

#[test]
fn intact_logs_pass() {
    for log in [CLEAN, CHILD, DRD] {
        assert_eq!(codes(log.as_bytes()), (Outcome::Pass, vec![]), "{log}");
    }
}

/// Asserts that every log fails, both before and after a clean run.
fn assert_fail(logs: &[(&str, String)]) {
    let mut passing = Vec::new();
    for (damage, text) in logs {
        for log in [format!("{CLEAN}{text}"), format!("{text}{CLEAN}")] {
            let (outcome, reasons) = codes(log.as_bytes());
            if outcome == Outcome::Pass || reasons.contains(&"no-evidence") {
                passing.push((damage, reasons));
            }
        }
    }
    assert!(passing.is_empty(), "{passing:#?}");
}

#[test]
fn damaged_valgrind_logs_fail() {
    let eight = CLEAN.replace("==7==", "==888==");
    let without = |line: &str| {
        eight
            .lines()
            .filter(|l| !l.contains(line))
            .fold(String::new(), |all, l| all + l + "\n")
    };
    let signal = format!(
        "==888== Process terminating with default action of signal 11\n==888== {}",
        "HEAP SUMMARY:"
    );
    let counts =
        "<errorcounts>\n<pair>\n<count>1</count>\n</pair>\n</errorcounts>\n</valgrindoutput>";
    assert_fail(&[
        (
            "a line within another process's",
            "==8==    by 0x1: f (==9== Invalid read of size 4\n".to_owned(),
        ),
        (
            "a part of a document",
            "<tid>1</tid>\n  <kind>InvalidRead</kind>\n".to_owned(),
        ),
        (
            "a part of a document, cut within a kind",
            "<tid>1</tid>\n  <kind>F\n".to_owned(),
        ),
        (
            "another part of a document",
            "<error>\n  <unique>0x1</unique>\n".to_owned(),
        ),
        (
            "a document that counts a missing error",
            XML.replace(xml_error(), "")
                .replace("</valgrindoutput>", counts),
        ),
        (
            "a descriptor whose stack has no start",
            XML.replace("KIND", "FdNotClosed").replace("<stack>\n", ""),
        ),
        (
            "a run that ended at a lost error",
            without("SUMMARY").replace("All heap blocks were", "Exit program on first error"),
        ),
        (
            "a signal without its name",
            eight.replace("==888== HEAP SUMMARY:", &signal),
        ),
        (
            "a truncated headline of a record",
            "==8== 40 bytes in 1 blocks are definitely lost in l\n".to_owned(),
        ),
        (
            "a header with a truncated first line",
            "==8== Memcheck, a memory\n".to_owned(),
        ),
        (
            "a second command after the sums of the first",
            without("ERROR SUMMARY") + &eight.replace("./clean", "./b"),
        ),
        (
            "a second run without its command",
            without("SUMMARY") + &without("Command"),
        ),
        (
            "a second run without the first line of its header",
            without("ERROR SUMMARY") + &without("Memcheck"),
        ),
        (
            "sums of a run without its start",
            format!("{eight}{}", LEAKS.replace("==8==", "==888==")),
        ),
        (
            "unreadable sums",
            format!(
                "{eight}==888== ERROR SUMMARY: 3\"errors from 3 contexts (suppressed: 0 from 0)\n"
            ),
        ),
        (
            "leaks of a run without the name of its tool",
            format!("{DRD}==8== Using Valgrind-3\n==8== Command: ./b\n{LEAKS}"),
        ),
        ("a record after a bracket", BRACKET.to_owned()),
        (
            "a stack without its headline",
            "==8==    at 0x1: f (a.c:1)\n==8==    by 0x2: main (a.c:2)\n".to_owned(),
        ),
        (
            "a stack of a thread without its headline",
            "==8== Thread 2:\n==8==    at 0x1: f (a.c:1)\n==8==    by 0x2: main (a.c:2)\n"
                .to_owned(),
        ),
        (
            "a line of text within a line of a document",
            CHILD.replace("<status>", "<time>0==8== Invalid read of size 4\n<status>"),
        ),
        (
            "an element that swallows an error",
            XML.replace("KIND", "InvalidRead")
                .replace("<error>", "<frame>\n<error>"),
        ),
        (
            "a child's document in which an error replaces the end",
            truncated_child(),
        ),
        (
            "the end of a document",
            "56Z </valgrindoutput>\n".to_owned(),
        ),
        (
            "bytes in use although everything was freed",
            eight.replace("exit: 0 bytes", "exit: 1 bytes"),
        ),
    ]);
    // After another header these sums may be those of a forked child.
    let sums = without("Memcheck").replace("==888== Command: ./clean\n", "");
    assert_eq!(
        codes(format!("{sums}{CLEAN}").as_bytes()),
        (Outcome::Fail, vec!["truncated-report"])
    );
}

#[test]
fn damaged_sanitizer_logs_fail() {
    assert_fail(&[
        ("an abort without its report", "==9==ABORTING\n".to_owned()),
        ("a record within another process's line", "Direct leak of 4 byte(s) in 1 object(s)==9== \n".to_owned()),
        (
            "a valgrind line within a sanitizer's",
            "==8==LeakSan==9== Invalid read of size 4\n==9==    at 0x1: f (a.c:1)\n".to_owned(),
        ),
        ("a damaged tag", "==8=-WARNING: MemorySanitizer: use-of-uninitialized-value\n".to_owned()),
        ("a headline in pieces", "==8==ERROR: 05-01T12:34:56Z] LeakSanitizer: detected memory leaks\n".to_owned()),
        ("a headline with a truncated tag", "01==ERROR: AddressSanitizer: attempting double-free\n".to_owned()),
        ("a leak with a truncated prefix", "9.004] Direct leak of 7 byte(s) in 1 object(s) allocated from:\n".to_owned()),
        ("a leak without the end of its line", "Direct leak of 48 byte(s) in \n".to_owned()),
        ("a leak without its first letter", "irect leak of 7 byte(s) in 1 object(s) allocated from:\n".to_owned()),
        ("a sum with a truncated prefix", format!("300000Z {SUM}")),
        ("an unreadable sum", SUM.replace("Leak", "L:ak")),
        ("a sum after half a table", format!("Suppressions used:\n  count      bytes template\n{SUM}")),
        ("a sum within a document", CHILD.replace("<status>", &format!("{SUM}<status>"))),
        (
            "an abort within a table",
            "Suppressions used:\n  count      bytes template\n==8==ABORTING\n      7       3334 f\n".to_owned(),
        ),
    ]);
}

#[test]
fn line_that_another_process_interrupts_fails() {
    for (report, line) in [
        ("", "mScudo ERROR: corr"),
        ("", "12:3<:56.003 ElectricFence Aborting: Alloc"),
        ("", "a.cpp and b:31:17: runtime error: division by z"),
        ("", "test a ... error: Undefined Behavior: in-bounds point"),
        ("", "app: WARNING: DATA RACE"),
        ("", "x *** stack smashing detected *"),
        (
            "Detected memory leaks!\nDumping objects ->\n",
            "C:\\src\\cart.cpp(41) : {156} normal block at 0x00",
        ),
        (
            "==1==ERROR: HWAddressSanitizer: tag-mismatch on address 0x6802\n",
            "    #0 0x7ffff7cea249 in ",
        ),
    ] {
        let (outcome, reasons) = codes(format!("{report}{line}{CLEAN}").as_bytes());
        assert_eq!(outcome, Outcome::Fail, "{line}");
        assert!(!reasons.contains(&"no-evidence"), "{line}: {reasons:?}");
    }
}

#[test]
fn headline_within_a_line_of_valgrind_fails() {
    for headline in [
        "Scudo ERROR: corrupted chunk",
        "error: Undefined Behavior: using",
        "a.c:3:4: runtime error: divi",
        "ElectricFence Aborting: ",
    ] {
        let log = format!("{CLEAN}==9== Use of unin{headline}\n");
        let (outcome, reasons) = codes(log.as_bytes());
        assert_eq!(outcome, Outcome::Fail, "{headline}: {reasons:?}");
    }
}

#[test]
fn prefixes_that_resemble_headlines_pass() {
    for prefix in [
        "ubsan: ",
        "asan-ubsan | ",
        "Leak check | ",
        "- 0x1 ",
        "#12 0.345 ",
    ] {
        let log: String = CLEAN
            .lines()
            .map(|line| format!("{prefix}{line}\n"))
            .collect();
        assert_eq!(codes(log.as_bytes()), (Outcome::Pass, vec![]), "{log}");
    }
}

#[test]
fn truncated_headlines_of_the_kernel_and_mtrace_fail() {
    for line in [
        "[   97.635153][ T6275] UBSAN: array-index-out-of-bounds in drivers/",
        "[   97.635153][ T6275] UBSAN: array-index-out-of-b$unds in drivers/demo.c",
        "[   97.635153][ T6275] UBSAN: shift-out-of",
        "[   97.635153][ T6275] UBSAN: signed-integer-overflow",
        "ee 2 was never alloc'd 0x122c",
        " was never alloc'd 0x122c",
    ] {
        let (outcome, reasons) = codes(format!("{CLEAN}{line}").as_bytes());
        assert_eq!(outcome, Outcome::Fail, "{line}: {reasons:?}");
    }
    for line in [
        "UBSAN: enabled",
        "UBSAN: -fsanitize=undefined",
        "UBSAN: built in release-mode",
    ] {
        let log = format!("{CLEAN}{line}\n");
        assert_eq!(codes(log.as_bytes()), (Outcome::Pass, vec![]), "{line}");
    }
}
