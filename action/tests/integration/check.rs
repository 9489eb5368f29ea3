//! `leakgate check` end to end: files, globs, archives, standard input, reports and exit statuses.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use zip::write::SimpleFileOptions;

use crate::common::{RunResult, leakgate, reason_codes, report, run, run_with_input};

fn check(dir: &Path, args: &[&str]) -> RunResult {
    run(dir, &[&["check"], args].concat())
}

#[test]
fn leak_fails_and_clean_run_passes() {
    let dir = tempfile::tempdir().unwrap();
    for (case, status) in [
        ("memcheck/definite", 1),
        ("asan/heap-use-after-free-clang19", 1),
        ("lsan/many-places-clang19", 1),
        ("memcheck/clean", 0),
        ("memcheck/still-reachable", 0),
    ] {
        let ran = check(dir.path(), &[report(case).to_str().unwrap()]);
        assert_eq!(ran.status, status, "{case}: {}", ran.out);
        assert!(
            ran.out
                .starts_with(if status == 0 { "pass:" } else { "fail:" }),
            "{}",
            ran.out
        );
        assert_eq!(ran.err, "");
    }
}

#[test]
fn leaks_counted_but_not_shown_by_valgrind_fail() {
    let dir = tempfile::tempdir().unwrap();
    let log = "==12== Memcheck, a memory error detector
==12== Command: ./leaky
==12== 
==12== HEAP SUMMARY:
==12==     in use at exit: 40 bytes in 1 blocks
==12==   total heap usage: 1 allocs, 0 frees, 40 bytes allocated
==12== 
==12== LEAK SUMMARY:
==12==    definitely lost: 40 bytes in 1 blocks
==12==    indirectly lost: 0 bytes in 0 blocks
==12==      possibly lost: 0 bytes in 0 blocks
==12==    still reachable: 0 bytes in 0 blocks
==12==         suppressed: 0 bytes in 0 blocks
==12== Rerun with --leak-check=full to see details of leaked memory
==12== 
==12== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
";
    let ran = run_with_input(
        dir.path(),
        &["check", "--format", "json", "-"],
        log.as_bytes(),
    );
    assert_eq!(
        (ran.status, reason_codes(&ran.json())),
        (1, vec!["leaks-not-shown"])
    );
}

#[test]
fn log_without_checker_output_fails_unless_silence_is_pass() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("empty.log"), "").unwrap();
    fs::write(
        dir.path().join("other.log"),
        "all 12 tests passed\na ==1== b\n",
    )
    .unwrap();
    for name in ["empty.log", "other.log", "."] {
        let ran = check(dir.path(), &["--format", "json", name]);
        assert_eq!(
            (ran.status, reason_codes(&ran.json())),
            (1, vec!["no-evidence"]),
            "{name}"
        );
        assert_eq!(
            check(dir.path(), &["--silence", "pass", name]).status,
            0,
            "{name}"
        );
    }
    // Checker output in one file is no evidence for another file.
    let clean = report("memcheck/clean");
    let ran = check(
        dir.path(),
        &["--format", "json", clean.to_str().unwrap(), "empty.log"],
    );
    assert_eq!(
        (ran.status, reason_codes(&ran.json())),
        (1, vec!["no-evidence"])
    );
}

#[test]
fn pattern_without_a_file_is_an_error_unless_it_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let mut archive = zip::ZipWriter::new(fs::File::create(dir.path().join("a.zip")).unwrap());
    archive
        .add_directory("logs/", SimpleFileOptions::default())
        .unwrap();
    archive.finish().unwrap();
    for name in ["*.none", "empty", "no/such/*.log", "a.zip"] {
        for silence in ["pass", "fail"] {
            let ran = check(dir.path(), &["--silence", silence, name]);
            assert_eq!(ran.status, 2, "{name}");
            assert!(ran.err.contains(" matches no file"), "{}", ran.err);
        }
        let allowed = ["--allow-no-logs", name];
        let ran = check(dir.path(), &[&["--format", "json"], &allowed[..]].concat());
        assert_eq!(
            (ran.status, reason_codes(&ran.json())),
            (1, vec!["no-evidence"])
        );
        let ran = check(dir.path(), &[&["--silence", "pass"], &allowed[..]].concat());
        assert_eq!(ran.status, 0, "{name}");
    }
}

