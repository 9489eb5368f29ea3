//! Names that leakgate gives to frames, held against llvm-symbolizer and against the checkers
//! themselves, over real programs.
//!
//! They need clang, llvm-symbolizer, g++ and a nightly rustc, so `cargo xtask test` runs them,
//! which installs these. `CLANG=clang-14` takes another clang than the newest.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a test"
)]

#[path = "symbolize/programs.rs"]
mod programs;

use std::fs;
use std::path::Path;
use std::process::Command;

use programs::{PROGRAMS, Program, symbolizer};
use serde_json::Value;

/// What leakgate says of a log, as JSON, and at standard error.
fn check(dir: &Path, log: &str, options: &[&str]) -> (Value, String) {
    fs::write(dir.join("run.log"), log).unwrap();
    let mut leakgate = Command::new(assert_cmd::cargo::cargo_bin!("leakgate"));
    let args = ["check", "run.log", "--format", "json", "--no-config"];
    let output = leakgate
        .current_dir(dir)
        .args(args)
        .args(options)
        .env_remove("GITHUB_WORKSPACE")
        .output()
        .unwrap();
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn stacks(document: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .flat_map(|f| f["stacks"].as_array().unwrap())
        .map(|s| s["frames"].as_array().unwrap())
}

/// Function as linkers know it, file, line, column, and whether the next frame has taken it in.
type Shown = (String, String, u64, u64, bool);

fn shown(frame: &Value) -> Shown {
    let name = frame["symbol"]
        .as_str()
        .or(frame["function"].as_str())
        .unwrap_or_default();
    let number = |key: &str| frame[key].as_u64().unwrap_or_default();
    (
        name.to_owned(),
        place(frame["file"].as_str().unwrap_or_default()),
        number("line"),
        number("column"),
        frame["inlined"] == true,
    )
}

/// Versions of llvm-symbolizer put relative folders of a distribution's packages together in
/// different ways.
fn place(file: &str) -> String {
    if file.starts_with('/') {
        file.to_owned()
    } else {
        file.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// The same as llvm-symbolizer says it of a module and an offset, as the sanitizers print it.
fn told(dir: &Path, frame: &Value) -> Vec<Shown> {
    let (module, offset) = (
        frame["module"].as_str().unwrap(),
        frame["offset"].as_str().unwrap(),
    );
    // ThreadSanitizer names only the last part.
    let library = || Path::new("/lib/x86_64-linux-gnu").join(module);
    let path = Some(dir.join(module))
        .filter(|path| path.exists())
        .unwrap_or_else(library);
    let output = Command::new(symbolizer())
        .args([
            "--inlining",
            "--output-style=JSON",
            "--no-demangle",
            "--obj",
        ])
        .args([path.as_os_str(), offset.as_ref()])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let document = document.as_array().map_or(&document, |all| &all[0]);
    let all = document["Symbol"]
        .as_array()
        .unwrap_or_else(|| panic!("{document} of {frame}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |(at, symbol): (usize, &Value)| {
        let name = text(&symbol["FunctionName"]);
        let name = name
            .trim_start_matches('_')
            .strip_prefix("interceptor_")
            .map_or(name.clone(), str::to_owned);
        let file = place(symbol["FileName"].as_str().unwrap_or_default());
        let (line, column) = (
            symbol["Line"].as_u64().unwrap(),
            symbol["Column"].as_u64().unwrap(),
        );
        (name, file, line, column, at + 1 < all.len())
    };
    all.iter().enumerate().map(one).collect()
}

/// Every frame is what llvm-symbolizer says of it. Returns how many had no name before, and how
/// many came from inlined functions.
fn hold_to_llvm(program: &Program, dir: &Path, bare: &Value, named: &Value) -> (usize, usize) {
    let (mut places, mut inlined) = (0, 0);
    for (bare, named) in stacks(bare).zip(stacks(named)) {
        let mut rest = named.iter();
        for frame in bare {
            let mut want = vec![shown(frame)];
            let in_file = frame["module"]
                .as_str()
                .is_some_and(|module| !module.starts_with('['));
            if frame["function"].is_null() && frame["offset"].is_string() && in_file {
                let told = told(dir, frame);
                if told.iter().any(|f| !f.0.is_empty() || !f.1.is_empty()) {
                    want = told;
                }
                places += 1;
                inlined += want.len() - 1;
            }
            let got: Vec<_> = rest.by_ref().take(want.len()).map(shown).collect();
            assert_eq!(got, want, "{}: {frame}", program.name);
        }
        assert_eq!(rest.count(), 0, "{}", program.name);
        let numbers: Vec<_> = named.iter().map(|f| f["index"].as_u64().unwrap()).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{}: {numbers:?}",
            program.name
        );
    }
    (places, inlined)
}

/// What a gate makes of a finding: the fingerprint, the place, and whose the frames of the primary
/// stack are.
fn judged(document: &Value) -> Vec<String> {
    let one = |finding: &Value| {
        let frames = finding["stacks"][0]["frames"].as_array().unwrap();
        // ThreadSanitizer itself leaves the frames beneath `main` and the start of a thread out.
        let is_start = |f: &Value| {
            matches!(
                f["function"].as_str(),
                Some("__libc_start_call_main" | "__tsan_thread_start_func")
            )
        };
        let classes: Vec<_> = frames
            .iter()
            .take_while(|f| !is_start(f))
            .map(|f| &f["class"])
            .collect();
        let at = &finding["location"];
        // The symbolizer within gcc's runtime knows no columns.
        format!(
            "{} {} {} {} {} {classes:?}",
            finding["fingerprint"], at["file"], at["line"], at["function"], at["own"]
        )
    };
    let mut all: Vec<_> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
#[ignore = "needs clang and llvm-symbolizer"]
fn names_are_those_of_llvm_symbolizer_and_verdicts_those_of_a_symbolized_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut inlined_in_all = 0;
    for program in PROGRAMS {
        program.build(dir.path());
        let log = program.run(dir.path(), false);
        let (bare, silence) = check(dir.path(), &log, &[]);
        let (named, notes) = check(dir.path(), &log, &["--symbolize"]);
        assert_eq!(silence, "", "{}", program.name);
        assert!(
            !notes.contains(dir.path().to_str().unwrap()),
            "{}: {notes}",
            program.name
        );
        let (places, inlined) = hold_to_llvm(program, dir.path(), &bare, &named);
        assert!(
            places > 0,
            "{}: there is nothing to name in\n{log}",
            program.name
        );
        inlined_in_all += inlined;

        let (by_checker, _) = check(dir.path(), &program.run(dir.path(), true), &[]);
        assert_eq!(judged(&named), judged(&by_checker), "{}", program.name);
        assert_ne!(judged(&bare), judged(&by_checker), "{}", program.name);
    }
    assert!(
        inlined_in_all > 3,
        "{inlined_in_all} frames of inlined functions are no test of them"
    );
}

#[test]
#[ignore = "needs clang and llvm-symbolizer"]
fn a_program_that_was_built_anew_gives_no_names() {
    let dir = tempfile::tempdir().unwrap();
    let program = &PROGRAMS[0];
    program.build(dir.path());
    let log = program.run(dir.path(), false);
    Program {
        flags: "-g -O1 -w -fsanitize=address",
        ..*program
    }
    .build(dir.path());
    let (bare, _) = check(dir.path(), &log, &[]);
    let (named, notes) = check(dir.path(), &log, &["--symbolize"]);
    let of_program = |document: &Value| {
        stacks(document)
            .flatten()
            .filter(|f| {
                f["module"]
                    .as_str()
                    .is_some_and(|m| m.ends_with("/asan-c++"))
            })
            .count()
    };
    assert_eq!(of_program(&named), of_program(&bare));
    assert_eq!(
        notes
            .matches("another build id than the one in the log")
            .count(),
        1,
        "{notes}"
    );
}

#[test]
#[ignore = "needs clang, llvm-symbolizer and dwz"]
fn debug_information_that_programs_share_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program {
        flags: "-gdwarf-4 -O2 -w -fsanitize=address",
        ..PROGRAMS[1]
    };
    program.build(dir.path());
    let log = program.run(dir.path(), false);
    let (whole, _) = check(dir.path(), &log, &["--symbolize"]);
    let shared = Command::new("sh")
        .current_dir(dir.path())
        .args([
            "-c",
            "cp asan-thread other && dwz -m common -r asan-thread other",
        ])
        .status();
    assert!(shared.unwrap().success());
    let frames = |document: &Value| stacks(document).cloned().collect::<Vec<_>>();
    assert_eq!(
        frames(&check(dir.path(), &log, &["--symbolize"]).0),
        frames(&whole)
    );
    fs::remove_file(dir.path().join("common")).unwrap();
    assert_ne!(
        frames(&check(dir.path(), &log, &["--symbolize"]).0),
        frames(&whole)
    );
}
