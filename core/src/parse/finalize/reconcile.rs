//! Compares the totals that a checker stated with the parsed records. A difference means that part
//! of the output was lost, and is fatal.
//!
//! Sources of the totals: `memcheck/mc_leakcheck.c` (`print_results`), `coregrind/m_errormgr.c`
//! (`VG_(show_all_errors)`), `lsan/lsan_common.cpp` (`LeakReport::PrintSummary`),
//! `tsan/rtl/tsan_rtl.cpp` (`Finalize`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Amount, Kind, LeakSummary, Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Collector;
use crate::parse::collect::OpenReport;
use crate::problem::Code;

/// The sums of a report's leak records.
#[derive(Clone, Copy, Debug, Default)]
struct RecordTotals {
    definite: Amount,
    indirect: Amount,
    possible: Amount,
    reachable: Amount,
    /// Bytes that definite and possible leaks list as indirectly lost.
    indirect_in_cliques: u64,
}

/// Adds a problem for each report whose totals contradict its records.
pub(crate) fn reconcile(all: &mut Collector, parents: &[Option<usize>]) {
    let totals: Vec<RecordTotals> = all.reports.iter().map(|r| record_totals(all, r)).collect();
    let mut found = Vec::new();
    for (at, open) in all.reports.iter().enumerate() {
        if open.dropped {
            continue;
        }
        let report = &open.report;
        let mut add = |code: Code, message: String| found.push((at, code, message));
        if report.capped {
            let tool = &report.tool;
            let remedy = unseen_remedy(tool);
            let message = format!("{tool} omitted findings from its report{remedy}");
            add(Code::UnseenFindings, message);
        } else if report.totals.leaked.is_some() {
            leak_total(report, &totals[at], &mut add);
        } else if report.tool == Tool::Kmemleak {
            kernel_objects(all, report, &mut add);
        } else if report.tool.is_valgrind() && report.complete {
            valgrind_leaks(report, &totals[at], &mut add);
            valgrind_errors(all, at, parents, &mut add);
        } else if matches!(report.tool, Tool::Tsan | Tool::Msan | Tool::GoRace) {
            sanitizer_errors(all, report, &mut add);
        }
    }
    for (at, open) in all.reports.iter().enumerate() {
        for stated in &open.stated_errors {
            if *stated > open.printed_errors + inheritable(all, at, parents) {
                let stated = count(*stated, "different error", "different errors");
                let message = too_few_records(&open.report, &stated, open.printed_errors);
                found.push((at, Code::Unreconciled, message));
            }
        }
    }
    for (at, code, message) in found {
        let report = &all.reports[at].report;
        let input = report.input;
        let line = report.last_line;
        let pid = report.pid;
        all.add_problem_in(input, code, line, pid, message);
    }
}

/// Returns the option that makes a checker show all findings, as the end of a message. Empty if no
/// option does.
fn unseen_remedy(tool: &Tool) -> &'static str {
    match tool {
        Tool::Lsan | Tool::Asan | Tool::Hwasan => "; set max_leaks=0 in LSAN_OPTIONS",
        tool if tool.is_valgrind() => "; run with --error-limit=no",
        _ => "",
    }
}

/// Returns the message for a report whose records don't add up to its total. `name` is the kind of
/// leak, with a space in front.
fn wrong_sum(report: &Report, name: &str, stated: Amount, listed: Amount) -> String {
    let is_less = listed.bytes <= stated.bytes && listed.blocks <= stated.blocks;
    let (only, cause) = if is_less {
        ("only ", "; part of the log is missing")
    } else {
        ("", "")
    };
    format!(
        "`{}` reported a total of {}{name}, but lists {only}{}{cause}",
        report.tool,
        amount(stated.bytes, stated.blocks),
        amount(listed.bytes, listed.blocks)
    )
}

/// Returns the message for a report that contains fewer records than its checker counted.
fn too_few_records(report: &Report, stated: &str, printed: u64) -> String {
    format!(
        "{} counted {stated}, but the report contains {printed}",
        report.tool
    )
}

impl RecordTotals {
    fn has_leaks(&self) -> bool {
        [self.definite, self.indirect, self.possible, self.reachable]
            .iter()
            .any(|a| a.blocks > 0)
    }
}

