//! Each checker on a program with an error, on the same program without the error, and without the
//! checker installed.

use libtest_mimic::Trial;

use crate::common;
use crate::needs::{CARGO, CLANG, EFENCE, GCC, LLVM_SYMBOLIZER, VALGRIND, trials};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/checkers",
        error_fails_and_correct_program_passes(VALGRIND, GCC, CLANG, LLVM_SYMBOLIZER, EFENCE),
        accepted_leak_does_not_fail_command(VALGRIND, GCC, CLANG),
        accepted_error_that_ends_program_fails_command(CLANG),
        checker_is_chosen_by_program(VALGRIND, GCC),
        several_checkers_give_one_verdict(VALGRIND, GCC),
        silent_checker_that_was_observed_passes(GCC),
        program_without_sanitizer_is_reported(GCC),
        missing_checker_gets_install_hint(),
        child_processes_have_reports(VALGRIND, GCC, CLANG),
        replaced_user_option_is_reported(VALGRIND, GCC),
        warn_only_prints_warning(VALGRIND, GCC),
        missing_command_runs_project_tests(VALGRIND, CARGO),
        dry_run_runs_nothing(VALGRIND, GCC),
        unnamed_frames_are_symbolized(CLANG),
    )
}

/// On x86-64 HWASan needs page aliasing for its tags.
const HWASAN: &str = "clang-19 -fsanitize=hwaddress -fsanitize-hwaddress-experimental-aliasing";

/// A checker, the compiler for its program, the program's mode, and the expected finding (tool and
/// kind).
struct Case {
    tool: &'static str,
    compiler: &'static str,
    mode: &'static str,
    found: (&'static str, &'static str),
}

const CASES: &[Case] = &[
    Case {
        tool: "memcheck",
        compiler: "gcc",
        mode: "leak",
        found: ("memcheck", "leak-definite"),
    },
    Case {
        tool: "memcheck",
        compiler: "gcc",
        mode: "read",
        found: ("memcheck", "invalid-read"),
    },
    Case {
        tool: "helgrind",
        compiler: "gcc",
        mode: "race",
        found: ("helgrind", "race"),
    },
    Case {
        tool: "drd",
        compiler: "gcc",
        mode: "race",
        found: ("drd", "conflicting-access"),
    },
    Case {
        tool: "asan",
        compiler: "gcc -fsanitize=address",
        mode: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "asan",
        compiler: "clang-19 -fsanitize=address",
        mode: "read",
        found: ("asan", "heap-buffer-overflow"),
    },
    Case {
        tool: "lsan",
        compiler: "clang-19 -fsanitize=leak",
        mode: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "lsan",
        compiler: "gcc -fsanitize=leak",
        mode: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "msan",
        compiler: "clang-19 -fsanitize=memory",
        mode: "uninit",
        found: ("msan", "use-of-uninitialized-value"),
    },
    Case {
        tool: "tsan",
        compiler: "clang-19 -fsanitize=thread",
        mode: "race",
        found: ("tsan", "data-race"),
    },
    Case {
        tool: "ubsan",
        compiler: "clang-19 -fsanitize=undefined",
        mode: "overflow",
        found: ("ubsan", "signed-integer-overflow"),
    },
    Case {
        tool: "ubsan",
        compiler: "gcc -fsanitize=undefined",
        mode: "overflow",
        found: ("ubsan", "signed-integer-overflow"),
    },
    Case {
        tool: "hwasan",
        compiler: HWASAN,
        mode: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "hwasan",
        compiler: HWASAN,
        mode: "read",
        found: ("hwasan", "tag-mismatch"),
    },
    Case {
        tool: "scudo",
        compiler: "gcc",
        mode: "free-twice",
        found: ("scudo", "double-free"),
    },
    Case {
        tool: "gwp-asan",
        compiler: "gcc",
        mode: "read-freed",
        found: ("gwp-asan", "heap-use-after-free"),
    },
    Case {
        tool: "efence",
        compiler: "gcc",
        mode: "free-twice",
        found: ("efence", "invalid-free"),
    },
];

fn error_fails_and_correct_program_passes() {
    for case in CASES {
        let project = TestProject::with_app(case.compiler);
        let result = project.run(&["--tool", case.tool, "--", "./app", case.mode]);
        result.assert_fails_for("unexpected-finding");
        assert!(
            result.findings().contains(&case.found),
            "{} {}: {:?}",
            case.tool,
            case.mode,
            result.findings()
        );
        let sound = project.run(&["--tool", case.tool, "--", "./app"]);
        sound.assert_passes();
        assert!(
            sound.out.contains("done\n") && sound.findings().is_empty(),
            "{}",
            sound.out
        );
        assert_fails_without_report(&project, case);
    }
}

