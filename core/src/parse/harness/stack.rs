//! The test whose function is in a stack. This also works for leaks, which are printed when all
//! tests have ended: the memory was allocated while that test ran.
//!
//! Sources: googletest `googletest/include/gtest/internal/gtest-internal.h` (`GTEST_TEST_`); Rust
//! `library/test/src/lib.rs` (`__rust_begin_short_backtrace`); Go `src/testing/testing.go`
//! (`tRunner`).

use alloc::format;
use alloc::string::String;

use crate::model::{Role, Stack, Text};

/// Returns the test whose function is in the first stack of a finding, or in the stack of a thread
/// that took part. `None` if there is none.
pub(in crate::parse) fn test_in_stacks(stacks: &[Stack]) -> Option<Text> {
    let takes_part = |stack: &&Stack| matches!(stack.role, Role::Thread | Role::Conflict);
    let first = stacks.iter().take(1);
    let others = stacks.iter().skip(1).filter(takes_part);
    first.chain(others).find_map(test_in_stack)
}

/// Returns the test whose function is in a stack.
fn test_in_stack(stack: &Stack) -> Option<Text> {
    for (at, frame) in stack.frames.iter().enumerate() {
        let Some(function) = frame.info.name() else {
            continue;
        };
        let test = if function.ends_with("::TestBody()") || function.ends_with("::TestBody") {
            google_test(function)
        } else if function.starts_with("test::__rust_begin_short_backtrace") {
            let inner = stack.frames[..at].iter().rev();
            let mut names = inner.filter_map(|frame| frame.info.name());
            names
                .find(|name| !is_rust_call(name))
                .and_then(rust_test)
                .map(String::from)
        } else if function.starts_with("testing.tRunner") {
            let inner = stack.frames.get(at.wrapping_sub(1));
            inner
                .and_then(|frame| go_test(frame.info.name()?))
                .map(String::from)
        } else {
            continue;
        };
        return test.map(Text::from);
    }
    None
}
/// Returns the test of a method of GoogleTest: `Suite.Name` for `ns::Suite_Name_Test::TestBody()`.
/// Where the suite ends isn't known if a name has an underscore, so the class is returned.
fn google_test(function: &str) -> Option<String> {
    let class = function.strip_suffix("()").unwrap_or(function);
    let class = class.strip_suffix("::TestBody")?;
    let class = class.split_once('<').map_or(class, |(name, _)| name);
    let class = class.rsplit("::").next()?;
    let name = class.strip_suffix("_Test")?;
    Some(match name.split_once('_') {
        Some((suite, test)) if !test.contains('_') => format!("{suite}.{test}"),
        _ => String::from(class),
    })
}

/// Returns true for the functions through which Rust's harness calls a test.
fn is_rust_call(function: &str) -> bool {
    const STARTS: &[&str] = &[
        "core::ops::function::",
        "<",
        "call_once",
        "{closure",
        "test::",
    ];
    STARTS.iter().any(|start| function.starts_with(start))
}

/// Returns the test of a Rust function: `tests::name` for `krate::tests::name::{{closure}}`.
fn rust_test(function: &str) -> Option<&str> {
    let end = function.find("::{").unwrap_or(function.len());
    let function = &function[..end];
    let (path, last) = function.rsplit_once("::")?;
    let hash = last.strip_prefix('h').filter(|hash| hash.len() == 16);
    let is_hash = hash.is_some_and(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let function = if is_hash { path } else { function };
    function.split_once("::").map(|(_, name)| name)
}

/// Returns the test of a Go function: `TestName` for `example.com/pkg.TestName.func1()`.
fn go_test(function: &str) -> Option<&str> {
    let name = function.rsplit('/').next()?;
    let (_, name) = name.split_once('.')?;
    let end = name.find(['.', '(']).unwrap_or(name.len());
    let is_test = ["Test", "Fuzz", "Benchmark"]
        .iter()
        .any(|word| name.starts_with(word));
    is_test.then_some(&name[..end])
}

#[cfg(test)]
mod tests {
    use crate::parse::Parser;

    /// Returns the tests of the leaks of a report with these functions in each stack.
    fn tests(stacks: &[&[&str]]) -> alloc::vec::Vec<alloc::string::String> {
        let mut log =
            alloc::string::String::from("==7==ERROR: LeakSanitizer: detected memory leaks\n");
        for stack in stacks {
            log += "\nDirect leak of 4 byte(s) in 1 object(s) allocated from:\n";
            for (at, function) in stack.iter().enumerate() {
                log += &alloc::format!("    #{at} 0x5{at} in {function} /src/a.cc:{}\n", at + 3);
            }
        }
        log += &alloc::format!(
            "\nSUMMARY: LeakSanitizer: {} byte(s) leaked in {} allocation(s).\n",
            4 * stacks.len(),
            stacks.len()
        );
        let mut parser = Parser::new(crate::Options::default());
        parser.feed(log.as_bytes());
        let findings = parser.finish().findings;
        findings
            .iter()
            .map(|finding| finding.tests.join(", "))
            .collect()
    }

    #[test]
    fn test_is_found_in_stack_of_allocation() {
        const RUN: &str = "test::__rust_begin_short_backtrace::<(), fn()>";
        const CALL: &str = "core::ops::function::FnOnce::call_once";
        for (stack, expected) in [
            (
                &[
                    "malloc",
                    "make()",
                    "A_b_Test::TestBody()",
                    "testing::Test::Run()",
                ][..],
                "A.b",
            ),
            (&["malloc", "n::A_b_Test::TestBody()"], "A.b"),
            (&["malloc", "A_b_Test<gtest_TypeParam_>::TestBody()"], "A.b"),
            (&["malloc", "A_b_c_Test::TestBody()"], "A_b_c_Test"),
            (
                &["malloc", "A::SetUpTestSuite()", "testing::TestSuite::Run()"],
                "",
            ),
            (
                &["malloc", "demo::make", "demo::tests::leaks", CALL, RUN],
                "tests::leaks",
            ),
            (
                &["malloc", "demo::tests::leaks::{{closure}}", CALL, RUN],
                "tests::leaks",
            ),
            (
                &["malloc", "it::leaks::h0123456789abcdef", RUN, "main"],
                "leaks",
            ),
            (&["malloc", "demo::make", "main"], ""),
            (
                &[
                    "malloc",
                    "ex.com/a.v1/pkg.TestX.func1()",
                    "testing.tRunner()",
                ],
                "TestX",
            ),
            (&["malloc", "testing.tRunner()"], ""),
            (&["malloc"], ""),
        ] {
            assert_eq!(tests(&[stack]), [expected], "{stack:?}");
        }
    }
}
