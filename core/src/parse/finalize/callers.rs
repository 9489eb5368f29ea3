//! Infers how many frames of a stack valgrind kept (`--num-callers`) if the log doesn't state it.

use crate::model::{Frame, Stack};
use crate::parse::Collector;

/// valgrind's default (`coregrind/m_options.c`).
const DEFAULT: usize = 12;

/// Functions in which complete stacks end.
const OUTERMOST: &[&str] = &[
    "main",
    "(below main)",
    "_start",
    "clone",
    "__clone",
    "clone3",
    "__clone3",
    "start_thread",
    "thread_start",
];

/// Sets [`callers`](crate::model::Report::callers) to the default for reports in which a stack of
/// twelve addresses ends in the middle of the program and no stack is longer.
pub(super) fn infer(all: &mut Collector) {
    for open in &mut all.reports {
        let report = &mut open.report;
        if report.callers.is_some() || !report.tool.is_valgrind() {
            continue;
        }
        let mut longest = 0;
        let mut is_cut = false;
        for record in &report.records {
            for stack in &all.findings[record.finding].stacks {
                let length = address_count(stack);
                longest = longest.max(length);
                is_cut |= length == DEFAULT && !is_complete(stack);
            }
        }
        report.callers = (is_cut && longest == DEFAULT).then_some(DEFAULT as u32);
    }
}

/// Counts the addresses of a stack. Inlined functions share one address; a function that calls
/// itself has the same address twice.
fn address_count(stack: &Stack) -> usize {
    let inlined = |pair: &[Frame]| pair[0].inlined && pair[0].info != pair[1].info;
    stack.frames.len() - stack.frames.windows(2).filter(|pair| inlined(pair)).count()
}

/// Returns true if the outermost frame is one in which stacks end, or has no function name.
fn is_complete(stack: &Stack) -> bool {
    let last = stack.frames.last().and_then(|f| f.info.function.as_deref());
    last.is_none_or(|name| OUTERMOST.contains(&name))
}
