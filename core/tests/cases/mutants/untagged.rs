//! The part of the check for checkers whose lines have no `==pid==` tag.

use super::check::{Scan, without_numbers};

/// Parts of the headlines of records.
const RECORDS: &[&str] = &[
    "Scudo ERROR: ",
    "GWP-ASan detected a memory error",
    "ElectricFence Aborting: ",
    "double free or corruption (",
    "free(): invalid",
    "free(): double free detected",
    "malloc(): corrupted",
    "malloc(): invalid",
    "*** stack smashing detected ***",
    "*** buffer overflow detected ***",
    "memory stomping bug",
    "was never alloc'd",
    "error: Undefined Behavior: ",
    "error: memory leaked: ",
    "error: the evaluated program ",
    "error: abnormal termination: ",
    "ubsan: ",
    "WARNING: DATA RACE",
    "BUG: KASAN: ",
    "BUG: KMSAN: ",
    "BUG: KCSAN: ",
    "BUG: KFENCE: ",
    "UBSAN: ",
    "unreferenced object 0x",
    "VERIFIER STOP ",
    "HEAP CORRUPTION DETECTED: ",
];

/// Parts of the lines in which a checker reports its result.
const EVIDENCE: &[&str] = &[
    "No leaks found for check \"",
    "No memory leaks.",
    "Leak approximation summary: ~",
    ": 0 leaks for 0 total leaked bytes",
    "NO ERRORS FOUND:",
    "</avrf:logfile>",
];

/// Returns true if the line contains the words. An error of the compiler must begin the line, or
/// follow a prefix or a text without a line feed.
fn has(line: &str, words: &str) -> bool {
    let head = line.split_once(words).map(|(head, _)| head);
    let begins =
        |head: &str| head.is_empty() || head.ends_with(|c: char| c.is_ascii_alphanumeric());
    let is_prefix = |head: &str| {
        head.trim_end()
            .ends_with(|c: char| c.is_ascii_digit() || "]|:Z>)".contains(c))
    };
    head.is_some_and(|head| !words.starts_with("error: ") || begins(head) || is_prefix(head))
}

pub(crate) fn scan(text: &str, scan: &mut Scan) {
    let mut in_table = false;
    let (mut begun, mut ended) = (0, 0);
    for line in text.lines() {
        let is_row = line.starts_with("0x") && line.contains("  0x");
        in_table = line.contains("Memory not freed:")
            || (in_table && (is_row || line.contains("---") || line.contains("Address")));
        if let Some(words) = RECORDS.iter().find(|words| has(line, words)) {
            scan.records.push(without_numbers(words));
        } else if line.contains(" total leaked bytes") && !line.contains(": 0 leaks") {
            scan.records.push("sum of leaks".to_owned());
        } else if line.contains(" block at 0x") && line.contains(" bytes long.") {
            scan.records.push("block of the debug heap".to_owned());
        } else if line.contains("Leak of ") && line.contains(" objects allocated from:") {
            scan.records.push("leak of tcmalloc".to_owned());
        } else if in_table && is_row {
            scan.records.push("row of mtrace".to_owned());
        } else if line.split_once("Error #").is_some_and(|(_, rest)| {
            rest.contains(": ") && rest.contains(|c: char| c.is_ascii_uppercase())
        }) {
            scan.records.push("error of Dr. Memory".to_owned());
        } else if line.contains("jemalloc>: Leak approximation summary: ~")
            && !line.contains("~0 bytes")
        {
            scan.records.push("sum of jemalloc".to_owned());
        }
        scan.evidence |= EVIDENCE.iter().any(|words| line.contains(words));
        begun += usize::from(line.contains("GWP-ASan detected a memory error"));
        ended += usize::from(line.contains("*** End GWP-ASan report"));
    }
    if begun > ended {
        scan.broken
            .push("a report of GWP-ASan has no end".to_owned());
    }
    let miri = text
        .rfind("error: Undefined Behavior: ")
        .max(text.rfind("error: memory leaked: "));
    if miri.is_some_and(|at| !text[at..].contains("error: aborting due to ")) {
        scan.broken.push("errors of Miri have no sum".to_owned());
    }
}
