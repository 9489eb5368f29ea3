//! Runs that leakgate started and observed: facts about the processes, in addition to the reports
//! that the checkers wrote.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::Tool;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::policy::Policy;
use crate::problem::{Code, Problem};
use crate::reason::{Reason, ReasonCode};

/// All runs that one verdict is about: the command runs once for each group of checkers that work
/// together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedRuns {
    /// The runs, in the order in which they were started.
    pub runs: Vec<CheckerRun>,
}

/// One run of the command under one group of checkers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckerRun {
    /// The checkers.
    pub tools: Vec<Tool>,
    /// The command line, quoted for a shell.
    pub command: String,
    /// How the command ended.
    pub termination: Termination,
    /// Number of processes that started under the checkers.
    pub processes: u64,
    /// Names of the programs that ran without a checker, because they aren't part of the project or
    /// contain no sanitizer.
    pub unchecked_programs: Vec<String>,
    /// The result of the canary.
    pub canary: Canary,
    /// One message for each process whose report is missing.
    pub missing: Vec<String>,
    /// One message for each other reason why the run proves nothing.
    pub unproven: Vec<String>,
    /// The reason why leaks were not checked, if the user turned the leak check off. `None` if
    /// leaks were checked.
    pub leak_check_disabled: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Termination {
    /// It exited with this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
    /// leakgate stopped it after this number of seconds (`--timeout`).
    TimedOut(u64),
    /// The user interrupted leakgate.
    Interrupted,
    /// leakgate stopped it because the canary check failed.
    GivenUp,
    /// leakgate stopped it because a checker could not write its log.
    CannotWriteLog,
}

/// The result of the canary: a small program with known errors, run under the same checker with the
/// same options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary {
    /// The checker reported the errors of the canary.
    Seen,
    /// No canary exists for this checker, because the program itself must be built for it.
    None,
    /// The checker did not report the errors of the canary. Holds the message.
    Silent(String),
}

impl Termination {
    /// Returns the message for a command that failed. Returns `None` if it exited with status 0.
    fn failure(self, command: &str) -> Option<String> {
        match self {
            Self::Status(0) => None,
            // Windows: the code of an exception, which its documentation writes in hexadecimal.
            Self::Status(status) if status < -1 => {
                Some(format!("`{command}` exited with status {status:#X}"))
            }
            Self::Status(status) => Some(format!("`{command}` exited with status {status}")),
            Self::Signal(signal) => Some(format!(
                "`{command}` was killed by signal {}",
                signal_name(signal)
            )),
            Self::TimedOut(seconds) => Some(format!(
                "`{command}` timed out after {}",
                count(seconds, "second", "seconds")
            )),
            Self::Interrupted => Some(format!("`{command}` was interrupted")),
            Self::GivenUp => Some(format!(
                "`{command}` was stopped because the canary check failed"
            )),
            Self::CannotWriteLog => Some(format!(
                "`{command}` was stopped because a checker could not write its log"
            )),
        }
    }
}

impl ObservedRuns {
    /// Returns the checkers whose silence proves that they found nothing: they were seen to work,
    /// and every process under them ended by itself and left its report.
    pub(super) fn verified_checkers(&self) -> Vec<VerifiedChecker> {
        let is_sound = |run: &&CheckerRun| {
            let is_seen = run.canary == Canary::Seen
                || (run.canary == Canary::None && run.unproven.is_empty());
            is_seen && run.processes > 0 && run.missing.is_empty()
        };
        let mut all = Vec::new();
        for run in self.runs.iter().filter(is_sound) {
            for tool in &run.tools {
                let verified = VerifiedChecker {
                    tool: tool.clone(),
                    processes: run.processes,
                    canary: run.canary == Canary::Seen,
                };
                verified.add_to(&mut all);
            }
        }
        all
    }

    /// Appends the reasons that come from the runs themselves.
    pub(super) fn reasons(&self, parsed: &Parsed, policy: &Policy, reasons: &mut Vec<Reason>) {
        let failed = self
            .runs
            .iter()
            .filter_map(|run| run.termination.failure(&run.command));
        add_reason(ReasonCode::CommandFailed, failed.collect(), reasons);
        let missing = self.runs.iter().flat_map(|run| run.missing.iter().cloned());
        add_reason(ReasonCode::MissingReport, missing.collect(), reasons);
        add_reason(ReasonCode::NoEvidence, self.unproven(parsed), reasons);
        if policy.gates_leaks() {
            let disabled = self
                .runs
                .iter()
                .filter_map(|run| run.leak_check_disabled.clone());
            add_reason(ReasonCode::LeaksNotShown, disabled.collect(), reasons);
        }
    }

    /// Returns one message for each reason why a run proves nothing.
    fn unproven(&self, parsed: &Parsed) -> Vec<String> {
        let silent_canaries = self.runs.iter().filter_map(|run| match &run.canary {
            Canary::Silent(message) => Some(message.clone()),
            Canary::Seen | Canary::None => None,
        });
        let without_process = self
            .runs
            .iter()
            .filter(|run| run.processes == 0 && run.missing.is_empty() && !run.has_report(parsed))
            .map(CheckerRun::no_process);
        let others = self
            .runs
            .iter()
            .flat_map(|run| run.unproven.iter().cloned());
        // The others explain why no process ran.
        silent_canaries
            .chain(others)
            .chain(without_process)
            .collect()
    }
}

