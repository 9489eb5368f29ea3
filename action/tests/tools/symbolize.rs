//! Compares leakgate's symbolization of real programs with llvm-symbolizer and with the checkers.
//!
//! Set `CLANG=clang-14` to use another clang than the newest.

mod programs;

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common;
use crate::needs::{GXX, Need, trials};
use programs::{PROGRAMS, Program, symbolizer};

const CLANG: Need = Need::Tool("clang", || programs::is_installed(programs::clang()));
const DWZ: Need = Need::Program("dwz");
const NIGHTLY: Need = Need::Tool("rustc +nightly", programs::is_nightly_installed);
const READELF: Need = Need::Program("readelf");
const SYMBOLIZER: Need = Need::Tool("llvm-symbolizer", || symbolizer().is_some());

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "symbolize",
        symbolization_matches_llvm_symbolizer_and_checkers(
            CLANG, SYMBOLIZER, GXX, READELF, NIGHTLY
        ),
        rebuilt_program_is_not_used(CLANG, SYMBOLIZER),
        shared_debug_information_is_found(CLANG, SYMBOLIZER, DWZ),
    )
}

/// Runs `leakgate check` on a log. Returns the JSON report and standard error.
fn check(dir: &Path, log: &str, options: &[&str]) -> (Value, String) {
    fs::write(dir.join("run.log"), log).unwrap();
    let args = ["check", "run.log", "--format", "json", "--no-config"];
    let result = common::run(dir, &[&args[..], options].concat());
    (result.json(), result.err)
}

fn stacks(document: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .flat_map(|f| f["stacks"].as_array().unwrap())
        .map(|s| s["frames"].as_array().unwrap())
}

/// Linkage name, file, line, column, and whether the function is inlined into the next frame.
type FrameSummary = (String, String, u64, u64, bool);

fn summarize(frame: &Value) -> FrameSummary {
    let name = frame["symbol"]
        .as_str()
        .or(frame["function"].as_str())
        .unwrap_or_default();
    let number = |key: &str| frame[key].as_u64().unwrap_or_default();
    (
        name.to_owned(),
        comparable_path(frame["file"].as_str().unwrap_or_default()),
        number("line"),
        number("column"),
        frame["inlined"] == true,
    )
}

/// Reduces a relative path to its file name, because versions of llvm-symbolizer join the relative
/// directories of distribution packages in different ways.
fn comparable_path(file: &str) -> String {
    if file.starts_with('/') {
        file.to_owned()
    } else {
        file.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// Symbolizes a module and an offset with llvm-symbolizer, with the options of the sanitizers.
fn symbolize_with_llvm(dir: &Path, frame: &Value) -> Vec<FrameSummary> {
    let module = frame["module"].as_str().unwrap();
    let offset = frame["offset"].as_str().unwrap();
    // ThreadSanitizer prints only the file name.
    let library = || Path::new("/lib/x86_64-linux-gnu").join(module);
    let path = Some(dir.join(module))
        .filter(|path| path.exists())
        .unwrap_or_else(library);
    let output = Command::new(symbolizer().unwrap())
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
        let file = comparable_path(symbol["FileName"].as_str().unwrap_or_default());
        let line = symbol["Line"].as_u64().unwrap();
        let column = symbol["Column"].as_u64().unwrap();
        (name, file, line, column, at + 1 < all.len())
    };
    all.iter().enumerate().map(one).collect()
}

/// Checks that every symbolized frame equals the result of llvm-symbolizer. Returns the number of
/// frames without names and the number of frames of inlined functions.
fn assert_same_as_llvm(
    program: &Program,
    dir: &Path,
    unsymbolized: &Value,
    symbolized: &Value,
) -> (usize, usize) {
    let mut nameless = 0;
    let mut inlined = 0;
    for (before, after) in stacks(unsymbolized).zip(stacks(symbolized)) {
        let mut rest = after.iter();
        for frame in before {
            let mut want = vec![summarize(frame)];
            let in_file = frame["module"]
                .as_str()
                .is_some_and(|module| !module.starts_with('['));
            if frame["function"].is_null() && frame["offset"].is_string() && in_file {
                let by_llvm = symbolize_with_llvm(dir, frame);
                if by_llvm.iter().any(|f| !f.0.is_empty() || !f.1.is_empty()) {
                    want = by_llvm;
                }
                nameless += 1;
                inlined += want.len() - 1;
            }
            let got: Vec<_> = rest.by_ref().take(want.len()).map(summarize).collect();
            assert_eq!(got, want, "{}: {frame}", program.name);
        }
        assert_eq!(rest.count(), 0, "{}", program.name);
        let numbers: Vec<_> = after.iter().map(|f| f["index"].as_u64().unwrap()).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{}: {numbers:?}",
            program.name
        );
    }
    (nameless, inlined)
}

/// Returns the fingerprint, the location and the frame classes of the primary stack of each
/// finding, sorted.
fn gate_view(document: &Value) -> Vec<String> {
    let one = |finding: &Value| {
        let frames = finding["stacks"][0]["frames"].as_array().unwrap();
        // ThreadSanitizer omits the frames below `main` and below the start of a thread.
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
        // The symbolizer in gcc's runtime has no columns.
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

fn symbolization_matches_llvm_symbolizer_and_checkers() {
    let dir = tempfile::tempdir().unwrap();
    let mut total_inlined = 0;
    for program in PROGRAMS {
        program.build(dir.path());
        let log = program.run(dir.path(), false);
        let (unsymbolized, stderr) = check(dir.path(), &log, &[]);
        let (symbolized, notes) = check(dir.path(), &log, &["--symbolize"]);
        assert_eq!(stderr, "", "{}", program.name);
        assert!(
            !notes.contains(dir.path().to_str().unwrap()),
            "{}: {notes}",
            program.name
        );
        let (nameless, inlined) =
            assert_same_as_llvm(program, dir.path(), &unsymbolized, &symbolized);
        assert!(
            nameless > 0,
            "{}: no frames to symbolize in\n{log}",
            program.name
        );
        total_inlined += inlined;

        let (by_checker, _) = check(dir.path(), &program.run(dir.path(), true), &[]);
        assert_eq!(
            gate_view(&symbolized),
            gate_view(&by_checker),
            "{}",
            program.name
        );
        assert_ne!(
            gate_view(&unsymbolized),
            gate_view(&by_checker),
            "{}",
            program.name
        );
    }
    assert!(
        total_inlined > 3,
        "only {total_inlined} frames of inlined functions"
    );
}

fn rebuilt_program_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let program = &PROGRAMS[0];
    program.build(dir.path());
    let log = program.run(dir.path(), false);
    Program {
        flags: "-g -O1 -w -fsanitize=address",
        ..*program
    }
    .build(dir.path());
    let (unsymbolized, _) = check(dir.path(), &log, &[]);
    let (symbolized, notes) = check(dir.path(), &log, &["--symbolize"]);
    let frames_in_program = |document: &Value| {
        stacks(document)
            .flatten()
            .filter(|f| {
                f["module"]
                    .as_str()
                    .is_some_and(|m| m.ends_with("/asan-c++"))
            })
            .count()
    };
    assert_eq!(
        frames_in_program(&symbolized),
        frames_in_program(&unsymbolized)
    );
    assert_eq!(
        notes.matches("another build id than the log").count(),
        1,
        "{notes}"
    );
}

fn shared_debug_information_is_found() {
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