/// Returns shell code that runs `command` for each log, in `$log`.
fn for_each_log(command: &str) -> String {
    format!(
        "find \"$TMPDIR\"/leakgate-*/logs -name '*.xml' -o -name 'san.*' | \
         while read -r log; do {command}; done"
    )
}

/// Checks that an error fails even if its report is removed or cut before leakgate reads it.
fn assert_fails_without_report(project: &TestProject, case: &Case) {
    let temporary = project
        .write("tmp/empty", "")
        .parent()
        .unwrap()
        .display()
        .to_string();
    let writes_no_log = ["scudo", "gwp-asan", "efence"].contains(&case.tool);
    for change in [
        "rm -f \"$log\"",
        "truncate -s $(($(stat -c %s \"$log\") * 2 / 3)) \"$log\"",
    ] {
        let rest = if writes_no_log {
            "exit $?".into()
        } else {
            for_each_log(change) + "; exit 0"
        };
        project.script("hide", &format!("./app {} 2>/dev/null; {rest}", case.mode));
        let result = project.run_with(
            &["--tool", case.tool, "--", "./hide"],
            &[("TMPDIR", &temporary)],
        );
        assert_eq!(
            result.status, 1,
            "{} {}, {change}: {}{}",
            case.tool, case.mode, result.out, result.err
        );
    }
}

fn accepted_leak_does_not_fail_command() {
    let accepted = "[[allow]]\nid = \"kept\"\nkinds = [\"leak-definite\"]\n\
         stack = [\"...\", \"fun:forget\", \"...\"]\nreason = \"It is kept.\"\n";
    for (tool, compiler) in [
        ("memcheck", "gcc"),
        ("asan", "clang-19 -fsanitize=address"),
        ("lsan", "gcc -fsanitize=leak"),
    ] {
        let project = TestProject::with_app(compiler);
        project.write("leakgate.toml", accepted);
        project
            .run(&["--tool", tool, "--", "./app", "leak"])
            .assert_passes();
        project
            .run(&["--tool", tool, "--", "./app", "fail"])
            .assert_fails_for("command-failed");
    }
}

fn accepted_error_that_ends_program_fails_command() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    project.write(
        "leakgate.toml",
        "[[allow]]\nid = \"x\"\nkinds = [\"errors\"]\n\
         stack = [\"...\", \"fun:main\", \"...\"]\nreason = \"Known.\"\n",
    );
    let result = project.run(&["--tool", "asan", "--", "./app", "read"]);
    assert_eq!(result.reason_codes(), ["command-failed"], "{}", result.out);
}

fn checker_is_chosen_by_program() {
    let project = TestProject::with_app("gcc -fsanitize=address");
    assert!(
        project
            .run(&["./app", "leak"])
            .findings()
            .contains(&("lsan", "leak-definite"))
    );
    project.build("gcc", "app");
    assert!(
        project
            .run(&["./app", "leak"])
            .findings()
            .contains(&("memcheck", "leak-definite"))
    );
}

