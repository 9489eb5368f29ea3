//! Builds programs, runs them under their checker and keeps what was printed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::matrix::Case;
use super::tools::Tools;
use crate::Outcome;

/// How the command LINE of a case is run.
///
/// A process of a fresh PID namespace gets the number after the one written first, so PIDs repeat.
/// Descriptors that this machine left open must not show in reports. The parentheses keep the
/// shell's own remarks ("Segmentation fault") out of the report.
const SCRIPT: &str = "\
    echo 4200 2>/dev/null >/proc/sys/kernel/ns_last_pid
    for open in /proc/self/fd/*; do
        [ ${open##*/} -le 2 ] || eval \"exec ${open##*/}>&-\"
    done
    ( LINE ) >printed 2>&1
    exit $?";

/// No case runs nearly as long as this many seconds.
const PATIENCE: &str = "120";

/// A folder with the sources and whatever has been built of them so far.
pub(crate) struct Workshop {
    pub(crate) place: PathBuf,
    /// What goes before `sh` so that addresses and PIDs are the same next time.
    still: Vec<&'static str>,
    built: BTreeSet<String>,
}

impl Workshop {
    /// Starts from nothing in the folder `place`, with a copy of the programs.
    pub(crate) fn open(programs: &Path, place: &str) -> Outcome<Workshop> {
        let place = PathBuf::from(place);
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        copy(programs, &place)?;
        Ok(Workshop {
            place,
            still: stillness(),
            built: BTreeSet::new(),
        })
    }

    /// Makes one case in its folder; returns the exit status of the run.
    pub(super) fn make(&mut self, case: &Case, tools: &Tools, folder: &Path) -> Outcome<i32> {
        self.build(&case.build)?;
        let taken = case.take.as_deref();
        for old in taken.map_or(Ok(Vec::new()), |pattern| self.left(pattern))? {
            fs::remove_file(old)?;
        }
        let (printed, exit) = self
            .run(&case.run)
            .map_err(|error| format!("{}: {error}", case.name))?;
        let reports = match taken {
            None => vec![printed],
            Some(pattern) => {
                let files = self.left(pattern)?;
                files.iter().map(fs::read).collect::<Result<_, _>>()?
            }
        };
        if reports.is_empty() || reports.iter().all(Vec::is_empty) && case.note.is_none() {
            let said = String::from_utf8_lossy(&fs::read(self.place.join("printed"))?).into_owned();
            return Err(format!("{}: the run left no report: {said}", case.name).into());
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
        // Compilers keep their environment: rustup finds toolchains through it.
        let output = Command::new("sh")
            .arg("-c")
            .arg(command)
            .current_dir(&self.place)
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{command}\n{said}").into());
        }
        self.built.insert(command.to_owned());
        Ok(())
    }

    /// Runs a command line; returns what it printed on both streams, and its exit status.
    pub(crate) fn run(&self, line: &str) -> Outcome<(Vec<u8>, i32)> {
        let printed = self.place.join("printed");
        let script = SCRIPT.replace("LINE", line);
        let status = Command::new("timeout")
            .args(["--kill-after=5", PATIENCE])
            .args(&self.still)
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
            Some(124 | 137) if !line.contains("timeout") => Err("ran too long".into()),
            Some(code) => Ok((fs::read(printed)?, code)),
            None => Err("the shell was killed".into()),
        }
    }

    /// The files in the workshop whose name fits `before*after`, those of lower PIDs first.
    fn left(&self, pattern: &str) -> Outcome<Vec<PathBuf>> {
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

/// Fixed addresses and PIDs where the machine allows it; the reports are as good without.
fn stillness() -> Vec<&'static str> {
    let own = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "setarch",
        "-R",
    ];
    let user = ["unshare", "--user", "--map-root-user"]
        .into_iter()
        .chain(own[1..].iter().copied());
    let ways = [own.to_vec(), user.collect(), vec!["setarch", "-R"]];
    let works = |way: &Vec<&str>| {
        let mut trial = Command::new(way[0]);
        trial.args(&way[1..]).arg("true").stderr(Stdio::null());
        trial.status().is_ok_and(|status| status.success())
    };
    ways.into_iter().find(works).unwrap_or_default()
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

/// Writes `report.txt`, or `report.1.txt` and so on, in place of those of last time.
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
