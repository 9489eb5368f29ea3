//! Holds what a checker stated against what was read. A difference means that something was lost on the way, and is fatal.
//!
//! What the sums mean: `memcheck/mc_leakcheck.c` (`print_results`), `coregrind/m_errormgr.c` (`VG_(show_all_errors)`),
//! `lsan/lsan_common.cpp` (`LeakReport::PrintSummary`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Amount, Kind, Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Collector;
use crate::problem::Code;

/// What was read of one report.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    definite: Amount,
    indirect: Amount,
    possible: Amount,
    reachable: Amount,
    /// Bytes that records of other leaks name as indirect.
    indirect_in_cliques: u64,
}

/// Adds a problem for each report whose sums differ.
pub(crate) fn reconcile(all: &mut Collector) {
    let read: Vec<Read> = all.reports.iter().map(|r| sums(all, r)).collect();
    let mut found = Vec::new();
    for (at, report) in all.reports.iter().enumerate() {
        if all.forgotten.contains(&at) {
            continue;
        }
        let mut say = |code: Code, message: String| found.push((at, code, message));
        if report.capped {
            say(Code::UnseenFindings, format!("{} left findings out of its report", report.tool));
        } else if report.tool == Tool::Lsan {
            sanitizer(report, &read[at], &mut say);
        } else if report.tool.is_valgrind() && report.complete {
            valgrind_leaks(report, &read[at], &mut say);
            valgrind_errors(report, inheritable(all, at), &mut say);
        }
    }
    for (at, code, message) in found {
        let (input, line, pid) = (all.reports[at].input, all.reports[at].last_line, all.reports[at].pid);
        all.problem_in(input, code, line, pid, message);
    }
}

impl Read {
    fn has_leaks(&self) -> bool {
        [self.definite, self.indirect, self.possible, self.reachable].iter().any(|a| a.blocks > 0)
    }
}

fn sums(all: &Collector, report: &Report) -> Read {
    let mut read = Read::default();
    for entry in &report.entries {
        let finding = &all.findings[entry.finding];
        let Some(leak) = finding.leak.filter(|_| entry.search == report.searches) else { continue };
        let own = if finding.kind == Kind::LEAK_INDIRECT { leak.bytes } else { leak.direct_bytes };
        let sum = match finding.kind.as_str() {
            "leak-definite" => &mut read.definite,
            "leak-indirect" => &mut read.indirect,
            "leak-possible" => &mut read.possible,
            _ => &mut read.reachable,
        };
        sum.bytes = sum.bytes.saturating_add(own.saturating_mul(entry.count));
        sum.blocks = sum.blocks.saturating_add(leak.blocks.saturating_mul(entry.count));
        if finding.kind == Kind::LEAK_DEFINITE || finding.kind == Kind::LEAK_POSSIBLE {
            read.indirect_in_cliques += leak.indirect_bytes * entry.count;
        }
    }
    read
}

fn sanitizer(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.stated.leaked else { return };
    let bytes = read.definite.bytes + read.indirect.bytes;
    let blocks = read.definite.blocks + read.indirect.blocks;
    if (stated.bytes, stated.blocks) != (bytes, blocks) {
        let stated = amount(stated.bytes, stated.blocks);
        say(Code::Unreconciled, format!("lsan states {stated}, and its records hold {}", amount(bytes, blocks)));
    }
}

/// Leaks that memcheck counted: each gated kind must be shown as records, and the records must add up.
fn valgrind_leaks(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    if report.tool != Tool::Memcheck {
        return;
    }
    let Some(stated) = report.stated.leaks else {
        return without_leak_summary(report, read, say);
    };
    let kinds = [
        ("definitely lost", stated.definite, read.definite, true),
        ("possibly lost", stated.possible, read.possible, true),
        ("still reachable", stated.reachable, read.reachable, false),
    ];
    for (name, stated, read, gated) in kinds {
        if read == stated {
            continue;
        }
        let stated = amount(stated.bytes, stated.blocks);
        if read != Amount::default() {
            let shown = amount(read.bytes, read.blocks);
            say(Code::Unreconciled, format!("memcheck states {stated} {name}, and its records hold {shown}"));
        } else if gated {
            say(Code::LeaksNotShown, format!("{stated} {name} and not shown; run with --leak-check=full"));
        }
    }
    let shown = read.indirect.bytes.max(read.indirect_in_cliques);
    if stated.indirect.bytes > shown && stated.suppressed.blocks == 0 {
        let code = if shown == 0 { Code::LeaksNotShown } else { Code::Unreconciled };
        let lost = count(stated.indirect.bytes, "byte", "bytes");
        say(code, format!("{lost} indirectly lost, of which records show {shown}"));
    }
}

/// No `LEAK SUMMARY`: nothing was leaked, or nothing was searched for.
fn without_leak_summary(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    if report.stated.all_freed {
        return;
    }
    let errors_only = report.stated.in_use.is_none() && report.shown.is_none() && report.stated.contexts.is_some();
    if errors_only && report.has_header && !read.has_leaks() {
        say(Code::LeaksNotShown, String::from("the report sums up errors and says nothing about leaks"));
    }
    if let Some(in_use) = report.stated.in_use.filter(|a| a.blocks > 0) {
        let in_use = amount(in_use.bytes, in_use.blocks);
        let text = "in use at exit, and nobody looked whether it is lost; run with --leak-check=full";
        say(Code::LeaksNotShown, format!("{in_use} {text}"));
    } else if let Some(shown) = report.shown {
        // XML before protocol 6 states no sums; its options tell what it would have shown. 3.19 shows records even with
        // `--leak-check=summary`.
        let searched = (shown.definite && shown.possible) || read.has_leaks();
        if !searched && report.stated.in_use.is_none() {
            say(
                Code::LeaksNotShown,
                String::from("the options of valgrind do not show every leak that is gated; run with --leak-check=full"),
            );
        }
    }
}

/// Every context that memcheck counted was printed as a record, here or in the report of the process that forked this one.
fn valgrind_errors(report: &Report, inheritable: u64, say: &mut impl FnMut(Code, String)) {
    let Some(contexts) = report.stated.contexts else { return };
    let most = report.printed + inheritable;
    if contexts > most {
        say(Code::Unreconciled, format!("{} states {contexts} different errors, and the report holds {most}", report.tool));
    }
}

/// Errors that a process may have counted before it was forked: those of its parent, or, where no line names the parent,
/// of the other processes in the same source.
fn inheritable(all: &Collector, at: usize) -> u64 {
    let report = &all.reports[at];
    if report.has_header && report.parent.is_none() {
        return 0;
    }
    let related = |other: &Report| match report.parent {
        Some(parent) => other.pid == Some(parent) || other.parent.is_some(),
        None => other.input == report.input && other.stream == report.stream,
    };
    let others = all.reports.iter().enumerate().filter(|(n, other)| *n != at && other.tool == report.tool && related(other));
    others.map(|(_, other)| other.printed).sum()
}