/// Adds messages to the reason with this code. Only the first message is shown.
fn add_reason(code: ReasonCode, messages: Vec<String>, reasons: &mut Vec<Reason>) {
    let count = messages.len() as u64;
    let Some(message) = messages.into_iter().next() else {
        return;
    };
    match reasons.iter_mut().find(|reason| reason.code == code) {
        Some(reason) => reason.count += count,
        None => reasons.push(Reason {
            code,
            count,
            message,
        }),
    }
}

/// A checker that was seen to work, and whose processes were observed until they ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedChecker {
    /// The checker.
    pub tool: Tool,
    /// Number of processes.
    pub processes: u64,
    /// True if the checker reported the errors of a canary in every run.
    pub canary: bool,
}

impl VerifiedChecker {
    /// Adds the checker to a list that has one entry for each tool.
    pub(crate) fn add_to(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|other| other.tool == self.tool) {
            Some(other) => {
                other.processes = other.processes.saturating_add(self.processes);
                other.canary &= self.canary;
            }
            None => all.push(self),
        }
    }
}

/// Returns the parts of the evidence line that verified checkers add.
pub(crate) fn evidence(verified: &[VerifiedChecker], parsed: &Parsed) -> Vec<String> {
    let mut parts = Vec::new();
    for VerifiedChecker {
        tool,
        processes,
        canary,
    } in verified
    {
        if parsed.reports.iter().all(|report| report.tool != *tool) {
            parts.push(format!(
                "{tool}: {} checked, nothing reported",
                count(*processes, "process", "processes")
            ));
        }
        if *canary {
            parts.push(format!("{tool} reported the known errors of the canary"));
        }
    }
    parts
}

impl CheckerRun {
    /// Returns the message for a run in which no program was checked.
    fn no_process(&self) -> String {
        const SHOWN: usize = 4;
        let tools = join_names(&self.tools);
        let programs = &self.unchecked_programs;
        let Some(shown) = programs
            .get(..programs.len().min(SHOWN))
            .filter(|p| !p.is_empty())
        else {
            return format!("no process ran under {tools}");
        };
        let mut started = shown.join(", ");
        if programs.len() > SHOWN {
            let others = (programs.len() - SHOWN) as u64;
            started = format!("{started} and {}", count(others, "other", "others"));
        }
        let command = &self.command;
        let flags: Vec<&str> = self.tools.iter().filter_map(sanitizer_flag).collect();
        let is_valgrind = |name: &String| name == "valgrind" || name == "valgrind.bin";
        if programs.iter().any(is_valgrind) {
            format!(
                "no program of the project ran under {tools}, because `{command}` starts valgrind \
                 itself; turn that off, or check the logs that it writes with `leakgate check`"
            )
        } else if flags.is_empty() {
            format!("no program of the project ran under {tools}; `{command}` started {started}")
        } else {
            let flags = flags.join(",");
            format!(
                "no program that contains {tools} ran; `{command}` started {started}; build your \
                 programs with -fsanitize={flags}"
            )
        }
    }

    fn has_report(&self, parsed: &Parsed) -> bool {
        parsed.reports.iter().any(|r| self.tools.contains(&r.tool))
    }
}

/// Returns the reason for a problem in the output of an observed run. There, a checker that cannot
/// start means that the command could not run.
pub(super) fn observed_reason(problem: &Problem) -> Option<ReasonCode> {
    if problem.code == Code::CheckerFailed {
        Some(ReasonCode::CommandFailed)
    } else {
        problem.code.reason()
    }
}

/// Returns the number of a signal, with its name if all systems agree on the number.
fn signal_name(signal: i32) -> String {
    const NAMES: &[(i32, &str)] = &[
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (14, "SIGALRM"),
        (15, "SIGTERM"),
    ];
    let known = NAMES.iter().find(|(number, _)| *number == signal);
    known.map_or_else(
        || format!("{signal}"),
        |(_, name)| format!("{signal} ({name})"),
    )
}

/// Returns the value of a compiler's `-fsanitize=` that builds a checker into a program; `None` for
/// other checkers.
fn sanitizer_flag(tool: &Tool) -> Option<&'static str> {
    match tool {
        Tool::Asan => Some("address"),
        Tool::Hwasan => Some("hwaddress"),
        Tool::Lsan => Some("leak"),
        Tool::Msan => Some("memory"),
        Tool::Tsan => Some("thread"),
        Tool::Ubsan => Some("undefined"),
        _ => None,
    }
}

