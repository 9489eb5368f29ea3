//! The doubts, one function for each kind of them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Doubt;
use crate::culprit::{Class, is_collapsed};
use crate::model::{Finding, Frame, Kind, Report, Role, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::problem::Code;
use crate::symbolize::is_nameless;
use crate::triage::{Item, Triage};

/// How many frames valgrind keeps unless it is told otherwise (`--num-callers`).
const VALGRIND_FRAMES: u32 = 12;

/// The same of the sanitizers (`malloc_context_size`).
const SANITIZER_FRAMES: usize = 30;

/// Functions beneath which nothing is missing.
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

fn doubt(code: &'static str, count: u64, what: String, place: (usize, u64)) -> Doubt {
    Doubt {
        code,
        count,
        what,
        place,
        tool: None,
        options: Vec::new(),
        advice: None,
    }
}

/// Inputs in which nobody spoke.
pub(super) fn silence(parsed: &Parsed, all: &mut Vec<Doubt>) {
    let silent: Vec<usize> = (0..parsed.inputs.len())
        .filter(|at| !parsed.inputs[*at].spoke)
        .collect();
    let failed = |at: &usize| {
        parsed
            .problems
            .iter()
            .any(|p| p.input == *at && p.code.reason().is_some())
    };
    let silent: Vec<usize> = silent.into_iter().filter(|at| !failed(at)).collect();
    let (Some(first), number) = (silent.first(), silent.len() as u64) else {
        return;
    };
    let what = format!(
        "{} without any output of a checker",
        count(number, "input", "inputs")
    );
    let advice = "A sanitizer that finds nothing says nothing. LeakSanitizer of LLVM 18 and newer speaks with LSAN_OPTIONS=verbosity=1; valgrind speaks unless -q or --log-file takes it elsewhere.";
    all.push(Doubt {
        advice: Some(advice),
        ..doubt("silent", number, what, (*first, 0))
    });
}

/// What the parser has noticed, one doubt for each code.
pub(super) fn problems(parsed: &Parsed, all: &mut Vec<Doubt>) {
    for code in Code::ALL.iter().filter(|code| code.reason().is_some()) {
        let found: Vec<_> = parsed.problems.iter().filter(|p| p.code == *code).collect();
        let Some(first) = found.first() else { continue };
        let report = parsed
            .reports
            .iter()
            .find(|r| r.input == first.input && r.pid == first.pid);
        let tool = report.map(|r| r.tool.clone());
        let (options, advice) = remedy(*code, tool.as_ref());
        let number = found.len() as u64;
        let more = if number > 1 {
            format!(" (and {} more)", number - 1)
        } else {
            String::new()
        };
        let what = format!("{}{more}", first.message);
        all.push(Doubt {
            tool,
            options,
            advice,
            ..doubt(code.as_str(), number, what, (first.input, first.line))
        });
    }
}

/// Options, and what else helps.
fn remedy(code: Code, tool: Option<&Tool>) -> (Vec<&'static str>, Option<&'static str>) {
    let valgrind = tool.is_some_and(Tool::is_valgrind);
    match code {
        Code::LeaksNotShown => (["--leak-check=full", "--show-leak-kinds=all"].into(), None),
        Code::UnseenFindings if valgrind => (["--error-limit=no"].into(), None),
        Code::UnseenFindings => (["max_leaks=0"].into(), None),
        Code::Interleaved if valgrind => (
            ["--log-file=valgrind.%p.log"].into(),
            Some("Then each process writes a log of its own."),
        ),
        Code::Interleaved => (
            ["log_path=sanitizer.log"].into(),
            Some("Then each process writes a log of its own, `sanitizer.log.PID`."),
        ),
        Code::CheckerFailed => (
            Vec::new(),
            Some("The checker could not do its work; its own message says why."),
        ),
        Code::MalformedXml => (
            Vec::new(),
            Some(
                "Have valgrind write the document to a file of its own: --xml-file=valgrind.%p.xml.",
            ),
        ),
        Code::LineTooLong
        | Code::TooManyFrames
        | Code::TooManyFindings
        | Code::TooManyProcesses => (
            Vec::new(),
            Some("A bound of leakgate was hit; check smaller parts of the log."),
        ),
        _ => (
            Vec::new(),
            Some(
                "A part of the report is not in the log: the process was killed, the log was cut, or another process wrote into it.",
            ),
        ),
    }
}

/// What the checker's own suppressions hid before leakgate could see it.
pub(super) fn suppressed(parsed: &Parsed, all: &mut Vec<Doubt>) {
    let hides = |r: &&Report| {
        r.suppressed().blocks > 0 || r.stated.suppressed_errors.is_some_and(|n| n > 0)
    };
    let found: Vec<&Report> = parsed.reports.iter().filter(hides).collect();
    let Some(first) = found.first() else { return };
    let leaks = found
        .iter()
        .map(|r| r.suppressed())
        .fold((0u64, 0u64), |s, a| {
            (s.0.saturating_add(a.bytes), s.1.saturating_add(a.blocks))
        });
    let errors = found
        .iter()
        .filter_map(|r| r.stated.suppressed_errors)
        .fold(0, u64::saturating_add);
    let what = match (leaks.1, errors) {
        (0, errors) => count(errors, "error", "errors"),
        (_, 0) => amount(leaks.0, leaks.1),
        (_, errors) => format!(
            "{} and {}",
            amount(leaks.0, leaks.1),
            count(errors, "error", "errors")
        ),
    };
    let what = format!("{what} hidden by the checker's own suppressions");
    let advice = "Run the checker without the suppression file and give the file to leakgate (--suppressions): it decides the same, and says what it hides.";
    let doubt = doubt(
        "tool-suppressed",
        found.len() as u64,
        what,
        (first.input, first.first_line),
    );
    all.push(Doubt {
        tool: Some(first.tool.clone()),
        advice: Some(advice),
        ..doubt
    });
}

/// Stacks that end too early, or whose frames do not say what they are.
pub(super) fn stacks(parsed: &Parsed, triage: &Triage, all: &mut Vec<Doubt>) {
    let findings = || parsed.findings.iter().zip(&triage.items);
    // Names of the system's libraries would tell nothing.
    let has = |of: &(&Finding, &Item), is: fn(&Frame) -> bool| {
        let classes = of.1.classes.first().map(Vec::as_slice).unwrap_or_default();
        let frames =
            of.0.primary()
                .map(|s| s.frames.as_slice())
                .unwrap_or_default();
        frames
            .iter()
            .zip(classes)
            .any(|(frame, class)| *class == Class::Unknown && is(frame))
    };
    group(
        all,
        "cut-stacks",
        findings().map(|(f, _)| f).filter(|f| is_cut(f, parsed)),
        |n, tool| {
            let option = if tool.is_valgrind() {
                "--num-callers=40"
            } else {
                "malloc_context_size=100"
            };
            (
                format!(
                    "{} with as many frames as the checker keeps: what called them is not shown",
                    count(n, "stack", "stacks")
                ),
                option,
                None,
            )
        },
    );
    group(
        all,
        "collapsed-stacks",
        findings().map(|(f, _)| f).filter(|f| is_collapsed(f)),
        |n, _| {
            let advice = "Or build with -Cforce-frame-pointers=yes and a standard library built the same way.";
            let what = format!(
                "{} that lost the frames between the allocator and the start of the program",
                count(n, "stack", "stacks")
            );
            (what, "fast_unwind_on_malloc=0", Some(advice))
        },
    );
    let has_places = findings().any(|of| has(&of, |frame| is_nameless(&frame.site)));
    group(
        all,
        "no-symbols",
        findings()
            .filter(|of| has(of, |frame| frame.site.name().is_none()))
            .map(|(f, _)| f),
        |n, tool| {
            let what = format!(
                "{} with frames that have no name",
                count(n, "stack", "stacks")
            );
            if tool.is_valgrind() {
                let advice = "Do not strip the program and its libraries; names of libraries that it unloads are kept by --keep-debuginfo=yes.";
                return (what, "", Some(advice));
            }
            // What came with a module and an offset can still be named, without another run.
            let advice = match has_places {
                true => {
                    "`leakgate check --symbolize` names them where the program was built. Or put llvm-symbolizer into the PATH, and do not strip the program."
                }
                false => "Put llvm-symbolizer into the PATH, and do not strip the program.",
            };
            (what, "symbolize=1", Some(advice))
        },
    );
    let bare = |of: &(&Finding, &Item)| {
        !of.1.culprit.own
            && has(of, |frame| {
                frame.site.name().is_some() && frame.site.file.is_none()
            })
    };
    group(
        all,
        "no-debug-info",
        findings().filter(bare).map(|(f, _)| f),
        |n, _| {
            let what = format!(
                "{} with functions of the program that have no file and line",
                count(n, "stack", "stacks")
            );
            (
                what,
                "",
                Some("Build with -g (Rust: debug = \"line-tables-only\" in the profile)."),
            )
        },
    );
}

/// True for a stack that has as many frames as the checker keeps, and does not end where stacks
/// end.
fn is_cut(finding: &Finding, parsed: &Parsed) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let report = finding
        .instances
        .first()
        .and_then(|i| parsed.reports.get(i.report));
    let most = match finding.tool.is_valgrind() {
        true => report.and_then(|r| r.callers).unwrap_or(VALGRIND_FRAMES) as usize,
        false => SANITIZER_FRAMES,
    };
    // Inlined functions share a frame.
    let kept = stack.frames.iter().filter(|f| !f.inlined).count();
    let last = stack
        .frames
        .last()
        .and_then(|f| f.site.name())
        .unwrap_or_default();
    kept >= most
        && !OUTERMOST
            .iter()
            .any(|name| last == *name || last.starts_with(&format!("{name}@@")))
}

