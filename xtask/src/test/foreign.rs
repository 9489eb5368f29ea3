//! Runs the program as it is built for other systems: for Windows under Wine, and for 64-bit Arm
//! under qemu. Its JSON reports must be the same as on this system.

mod verifier;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::Need;
use crate::wasm::snapshots::{Case, cases};

/// A system that this one can emulate.
struct System {
    name: &'static str,
    target: &'static str,
    program: &'static str,
    /// Command that runs a program of the system.
    emulator: &'static str,
    /// Environment of the build and of the runs.
    environment: &'static [(&'static str, &'static str)],
    /// Runs every case, every second one, …
    step: usize,
}

const WINDOWS: System = System {
    name: "Windows",
    target: "x86_64-pc-windows-gnu",
    program: "leakgate.exe",
    emulator: "wine",
    environment: &[("WINEDEBUG", "-all"), ("WINEPREFIX", "target/wine")],
    step: 1,
};

const ARM: System = System {
    name: "64-bit Arm",
    target: "aarch64-unknown-linux-musl",
    program: "leakgate",
    emulator: "qemu-aarch64",
    environment: &[
        ("CC_aarch64_unknown_linux_musl", "aarch64-linux-gnu-gcc"),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld"),
    ],
    step: 4,
};

pub(super) const NEEDS: &[Need] = &[
    Need::Target(WINDOWS.target),
    Need::Target(ARM.target),
    Need::Program("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
    Need::Program("wine", "wine"),
    Need::Program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    Need::File(
        "/usr/aarch64-linux-gnu/include/assert.h",
        "libc6-dev-arm64-cross",
    ),
    Need::Program("qemu-aarch64", "qemu-user"),
];

/// Windows has this library. Wine before version 9 doesn't, and the standard library needs it.
const PRNG: &str = "#include <windows.h>\n\
    BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);\n\
    __declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {\n\
    return SystemFunction036(data, (ULONG)size); }\n";

/// A log that passes.
const CLEAN_LOG: &str = "Process 7: 0 leaks for 0 total leaked bytes.\n";

/// Number of processes at the same time.
const THREADS: usize = 4;

/// Builds the program for all systems, and compares its reports on the cases of `snapshots/`.
pub(super) fn check(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo build --workspace --bin leakgate").run()?;
    let native = Program {
        command: vec![sh.current_dir().join("target/debug/leakgate")],
        environment: BTreeMap::new(),
    };
    for system in [WINDOWS, ARM] {
        let foreign = build(sh, &system)?;
        if system.emulator == "wine" {
            add_prng(sh, &system)?;
        }
        let differences = compare(&native, &foreign, &system)?;
        if let Some(first) = differences.first() {
            let count = differences.len();
            return Err(format!("{}: {count} cases differ; {first}", system.name).into());
        }
        if system.emulator == "wine" {
            check_backslashes(&native, &foreign)?;
            check_globs(&foreign)?;
            verifier::check(sh, &foreign)?;
            let stop = cmd!(sh, "wineserver -k").ignore_status();
            stop.envs(&foreign.environment).run()?;
        }
    }
    Ok(())
}

/// A program to run, perhaps under an emulator.
struct Program {
    command: Vec<PathBuf>,
    environment: BTreeMap<String, String>,
}

impl Program {
    /// Checks logs in a folder. Returns the exit code and the JSON report.
    fn check(&self, folder: &Path, logs: &[String]) -> Result<(i32, String), String> {
        let Output { status, stdout, .. } = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(["check", "--format", "json"])
            .args(logs)
            .envs(&self.environment)
            .current_dir(folder)
            .output()
            .map_err(|error| format!("cannot run {}: {error}", self.command[0].display()))?;
        let text = String::from_utf8_lossy(&stdout).replace("\r\n", "\n");
        Ok((status.code().unwrap_or(-1), text))
    }
}

fn build(sh: &Shell, system: &System) -> Result<Program, Box<dyn std::error::Error>> {
    let root = sh.current_dir();
    let variable = |(name, value): &(&str, &str)| {
        let is_path = value.starts_with("target/");
        let path = || root.join(value).display().to_string();
        let value = if is_path { path() } else { (*value).to_owned() };
        ((*name).to_owned(), value)
    };
    let environment: BTreeMap<String, String> = system.environment.iter().map(variable).collect();
    let target = system.target;
    cmd!(
        sh,
        "cargo build --workspace --bin leakgate --target {target}"
    )
    .envs(&environment)
    .run()?;
    let program = root.join(format!("target/{target}/debug/{}", system.program));
    Ok(Program {
        command: vec![PathBuf::from(system.emulator), program],
        environment,
    })
}

/// Adds a library that Wine may lack to the folder of the program.
fn add_prng(sh: &Shell, system: &System) -> Outcome {
    let folder = format!("target/{}/debug", system.target);
    let (source, library) = (
        format!("{folder}/prng.c"),
        format!("{folder}/bcryptprimitives.dll"),
    );
    sh.write_file(&source, PRNG)?;
    let options = ["-shared", "-o", &library, &source, "-ladvapi32"];
    Ok(cmd!(sh, "x86_64-w64-mingw32-gcc {options...}").run()?)
}

/// Returns a description of each case whose reports differ.
fn compare(native: &Program, foreign: &Program, system: &System) -> Result<Vec<String>, String> {
    let cases: Vec<&Case> = cases().iter().step_by(system.step).collect();
    let differences = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        let (differences, failure) = (&differences, &failure);
        for part in cases.chunks(cases.len().div_ceil(THREADS)) {
            scope.spawn(move || {
                for case in part {
                    match compare_case(native, foreign, case) {
                        Ok(None) => {}
                        Ok(Some(difference)) => lock(differences).push(difference),
                        Err(error) => *lock(failure) = Some(error),
                    }
                }
            });
        }
    });
    println!("{}: {} cases compared", system.name, cases.len());
    match lock(&failure).take() {
        Some(error) => Err(error),
        None => Ok(std::mem::take(&mut *lock(&differences))),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Compares a case in a folder outside of the repository, so that neither program looks for it.
fn compare_case(
    native: &Program,
    foreign: &Program,
    case: &Case,
) -> Result<Option<String>, String> {
    let folder = copy(case)?;
    let logs: Vec<String> = case.files.iter().map(|(name, _)| name.clone()).collect();
    let expected = native.check(folder.path(), &logs)?;
    let found = foreign.check(folder.path(), &logs)?;
    if found == expected {
        return Ok(None);
    }
    let at = found
        .1
        .bytes()
        .zip(expected.1.bytes())
        .take_while(|(a, b)| a == b);
    Ok(Some(format!(
        "{}: exit code {} instead of {}, report differs at byte {}",
        case.name,
        found.0,
        expected.0,
        at.count()
    )))
}

fn copy(case: &Case) -> Result<tempfile::TempDir, String> {
    let error = |error: std::io::Error| format!("cannot copy {}: {error}", case.name);
    let folder = tempfile::tempdir().map_err(error)?;
    for (name, content) in &case.files {
        fs::write(folder.path().join(name), content).map_err(error)?;
    }
    Ok(folder)
}

/// Names a log by a path with a drive and backslashes. Only the name in the report may differ.
fn check_backslashes(native: &Program, foreign: &Program) -> Result<(), String> {
    for case in cases().iter().step_by(25) {
        let folder = copy(case)?;
        let name = &case.files[0].0;
        let path = folder.path().join(name).display().to_string();
        let windows_path = format!("Z:{}", path.replace('/', "\\"));
        let expected = native.check(folder.path(), std::slice::from_ref(&path))?;
        let found = foreign.check(folder.path(), std::slice::from_ref(&windows_path))?;
        let escaped = windows_path.replace('\\', "\\\\");
        let renamed = found.1.replace(&escaped, &path);
        if (found.0, &renamed) != (expected.0, &expected.1) {
            return Err(format!(
                "{}: the report of {windows_path} differs",
                case.name
            ));
        }
    }
    Ok(())
}

/// Windows rejects a name with `*`, instead of not finding it.
fn check_globs(foreign: &Program) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let logs = folder.path().join("logs");
    let created = fs::create_dir(&logs).and_then(|()| fs::write(logs.join("a.log"), CLEAN_LOG));
    created.map_err(|error| error.to_string())?;
    for glob in ["logs/*.log", "./logs/*.log", r"logs\*.log", r".\logs\*.log"] {
        let (status, report) = foreign.check(folder.path(), &[glob.to_owned()])?;
        if status != 0 || !report.contains("a.log") {
            return Err(format!("{glob}: exit code {status}"));
        }
    }
    Ok(())
}
