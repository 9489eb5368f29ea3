//! What can be told only when everything is read: records printed twice, leaks that a child has
//! from its parent, and whether what the checkers stated agrees with what was read.

mod callers;
mod reconcile;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use hashbrown::{HashMap, HashSet};

use crate::model::{Entry, Report, Tool};
use crate::parse::Collector;
use crate::problem::Code;

/// Puts the records in order and adds the problems that the sums reveal.
pub(crate) fn settle(mut all: Collector) -> Collector {
    note_who_spoke(&mut all);
    forget_earlier_searches(&mut all);
    forget_duplicate_reports(&mut all);
    let parents = parents(&all);
    explain_replaced(&mut all);
    explain_those_that_went_on(&mut all);
    explain_bare_children(&mut all, &parents);
    mark_inherited(&mut all, &parents);
    reconcile::reconcile(&mut all, &parents);
    drop_empty(&mut all);
    callers::infer(&mut all);
    all.problems.sort_by_key(|p| (p.input, p.line));
    all
}

/// Marks the inputs in which a checker spoke. A profiler's report proves nothing about memory.
fn note_who_spoke(all: &mut Collector) {
    for (at, report) in all.reports.iter().enumerate() {
        let proves = !all.forgotten.contains(&at) && !report.tool.is_profiler();
        all.inputs[report.input].spoke |= proves;
    }
}

/// A process may search for leaks several times; a leak whose record a later search printed anew,
/// with other sizes, counts once.
fn forget_earlier_searches(all: &mut Collector) {
    for at in 0..all.reports.len() {
        let last = all.reports[at].searches;
        if last == 0 {
            continue;
        }
        let entries = core::mem::take(&mut all.reports[at].entries);
        let stack_of_leak = |all: &Collector, entry: &Entry| {
            let finding = &all.findings[entry.finding];
            finding.kind.is_leak().then(|| all.stack_hash(finding))
        };
        let newest: HashSet<u64> = entries
            .iter()
            .filter(|e| e.search == last)
            .filter_map(|e| stack_of_leak(all, e))
            .collect();
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            let again = entry.search < last
                && stack_of_leak(all, &entry).is_some_and(|stack| newest.contains(&stack));
            if again {
                forget(all, at, &entry);
            } else {
                kept.push(entry);
            }
        }
        all.reports[at].entries = kept;
    }
}

/// The archive of a GitHub run holds each step's lines twice. A report that is the same line by
/// line counts once.
fn forget_duplicate_reports(all: &mut Collector) {
    let mut seen: HashMap<(Tool, u64, u64), usize> = HashMap::new();
    for at in 0..all.reports.len() {
        let report = &all.reports[at];
        let Some(pid) = report
            .pid
            .filter(|_| !all.forgotten.contains(&at) && all.prints[at] != 0)
        else {
            continue;
        };
        let key = (report.tool.clone(), pid, all.prints[at]);
        // Within one input it was the same command twice: valgrind's output repeats to the letter,
        // and containers reuse pids.
        let copied = |first: &usize| all.reports[*first].input != all.reports[at].input;
        let Some(first) = seen.get(&key).copied().filter(copied) else {
            seen.insert(key, at);
            continue;
        };
        let entries = core::mem::take(&mut all.reports[at].entries);
        for entry in &entries {
            forget(all, at, entry);
        }
        let (line, input) = (all.reports[at].first_line, all.reports[at].input);
        let other = all.inputs[all.reports[first].input].name.clone();
        let message = format!(
            "the same report of {} stands in {other} as well; it counts once",
            all.reports[at].tool
        );
        all.problem_in(input, Code::DuplicateReport, line, Some(pid), message);
        all.forgotten.insert(at);
    }
}

/// Pids below this are the kernel's, except in containers, where every run has the same ones.
const FEW_PIDS: u64 = 300;

/// A process that goes on with another program (`exec`) leaves its report without an end. Where the
/// same command begins anew, or the pid is small, it was not `exec`: the first run was killed, and
/// the next one got its pid, as in containers.
fn explain_replaced(all: &mut Collector) {
    for at in core::mem::take(&mut all.replaced) {
        let old = &all.reports[at];
        let follows =
            |r: &&Report| r.pid == old.pid && r.input == old.input && r.stream == old.stream;
        let next = all.reports[at + 1..].iter().find(follows);
        // `exec` leaves two whole headers.
        let another = next.is_some_and(|next| {
            next.command.is_some() && old.command.is_some() && next.command != old.command
        });
        let same_command = !another || old.pid.is_some_and(|pid| pid < FEW_PIDS);
        let (input, line, pid) = (old.input, old.last_line, old.pid);
        if same_command {
            let message = "the process has no ERROR SUMMARY, and another run follows under its pid: it was killed";
            all.problem_in(input, Code::Truncated, line, pid, message);
            all.reports[at].complete = false;
        } else {
            let message = "the process went on with another program (exec); its report has no summary of its own";
            all.problem_in(input, Code::Replaced, line, pid, message);
        }
    }
}

