//! Holds what a checker stated against what was read. A difference means that something was lost on
//! the way, and is fatal.
//!
//! What the sums mean: `memcheck/mc_leakcheck.c` (`print_results`), `coregrind/m_errormgr.c`
//! (`VG_(show_all_errors)`), `lsan/lsan_common.cpp` (`LeakReport::PrintSummary`),
//! `tsan/rtl/tsan_rtl.cpp` (`Finalize`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Amount, Kind, LeakSummary, Report, Tool};
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
pub(crate) fn reconcile(all: &mut Collector, parents: &[Option<usize>]) {
    let read: Vec<Read> = all.reports.iter().map(|r| sums(all, r)).collect();
    let mut found = Vec::new();
    for (at, report) in all.reports.iter().enumerate() {
        if all.forgotten.contains(&at) {
            continue;
        }
        let mut say = |code: Code, message: String| found.push((at, code, message));
        if report.capped {
            say(
                Code::UnseenFindings,
                format!("{} left findings out of its report", report.tool),
            );
        } else if report.stated.leaked.is_some() {
            leak_total(report, &read[at], &mut say);
        } else if report.tool == Tool::Kmemleak {
            kernel_objects(all, report, &mut say);
        } else if report.tool.is_valgrind() && report.complete {
            valgrind_leaks(report, &read[at], &mut say);
            valgrind_errors(all, at, parents, &mut say);
        } else if matches!(report.tool, Tool::Tsan | Tool::Msan | Tool::GoRace) {
            sanitizer_errors(all, report, &mut say);
        }
    }
    for (at, stated) in &all.counted {
        let report = &all.reports[*at];
        if *stated > report.printed_errors + inheritable(all, *at, parents) {
            let (stated, printed) = (
                count(*stated, "different error", "different errors"),
                report.printed_errors,
            );
            found.push((
                *at,
                Code::Unreconciled,
                format!(
                    "{} counts {stated}, and the report holds {printed}",
                    report.tool
                ),
            ));
        }
    }
    for (at, code, message) in found {
        let (input, line, pid) = (
            all.reports[at].input,
            all.reports[at].last_line,
            all.reports[at].pid,
        );
        all.problem_in(input, code, line, pid, message);
    }
}

impl Read {
    fn has_leaks(&self) -> bool {
        [self.definite, self.indirect, self.possible, self.reachable]
            .iter()
            .any(|a| a.blocks > 0)
    }
}

fn sums(all: &Collector, report: &Report) -> Read {
    let mut read = Read::default();
    for entry in &report.entries {
        let finding = &all.findings[entry.finding];
        let Some(leak) = finding.leak.filter(|_| entry.search == report.searches) else {
            continue;
        };
        let own = if finding.kind == Kind::LEAK_INDIRECT {
            leak.bytes
        } else {
            leak.direct_bytes
        };
        let sum = match finding.kind.as_str() {
            "leak-definite" => &mut read.definite,
            "leak-indirect" => &mut read.indirect,
            "leak-possible" => &mut read.possible,
            _ => &mut read.reachable,
        };
        sum.bytes = sum.bytes.saturating_add(own.saturating_mul(entry.count));
        sum.blocks = sum
            .blocks
            .saturating_add(leak.blocks.saturating_mul(entry.count));
        if finding.kind == Kind::LEAK_DEFINITE || finding.kind == Kind::LEAK_POSSIBLE {
            let indirect = leak.indirect_bytes.saturating_mul(entry.count);
            read.indirect_in_cliques = read.indirect_in_cliques.saturating_add(indirect);
        }
    }
    read
}

/// What LeakSanitizer, tcmalloc and `leaks` state as one sum.
fn leak_total(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.stated.leaked else {
        return;
    };
    let bytes = read
        .definite
        .bytes
        .saturating_add(read.indirect.bytes)
        .saturating_add(read.indirect_in_cliques);
    let blocks = read.definite.blocks.saturating_add(read.indirect.blocks);
    if (stated.bytes, stated.blocks) != (bytes, blocks) {
        let stated = amount(stated.bytes, stated.blocks);
        say(
            Code::Unreconciled,
            format!(
                "{} states {stated}, and its records hold {}",
                report.tool,
                amount(bytes, blocks)
            ),
        );
    }
}

