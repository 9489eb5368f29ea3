//! Checks for stacks that end too early, and for frames without names or source lines.

use alloc::format;
use alloc::vec::Vec;

use super::Diagnosis;
use super::checks::{Details, add_by_tool, report_of};
use crate::culprit::{Class, is_collapsed};
use crate::model::{Finding, Frame, Stack};
use crate::numbers::count;
use crate::parse::Parsed;
use crate::symbolize::is_unsymbolized;
use crate::triage::{Triage, TriagedFinding};

/// Default maximum number of frames per stack in valgrind (`--num-callers`).
const VALGRIND_FRAMES: u32 = 12;

/// Default maximum number of frames per stack in sanitizers (`malloc_context_size`).
const SANITIZER_FRAMES: usize = 30;

/// Functions without callers of interest: a stack that ends in one of them is complete.
const OUTERMOST: &[&str] = &[
    "main",
    "(below main)",
    "_start",
    "clone",
    "clone3",
    "__clone",
    "start_thread",
    "__libc_start_main",
];

/// Checks for stacks that end too early, and for frames without names or source lines.
pub(super) fn check(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    check_truncated_stacks(parsed, all);
    check_collapsed_stacks(parsed, triage, all);
    check_symbols(parsed, triage, all);
    check_debug_info(parsed, triage, all);
}

fn check_truncated_stacks(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    // A longer stack shows that the limit of a sanitizer was raised.
    let depths = parsed.findings.iter().filter(|f| !f.tool.is_valgrind());
    let depths = depths.filter_map(|f| f.primary().map(depth));
    let longest = depths.max().unwrap_or(0);
    let truncated = |f: &&Finding| is_truncated(f, longest, parsed);
    let limit = parsed.findings.iter().filter(truncated);
    let limit = limit.filter_map(|f| callers(f, parsed)).max().unwrap_or(0);
    let truncated = parsed.findings.iter().filter(truncated);
    add_by_tool(all, "cut-stacks", truncated, |n, tool| Details {
        message: format!(
            "{} truncated at the checker's frame limit: their callers are not shown",
            count(n, "stack", "stacks")
        ),
        option: Some(match (tool.is_valgrind(), limit) {
            (true, ..40) => "--num-callers=40",
            (true, ..100) => "--num-callers=100",
            (true, _) => "--num-callers=500",
            (false, _) => "malloc_context_size=100",
        }),
        advice: None,
    });
}

/// Returns the limit of frames that valgrind's XML states.
fn callers(finding: &Finding, parsed: &Parsed) -> Option<u32> {
    report_of(finding, parsed)?.callers
}

/// Returns the number of frames that count towards a checker's limit. Inlined functions don't,
/// because they share a frame.
fn depth(stack: &Stack) -> usize {
    stack.frames.iter().filter(|f| !f.inlined).count()
}

fn check_collapsed_stacks(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    let collapsed = parsed
        .findings
        .iter()
        .filter(|f| is_collapsed(f, &triage.names));
    add_by_tool(all, "collapsed-stacks", collapsed, |n, _| Details {
        message: format!(
            "{} without the frames between the allocator and the start of the program",
            count(n, "stack", "stacks")
        ),
        option: Some("fast_unwind_on_malloc=0"),
        advice: Some(
            "Or build with -Cforce-frame-pointers=yes and a standard library built the same way.",
        ),
    });
}

fn check_symbols(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    // Frames with a module and an offset can still be symbolized, without another run.
    let can_symbolize = triage.iter(parsed).any(|(finding, triaged)| {
        has_project_frame(finding, triaged, |frame| is_unsymbolized(&frame.info))
    });
    let unnamed = triage.iter(parsed).filter(|(finding, triaged)| {
        has_project_frame(finding, triaged, |frame| frame.info.name().is_none())
    });
    let unnamed = unnamed.map(|(finding, _)| finding);
    add_by_tool(all, "no-symbols", unnamed, |n, tool| Details {
        message: format!(
            "{} with frames that have no function name",
            count(n, "stack", "stacks")
        ),
        option: (!tool.is_valgrind()).then_some("symbolize=1"),
        advice: Some(if tool.is_valgrind() {
            "Don't strip the program and its libraries. --keep-debuginfo=yes keeps the names of \
             libraries that the program unloads."
        } else if can_symbolize {
            "`leakgate check --symbolize` adds the names on the machine where the program was \
             built. Or install llvm-symbolizer on PATH, and don't strip the program."
        } else {
            "Install llvm-symbolizer on PATH, and don't strip the program."
        }),
    });
}

fn check_debug_info(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    let without_file = |frame: &Frame| frame.info.name().is_some() && frame.info.file.is_none();
    let without_lines = triage.iter(parsed).filter(|(finding, triaged)| {
        let frames = finding.primary().map_or(&[][..], |s| s.frames.as_slice());
        let culprit = triaged.culprit.frame.and_then(|at| frames.get(at));
        let has_own_line = triaged.culprit.own && culprit.is_some_and(|f| f.info.file.is_some());
        !has_own_line && has_project_frame(finding, triaged, without_file)
    });
    let without_lines = without_lines.map(|(finding, _)| finding);
    add_by_tool(all, "no-debug-info", without_lines, |n, _| Details {
        message: format!(
            "{} with functions of the program that have no file and line",
            count(n, "stack", "stacks")
        ),
        option: None,
        advice: Some("Build with -g (Rust: debug = \"line-tables-only\" in the profile)."),
    });
}

/// Returns true if the primary stack has a frame of an unknown class for which `is` holds. Frames
/// of system libraries are skipped, because their names would not help.
fn has_project_frame(
    finding: &Finding,
    triaged: &TriagedFinding,
    is: impl Fn(&Frame) -> bool,
) -> bool {
    let classes = triaged.classes.first().map_or(&[][..], Vec::as_slice);
    let frames = finding.primary().map_or(&[][..], |s| s.frames.as_slice());
    frames
        .iter()
        .zip(classes)
        .any(|(frame, class)| *class == Class::Unknown && is(frame))
}

/// Returns true if the primary stack has as many frames as the checker's limit, and doesn't end in
/// a function that has no caller.
fn is_truncated(finding: &Finding, longest: usize, parsed: &Parsed) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let limit = match finding.tool.is_valgrind() {
        true => callers(finding, parsed).unwrap_or(VALGRIND_FRAMES) as usize,
        false => longest.max(SANITIZER_FRAMES),
    };
    let frames = depth(stack);
    let last = stack
        .frames
        .last()
        .and_then(|f| f.info.name())
        .unwrap_or_default();
    frames >= limit
        && !OUTERMOST
            .iter()
            .any(|name| last == *name || last.starts_with(&format!("{name}@@")))
}