/// Where somebody wrote down that a process went on, its next report must follow.
fn explain_those_that_went_on(all: &mut Collector) {
    for at in core::mem::take(&mut all.went_on) {
        let old = &all.reports[at];
        let goes_on = all
            .reports
            .get(at + 1)
            .is_some_and(|next| next.pid == old.pid && next.input == old.input);
        let (input, line, pid) = (old.input, old.last_line, old.pid);
        if !goes_on {
            let message = "the process went on with another program (exec), and the report of that is not there";
            all.problem_in(input, Code::Truncated, line, pid, message);
            all.reports[at].complete = false;
        } else if old.printed == 0 {
            // A child that was forked for the other program: there is nothing to tell.
            all.forgotten.insert(at);
        } else {
            let message = "the process went on with another program (exec); its report has no summary of its own";
            all.problem_in(input, Code::Replaced, line, pid, message);
        }
    }
}

/// With one log for each process, a child that goes on with a program that is not watched
/// (`system`, `popen`) leaves its header behind.
fn explain_bare_children(all: &mut Collector, parents: &[Option<usize>]) {
    for at in core::mem::take(&mut all.bare_children) {
        let child = &all.reports[at];
        let goes_on = !all.options.children_are_traced
            && parents[at].is_some_and(|parent| {
                all.reports[parent].command == child.command && all.reports[parent].complete
            });
        let (input, line, pid, tool) =
            (child.input, child.last_line, child.pid, child.tool.clone());
        all.reports[at].complete = goes_on;
        if goes_on {
            let message = "a child of the process went on with a program that is not watched; --trace-children=yes watches it";
            all.problem_in(input, Code::Replaced, line, pid, message);
        } else {
            let message = format!(
                "the report of {tool} ends after its header: the log is cut, the process was killed, or went on with a program that is not watched"
            );
            all.problem_in(input, Code::Truncated, line, pid, message);
        }
    }
}

fn forget(all: &mut Collector, report: usize, entry: &Entry) {
    let finding = &mut all.findings[entry.finding];
    finding.occurrences = finding.occurrences.saturating_sub(entry.count);
    finding.instances.retain(|i| i.report != report);
}

/// After `fork` a child prints the leaks that it has from its parent. Where the report names its
/// parent and the parent's report is there, records of one stack are set off against each other:
/// those of equal sizes first, then those that became smaller. A larger one holds what the child
/// itself has lost.
fn mark_inherited(all: &mut Collector, parents: &[Option<usize>]) {
    let mut counts: HashMap<usize, Theirs> = HashMap::new();
    for (child, parent) in parents.iter().enumerate() {
        let Some(parent) = *parent else { continue };
        let mut left = counts
            .entry(parent)
            .or_insert_with(|| leak_counts(all, parent))
            .clone();
        let mut entries = all.reports[child].entries.clone();
        entries.retain(|entry| all.findings[entry.finding].kind.is_leak());
        for order in [Ordering::Equal, Ordering::Greater] {
            for entry in &mut entries {
                let finding = &all.findings[entry.finding];
                let bytes = finding.leak.map_or(0, |leak| leak.bytes);
                let theirs = left
                    .get_mut(&all.stack_hash(finding))
                    .map(Vec::as_mut_slice)
                    .unwrap_or_default();
                for (_, left) in theirs
                    .iter_mut()
                    .filter(|(size, _)| size.cmp(&bytes) == order)
                {
                    let shared = (*left).min(entry.count);
                    *left -= shared;
                    entry.count -= shared;
                    all.findings[entry.finding].inherited += shared;
                }
            }
        }
    }
}

/// For each stack the sizes of its leaks, and how often each was printed.
type Theirs = HashMap<u64, Vec<(u64, u64)>>;

/// The report of each process's parent, when both came from the same tool; one of the same input
/// before others.
fn parents(all: &Collector) -> Vec<Option<usize>> {
    let mut by_pid: HashMap<(u64, &Tool), Vec<usize>> = HashMap::new();
    for (at, report) in all
        .reports
        .iter()
        .enumerate()
        .filter(|(at, _)| !all.forgotten.contains(at))
    {
        if let Some(pid) = report.pid {
            by_pid.entry((pid, &report.tool)).or_default().push(at);
        }
    }
    let parent = |report: &Report| {
        let pid = report.parent.filter(|pid| Some(*pid) != report.pid)?;
        let candidates = by_pid.get(&(pid, &report.tool))?;
        let same_input = candidates
            .iter()
            .find(|at| all.reports[**at].input == report.input);
        same_input.or(candidates.first()).copied()
    };
    all.reports.iter().map(parent).collect()
}

