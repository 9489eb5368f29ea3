//! Each checker on a program that errs, on the same program without the error, and where the
//! checker is not there.

use super::shop::{Shop, has};

const CLANG: &str = "clang-19";

/// On x86-64 it has no tags but by aliases of pages.
const HWASAN: &str = "clang-19 -fsanitize=hwaddress -fsanitize-hwaddress-experimental-aliasing";

/// A checker, how its program is built, what the program does, and what must be found.
struct Case {
    tool: &'static str,
    compiler: &'static str,
    deed: &'static str,
    found: (&'static str, &'static str),
}

const CASES: &[Case] = &[
    Case {
        tool: "memcheck",
        compiler: "gcc",
        deed: "leak",
        found: ("memcheck", "leak-definite"),
    },
    Case {
        tool: "memcheck",
        compiler: "gcc",
        deed: "read",
        found: ("memcheck", "invalid-read"),
    },
    Case {
        tool: "helgrind",
        compiler: "gcc",
        deed: "race",
        found: ("helgrind", "race"),
    },
    Case {
        tool: "drd",
        compiler: "gcc",
        deed: "race",
        found: ("drd", "conflicting-access"),
    },
    Case {
        tool: "asan",
        compiler: "gcc -fsanitize=address",
        deed: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "asan",
        compiler: "clang-19 -fsanitize=address",
        deed: "read",
        found: ("asan", "heap-buffer-overflow"),
    },
    Case {
        tool: "lsan",
        compiler: "clang-19 -fsanitize=leak",
        deed: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "lsan",
        compiler: "gcc -fsanitize=leak",
        deed: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "msan",
        compiler: "clang-19 -fsanitize=memory",
        deed: "uninit",
        found: ("msan", "use-of-uninitialized-value"),
    },
    Case {
        tool: "tsan",
        compiler: "clang-19 -fsanitize=thread",
        deed: "race",
        found: ("tsan", "data-race"),
    },
    Case {
        tool: "ubsan",
        compiler: "clang-19 -fsanitize=undefined",
        deed: "overflow",
        found: ("ubsan", "signed-integer-overflow"),
    },
    Case {
        tool: "ubsan",
        compiler: "gcc -fsanitize=undefined",
        deed: "overflow",
        found: ("ubsan", "signed-integer-overflow"),
    },
    Case {
        tool: "hwasan",
        compiler: HWASAN,
        deed: "leak",
        found: ("lsan", "leak-definite"),
    },
    Case {
        tool: "hwasan",
        compiler: HWASAN,
        deed: "read",
        found: ("hwasan", "tag-mismatch"),
    },
    Case {
        tool: "scudo",
        compiler: "gcc",
        deed: "free-twice",
        found: ("scudo", "double-free"),
    },
    Case {
        tool: "gwp-asan",
        compiler: "gcc",
        deed: "read-freed",
        found: ("gwp-asan", "heap-use-after-free"),
    },
    Case {
        tool: "efence",
        compiler: "gcc",
        deed: "free-twice",
        found: ("efence", "invalid-free"),
    },
];

#[test]
#[ignore = "needs real checkers"]
fn an_error_fails_with_its_report_and_without_and_a_sound_program_passes() {
    if !has(&[
        "valgrind",
        "gcc",
        CLANG,
        "llvm-symbolizer-19",
        "/usr/lib/libefence.so.0",
    ]) {
        return;
    }
    for case in CASES {
        let shop = Shop::with_app(case.compiler);
        let ran = shop.run(&["--tool", case.tool, "--", "./app", case.deed]);
        ran.fails_for("unexpected-finding");
        assert!(
            ran.findings().contains(&case.found),
            "{} {}: {:?}",
            case.tool,
            case.deed,
            ran.findings()
        );
        let sound = shop.run(&["--tool", case.tool, "--", "./app"]);
        sound.passes();
        assert!(
            sound.out.contains("done\n") && sound.findings().is_empty(),
            "{}",
            sound.out
        );
        fails_without_its_report(&shop, case);
    }
}

/// Does something to every log of a checker, wherever it lies.
fn with_logs(deed: &str) -> String {
    format!(
        "find \"$TMPDIR\"/leakgate-*/logs -name '*.xml' -o -name 'san.*' | while read -r log; do {deed}; done"
    )
}

