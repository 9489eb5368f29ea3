//! Lost reports, processes, output and checkers: each makes the gate fail.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::common;
use crate::needs::{CLANG, EFENCE, GCC, Need, SETPRIV, STRACE, VALGRIND, trials};
use crate::test_project::{PROGRAM, RunResult, TestProject};

pub(super) const ROOT: Need = Need::Machine("root", || {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
});
const USER_NAMESPACES: Need = Need::Machine("pid namespaces (unshare -rpf)", || {
    let mut unshare = Command::new("unshare");
    let status = unshare.args(["-rpf", "true"]).status();
    status.is_ok_and(|status| status.success())
});

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/losses",
        deleted_valgrind_report_is_missing(VALGRIND, GCC),
        deleted_sanitizer_report_is_missing(CLANG),
        cut_report_fails(VALGRIND, GCC),
        error_before_exec_is_kept(VALGRIND, GCC),
        correct_programs_started_by_shell_are_checked(GCC, CLANG),
        reused_pid_does_not_hide_killed_process(VALGRIND, GCC, USER_NAMESPACES),
        program_with_the_pid_of_a_killed_one_does_not_hide_it(VALGRIND, GCC, USER_NAMESPACES),
        checked_processes_that_go_on_unchecked_pass(VALGRIND, GCC, USER_NAMESPACES),
        kept_logs_pass_check(VALGRIND, GCC),
        never_written_report_is_missing(VALGRIND, GCC),
        suppressing_all_findings_fails(VALGRIND, GCC),
        run_is_stopped_when_canary_fails(VALGRIND, GCC),
        failing_command_fails(VALGRIND, GCC),
        killed_process_fails(CLANG),
        leak_check_without_message_fails(GCC, CLANG),
        statically_linked_program_fails(VALGRIND, GCC, EFENCE),
        killed_child_fails(VALGRIND, GCC),
        program_that_is_killed_before_its_libraries_start_fails(VALGRIND, GCC),
        program_that_is_killed_after_a_failed_exec_fails(VALGRIND, GCC),
        orphans_are_reaped(VALGRIND, GCC),
        timeout_fails(VALGRIND, GCC),
        interrupted_run_keeps_findings_and_fails(VALGRIND, GCC),
        deleting_run_folder_fails(VALGRIND, GCC),
        hidden_allocator_fails(GCC, VALGRIND, EFENCE),
        crash_printed_by_shell_fails(GCC, EFENCE),
        orphan_that_crashes_fails(GCC, CLANG),
        checker_startup_error_gets_hint(VALGRIND, GCC),
        ptrace_and_ulimit_errors_get_hints(CLANG, STRACE),
        disabled_leak_check_fails(CLANG),
        full_disk_fails(VALGRIND, GCC),
        keep_logs_requires_empty_folder(VALGRIND, GCC),
        process_that_changes_user_leaves_report(ROOT, VALGRIND, CLANG, SETPRIV),
        output_is_passed_on(VALGRIND, GCC),
    )
}

/// Shell command that lists the logs of the current run.
const FIND_LOGS: &str = "find \"$TMPDIR\"/leakgate-*/logs -name '*.xml' -o -name 'san.*'";

/// A program that creates the file `ready` and waits.
const WAITING: &str = "#include <fcntl.h>\n#include <unistd.h>\n\
                       int main(void) { close(creat(\"ready\", 0600)); sleep(60); }\n";

/// Runs leakgate with a temporary folder inside the project.
fn run_in_project_tmp(project: &TestProject, args: &[&str]) -> RunResult {
    let temporary = project.path().join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    project.run_with(args, &[("TMPDIR", temporary.to_str().unwrap())])
}

fn deleted_valgrind_report_is_missing() {
    let project = TestProject::with_app("gcc");
    project.script("hide", &format!("./app leak; rm -f $({FIND_LOGS})"));
    run_in_project_tmp(&project, &["--tool", "memcheck", "--", "./hide"])
        .assert_fails_for("missing-report");
}

fn deleted_sanitizer_report_is_missing() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    project.script("hide", &format!("./app leak; rm -f $({FIND_LOGS})"));
    run_in_project_tmp(&project, &["--tool", "asan", "--", "./hide"])
        .assert_fails_for("missing-report");
}

