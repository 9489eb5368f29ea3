//! The checks that need all the parsed data: records printed twice, leaks that a child inherited
//! from its parent, reports without an end, and totals that contradict the records.

mod callers;
mod reconcile;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use hashbrown::HashMap;

use super::collect::{Collector, Ending, OpenReport};
use crate::model::{Finding, Kind, RecordCount, Text, Tool};
use crate::problem::Code;

/// Corrects the counts, adds the problems that only the complete data reveals, and removes
/// duplicates.
pub(super) fn finalize(mut all: Collector) -> Collector {
    mark_inputs_with_output(&mut all);
    drop_repeated_leak_checks(&mut all);
    drop_duplicate_reports(&mut all);
    let parents = parents(&all);
    explain_replaced(&mut all);
    explain_exec(&mut all);
    explain_bare_children(&mut all, &parents);
    mark_inherited(&mut all, &parents);
    reconcile::reconcile(&mut all, &parents);
    drop_empty(&mut all);
    callers::infer(&mut all);
    all.problems.sort_by_key(|p| (p.input, p.line));
    all
}

/// Marks the inputs that contain checker output. A profiler's report proves nothing about memory.
fn mark_inputs_with_output(all: &mut Collector) {
    for open in &all.reports {
        let proves = !open.dropped && !open.report.tool.is_profiler();
        all.inputs[open.report.input].has_output |= proves;
    }
}

/// Drops the records that a later leak check of the same process printed again, perhaps with other
/// sizes.
fn drop_repeated_leak_checks(all: &mut Collector) {
    for at in 0..all.reports.len() {
        let last = all.reports[at].leak_checks;
        if last == 0 {
            continue;
        }
        let records = core::mem::take(&mut all.reports[at].report.records);
        let leak_stack = |all: &Collector, record: &RecordCount| {
            let finding = &all.findings[record.finding];
            finding.kind.is_leak().then(|| all.stack_hash(finding))
        };
        let newest: HashMap<u64, usize> = records
            .iter()
            .filter(|record| record.leak_check == last)
            .filter_map(|record| Some((leak_stack(all, record)?, record.finding)))
            .collect();
        let mut kept = Vec::with_capacity(records.len());
        let mut repeated: HashMap<usize, Vec<RecordCount>> = HashMap::new();
        for record in records {
            let stack = leak_stack(all, &record).filter(|_| record.leak_check < last);
            if let Some(same) = stack.and_then(|stack| newest.get(&stack)) {
                subtract(all, at, &record);
                repeated.entry(*same).or_default().push(record);
            } else {
                kept.push(record);
            }
        }
        all.reports[at].report.records = kept;
        for (finding, earlier) in repeated {
            take_over_tests(all, finding, &earlier);
        }
    }
}

/// Gives a leak of the last leak check the tests of the same leak in earlier checks, in whose order
/// the records are. Memory that was still reachable in an earlier check was lost later.
fn take_over_tests(all: &mut Collector, finding: usize, earlier: &[RecordCount]) {
    let of = |record: &RecordCount| &all.findings[record.finding];
    let is_reachable = |finding: &Finding| finding.kind == Kind::LEAK_REACHABLE;
    let is_lost = !is_reachable(&all.findings[finding]);
    let counts = |record: &&RecordCount| !(is_lost && is_reachable(of(record)));
    let earlier: Vec<&RecordCount> = earlier.iter().filter(counts).collect();
    let has_others = |record: &&RecordCount| of(record).tests.is_empty() || of(record).more_tests;
    let tests: Vec<Text> = earlier.iter().flat_map(|r| of(r).tests.clone()).collect();
    if tests.is_empty() {
        return;
    }
    let before = earlier.iter().max_by_key(|record| record.leak_check);
    let is_unchanged = before.is_some_and(|record| of(record).leak == all.findings[finding].leak);
    let has_others = earlier.iter().any(has_others);
    let finding = &mut all.findings[finding];
    let own = core::mem::take(&mut finding.tests);
    finding.more_tests = has_others || (own.is_empty() && !is_unchanged);
    finding.push_tests(tests);
    if !is_unchanged {
        finding.push_tests(own);
    }
}

