//! Runs in which leakgate or a checker cannot write: they end by themselves, and never pass.

use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::needs::{GCC, Need, VALGRIND, trials};
use crate::test_project::{RunResult, TestProject};

const MOUNT_NAMESPACES: Need = Need::Machine("mount namespaces (unshare -rm)", || {
    let mut unshare = Command::new("unshare");
    let mount = unshare.args(["-rm", "mount", "-t", "tmpfs", "t", "/mnt"]);
    mount.status().is_ok_and(|status| status.success())
});

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/losses",
        run_that_cannot_write_ends(VALGRIND, GCC),
        run_on_full_disk_ends(MOUNT_NAMESPACES, GCC)
    )
}

/// A run that waits for a process takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs leakgate after shell commands, and stops it if it doesn't end.
fn run_after(project: &TestProject, shell: &[&str], before: &str, args: &[&str]) -> RunResult {
    let leakgate = project.command(args);
    let mut command = Command::new("timeout");
    command
        .args(["--signal=KILL", "300"])
        .args(shell)
        .args(["-c", &format!("{before}; exec \"$@\""), "sh"])
        .arg(leakgate.get_program())
        .args(leakgate.get_args())
        .current_dir(project.path());
    for (name, value) in leakgate.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let start = Instant::now();
    let result = project.run_command(command);
    assert!(start.elapsed() < LIMIT, "{}{}", result.out, result.err);
    result
}

/// Checks that leakgate printed one error, with this cause and this advice.
#[track_caller]
fn assert_one_error(result: &RunResult, cause: &str, help: &str) {
    assert_eq!(result.status, 2, "{}{}", result.out, result.err);
    let lines: Vec<&str> = result.err.lines().collect();
    assert!(
        lines.len() == 2
            && lines[0].starts_with("error: cannot ")
            && lines[0].contains(cause)
            && lines[1].starts_with("help: ")
            && lines[1].contains(help),
        "{}",
        result.err
    );
}

/// Starts a program that can write files only up to a size.
const LIMITED: &str = "#include <signal.h>\n#include <stdlib.h>\n#include <sys/resource.h>\n\
     #include <sys/wait.h>\n#include <unistd.h>\n\
     int main(int argc, char **argv) {\n\
     struct rlimit limit = {atoi(argv[1]), atoi(argv[1])};\n\
     if (atoi(argv[2])) signal(SIGXFSZ, SIG_IGN);\n\
     setrlimit(RLIMIT_FSIZE, &limit);\n\
     if (fork() == 0) { execl(\"./app\", \"app\", argv[3], NULL); _exit(9); }\n\
     wait(NULL); return 0; }\n";

fn run_that_cannot_write_ends() {
    let project = TestProject::with_app("gcc");
    let args = ["--tool", "memcheck", "--", "./app"];
    let limited = run_after(&project, &["sh"], "ulimit -f 0", &args);
    assert_one_error(&limited, "File too large", "ulimit -f unlimited");
    let nowhere = project.run_with(&args, &[("TMPDIR", "/proc/nothing")]);
    assert_one_error(&nowhere, "a temporary directory", "set TMPDIR");
    // The canary cannot be written.
    run_after(&project, &["sh"], "ulimit -f 56", &args).assert_fails_for("no-evidence");

    // LeakSanitizer never ends if its thread that scans the memory cannot write.
    project.build("gcc -fsanitize=leak", "app");
    project.write("limited.c", LIMITED);
    project.build("gcc", "limited");
    let limited = |limit: &str, is_ignored: &str, mode: &str| {
        let args = ["--tool", "lsan", "--", "./limited", limit, is_ignored, mode];
        run_after(&project, &["sh"], ":", &args)
    };
    for (limit, is_ignored, mode) in [("512", "0", "leak"), ("512", "1", ""), ("0", "1", "")] {
        limited(limit, is_ignored, mode).assert_fails_for("missing-report");
    }
    let stopped = limited("0", "1", "");
    stopped.assert_fails_for("command-failed");
    assert!(
        stopped.out.contains("a checker could not write its log")
            && stopped.out.contains("remove the `ulimit -f`"),
        "{}",
        stopped.out
    );
    // A limit that isn't reached changes nothing.
    limited("512000", "0", "").assert_passes();
    // The helper cannot record the program.
    project.script("script", "ulimit -f 0; ./app leak; exit 0");
    let args = ["--tool", "lsan", "--", "./script"];
    run_after(&project, &["sh"], ":", &args).assert_fails_for("no-evidence");
}

fn run_on_full_disk_ends() {
    let project = TestProject::with_app("gcc -fsanitize=leak");
    let in_namespace = ["unshare", "-rm", "sh"];
    let mount = |size: &str| {
        format!("mkdir -p t; mount -t tmpfs -o size={size} t t; export TMPDIR=\"$PWD/t\"")
    };
    let args = ["--tool", "lsan", "--", "./app"];
    let full = run_after(&project, &in_namespace, &mount("4k"), &args);
    assert_eq!(full.status, 2, "{}{}", full.out, full.err);
    // The command fills the disk, ignores the errors, and would never end.
    project.script(
        "fill",
        "cat /dev/zero > \"$TMPDIR/fill\"; ./app; sleep 1000; exit 0",
    );
    let args = ["--tool", "lsan", "--", "./fill"];
    let filled = run_after(&project, &in_namespace, &mount("400k"), &args);
    filled.assert_fails_for("no-evidence");
    filled.assert_fails_for("command-failed");
    assert!(filled.out.contains("no space is left in"), "{}", filled.out);
}
