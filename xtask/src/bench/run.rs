//! What `leakgate run` costs beside the checker that it starts: the same command, with the same
//! options, by hand.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure;
use super::table::Row;
use crate::Outcome;

/// Programs of the shell: one that does nothing, and one that works for seconds under valgrind.
const SHORT: &str = "exit 0";
const LONG: &str = "i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); done";

/// So many milliseconds are nothing, however short the program.
const AIM: f64 = 50.0;

/// The figures of memcheck; the canary is sent meanwhile, and so takes a processor's time and not
/// the user's.
pub(super) fn rows(binary: &Path, folder: &Path, rounds: usize) -> Outcome<Vec<Row>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(vec![Row::unknown(
            "run, beside valgrind by hand",
            "there is no valgrind",
        )]);
    }
    let mut rows = Vec::new();
    for (name, script) in [("that ends at once", SHORT), ("of some seconds", LONG)] {
        let by_hand = by_hand(binary, folder, script)?;
        let ours = || {
            let mut command = Command::new(binary);
            command.args([
                "run",
                "--no-config",
                "--tool",
                "memcheck",
                "--",
                "sh",
                "-c",
                script,
            ]);
            command
        };
        let theirs = || {
            let mut command = Command::new("sh");
            command.args(["-c", &by_hand]);
            command
        };
        let pair = measure::in_turns(ours, theirs, rounds)?;
        let (ours, theirs) = (
            pair.ours.as_secs_f64() * 1e3,
            pair.theirs.as_secs_f64() * 1e3,
        );
        let what = format!("run of a program {name}, beyond valgrind's time");
        let aim = AIM.max(0.03 * theirs);
        rows.push(
            Row::at_most(&what, aim.round(), ours - theirs, "ms").with(format!(
                "{ours:.0} ms, valgrind {theirs:.0} ms, {:.3} x",
                pair.ratio
            )),
        );
    }
    Ok(rows)
}

/// The command that leakgate would run, with a folder for its reports.
fn by_hand(binary: &Path, folder: &Path, script: &str) -> Outcome<String> {
    let logs = folder.join("run");
    let _ = fs::remove_dir_all(&logs);
    let mut command = Command::new(binary);
    command
        .args([
            "run",
            "--no-config",
            "--dry-run",
            "--tool",
            "memcheck",
            "--keep-logs",
        ])
        .arg(&logs)
        .args(["--", "sh", "-c", script]);
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text
        .lines()
        .find(|line| !line.starts_with('#'))
        .ok_or("a dry run tells no command")?;
    fs::create_dir_all(logs.join("memcheck"))?;
    Ok(line.to_owned())
}
