//! Rules that are tied to the version of a dependency, end to end.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::common::{reason_codes, report, run};

/// Returns a directory with a log, and a rule that accepts all of its findings with `more` keys.
fn folder(more: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(
        report("lsan/many-places-clang19"),
        dir.path().join("lsan.log"),
    )
    .unwrap();
    let rule = format!(
        "[[allow]]\nid = \"tied\"\nstack = [\"...\", \"fun:many_places\"]\nreason = \"why\"\n{more}\n"
    );
    write(dir.path(), "leakgate.toml", &rule);
    dir
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Returns a lock file with these versions of pyo3.
fn locked(versions: &[&str]) -> String {
    let package = |version| format!("[[package]]\nname = \"pyo3\"\nversion = \"{version}\"\n");
    versions.iter().map(package).collect()
}

/// Returns the codes of the reasons to fail.
fn codes(dir: &TempDir) -> Vec<String> {
    let document = run(dir, &["check", "--format", "json", "lsan.log"]).json();
    reason_codes(&document)
        .into_iter()
        .map(String::from)
        .collect()
}

const PYO3: &str = "while = { package = \"pyo3\", version = \"0.27\" }";

#[test]
fn rule_expires_with_another_version_of_its_dependency() {
    let dir = folder(PYO3);
    for (versions, is_accepted) in [
        (&["0.27.0"][..], true),
        (&["0.27.9"], true),
        (&["0.26.0", "0.27.9"], true),
        (&["0.28.0"], false),
        (&["0.270.0"], false),
        (&[], false),
    ] {
        write(dir.path(), "Cargo.lock", &locked(versions));
        let want: &[&str] = if is_accepted { &[] } else { &["expired-rule"] };
        assert_eq!(codes(&dir), want, "{versions:?}");
    }
    fs::remove_file(dir.path().join("Cargo.lock")).unwrap();
    assert_eq!(codes(&dir), ["expired-rule"]);
}

#[test]
fn message_names_package_versions_and_lock_file() {
    let dir = folder(PYO3);
    write(dir.path(), "Cargo.lock", &locked(&["0.28.1"]));
    let text = run(&dir, &["check", "lsan.log"]).out;
    let message = "rule `tied` (leakgate.toml:1), which expired: it holds while pyo3 is 0.27, but \
        pyo3 is 0.28.1 in Cargo.lock [expired-rule]";
    assert!(text.contains(message), "{text}");
    let rules = run(&dir, &["rules", "lsan.log"]);
    assert!(
        rules.status == 1
            && rules.out.starts_with("expired tied (leakgate.toml:1)")
            && rules
                .out
                .contains("but pyo3 is 0.28.1 in Cargo.lock; matching findings fail"),
        "{}",
        rules.out
    );
    // Without logs, too.
    assert_eq!(run(&dir, &["rules"]).status, 1);
    let json = run(&dir, &["rules", "--format", "json"]).json();
    assert_eq!(json["rules"][0]["while"]["version"], "0.27");
}

#[test]
fn nearest_lock_file_of_each_kind_counts() {
    let dir = folder("");
    fs::create_dir(dir.path().join(".git")).unwrap();
    let rule = fs::read_to_string(dir.path().join("leakgate.toml")).unwrap() + PYO3 + "\n";
    fs::remove_file(dir.path().join("leakgate.toml")).unwrap();
    write(dir.path(), "crates/a/leakgate.toml", &rule);
    write(dir.path(), "Cargo.lock", &locked(&["0.27.0"]));
    let check = |folder: &str| {
        let config = format!("{folder}/leakgate.toml");
        run(&dir, &["check", "--config", &config, "lsan.log"])
    };
    assert_eq!(check("crates/a").status, 0);
    write(dir.path(), "crates/Cargo.lock", &locked(&["0.28.0"]));
    let ran = check("crates/a");
    assert!(
        ran.status == 1 && ran.out.contains("pyo3 is 0.28.0 in ../Cargo.lock"),
        "{}",
        ran.out
    );
    // Another kind of lock file may have it.
    write(dir.path(), "crates/a/uv.lock", &locked(&["0.27.0"]));
    assert_eq!(check("crates/a").status, 0);
    // A rule that names a file ignores the others, and files above the repository aren't read.
    let named = rule.replace("\"0.27\"", "\"0.27\", file = \"../Cargo.lock\"");
    write(dir.path(), "crates/a/leakgate.toml", &named);
    assert_eq!(check("crates/a").status, 1);
    write(dir.path(), "crates/a/leakgate.toml", &rule);
    fs::remove_file(dir.path().join("crates/a/uv.lock")).unwrap();
    fs::remove_file(dir.path().join("crates/Cargo.lock")).unwrap();
    fs::create_dir(dir.path().join("crates/.git")).unwrap();
    let ran = check("crates/a");
    assert!(ran.out.contains("but no lock file was read"), "{}", ran.out);
}

#[test]
fn invalid_conditions_and_lock_files_are_errors() {
    for (more, message) in [
        (
            "while = { package = \"pyo3\" }",
            "leakgate.toml:5:9: missing `version`",
        ),
        (
            "while = { package = \"pyo3\", version = \"^0.27\" }",
            "leakgate.toml:5:39: invalid version `^0.27`",
        ),
        (
            "while = { package = \"\", version = \"1\" }",
            "leakgate.toml:5:21: `package` is empty",
        ),
        (
            "while = { package = \"a\", version = \"1\", file = \"yarn.lock\" }",
            "`yarn.lock` isn't a lock file",
        ),
        (
            "while = { package = \"a\", version = \"1\", file = \"x/uv.lock\" }",
            "leakgate.toml:1: cannot read lock file x/uv.lock: file not found",
        ),
        (
            "while = { package = \"a\", versions = \"1\" }",
            "did you mean `version`?",
        ),
        ("while = \"pyo3 0.27\"", "leakgate.toml:5:9: "),
    ] {
        let dir = folder(more);
        let ran = run(&dir, &["check", "lsan.log"]);
        assert!(
            ran.status == 2 && ran.err.contains(message),
            "{more}: {}",
            ran.err
        );
    }
    let dir = folder(PYO3);
    write(dir.path(), "Cargo.lock", "<<<<<<< HEAD\n");
    let ran = run(&dir, &["check", "lsan.log"]);
    assert!(
        ran.status == 2
            && ran
                .err
                .contains("Cargo.lock:1:1: cannot read the lock file: "),
        "{}",
        ran.err
    );
    // Without such a rule, no lock file is read.
    let dir = folder("");
    write(dir.path(), "Cargo.lock", "<<<<<<< HEAD\n");
    assert_eq!(run(&dir, &["check", "lsan.log"]).status, 0);
}
