//! The lines by which test harnesses announce tests.
//!
//! Sources: googletest `googletest/src/gtest.cc` (`PrettyUnitTestResultPrinter`); Go
//! `src/testing/testing.go`; Rust `library/test/src/formatters/pretty.rs`; pytest
//! `src/_pytest/terminal.py`, `reports.py`; CPython `Lib/unittest/runner.py`; Boost.Test
//! `boost/test/impl/compiler_log_formatter.ipp`; CMake `Source/CTest/cmCTestRunTest.cxx`; nextest
//! `nextest-runner/src/reporter/displayer`; meson `mesonbuild/mtest.py`.

use crate::bytes::{after, before, contains, number, position, trim_start};

/// What a line states about tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// The output of a process follows that runs only this test.
    ProcessStarted(&'a [u8]),
    /// The same, unless all tests have ended, which are only listed again.
    ProcessFailed(&'a [u8]),
    /// The output of such a process has ended.
    ProcessEnded,
    /// The processes of all tests have ended.
    RunEnded,
    /// A test started, and no other runs.
    Started(&'a [u8]),
    /// A test may have started: its name was printed, perhaps when it ended.
    MaybeStarted(&'a [u8]),
    /// A test of Go, or a subtest, started.
    Entered(&'a [u8]),
    /// A test started or continued; others may run, too.
    Resumed(&'a [u8]),
    /// The following lines are those of a test that started before.
    Switched(&'a [u8]),
    /// A test and its subtests ended or were paused.
    Ended(&'a [u8]),
    /// All tests of the process ended.
    AllEnded,
    /// The process runs one test, or several.
    Single(bool),
    /// A checkpoint in the process with this pid (`canary/leakgate_checkpoint.h`).
    Checkpoint(u64, Mark<'a>),
    /// CTest started the test with this number.
    Numbered(u64, &'a [u8]),
}

/// What the line of a checkpoint states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    /// A test begins.
    Begin(&'a [u8]),
    /// Leaks of a test, or of a part of one, follow.
    LeaksOf(&'a [u8]),
    /// The leaks of a part of a test have been printed.
    Checked,
    /// A test and its leaks have ended.
    End,
}

/// Returns false for most lines that aren't events. Nearly all lines of a report are of this kind.
fn might_be_event(trimmed: &[u8]) -> bool {
    match trimmed {
        [] | [b'#' | b'@', ..] | [b'=', b'=', b'0'..=b'9', ..] => false,
        [b'<', rest @ ..] => rest.starts_with(b"end of output>"),
        [b'D', ..] => !trimmed.starts_with(b"Direct leak of "),
        [b'I', ..] => !trimmed.starts_with(b"Indirect leak of "),
        _ => true,
    }
}

/// Finds the event in a line without prefixes.
pub(super) fn event(text: &[u8]) -> Option<Event<'_>> {
    let trimmed = trim_start(text);
    if !might_be_event(trimmed) {
        return None;
    }
    let trimmed = trimmed.trim_ascii_end();
    let found = match trimmed.first()? {
        b'[' => gtest(trimmed).or_else(|| xdist(trimmed)),
        b'=' => go_started(trimmed).or_else(|| pytest_rule(trimmed)),
        b'-' => go_ended(trimmed).or_else(|| nextest_section(trimmed)),
        b'_' => pytest_section(trimmed),
        b'<' => (trimmed == b"<end of output>").then_some(Event::ProcessEnded),
        b'0'..=b'9' => ctest_result(trimmed),
        b'S' if trimmed.starts_with(b"Start ") => ctest_start(trimmed),
        b't' if trimmed.starts_with(b"test") => meson(trimmed)
            .or_else(|| libtest(trimmed))
            .or_else(|| unittest(trimmed)),
        b'r' => libtest_suite(trimmed),
        _ if trimmed.starts_with(b"exit status ") => Some(Event::AllEnded),
        _ if is_end_of_run(trimmed) => Some(Event::RunEnded),
        first if first.is_ascii_uppercase() => nextest_status(trimmed),
        _ => None,
    };
    found
        .or_else(|| checkpoint(trimmed))
        .or_else(|| boost(trimmed))
        .or_else(|| pytest(trimmed))
}

/// Parses `**4201** leakgate: begin NAME`, which a checkpoint prints. It has a pid, so an unknown
/// prefix doesn't matter.
fn checkpoint(text: &[u8]) -> Option<Event<'_>> {
    let at = position(text, b"** leakgate: ")?;
    let digits = text[..at].iter().rev().take_while(|b| b.is_ascii_digit());
    let start = at - digits.count();
    let (pid, _) = number(&text[start..at]).filter(|_| text[..start].ends_with(b"**"))?;
    let rest = &text[at + b"** leakgate: ".len()..];
    let mark = if let Some(name) = rest.strip_prefix(b"begin ") {
        Mark::Begin(name)
    } else if let Some(name) = rest.strip_prefix(b"leaks of ") {
        Mark::LeaksOf(name)
    } else if rest.starts_with(b"checked ") {
        Mark::Checked
    } else {
        rest.starts_with(b"end ").then_some(Mark::End)?
    };
    Some(Event::Checkpoint(pid, mark))
}

/// Returns true for the last lines of nextest and meson.
fn is_end_of_run(text: &[u8]) -> bool {
    text.starts_with(b"Summary [") || text.starts_with(b"Full log written to ")
}

/// Parses `[ RUN      ] Suite.Name`, and the lines at the end of a test and of a run.
fn gtest(text: &[u8]) -> Option<Event<'_>> {
    const RUNS: &[&[u8]] = &[
        b"[==========] Running ",
        b"[----------] Global test environment tear-down",
    ];
    if let Some(name) = text.strip_prefix(b"[ RUN      ] ") {
        return Some(Event::Started(gtest_name(name)));
    }
    let ended = [&b"[       OK ] "[..], b"[  FAILED  ] ", b"[  SKIPPED ] "];
    let is_end = |end: &&[u8]| text.starts_with(end) && text[end.len()..].contains(&b'.');
    let is_run = |run: &&[u8]| text.starts_with(run);
    (ended.iter().any(is_end) || RUNS.iter().any(is_run)).then_some(Event::AllEnded)
}

/// Strips what GoogleTest prints after the name of a test with parameters.
fn gtest_name(text: &[u8]) -> &[u8] {
    before(text, b", where ").unwrap_or(text)
}

/// Parses `=== RUN   TestName` and its relatives.
fn go_started(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"=== ")?;
    let name = |word: &[u8]| {
        let name = trim_start(rest.strip_prefix(word)?);
        (!name.is_empty()).then_some(name)
    };
    None.or_else(|| name(b"RUN ").map(Event::Entered))
        .or_else(|| name(b"CONT ").map(Event::Resumed))
        .or_else(|| name(b"NAME ").map(Event::Switched))
        .or_else(|| name(b"PAUSE ").map(Event::Ended))
}

/// Parses `--- PASS: TestName (0.00s)`.
fn go_ended(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"--- ")?;
    let results = [&b"PASS: "[..], b"FAIL: ", b"SKIP: "];
    let name = results
        .iter()
        .find_map(|result| rest.strip_prefix(*result))?;
    Some(Event::Ended(before(name, b" (")?))
}

/// Parses `test path::name ... `, after which the result follows, or the output of a test: of this
/// one if tests run one after the other, otherwise of any.
fn libtest(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"test ")?;
    if rest.starts_with(b"result: ") {
        return Some(Event::AllEnded);
    }
    let at =
        position(rest, b" ... ").or_else(|| rest.ends_with(b" ...").then(|| rest.len() - 4))?;
    let name = &rest[..at];
    let name = name.strip_suffix(b" - should panic").unwrap_or(name);
    let is_name = !name.is_empty() && (!name.contains(&b' ') || contains(name, b".rs - "));
    let rest = rest.get(at + 5..).unwrap_or_default();
    is_name.then(|| match started_or_ended(name, rest) {
        Event::Started(name) => Event::MaybeStarted(name),
        event => event,
    })
}

/// Parses `running 3 tests`, which a test binary of Rust prints first.
fn libtest_suite(text: &[u8]) -> Option<Event<'_>> {
    let (tests, rest) = number(text.strip_prefix(b"running ")?)?;
    matches!(rest, b" test" | b" tests").then_some(Event::Single(tests == 1))
}

/// Returns the event of a test whose name is followed by its result or its output.
fn started_or_ended<'a>(name: &'a [u8], rest: &[u8]) -> Event<'a> {
    const RESULTS: &[&[u8]] = &[
        b"ok",
        b"FAIL",
        b"ERROR",
        b"ignored",
        b"skipped",
        b"bench:",
        b"expected failure",
        b"PASSED",
        b"SKIPPED",
        b"XFAIL",
        b"XPASS",
    ];
    if RESULTS.iter().any(|result| rest.starts_with(result)) {
        // Tests run one after the other, so this one was the last that ran.
        return Event::AllEnded;
    }
    Event::Started(name)
}

/// Parses `test_name (module.Case.test_name) ... `. Older versions of Python leave out the name in
/// the parentheses.
fn unittest(text: &[u8]) -> Option<Event<'_>> {
    let name = before(text, b" (")?;
    let rest = &text[name.len() + 2..];
    let path = before(rest, b")")?;
    let rest = rest[path.len()..].strip_prefix(b") ...")?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let is_word = |text: &[u8]| {
        text.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.') || !b.is_ascii())
    };
    if !is_word(name) || !is_word(path) || !path.contains(&b'.') {
        return None;
    }
    let is_full = path
        .strip_suffix(name)
        .is_some_and(|rest| rest.ends_with(b"."));
    if is_full {
        return Some(started_or_ended(path, rest));
    }
    // Older versions print the class alone, which isn't a name of the test.
    Some(started_or_ended(&text[..name.len() + path.len() + 3], rest))
}