/// Sums up the leaks that the last leak check of a process printed.
fn record_totals(all: &Collector, open: &OpenReport) -> RecordTotals {
    let mut totals = RecordTotals::default();
    for record in &open.report.records {
        let finding = &all.findings[record.finding];
        let is_last_check = record.leak_check == open.leak_checks;
        let Some(leak) = finding.leak.filter(|_| is_last_check) else {
            continue;
        };
        let own = if finding.kind == Kind::LEAK_INDIRECT {
            leak.bytes
        } else {
            leak.direct_bytes
        };
        let sum = match finding.kind.as_str() {
            "leak-definite" => &mut totals.definite,
            "leak-indirect" => &mut totals.indirect,
            "leak-possible" => &mut totals.possible,
            _ => &mut totals.reachable,
        };
        sum.bytes = sum.bytes.saturating_add(own.saturating_mul(record.count));
        sum.blocks = sum
            .blocks
            .saturating_add(leak.blocks.saturating_mul(record.count));
        if finding.kind == Kind::LEAK_DEFINITE || finding.kind == Kind::LEAK_POSSIBLE {
            let indirect = leak.indirect_bytes.saturating_mul(record.count);
            totals.indirect_in_cliques = totals.indirect_in_cliques.saturating_add(indirect);
        }
    }
    totals
}

/// Checks the single leak total of LeakSanitizer, tcmalloc and `leaks`.
fn leak_total(report: &Report, read: &RecordTotals, add: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.totals.leaked else {
        return;
    };
    let bytes = read
        .definite
        .bytes
        .saturating_add(read.indirect.bytes)
        .saturating_add(read.indirect_in_cliques);
    let blocks = read.definite.blocks.saturating_add(read.indirect.blocks);
    let listed = Amount { bytes, blocks };
    let excluded = match &report.totals.leaks {
        Some(leaks) if report.tool == Tool::Leaks => leaks.suppressed.blocks,
        _ => 0,
    };
    // `leaks` prints only the number of the leaks that an option excludes.
    let is_explained =
        excluded > 0 && blocks.saturating_add(excluded) == stated.blocks && bytes <= stated.bytes;
    if stated != listed && !is_explained {
        add(Code::Unreconciled, wrong_sum(report, "", stated, listed));
    }
}

/// Checks the number of objects that kmemleak found. The kernel log states only the number; the
/// objects themselves are listed in a file.
fn kernel_objects(all: &Collector, report: &Report, add: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.totals.errors else {
        return;
    };
    let printed = all
        .reports
        .iter()
        .filter(|open| open.report.tool == Tool::Kmemleak)
        .map(|open| open.report.printed)
        .fold(0, u64::saturating_add);
    if stated > printed {
        let stated = count(stated, "object", "objects");
        let message = format!(
            "kmemleak counted {stated}, but the inputs contain {printed}; add the contents of \
             /sys/kernel/debug/kmemleak to the inputs"
        );
        add(Code::LeaksNotShown, message);
    }
}

/// Checks the number of errors that ThreadSanitizer, Go's race detector, and MemorySanitizer with
/// `halt_on_error=0` state at the end. That line names no process, and a child of `fork` includes
/// its parent's errors, so the errors of all reports from the same source count.
fn sanitizer_errors(all: &Collector, report: &Report, add: &mut impl FnMut(Code, String)) {
    let Some(stated) = report.totals.errors else {
        return;
    };
    let printed = all
        .reports
        .iter()
        .filter(|open| {
            let other = &open.report;
            other.tool == report.tool
                && other.input == report.input
                && other.stream == report.stream
        })
        .map(|open| open.printed_errors)
        .fold(0, u64::saturating_add);
    if stated > printed {
        let stated = count(stated, "error", "errors");
        let message = format!(
            "{} counted {stated}, but the log contains {printed}",
            report.tool
        );
        add(Code::Unreconciled, message);
    }
}

/// Checks memcheck's leak summary: every gated kind must be shown as records, and the records must
/// add up.
fn valgrind_leaks(report: &Report, read: &RecordTotals, add: &mut impl FnMut(Code, String)) {
    // Only memcheck checks for leaks. If the line that names the tool is lost, these totals prove
    // that it is memcheck.
    if report.tool != Tool::Memcheck
        && report.totals.leaks.is_none()
        && report.totals.in_use.is_none()
    {
        return;
    }
    let Some(stated) = report.totals.leaks else {
        return without_leak_summary(report, read, add);
    };
    if stated.lines != LeakSummary::LINES {
        let message = String::from("lines of the LEAK SUMMARY are missing");
        add(Code::Unreconciled, message);
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
        if read != Amount::default() {
            let name = format!(" {name}");
            add(Code::Unreconciled, wrong_sum(report, &name, stated, read));
        } else if gated {
            let stated = amount(stated.bytes, stated.blocks);
            hidden.push(format!("{stated} {name}"));
        }
    }
    // Suppressed leaks hide the blocks that they point to.
    let shown = read.indirect.bytes.max(read.indirect_in_cliques);
    if stated.indirect.bytes > shown && stated.suppressed.blocks == 0 {
        let lost = count(stated.indirect.bytes, "byte", "bytes");
        if shown == 0 {
            hidden.push(format!("{lost} indirectly lost"));
        } else {
            let shown = count(shown, "byte", "bytes");
            let message = format!(
                "`{}` reported a total of {lost} indirectly lost, but lists only {shown}; part of \
                 the log is missing",
                report.tool
            );
            add(Code::Unreconciled, message);
        }
    }
    if !hidden.is_empty() {
        let message = format!(
            "{}: counted but not shown; run with --leak-check=full",
            hidden.join(", ")
        );
        add(Code::LeaksNotShown, message);
    }
}

