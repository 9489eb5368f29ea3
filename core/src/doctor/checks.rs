//! The checks, each of which appends its diagnoses.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Diagnosis;
use super::kept::KeptLogs;
use crate::advice::startup_hint;
use crate::model::{Finding, Kind, Report, Role, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::problem::Code;

/// Creates a diagnosis without a tool, options and advice.
pub(super) fn diagnosis(
    code: &'static str,
    count: u64,
    message: String,
    place: (usize, u64),
) -> Diagnosis {
    Diagnosis {
        code,
        count,
        what: message,
        place,
        tool: None,
        options: Vec::new(),
        advice: None,
        is_of_run: false,
    }
}

/// Checks for inputs without checker output. Inputs with a problem that fails the gate are left
/// out, as is the output of a command whose reports `leakgate run` kept.
pub(super) fn check_silence(parsed: &Parsed, kept: &KeptLogs<'_>, all: &mut Vec<Diagnosis>) {
    let has_failed = |at: usize| {
        parsed
            .problems
            .iter()
            .any(|p| p.input == at && p.code.reason().is_some())
    };
    let silent: Vec<usize> = (0..parsed.inputs.len())
        .filter(|at| !parsed.inputs[*at].has_output && !has_failed(*at))
        .filter(|at| !kept.is_output_next_to_reports(parsed, *at))
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
    let advice = match kept.contains(parsed, *first) {
        true => {
            "A sanitizer that finds nothing leaves no log. Only the verdict of `leakgate run` \
             knows which processes ran."
        }
        false => advice,
    };
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
    let found: Vec<&Report> = parsed
        .reports
        .iter()
        .map(Box::as_ref)
        .filter(has_suppressed)
        .collect();
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

/// Returns the report with the first record of a finding.
pub(super) fn report_of<'a>(finding: &Finding, parsed: &'a Parsed) -> Option<&'a Report> {
    let instance = finding.instances.first()?;
    parsed.reports.get(instance.report).map(Box::as_ref)
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
            && report_of(f, parsed).is_none_or(|report| report.tracks_origins != Some(true))
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
