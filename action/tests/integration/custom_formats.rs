//! Custom formats end to end: compiles a program that prints its own memory trace and checks its
//! output.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{self, repository};

/// Runs the program and returns the path of its log.
fn run_program(folder: &Path, case: &str) -> PathBuf {
    let program = folder.join("trace");
    if !program.exists() {
        let source = repository("snapshots/programs/c/trace.c");
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

fn check(folder: &Path, log: &Path) -> (i32, Value) {
    let config = repository("docs/own-formats/leakgate.toml");
    let paths = [log, &config].map(|path| path.to_str().unwrap());
    let args = ["check", paths[0], "--config", paths[1], "--format", "json"];
    let result = common::run(folder, &args);
    (result.status, result.json())
}

#[test]
fn custom_format_decides_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let (status, document) = check(folder.path(), &run_program(folder.path(), "clean"));
    assert_eq!(
        (status, document["findings"].as_array().unwrap().len()),
        (0, 0)
    );

    let (status, document) = check(folder.path(), &run_program(folder.path(), "leak"));
    assert_eq!(status, 1);
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["tool"], &finding["kind"]),
        (&"custom:runtime-trace".into(), &"leak-definite".into())
    );
    assert_eq!(finding["stacks"][0]["frames"][0]["function"], "db_query");

    // The log has no end marker, so it proves nothing.
    let (status, document) = check(folder.path(), &run_program(folder.path(), "other"));
    assert_eq!(
        (status, &document["verdict"]["reasons"][0]["code"]),
        (1, &"no-evidence".into())
    );

    let log = run_program(folder.path(), "pool");
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