/// Checks a report without a `LEAK SUMMARY`: either nothing leaked, or valgrind did not check.
fn without_leak_summary(report: &Report, read: &RecordTotals, add: &mut impl FnMut(Code, String)) {
    let totals = &report.totals;
    let is_in_use = totals.in_use.filter(|a| *a != Amount::default());
    if totals.all_freed {
        if is_in_use.is_some() {
            let message = "memcheck reports that all blocks were freed, and also blocks in use at \
                           exit";
            add(Code::Unreconciled, String::from(message));
        }
        return;
    }
    let has_only_errors =
        totals.in_use.is_none() && report.shown_leaks.is_none() && totals.contexts.is_some();
    if has_only_errors && report.has_header && !read.has_leaks() {
        let message = "the report has an error summary, but no information about leaks";
        add(Code::LeaksNotShown, String::from(message));
    }
    if let Some(in_use) = is_in_use {
        let in_use = amount(in_use.bytes, in_use.blocks);
        let message = format!(
            "{in_use} in use at exit, but valgrind did not check for leaks; run with \
             --leak-check=full"
        );
        add(Code::LeaksNotShown, message);
    } else if let Some(shown) = report.shown_leaks {
        // XML before protocol 6 states no sums, so valgrind's options have to show that leaks would
        // have been printed. 3.19 prints records even with `--leak-check=summary`.
        let was_checked = (shown.definite && shown.possible) || read.has_leaks();
        if !was_checked && totals.in_use.is_none() {
            let message =
                "valgrind's options hide leaks that fail the gate; run with --leak-check=full";
            add(Code::LeaksNotShown, String::from(message));
        }
    }
}

/// Checks that every error context that valgrind counted was printed, in this report or in the
/// report of a process that forked this one. `--errors-for-leak-kinds` decides which leaks are
/// contexts; by default, definite and possible ones. File descriptors are contexts since 3.24.
fn valgrind_errors(
    all: &Collector,
    at: usize,
    parents: &[Option<usize>],
    add: &mut impl FnMut(Code, String),
) {
    let open = &all.reports[at];
    let report = &open.report;
    let Some(contexts) = report.totals.contexts else {
        return;
    };
    let count_of = |kinds: &[Kind]| -> u64 {
        let counted = report
            .records
            .iter()
            .filter(|e| kinds.contains(&all.findings[e.finding].kind));
        counted.map(|e| e.count).fold(0, u64::saturating_add)
    };
    let base = open.printed_errors + count_of(&[Kind::LEAK_DEFINITE, Kind::LEAK_POSSIBLE]);
    // Records that a later leak check printed again were contexts, too.
    let counts = report.records.iter().map(|e| e.count);
    let repeated = report
        .printed
        .saturating_sub(counts.fold(0, u64::saturating_add));
    if contexts <= base + repeated {
        return;
    }
    let slack = repeated + inheritable(all, at, parents);
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
        add(Code::Unreconciled, too_few_records(report, &stated, base));
    }
}

/// Returns how many errors the process may have counted before it was forked: those of its
/// ancestors, or, if it wrote no header and so names no parent, those of the other processes in the
/// same source.
fn inheritable(all: &Collector, at: usize, parents: &[Option<usize>]) -> u64 {
    let report = &all.reports[at].report;
    if report.parent.is_none() && report.has_header {
        return 0;
    }
    if report.parent.is_none() {
        return all
            .reports
            .iter()
            .filter(|open| {
                let other = &open.report;
                other.input == report.input
                    && other.stream == report.stream
                    && other.pid != report.pid
            })
            .map(|open| open.printed_errors)
            .fold(0, u64::saturating_add);
    }
    // Reused pids can form a cycle.
    const MAX_DEPTH: usize = 64;
    let ancestors = core::iter::successors(parents[at], |parent| parents[*parent]).take(MAX_DEPTH);
    ancestors
        .map(|parent| all.reports[parent].printed_errors)
        .fold(0, u64::saturating_add)
}
