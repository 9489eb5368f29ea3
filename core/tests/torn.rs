//! Logs that are torn: lines are lost, run into others, or are damaged. None of them passes, not
//! even beside a clean run.
//!
//! Each passed once; `mutants.rs` found them.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod common;

use common::CLEAN;
use leakgate_core::Outcome;

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

/// A record that is not gated, then the start of something that the program prints.
const BRACKET: &str = "==8== 8 bytes in 1 blocks are still reachable in loss record 1 of 1
==8==    at 0x1: f (a.c:1)
==8== 
{
==8== Invalid read of size 4
==8==    at 0x1: f (a.c:1)
==8== 
";

const SUM: &str = "SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";

/// A document in which one error is left to fill in.
const XML: &str = "<valgrindoutput>
<tool>memcheck</tool>
<pid>9</pid>
<error>
  <kind>KIND</kind>
  <what>something</what>
  <stack>
    <frame>
      <ip>0x1</ip>
      <fn>main</fn>
    </frame>
  </stack>
</error>
<status>
  <state>FINISHED</state>
</status>
</valgrindoutput>
";

/// A clean document of a child of the clean run.
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

/// The end tag of the status is lost, and the end of the document.
fn child_that_breaks_off() -> String {
    let error = &XML[XML.find("<error>").unwrap()..XML.find("<status>").unwrap()];
    CHILD.replace(
        "</status>\n</valgrindoutput>",
        &error.replace("KIND", "InvalidRead"),
    )
}

fn codes(log: &[u8]) -> (Outcome, Vec<&'static str>) {
    let judged = common::judge(&[("log".to_owned(), log.to_vec())]);
    (
        judged.verdict.outcome,
        judged
            .verdict
            .reasons
            .iter()
            .map(|r| r.code.as_str())
            .collect(),
    )
}

#[test]
fn what_the_torn_logs_are_made_of_passes() {
    for log in [CLEAN, CHILD, DRD] {
        assert_eq!(codes(log.as_bytes()), (Outcome::Pass, vec![]), "{log}");
    }
}

/// None of these passes, before or behind a clean run.
fn fail(logs: &[(&str, String)]) {
    let mut passing = Vec::new();
    for (what, text) in logs {
        for log in [format!("{CLEAN}{text}"), format!("{text}{CLEAN}")] {
            let (outcome, reasons) = codes(log.as_bytes());
            if outcome == Outcome::Pass || reasons.contains(&"no-evidence") {
                passing.push((what, reasons));
            }
        }
    }
    assert!(passing.is_empty(), "{passing:#?}");
}

#[test]
fn what_is_torn_of_valgrinds_fails() {
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
    let error = XML.find("<error>").unwrap()..XML.find("<status>").unwrap();
    fail(&[
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
            "another part of it",
            "<error>\n  <unique>0x1</unique>\n".to_owned(),
        ),
        (
            "a document that counts an error it does not hold",
            XML.replace(&XML[error], "")
                .replace("</valgrindoutput>", counts),
        ),
        (
            "a descriptor whose stack has no start",
            XML.replace("KIND", "FdNotClosed").replace("<stack>\n", ""),
        ),
        (
            "a run that ended at an error that is lost",
            without("SUMMARY").replace("All heap blocks were", "Exit program on first error"),
        ),
        (
            "a signal whose name is lost",
            eight.replace("==888== HEAP SUMMARY:", &signal),
        ),
        (
            "a record whose headline is cut",
            "==8== 40 bytes in 1 blocks are definitely lost in l\n".to_owned(),
        ),
        (
            "a header whose first line is cut",
            "==8== Memcheck, a memory\n".to_owned(),
        ),
        (
            "no exec: it sums up already",
            without("ERROR SUMMARY") + &eight.replace("./clean", "./b"),
        ),
        (
            "no exec: the second command is lost",
            without("SUMMARY") + &without("Command"),
        ),
        (
            "the header of a second run has lost its first line",
            without("ERROR SUMMARY") + &without("Memcheck"),
        ),
        (
            "sums of a run that has lost its start",
            format!("{eight}{}", LEAKS.replace("==8==", "==888==")),
        ),
        (
            "sums that can't be read",
            format!(
                "{eight}==888== ERROR SUMMARY: 3\"errors from 3 contexts (suppressed: 0 from 0)\n"
            ),
        ),
        (
            "leaks of a run that has lost the name of its tool",
            format!("{DRD}==8== Using Valgrind-3\n==8== Command: ./b\n{LEAKS}"),
        ),
        ("a record behind a bracket", BRACKET.to_owned()),
        (
            "a stack without its headline",
            "==8==    at 0x1: f (a.c:1)\n==8==    by 0x2: main (a.c:2)\n".to_owned(),
        ),
        (
            "the same of a thread",
            "==8== Thread 2:\n==8==    at 0x1: f (a.c:1)\n==8==    by 0x2: main (a.c:2)\n"
                .to_owned(),
        ),
        (
            "a line of text within a document's",
            CHILD.replace("<status>", "<time>0==8== Invalid read of size 4\n<status>"),
        ),
        (
            "an element that swallows an error",
            XML.replace("KIND", "InvalidRead")
                .replace("<error>", "<frame>\n<error>"),
        ),
        (
            "the same in a child's document without an end",
            child_that_breaks_off(),
        ),
        (
            "the end of a document",
            "56Z </valgrindoutput>\n".to_owned(),
        ),
        (
            "all is freed, and some bytes are in use",
            eight.replace("exit: 0 bytes", "exit: 1 bytes"),
        ),
    ]);
    // Behind another header they may be a forked child's.
    let sums = without("Memcheck").replace("==888== Command: ./clean\n", "");
    assert_eq!(
        codes(format!("{sums}{CLEAN}").as_bytes()),
        (Outcome::Fail, vec!["truncated-report"])
    );
}

#[test]
fn what_is_torn_of_sanitizers_fails() {
    fail(&[
        ("an abort without its report", "==9==ABORTING\n".to_owned()),
        ("a record within another process's line", "Direct leak of 4 byte(s) in 1 object(s)==9== \n".to_owned()),
        (
            "a valgrind line within a sanitizer's",
            "==8==LeakSan==9== Invalid read of size 4\n==9==    at 0x1: f (a.c:1)\n".to_owned(),
        ),
        ("a damaged tag", "==8=-WARNING: MemorySanitizer: use-of-uninitialized-value\n".to_owned()),
        ("a headline in pieces", "==8==ERROR: 05-01T12:34:56Z] LeakSanitizer: detected memory leaks\n".to_owned()),
        ("a headline whose tag is cut", "01==ERROR: AddressSanitizer: attempting double-free\n".to_owned()),
        ("a leak whose prefix is cut", "9.004] Direct leak of 7 byte(s) in 1 object(s) allocated from:\n".to_owned()),
        ("a leak without the end of its line", "Direct leak of 48 byte(s) in \n".to_owned()),
        ("a leak without its first letter", "irect leak of 7 byte(s) in 1 object(s) allocated from:\n".to_owned()),
        ("a sum whose prefix is cut", format!("300000Z {SUM}")),
        ("a sum that can't be read", SUM.replace("Leak", "L:ak")),
        ("a sum behind half a table", format!("Suppressions used:\n  count      bytes template\n{SUM}")),
        ("a sum within a document", CHILD.replace("<status>", &format!("{SUM}<status>"))),
        (
            "an abort within a table",
            "Suppressions used:\n  count      bytes template\n==8==ABORTING\n      7       3334 f\n".to_owned(),
        ),
    ]);
}
