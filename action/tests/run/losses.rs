//! What may get lost on the way, each a failure: reports, processes, output, the checker itself.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use super::shop::{Shop, has};

/// The logs of a run are in a folder that only its own processes know.
const LOGS: &str = "find \"$TMPDIR\"/leakgate-*/logs -name '*.xml' -o -name 'san.*'";

fn shop() -> Option<Shop> {
    has(&["valgrind", "gcc"]).then(|| Shop::with_app("gcc"))
}

/// A run whose logs lie in a folder of this test's own.
fn run(shop: &Shop, words: &[&str]) -> super::shop::Ran {
    let temporary = shop.path().join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    shop.run_with(words, &[("TMPDIR", temporary.to_str().unwrap())])
}

#[test]
#[ignore = "needs real checkers"]
fn a_report_that_is_deleted_is_missed() {
    let Some(shop) = shop() else { return };
    shop.script("hide", &format!("./app leak; rm -f $({LOGS})"));
    run(&shop, &["--tool", "memcheck", "--", "./hide"]).fails_for("missing-report");
}

#[test]
#[ignore = "needs real checkers"]
fn a_report_of_a_sanitizer_that_is_deleted_is_missed() {
    if !has(&["clang-19"]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    shop.script("hide", &format!("./app leak; rm -f $({LOGS})"));
    run(&shop, &["--tool", "asan", "--", "./hide"]).fails_for("missing-report");
}

#[test]
#[ignore = "needs real checkers"]
fn a_report_that_is_cut_is_noticed() {
    let Some(shop) = shop() else { return };
    shop.script(
        "cut",
        &format!("./app; for f in $({LOGS}); do truncate -s 400 $f; done"),
    );
    run(&shop, &["--tool", "memcheck", "--", "./cut"]).fails_for("truncated-report");
}

#[test]
#[ignore = "needs real checkers"]
fn what_a_process_did_wrong_before_it_went_on_is_not_lost() {
    let Some(shop) = shop() else { return };
    let ran = shop.run(&["--tool", "memcheck", "--", "./app", "goes-on"]);
    assert_eq!(
        ran.findings(),
        [("memcheck", "invalid-read"), ("memcheck", "leak-definite")],
        "{}",
        ran.out
    );
    assert_eq!(ran.codes(), ["unexpected-finding"], "{}", ran.out);
    // One that does no wrong may go on, too.
    shop.script("sound", "exec ./app");
    shop.run(&["--tool", "memcheck", "--", "./sound"]).passes();
    // A sanitizer that goes on after an error begins its log anew as well.
    shop.build("gcc -fsanitize=undefined", "app");
    let ran = shop.run(&["--tool", "ubsan", "--", "./app", "overflows-and-goes-on"]);
    assert_eq!(
        ran.findings(),
        [
            ("ubsan", "signed-integer-overflow"),
            ("ubsan", "signed-integer-overflow")
        ],
        "{}",
        ran.out
    );
}

#[test]
#[ignore = "needs real checkers"]
fn sound_programs_behind_a_shell_are_seen() {
    if !has(&["gcc", "clang-19"]) {
        return;
    }
    for compiler in ["gcc -fsanitize=thread", "clang-19 -fsanitize=thread"] {
        let shop = Shop::with_app(compiler);
        shop.script("all", "./app && ./app");
        let ran = shop.run(&["--tool", "tsan", "--", "./all"]);
        ran.passes();
        assert!(ran.out.contains("2 processes"), "{}", ran.out);
    }
    // These say nothing at all, and must be met. They are built anew under one name.
    let shop = Shop::new();
    for compiler in [
        "gcc",
        "gcc -fsanitize=undefined",
        "clang-19 -fsanitize=undefined",
    ] {
        shop.write("app.c", super::shop::PROGRAM);
        shop.build(compiler, "app");
        fs::rename(
            shop.path().join("app"),
            shop.path().join(compiler.split(' ').next().unwrap()),
        )
        .unwrap();
        if compiler != "gcc" {
            let name = compiler.split(' ').next().unwrap();
            shop.script(
                "all",
                &format!(
                    "cp $(which sleep) now; ./now 0.3; rm now; cp {name} now; ./now nap; exit 0"
                ),
            );
            shop.run(&["--tool", "ubsan", "--", "./all"]).passes();
            // One that closes what it did not open says what it found all the same.
            let ran = shop.run(&[
                "--tool",
                "ubsan",
                "--",
                &format!("./{name}"),
                "closes-and-overflows",
            ]);
            assert_eq!(
                ran.findings(),
                [("ubsan", "signed-integer-overflow")],
                "{}",
                ran.out
            );
        }
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_number_that_is_given_again_hides_no_killed_process() {
    let Some(shop) = shop() else { return };
    if !has(&["unshare"])
        || !std::process::Command::new("unshare")
            .args(["-rpf", "true"])
            .status()
            .is_ok_and(|s| s.success())
    {
        return;
    }
    // In a namespace of its own each has the same number.
    shop.script("twice", "unshare -rpf sh -c './app kill-child; true'; unshare -rpf sh -c './app; ./app; true'; exit 0");
    shop.run(&["--tool", "memcheck", "--", "./twice"])
        .fails_for("truncated-report");
    // Nothing is wrong with programs there that go on as others.
    shop.script(
        "sound",
        "unshare -rpf ./app; unshare -rpf sh -c './app; exec ./app'",
    );
    shop.run(&["--tool", "memcheck", "--", "./sound"]).passes();
}

#[test]
#[ignore = "needs real checkers"]
fn kept_logs_say_the_same_to_check() {
    let Some(shop) = shop() else { return };
    shop.script("on", "exec ./app");
    shop.run(&["--tool", "memcheck", "--keep-logs", "kept", "--", "./on"])
        .passes();
    let mut check = std::process::Command::new(assert_cmd::cargo::cargo_bin("leakgate"));
    let output = check
        .args(["check", "kept"])
        .current_dir(shop.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
#[ignore = "needs real checkers"]
fn a_report_that_never_was_is_missed() {
    let Some(shop) = shop() else { return };
    // A valgrind that runs the program, and does nothing else.
    shop.script(
        "bin/valgrind",
        "while :; do case \"$1\" in --*) shift ;; *) exec \"$@\" ;; esac; done",
    );
    let path = format!(
        "{}:{}",
        shop.path().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let ran = shop.run_with(&["--tool", "memcheck", "--", "./app"], &[("PATH", &path)]);
    ran.fails_for("missing-report");
    ran.fails_for("no-evidence");
    assert!(ran.out.contains("the canary is dead"), "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn a_checker_that_was_made_silent_is_found_out() {
    let Some(shop) = shop() else { return };
    let all = |name: &str, what: &str| {
        shop.write(
            name,
            &format!("{{\n  all\n  {what}\n  fun:*\n}}\n{{\n  lib\n  {what}\n  obj:*\n}}\n"),
        )
    };
    for (tool, what) in [
        ("memcheck", "Memcheck:Leak"),
        ("memcheck", "Memcheck:Addr1"),
        ("helgrind", "Helgrind:UnlockBogus"),
        ("drd", "drd:MutexErr"),
    ] {
        let path = all("all.supp", what);
        let options = format!("--suppressions={}", path.display());
        let ran = shop.run_with(
            &["--tool", tool, "--", "./app", "leak"],
            &[("VALGRIND_OPTS", &options)],
        );
        assert_eq!(ran.status, 1, "{what}: {}", ran.out);
        ran.fails_for("no-evidence");
        assert!(
            ran.out.contains("the canary is dead"),
            "{what}: {}",
            ran.out
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_run_without_hope_is_stopped() {
    let Some(shop) = shop() else { return };
    let path = shop.write(
        "all.supp",
        "{\n  all\n  Memcheck:Leak\n  fun:malloc\n  ...\n}\n",
    );
    let options = format!("--suppressions={}", path.display());
    let begun = std::time::Instant::now();
    let ran = shop.run_with(
        &["--tool", "memcheck", "--", "sleep", "300"],
        &[("VALGRIND_OPTS", &options)],
    );
    ran.fails_for("no-evidence");
    assert!(begun.elapsed() < Duration::from_secs(150));
}

#[test]
#[ignore = "needs real checkers"]
fn a_failing_command_fails() {
    let Some(shop) = shop() else { return };
    for (words, told) in [
        (&["./app", "fail"][..], "failed with status 3"),
        (&["./app", "killed"], "signal 9 (SIGKILL)"),
        (&["sh", "-c", "exit 7"], "status 7"),
    ] {
        let ran = shop.run(&[&["--tool", "memcheck", "--"], words].concat());
        ran.fails_for("command-failed");
        assert!(ran.out.contains(told), "{}", ran.out);
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_killed_process_has_no_proof() {
    if !has(&["clang-19"]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    shop.run(&["--tool", "asan", "--", "./app", "killed"])
        .fails_for("missing-report");
    shop.run(&["--tool", "asan", "--", "sh", "-c", "./app killed; ./app"])
        .fails_for("missing-report");
}

#[test]
#[ignore = "needs real checkers"]
fn a_search_that_nobody_heard_of_is_no_search() {
    if !has(&["gcc", "clang-19"]) {
        return;
    }
    for compiler in [
        "gcc -fsanitize=address",
        "clang-19 -fsanitize=address",
        "gcc -fsanitize=leak",
    ] {
        let shop = Shop::with_app(compiler);
        for deed in ["close", "_exit"] {
            let ran = shop.run(&["--", "./app", deed]);
            assert_eq!(ran.status, 1, "{compiler} {deed}: {}", ran.out);
        }
        shop.run(&["--", "./app"]).passes();
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_static_program_hides_its_allocator() {
    if !has(&["valgrind", "gcc", "/usr/lib/libefence.so.0"]) {
        return;
    }
    let shop = Shop::with_app("gcc -static");
    for tool in ["memcheck", "efence"] {
        let ran = shop.run(&["--tool", tool, "--", "./app"]);
        ran.fails_for("missing-report");
        assert!(ran.out.contains("linked statically"), "{}", ran.out);
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_child_that_was_killed_has_no_proof() {
    let Some(shop) = shop() else { return };
    for tool in ["memcheck", "drd"] {
        shop.run(&["--tool", tool, "--", "./app", "kill-child"])
            .fails_for("truncated-report");
    }
}

#[test]
#[ignore = "needs real checkers"]
fn orphans_are_buried() {
    let Some(shop) = shop() else { return };
    // As services are stopped: told to end, and waited for until they are gone.
    shop.script(
        "stop",
        "sh -c 'sleep 100 & echo $! > pid'; kill $(cat pid); for i in 1 2 3 4 5 6 7 8 9 10 11 12; do kill -0 $(cat pid) 2>/dev/null || exit 0; sleep 1; done; exit 5",
    );
    shop.run(&["--tool", "memcheck", "--", "./stop"]).passes();
}

#[test]
#[ignore = "needs real checkers"]
fn too_long_is_too_long() {
    let Some(shop) = shop() else { return };
    let ran = shop.run(&[
        "--timeout",
        "1s",
        "--tool",
        "memcheck",
        "--",
        "sleep",
        "100",
    ]);
    ran.fails_for("command-failed");
    assert!(
        ran.out.contains("was stopped after 1 second"),
        "{}",
        ran.out
    );
}

#[test]
#[ignore = "needs real checkers"]
fn an_interrupt_keeps_what_was_written_and_never_passes() {
    let Some(shop) = shop() else { return };
    for signal in ["INT", "TERM", "QUIT"] {
        // It takes the signal, and ends well.
        shop.script("deaf", "trap 'exit 0' INT TERM QUIT; echo begun; ./app leak; touch ready; while :; do sleep 0.1; done");
        let mut command = shop.command(&["--tool", "memcheck", "--", "./deaf"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = shop.path().join("ready");
        for _ in 0..600 {
            if ready.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        fs::remove_file(&ready).unwrap();
        let told = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("was interrupted") && text.contains("leak-definite"),
            "{text}"
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn a_command_that_empties_the_folder_of_the_run_fails() {
    let Some(shop) = shop() else { return };
    shop.script("wipe", "rm -rf \"$TMPDIR\"/*; ./app; exit 0");
    let ran = run(&shop, &["--tool", "memcheck", "--", "./wipe"]);
    ran.fails_for("no-evidence");
    ran.fails_for("missing-report");
}

#[test]
#[ignore = "needs real checkers"]
fn an_allocator_that_nobody_sees_proves_nothing() {
    if !has(&["gcc", "valgrind", "/usr/lib/libefence.so.0"]) {
        return;
    }
    let shop = Shop::new();
    let program = "#include <stdio.h>\nint main(void) { puts(\"<jemalloc>: Conf string ends with key\"); return 0; }\n";
    for tool in ["memcheck", "efence"] {
        shop.write("held.c", program);
        shop.build("gcc", "held");
        let ran = shop.run(&["--tool", tool, "--", "./held"]);
        ran.fails_for("missing-report");
        assert!(ran.out.contains("allocates by jemalloc"), "{}", ran.out);
    }
    // Whoever starts it.
    let ran = shop.run(&["--tool", "memcheck", "--", "env", "./held"]);
    ran.fails_for("missing-report");
    assert!(ran.out.contains("allocates by jemalloc"), "{}", ran.out);
    // Under the names of C it takes the place of C's, and is replaced like these.
    shop.write("held.c", &format!("#include <stddef.h>\nvoid *malloc(size_t size) {{ return size ? NULL : NULL; }}\n{program}"));
    shop.build("gcc", "held");
    shop.run(&["--tool", "memcheck", "--", "./held"]).passes();
    let ran = shop.run(&["--tool", "efence", "--", "./held"]);
    ran.fails_for("missing-report");
    assert!(ran.out.contains("an allocator of its own"), "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn a_crash_of_which_a_shell_tells_is_seen() {
    if !has(&["gcc", "/usr/lib/libefence.so.0"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    shop.script("ignores", "./app read-freed; ./app; exit 0");
    let ran = shop.run(&["--tool", "efence", "--", "./ignores"]);
    ran.fails_for("no-evidence");
    assert!(ran.out.contains("Segmentation fault"), "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn who_outlives_the_command_is_not_forgotten() {
    if !has(&["gcc", "clang-19"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    // It closes its output, leaves its group, and frees a block twice: nothing of it can be read
    // but how it ended.
    shop.write(
        "late.c",
        "#include <stdlib.h>\n#include <unistd.h>\nint main(void) { if (fork() == 0) { setsid(); close(1); close(2); char *p = malloc(9); \
         sleep(1); free(p); free(p); } return 0; }\n",
    );
    shop.build("gcc", "late");
    let ran = shop.run(&["--tool", "scudo", "--", "./late"]);
    ran.fails_for("no-evidence");
    assert!(ran.out.contains("crashed by signal 6"), "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn a_checker_that_refuses_is_explained() {
    let Some(shop) = shop() else { return };
    let path = shop.write("bad.supp", "nothing\n");
    let options = format!("--suppressions={}", path.display());
    let ran = shop.run_with(
        &["--tool", "memcheck", "--", "./app"],
        &[("VALGRIND_OPTS", &options)],
    );
    ran.fails_for("command-failed");
    assert!(
        ran.out.contains("mend the line that it names"),
        "{}",
        ran.out
    );
}

#[test]
#[ignore = "needs real checkers"]
fn ptrace_and_limits_are_explained() {
    if !has(&["clang-19", "strace"]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    let traced = shop.run(&[
        "--tool",
        "asan",
        "--",
        "strace",
        "-f",
        "-o",
        "/dev/null",
        "./app",
    ]);
    traced.fails_for("command-failed");
    assert!(traced.out.contains("SYS_PTRACE"), "{}", traced.out);
    let limited = shop.run(&[
        "--tool",
        "asan",
        "--",
        "sh",
        "-c",
        "ulimit -v 4000000; exec ./app",
    ]);
    limited.fails_for("command-failed");
    assert!(
        limited.out.contains("ulimit -v unlimited"),
        "{}",
        limited.out
    );
}

#[test]
#[ignore = "needs real checkers"]
fn leaks_that_nobody_looked_for_are_no_pass() {
    if !has(&["clang-19"]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    let off = [("ASAN_OPTIONS", "detect_leaks=0")];
    shop.run_with(&["--tool", "asan", "--", "./app"], &off)
        .fails_for("leaks-not-shown");
    shop.run_with(
        &["--tool", "asan", "--fail-on", "errors", "--", "./app"],
        &off,
    )
    .passes();
}

#[test]
#[ignore = "needs real checkers"]
fn a_full_disk_is_no_pass() {
    let Some(shop) = shop() else { return };
    // No file may grow beyond this, which is as if the disk were full.
    shop.script("app2", "ulimit -f 1; trap '' XFSZ; exec ./app leak");
    let ran = shop.run(&["--tool", "memcheck", "--", "./app2"]);
    assert_eq!(ran.status, 1, "{}", ran.out);
    assert!(
        ran.codes().contains(&"truncated-report") || ran.codes().contains(&"missing-report"),
        "{}",
        ran.out
    );
}

#[test]
#[ignore = "needs real checkers"]
fn logs_are_kept_where_nothing_is_overwritten() {
    let Some(shop) = shop() else { return };
    shop.run(&[
        "--keep-logs",
        "logs",
        "--tool",
        "memcheck",
        "--",
        "./app",
        "leak",
    ])
    .fails_for("unexpected-finding");
    let names: Vec<String> = fs::read_dir(shop.path().join("logs/memcheck"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().any(|name| name.ends_with(".xml")) && names.contains(&"stdout.txt".to_owned()),
        "{names:?}"
    );
    let again = shop.run(&["--keep-logs", "logs", "--tool", "memcheck", "--", "./app"]);
    assert_eq!(again.status, 2, "{}", again.out);
    assert!(
        again.err.contains("the folder holds files"),
        "{}",
        again.err
    );
}

#[test]
#[ignore = "needs real checkers"]
fn who_goes_on_as_somebody_else_leaves_a_report() {
    let is_root = fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !is_root || !has(&["valgrind", "clang-19", "setpriv"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    // The folder of the program is this test's own.
    assert!(
        std::process::Command::new("chmod")
            .arg("a+rx")
            .arg(shop.path())
            .status()
            .unwrap()
            .success()
    );
    let words = ["setpriv", "--reuid=65534", "--clear-groups", "./app"];
    for (tool, compiler, found) in [
        ("asan", "clang-19 -fsanitize=address", "lsan"),
        ("memcheck", "gcc", "memcheck"),
    ] {
        shop.build(compiler, "app");
        shop.run(&[&["--tool", tool, "--"], &words[..]].concat())
            .passes();
        let ran = shop.run(&[&["--tool", tool, "--"], &words[..], &["leak"]].concat());
        assert_eq!(
            ran.findings(),
            [(found, "leak-definite")],
            "{}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn output_is_passed_on_as_it_comes() {
    let Some(shop) = shop() else { return };
    shop.script("talk", "echo out; echo err >&2; printf 'no end'");
    let ran = shop.run(&["--tool", "memcheck", "--", "./talk"]);
    assert!(
        ran.out.contains("out\nno end") && ran.err.contains("err\n"),
        "{}{}",
        ran.out,
        ran.err
    );
}
