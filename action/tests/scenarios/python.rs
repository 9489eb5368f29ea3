//! An extension of Python, with pytest.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::page::Page;
use super::shop::has;

/// The folder of a Python that has pytest: the tools of the repository, else the one on PATH. Not
/// the scripts that a version manager puts before it, for they would be checked, too.
fn python() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/python3");
    let resolved = |python: &Path| {
        let output = Command::new(python)
            .args(["-c", "import pytest, sys; print(sys.executable)"])
            .output()
            .ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let found = resolved(&tools).or_else(|| resolved(Path::new("python3")));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs pytest");
        eprintln!("passed over: there is no pytest");
    }
    Some(found?.parent()?.to_owned())
}

#[test]
#[ignore = "needs real checkers"]
fn an_extension_has_an_old_leak_and_no_new_one() {
    if !has(&["valgrind", "gcc", "python3"]) {
        return;
    }
    let Some(folder) = python() else { return };
    let mut page = Page::open("python");
    page.look_in(folder);
    page.make("gcc");
    let first = page.run("--keep-logs");
    assert_eq!(
        (first.status, first.codes()),
        (1, vec!["unexpected-finding"]),
        "{}",
        first.out
    );
    page.make("leakgate baseline write");
    page.run("--track-fds=yes").passes();
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
    page.ends();
}
