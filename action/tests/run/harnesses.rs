//! Programs that run tests: what they start is checked, not they.

use super::shop::{Shop, has};

/// A crate with a test that leaks where `LEAK` is set, and one in a file of its own.
fn rust() -> Shop {
    let shop = Shop::new();
    shop.write(
        "Cargo.toml",
        "[package]\nname = \"ledger\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    );
    shop.write(
        "src/lib.rs",
        "pub fn keep(text: &str) { std::mem::forget(std::hint::black_box(text.to_owned())); }\n\
         #[cfg(test)]\nmod tests {\n    #[test]\n    fn keeps() { if std::env::var_os(\"LEAK\").is_some() { super::keep(\"a line that is kept\"); } }\n}\n",
    );
    shop.write(
        "tests/other.rs",
        "#[test]\nfn other() { ledger::keep(\"\"); }\n",
    );
    shop
}

/// valgrind sees a block of libtest's own now and then, which the pack for Rust knows.
const MEMCHECK: &[&str] = &["--tool", "memcheck", "--pack", "rust-std", "--"];

fn check(shop: &Shop, options: &[&str], command: &[&str], tool: &str) {
    let words = [options, command].concat();
    let home = [(
        "CARGO_TARGET_DIR",
        shop.path().join("target").display().to_string(),
    )];
    let sound = shop.run_with(&words, &[("CARGO_TARGET_DIR", &home[0].1)]);
    sound.passes();
    let ran = shop.run_with(
        &words,
        &[
            ("LEAK", "1"),
            ("CARGO_TARGET_DIR", &home[0].1),
            ("MIRIFLAGS", "-Zmiri-env-forward=LEAK"),
        ],
    );
    ran.fails_for("unexpected-finding");
    assert!(
        ran.findings().contains(&(tool, "leak-definite")),
        "{:?}",
        ran.findings()
    );
    assert!(ran.out.contains("keep"), "{}", ran.out);
}

#[test]
#[ignore = "needs real checkers"]
fn cargo_test_is_checked_test_program_by_test_program() {
    if !has(&["valgrind", "cargo"]) {
        return;
    }
    let shop = rust();
    check(&shop, MEMCHECK, &["cargo", "test", "-q"], "memcheck");
    let nothing = shop.run(&[MEMCHECK, &["cargo", "test", "-q", "no_such_test"]].concat());
    nothing.fails_for("no-evidence");
    assert!(nothing.out.contains("ran no test"), "{}", nothing.out);
    let ran = shop.run(&[MEMCHECK, &["cargo", "test", "-q"]].concat());
    let commands: Vec<&str> = ran.json["reports"]
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

#[test]
#[ignore = "needs real checkers"]
fn cargo_builds_for_a_sanitizer() {
    if !has(&["cargo"]) {
        return;
    }
    let shop = rust();
    shop.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"has_flags\"]\n",
    );
    shop.write(
        "tests/flags.rs",
        "#[test]\nfn flags_of_the_project_stay() { assert!(cfg!(has_flags)); }\n",
    );
    check(
        &shop,
        &["--tool", "asan", "--"],
        &["cargo", "test", "-q"],
        "lsan",
    );
}

#[test]
#[ignore = "needs real checkers"]
fn nextest_tells_which_test() {
    if !has(&["valgrind", "cargo", "cargo-nextest"]) {
        return;
    }
    let shop = rust();
    check(&shop, MEMCHECK, &["cargo", "nextest", "run"], "memcheck");
    let ran = shop.run_with(
        &[MEMCHECK, &["cargo", "nextest", "run"]].concat(),
        &[("LEAK", "1")],
    );
    let reports = ran.json["reports"].as_array().unwrap();
    assert!(
        reports
            .iter()
            .any(|report| report["command"].as_str().unwrap().contains("tests::keeps")),
        "{reports:?}"
    );
}

#[test]
#[ignore = "needs real checkers"]
fn ctest_is_checked_test_by_test() {
    if !has(&["valgrind", "cmake", "ctest", "gcc", "clang-19"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    shop.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(t C)\nenable_testing()\nadd_executable(app2 app.c)\n\
         add_test(NAME sound COMMAND app2 \"x y\")\nadd_test(NAME child COMMAND sh -c \"$<TARGET_FILE:app2> $DEED\")\n\
         add_test(NAME lists COMMAND app2 none --list)\nadd_test(NAME fails COMMAND app2 fail)\nset_tests_properties(fails PROPERTIES WILL_FAIL 1)\n",
    );
    for words in [&["-S", ".", "-B", "build"][..], &["--build", "build"]] {
        assert!(
            std::process::Command::new("cmake")
                .args(words)
                .current_dir(shop.path())
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    let words = ["--tool", "memcheck", "--", "ctest", "--test-dir", "build"];
    let sound = shop.run(&words);
    sound.passes();
    // The shell and its program, and one process each for the others, whatever their arguments.
    assert!(
        sound.json["reports"].as_array().unwrap().len() >= 5,
        "{}",
        sound.out
    );
    shop.run_with(&words, &[("DEED", "leak")])
        .fails_for("unexpected-finding");
    let scudo = shop.run_with(
        &["--tool", "scudo", "--", "ctest", "--test-dir", "build"],
        &[("DEED", "free-twice")],
    );
    assert!(
        scudo.findings().contains(&("scudo", "double-free")),
        "{}",
        scudo.out
    );
    let failed = shop.run_with(&words, &[("DEED", "fail")]);
    assert_eq!(failed.codes(), ["command-failed"], "{}", failed.out);
}

#[test]
#[ignore = "needs real checkers"]
fn meson_is_checked_test_by_test() {
    if !has(&["valgrind", "meson", "ninja", "gcc"]) {
        return;
    }
    let shop = Shop::with_app("gcc");
    shop.write("meson.build", "project('t', 'c')\nthread = dependency('threads')\ntest('app', executable('app2', 'app.c', dependencies: thread), args: [get_option('deed')])\n");
    shop.write(
        "meson_options.txt",
        "option('deed', type: 'string', value: 'none')\n",
    );
    let meson = |words: &[&str]| {
        let output = std::process::Command::new("meson")
            .args(words)
            .current_dir(shop.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    };
    meson(&["setup", "build"]);
    let words = ["--tool", "memcheck", "--", "meson", "test", "-C", "build"];
    shop.run(&words).passes();
    meson(&["configure", "build", "-Ddeed=leak"]);
    shop.run(&words).fails_for("unexpected-finding");
}

#[test]
#[ignore = "needs real checkers"]
fn python_runs_under_the_checker_with_its_extensions() {
    if !has(&["valgrind", "gcc", "python3"]) {
        return;
    }
    let shop = Shop::new();
    shop.write(
        "ext.c",
        "#include <stdlib.h>\nchar *lost;\nvoid forget(void) { lost = malloc(77); lost = 0; }\n",
    );
    shop.build("gcc -shared -fPIC", "ext");
    shop.write(
        "use.py",
        "import ctypes, sys\next = ctypes.CDLL('./ext')\nif len(sys.argv) > 1: ext.forget()\n",
    );
    let words = [
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
    shop.run(&words).passes();
    let ran = shop.run(&[&words[..], &["leak"]].concat());
    ran.fails_for("unexpected-finding");
    assert!(ran.out.contains("forget"), "{}", ran.out);
}

/// Where the set-up puts Miri.
fn miri() -> Option<String> {
    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/rustup");
    if !home.is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI needs Miri in {}",
            home.display()
        );
        eprintln!("passed over: there is no Miri");
        return None;
    }
    Some(home.canonicalize().unwrap().display().to_string())
}

#[test]
#[ignore = "needs real checkers"]
fn miri_tells_of_a_leak_and_an_accepted_one_passes() {
    if !has(&["cargo"]) {
        return;
    }
    let Some(home) = miri() else { return };
    let shop = rust();
    let words = ["--tool", "miri", "--", "cargo", "test", "-q", "--lib"];
    let flags = [
        ("RUSTUP_HOME", home.as_str()),
        ("RUSTUP_TOOLCHAIN", "nightly"),
        ("MIRIFLAGS", "-Zmiri-env-forward=LEAK"),
    ];
    let run =
        |words: &[&str], more: &[(&str, &str)]| shop.run_with(words, &[&flags[..], more].concat());
    run(&words, &[]).passes();
    let ran = run(&words, &[("LEAK", "1")]);
    assert_eq!(
        ran.codes(),
        ["unexpected-finding"],
        "{}{}",
        ran.out,
        ran.err
    );
    assert_eq!(ran.findings(), [("miri", "leak-definite")]);
    shop.write(
        "leakgate.toml",
        "[[allow]]\nid = \"kept\"\ntools = [\"miri\"]\nkinds = [\"leak-definite\"]\nstack = [\"...\", \"fun:keep\"]\nreason = \"It is kept.\"\n",
    );
    run(&words, &[("LEAK", "1")]).passes();
    // A test that fails beside it is not excused.
    shop.write(
        "tests/other.rs",
        "#[test]\nfn wrong() { assert_eq!(1, 2); }\n",
    );
    let all = &words[..words.len() - 1];
    let ran = run(all, &[("LEAK", "1")]);
    assert_eq!(ran.codes(), ["command-failed"], "{}{}", ran.out, ran.err);
}