/// An error whose report is gone, or cut, before anybody reads it.
fn fails_without_its_report(shop: &Shop, case: &Case) {
    let temporary = shop
        .write("tmp/empty", "")
        .parent()
        .unwrap()
        .display()
        .to_string();
    let by_itself = ["scudo", "gwp-asan", "efence"].contains(&case.tool);
    for deed in [
        "rm -f \"$log\"",
        "truncate -s $(($(stat -c %s \"$log\") * 2 / 3)) \"$log\"",
    ] {
        let rest = if by_itself {
            "exit $?".into()
        } else {
            with_logs(deed) + "; exit 0"
        };
        shop.script("hide", &format!("./app {} 2>/dev/null; {rest}", case.deed));
        let ran = shop.run_with(
            &["--tool", case.tool, "--", "./hide"],
            &[("TMPDIR", &temporary)],
        );
        assert_eq!(
            ran.status, 1,
            "{} {}, {deed}: {}{}",
            case.tool, case.deed, ran.out, ran.err
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn an_accepted_leak_does_not_fail_by_the_back_door() {
    if !has(&["valgrind", "gcc", CLANG]) {
        return;
    }
    let accepted = "[[allow]]\nid = \"kept\"\nkinds = [\"leak-definite\"]\nstack = [\"...\", \"fun:forget\", \"...\"]\nreason = \"It is kept.\"\n";
    for (tool, compiler) in [
        ("memcheck", "gcc"),
        ("asan", "clang-19 -fsanitize=address"),
        ("lsan", "gcc -fsanitize=leak"),
    ] {
        let shop = Shop::with_app(compiler);
        shop.write("leakgate.toml", accepted);
        shop.run(&["--tool", tool, "--", "./app", "leak"]).passes();
        shop.run(&["--tool", tool, "--", "./app", "fail"])
            .fails_for("command-failed");
    }
}

#[test]
#[ignore = "needs real checkers"]
fn an_error_that_ends_the_program_is_a_failed_command_even_where_it_is_accepted() {
    if !has(&[CLANG]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    shop.write(
        "leakgate.toml",
        "[[allow]]\nid = \"x\"\nkinds = [\"errors\"]\nstack = [\"...\", \"fun:main\", \"...\"]\nreason = \"Known.\"\n",
    );
    let ran = shop.run(&["--tool", "asan", "--", "./app", "read"]);
    assert_eq!(ran.codes(), ["command-failed"], "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn the_checker_follows_from_the_program() {
    if !has(&["valgrind", "gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc -fsanitize=address");
    assert!(
        shop.run(&["./app", "leak"])
            .findings()
            .contains(&("lsan", "leak-definite"))
    );
    shop.build("gcc", "app");
    assert!(
        shop.run(&["./app", "leak"])
            .findings()
            .contains(&("memcheck", "leak-definite"))
    );
}

#[test]
#[ignore = "needs real checkers"]
fn several_checkers_make_one_verdict() {
    if !has(&["valgrind", "gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    let ran = shop.run(&["--tool", "memcheck,drd", "--", "./app", "leak"]);
    ran.fails_for("unexpected-finding");
    assert_eq!(ran.out.matches("done\n").count(), 2);
    let inputs: Vec<&str> = ran.json["inputs"]
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
    shop.run(&[
        "--tool",
        "memcheck,drd",
        "--require",
        "memcheck,drd",
        "--",
        "./app",
    ])
    .passes();
}

#[test]
#[ignore = "needs real checkers"]
fn a_silent_checker_that_was_watched_is_a_proof() {
    if !has(&["gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc -fsanitize=undefined");
    let ran = shop.run(&["--tool", "ubsan", "--require", "ubsan", "--", "./app"]);
    ran.passes();
    assert!(
        ran.out.contains("1 process watched, nothing reported"),
        "{}",
        ran.out
    );
    // As a leg of several runs it proves the same.
    let merge = |options: &[&str]| {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("leakgate"));
        command
            .args(["merge", "run.json"])
            .args(options)
            .current_dir(shop.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let merged = merge(&["--require", "ubsan"]);
    assert!(
        merged.starts_with("pass: ubsan: 1 process watched, nothing reported"),
        "{merged}"
    );
    assert!(merge(&["--require", "asan"]).starts_with("fail: no complete report of asan"));
    shop.run(&["--tool", "asan", "--", "./app"]);
    assert!(merge(&[]).starts_with("fail:"), "nobody was watched");
}

#[test]
#[ignore = "needs real checkers"]
fn what_is_not_built_in_is_said() {
    if !has(&["gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    let ran = shop.run(&["--tool", "asan", "--", "./app", "leak"]);
    ran.fails_for("no-evidence");
    assert!(
        ran.err.contains("./app was not built with asan"),
        "{}",
        ran.err
    );
}

#[test]
#[ignore = "needs real checkers"]
fn a_checker_that_is_missing_can_be_installed() {
    let shop = Shop::new();
    let nowhere = shop.path().display().to_string();
    shop.script("app", "exit 0");
    for (tool, how) in [
        ("memcheck", "apt-get install valgrind"),
        ("helgrind", "apt-get install valgrind"),
        ("drd", "apt-get install valgrind"),
        ("miri", "rustup"),
        ("drmemory", "drmemory.org"),
        ("leaks", "macOS"),
        ("appverifier", "Windows SDK"),
    ] {
        let ran = shop.run_with(&["--tool", tool, "--", "./app"], &[("PATH", &nowhere)]);
        assert_eq!(ran.status, 2, "{tool}: {}", ran.err);
        assert!(ran.err.contains(how), "{tool}: {}", ran.err);
    }
    for command in ["./nothing", "nothing"] {
        let ran = shop.run(&["--", command]);
        assert_eq!(
            (ran.status, ran.err.contains("there is no program")),
            (2, true),
            "{}",
            ran.err
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn children_have_reports_of_their_own() {
    if !has(&["valgrind", "gcc", CLANG]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    for deed in ["fork", "exec", "daemon"] {
        let ran = shop.run(&["--tool", "memcheck", "--", "./app", deed]);
        assert_eq!(ran.codes(), ["unexpected-finding"], "{deed}: {}", ran.out);
        assert_eq!(ran.findings(), [("memcheck", "leak-definite")], "{deed}");
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    for deed in ["fork", "exec", "daemon"] {
        let ran = shop.run(&["--tool", "asan", "--", "./app", deed]);
        assert_eq!(
            ran.findings(),
            [("lsan", "leak-definite")],
            "{deed}: {}",
            ran.out
        );
    }
}

#[test]
#[ignore = "needs real checkers"]
fn what_the_user_set_is_kept_and_what_is_replaced_is_said() {
    if !has(&["valgrind", "gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    let ran = shop.run_with(
        &["--", "./app", "leak"],
        &[("VALGRIND_OPTS", "--leak-check=no --num-callers=2")],
    );
    ran.fails_for("unexpected-finding");
    assert!(
        ran.err
            .contains("--leak-check=no of VALGRIND_OPTS is replaced by --leak-check=full"),
        "{}",
        ran.err
    );
    let frames = ran.json["findings"][0]["stacks"][0]["frames"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(frames, 2);
}

#[test]
#[ignore = "needs real checkers"]
fn to_warn_only_is_said_loudly() {
    if !has(&["valgrind", "gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    let ran = shop.run(&["--warn-only", "--", "./app", "leak"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err.contains("warning: the gate fails") && ran.codes() == ["unexpected-finding"],
        "{}",
        ran.err
    );
    let error = shop.run(&["--warn-only", "--tool", "drmemory", "--", "./app"]);
    assert_eq!(error.status, 2);
}

#[test]
#[ignore = "needs real checkers"]
fn without_a_command_the_tests_of_the_project_are_run() {
    if !has(&["valgrind", "cargo"]) {
        return;
    }
    let shop = Shop::new();
    let nothing = shop.run(&["--dry-run", "--tool", "memcheck"]);
    assert_eq!(
        (
            nothing.status,
            nothing.err.contains("there is no command to run")
        ),
        (2, true),
        "{}",
        nothing.err
    );
    shop.write(
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    shop.write("src/lib.rs", "");
    let cargo = shop.run(&["--dry-run", "--tool", "memcheck"]);
    assert!(
        cargo.out.contains("\ncargo test ") && cargo.err.contains("no command was named"),
        "{}{}",
        cargo.out,
        cargo.err
    );
    shop.write("go.mod", "module a\n");
    shop.write("a_test.go", "package a\n");
    let both = shop.run(&["--dry-run", "--tool", "memcheck"]);
    assert!(both.err.contains("which command?"), "{}", both.err);
}

#[test]
#[ignore = "needs real checkers"]
fn a_dry_run_runs_nothing() {
    if !has(&["valgrind", "gcc"]) {
        return;
    }
    let shop = Shop::new();
    shop.script("app", "touch ran");
    let ran = shop.run(&[
        "--dry-run",
        "--tool",
        "memcheck",
        "--keep-logs",
        "logs",
        "--",
        "./app",
        "a b",
    ]);
    ran.passes();
    assert!(
        ran.out.contains("--leak-check=full") && ran.out.contains("./app 'a b'"),
        "{}",
        ran.out
    );
    assert!(!shop.path().join("ran").exists() && !shop.path().join("logs").exists());
}

#[test]
#[ignore = "needs real checkers"]
fn frames_without_names_get_them() {
    if !has(&[CLANG]) {
        return;
    }
    let shop = Shop::with_app("clang-19 -fsanitize=address");
    let ran = shop.run_with(
        &["--tool", "asan", "--", "./app", "leak"],
        &[("ASAN_OPTIONS", "symbolize=0")],
    );
    ran.fails_for("unexpected-finding");
    assert!(
        ran.out.contains("> forget  ") && ran.out.contains("app.c:"),
        "{}",
        ran.out
    );
}
