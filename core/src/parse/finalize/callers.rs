//! How many frames of a stack valgrind kept (`--num-callers`), where the text does not say so.

use crate::model::{Frame, Stack};
use crate::parse::Collector;

/// Without the option (`coregrind/m_options.c`).
const DEFAULT: usize = 12;

/// Functions at which a stack ends by itself.
const ENDS: &[&str] = &[
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

/// A stack of twelve addresses that ends in the middle of the program was cut there, unless a
/// longer one stands in the same report.
pub(super) fn infer(all: &mut Collector) {
    for report in &mut all.reports {
        if report.callers.is_some() || !report.tool.is_valgrind() {
            continue;
        }
        let (mut longest, mut is_cut) = (0, false);
        for entry in &report.entries {
            for stack in &all.findings[entry.finding].stacks {
                let length = addresses(stack);
                longest = longest.max(length);
                is_cut |= length == DEFAULT && !ends(stack);
            }
        }
        report.callers = (is_cut && longest == DEFAULT).then_some(DEFAULT as u32);
    }
}

/// How many addresses a stack has; functions that were inlined share one. A function that calls
/// itself has one address twice.
fn addresses(stack: &Stack) -> usize {
    let inlined = |pair: &[Frame]| pair[0].inlined && pair[0].site != pair[1].site;
    stack.frames.len() - stack.frames.windows(2).filter(|pair| inlined(pair)).count()
}

fn ends(stack: &Stack) -> bool {
    let last = stack.frames.last().and_then(|f| f.site.function.as_deref());
    last.is_none_or(|name| ENDS.contains(&name))
}
