//! Builds programs, runs them under their checker and keeps the output.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::matrix::Case;
use super::tools::Tools;
use crate::Outcome;

/// The script that runs the command LINE of a case.
///
/// A process in a fresh PID namespace gets the number after the one written first, so PIDs are the
/// same in every run. Inherited descriptors are closed, because reports would show them. The
/// parentheses keep the shell's own messages ("Segmentation fault") out of the report.
const SCRIPT: &str = "\
    echo 4200 2>/dev/null >/proc/sys/kernel/ns_last_pid
    for open in /proc/self/fd/*; do
        [ ${open##*/} -le 2 ] || eval \"exec ${open##*/}>&-\"
    done
    ( LINE ) >printed 2>&1
    exit $?";

/// Seconds after which a case is stopped; each takes far less.
const TIMEOUT: &str = "120";

/// A folder with the sources and the programs built from them so far.
pub(crate) struct Workshop {
    pub(crate) place: PathBuf,
    /// A command prefix for `sh` that fixes addresses and PIDs.
    prefix: Vec<&'static str>,
    built: BTreeSet<String>,
}

impl Workshop {
    /// Empties the folder `place` and copies the programs there, with the headers of the canary.
    pub(crate) fn open(programs: &Path, place: &str) -> Outcome<Workshop> {
        let place = PathBuf::from(place);
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        copy(programs, &place)?;
        copy(&programs.join("../../canary"), &place.join("canary"))?;
        Ok(Workshop {
            place,
            prefix: deterministic_prefix(),
            built: BTreeSet::new(),
        })
    }

    /// Creates one case in its folder, and returns the exit status of the run.
    pub(super) fn make(&mut self, case: &Case, tools: &Tools, folder: &Path) -> Outcome<i32> {
        self.build(&case.build)?;
        let taken = case.take.as_deref();
        for old in taken.map_or(Ok(Vec::new()), |pattern| self.files(pattern))? {
            fs::remove_file(old)?;
        }
        let (printed, exit) = self
            .run(&case.run)
            .map_err(|error| format!("{}: {error}", case.name))?;
        let reports = match taken {
            None => vec![printed],
            Some(pattern) => {
                let files = self.files(pattern)?;
                files.iter().map(fs::read).collect::<Result<_, _>>()?
            }
        };
        if reports.is_empty() || reports.iter().all(Vec::is_empty) && case.note.is_none() {
            let printed = fs::read(self.place.join("printed"))?;
            let printed = String::from_utf8_lossy(&printed);
            return Err(format!("{}: the run wrote no report: {printed}", case.name).into());
        }
        let files = write_reports(folder, &reports)?;
        fs::write(
            folder.join("case.toml"),
            describe(case, &tools.version(case)?, exit, &files),
        )?;
        Ok(exit)
    }

    pub(crate) fn build(&mut self, command: &str) -> Outcome {
        if self.built.contains(command) {
            return Ok(());
        }
        // Compilers keep the environment, because rustup needs it to find toolchains.
        let output = Command::new("sh")
            .arg("-c")
            .arg(command)
            .current_dir(&self.place)
            .output()?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{command}\n{message}").into());
        }
        self.built.insert(command.to_owned());
        Ok(())
    }

    /// Runs a command line, and returns its output on both streams and its exit status.
    pub(crate) fn run(&self, line: &str) -> Outcome<(Vec<u8>, i32)> {
        let printed = self.place.join("printed");
        let script = SCRIPT.replace("LINE", line);
        let status = Command::new("timeout")
            .args(["--kill-after=5", TIMEOUT])
            .args(&self.prefix)
            .args(["bash", "-c", &script])
            .current_dir(&self.place)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.place)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        match status.code() {
            Some(124 | 137) if !line.contains("timeout") => Err("timed out".into()),
            Some(code) => Ok((fs::read(printed)?, code)),
            None => Err("the shell was killed".into()),
        }
    }

    /// Returns the files in the workshop that match `before*after`, those with lower PIDs first.
    fn files(&self, pattern: &str) -> Outcome<Vec<PathBuf>> {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.place)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let rest = name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            if rest.is_some_and(|rest| rest.is_empty() || pattern.contains('*')) {
                files.push(name);
            }
        }
        files.sort_by_key(|name| (name.len(), name.clone()));
        Ok(files
            .into_iter()
            .map(|name| self.place.join(name))
            .collect())
    }
}

/// Returns a command prefix that fixes addresses and PIDs, as far as the machine allows it. The
/// reports are as good without.
fn deterministic_prefix() -> Vec<&'static str> {
    let as_root = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "setarch",
        "-R",
    ];
    let as_user = ["unshare", "--user", "--map-root-user"]
        .into_iter()
        .chain(as_root[1..].iter().copied());
    let prefixes = [as_root.to_vec(), as_user.collect(), vec!["setarch", "-R"]];
    let works = |prefix: &Vec<&str>| {
        let mut trial = Command::new(prefix[0]);
        trial.args(&prefix[1..]).arg("true").stderr(Stdio::null());
        trial.status().is_ok_and(|status| status.success())
    };
    prefixes.into_iter().find(works).unwrap_or_default()
}

pub(crate) fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Replaces the reports in a folder: `report.txt`, or `report.1.txt` and so on.
pub(super) fn write_reports(folder: &Path, reports: &[Vec<u8>]) -> Outcome<Vec<String>> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("report.") {
            fs::remove_file(entry.path())?;
        }
    }
    let dialect = folder
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default();
    let kind = if dialect.to_string_lossy().ends_with("-xml") {
        "xml"
    } else {
        "txt"
    };
    let mut files = Vec::new();
    for (index, report) in reports.iter().enumerate() {
        let file = match reports.len() {
            1 => format!("report.{kind}"),
            _ => format!("report.{}.{kind}", index + 1),
        };
        fs::write(folder.join(&file), report)?;
        files.push(file);
    }
    Ok(files)
}

fn describe(case: &Case, version: &str, exit: i32, files: &[String]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut lines = vec![
        format!("program = {}", quoted(&case.program)),
        format!("build = {}", quoted(&case.build)),
        format!("run = {}", quoted(&case.run)),
        format!("checker = {}", quoted(&case.checker)),
        format!("version = {}", quoted(version)),
        format!("exit-status = {exit}"),
    ];
    if files.len() > 1 {
        let files = toml::Value::from(files.to_vec());
        lines.push(format!("files = {files}"));
    }
    lines.extend(
        case.note
            .as_ref()
            .map(|note| format!("note = {}", quoted(note))),
    );
    lines.join("\n") + "\n"
}
