//! The tests during which a checker printed an error.
//!
//! Test harnesses print a line when a test begins or ends. An error that a checker prints
//! immediately belongs to the running test. A leak is printed when a process ends, so it belongs
//! to a test only if the harness runs each test in another process; tests that share a process
//! are found in the stack of the allocation, if at all (see `harness/stack.rs`).
//!
//! Lines of several sources are mixed in a log, so each source has its own timeline. A record may
//! end many lines after its beginning, so a timeline remembers the tests of earlier lines.

mod lines;
mod running;
mod stack;

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use hashbrown::HashMap;

use self::lines::{Event, event};
use self::running::Running;
pub(super) use self::stack::test_in_stacks;
use super::collect::shared_text;
use crate::model::{Report, Text};

/// Maximum number of changes that a timeline remembers.
const MAX_CHANGES: usize = 4096;

/// Maximum number of sources with a timeline, and of numbered tests.
const MAX_SOURCES: usize = 65_536;

/// The tests of one source.
#[derive(Clone, Debug, Default)]
struct Timeline {
    now: Running,
    /// The tests from a line on, by ascending lines.
    changes: VecDeque<(u64, Running)>,
}

impl Timeline {
    fn apply(&mut self, event: &Event<'_>, line: u64) {
        self.now.apply(event);
        if let Some((last, running)) = self.changes.back_mut()
            && *last == line
        {
            running.clone_from(&self.now);
            return;
        }
        if self.changes.len() == MAX_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back((line, self.now.clone()));
    }

    /// Returns the tests at a line. `None` before the first test.
    fn at(&self, line: u64) -> Option<&Running> {
        let next = self.changes.partition_point(|(from, _)| *from <= line);
        Some(&self.changes.get(next.checked_sub(1)?)?.1)
    }
}

/// The tests of all sources of an input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timelines {
    sources: HashMap<Option<Text>, Timeline>,
    /// Names of CTest's tests by the source that their lines have: `12` for `12: text`.
    numbered: HashMap<Text, Text>,
    /// The processes with checkpoints, by source and pid.
    processes: HashMap<(Option<Text>, u64), Timeline>,
}

impl Timelines {
    /// Forgets all tests, because an input begins.
    pub(super) fn clear(&mut self) {
        self.sources.clear();
        self.numbered.clear();
        self.processes.clear();
    }

    /// Forgets the running tests, because lines are missing.
    pub(super) fn forget(&mut self) {
        self.sources.clear();
        for timeline in self.processes.values_mut() {
            *timeline = Timeline::default();
        }
    }

    /// Returns true if a process of a source has checkpoints.
    pub(super) fn has_checkpoints(&self, source: Option<&Text>, pid: Option<u64>) -> bool {
        !self.processes.is_empty() && self.timeline_of(source, pid).is_some()
    }

    /// Returns the timeline of a process with checkpoints. If their lines have an unknown prefix,
    /// they have no source.
    fn timeline_of(&self, source: Option<&Text>, pid: Option<u64>) -> Option<&Timeline> {
        let pid = pid?;
        let known = self.processes.get(&(source.cloned(), pid));
        known.or_else(|| self.processes.get(&(None, pid)))
    }

    /// Reads a line of a source, whose name is empty if it has none.
    pub(super) fn line(&mut self, source: &[u8], text: &[u8], line: u64) {
        let Some(event) = event(text) else {
            return;
        };
        let source = (!source.is_empty()).then(|| shared_text(source));
        if let Event::Numbered(number, name) = event {
            let key = match &source {
                Some(source) => format!("{source} {number}"),
                None => format!("{number}"),
            };
            if self.numbered.len() < MAX_SOURCES {
                self.numbered.insert(key.into(), shared_text(name));
            }
            // What CTest printed for the test before has ended.
            self.apply(source, &Event::ProcessEnded, line);
        } else if let Event::Checkpoint(pid, _) = event {
            let key = (source, pid);
            if self.processes.len() < MAX_SOURCES || self.processes.contains_key(&key) {
                self.processes.entry(key).or_default().apply(&event, line);
            }
        } else {
            self.apply(source, &event, line);
        }
    }

    fn apply(&mut self, source: Option<Text>, event: &Event<'_>, line: u64) {
        if self.sources.len() < MAX_SOURCES || self.sources.contains_key(&source) {
            self.sources.entry(source).or_default().apply(event, line);
        }
    }

