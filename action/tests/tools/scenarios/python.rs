//! A Python extension module, tested by pytest.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use super::page::Page;
use crate::common::repository;
use crate::needs::{GCC, Need, PYTHON, VALGRIND, trials};

pub(super) const PYTEST: Need = Need::Tool("pytest", || python().is_some());

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "scenarios",
        only_new_leaks_of_an_extension_fail(VALGRIND, GCC, PYTHON, PYTEST),
    )
}

/// Returns the directory of a Python with pytest: the one in target/tools, or else the one on PATH.
/// Wrapper scripts of version managers are resolved, because they would be checked, too.
pub(super) fn python() -> Option<PathBuf> {
    let resolved = |python: &Path| {
        let output = Command::new(python)
            .args(["-c", "import pytest, sys; print(sys.executable)"])
            .output()
            .ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let installed = repository("target/tools/bin/python3");
    let found = resolved(&installed).or_else(|| resolved(Path::new("python3")))?;
    Some(found.parent()?.to_owned())
}

fn only_new_leaks_of_an_extension_fail() {
    let dir = python().unwrap();
    let mut page = Page::open("python");
    page.prepend_path(dir);
    page.run_successfully("gcc");
    let first = page.run("--keep-logs");
    assert_eq!(
        (first.status, first.reason_codes()),
        (1, vec!["unexpected-finding"]),
        "{}",
        first.out
    );
    page.run_successfully("leakgate baseline write");
    page.run("--track-fds=yes").assert_passes();
    let new = page.run("LEAK=text");
    let reasons = &new.json["verdict"]["reasons"];
    assert_eq!(
        (new.status, &reasons[0]["code"], &reasons[0]["count"]),
        (1, &"unexpected-finding".into(), &1.into()),
        "{}",
        new.out
    );
    let nightly = page.run("--warn-only");
    assert_eq!(
        (nightly.status, nightly.json["verdict"]["outcome"].as_str()),
        (0, Some("fail")),
        "{}",
        nightly.err
    );
    assert!(
        nightly.findings().contains(&("memcheck", "fd-leak")),
        "{}",
        nightly.out
    );
    page.assert_finished();
}