/// One doubt for each checker that has such findings. An empty option is none.
fn group<'a>(
    all: &mut Vec<Doubt>,
    code: &'static str,
    findings: impl Iterator<Item = &'a Finding>,
    say: impl Fn(u64, &Tool) -> (String, &'static str, Option<&'static str>),
) {
    let findings: Vec<&Finding> = findings.collect();
    let mut tools: Vec<&Tool> = findings.iter().map(|f| &f.tool).collect();
    tools.sort_unstable();
    tools.dedup();
    for tool in tools {
        let own: Vec<&&Finding> = findings.iter().filter(|f| f.tool == *tool).collect();
        let (what, option, advice) = say(own.len() as u64, tool);
        let place = own[0]
            .instances
            .first()
            .map_or((0, 0), |i| (i.input, i.first_line));
        let options = if option.is_empty() {
            Vec::new()
        } else {
            [option].into()
        };
        all.push(Doubt {
            tool: Some(tool.clone()),
            options,
            advice,
            ..doubt(code, own.len() as u64, what, place)
        });
    }
}

/// Undefined values of which nobody says where they come from.
pub(super) fn origins(parsed: &Parsed, all: &mut Vec<Doubt>) {
    let undefined = |kind: &Kind| {
        matches!(
            kind.as_str(),
            "uninit-value" | "uninit-condition" | "syscall-param" | "client-check"
        )
    };
    let bare = |f: &&Finding| {
        undefined(&f.kind)
            && f.title.contains("ninitialised")
            && !f.stacks.iter().any(|s| s.role == Role::Origin)
    };
    group(
        all,
        "no-origins",
        parsed
            .findings
            .iter()
            .filter(|f| f.tool == Tool::Memcheck)
            .filter(bare),
        |n, _| {
            let what = format!(
                "{} of undefined values without their origin",
                count(n, "use", "uses")
            );
            (what, "--track-origins=yes", None)
        },
    );
}