fn join_names(tools: &[Tool]) -> String {
    let names: Vec<&str> = tools.iter().map(Tool::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culprit::NoWorkspace;
    use crate::parse::Parser;
    use crate::triage::{Gate, triage};
    use crate::verdict::judge_observed;
    use crate::{Date, Options};

    fn run_of(tool: Tool) -> CheckerRun {
        CheckerRun {
            tools: Vec::from([tool]),
            command: String::from("./a"),
            termination: Termination::Status(0),
            processes: 1,
            unchecked_programs: Vec::new(),
            canary: Canary::Seen,
            missing: Vec::new(),
            unproven: Vec::new(),
            leak_check_disabled: None,
        }
    }

    /// Returns the reasons for these runs and this log. The policy requires the first tool.
    fn codes(runs: Vec<CheckerRun>, log: &[u8], policy: Policy) -> Vec<&'static str> {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log);
        let parsed = parser.finish();
        let policy = Policy {
            require: runs[0].tools.clone(),
            ..policy
        };
        let gate = Gate::new(policy, Date::constant(2026, 11, 22));
        let verdict = judge_observed(
            &parsed,
            &triage(&parsed, &gate, &NoWorkspace),
            &ObservedRuns { runs },
            &gate,
        );
        verdict
            .reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .collect()
    }

    fn code(change: impl Fn(&mut CheckerRun)) -> Vec<&'static str> {
        let mut run = run_of(Tool::Asan);
        change(&mut run);
        codes(Vec::from([run]), b"", Policy::default())
    }

    #[test]
    fn silent_observed_checker_passes() {
        assert_eq!(code(|_| {}), [""; 0]);
        assert_eq!(code(|run| run.canary = Canary::None), [""; 0]);
    }

    #[test]
    fn anything_missing_fails() {
        let text = || Vec::from([String::from("x")]);
        assert_eq!(
            code(|run| run.canary = Canary::Silent(String::from("x"))),
            ["missing-report", "no-evidence"]
        );
        assert_eq!(code(|run| run.missing = text()), ["missing-report"]);
        assert_eq!(
            code(|run| run.processes = 0),
            ["missing-report", "no-evidence"]
        );
        let none = |run: &mut CheckerRun| {
            run.canary = Canary::None;
            run.unproven = text();
        };
        assert_eq!(code(none), ["missing-report", "no-evidence"]);
        assert_eq!(code(|run| run.unproven = text()), ["no-evidence"]);
    }

    #[test]
    fn message_explains_why_no_program_was_checked() {
        let message = |programs: &[&str]| {
            let run = CheckerRun {
                processes: 0,
                unchecked_programs: programs.iter().map(|name| String::from(*name)).collect(),
                ..run_of(Tool::Memcheck)
            };
            run.no_process()
        };
        assert_eq!(message(&[]), "no process ran under memcheck");
        assert!(message(&["expr", "make"]).ends_with("started expr, make"));
        let valgrind = message(&["dash", "valgrind"]);
        assert!(valgrind.contains("starts valgrind itself"), "{valgrind}");
    }

    #[test]
    fn failed_command_fails() {
        for end in [
            Termination::Status(1),
            Termination::Signal(11),
            Termination::TimedOut(3),
            Termination::Interrupted,
            Termination::GivenUp,
            Termination::CannotWriteLog,
        ] {
            assert_eq!(
                code(|run| run.termination = end),
                ["command-failed"],
                "{end:?}"
            );
        }
        assert_eq!(
            Termination::Signal(11).failure("./a").as_deref(),
            Some("`./a` was killed by signal 11 (SIGSEGV)")
        );
        assert_eq!(
            Termination::Status(-0x3FFF_FFFB).failure("./a").as_deref(),
            Some("`./a` exited with status 0xC0000005")
        );
        assert_eq!(
            Termination::Signal(63).failure("./a").as_deref(),
            Some("`./a` was killed by signal 63")
        );
    }

    #[test]
    fn disabled_leak_check_fails_if_leaks_are_gated() {
        let off = || {
            Vec::from([CheckerRun {
                leak_check_disabled: Some(String::from("x")),
                ..run_of(Tool::Asan)
            }])
        };
        assert_eq!(codes(off(), b"", Policy::default()), ["leaks-not-shown"]);
        let mut errors = Policy::default();
        errors.set_fail_on(["errors"]).unwrap();
        assert_eq!(codes(off(), b"", errors), [""; 0]);
    }

    #[test]
    fn checker_that_cannot_start_is_a_failed_command() {
        let log = b"valgrind: failed to start tool 'memcheck' for platform 'x86-linux': No such file or directory\n";
        let runs = Vec::from([CheckerRun {
            processes: 0,
            ..run_of(Tool::Memcheck)
        }]);
        let codes = codes(runs, log, Policy::default());
        assert!(
            codes.contains(&"command-failed") && !codes.contains(&"truncated-report"),
            "{codes:?}"
        );
    }

    #[test]
    fn every_run_must_pass() {
        let failed = CheckerRun {
            termination: Termination::Status(1),
            ..run_of(Tool::Drd)
        };
        assert_eq!(
            codes(
                Vec::from([run_of(Tool::Asan), failed]),
                b"",
                Policy::default()
            ),
            ["command-failed"]
        );
    }
}