fn cut_report_fails() {
    let project = TestProject::with_app("gcc");
    project.script(
        "cut",
        &format!("./app; for f in $({FIND_LOGS}); do truncate -s 400 $f; done"),
    );
    run_in_project_tmp(&project, &["--tool", "memcheck", "--", "./cut"])
        .assert_fails_for("truncated-report");
}

fn error_before_exec_is_kept() {
    let project = TestProject::with_app("gcc");
    let result = project.run(&["--tool", "memcheck", "--", "./app", "read-then-exec"]);
    assert_eq!(
        result.findings(),
        [("memcheck", "invalid-read"), ("memcheck", "leak-definite")],
        "{}",
        result.out
    );
    assert_eq!(
        result.reason_codes(),
        ["unexpected-finding"],
        "{}",
        result.out
    );
    // A correct program may call exec, too.
    project.script("sound", "exec ./app");
    project
        .run(&["--tool", "memcheck", "--", "./sound"])
        .assert_passes();
    // A sanitizer also truncates its log when the process calls exec after an error.
    project.build("gcc -fsanitize=undefined", "app");
    let result = project.run(&["--tool", "ubsan", "--", "./app", "overflow-then-exec"]);
    assert_eq!(
        result.findings(),
        [
            ("ubsan", "signed-integer-overflow"),
            ("ubsan", "signed-integer-overflow")
        ],
        "{}",
        result.out
    );
}

fn correct_programs_started_by_shell_are_checked() {
    for compiler in ["gcc -fsanitize=thread", "clang-19 -fsanitize=thread"] {
        let project = TestProject::with_app(compiler);
        project.script("all", "./app && ./app");
        let result = project.run(&["--tool", "tsan", "--", "./all"]);
        result.assert_passes();
        assert!(result.out.contains("2 processes"), "{}", result.out);
    }
    // UBSan prints nothing for a correct program, so leakgate must see the process while it runs.
    // Different programs are run under the same path.
    let project = TestProject::new();
    for compiler in [
        "gcc",
        "gcc -fsanitize=undefined",
        "clang-19 -fsanitize=undefined",
    ] {
        project.write("app.c", PROGRAM);
        project.build(compiler, "app");
        fs::rename(
            project.path().join("app"),
            project.path().join(compiler.split(' ').next().unwrap()),
        )
        .unwrap();
        if compiler != "gcc" {
            let name = compiler.split(' ').next().unwrap();
            project.script(
                "all",
                &format!(
                    "cp $(which sleep) now; ./now 0.3; rm now; cp {name} now; ./now nap; exit 0"
                ),
            );
            project
                .run(&["--tool", "ubsan", "--", "./all"])
                .assert_passes();
            // A program that closes inherited file descriptors still reports its error.
            let result = project.run(&[
                "--tool",
                "ubsan",
                "--",
                &format!("./{name}"),
                "close-then-overflow",
            ]);
            assert_eq!(
                result.findings(),
                [("ubsan", "signed-integer-overflow")],
                "{}",
                result.out
            );
        }
    }
}

fn reused_pid_does_not_hide_killed_process() {
    let project = TestProject::with_app("gcc");
    // Each program gets the same pid in a new pid namespace.
    project.script(
        "twice",
        "unshare -rpf sh -c './app kill-child; true'; \
         unshare -rpf sh -c './app; ./app; true'; exit 0",
    );
    project
        .run(&["--tool", "memcheck", "--", "./twice"])
        .assert_fails_for("truncated-report");
    // Correct programs there may call exec.
    project.script(
        "sound",
        "unshare -rpf ./app; unshare -rpf sh -c './app; exec ./app'",
    );
    project
        .run(&["--tool", "memcheck", "--", "./sound"])
        .assert_passes();
}

fn kept_logs_pass_check() {
    let project = TestProject::with_app("gcc");
    project.script("on", "exec ./app");
    project
        .run(&["--tool", "memcheck", "--keep-logs", "kept", "--", "./on"])
        .assert_passes();
    let result = common::run(project.path(), &["check", "kept"]);
    assert_eq!(result.status, 0, "{}", result.out);
}

