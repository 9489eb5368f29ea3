//! Custom formats end to end: compiles a program that prints its own memory trace and checks its
//! output.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::Command as Leakgate;
use assert_cmd::cargo::cargo_bin;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs the program and returns the path of its log.
fn run(folder: &Path, case: &str) -> PathBuf {
    let program = folder.join("trace");
    if !program.exists() {
        let source = home().join("snapshots/programs/c/trace.c");
        let built = Command::new("cc")
            .args(["-O0", "-w", "-o"])
            .arg(&program)
            .arg(source)
            .status()
            .unwrap();
        assert!(built.success());
    }
    let printed = Command::new(&program).arg(case).output().unwrap();
    let log = folder.join(format!("{case}.log"));
    std::fs::write(&log, printed.stdout).unwrap();
    log
}

fn check(folder: &Path, log: &Path) -> (Option<i32>, serde_json::Value) {
    let mut command = Leakgate::new(cargo_bin!("leakgate"));
    let config = home().join("docs/own-formats/leakgate.toml");
    let output = command
        .current_dir(folder)
        .arg("check")
        .arg(log)
        .arg("--config")
        .arg(config)
        .args(["--format", "json"])
        .output()
        .unwrap();
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

#[test]
fn custom_format_decides_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let (status, document) = check(folder.path(), &run(folder.path(), "clean"));
    assert_eq!(
        (status, document["findings"].as_array().unwrap().len()),
        (Some(0), 0)
    );

    let (status, document) = check(folder.path(), &run(folder.path(), "leak"));
    assert_eq!(status, Some(1));
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["tool"], &finding["kind"]),
        (&"custom:runtime-trace".into(), &"leak-definite".into())
    );
    assert_eq!(finding["stacks"][0]["frames"][0]["function"], "db_query");

    // The log has no end marker, so it proves nothing.
    let (status, document) = check(folder.path(), &run(folder.path(), "other"));
    assert_eq!(
        (status, &document["verdict"]["reasons"][0]["code"]),
        (Some(1), &"no-evidence".into())
    );

    let log = run(folder.path(), "pool");
    let (_, document) = check(folder.path(), &log);
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["leak"]["bytes"], &finding["leak"]["blocks"]),
        (&8192.into(), &2.into())
    );
    assert_eq!(finding["stacks"][0]["frames"][1]["file"], "app.c");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("[POOL] end\n", "")).unwrap();
    let (_, document) = check(folder.path(), &log);
    assert_eq!(document["problems"][0]["code"], "truncated");
}