/// Parses `tests/x.py::TestC::test_y[a b] `, after which the result follows, or the output of the
/// test without capturing. A name alone in a line is a test that pytest-xdist started, which runs
/// several at a time.
fn pytest(text: &[u8]) -> Option<Event<'_>> {
    let (name, rest) = pytest_name(text)?;
    if rest.is_empty() {
        return Some(Event::Resumed(name));
    }
    Some(started_or_ended(name, rest))
}

/// Splits a text after the name of a test, `tests/x.py::TestC::test_y[a b]`.
fn pytest_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    const LONGEST_PATH: usize = 512;
    let at = position(&text[..text.len().min(LONGEST_PATH)], b".py::")?;
    if text[..at].iter().any(|b| matches!(b, b' ' | b'"' | b'\'')) {
        return None;
    }
    let name = &text[at..];
    let parameters = position(name, b"[");
    let blank = position(name, b" ").unwrap_or(name.len());
    let end = match parameters.filter(|start| *start < blank) {
        Some(start) => start + position(&name[start..], b"]")? + 1,
        None => blank,
    };
    Some((&text[..at + end], text[at + end..].trim_ascii_start()))
}

/// Parses `[gw0] [ 50%] PASSED tests/x.py::test_y`, a result of pytest-xdist.
fn xdist(text: &[u8]) -> Option<Event<'_>> {
    let (_, rest) = number(text.strip_prefix(b"[gw")?)?;
    let rest = rest.strip_prefix(b"] ")?;
    let rest = after(rest, b"%] ").unwrap_or(rest);
    let result = before(rest, b" ")?;
    let (name, _) = pytest_name(rest[result.len()..].trim_ascii_start())?;
    Some(Event::Ended(name))
}

