//! A command that ran under checkers and was watched: what is known of it beside what the checkers
//! wrote.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Policy, Reason, ReasonCode};
use crate::model::Tool;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::problem::{Code, Problem};

/// All that was run for one verdict: the command once for each group of checkers that can work
/// together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// In the order in which they ran.
    pub runs: Vec<Ran>,
}

/// The command, run once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The checkers that it ran under.
    pub tools: Vec<Tool>,
    /// The command, as a person would type it.
    pub command: String,
    /// How it ended.
    pub end: End,
    /// Processes that were seen to start under the checkers.
    pub processes: u64,
    /// What became of the canary.
    pub canary: Canary,
    /// Processes whose report is not there, each in words.
    pub missing: Vec<String>,
    /// What else keeps the run from proving anything, in words.
    pub unproved: Vec<String>,
    /// Why no leaks were looked for, where somebody turned the search off.
    pub unsearched: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an exit status.
    Status(i32),
    /// By a signal.
    Signal(i32),
    /// It was stopped after so many seconds.
    TimedOut(u64),
    /// Somebody stopped leakgate.
    Interrupted,
    /// leakgate stopped it, since the canary showed that the run could prove nothing.
    GivenUp,
}

/// A small program with known errors, run by the same checker with the same options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary {
    /// Its report came back.
    Seen,
    /// There is none for this checker: the program itself must be built for it.
    None,
    /// Its report did not come back; why, in words.
    Silent(String),
}

impl End {
    fn told(self, command: &str) -> Option<String> {
        match self {
            Self::Status(0) => None,
            Self::Status(status) => Some(format!("`{command}` failed with status {status}")),
            Self::Signal(signal) => {
                Some(format!("`{command}` was ended by signal {}", shown(signal)))
            }
            Self::TimedOut(seconds) => Some(format!(
                "`{command}` was stopped after {}",
                count(seconds, "second", "seconds")
            )),
            Self::Interrupted => Some(format!("`{command}` was interrupted")),
            Self::GivenUp => Some(format!(
                "`{command}` was stopped, since it could prove nothing"
            )),
        }
    }
}

impl Watched {
    /// The checkers under which processes ran that ended by themselves, so that silence means that
    /// there was nothing to say.
    pub(super) fn vouched(&self) -> Vec<Vouched> {
        let sound = |run: &&Ran| {
            let is_seen = run.canary == Canary::Seen
                || (run.canary == Canary::None && run.unproved.is_empty());
            is_seen && run.processes > 0 && run.missing.is_empty()
        };
        let mut all = Vec::new();
        for run in self.runs.iter().filter(sound) {
            let canary = run.canary == Canary::Seen;
            let of_run = run.tools.iter().map(|tool| Vouched {
                tool: tool.clone(),
                processes: run.processes,
                canary,
            });
            of_run.for_each(|vouched| vouched.add_to(&mut all));
        }
        all
    }

    pub(super) fn reasons(&self, parsed: &Parsed, policy: &Policy, reasons: &mut Vec<Reason>) {
        let mut add = |code, messages: Vec<String>| {
            let count = messages.len() as u64;
            let Some(message) = messages.into_iter().next() else {
                return;
            };
            match reasons.iter_mut().find(|r: &&mut Reason| r.code == code) {
                Some(reason) => reason.count += count,
                None => reasons.push(Reason {
                    code,
                    count,
                    message,
                }),
            }
        };
        let failed: Vec<String> = self
            .runs
            .iter()
            .filter_map(|run| run.end.told(&run.command))
            .collect();
        add(ReasonCode::CommandFailed, failed);
        add(
            ReasonCode::MissingReport,
            self.runs
                .iter()
                .flat_map(|run| run.missing.iter().cloned())
                .collect(),
        );
        let silent = self.runs.iter().filter_map(|run| match &run.canary {
            Canary::Silent(why) => Some(why.clone()),
            Canary::Seen | Canary::None => None,
        });
        let nobody = self
            .runs
            .iter()
            .filter(|run| run.processes == 0 && run.missing.is_empty() && !run.spoke(parsed));
        let nobody = nobody.map(|run| format!("no process ran under {}", names(&run.tools)));
        let unproved = self
            .runs
            .iter()
            .flat_map(|run| run.unproved.iter().cloned());
        add(
            ReasonCode::NoEvidence,
            silent.chain(nobody).chain(unproved).collect(),
        );
        if policy.gates_leaks() {
            add(
                ReasonCode::LeaksNotShown,
                self.runs
                    .iter()
                    .filter_map(|run| run.unsearched.clone())
                    .collect(),
            );
        }
    }
}

/// A checker that was seen to work, and processes that were watched under it to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The checker.
    pub tool: Tool,
    /// How many processes.
    pub processes: u64,
    /// A canary's errors came back by it.
    pub canary: bool,
}

