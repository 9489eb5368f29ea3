//! The checks, each of which appends its diagnoses.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Diagnosis;
use crate::advice::startup_hint;
use crate::culprit::{Class, is_collapsed};
use crate::model::{Finding, Frame, Kind, Report, Role, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::problem::Code;
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

/// Creates a diagnosis without a tool, options and advice.
fn diagnosis(code: &'static str, count: u64, message: String, place: (usize, u64)) -> Diagnosis {
    Diagnosis {
        code,
        count,
        what: message,
        place,
        tool: None,
        options: Vec::new(),
        advice: None,
    }
}

/// Checks for inputs without checker output. Inputs with a problem that fails the gate are left
/// out.
pub(super) fn check_silence(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let has_failed = |at: usize| {
        parsed
            .problems
            .iter()
            .any(|p| p.input == at && p.code.reason().is_some())
    };
    let silent: Vec<usize> = (0..parsed.inputs.len())
        .filter(|at| !parsed.inputs[*at].has_output && !has_failed(*at))
        .collect();
    let Some(first) = silent.first() else { return };
    let number = silent.len() as u64;
    let message = format!(
        "{} without checker output",
        count(number, "input", "inputs")
    );
    let advice = "Sanitizers print nothing if they find nothing. With LSAN_OPTIONS=verbosity=1, \
                  LeakSanitizer of LLVM 18 and later always prints a message. valgrind always \
                  prints a summary, unless it's disabled by -q or redirected by --log-file.";
    all.push(Diagnosis {
        advice: Some(advice),
        ..diagnosis("silent", number, message, (*first, 0))
    });
}

/// Reports the parser's problems that fail the gate, one diagnosis for each code.
pub(super) fn check_problems(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    for code in Code::ALL.iter().filter(|code| code.reason().is_some()) {
        let found: Vec<_> = parsed.problems.iter().filter(|p| p.code == *code).collect();
        let Some(first) = found.first() else { continue };
        let report = parsed
            .reports
            .iter()
            .find(|r| r.input == first.input && r.pid == first.pid);
        let tool = report.map(|r| r.tool.clone());
        let (options, mut advice) = remedy(*code, tool.as_ref());
        if matches!(code, Code::CheckerFailed | Code::Truncated) {
            advice = startup_hint(&first.message).or(advice);
        }
        let number = found.len() as u64;
        let more = if number > 1 {
            format!(" (and {} more)", number - 1)
        } else {
            String::new()
        };
        let message = format!("{}{more}", first.message);
        all.push(Diagnosis {
            tool,
            options,
            advice,
            ..diagnosis(code.as_str(), number, message, (first.input, first.line))
        });
    }
}

/// Returns the options and the advice for a problem.
fn remedy(code: Code, tool: Option<&Tool>) -> (Vec<&'static str>, Option<&'static str>) {
    let valgrind = tool.is_some_and(Tool::is_valgrind);
    match code {
        Code::LeaksNotShown => (["--leak-check=full", "--show-leak-kinds=all"].into(), None),
        Code::UnseenFindings if valgrind => (["--error-limit=no"].into(), None),
        Code::UnseenFindings => (["max_leaks=0"].into(), None),
        Code::Interleaved if valgrind => (
            ["--log-file=valgrind.%p.log"].into(),
            Some("Each process then writes its own log."),
        ),
        Code::Interleaved => (
            ["log_path=sanitizer.log"].into(),
            Some("Each process then writes its own log, `sanitizer.log.PID`."),
        ),
        Code::CheckerFailed => (
            Vec::new(),
            Some("The checker failed. See its message for the cause."),
        ),
        Code::MalformedXml => (
            Vec::new(),
            Some("Write the XML of each process to a separate file: --xml-file=valgrind.%p.xml."),
        ),
        Code::LineTooLong
        | Code::TooManyFrames
        | Code::TooManyFindings
        | Code::TooManyProcesses => (
            Vec::new(),
            Some("A limit of leakgate was reached. Split the log into smaller parts."),
        ),
        Code::UnknownReport | Code::UnreadableLine => (
            Vec::new(),
            Some(
                "leakgate can't read a part of the report. Update leakgate if the checker is newer, \
                 and check whether the log is damaged.",
            ),
        ),
        Code::UnsupportedChecker => (
            Vec::new(),
            Some("leakgate can't read reports of this checker. Describe them with `[[format]]`."),
        ),
        _ => (
            Vec::new(),
            Some(
                "Part of the report is missing from the log: the process was killed, the log was \
                 truncated, or another process wrote to it.",
            ),
        ),
    }
}

/// Checks for findings hidden by the checker's own suppressions, which leakgate cannot see.
pub(super) fn check_tool_suppressions(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let has_suppressed = |r: &&Report| {
        r.suppressed().blocks > 0 || r.totals.suppressed_errors.is_some_and(|n| n > 0)
    };
    let found: Vec<&Report> = parsed.reports.iter().filter(has_suppressed).collect();
    let Some(first) = found.first() else { return };
    let leaks = found
        .iter()
        .map(|r| r.suppressed())
        .fold((0u64, 0u64), |s, a| {
            (s.0.saturating_add(a.bytes), s.1.saturating_add(a.blocks))
        });
    let errors = found
        .iter()
        .filter_map(|r| r.totals.suppressed_errors)
        .fold(0, u64::saturating_add);
    let amount_hidden = match (leaks.1, errors) {
        (0, errors) => count(errors, "error", "errors"),
        (_, 0) => amount(leaks.0, leaks.1),
        (_, errors) => format!(
            "{} and {}",
            amount(leaks.0, leaks.1),
            count(errors, "error", "errors")
        ),
    };
    let message = format!("{amount_hidden} hidden by the checker's own suppressions");
    let advice = "Run the checker without the suppression file and pass the file to leakgate \
                  (--suppressions). It suppresses the same findings and reports them as accepted.";
    let place = (first.input, first.first_line);
    all.push(Diagnosis {
        tool: Some(first.tool.clone()),
        advice: Some(advice),
        ..diagnosis("tool-suppressed", found.len() as u64, message, place)
    });
}

/// Checks for stacks that end too early, and for frames without names or source lines.
pub(super) fn check_stacks(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    check_truncated_stacks(parsed, all);
    check_collapsed_stacks(parsed, all);
    check_symbols(parsed, triage, all);
    check_debug_info(parsed, triage, all);
}

fn check_truncated_stacks(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let truncated = parsed.findings.iter().filter(|f| is_truncated(f, parsed));
    add_by_tool(all, "cut-stacks", truncated, |n, tool| Details {
        message: format!(
            "{} truncated at the checker's frame limit: their callers are not shown",
            count(n, "stack", "stacks")
        ),
        option: Some(if tool.is_valgrind() {
            "--num-callers=40"
        } else {
            "malloc_context_size=100"
        }),
        advice: None,
    });
}

fn check_collapsed_stacks(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let collapsed = parsed.findings.iter().filter(|f| is_collapsed(f));
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
fn is_truncated(finding: &Finding, parsed: &Parsed) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let report = finding
        .instances
        .first()
        .and_then(|i| parsed.reports.get(i.report));
    let limit = match finding.tool.is_valgrind() {
        true => report.and_then(|r| r.callers).unwrap_or(VALGRIND_FRAMES) as usize,
        false => SANITIZER_FRAMES,
    };
    // Inlined functions don't count towards the limit, because they share a frame.
    let frames = stack.frames.iter().filter(|f| !f.inlined).count();
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

/// Description of a diagnosis for one checker.
pub(super) struct Details {
    pub(super) message: String,
    pub(super) option: Option<&'static str>,
    pub(super) advice: Option<&'static str>,
}

/// Appends a diagnosis for each checker that has affected findings. `details` gets the number of
/// these findings.
pub(super) fn add_by_tool<'a>(
    all: &mut Vec<Diagnosis>,
    code: &'static str,
    findings: impl Iterator<Item = &'a Finding>,
    details: impl Fn(u64, &Tool) -> Details,
) {
    let findings: Vec<&Finding> = findings.collect();
    let mut tools: Vec<&Tool> = findings.iter().map(|f| &f.tool).collect();
    tools.sort_unstable();
    tools.dedup();
    for tool in tools {
        let affected: Vec<&&Finding> = findings.iter().filter(|f| f.tool == *tool).collect();
        let number = affected.len() as u64;
        let place = affected[0]
            .instances
            .first()
            .map_or((0, 0), |i| (i.input, i.first_line));
        let Details {
            message,
            option,
            advice,
        } = details(number, tool);
        all.push(Diagnosis {
            tool: Some(tool.clone()),
            options: option.into_iter().collect(),
            advice,
            ..diagnosis(code, number, message, place)
        });
    }
}

/// Checks for uses of undefined values without an origin.
pub(super) fn check_origins(parsed: &Parsed, all: &mut Vec<Diagnosis>) {
    let is_undefined = |kind: &Kind| {
        matches!(
            kind.as_str(),
            "uninit-value" | "uninit-condition" | "syscall-param" | "client-check"
        )
    };
    let lacks_origin = |f: &&Finding| {
        f.tool == Tool::Memcheck
            && is_undefined(&f.kind)
            && f.title.contains("ninitialised")
            && !f.stacks.iter().any(|s| s.role == Role::Origin)
    };
    let without_origin = parsed.findings.iter().filter(lacks_origin);
    add_by_tool(all, "no-origins", without_origin, |n, _| Details {
        message: format!(
            "{} of undefined values without their origin",
            count(n, "use", "uses")
        ),
        option: Some("--track-origins=yes"),
        advice: None,
    });
}