/// Parses `=== 3 passed in 0.02s ===` and the headings between sections.
fn pytest_rule(text: &[u8]) -> Option<Event<'_>> {
    let inner = text.strip_prefix(b"===")?.strip_suffix(b"===")?;
    let title = inner.trim_start_bytes(b'=');
    let title = title.strip_prefix(b" ")?;
    let is_result = contains(title, b" passed in ") || contains(title, b" failed in ");
    let is_heading = [
        &b"FAILURES "[..],
        b"ERRORS ",
        b"PASSES ",
        b"short test summary ",
    ]
    .iter()
    .any(|heading| title.starts_with(heading));
    (is_result || is_heading).then_some(Event::AllEnded)
}

/// Parses `_____ TestC.test_y _____`, the heading of what pytest captured from a test.
fn pytest_section(text: &[u8]) -> Option<Event<'_>> {
    let inner = text.strip_prefix(b"___")?.strip_suffix(b"_")?;
    let inner = inner.trim_start_bytes(b'_').strip_prefix(b" ")?;
    let name = before(inner, b" _")?;
    let name = name.strip_prefix(b"ERROR at setup of ").unwrap_or(name);
    let name = name.strip_prefix(b"ERROR at teardown of ").unwrap_or(name);
    let is_name = name.starts_with(b"test") || name.starts_with(b"Test");
    is_name.then_some(Event::Started(name))
}