fn leak_counts(all: &Collector, report: usize) -> Theirs {
    let mut counts = Theirs::new();
    for entry in &all.reports[report].entries {
        let finding = &all.findings[entry.finding];
        if finding.kind.is_leak() {
            let bytes = finding.leak.map_or(0, |leak| leak.bytes);
            counts
                .entry(all.stack_hash(finding))
                .or_default()
                .push((bytes, entry.count));
        }
    }
    counts
}

/// Findings of which no record is left, and reports that stand in the log twice, go; indices
/// follow.
fn drop_empty(all: &mut Collector) {
    let mut places = vec![usize::MAX; all.findings.len()];
    let mut kept = Vec::with_capacity(all.findings.len());
    for (at, finding) in core::mem::take(&mut all.findings).into_iter().enumerate() {
        if finding.occurrences > 0 {
            places[at] = kept.len();
            kept.push(finding);
        }
    }
    let mut reports = Vec::with_capacity(all.reports.len());
    let mut report_places = vec![usize::MAX; all.reports.len()];
    for (at, report) in core::mem::take(&mut all.reports).into_iter().enumerate() {
        if !all.forgotten.contains(&at) {
            report_places[at] = reports.len();
            reports.push(report);
        }
    }
    for finding in &mut kept {
        finding
            .instances
            .iter_mut()
            .for_each(|i| i.report = report_places[i.report]);
    }
    for report in &mut reports {
        report.entries.retain(|e| places[e.finding] != usize::MAX);
        report
            .entries
            .iter_mut()
            .for_each(|e| e.finding = places[e.finding]);
    }
    (all.findings, all.reports) = (kept, reports);
}

#[cfg(test)]
mod tests {
    use crate::{Options, Parser};

    fn report(pid: u32, parent: u32, sizes: &[u32]) -> alloc::string::String {
        let mut out = alloc::format!(
            "=={pid}== Memcheck, a memory error detector\n=={pid}== Command: ./a\n=={pid}== Parent PID: {parent}\n=={pid}== \n"
        );
        for size in sizes {
            out += &alloc::format!(
                "=={pid}== {size} bytes in 1 blocks are definitely lost in loss record 1 of 1\n=={pid}==    at 0x48: malloc (vg.c:3)\n\
                 =={pid}==    by 0x10: main (a.c:4)\n=={pid}== \n"
            );
        }
        out + &alloc::format!(
            "=={pid}== ERROR SUMMARY: {0} errors from {0} contexts (suppressed: 0 from 0)\n",
            sizes.len()
        )
    }

    #[test]
    fn what_a_child_has_from_its_parent_is_no_larger_and_no_more_than_there() {
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
        let own = |bytes: u64| {
            let finding = parsed
                .findings
                .iter()
                .find(|f| f.leak.is_some_and(|leak| leak.bytes == bytes));
            finding.map(|f| (f.occurrences, f.inherited))
        };
        assert_eq!(
            (own(11), own(22), own(33), own(7)),
            (Some((2, 1)), Some((1, 0)), Some((1, 0)), Some((1, 1)))
        );
    }

    /// The XML of a process that runs a program, up to where it would end.
    fn begun(pid: u32, command: &str) -> alloc::string::String {
        alloc::format!(
            "<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n<pid>{pid}</pid>\n<ppid>1</ppid>\n<tool>memcheck</tool>\n\n<args>\n  <argv>\n    \
             <exe>{command}</exe>\n  </argv>\n</args>\n\n<status>\n  <state>RUNNING</state>\n</status>\n\n"
        )
    }

    #[test]
    fn a_document_without_an_end_is_that_of_a_process_that_went_on() {
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
        let error = "<error>\n  <unique>0x0</unique>\n  <tid>1</tid>\n  <kind>InvalidFree</kind>\n  <what>Invalid free()</what>\n\
                     </error>\n";
        let mark = alloc::format!("{}\n", crate::XML_GOES_ON);
        for (first, second, pid, mark, expected) in [
            (
                begun(900, "./a") + error,
                "./b",
                900,
                mark.as_str(),
                "replaced",
            ),
            // In a container, and with the same command.
            (begun(90, "./a") + error, "./a", 90, &mark, "replaced"),
            // Somebody else follows, an error is cut, or nobody wrote it down.
            (begun(900, "./a"), "./b", 901, &mark, "truncated"),
            (
                begun(900, "./a") + "<error>\n  <unique>0x0</unique>\n",
                "./b",
                900,
                &mark,
                "truncated",
            ),
            (begun(900, "./a"), "./b", 900, "", "truncated"),
        ] {
            let text = alloc::format!("{first}{mark}{}{ended}", begun(pid, second));
            assert!(codes(&text).contains(&expected), "{text}");
        }
        let text = alloc::format!("{}{mark}{}{ended}", begun(900, "./a"), begun(900, "./b"));
        assert!(
            codes(&text).is_empty(),
            "who is forked for another program has nothing to tell"
        );
        assert!(codes(&alloc::format!("{}{mark}", begun(900, "./a"))).contains(&"truncated"));
    }
}
