//! Options of valgrind in files and variables of the user that would hide reports.

use std::fs;

use libtest_mimic::Trial;

use crate::needs::{GCC, GXX, VALGRIND, trials};
use crate::test_project::{RunResult, TestProject};

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/checkers",
        options_that_hide_reports_are_overridden(VALGRIND, GCC, GXX),
        option_that_cannot_be_overridden_fails(VALGRIND, GCC)
    )
}

/// Has a mismatched free, a leak, and a read of a block that was freed before many others.
const MEMORY: &str = r#"
#include <cstdlib>
#include <cstring>

int main(int argc, char **argv) {
    if (!strcmp(argv[1], "mismatch")) free(new int);
    if (!strcmp(argv[1], "leak")) { volatile char *lost = (char *)malloc(100); lost = nullptr; }
    if (!strcmp(argv[1], "freed")) {
        volatile char *gone = (char *)malloc(100);
        free((void *)gone);
        for (int i = 0; i < 100; i++) { void *other = malloc(900 + i); free(other); }
        char *reused = (char *)malloc(100);
        char c = gone[3];
        free(reused);
    }
    return 0;
}
"#;

/// Locks two mutexes in both orders, or has a race.
const LOCKS: &str = r#"
#include <pthread.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;
static int shared;

static void *count(void *unused) { shared++; return unused; }

static void lock_both(pthread_mutex_t *first, pthread_mutex_t *second) {
    pthread_mutex_lock(first); pthread_mutex_lock(second);
    pthread_mutex_unlock(second); pthread_mutex_unlock(first);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        pthread_t thread;
        pthread_create(&thread, NULL, count, NULL);
        shared++;
        pthread_join(thread, NULL);
        return 0;
    }
    lock_both(&one, &two);
    lock_both(&two, &one);
    return 0;
}
"#;

/// Runs a program with options in one of the places that valgrind reads.
fn run_with_options(project: &TestProject, place: &str, options: &str, args: &[&str]) -> RunResult {
    let home = project.path().join("home");
    let files = [home.join(".valgrindrc"), project.path().join(".valgrindrc")];
    fs::create_dir_all(&home).unwrap();
    for file in &files {
        let _ = fs::remove_file(file);
    }
    match place {
        "~/.valgrindrc" => fs::write(&files[0], options).unwrap(),
        "./.valgrindrc" => fs::write(&files[1], options).unwrap(),
        _ => {}
    }
    let mut env = vec![("HOME", home.to_str().unwrap())];
    if place == "VALGRIND_OPTS" {
        env.push(("VALGRIND_OPTS", options));
    }
    project.run_with(args, &env)
}

fn options_that_hide_reports_are_overridden() {
    let project = TestProject::new();
    project.write("memory.c", MEMORY);
    project.build("g++ -x c++", "memory");
    project.write("locks.c", LOCKS);
    project.build("gcc", "locks");
    for (option, tool, argv, kind) in [
        (
            "--show-mismatched-frees=no",
            "memcheck",
            &["./memory", "mismatch"][..],
            "mismatched-free",
        ),
        (
            "--xtree-leak=yes",
            "memcheck",
            &["./memory", "leak"],
            "leak-definite",
        ),
        (
            "--freelist-vol=0",
            "memcheck",
            &["./memory", "freed"],
            "invalid-read",
        ),
        (
            "--track-lockorders=no",
            "helgrind",
            &["./locks"],
            "lock-order",
        ),
        (
            "--history-level=none",
            "helgrind",
            &["./locks", "race"],
            "race",
        ),
    ] {
        for place in ["~/.valgrindrc", "VALGRIND_OPTS", "./.valgrindrc"] {
            let args = [&["--tool", tool, "--"], argv].concat();
            for text in [
                option.to_owned(),
                option.replace("--", &format!("--{tool}:")),
            ] {
                let result = run_with_options(&project, place, &text, &args);
                result.assert_fails_for("unexpected-finding");
                assert!(
                    result.findings().contains(&(tool, kind)),
                    "{place} {text}: {:?}",
                    result.findings()
                );
                let note = format!("note: {place}: ");
                assert!(
                    result.err.contains(&note)
                        && result.err.contains(&format!("overrides {option}, which ")),
                    "{place} {text}: {}",
                    result.err
                );
            }
        }
    }
    // Options that hide nothing are kept, without a note.
    let args = ["--tool", "memcheck", "--", "./memory", "leak"];
    let options = "--freelist-vol=90000000 --track-origins=yes --num-callers=30";
    let result = run_with_options(&project, "./.valgrindrc", options, &args);
    result.assert_fails_for("unexpected-finding");
    assert!(!result.err.contains("overrides"), "{}", result.err);
}

fn option_that_cannot_be_overridden_fails() {
    let project = TestProject::with_app("gcc");
    let options = "--memcheck:ignore-ranges=0x1-0x2";
    // valgrind also reads the file in the directory of a child process.
    project.write("sub/.valgrindrc", options);
    project.script("all", "cd sub && ../app");
    for (place, argv) in [("./.valgrindrc", "./app"), ("none", "./all")] {
        let args = ["--tool", "memcheck", "--", argv];
        let result = run_with_options(&project, place, options, &args);
        result.assert_fails_for("no-evidence");
        assert!(
            result.out.contains("--ignore-ranges=0x1-0x2 hides errors"),
            "{place}: {}",
            result.out
        );
    }
    run_with_options(&project, "none", "", &["--tool", "memcheck", "--", "./app"]).assert_passes();
}