/// Drops reports that are equal line by line to a report of another input: the log archive of a
/// GitHub Actions run contains every step's lines twice.
fn drop_duplicate_reports(all: &mut Collector) {
    let mut seen: HashMap<(Tool, u64, u64), usize> = HashMap::new();
    for at in 0..all.reports.len() {
        let open = &all.reports[at];
        let Some(pid) = open
            .report
            .pid
            .filter(|_| !open.dropped && open.digest != 0)
        else {
            continue;
        };
        let key = (open.report.tool.clone(), pid, open.digest);
        // Within one input it was the same command twice: valgrind's output repeats to the letter,
        // and containers reuse pids.
        let is_copy = |first: &usize| all.reports[*first].report.input != open.report.input;
        let Some(first) = seen.get(&key).copied().filter(is_copy) else {
            seen.insert(key, at);
            continue;
        };
        let other = all.inputs[all.reports[first].report.input].name.clone();
        let copy = &mut all.reports[at];
        copy.dropped = true;
        let line = copy.report.first_line;
        let input = copy.report.input;
        let message = format!(
            "{other} contains the same {} report; it is counted once",
            copy.report.tool
        );
        let records = core::mem::take(&mut copy.report.records);
        for record in &records {
            subtract(all, at, record);
        }
        all.add_problem_in(input, Code::DuplicateReport, line, Some(pid), message);
    }
}

/// Pids below this belong to the kernel, except in containers, where every run has the same ones.
const MIN_UNIQUE_PID: u64 = 300;

/// Explains reports without a summary that are followed by another report with the same pid. After
/// `exec` the command differs. If the command is the same or the pid is small, the first process
/// was killed and its pid was reused, as happens in containers.
fn explain_replaced(all: &mut Collector) {
    for at in 0..all.reports.len() {
        if all.reports[at].ending != Ending::Replaced {
            continue;
        }
        let old = &all.reports[at].report;
        let next = all.reports[at + 1..]
            .iter()
            .map(|open| &open.report)
            .find(|r| r.pid == old.pid && r.input == old.input && r.stream == old.stream);
        // `exec` leaves two complete headers.
        let is_other_command = next.is_some_and(|next| {
            next.command.is_some() && old.command.is_some() && next.command != old.command
        });
        let was_killed = !is_other_command || old.pid.is_some_and(|pid| pid < MIN_UNIQUE_PID);
        let input = old.input;
        let line = old.last_line;
        let pid = old.pid;
        if was_killed {
            let message = "no ERROR SUMMARY, and another run with the same pid follows: the \
                           process was killed";
            all.add_problem_in(input, Code::Truncated, line, pid, message);
            all.reports[at].report.complete = false;
        } else {
            all.add_problem_in(input, Code::Replaced, line, pid, NO_SUMMARY_AFTER_EXEC);
        }
    }
}

const NO_SUMMARY_AFTER_EXEC: &str = "the process called exec, so its report has no summary";

/// Checks that the next report follows where `leakgate run` recorded that a process called `exec`.
fn explain_exec(all: &mut Collector) {
    for at in 0..all.reports.len() {
        let is_checked = match all.reports[at].ending {
            Ending::ExecCalled => true,
            Ending::UncheckedExecCalled => false,
            _ => continue,
        };
        let old = &all.reports[at].report;
        let has_next = all
            .reports
            .get(at + 1)
            .is_some_and(|next| next.report.pid == old.pid && next.report.input == old.input);
        let input = old.input;
        let line = old.last_line;
        let pid = old.pid;
        if is_checked && !has_next {
            let message = "the process called exec, and the new program left no report";
            all.add_problem_in(input, Code::Truncated, line, pid, message);
            all.reports[at].report.complete = false;
        } else if old.printed == 0 {
            // The child was forked only to start the other program.
            all.reports[at].dropped = true;
        } else {
            all.add_problem_in(input, Code::Replaced, line, pid, NO_SUMMARY_AFTER_EXEC);
        }
    }
}

/// Explains reports that consist of a header. With one log per process, a child that calls `exec`
/// for a program that is not checked (`system`, `popen`) leaves only its header.
fn explain_bare_children(all: &mut Collector, parents: &[Option<usize>]) {
    for (at, parent) in parents.iter().enumerate() {
        if all.reports[at].ending != Ending::BareHeader {
            continue;
        }
        let child = &all.reports[at].report;
        let called_exec = !all.options.children_are_traced
            && parent.is_some_and(|parent| {
                let parent = &all.reports[parent].report;
                parent.command == child.command && parent.complete
            });
        let input = child.input;
        let line = child.last_line;
        let pid = child.pid;
        let tool = child.tool.clone();
        all.reports[at].report.complete = called_exec;
        if called_exec {
            let message = "a child process called exec, and the new program was not checked; pass \
                           --trace-children=yes to check it";
            all.add_problem_in(input, Code::Replaced, line, pid, message);
        } else {
            let message = format!(
                "the {tool} report ends after its header: the log is truncated, the process was \
                 killed, or it called exec for a program that is not checked"
            );
            all.add_problem_in(input, Code::Truncated, line, pid, message);
        }
    }
}

