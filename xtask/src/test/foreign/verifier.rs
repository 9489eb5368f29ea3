//! Runs `leakgate run` of the program for Windows under Wine, with a stand-in for Application
//! Verifier, which Wine lacks.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use xshell::{Shell, cmd};

use super::Program;
use crate::Outcome;

const APP: &str = include_str!("checked-program.c");
const VERIFIER: &str = include_str!("appverif.c");

/// The program in the folder of a run, as a user may write it: `.exe` is omitted.
const COMMAND: &str = "built here\\my app";

/// A run: what the stand-in does, the status of the program, the status of leakgate, and a text in
/// its output.
const RUNS: &[(&str, &str, i32, &str)] = &[
    ("clean", "0", 0, "appverifier"),
    ("found", "0", 1, "unexpected-finding"),
    ("nothing", "0", 1, "missing-report"),
    ("old", "0", 1, "missing-report"),
    ("clean", "3", 1, "command-failed"),
    ("clean", "-1073741819", 1, "exited with status 0xC0000005"),
    ("not-elevated", "0", 2, "run leakgate as an administrator"),
];

/// Checks the verdicts of all runs, and that the checks of Application Verifier are disabled after
/// each.
pub(super) fn check(sh: &Shell, leakgate: &Program) -> Outcome {
    let tools = tempfile::tempdir()?;
    compile(sh, VERIFIER, &tools.path().join("appverif.exe"))?;
    let app = tools.path().join("app.exe");
    compile(sh, APP, &app)?;
    for (mode, program_status, status, text) in RUNS {
        let folder = tempfile::tempdir()?;
        let programs = folder.path().join("built here");
        fs::create_dir(&programs)?;
        fs::copy(&app, programs.join("my app.exe"))?;
        let run = format!("appverifier: {mode}, program status {program_status}");
        let arguments = ["--keep-logs", "kept logs", "--", COMMAND, program_status];
        let found = run_under_verifier(leakgate, folder.path(), tools.path(), mode, &arguments)?;
        if found.0 != *status || !found.1.contains(text) {
            return Err(format!("{run}: status {}: {}", found.0, found.1).into());
        }
        check_calls(folder.path(), *status == 2).map_err(|error| format!("{run}: {error}"))?;
    }
    refuse_script(leakgate, tools.path())?;
    Ok(check_sanitizer_options(leakgate, &app)?)
}

fn compile(sh: &Shell, source: &str, program: &Path) -> Outcome {
    let file = program.with_extension("c");
    sh.write_file(&file, source)?;
    Ok(cmd!(sh, "x86_64-w64-mingw32-gcc -o {program} {file}").run()?)
}

/// Runs `leakgate run --tool appverifier` in a folder. Returns its status, and its output with the
/// codes of the reasons.
fn run_under_verifier(
    leakgate: &Program,
    folder: &Path,
    tools: &Path,
    mode: &str,
    arguments: &[&str],
) -> Result<(i32, String), Box<dyn std::error::Error>> {
    let report = folder.join("run.json");
    let output = Command::new(&leakgate.command[0])
        .args(&leakgate.command[1..])
        .args(["run", "--tool", "appverifier", "--format", "text"])
        .args(["--format", "json=run.json"])
        .args(arguments)
        .envs(&leakgate.environment)
        .env(
            "WINEPATH",
            format!("Z:{}", tools.display()).replace('/', "\\"),
        )
        .env("VERIFIER", mode)
        .current_dir(folder)
        .output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    if let Ok(report) = fs::read(report) {
        let report: Value = serde_json::from_slice(&report)?;
        text += &report["verdict"]["reasons"].to_string();
    }
    Ok((output.status.code().unwrap_or(-1), text))
}

/// Checks the commands that Application Verifier got. The program has run unless enabling the
/// checks failed.
fn check_calls(folder: &Path, failed_to_enable: bool) -> Result<(), String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let calls = read("calls.txt").replace("\r\n", "\n");
    let enable = "-enable|Heaps|Handles|Locks|Memory|Leak|-for|my app.exe";
    let log = "\\kept logs\\appverifier\\my app.exe.xml";
    let are_expected = match calls.lines().collect::<Vec<_>>().as_slice() {
        [first] => failed_to_enable && *first == enable,
        [first, export, last] => {
            let is_export = export.starts_with("-export|log|-for|my app.exe|-with|To=Z:\\");
            !failed_to_enable
                && *first == enable
                && is_export
                && export.ends_with(log)
                && *last == "-disable|*|-for|my app.exe"
        }
        _ => false,
    };
    if !are_expected {
        return Err(format!("unexpected commands:\n{calls}"));
    }
    match failed_to_enable == folder.join("app.pid").exists() {
        true => Err("the program ran without checks, or not at all".to_owned()),
        false if folder.join("enabled.txt").exists() => Err("the checks stay enabled".to_owned()),
        false => Ok(()),
    }
}

/// Application Verifier checks programs by their file names, and a script runs under the name of
/// its shell.
fn refuse_script(leakgate: &Program, tools: &Path) -> Outcome {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("tests.cmd"), "exit 0\r\n")?;
    let arguments = ["--", ".\\tests.cmd"];
    let (status, text) = run_under_verifier(leakgate, folder.path(), tools, "clean", &arguments)?;
    match status == 2 && text.contains("run an .exe file that contains the tests") {
        true => Ok(()),
        false => Err(format!("appverifier: a script: status {status}: {text}").into()),
    }
}

/// The runtime of AddressSanitizer ends a program on Windows if the leak check is enabled, and a
/// drive's colon separates options unless the path is quoted.
fn check_sanitizer_options(leakgate: &Program, app: &Path) -> Result<(), String> {
    let output = Command::new(&leakgate.command[0])
        .args(&leakgate.command[1..])
        .args(["run", "--dry-run", "--tool", "asan", "--", "./app.exe"])
        .envs(&leakgate.environment)
        .current_dir(app.parent().unwrap_or(app))
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_right = text.contains("log_path=")
        && text.contains("C:\\")
        && !text.contains("log_path=C:")
        && !text.contains("detect_leaks=1");
    match is_right {
        true => Ok(()),
        false => Err(format!("options of AddressSanitizer: {text}")),
    }
}
