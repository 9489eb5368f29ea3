//! The tests that run at a line of a log.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::lines::{Event, Mark};
use crate::model::Text;
use crate::parse::collect::shared_text;

/// Maximum number of tests that run at the same time.
const MAX_RUNNING: usize = 64;

/// The tests that run at a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Running {
    /// The test that a process was started for.
    pub(super) process: Option<Text>,
    /// The tests within the process. Several run in parallel.
    cases: Vec<Case>,
    /// The top-level tests of Go that run in parallel with others.
    parallel: Vec<Text>,
    /// The harness has printed its totals. The names of failed tests may follow.
    is_over: bool,
    /// The test whose leaks the checker prints.
    checked: Option<Text>,
    /// The process has announced that it runs one test.
    is_single: bool,
}

/// A test within a process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Case {
    name: Text,
    /// It continues while others run.
    is_parallel: bool,
    /// Other tests may run at the same time.
    is_doubtful: bool,
}

impl Running {
    /// Returns the innermost tests to which an error belongs. `case` is the test whose function is
    /// in its stack.
    pub(super) fn tests_of_error(&self, case: Option<&Text>) -> Vec<Text> {
        let names = self.cases.iter().map(|case| &case.name);
        let agreeing: Vec<&Text> = names
            .filter(|name| case.is_some_and(|case| name.contains(&**case)))
            .collect();
        let certain = || {
            let certain = self.cases.iter().filter(|case| !case.is_doubtful);
            certain.map(|case| &case.name).collect()
        };
        self.within_process(match case {
            _ if !agreeing.is_empty() => agreeing,
            Some(case) => [case].into(),
            None => certain(),
        })
    }

    /// Returns the tests to which a leak belongs. `case` is the test whose function is in the stack
    /// of its allocation.
    pub(super) fn tests_of_leak(&self, case: Option<&Text>) -> Vec<Text> {
        // A checkpoint finds the test that lost the memory, which another one may have allocated.
        let case = self.checked.as_ref().or(case);
        self.within_process(case.into_iter().collect())
    }

    /// Returns the names of tests in the process, or the name of the process if there are none.
    fn within_process(&self, cases: Vec<&Text>) -> Vec<Text> {
        let Some(process) = &self.process else {
            return cases.into_iter().cloned().collect();
        };
        if cases.is_empty() {
            return [Arc::clone(process)].into();
        }
        let name = |case: &Text| match process.ends_with(&**case) {
            true => Arc::clone(process),
            false => format!("{process} > {case}").into(),
        };
        cases.into_iter().map(name).collect()
    }

    /// Applies an event.
    pub(super) fn apply(&mut self, event: &Event<'_>) {
        match *event {
            Event::ProcessStarted(name) => {
                *self = Self {
                    process: Some(shared_text(name)),
                    ..Self::default()
                };
            }
            Event::ProcessFailed(name) if !self.is_over => {
                self.apply(&Event::ProcessStarted(name));
            }
            Event::ProcessFailed(_) | Event::ProcessEnded => {
                *self = Self {
                    is_over: self.is_over,
                    ..Self::default()
                };
            }
            Event::RunEnded => {
                *self = Self {
                    is_over: true,
                    ..Self::default()
                };
            }
            Event::Single(is_single) => self.is_single = is_single,
            Event::Started(name) => self.start(name, false),
            Event::MaybeStarted(name) => self.start(name, !self.is_single),
            Event::Entered(name) => self.enter(name),
            Event::Resumed(name) => self.resume(name),
            Event::Switched(name) => {
                if self.parallel.is_empty() {
                    self.start(name, false);
                }
            }
            Event::Ended(name) => self.end(name),
            Event::AllEnded => {
                self.cases.clear();
                self.parallel.clear();
            }
            Event::Checkpoint(_, mark) => self.mark(mark),
            Event::Numbered(..) => {}
        }
    }

    /// Applies a checkpoint.
    fn mark(&mut self, mark: Mark<'_>) {
        match mark {
            Mark::Begin(name) => {
                self.checked = None;
                self.start(name, false);
            }
            Mark::LeaksOf(name) => {
                let name = shared_text(name);
                self.checked = Some(match self.cases.first() {
                    Some(case) if case.name != name => format!("{} > {name}", case.name).into(),
                    _ => name,
                });
            }
            Mark::Checked => self.checked = None,
            Mark::End => {
                self.checked = None;
                self.cases.clear();
            }
        }
    }

    /// Begins a test that replaces all others.
    fn start(&mut self, name: &[u8], is_doubtful: bool) {
        self.cases.clear();
        self.push(name, false, is_doubtful);
    }

    /// Begins a test of Go. A test that isn't parallel has ended or waits for its subtest.
    fn enter(&mut self, name: &[u8]) {
        let parallel = &self.parallel;
        self.cases.retain(|case| {
            let root = root(case.name.as_bytes());
            let is_outer = is_part(name, case.name.as_bytes());
            let is_other = root != self::root(name) && contains(parallel, root);
            !is_outer && (case.is_parallel || is_other)
        });
        self.push(name, false, false);
    }

    /// Continues a test while others run. Its subtests that aren't parallel have ended.
    fn resume(&mut self, name: &[u8]) {
        self.cases.retain(|case| {
            let case_name = case.name.as_bytes();
            !is_part(name, case_name) && (case.is_parallel || !is_part(case_name, name))
        });
        self.push(name, true, false);
        let root = root(name);
        if !contains(&self.parallel, root) && self.parallel.len() < MAX_RUNNING {
            self.parallel.push(shared_text(root));
        }
    }

    /// Ends a test and its subtests.
    fn end(&mut self, name: &[u8]) {
        self.cases
            .retain(|case| !is_part(case.name.as_bytes(), name));
        self.parallel.retain(|test| test.as_bytes() != name);
    }

    fn push(&mut self, name: &[u8], is_parallel: bool, is_doubtful: bool) {
        if self.cases.len() < MAX_RUNNING {
            self.cases.push(Case {
                name: shared_text(name),
                is_parallel,
                is_doubtful,
            });
        }
    }
}

fn contains(names: &[Text], name: &[u8]) -> bool {
    names.iter().any(|test| test.as_bytes() == name)
}

/// Returns the top-level test of a subtest of Go.
fn root(name: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'/', name).unwrap_or(name.len());
    &name[..end]
}

/// Returns true if a test is the other one or one of its subtests, as Go names them.
fn is_part(test: &[u8], of: &[u8]) -> bool {
    test.strip_prefix(of)
        .is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}