/// Subtracts a report's record from its finding.
fn subtract(all: &mut Collector, report: usize, record: &RecordCount) {
    let finding = &mut all.findings[record.finding];
    finding.occurrences = finding.occurrences.saturating_sub(record.count);
    finding.instances.retain(|i| i.report != report);
}

/// Marks the leaks that a process inherited. After `fork` a child prints its parent's leaks, too.
/// If the parent's report is known, records with the same stack are set off against each other:
/// first those of equal sizes, then those that became smaller. A larger record contains memory that
/// the child itself has lost.
fn mark_inherited(all: &mut Collector, parents: &[Option<usize>]) {
    let mut counts: HashMap<usize, ParentRecords> = HashMap::new();
    for (child, parent) in parents.iter().enumerate() {
        let Some(parent) = *parent else { continue };
        let mut left = counts
            .entry(parent)
            .or_insert_with(|| leak_counts(all, parent))
            .clone();
        let mut records = all.reports[child].report.records.clone();
        records.retain(|record| all.findings[record.finding].kind.is_leak());
        for order in [Ordering::Equal, Ordering::Greater] {
            for record in &mut records {
                let finding = &all.findings[record.finding];
                let bytes = finding.leak.map_or(0, |leak| leak.bytes);
                let parent_leaks = left
                    .get_mut(&all.stack_hash(finding))
                    .map(Vec::as_mut_slice)
                    .unwrap_or_default();
                for (_, left) in parent_leaks
                    .iter_mut()
                    .filter(|(size, _)| size.cmp(&bytes) == order)
                {
                    let shared = (*left).min(record.count);
                    *left -= shared;
                    record.count -= shared;
                    all.findings[record.finding].inherited += shared;
                }
            }
        }
    }
}

/// For each stack hash, the size of each leak in bytes and the number of its records.
type ParentRecords = HashMap<u64, Vec<(u64, u64)>>;

/// Returns, for each report, the index of the report of its parent process by the same tool. A
/// report of the same input is preferred. `None` if the parent isn't known.
fn parents(all: &Collector) -> Vec<Option<usize>> {
    let mut by_pid: HashMap<(u64, &Tool), Vec<usize>> = HashMap::new();
    for (at, open) in all.reports.iter().enumerate() {
        if let Some(pid) = open.report.pid.filter(|_| !open.dropped) {
            by_pid.entry((pid, &open.report.tool)).or_default().push(at);
        }
    }
    let parent = |OpenReport { report, .. }: &OpenReport| {
        let pid = report.parent.filter(|pid| Some(*pid) != report.pid)?;
        let candidates = by_pid.get(&(pid, &report.tool))?;
        let same_input = candidates
            .iter()
            .find(|at| all.reports[**at].report.input == report.input);
        same_input.or(candidates.first()).copied()
    };
    all.reports.iter().map(parent).collect()
}

fn leak_counts(all: &Collector, report: usize) -> ParentRecords {
    let mut counts = ParentRecords::new();
    for record in &all.reports[report].report.records {
        let finding = &all.findings[record.finding];
        if finding.kind.is_leak() {
            let bytes = finding.leak.map_or(0, |leak| leak.bytes);
            counts
                .entry(all.stack_hash(finding))
                .or_default()
                .push((bytes, record.count));
        }
    }
    counts
}

/// Removes findings without records and dropped reports, and adjusts the indices.
fn drop_empty(all: &mut Collector) {
    let mut finding_indices = vec![usize::MAX; all.findings.len()];
    let mut findings = Vec::with_capacity(all.findings.len());
    for (at, finding) in core::mem::take(&mut all.findings).into_iter().enumerate() {
        if finding.occurrences > 0 {
            finding_indices[at] = findings.len();
            findings.push(finding);
        }
    }
    let mut report_indices = vec![usize::MAX; all.reports.len()];
    let mut reports = Vec::with_capacity(all.reports.len());
    for (at, open) in core::mem::take(&mut all.reports).into_iter().enumerate() {
        if !open.dropped {
            report_indices[at] = reports.len();
            reports.push(open);
        }
    }
    for instance in findings.iter_mut().flat_map(|f| &mut f.instances) {
        instance.report = report_indices[instance.report];
    }
    for open in &mut reports {
        let records = &mut open.report.records;
        records.retain(|record| finding_indices[record.finding] != usize::MAX);
        for record in records {
            record.finding = finding_indices[record.finding];
        }
    }
    all.findings = findings;
    all.reports = reports;
}