fn several_checkers_give_one_verdict() {
    let project = TestProject::with_app("gcc");
    let result = project.run(&["--tool", "memcheck,drd", "--", "./app", "leak"]);
    result.assert_fails_for("unexpected-finding");
    assert_eq!(result.out.matches("done\n").count(), 2);
    let inputs: Vec<&str> = result.json["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["path"].as_str().unwrap())
        .collect();
    assert!(
        inputs.iter().any(|i| i.starts_with("memcheck/"))
            && inputs.iter().any(|i| i.starts_with("drd/")),
        "{inputs:?}"
    );
    project
        .run(&[
            "--tool",
            "memcheck,drd",
            "--require",
            "memcheck,drd",
            "--",
            "./app",
        ])
        .assert_passes();
}

fn silent_checker_that_was_observed_passes() {
    let project = TestProject::with_app("gcc -fsanitize=undefined");
    let result = project.run(&["--tool", "ubsan", "--require", "ubsan", "--", "./app"]);
    result.assert_passes();
    assert!(
        result.out.contains("1 process checked, nothing reported"),
        "{}",
        result.out
    );
    // Merging keeps the proof.
    let merge = |options: &[&str]| {
        let args = [&["merge", "run.json"], options].concat();
        common::run(project.path(), &args).out
    };
    let merged = merge(&["--require", "ubsan"]);
    assert!(
        merged.starts_with("pass: ubsan: 1 process checked, nothing reported"),
        "{merged}"
    );
    assert!(merge(&["--require", "asan"]).starts_with("fail: no complete report from asan"));
    project.run(&["--tool", "asan", "--", "./app"]);
    assert!(merge(&[]).starts_with("fail:"), "no process was checked");
}

fn program_without_sanitizer_is_reported() {
    let project = TestProject::with_app("gcc");
    let result = project.run(&["--tool", "asan", "--", "./app", "leak"]);
    result.assert_fails_for("no-evidence");
    assert!(
        result.err.contains("./app was not built with asan"),
        "{}",
        result.err
    );
}

fn missing_checker_gets_install_hint() {
    let project = TestProject::new();
    let nowhere = project.path().display().to_string();
    project.script("app", "exit 0");
    for (tool, how) in [
        ("memcheck", "apt-get install valgrind"),
        ("helgrind", "apt-get install valgrind"),
        ("drd", "apt-get install valgrind"),
        ("miri", "rustup"),
        ("drmemory", "drmemory.org"),
        ("leaks", "macOS"),
        ("appverifier", "Windows SDK"),
    ] {
        let result = project.run_with(&["--tool", tool, "--", "./app"], &[("PATH", &nowhere)]);
        assert_eq!(result.status, 2, "{tool}: {}", result.err);
        assert!(result.err.contains(how), "{tool}: {}", result.err);
    }
    for command in ["./nothing", "nothing"] {
        let result = project.run(&["--", command]);
        assert_eq!(
            (result.status, result.err.contains("program not found")),
            (2, true),
            "{}",
            result.err
        );
    }
}

fn child_processes_have_reports() {
    let project = TestProject::with_app("gcc");
    for mode in ["fork", "exec", "daemon"] {
        let result = project.run(&["--tool", "memcheck", "--", "./app", mode]);
        assert_eq!(
            result.reason_codes(),
            ["unexpected-finding"],
            "{mode}: {}",
            result.out
        );
        assert_eq!(result.findings(), [("memcheck", "leak-definite")], "{mode}");
    }
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    for mode in ["fork", "exec", "daemon"] {
        let result = project.run(&["--tool", "asan", "--", "./app", mode]);
        assert_eq!(
            result.findings(),
            [("lsan", "leak-definite")],
            "{mode}: {}",
            result.out
        );
    }
}

fn replaced_user_option_is_reported() {
    let project = TestProject::with_app("gcc");
    let result = project.run_with(
        &["--", "./app", "leak"],
        &[("VALGRIND_OPTS", "--leak-check=no")],
    );
    result.assert_fails_for("unexpected-finding");
    assert!(
        result
            .err
            .contains("VALGRIND_OPTS: --leak-check=full overrides --leak-check=no"),
        "{}",
        result.err
    );
    for (user, expected) in [("2", "40"), ("13", "13")] {
        let dry = project.run_with(
            &["--dry-run", "--", "./app", "leak"],
            &[("VALGRIND_OPTS", &format!("--num-callers={user}"))],
        );
        let option = format!("--num-callers={expected} ");
        assert!(dry.out.contains(&option), "{}", dry.out);
    }
}

fn warn_only_prints_warning() {
    let project = TestProject::with_app("gcc");
    let result = project.run(&["--warn-only", "--", "./app", "leak"]);
    assert_eq!(result.status, 0);
    assert!(
        result.err.contains("warning: the gate failed")
            && result.reason_codes() == ["unexpected-finding"],
        "{}",
        result.err
    );
    let error = project.run(&["--warn-only", "--tool", "drmemory", "--", "./app"]);
    assert_eq!(error.status, 2);
}

fn missing_command_runs_project_tests() {
    let project = TestProject::new();
    let nothing = project.run(&["--dry-run", "--tool", "memcheck"]);
    assert_eq!(
        (nothing.status, nothing.err.contains("no command given")),
        (2, true),
        "{}",
        nothing.err
    );
    project.write(
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    project.write("src/lib.rs", "");
    let cargo = project.run(&["--dry-run", "--tool", "memcheck"]);
    assert!(
        cargo.out.contains("\ncargo test ") && cargo.err.contains("no command given"),
        "{}{}",
        cargo.out,
        cargo.err
    );
    project.write("go.mod", "module a\n");
    project.write("a_test.go", "package a\n");
    let both = project.run(&["--dry-run", "--tool", "memcheck"]);
    assert!(both.err.contains("run one of:"), "{}", both.err);
}

fn dry_run_runs_nothing() {
    let project = TestProject::new();
    project.script("app", "touch ran");
    let result = project.run(&[
        "--dry-run",
        "--tool",
        "memcheck",
        "--keep-logs",
        "logs",
        "--",
        "./app",
        "a b",
    ]);
    result.assert_passes();
    assert!(
        result.out.contains("--leak-check=full") && result.out.contains("./app 'a b'"),
        "{}",
        result.out
    );
    assert!(!project.path().join("ran").exists() && !project.path().join("logs").exists());
}

fn unnamed_frames_are_symbolized() {
    let project = TestProject::with_app("clang-19 -fsanitize=address");
    let result = project.run_with(
        &["--tool", "asan", "--", "./app", "leak"],
        &[("ASAN_OPTIONS", "symbolize=0")],
    );
    result.assert_fails_for("unexpected-finding");
    assert!(
        result.out.contains("> forget  ") && result.out.contains("app.c:"),
        "{}",
        result.out
    );
}