/// The kernel's log says how many objects kmemleak found, and not which: they stand in a file.
fn kernel_objects(all: &Collector, report: &Report, say: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.stated.errors else {
        return;
    };
    let printed = all
        .reports
        .iter()
        .filter(|r| r.tool == Tool::Kmemleak)
        .map(|r| r.printed)
        .fold(0, u64::saturating_add);
    if stated > printed {
        let stated = count(stated, "object", "objects");
        let file = "/sys/kernel/debug/kmemleak";
        say(
            Code::LeaksNotShown,
            format!(
                "kmemleak counts {stated}, and {printed} of them are in what was read; read {file}, too"
            ),
        );
    }
}

/// ThreadSanitizer, Go's race detector, and MemorySanitizer where it goes on, say at the end how
/// many errors they printed. The words name no process, and a child of `fork` counts its parent's,
/// so all that were printed in the same source make up the count.
fn sanitizer_errors(all: &Collector, report: &Report, say: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.stated.errors else {
        return;
    };
    let beside =
        |r: &&Report| r.tool == report.tool && r.input == report.input && r.stream == report.stream;
    let printed = all
        .reports
        .iter()
        .filter(beside)
        .map(|r| r.printed_errors)
        .fold(0, u64::saturating_add);
    if stated > printed {
        let stated = count(stated, "error", "errors");
        say(
            Code::Unreconciled,
            format!(
                "{} counts {stated}, and the log holds {printed}",
                report.tool
            ),
        );
    }
}

/// Leaks that memcheck counted: each gated kind must be shown as records, and the records must add
/// up.
fn valgrind_leaks(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    // Only memcheck looks for leaks: where the line that names the tool is lost, these sums tell.
    if report.tool != Tool::Memcheck
        && report.stated.leaks.is_none()
        && report.stated.in_use.is_none()
    {
        return;
    }
    let Some(stated) = report.stated.leaks else {
        return without_leak_summary(report, read, say);
    };
    if stated.lines != LeakSummary::LINES {
        say(
            Code::Unreconciled,
            String::from("lines of the LEAK SUMMARY are missing"),
        );
    }
    let kinds = [
        ("definitely lost", stated.definite, read.definite, true),
        ("possibly lost", stated.possible, read.possible, true),
        ("still reachable", stated.reachable, read.reachable, false),
    ];
    let mut hidden = Vec::new();
    for (name, stated, read, gated) in kinds {
        if read == stated {
            continue;
        }
        let stated = amount(stated.bytes, stated.blocks);
        if read != Amount::default() {
            let shown = amount(read.bytes, read.blocks);
            say(
                Code::Unreconciled,
                format!("memcheck states {stated} {name}, and its records hold {shown}"),
            );
        } else if gated {
            hidden.push(format!("{stated} {name}"));
        }
    }
    // Suppressed leaks leave what they point to behind.
    let shown = read.indirect.bytes.max(read.indirect_in_cliques);
    if stated.indirect.bytes > shown && stated.suppressed.blocks == 0 {
        let lost = count(stated.indirect.bytes, "byte", "bytes");
        match shown {
            0 => hidden.push(format!("{lost} indirectly lost")),
            shown => say(
                Code::Unreconciled,
                format!("{lost} indirectly lost, of which records show {shown}"),
            ),
        }
    }
    if !hidden.is_empty() {
        say(
            Code::LeaksNotShown,
            format!(
                "{}: counted and not shown; run with --leak-check=full",
                hidden.join(", ")
            ),
        );
    }
}