#[cfg(test)]
mod tests {
    use crate::Options;
    use crate::parse::Parser;

    fn report(pid: u32, parent: u32, sizes: &[u32]) -> alloc::string::String {
        let mut out = alloc::format!(
            "=={pid}== Memcheck, a memory error detector\n\
             =={pid}== Command: ./a\n\
             =={pid}== Parent PID: {parent}\n\
             =={pid}== \n"
        );
        for size in sizes {
            out += &alloc::format!(
                "=={pid}== {size} bytes in 1 blocks are definitely lost in loss record 1 of 1\n\
                 =={pid}==    at 0x48: malloc (vg.c:3)\n\
                 =={pid}==    by 0x10: main (a.c:4)\n\
                 =={pid}== \n"
            );
        }
        out + &alloc::format!(
            "=={pid}== ERROR SUMMARY: {0} errors from {0} contexts (suppressed: 0 from 0)\n",
            sizes.len()
        )
    }

    #[test]
    fn inherited_leaks_match_parent_sizes_and_counts() {
        let mut parser = Parser::new(Options::default());
        for (pid, parent, sizes) in [
            (900, 1, &[11][..]),
            (901, 900, &[22, 11]),
            (902, 900, &[33]),
            (903, 900, &[7]),
        ] {
            parser.begin("log");
            parser.feed(report(pid, parent, sizes).as_bytes());
        }
        let parsed = parser.finish();
        let counts = |bytes: u64| {
            let finding = parsed
                .findings
                .iter()
                .find(|f| f.leak.is_some_and(|leak| leak.bytes == bytes));
            finding.map(|f| (f.occurrences, f.inherited))
        };
        assert_eq!(
            (counts(11), counts(22), counts(33), counts(7)),
            (Some((2, 1)), Some((1, 0)), Some((1, 0)), Some((1, 1)))
        );
    }

    /// Returns the XML of a process that has not ended.
    fn unfinished_xml(pid: u32, command: &str) -> alloc::string::String {
        alloc::format!(
            "<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n\
             <pid>{pid}</pid>\n<ppid>1</ppid>\n<tool>memcheck</tool>\n\n\
             <args>\n  <argv>\n    <exe>{command}</exe>\n  </argv>\n</args>\n\n\
             <status>\n  <state>RUNNING</state>\n</status>\n\n"
        )
    }

    #[test]
    fn xml_without_end_tag_needs_exec_marker() {
        let ended = "<status>\n  <state>FINISHED</state>\n</status>\n\n</valgrindoutput>\n";
        let codes = |text: &str| -> alloc::vec::Vec<&str> {
            let mut parser = Parser::new(Options::default());
            parser.begin("log");
            parser.feed(text.as_bytes());
            parser
                .finish()
                .problems
                .iter()
                .map(|problem| problem.code.as_str())
                .collect()
        };
        let error = "<error>\n  <unique>0x0</unique>\n  <tid>1</tid>\n  \
                     <kind>InvalidFree</kind>\n  <what>Invalid free()</what>\n</error>\n";
        let mark = alloc::format!("{}\n", crate::parse::XML_GOES_ON);
        for (first, second, pid, mark, expected) in [
            (
                unfinished_xml(900, "./a") + error,
                "./b",
                900,
                mark.as_str(),
                "replaced",
            ),
            // In a container, and with the same command.
            (
                unfinished_xml(90, "./a") + error,
                "./a",
                90,
                &mark,
                "replaced",
            ),
            // Another process follows, an error is cut, or the marker is missing.
            (unfinished_xml(900, "./a"), "./b", 901, &mark, "truncated"),
            (
                unfinished_xml(900, "./a") + "<error>\n  <unique>0x0</unique>\n",
                "./b",
                900,
                &mark,
                "truncated",
            ),
            (unfinished_xml(900, "./a"), "./b", 900, "", "truncated"),
        ] {
            let text = alloc::format!("{first}{mark}{}{ended}", unfinished_xml(pid, second));
            assert!(codes(&text).contains(&expected), "{text}");
        }
        let text = alloc::format!(
            "{}{mark}{}{ended}",
            unfinished_xml(900, "./a"),
            unfinished_xml(900, "./b")
        );
        assert!(
            codes(&text).is_empty(),
            "a child that was forked for exec leaves no problem"
        );
        assert!(
            codes(&alloc::format!("{}{mark}", unfinished_xml(900, "./a"))).contains(&"truncated")
        );
    }
}