impl Vouched {
    /// Adds it to what is known of others. A canary counts only where each run had one.
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

/// What checkers have watched, for the line that says what was proved.
pub(crate) fn evidence(vouched: &[Vouched], parsed: &Parsed) -> Vec<String> {
    let mut out = Vec::new();
    for Vouched {
        tool,
        processes,
        canary,
    } in vouched
    {
        if parsed.reports.iter().all(|report| report.tool != *tool) {
            out.push(format!(
                "{tool}: {} watched, nothing reported",
                count(*processes, "process", "processes")
            ));
        }
        if *canary {
            out.push(format!("{tool} found the canary"));
        }
    }
    out
}

impl Ran {
    fn spoke(&self, parsed: &Parsed) -> bool {
        parsed.reports.iter().any(|r| self.tools.contains(&r.tool))
    }
}

/// The reason of a problem in what a watched command wrote: there, a checker that can't start is a
/// command that can't run.
pub(super) fn reason_of(problem: &Problem) -> Option<ReasonCode> {
    if problem.code == Code::CheckerFailed {
        Some(ReasonCode::CommandFailed)
    } else {
        problem.code.reason()
    }
}

/// The numbers that all systems agree on have names.
fn shown(signal: i32) -> String {
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
    NAMES
        .iter()
        .find(|(number, _)| *number == signal)
        .map_or_else(
            || format!("{signal}"),
            |(_, name)| format!("{signal} ({name})"),
        )
}

fn names(tools: &[Tool]) -> String {
    tools
        .iter()
        .map(Tool::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Date, Gate, NoWorkspace, Options, Parser, judge_watched, triage};

    fn ran(tool: Tool) -> Ran {
        Ran {
            tools: Vec::from([tool]),
            command: String::from("./a"),
            end: End::Status(0),
            processes: 1,
            canary: Canary::Seen,
            missing: Vec::new(),
            unproved: Vec::new(),
            unsearched: None,
        }
    }

    /// What is said of these runs with this log, where the policy asks for the tool of the first.
    fn codes(runs: Vec<Ran>, log: &[u8], policy: Policy) -> Vec<&'static str> {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log);
        let parsed = parser.finish();
        let policy = Policy {
            require: runs[0].tools.clone(),
            ..policy
        };
        let gate = Gate::new(policy, Date::constant(2026, 11, 22));
        let verdict = judge_watched(
            &parsed,
            &triage(&parsed, &gate, &NoWorkspace),
            &Watched { runs },
            &gate,
        );
        verdict
            .reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .collect()
    }

    fn code(change: impl Fn(&mut Ran)) -> Vec<&'static str> {
        let mut ran = ran(Tool::Asan);
        change(&mut ran);
        codes(Vec::from([ran]), b"", Policy::default())
    }

    #[test]
    fn silence_of_a_checker_that_was_watched_is_a_proof() {
        assert_eq!(code(|_| {}), [""; 0]);
        assert_eq!(code(|ran| ran.canary = Canary::None), [""; 0]);
    }

    #[test]
    fn whatever_is_lost_is_no_proof() {
        let text = || Vec::from([String::from("x")]);
        assert_eq!(
            code(|ran| ran.canary = Canary::Silent(String::from("x"))),
            ["missing-report", "no-evidence"]
        );
        assert_eq!(code(|ran| ran.missing = text()), ["missing-report"]);
        assert_eq!(
            code(|ran| ran.processes = 0),
            ["missing-report", "no-evidence"]
        );
        let none = |ran: &mut Ran| (ran.canary, ran.unproved) = (Canary::None, text());
        assert_eq!(code(none), ["missing-report", "no-evidence"]);
        assert_eq!(code(|ran| ran.unproved = text()), ["no-evidence"]);
    }

    #[test]
    fn a_command_has_to_end_well() {
        for end in [
            End::Status(1),
            End::Signal(11),
            End::TimedOut(3),
            End::Interrupted,
            End::GivenUp,
        ] {
            assert_eq!(code(|ran| ran.end = end), ["command-failed"], "{end:?}");
        }
        assert_eq!(
            End::Signal(11).told("./a").as_deref(),
            Some("`./a` was ended by signal 11 (SIGSEGV)")
        );
        assert_eq!(
            End::Signal(63).told("./a").as_deref(),
            Some("`./a` was ended by signal 63")
        );
    }

    #[test]
    fn a_search_that_was_turned_off_matters_to_who_asks_for_leaks() {
        let off = || {
            Vec::from([Ran {
                unsearched: Some(String::from("x")),
                ..ran(Tool::Asan)
            }])
        };
        assert_eq!(codes(off(), b"", Policy::default()), ["leaks-not-shown"]);
        let mut errors = Policy::default();
        errors.set_fail_on(["errors"]).unwrap();
        assert_eq!(codes(off(), b"", errors), [""; 0]);
    }

    #[test]
    fn a_checker_that_can_not_start_is_a_command_that_can_not_run() {
        let log = b"valgrind: failed to start tool 'memcheck' for platform 'x86-linux': No such file or directory\n";
        let runs = Vec::from([Ran {
            processes: 0,
            ..ran(Tool::Memcheck)
        }]);
        let codes = codes(runs, log, Policy::default());
        assert!(
            codes.contains(&"command-failed") && !codes.contains(&"truncated-report"),
            "{codes:?}"
        );
    }

    #[test]
    fn each_run_counts() {
        let failed = Ran {
            end: End::Status(1),
            ..ran(Tool::Drd)
        };
        assert_eq!(
            codes(Vec::from([ran(Tool::Asan), failed]), b"", Policy::default()),
            ["command-failed"]
        );
    }
}