/// No `LEAK SUMMARY`: nothing was leaked, or nothing was searched for.
fn without_leak_summary(report: &Report, read: &Read, say: &mut impl FnMut(Code, String)) {
    if report.stated.all_freed {
        if report
            .stated
            .in_use
            .is_some_and(|in_use| in_use != Amount::default())
        {
            say(
                Code::Unreconciled,
                String::from(
                    "memcheck says that every block was freed, and that some are in use at exit",
                ),
            );
        }
        return;
    }
    let errors_only = report.stated.in_use.is_none()
        && report.shown.is_none()
        && report.stated.contexts.is_some();
    if errors_only && report.has_header && !read.has_leaks() {
        say(
            Code::LeaksNotShown,
            String::from("the report sums up errors and says nothing about leaks"),
        );
    }
    if let Some(in_use) = report
        .stated
        .in_use
        .filter(|in_use| *in_use != Amount::default())
    {
        let in_use = amount(in_use.bytes, in_use.blocks);
        let text =
            "in use at exit, and nobody looked whether it is lost; run with --leak-check=full";
        say(Code::LeaksNotShown, format!("{in_use} {text}"));
    } else if let Some(shown) = report.shown {
        // XML before protocol 6 states no sums; its options tell what it would have shown. 3.19
        // shows records even with `--leak-check=summary`.
        let searched = (shown.definite && shown.possible) || read.has_leaks();
        if !searched && report.stated.in_use.is_none() {
            say(
                Code::LeaksNotShown,
                String::from(
                    "the options of valgrind do not show every leak that is gated; run with --leak-check=full",
                ),
            );
        }
    }
}

/// Every context that valgrind counted was printed as a record, here or in the report of a process
/// that forked this one. Which leaks are contexts, `--errors-for-leak-kinds` says: definite and
/// possible ones unless told otherwise. Descriptors are since 3.24.
fn valgrind_errors(
    all: &Collector,
    at: usize,
    parents: &[Option<usize>],
    say: &mut impl FnMut(Code, String),
) {
    let report = &all.reports[at];
    let Some(contexts) = report.stated.contexts else {
        return;
    };
    let count_of = |kinds: &[Kind]| -> u64 {
        let counted = report
            .entries
            .iter()
            .filter(|e| kinds.contains(&all.findings[e.finding].kind));
        counted.map(|e| e.count).fold(0, u64::saturating_add)
    };
    let base = report.printed_errors + count_of(&[Kind::LEAK_DEFINITE, Kind::LEAK_POSSIBLE]);
    // Records that a later leak search printed again were contexts of their own.
    let again = report.printed.saturating_sub(
        report
            .entries
            .iter()
            .map(|e| e.count)
            .fold(0, u64::saturating_add),
    );
    if contexts <= base + again {
        return;
    }
    let slack = again + inheritable(all, at, parents);
    let optional = [
        count_of(&[Kind::LEAK_INDIRECT]),
        count_of(&[Kind::LEAK_REACHABLE]),
        count_of(&[Kind::FD_LEAK, Kind::FD_INHERITED]),
    ];
    let explained = (0..8u32).any(|choice| {
        let chosen = optional
            .iter()
            .enumerate()
            .filter(|(bit, _)| choice & (1 << bit) != 0);
        let sum = base + chosen.map(|(_, n)| *n).sum::<u64>();
        sum <= contexts && contexts <= sum + slack
    });
    if !explained && contexts > base + slack {
        let stated = count(contexts, "different error", "different errors");
        say(
            Code::Unreconciled,
            format!(
                "{} states {stated}, and the report holds {base}",
                report.tool
            ),
        );
    }
}

/// Errors that the process may have counted before it was forked: those of its ancestors, or, where
/// it wrote no header and so names no parent, of the other processes in the same source.
fn inheritable(all: &Collector, at: usize, parents: &[Option<usize>]) -> u64 {
    let report = &all.reports[at];
    if report.parent.is_none() && report.has_header {
        return 0;
    }
    if report.parent.is_none() {
        let beside = |other: &&Report| {
            other.input == report.input && other.stream == report.stream && other.pid != report.pid
        };
        return all
            .reports
            .iter()
            .filter(beside)
            .map(|r| r.printed_errors)
            .fold(0, u64::saturating_add);
    }
    // Pids that name each other in a ring are no ancestors.
    const MAX_DEPTH: usize = 64;
    let ancestors = core::iter::successors(parents[at], |parent| parents[*parent]).take(MAX_DEPTH);
    ancestors
        .map(|parent| all.reports[parent].printed_errors)
        .fold(0, u64::saturating_add)
}
