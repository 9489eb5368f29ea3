//! The time that `leakgate run` adds to the checker: the same command is also run without leakgate.

use std::fs;
use std::path::{Path, PathBuf};

use xshell::cmd;

use super::Bench;
use super::hyperfine::{self, Command};
use super::table::Row;
use crate::Outcome;

/// Shell scripts that run under valgrind: one that ends at once, and one that takes seconds.
const SCRIPTS: &[(&str, &str)] = &[
    ("short", "exit 0"),
    ("long", "i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); done"),
];

/// Milliseconds that `run` may add, however short the program is.
const AIM: f64 = 50.0;

/// Returns the time that `run` adds to memcheck. The canary runs at the same time, so it costs
/// processor time, but no waiting time.
pub(super) fn rows(bench: &Bench<'_>) -> Outcome<Vec<Row>> {
    let sh = bench.sh;
    if cmd!(sh, "valgrind --version").quiet().read().is_err() {
        let why = "valgrind not found; install the package valgrind";
        return Ok(vec![Row::unknown("run, compared with valgrind alone", why)]);
    }
    // A shell of the system isn't checked, because it is no program of the project.
    let program = bench.folder.join("program");
    fs::copy("/bin/sh", &program)?;
    let mut rows = Vec::new();
    for (name, script) in SCRIPTS {
        let alone = Command {
            line: format!(
                "sh '{}'",
                valgrind_alone(bench, &program, script)?.display()
            ),
            exit_codes: &[0],
        };
        let (binary, program) = (bench.binary.display(), program.display());
        let ours = Command {
            line: format!(
                "'{binary}' run --no-config --tool memcheck -- '{program}' -c '{script}'"
            ),
            exit_codes: &[0],
        };
        let export = format!("run-{name}");
        let [ours, alone] = hyperfine::medians(bench, &export, bench.rounds, [ours, alone])?;
        let ours = ours * 1e3;
        let alone = alone * 1e3;
        let aim = AIM.max(0.03 * alone).round();
        let details = format!(
            "{ours:.0} ms, valgrind {alone:.0} ms, {:.3} x",
            ours / alone
        );
        let name = format!("run of a {name} program, beyond valgrind's time");
        rows.push(Row::at_most(&name, aim, ours - alone, "ms").with_details(details));
    }
    Ok(rows)
}

/// Writes the command that leakgate would run into a script, and creates the folder for its
/// reports.
fn valgrind_alone(bench: &Bench<'_>, program: &Path, script: &str) -> Outcome<PathBuf> {
    let sh = bench.sh;
    let binary = &bench.binary;
    let logs = bench.folder.join("run");
    let _ = fs::remove_dir_all(&logs);
    let options = [
        "--no-config",
        "--dry-run",
        "--tool",
        "memcheck",
        "--keep-logs",
    ];
    let text = cmd!(
        sh,
        "{binary} run {options...} {logs} -- {program} -c {script}"
    )
    .quiet()
    .read()?;
    let line = text.lines().find(|line| !line.starts_with('#'));
    let line = line.ok_or("the dry run printed no command")?;
    fs::create_dir_all(logs.join("memcheck"))?;
    let path = bench.folder.join("valgrind.sh");
    fs::write(&path, line)?;
    Ok(path)
}
