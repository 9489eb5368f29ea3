//! Test harnesses: the tests that they start are checked, not the harnesses themselves.

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::Trial;

use crate::common::repository;
use crate::needs::{
    CARGO, CLANG, CMAKE, CTEST, GCC, GO, MESON, NEXTEST, NINJA, Need, PYTHON, VALGRIND, trials,
};
use crate::test_project::TestProject;

const MIRI: Need = Need::Tool("Miri in target/rustup", || miri_home().is_dir());

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/harnesses",
        cargo_test_checks_each_test_binary(VALGRIND, CARGO),
        cargo_test_builds_with_sanitizer(CARGO),
        nextest_report_names_test(VALGRIND, CARGO, NEXTEST),
        ctest_checks_each_test(VALGRIND, CMAKE, CTEST, GCC, CLANG),
        meson_checks_each_test(VALGRIND, MESON, NINJA, GCC),
        python_extension_is_checked(VALGRIND, GCC, PYTHON),
        go_test_keeps_symbols(VALGRIND, GCC, GO),
        go_without_leak_check_passes_with_a_note(GCC, GO),
        miri_leak_fails_unless_accepted(CARGO, MIRI),
    )
}

/// Creates a crate with a unit test that leaks if `LEAK` is set, and an integration test.
fn rust_project() -> TestProject {
    let project = TestProject::new();
    project.write(
        "Cargo.toml",
        "[package]\nname = \"ledger\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    );
    project.write(
        "src/lib.rs",
        "pub fn keep(text: &str) { std::mem::forget(std::hint::black_box(text.to_owned())); }\n\
         #[cfg(test)]\nmod tests {\n    #[test]\n    fn keeps() {\n\
         if std::env::var_os(\"LEAK\").is_some() { super::keep(\"a line that is kept\"); } }\n}\n",
    );
    project.write(
        "tests/other.rs",
        "#[test]\nfn other() { ledger::keep(\"\"); }\n",
    );
    project
}

/// Options for memcheck. The Rust pack accepts a block that libtest sometimes leaks.
const MEMCHECK_OPTIONS: &[&str] = &["--tool", "memcheck", "--pack", "rust-std", "--"];

fn check(project: &TestProject, options: &[&str], command: &[&str], tool: &str) {
    let args = [options, command].concat();
    let home = [(
        "CARGO_TARGET_DIR",
        project.path().join("target").display().to_string(),
    )];
    let sound = project.run_with(&args, &[("CARGO_TARGET_DIR", &home[0].1)]);
    sound.assert_passes();
    let result = project.run_with(
        &args,
        &[
            ("LEAK", "1"),
            ("CARGO_TARGET_DIR", &home[0].1),
            ("MIRIFLAGS", "-Zmiri-env-forward=LEAK"),
        ],
    );
    result.assert_fails_for("unexpected-finding");
    assert!(
        result.findings().contains(&(tool, "leak-definite")),
        "{:?}",
        result.findings()
    );
    assert!(result.out.contains("keep"), "{}", result.out);
}

fn cargo_test_checks_each_test_binary() {
    let project = rust_project();
    check(
        &project,
        MEMCHECK_OPTIONS,
        &["cargo", "test", "-q"],
        "memcheck",
    );
    let nothing =
        project.run(&[MEMCHECK_OPTIONS, &["cargo", "test", "-q", "no_such_test"]].concat());
    nothing.assert_fails_for("no-evidence");
    assert!(nothing.out.contains("ran no test"), "{}", nothing.out);
    let result = project.run(&[MEMCHECK_OPTIONS, &["cargo", "test", "-q"]].concat());
    let commands: Vec<&str> = result.json["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["command"].as_str().unwrap())
        .collect();
    assert!(
        commands.iter().any(|c| c.contains("/ledger-"))
            && commands.iter().any(|c| c.contains("/other-")),
        "{commands:?}"
    );
    assert!(
        commands
            .iter()
            .all(|c| !c.contains("rustc") && !c.contains("bin/cargo")),
        "{commands:?}"
    );
}

fn cargo_test_builds_with_sanitizer() {
    let project = rust_project();
    project.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"has_flags\"]\n",
    );
    project.write(
        "tests/flags.rs",
        "#[test]\nfn flags_of_the_project_stay() { assert!(cfg!(has_flags)); }\n",
    );
    check(
        &project,
        &["--tool", "asan", "--"],
        &["cargo", "test", "-q"],
        "lsan",
    );
}

fn nextest_report_names_test() {
    let project = rust_project();
    check(
        &project,
        MEMCHECK_OPTIONS,
        &["cargo", "nextest", "run"],
        "memcheck",
    );
    let result = project.run_with(
        &[MEMCHECK_OPTIONS, &["cargo", "nextest", "run"]].concat(),
        &[("LEAK", "1")],
    );
    let reports = result.json["reports"].as_array().unwrap();
    assert!(
        reports
            .iter()
            .any(|report| report["command"].as_str().unwrap().contains("tests::keeps")),
        "{reports:?}"
    );
}

fn ctest_checks_each_test() {
    let project = TestProject::with_app("gcc");
    project.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(t C)\nenable_testing()\n\
         add_executable(app2 app.c)\n\
         add_test(NAME sound COMMAND app2 \"x y\")\n\
         add_test(NAME child COMMAND sh -c \"$<TARGET_FILE:app2> $MODE\")\n\
         add_test(NAME lists COMMAND app2 none --list)\n\
         add_test(NAME fails COMMAND app2 fail)\n\
         set_tests_properties(fails PROPERTIES WILL_FAIL 1)\n",
    );
    for args in [&["-S", ".", "-B", "build"][..], &["--build", "build"]] {
        assert!(
            std::process::Command::new("cmake")
                .args(args)
                .current_dir(project.path())
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    let args = ["--tool", "memcheck", "--", "ctest", "--test-dir", "build"];
    let sound = project.run(&args);
    sound.assert_passes();
    // One process for each test, whatever its arguments. The shell is not checked.
    assert_eq!(
        sound.json["reports"].as_array().unwrap().len(),
        4,
        "{}",
        sound.out
    );
    project
        .run_with(&args, &[("MODE", "leak")])
        .assert_fails_for("unexpected-finding");
    let scudo = project.run_with(
        &["--tool", "scudo", "--", "ctest", "--test-dir", "build"],
        &[("MODE", "free-twice")],
    );
    assert!(
        scudo.findings().contains(&("scudo", "double-free")),
        "{}",
        scudo.out
    );
    let failed = project.run_with(&args, &[("MODE", "fail")]);
    assert_eq!(failed.reason_codes(), ["command-failed"], "{}", failed.out);
}

fn meson_checks_each_test() {
    let project = TestProject::with_app("gcc");
    project.write(
        "meson.build",
        "project('t', 'c')\nthread = dependency('threads')\n\
         test('app', executable('app2', 'app.c', dependencies: thread), \
         args: [get_option('mode')])\n",
    );
    project.write(
        "meson_options.txt",
        "option('mode', type: 'string', value: 'none')\n",
    );
    let meson = |args: &[&str]| {
        let output = std::process::Command::new("meson")
            .args(args)
            .current_dir(project.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    };
    meson(&["setup", "build"]);
    let args = ["--tool", "memcheck", "--", "meson", "test", "-C", "build"];
    project.run(&args).assert_passes();
    meson(&["configure", "build", "-Dmode=leak"]);
    project.run(&args).assert_fails_for("unexpected-finding");
}

fn python_extension_is_checked() {
    let project = TestProject::new();
    project.write(
        "ext.c",
        "#include <stdlib.h>\nchar *lost;\nvoid forget(void) { lost = malloc(77); lost = 0; }\n",
    );
    project.build("gcc -shared -fPIC", "ext");
    project.write(
        "use.py",
        "import ctypes, sys\next = ctypes.CDLL('./ext')\nif len(sys.argv) > 1: ext.forget()\n",
    );
    let args = [
        "--tool",
        "memcheck",
        "--pack",
        "python",
        "--third-party",
        "allow",
        "--",
        "/usr/bin/python3",
        "use.py",
    ];
    project.run(&args).assert_passes();
    let result = project.run(&[&args[..], &["leak"]].concat());
    result.assert_fails_for("unexpected-finding");
    assert!(result.out.contains("forget"), "{}", result.out);
}

fn go_test_keeps_symbols() {
    let project = TestProject::new();
    project.write("go.mod", "module ledger\n\ngo 1.18\n");
    project.write(
        "ledger.go",
        "package ledger\n\n/*\n#include <stdlib.h>\n\
         static void *keep(int n) { return malloc(n); }\n*/\nimport \"C\"\n\n\
         func Forget() { C.keep(77) }\n",
    );
    project.write(
        "ledger_test.go",
        "package ledger\n\nimport \"testing\"\n\n\
         func TestForget(t *testing.T) { Forget() }\n",
    );
    let home = project.path().join("cache").display().to_string();
    let args = [
        "--tool", "memcheck", "--pack", "go", "--", "go", "test", "./...",
    ];
    let result = project.run_with(&args, &[("GOCACHE", &home)]);
    result.assert_fails_for("unexpected-finding");
    assert!(
        result.out.contains("leak-definite 77 bytes"),
        "{}",
        result.out
    );
    // go would strip the program.
    for name in ["ledger.go:5", "runtime.asmcgocall"] {
        assert!(result.out.contains(name), "{name} in {}", result.out);
    }
}

/// Programs of Go before 1.25 end without a leak check.
fn go_without_leak_check_passes_with_a_note() {
    let project = TestProject::new();
    project.write("go.mod", "module ledger\n\ngo 1.18\n");
    project.write(
        "ledger.go",
        "package ledger\n\n/*\n#include <stdlib.h>\n\
         static int late(int wrong) { char *p = calloc(8, 1); free(p); return wrong ? p[1] : 0; }\n\
         */\nimport \"C\"\n\n\
         func Use(wrong int) int { return int(C.late(C.int(wrong))) }\n",
    );
    project.write(
        "ledger_test.go",
        "package ledger\n\nimport (\n\"os\"\n\"testing\"\n)\n\n\
         func TestUse(t *testing.T) { Use(len(os.Getenv(\"WRONG\"))) }\n",
    );
    let home = project.path().join("cache").display().to_string();
    let args = ["--tool", "asan", "--", "go", "test", "./..."];
    let result = project.run_with(&args, &[("GOCACHE", &home)]);
    result.assert_passes();
    let version = Command::new("go")
        .args(["env", "GOVERSION"])
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let minor: u32 = version.trim().split('.').nth(1).unwrap().parse().unwrap();
    assert_eq!(
        result
            .err
            .contains("1 Go program ended without a leak check"),
        minor < 25,
        "{}",
        result.err
    );
    let wrong = project.run_with(&args, &[("GOCACHE", &home), ("WRONG", "1")]);
    wrong.assert_fails_for("unexpected-finding");
    assert!(
        wrong.findings().contains(&("asan", "heap-use-after-free")),
        "{:?}",
        wrong.findings()
    );
}

/// Returns the rustup home in which `cargo xtask setup` installs Miri.
fn miri_home() -> PathBuf {
    repository("target/rustup")
}

fn miri_leak_fails_unless_accepted() {
    let home = miri_home().canonicalize().unwrap().display().to_string();
    let project = rust_project();
    let args = ["--tool", "miri", "--", "cargo", "test", "-q", "--lib"];
    let flags = [
        ("RUSTUP_HOME", home.as_str()),
        ("RUSTUP_TOOLCHAIN", "nightly"),
        ("MIRIFLAGS", "-Zmiri-env-forward=LEAK"),
    ];
    let run =
        |args: &[&str], more: &[(&str, &str)]| project.run_with(args, &[&flags[..], more].concat());
    run(&args, &[]).assert_passes();
    let result = run(&args, &[("LEAK", "1")]);
    assert_eq!(
        result.reason_codes(),
        ["unexpected-finding"],
        "{}{}",
        result.out,
        result.err
    );
    assert_eq!(result.findings(), [("miri", "leak-definite")]);
    project.write(
        "leakgate.toml",
        "[[allow]]\nid = \"kept\"\ntools = [\"miri\"]\nkinds = [\"leak-definite\"]\n\
         stack = [\"...\", \"fun:keep\"]\nreason = \"It is kept.\"\n",
    );
    run(&args, &[("LEAK", "1")]).assert_passes();
    // A failing test still fails the command.
    project.write(
        "tests/other.rs",
        "#[test]\nfn wrong() { assert_eq!(1, 2); }\n",
    );
    let all = &args[..args.len() - 1];
    let result = run(all, &[("LEAK", "1")]);
    assert_eq!(
        result.reason_codes(),
        ["command-failed"],
        "{}{}",
        result.out,
        result.err
    );
}
