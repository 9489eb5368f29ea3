//! The quick starts: a red and a green gate for each kind of project, and CTest without leakgate.

use libtest_mimic::Trial;

use super::page::Page;
use super::python::{PYTEST, python};
use crate::needs::{CARGO, CMAKE, CTEST, GCC, GIT, GO, MAKE, PYTHON, VALGRIND, trials};

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "scenarios",
        cmake_project_is_red_and_then_green(CMAKE, CTEST, GCC, GIT, VALGRIND),
        make_project_is_red_and_then_green(MAKE, GCC, GIT, VALGRIND),
        rust_project_is_red_and_then_green(CARGO, GIT),
        python_extension_is_red_and_then_green(PYTHON, PYTEST, GCC, GIT, VALGRIND),
        go_project_with_c_is_red_and_then_green(GO, GCC, GIT),
        ctest_succeeds_with_a_leak(CMAKE, CTEST, GCC, VALGRIND),
    )
}

fn open(name: &str) -> Page {
    Page::open_with_project(&format!("docs/start/{name}.md"), &format!("start/{name}"))
}

/// Runs the commands of a quick start: leakgate fails, the bug is fixed, and leakgate passes.
/// `builds` is true if the project has a separate build command.
fn run_until_green(mut page: Page, builds: bool) {
    if builds {
        page.run_successfully("");
    }
    let red = page.run("leakgate run");
    assert_eq!(
        (red.status, red.reason_codes()[0]),
        (1, "unexpected-finding"),
        "{}{}",
        red.out,
        red.err
    );
    page.run_successfully("git apply fix.patch");
    if builds {
        page.run_successfully("");
    }
    page.run("leakgate run").assert_passes();
    page.assert_finished();
}

fn cmake_project_is_red_and_then_green() {
    let mut page = open("cmake");
    page.run_successfully("cmake -S");
    run_until_green(page, true);
}

fn make_project_is_red_and_then_green() {
    run_until_green(open("make"), true);
}

fn rust_project_is_red_and_then_green() {
    run_until_green(open("rust"), false);
}

fn python_extension_is_red_and_then_green() {
    let mut page = open("python");
    page.prepend_path(python().unwrap());
    run_until_green(page, true);
}

fn go_project_with_c_is_red_and_then_green() {
    run_until_green(open("go"), false);
}

fn ctest_succeeds_with_a_leak() {
    let mut page = Page::open_with_project("docs/migrate/ctest.md", "start/cmake");
    page.run_successfully("cmake -S");
    page.run_successfully("cmake --build");
    page.run_successfully("ctest -T memcheck");
    for command in ["leakgate check", "leakgate run"] {
        let ran = page.run(command);
        assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    }
    page.assert_finished();
}
