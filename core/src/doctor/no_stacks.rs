//! Checks for findings without a stack, and for logs that lost their white space.
//!
//! Sources:
//! <https://learn.microsoft.com/en-us/cpp/c-runtime-library/find-memory-leaks-using-the-crt-library>,
//! `leaks(1)`, clang's *UndefinedBehaviorSanitizer*.

use alloc::format;
use alloc::vec::Vec;

use super::Diagnosis;
use super::checks::{Details, add_by_tool};
use crate::model::{Finding, Tool};
use crate::numbers::count;
use crate::parse::Parsed;

/// Checks for findings whose checker prints a stack only on request, and for findings whose stack
/// may be lost because white space was collapsed.
pub(super) fn check(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let without_stack = parsed.findings.iter().filter(|f| lacks_stack(f));
    add_by_tool(all, "no-stacks", without_stack, |n, tool| Details {
        message: if *tool == Tool::Crt {
            format!(
                "{} without the line of the allocation",
                count(n, "leak", "leaks")
            )
        } else {
            format!("{} without a stack", count(n, "finding", "findings"))
        },
        option: (*tool == Tool::Ubsan).then_some("print_stacktrace=1"),
        advice: match tool {
            Tool::Crt => Some(
                "Define _CRTDBG_MAP_ALLOC before including <stdlib.h> and <crtdbg.h>, in every \
                 source file: the dump then names the line of each malloc.",
            ),
            Tool::Leaks => Some(
                "Set MallocStackLogging=1 in the environment of the program: \
                 MallocStackLogging=1 leaks --atExit -- PROGRAM.",
            ),
            _ => Some("Build with -g and -fno-omit-frame-pointer to get all callers and lines."),
        },
    });
    let minimal = parsed.findings.iter().filter(|f| is_minimal(f));
    add_by_tool(all, "no-stacks", minimal, |n, _| Details {
        message: format!(
            "{} of the minimal runtime, which prints no location",
            count(n, "finding", "findings")
        ),
        option: None,
        advice: Some("Build without -fsanitize-minimal-runtime, and set print_stacktrace=1."),
    });
    let collapsed = parsed
        .findings
        .iter()
        .filter(|f| lost_indentation(f, parsed));
    add_by_tool(all, "collapsed-spaces", collapsed, |n, _| Details {
        message: format!(
            "{} in a log whose lines lost their indentation, so stacks may be missing",
            count(n, "finding", "findings")
        ),
        option: None,
        advice: Some(
            "White space was collapsed: pass the log as the program wrote it, not copied from a \
             web page, and quote variables when a shell prints it (`echo \"$log\"`).",
        ),
    });
}

/// Returns true if the finding has no stack, and the checker prints one on request.
fn lacks_stack(finding: &Finding) -> bool {
    match finding.tool {
        Tool::Crt | Tool::Leaks => finding.leak.is_some() && !has_frames(finding),
        // A finding without a stack has only the location in its headline.
        Tool::Ubsan => !is_minimal(finding) && !has_names(finding),
        _ => false,
    }
}

/// Returns true for a finding of UndefinedBehaviorSanitizer's minimal runtime.
fn is_minimal(finding: &Finding) -> bool {
    finding.tool == Tool::Ubsan && finding.title.starts_with("ubsan: ")
}

/// Returns true if the first report of a finding lost its indentation.
fn lost_indentation(finding: &Finding, parsed: &Parsed) -> bool {
    let first = finding.instances.first();
    let report = first.and_then(|instance| parsed.reports.get(instance.report));
    report.is_some_and(|report| report.lost_indentation)
}

fn has_frames(finding: &Finding) -> bool {
    finding.stacks.iter().any(|stack| !stack.frames.is_empty())
}

/// Returns true if a frame has a function, a module or an address.
fn has_names(finding: &Finding) -> bool {
    let mut frames = finding.stacks.iter().flat_map(|stack| &stack.frames);
    frames.any(|frame| {
        let info = &frame.info;
        info.function.is_some() || info.module.is_some() || frame.address.is_some()
    })
}