    /// Returns the tests that a record belongs to if it begins at a line. More than one is returned
    /// if tests ran in parallel. `case` is the test whose function is in its stack.
    pub(super) fn of_record(
        &self,
        report: &Report,
        line: u64,
        is_leak: bool,
        case: Option<&Text>,
    ) -> Vec<Text> {
        if self.sources.is_empty() && self.numbered.is_empty() && self.processes.is_empty() {
            return case.into_iter().cloned().collect();
        }
        let source = report.stream.as_ref();
        let timeline = self
            .timeline_of(source, report.pid)
            .or_else(|| self.sources.get(&source.cloned()));
        let known = timeline.and_then(|timeline| timeline.at(line));
        let mut running = known.cloned().unwrap_or_default();
        if running.process.is_none() {
            running.process = source.and_then(|name| self.numbered.get(name).cloned());
        }
        if is_leak {
            running.tests_of_leak(case)
        } else {
            running.tests_of_error(case)
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::model::Tool;

    /// Returns a report of the process 7.
    fn report(source: Option<&str>) -> Report {
        Report {
            pid: Some(7),
            stream: source.map(Text::from),
            ..Report::new(Tool::Lsan, 0, 1)
        }
    }

    /// Returns the tests of an error and of a leak in the last line of a log without prefixes.
    fn tests(log: &str) -> (String, String) {
        let mut timelines = Timelines::default();
        for (at, line) in log.lines().enumerate() {
            timelines.line(b"", line.as_bytes(), at as u64 + 1);
        }
        let last = log.lines().count() as u64;
        let join = |tests: Vec<Text>| tests.join(", ");
        (
            join(timelines.of_record(&report(None), last, false, None)),
            join(timelines.of_record(&report(None), last, true, None)),
        )
    }

    fn of_error(log: &str) -> String {
        tests(log).0
    }

    #[test]
    fn error_belongs_to_running_test() {
        for (log, expected) in [
            ("[ RUN      ] A.b\nerror", "A.b"),
            ("[ RUN      ] A.b\nx\n[       OK ] A.b (0 ms)\nerror", ""),
            ("[ RUN      ] A.b/0, where x = 1\nerror", "A.b/0"),
            (
                "[ RUN      ] A.b\n[  FAILED  ] A.b (3 ms)\n[ RUN      ] A.c\nerror",
                "A.c",
            ),
            (
                "[ RUN      ] A.b\n[==========] Running 1 test from 1 test suite.\nerror",
                "",
            ),
            ("=== RUN   TestA\nerror", "TestA"),
            ("=== RUN   TestA\n=== RUN   TestA/x\nerror", "TestA/x"),
            (
                "=== RUN   TestA\n=== RUN   TestA/x\n    --- PASS: TestA/x (0.00s)\nerror",
                "",
            ),
            ("=== RUN   TestA\n=== PAUSE TestA\nerror", ""),
            (
                "=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\n=== PAUSE TestB\n\
                 === CONT  TestA\n=== CONT  TestB\nerror",
                "TestA, TestB",
            ),
            (
                "=== RUN   TestA\n=== RUN   TestA/x\n=== RUN   TestA/y\nerror",
                "TestA/y",
            ),
            (
                "=== RUN   TestA\n=== RUN   TestA/x\n=== NAME  TestA\nerror",
                "TestA",
            ),
            ("=== RUN   TestA\n=== RUN   TestB\nerror", "TestB"),
            (
                "=== CONT  TestA\nexit status 2\n=== RUN   TestB\nerror",
                "TestB",
            ),
            (
                "=== CONT  TestA\n=== CONT  TestB\n=== RUN   TestA/x\nerror",
                "TestB, TestA/x",
            ),
            ("=== RUN   TestA\n--- FAIL: TestA (0.00s)\nerror", ""),
            ("running 1 test\ntest a::b ... error", "a::b"),
            ("running 2 tests\ntest a::b ... error", ""),
            ("test a::b ... ok\nerror", ""),
            ("test a::b ... =======\nx\nok\ntest c ... FAILED\nerror", ""),
            ("running 1 test\ntest a::b - should panic ... error", "a::b"),
            ("test result: ok. 1 passed; 0 failed\nerror", ""),
            ("tests/x.py::test_y error", "tests/x.py::test_y"),
            (
                "tests/x.py::TestC::test_y[1-a b] PASSED   [ 50%]\nerror",
                "",
            ),
            (
                "tests/x.py::test_y ====\nx\nPASSED\n=== 1 passed in 0.02s ===\nerror",
                "",
            ),
            (
                "tests/x.py::test_y \ntests/x.py::test_z \nerror",
                "tests/x.py::test_y, tests/x.py::test_z",
            ),
            (
                "x.py::test_y \nx.py::test_z \n[gw1] [ 50%] PASSED x.py::test_y \nerror",
                "x.py::test_z",
            ),
            (
                "____ test_y ____\n---- Captured stderr call ----\nerror",
                "test_y",
            ),
            ("test_y (m.Case.test_y) ... error", "m.Case.test_y"),
            ("test_y (m.Case) ... error", "test_y (m.Case)"),
            ("test_y (m.Case.test_y) ... ok\nerror", ""),
            ("a.cpp(3): Entering test case \"b\"\nerror", "b"),
            (
                "a.cpp(3): Entering test case \"b\"\na.cpp(3): Leaving test case \"b\"\nerror",
                "",
            ),
            ("a test ... of something\nerror", ""),
            ("the test is ... nothing\nerror", ""),
        ] {
            assert_eq!(of_error(log), expected, "{log}");
        }
    }

    #[test]
    fn leak_belongs_to_test_with_own_process() {
        for (log, error, leak) in [
            ("[ RUN      ] A.b\nx", "A.b", ""),
            (
                "1/3 Test #1: a.b ...............***Failed    0.02 sec\nx",
                "a.b",
                "a.b",
            ),
            (
                "1/3 Test #1: a ........***Failed  0.02 sec\n[ RUN      ] A.b\nx",
                "a > A.b",
                "a",
            ),
            (
                "1/3 Test #1: A.b .....***Failed  0.02 sec\n[ RUN      ] A.b\nx",
                "A.b",
                "A.b",
            ),
            ("1/3 Test #1: a ........   Passed  0.02 sec\nx", "", ""),
            (
                "1/3 Test #1: a ...***Failed  0.02 sec\nx\n    Start 2: b\nx",
                "",
                "",
            ),
            ("1/3 Testing: a\n1/3 Test: a\nOutput:\nx", "a", "a"),
            ("1/3 Testing: a\nOutput:\n<end of output>\nx", "", ""),
            (
                "        FAIL [   0.005s] (2/3) demo tests::b\nx",
                "demo tests::b",
                "demo tests::b",
            ),
            (
                "        FAIL [   0.005s] demo tests::b\ntest tests::b ... x",
                "demo tests::b",
                "demo tests::b",
            ),
            (
                "     SIGABRT [   0.005s] demo tests::b\nx",
                "demo tests::b",
                "demo tests::b",
            ),
            (
                "  TRY 1 FAIL [   0.005s] demo tests::b\nx",
                "demo tests::b",
                "demo tests::b",
            ),
            (
                "       START             demo tests::b\nx",
                "demo tests::b",
                "demo tests::b",
            ),
            ("        PASS [   0.005s] demo tests::b\nx", "", ""),
            (
                "FAIL [   0.1s] demo b\nSummary [   3.0s] 4 tests run\nFAIL [   0.1s] demo b\nx",
                "",
                "",
            ),
            (
                "1/1 Test #1: a ...***Failed  0.02 sec\n0% tests passed, 1 tests failed out of 1\nx",
                "",
                "",
            ),
            (
                "--- STDERR:              demo tests::b ---\nx",
                "demo tests::b",
                "demo tests::b",
            ),
            (
                "=== 1/3 ===\ntest:         unit:a\nstart time:   1\nx",
                "unit:a",
                "unit:a",
            ),
        ] {
            assert_eq!(tests(log), (error.into(), leak.into()), "{log}");
        }
    }

    #[test]
    fn lines_of_ctest_have_the_number_of_their_test() {
        let mut timelines = Timelines::default();
        timelines.line(b"", b"      Start  7: first", 1);
        timelines.line(b"svc", b"    Start 7: second", 2);
        timelines.line(b"7", b"[ RUN      ] A.b", 3);
        assert_eq!(
            timelines.of_record(&report(Some("7")), 4, false, None),
            ["first > A.b".into()]
        );
        assert_eq!(
            timelines.of_record(&report(Some("7")), 4, true, None),
            ["first".into()]
        );
        assert_eq!(
            timelines.of_record(&report(Some("svc 7")), 4, true, None),
            ["second".into()]
        );
        assert_eq!(
            timelines.of_record(&report(Some("8")), 4, true, None),
            [] as [Text; 0]
        );
    }

    #[test]
    fn record_belongs_to_test_of_its_first_line() {
        let mut timelines = Timelines::default();
        for (line, text) in [
            (1, "[ RUN      ] A.b"),
            (5, "[ RUN      ] A.c"),
            (9, "[       OK ] A.c"),
        ] {
            timelines.line(b"", text.as_bytes(), line);
        }
        let at = |line| {
            timelines
                .of_record(&report(None), line, false, None)
                .join(", ")
        };
        assert_eq!(
            [at(0), at(1), at(4), at(5), at(9)],
            ["", "A.b", "A.b", "A.c", ""]
        );
    }

    #[test]
    fn checkpoint_shows_leaks_of_its_process() {
        for (log, error, leak) in [
            ("**7** leakgate: begin A.b\nx", "A.b", ""),
            ("**8** leakgate: begin A.b\nx", "", ""),
            ("job 3 | **7** leakgate: begin A.b\nx", "A.b", ""),
            ("7** leakgate: begin A.b\nx", "", ""),
            (
                "**7** leakgate: begin A.b\n**7** leakgate: leaks of A.b\nx",
                "A.b",
                "A.b",
            ),
            (
                "**7** leakgate: begin A.b\n**7** leakgate: leaks of loop\nx",
                "A.b",
                "A.b > loop",
            ),
            (
                "**7** leakgate: begin A\n**7** leakgate: leaks of B\n**7** leakgate: checked B\nx",
                "A",
                "",
            ),
            (
                "**7** leakgate: begin A\n**7** leakgate: end A\n[ RUN      ] C.d\nx",
                "",
                "",
            ),
        ] {
            assert_eq!(tests(log), (error.into(), leak.into()), "{log}");
        }
    }
}
