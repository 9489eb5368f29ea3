//! Processes that change their user or root directory before gcc's UBSan has read its options.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;

use super::losses::ROOT;
use crate::needs::{CLANG, GCC, SETPRIV, trials};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/losses",
        gcc_ubsan_after_change_of_user_fails(ROOT, GCC, SETPRIV),
        clang_ubsan_after_change_of_user_has_report(ROOT, CLANG)
    )
}

/// Does what its arguments say, one after the other.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "nap")) usleep(400000);
        if (!strcmp(argv[i], "quiet")) dup2(open("/dev/null", O_WRONLY), 2);
        if (!strcmp(argv[i], "chroot") && (chroot(".") || chdir("/"))) return 8;
        if (!strcmp(argv[i], "setuid") && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
            return 9;
        if (!strcmp(argv[i], "overflow")) { int big = 2147483647; big += argc; printf("%d\n", big); }
    }
    return 0;
}
"#;

/// Creates a project that other users can read, with the program.
fn project(compiler: &str) -> TestProject {
    let project = TestProject::new();
    fs::set_permissions(project.path(), fs::Permissions::from_mode(0o755)).unwrap();
    project.write("app.c", PROGRAM);
    project.build(compiler, "app");
    project
}

fn gcc_ubsan_after_change_of_user_fails() {
    for compiler in [
        "gcc -fsanitize=undefined",
        "gcc -fsanitize=undefined -static-libubsan",
    ] {
        let project = project(compiler);
        let run = |command: &str| {
            let words: Vec<&str> = command.split(' ').collect();
            project.run(&[&["--tool", "ubsan", "--"], &words[..]].concat())
        };
        for command in [
            "./app quiet setuid overflow",
            "./app quiet setuid nap overflow",
            "./app quiet chroot nap overflow",
            "./app setuid",
        ] {
            let result = run(command);
            result.assert_fails_for("missing-report");
            let message = format!("`{command}` (pid ");
            assert!(
                result.out.contains(&message)
                    && result.out.contains("before gcc's UBSan read its options"),
                "{command}: {}",
                result.out
            );
        }
        // A child process is observed while it runs.
        project.script("all", "./app quiet setuid nap overflow; exit 0");
        run("./all").assert_fails_for("missing-report");
        // A program that starts as another user can read its options.
        let other_user = "setpriv --reuid=65534 --clear-groups ./app";
        run(&format!("{other_user} nap")).assert_passes();
        let result = run(&format!("{other_user} quiet nap overflow"));
        assert_eq!(
            result.findings(),
            [("ubsan", "signed-integer-overflow")],
            "{}",
            result.out
        );
        run("./app nap").assert_passes();
    }
}

fn clang_ubsan_after_change_of_user_has_report() {
    let project = project("clang-19 -fsanitize=undefined");
    let run =
        |mode: &str| project.run(&["--tool", "ubsan", "--", "./app", "quiet", "setuid", mode]);
    run("nap").assert_passes();
    assert_eq!(
        run("overflow").findings(),
        [("ubsan", "signed-integer-overflow")]
    );
}
