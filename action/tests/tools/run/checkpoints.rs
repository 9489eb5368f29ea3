//! Leaks and errors in tests of C++ harnesses with checkpoints: each belongs to its test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::needs::{
    CATCH2, CLANG, DOCTEST, GCC, GOOGLETEST, GXX, LLVM_SYMBOLIZER, VALGRIND, trials,
};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/checkpoints",
        googletest_under_memcheck(VALGRIND, GXX, GOOGLETEST),
        googletest_under_leak_sanitizer(CLANG, LLVM_SYMBOLIZER, GOOGLETEST),
        catch2_under_memcheck(VALGRIND, GXX, CATCH2),
        doctest_under_memcheck(VALGRIND, GXX, DOCTEST),
        header_is_plain_c(GCC),
    )
}

/// Number of tests in a program.
const TESTS: usize = 12;

/// A harness: what a source file begins with, how it declares a test, and how it names it.
struct Harness {
    start: &'static str,
    declare: fn(usize) -> String,
    name: fn(usize) -> String,
    /// Arguments for the linker, each after a blank.
    libraries: &'static str,
}

const GTEST: Harness = Harness {
    start: "#include <gtest/gtest.h>\n#include \"leakgate_gtest.h\"\n",
    declare: |n| format!("TEST(Suite, Test{n})"),
    name: |n| format!("Suite.Test{n}"),
    libraries: " -lgtest -lgtest_main -pthread",
};

const CATCH: Harness = Harness {
    start: "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n#include \"leakgate_catch2.h\"\n",
    declare: |n| format!("TEST_CASE(\"test number {n}\")"),
    name: |n| format!("test number {n}"),
    libraries: "",
};

const DOCTEST_HARNESS: Harness = Harness {
    start: "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n\
            #include \"leakgate_doctest.h\"\n",
    declare: |n| format!("TEST_CASE(\"test number {n}\")"),
    name: |n| format!("test number {n}"),
    libraries: "",
};

/// Returns a program whose even tests lose memory that the test before allocated, and each third
/// test reads freed memory.
fn source(harness: &Harness) -> String {
    let mut source = format!(
        "{}#include <cstdlib>\nstatic char *volatile block[{}];\n\
         static void take(int n) {{ block[n] = (char *)std::malloc(100 + n); }}\n",
        harness.start,
        TESTS + 1
    );
    for n in 0..TESTS {
        let body = match n % 2 {
            0 => format!("block[{n}] = nullptr;"),
            _ => format!("take({});", n + 1),
        };
        let error = match n % 3 {
            0 => {
                "char *p = (char *)std::malloc(8); std::free(p); if (p[2] ? true : false) block[1] = nullptr;"
            }
            _ => "",
        };
        let declaration = (harness.declare)(n);
        writeln!(source, "{declaration} {{ {body} {error} }}").unwrap();
    }
    source
}

/// Returns the folder with the headers.
fn headers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../canary")
}

/// Compiles the sources of a project.
fn compile(project: &TestProject, command: &str) {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .arg("-I")
        .arg(headers())
        .current_dir(project.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
}

/// Builds the program, runs it under a checker, and compares the tests of all findings.
fn check(harness: &Harness, compiler: &str, tool: &str, with_errors: bool) {
    let project = TestProject::new();
    let mut text = source(harness);
    if !with_errors {
        text = text.replace("p[2] ?", "0 ?");
    }
    project.write("tests.cc", &text);
    let libraries = harness.libraries;
    let build = format!("{compiler} -std=c++17 -g -O0 -w -o tests tests.cc{libraries}");
    compile(&project, &build);
    let run = project.run(&["--no-config", "--tool", tool, "--", "./tests"]);
    run.assert_fails_for("unexpected-finding");
    let mut leaks = Vec::new();
    let mut errors = Vec::new();
    let findings = run.json["findings"].as_array().unwrap().iter();
    for finding in findings.filter(|finding| finding["disposition"] == "unexpected") {
        let tests = finding["tests"].as_array().map(Vec::as_slice);
        let names = tests.unwrap_or_default().iter();
        let tests: Vec<&str> = names.map(|test| test.as_str().unwrap()).collect();
        assert!(finding["more_tests"].is_null(), "{finding}");
        match finding["leak"]["bytes"].as_u64() {
            Some(bytes) if (100..200).contains(&bytes) => leaks.push((bytes, tests.join(", "))),
            Some(_) => assert!(tests.is_empty(), "{finding}"),
            None => errors.push(tests.join(", ")),
        }
    }
    leaks.sort_unstable();
    let name = harness.name;
    let lost = (2..TESTS).step_by(2);
    let expected: Vec<(u64, String)> = lost.map(|n| (100 + n as u64, name(n))).collect();
    assert_eq!(leaks, expected, "{}", run.out);
    if with_errors {
        let expected: Vec<String> = (0..TESTS).step_by(3).map(name).collect();
        errors.sort_unstable_by_key(|test| expected.iter().position(|name| name == test));
        assert_eq!(errors, expected, "{}", run.out);
    }
}

fn googletest_under_memcheck() {
    check(&GTEST, "g++", "memcheck", true);
}

fn googletest_under_leak_sanitizer() {
    check(&GTEST, "clang++-19 -fsanitize=leak", "lsan", false);
}

fn catch2_under_memcheck() {
    check(&CATCH, "g++", "memcheck", true);
}

fn doctest_under_memcheck() {
    check(&DOCTEST_HARNESS, "g++", "memcheck", true);
}

fn header_is_plain_c() {
    let project = TestProject::new();
    let source = "#include \"leakgate_checkpoint.h\"\n\
                  int main(void) { LEAKGATE_CHECKPOINT(\"a\"); return leakgate_checker(); }\n";
    project.write("a.c", source);
    for standard in ["c99", "c11", "gnu17"] {
        compile(
            &project,
            &format!("gcc -std={standard} -Wall -Wextra -Werror -o a a.c"),
        );
        let status = Command::new(project.path().join("a")).status().unwrap();
        assert!(status.success(), "{standard}");
    }
}