#[test]
fn output_of_unsupported_checkers_is_not_silence() {
    let dir = tempfile::tempdir().unwrap();
    let clean = report("memcheck/clean");
    let json = check(dir.path(), &["--format", "json", clean.to_str().unwrap()]).out;
    for text in [
        json.as_str(),
        "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 1 error\n",
        "3 unfreed memory blocks : 96\n",
    ] {
        fs::write(dir.path().join("a.log"), text).unwrap();
        let args = ["--silence", "pass", "--format", "json", "a.log"];
        let ran = check(dir.path(), &args);
        assert_eq!(
            (ran.status, reason_codes(&ran.json())),
            (1, vec!["unreadable-report"]),
            "{text}"
        );
    }
}

#[test]
#[cfg(unix)]
fn configuration_that_is_no_file_is_an_error() {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    let clean = report("memcheck/clean");
    let clean = clean.to_str().unwrap();
    let make: [fn(&Path); 3] = [
        |path| symlink("missing", path).unwrap(),
        |path| fs::create_dir(path).unwrap(),
        |path| {
            let made = Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        },
    ];
    for make in make {
        let dir = tempfile::tempdir().unwrap();
        make(&dir.path().join("leakgate.toml"));
        let ran = check(dir.path(), &[clean]);
        assert_eq!(ran.status, 2, "{}", ran.out);
        let dir = tempfile::tempdir().unwrap();
        make(&dir.path().join("b.json"));
        let ran = check(dir.path(), &["--baseline", "b.json", clean]);
        assert_eq!(ran.status, 2, "{}", ran.out);
    }
}

#[test]
fn missing_file_is_an_error_and_other_files_are_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let leak = report("memcheck/definite");
    let ran = check(
        dir.path(),
        &["--format", "json", "missing.log", leak.to_str().unwrap()],
    );
    assert_eq!(ran.status, 2);
    assert_eq!(ran.err, "error: cannot read missing.log: file not found\n");
    assert_eq!(ran.json()["verdict"]["outcome"], "error");
    assert_eq!(ran.json()["findings"].as_array().unwrap().len(), 1);
    assert_eq!(check(dir.path(), &[]).status, 2);
    assert_eq!(check(dir.path(), &["--format", "yaml", "x"]).status, 2);
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Returns an archive as GitHub creates it: the log of a step is in the file of the job and in the
/// file of the step.
fn archive(text: &[u8]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["0_build.txt", "build/3_Run tests.txt"] {
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(text).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn archives_are_unpacked_and_duplicate_reports_count_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = fs::read(report("ci/github-raw-memcheck")).unwrap();
    fs::write(dir.path().join("log.txt"), &log).unwrap();
    fs::write(dir.path().join("log.gz"), gz(&log)).unwrap();
    fs::write(dir.path().join("logs.zip"), archive(&log)).unwrap();
    let occurrences = |name: &str| -> (usize, u64) {
        let document = check(dir.path(), &["--format", "json", name]).json();
        let findings = document["findings"].as_array().unwrap();
        (
            findings.len(),
            findings
                .iter()
                .map(|f| f["occurrences"].as_u64().unwrap())
                .sum(),
        )
    };
    assert!(occurrences("log.txt").0 > 1);
    assert_eq!(occurrences("log.txt"), occurrences("log.gz"));
    assert_eq!(occurrences("log.txt"), occurrences("logs.zip"));
    let document = check(dir.path(), &["--format", "json", "logs.zip"]).json();
    assert_eq!(document["problems"][0]["code"], "duplicate-report");
    assert_eq!(
        document["inputs"][1]["path"],
        "logs.zip/build/3_Run tests.txt"
    );

    fs::write(dir.path().join("cut.gz"), &gz(&log)[..200]).unwrap();
    assert_eq!(check(dir.path(), &["cut.gz"]).status, 2);
    let piped = run_with_input(dir.path(), &["check", "--format", "json", "-"], &gz(&log));
    assert_eq!(
        piped.json()["findings"].as_array().unwrap().len(),
        occurrences("log.txt").0
    );
}

#[test]
fn all_reports_are_written_to_their_targets() {
    let dir = tempfile::tempdir().unwrap();
    let leak = report("memcheck/definite");
    let ran = check(
        dir.path(),
        &[
            "--format",
            "text",
            "--format",
            "json=a.json",
            "--format",
            "text=b.txt",
            leak.to_str().unwrap(),
        ],
    );
    assert_eq!(ran.status, 1);
    let document: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("a.json")).unwrap()).unwrap();
    assert_eq!(document["schema"], "leakgate/v1");
    assert_eq!(
        fs::read_to_string(dir.path().join("b.txt")).unwrap(),
        ran.out
    );
    let ran = check(
        dir.path(),
        &[
            "--format",
            "json=no/such/dir/a.json",
            leak.to_str().unwrap(),
        ],
    );
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("cannot write"), "{}", ran.err);
}