/// Parses `Entering test case "name"` and `Leaving test case "name"`.
fn boost(text: &[u8]) -> Option<Event<'_>> {
    if !text.contains(&b'"') {
        return None;
    }
    let name = |words: &[u8]| before(after(text, words)?, b"\"");
    None.or_else(|| name(b": Entering test case \"").map(Event::Started))
        .or_else(|| name(b": Leaving test case \"").map(Event::Ended))
}

/// Parses `Start 12: name`, which CTest prints before the output of the test.
fn ctest_start(text: &[u8]) -> Option<Event<'_>> {
    let (test, rest) = number(trim_start(text.strip_prefix(b"Start ")?))?;
    let name = rest.strip_prefix(b": ")?;
    (!name.is_empty()).then_some(Event::Numbered(test, name))
}

/// Parses `1/3 Test #1: name ....***Failed  0.02 sec`, after which `--output-on-failure` prints the
/// output of a test that failed, and `1/3 Testing: name` in the log that CTest writes.
fn ctest_result(text: &[u8]) -> Option<Event<'_>> {
    let (_, rest) = number(text)?;
    let Some(rest) = rest.strip_prefix(b"/") else {
        let is_total = rest.starts_with(b"% tests passed");
        return is_total.then_some(Event::RunEnded);
    };
    let (_, rest) = number(rest)?;
    let rest = trim_start(rest);
    if let Some(name) = rest.strip_prefix(b"Testing: ") {
        return Some(Event::ProcessStarted(name));
    }
    let (_, rest) = number(trim_start(rest.strip_prefix(b"Test ")?).strip_prefix(b"#")?)?;
    let rest = rest.strip_prefix(b": ")?;
    let name = before(rest, b" ")?;
    let result = rest[name.len()..].trim_start_bytes(b' ');
    let result = result.trim_start_bytes(b'.');
    Some(match result.starts_with(b"***") {
        true => Event::ProcessStarted(name),
        false => Event::ProcessEnded,
    })
}

/// Parses a status line of nextest: `FAIL [   0.005s] (2/3) binary test`. The output of the test
/// follows if it failed, or after `START` if nothing is captured.
fn nextest_status(text: &[u8]) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix(b"START  ") {
        return nextest_name(rest.trim_ascii_start()).map(Event::ProcessStarted);
    }
    let at = position(text, b" [")?;
    let status = &text[..at];
    let rest = trim_start(text[at + 2..].strip_prefix(b">").unwrap_or(&text[at + 2..]));
    let rest = match number(rest) {
        Some((_, rest)) => number(rest.strip_prefix(b".")?)?.1.strip_prefix(b"s] ")?,
        None => rest.strip_prefix(b"] ").filter(|_| status == b"START")?,
    };
    let name = nextest_name(rest.trim_ascii_start())?;
    let is_status = status
        .iter()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b' ' | b'/'));
    is_status.then_some(match status {
        b"PASS" | b"LEAK" | b"SLOW" | b"SKIP" => Event::ProcessEnded,
        b"START" => Event::ProcessStarted(name),
        _ => Event::ProcessFailed(name),
    })
}

/// Returns the name of a test, `binary test`, after its number `(2/3)`.
fn nextest_name(text: &[u8]) -> Option<&[u8]> {
    let name = match text.strip_prefix(b"(") {
        Some(count) => after(count, b") ")?.trim_ascii_start(),
        None => text,
    };
    name.contains(&b' ').then_some(name)
}

/// Parses `--- STDERR:              binary test ---`, a heading of older versions of nextest.
fn nextest_section(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"--- STD")?.strip_suffix(b" ---")?;
    let rest = rest
        .strip_prefix(b"ERR: ")
        .or(rest.strip_prefix(b"OUT: "))?;
    Some(Event::ProcessStarted(rest.trim_ascii_start()))
}

/// Parses `test:         name`, the heading of a test in meson's log.
fn meson(text: &[u8]) -> Option<Event<'_>> {
    let name = text.strip_prefix(b"test:   ")?.trim_ascii_start();
    (!name.is_empty()).then_some(Event::ProcessStarted(name))
}

/// Removes all leading copies of a byte.
trait TrimByte {
    fn trim_start_bytes(&self, byte: u8) -> &Self;
}

impl TrimByte for [u8] {
    fn trim_start_bytes(&self, byte: u8) -> &Self {
        let start = self.iter().position(|b| *b != byte);
        &self[start.unwrap_or(self.len())..]
    }
}