fn never_written_report_is_missing() {
    let project = TestProject::with_app("gcc");
    // A fake valgrind that only runs the program.
    project.script(
        "bin/valgrind",
        "while :; do case \"$1\" in --*) shift ;; *) exec \"$@\" ;; esac; done",
    );
    let path = format!(
        "{}:{}",
        project.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let result = project.run_with(&["--tool", "memcheck", "--", "./app"], &[("PATH", &path)]);
    result.assert_fails_for("missing-report");
    result.assert_fails_for("no-evidence");
    assert!(
        result.out.contains("the canary check failed"),
        "{}",
        result.out
    );
}

fn suppressing_all_findings_fails() {
    let project = TestProject::with_app("gcc");
    let write_suppressions = |name: &str, kind: &str| {
        project.write(
            name,
            &format!("{{\n  all\n  {kind}\n  fun:*\n}}\n{{\n  lib\n  {kind}\n  obj:*\n}}\n"),
        )
    };
    for (tool, kind) in [
        ("memcheck", "Memcheck:Leak"),
        ("memcheck", "Memcheck:Addr1"),
        ("helgrind", "Helgrind:UnlockBogus"),
        ("drd", "drd:MutexErr"),
    ] {
        let path = write_suppressions("all.supp", kind);
        let options = format!("--suppressions={}", path.display());
        let result = project.run_with(
            &["--tool", tool, "--", "./app", "leak"],
            &[("VALGRIND_OPTS", &options)],
        );
        assert_eq!(result.status, 1, "{kind}: {}", result.out);
        result.assert_fails_for("no-evidence");
        assert!(
            result.out.contains("the canary check failed"),
            "{kind}: {}",
            result.out
        );
    }
}

fn run_is_stopped_when_canary_fails() {
    let project = TestProject::with_app("gcc");
    let path = project.write(
        "all.supp",
        "{\n  all\n  Memcheck:Leak\n  fun:malloc\n  ...\n}\n",
    );
    let options = format!("--suppressions={}", path.display());
    let start = std::time::Instant::now();
    let result = project.run_with(
        &["--tool", "memcheck", "--", "sleep", "300"],
        &[("VALGRIND_OPTS", &options)],
    );
    result.assert_fails_for("no-evidence");
    assert!(start.elapsed() < Duration::from_secs(150));
}

fn failing_command_fails() {
    let project = TestProject::with_app("gcc");
    for (argv, message) in [
        (&["./app", "fail"][..], "exited with status 3"),
        (&["./app", "killed"], "signal 9 (SIGKILL)"),
        (&["sh", "-c", "exit 7"], "status 7"),
    ] {
        let result = project.run(&[&["--tool", "memcheck", "--"], argv].concat());
        result.assert_fails_for("command-failed");
        assert!(result.out.contains(message), "{}", result.out);
    }
}

fn killed_process_fails() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    project
        .run(&["--tool", "asan", "--", "./app", "killed"])
        .assert_fails_for("missing-report");
    project
        .run(&["--tool", "asan", "--", "sh", "-c", "./app killed; ./app"])
        .assert_fails_for("missing-report");
}

fn leak_check_without_message_fails() {
    for compiler in [
        "gcc -fsanitize=address",
        "clang-19 -fsanitize=address",
        "gcc -fsanitize=leak",
    ] {
        let project = TestProject::with_app(compiler);
        for mode in ["close", "_exit"] {
            let result = project.run(&["--", "./app", mode]);
            assert_eq!(result.status, 1, "{compiler} {mode}: {}", result.out);
        }
        project.run(&["--", "./app"]).assert_passes();
    }
}

fn statically_linked_program_fails() {
    let project = TestProject::with_app("gcc -static");
    for tool in ["memcheck", "efence"] {
        let result = project.run(&["--tool", tool, "--", "./app"]);
        result.assert_fails_for("missing-report");
        assert!(
            result.out.contains("is statically linked"),
            "{}",
            result.out
        );
    }
}

/// The second process with the pid runs a program of the system, which needs no report.
fn program_with_the_pid_of_a_killed_one_does_not_hide_it() {
    let project = TestProject::with_app("gcc");
    project.write("waiting.c", WAITING);
    project.build("gcc", "waiting");
    project.script(
        "kill",
        "./waiting & until test -e ready; do sleep 0.1; done; kill -9 $!; wait; exit 0",
    );
    project.script(
        "twice",
        "./app; unshare -rpf sh ./kill; unshare -rpf sh -c '/bin/true; /bin/true'; exit 0",
    );
    project
        .run(&["--tool", "memcheck", "--", "./twice"])
        .assert_fails_for("truncated-report");
}