#[test]
fn colors_are_off_without_a_terminal_unless_requested() {
    let dir = tempfile::tempdir().unwrap();
    let leak = report("memcheck/definite");
    let leak = leak.to_str().unwrap();
    assert!(!check(dir.path(), &[leak]).out.contains('\x1b'));
    assert!(
        check(dir.path(), &["--color", "always", leak])
            .out
            .contains('\x1b')
    );
}

/// Creates a repository in which `src/leak.c` is tracked.
fn repository(dir: &Path) {
    fs::create_dir(dir.join("src")).unwrap();
    fs::write(
        dir.join("src/leak.c"),
        "int main(void) {\n\tchar *lost = malloc(40);\n}\n",
    )
    .unwrap();
    fs::write(dir.join("secret.c"), "token\n").unwrap();
    for args in [&["init", "-q"][..], &["add", "src/leak.c"]] {
        assert!(
            std::process::Command::new("git")
                .current_dir(dir)
                .args(args)
                .status()
                .unwrap()
                .success()
        );
    }
}

/// The job of a workflow may run in a container. Then the checkout belongs to another user, whose
/// repositories git refuses, or the image has no git.
#[cfg(unix)]
#[test]
fn files_are_found_in_containers() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path());
    let root = dir.path().canonicalize().unwrap();
    let log = format!(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
         Direct leak of 40 byte(s) in 1 object(s) allocated from:\n    \
         #0 0x51 in main {}/src/leak.c:2:15\n\n\
         SUMMARY: LeakSanitizer: 40 byte(s) leaked in 1 allocation(s).\n",
        root.display()
    );
    fs::write(root.join("run.log"), log).unwrap();
    let check = |variable: &str, value: &std::ffi::OsStr| -> RunResult {
        let mut command = leakgate(&root);
        command.args(["check", "run.log"]).env(variable, value);
        command.output().unwrap().into()
    };
    let place = "--> src/leak.c:2:15 in main";
    let source = "2 |     char *lost = malloc(40);";

    let other_owner = check("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1".as_ref());
    let RunResult { out, err, .. } = &other_owner;
    assert!(out.contains(place) && out.contains(source), "{out}{err}");

    let without_git = check("PATH", "/nowhere".as_ref());
    let RunResult { out, err, .. } = &without_git;
    assert!(out.contains(place) && !out.contains(source), "{out}");
    assert!(err.contains("with git: git is not installed"), "{err}");

    // Without git, actions/checkout downloads the files only.
    fs::remove_dir_all(root.join(".git")).unwrap();
    let without_repository = check("GITHUB_WORKSPACE", root.as_os_str());
    let out = &without_repository.out;
    assert!(out.contains(place) && !out.contains(source), "{out}");
}

#[test]
fn source_line_is_shown_from_tracked_files_only() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path());
    let log = |file: &str| {
        format!(
            "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
             Direct leak of 40 byte(s) in 1 object(s) allocated from:\n    \
             #0 0x51 in main {file}:2:15\n\n\
             SUMMARY: LeakSanitizer: 40 byte(s) leaked in 1 allocation(s).\n"
        )
    };
    let tracked = run_with_input(
        dir.path(),
        &["check", "-"],
        log("/builds/ci/src/leak.c").as_bytes(),
    );
    assert!(
        tracked.out.contains("--> src/leak.c:2:15 in main"),
        "{}",
        tracked.out
    );
    assert!(
        tracked
            .out
            .contains("  2 |     char *lost = malloc(40);\n    |                  ^\n"),
        "{}",
        tracked.out
    );
    let secret = run_with_input(dir.path(), &["check", "-"], log("secret.c").as_bytes());
    assert!(!secret.out.contains("token"), "{}", secret.out);
}

#[test]
fn control_characters_in_a_log_do_not_reach_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let log = b"==7== Invalid read of size 4\n\
        ==7==    at 0x1: f\x1b[2J\x07 (a\x1b]0;x\x07.c:1)\n\
        ==7== \n";
    let ran = run_with_input(dir.path(), &["check", "-"], log);
    assert!(
        !ran.out.contains(|c: char| c.is_control() && c != '\n'),
        "{:?}",
        ran.out
    );
}