/// Copies of a checked process begin a report, too, which ends when they start another program.
fn checked_processes_that_go_on_unchecked_pass() {
    let project = TestProject::with_app("gcc");
    project.write(
        "going.c",
        "#include <spawn.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
         extern char **environ;\n\
         int main(void) {\n\
         char *arguments[] = {\"true\", 0};\n\
         char *perl[] = {\"perl\", \"-e\", \"1\", 0};\n\
         char *empty[] = {0};\n\
         pid_t pid;\n\
         for (int way = 0; way < 6; way++) {\n\
         if (way == 3) { posix_spawn(&pid, \"/bin/true\", 0, 0, arguments, environ); }\n\
         else if (way == 4) { posix_spawn(&pid, \"/usr/bin/perl\", 0, 0, perl, empty); }\n\
         else if ((pid = fork()) == 0) {\n\
         if (way == 0) execl(\"/bin/true\", \"true\", (char *)0);\n\
         if (way == 1) execve(\"/bin/true\", arguments, empty);\n\
         if (way == 5) execve(\"/usr/bin/perl\", perl, empty);\n\
         execv(\"/bin/true\", arguments); }\n\
         waitpid(pid, 0, 0); }\n\
         execv(\"/bin/true\", arguments); }\n",
    );
    project.build("gcc", "going");
    // So many processes at once that leakgate doesn't see which of them writes each log.
    project.write(
        "crowd.c",
        "#include <sys/wait.h>\n#include <unistd.h>\n\
         int main(void) {\n\
         char *perl[] = {\"perl\", \"-e\", \"1\", 0};\n\
         char *empty[] = {0};\n\
         for (int n = 0; n < 40; n++)\n\
         if (fork() == 0) { execve(\"/usr/bin/perl\", perl, empty); _exit(9); }\n\
         while (wait(0) > 0) {}\n\
         return 0; }\n",
    );
    project.build("gcc", "crowd");
    project.script(
        "all",
        "./app; ./crowd; ./going; unshare -rpf ./going; unshare -rpf sh -c './going; ./going; true'",
    );
    for _ in 0..3 {
        let result = project.run(&["--tool", "memcheck", "--", "./all"]);
        result.assert_passes();
    }
}

fn killed_child_fails() {
    let project = TestProject::with_app("gcc");
    for tool in ["memcheck", "drd"] {
        project
            .run(&["--tool", tool, "--", "./app", "kill-child"])
            .assert_fails_for("truncated-report");
    }
}

/// The library that meets started programs isn't initialized yet, and the shell hides the signal.
fn program_that_is_killed_before_its_libraries_start_fails() {
    let project = TestProject::with_app("gcc");
    project.write(
        "early.c",
        "#include <fcntl.h>\n#include <unistd.h>\n\
         static void wait_here(void) { close(creat(\"ready\", 0600)); sleep(60); }\n\
         __attribute__((section(\".preinit_array\"), used))\n\
         static void (*first)(void) = wait_here;\n\
         int main(void) { return 0; }\n",
    );
    project.build("gcc", "early");
    assert_killed_program_fails(&project, "early");
}

fn program_that_is_killed_after_a_failed_exec_fails() {
    let project = TestProject::with_app("gcc");
    project.write("data", "This is no program.\n");
    project.write(
        "failing.c",
        "#include <fcntl.h>\n#include <unistd.h>\n\
         int main(void) {\n\
         char *arguments[] = {\"data\", 0};\n\
         execv(\"./data\", arguments);\n\
         close(creat(\"ready\", 0600)); sleep(60); }\n",
    );
    project.build("gcc", "failing");
    assert_killed_program_fails(&project, "failing");
}

/// Kills a program when it has created the file `ready`. The shell hides the signal.
fn assert_killed_program_fails(project: &TestProject, program: &str) {
    let script = format!(
        "./app; ./{program} & until test -e ready; do sleep 0.1; done; kill -9 $!; wait; exit 0"
    );
    project.script("all", &script);
    project
        .run(&["--tool", "memcheck", "--", "./all"])
        .assert_fails_for("truncated-report");
}

fn orphans_are_reaped() {
    let project = TestProject::with_app("gcc");
    // A script stops a service like this: it sends SIGTERM and waits until the pid is unused.
    project.script(
        "stop",
        "./app; sh -c 'sleep 100 & echo $! > pid'; kill $(cat pid); \
         for i in 1 2 3 4 5 6 7 8 9 10 11 12; do kill -0 $(cat pid) 2>/dev/null || exit 0; \
         sleep 1; done; exit 5",
    );
    project
        .run(&["--tool", "memcheck", "--", "./stop"])
        .assert_passes();
}

fn timeout_fails() {
    let project = TestProject::with_app("gcc");
    let result = project.run(&[
        "--timeout",
        "1s",
        "--tool",
        "memcheck",
        "--",
        "sleep",
        "100",
    ]);
    result.assert_fails_for("command-failed");
    assert!(
        result.out.contains("timed out after 1 second"),
        "{}",
        result.out
    );
}

fn interrupted_run_keeps_findings_and_fails() {
    let project = TestProject::with_app("gcc");
    for signal in ["INT", "TERM", "QUIT"] {
        // The script handles the signal and exits with 0.
        project.script(
            "handler",
            "trap 'exit 0' INT TERM QUIT; echo started; \
             ./app leak; touch ready; while :; do sleep 0.1; done",
        );
        let mut command = project.command(&["--tool", "memcheck", "--", "./handler"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = project.path().join("ready");
        for _ in 0..600 {
            if ready.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        fs::remove_file(&ready).unwrap();
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("was interrupted") && text.contains("leak-definite"),
            "{text}"
        );
    }
}

fn deleting_run_folder_fails() {
    let project = TestProject::with_app("gcc");
    project.script("wipe", "rm -rf \"$TMPDIR\"/*; ./app; exit 0");
    let result = run_in_project_tmp(&project, &["--tool", "memcheck", "--", "./wipe"]);
    result.assert_fails_for("no-evidence");
}

fn hidden_allocator_fails() {
    let project = TestProject::new();
    let program = "#include <stdio.h>\nint main(void) { \
         puts(\"<jemalloc>: Conf string ends with key\"); return 0; }\n";
    for tool in ["memcheck", "efence"] {
        project.write("held.c", program);
        project.build("gcc", "held");
        let result = project.run(&["--tool", tool, "--", "./held"]);
        result.assert_fails_for("missing-report");
        assert!(
            result.out.contains("links jemalloc statically"),
            "{}",
            result.out
        );
    }
    // A child process is checked, too.
    let result = project.run(&["--tool", "memcheck", "--", "env", "./held"]);
    result.assert_fails_for("missing-report");
    assert!(
        result.out.contains("links jemalloc statically"),
        "{}",
        result.out
    );
    // If the allocator defines malloc, valgrind replaces it like the system allocator.
    project.write(
        "held.c",
        &format!(
            "#include <stddef.h>\n\
         void *malloc(size_t size) {{ return size ? NULL : NULL; }}\n{program}"
        ),
    );
    project.build("gcc", "held");
    project
        .run(&["--tool", "memcheck", "--", "./held"])
        .assert_passes();
    let result = project.run(&["--tool", "efence", "--", "./held"]);
    result.assert_fails_for("missing-report");
    assert!(
        result.out.contains("defines malloc itself"),
        "{}",
        result.out
    );
}

fn crash_printed_by_shell_fails() {
    let project = TestProject::with_app("gcc");
    project.script("ignores", "./app read-freed; ./app; exit 0");
    let result = project.run(&["--tool", "efence", "--", "./ignores"]);
    result.assert_fails_for("no-evidence");
    assert!(result.out.contains("Segmentation fault"), "{}", result.out);
}

fn orphan_that_crashes_fails() {
    let project = TestProject::with_app("gcc");
    // The child closes its output, leaves its process group, and frees a block twice. Only its exit
    // status shows the error.
    project.write(
        "late.c",
        "#include <stdlib.h>\n#include <unistd.h>\nint main(void) { \
         if (fork() == 0) { setsid(); close(1); close(2); char *p = malloc(9); \
         sleep(1); free(p); free(p); } return 0; }\n",
    );
    project.build("gcc", "late");
    let result = project.run(&["--tool", "scudo", "--", "./late"]);
    result.assert_fails_for("no-evidence");
    assert!(
        result.out.contains("crashed with signal 6"),
        "{}",
        result.out
    );
}

fn checker_startup_error_gets_hint() {
    let project = TestProject::with_app("gcc");
    let path = project.write("bad.supp", "nothing\n");
    let options = format!("--suppressions={}", path.display());
    let result = project.run_with(
        &["--tool", "memcheck", "--", "./app"],
        &[("VALGRIND_OPTS", &options)],
    );
    result.assert_fails_for("command-failed");
    assert!(
        result.out.contains("fix the line in the message"),
        "{}",
        result.out
    );
}

fn ptrace_and_ulimit_errors_get_hints() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    let traced = project.run(&[
        "--tool",
        "asan",
        "--",
        "strace",
        "-f",
        "-o",
        "/dev/null",
        "./app",
    ]);
    traced.assert_fails_for("command-failed");
    assert!(traced.out.contains("SYS_PTRACE"), "{}", traced.out);
    let limited = project.run(&[
        "--tool",
        "asan",
        "--",
        "sh",
        "-c",
        "ulimit -v 4000000; exec ./app",
    ]);
    limited.assert_fails_for("command-failed");
    assert!(
        limited.out.contains("ulimit -v unlimited"),
        "{}",
        limited.out
    );
}

fn disabled_leak_check_fails() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    let off = [("ASAN_OPTIONS", "detect_leaks=0")];
    project
        .run_with(&["--tool", "asan", "--", "./app"], &off)
        .assert_fails_for("leaks-not-shown");
    project
        .run_with(
            &["--tool", "asan", "--fail-on", "errors", "--", "./app"],
            &off,
        )
        .assert_passes();
}

fn full_disk_fails() {
    let project = TestProject::with_app("gcc");
    // A limit on the file size works like a full disk.
    project.script("app2", "ulimit -f 1; trap '' XFSZ; exec ./app leak");
    let result = project.run(&["--tool", "memcheck", "--", "./app2"]);
    assert_eq!(result.status, 1, "{}", result.out);
    assert!(
        result.reason_codes().contains(&"truncated-report")
            || result.reason_codes().contains(&"missing-report"),
        "{}",
        result.out
    );
}

fn keep_logs_requires_empty_folder() {
    let project = TestProject::with_app("gcc");
    project
        .run(&[
            "--keep-logs",
            "logs",
            "--tool",
            "memcheck",
            "--",
            "./app",
            "leak",
        ])
        .assert_fails_for("unexpected-finding");
    let names: Vec<String> = fs::read_dir(project.path().join("logs/memcheck"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().any(|name| name.ends_with(".xml")) && names.contains(&"stdout.txt".to_owned()),
        "{names:?}"
    );
    let again = project.run(&["--keep-logs", "logs", "--tool", "memcheck", "--", "./app"]);
    assert_eq!(again.status, 2, "{}", again.out);
    assert!(again.err.contains("isn't empty"), "{}", again.err);
}

fn process_that_changes_user_leaves_report() {
    let project = TestProject::with_app("gcc");
    // The other user must be able to read the project's folder.
    assert!(
        Command::new("chmod")
            .arg("a+rx")
            .arg(project.path())
            .status()
            .unwrap()
            .success()
    );
    let args = ["setpriv", "--reuid=65534", "--clear-groups", "./app"];
    for (tool, compiler, found) in [
        ("asan", "clang-19 -fsanitize=address", "lsan"),
        ("memcheck", "gcc", "memcheck"),
    ] {
        project.build(compiler, "app");
        project
            .run(&[&["--tool", tool, "--"], &args[..]].concat())
            .assert_passes();
        let result = project.run(&[&["--tool", tool, "--"], &args[..], &["leak"]].concat());
        assert_eq!(
            result.findings(),
            [(found, "leak-definite")],
            "{}{}",
            result.out,
            result.err
        );
    }
}

fn output_is_passed_on() {
    let project = TestProject::with_app("gcc");
    project.script("print", "echo out; echo err >&2; printf 'no end'");
    let result = project.run(&["--tool", "memcheck", "--", "./print"]);
    assert!(
        result.out.contains("out\nno end") && result.err.contains("err\n"),
        "{}{}",
        result.out,
        result.err
    );
}
