//! Keeps the logs of processes that have one number apart. Checkers name a log by its process, and
//! begin it anew where the process goes on as another program (`exec`) or where the system gives
//! its number to another: each log is moved aside as soon as it is there, which who writes it does
//! not notice.
//!
//! Source: `inotify(7)`; valgrind `coregrind/m_libcprint.c` and compiler-rt `sanitizer_file.cpp`,
//! which open a log with `O_TRUNC`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use leakgate_core::XML_GOES_ON;

use super::child::Identity;
use super::collect::process;
use crate::error::Error;

/// Where logs are kept while the command runs: one folder for the first of each name, one for the
/// second, and so on.
const PARTS: &str = ".parts";

/// Appears when nothing more is to come.
const LAST: &str = ".last";

/// The logs of each name, one after the other, each with who began it, where that is known. A
/// process that becomes another program stays what it is; its number may be another's, before long
/// or in a namespace of its own.
pub(super) type Parts = BTreeMap<String, Vec<Option<Identity>>>;

/// Somebody who moves logs aside, where the system tells of new files.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    thread: Option<JoinHandle<Parts>>,
}

impl Keeper {
    /// Begins with a folder of logs.
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            thread: start(folder),
        }
    }

    /// Puts all logs back, those of one name one after the other; tells in words of those that are
    /// gone or have no end.
    ///
    /// # Errors
    /// Nothing can be written.
    pub(super) fn finish(self) -> Result<(Parts, Vec<String>), Error> {
        let Some(thread) = self.thread else {
            return Ok((Parts::new(), Vec::new()));
        };
        let last = self.folder.join(LAST);
        let error = |e| Error::Write(self.folder.clone(), e);
        // A command may have removed the folder.
        fs::create_dir_all(&self.folder).map_err(error)?;
        File::create(&last).map_err(error)?;
        let parts = thread
            .join()
            .map_err(|_| error(io::Error::other("nobody kept the logs")))?;
        let _ = fs::remove_file(&last);
        let (mut lost, mut is_whole) = (Vec::new(), true);
        for (name, writers) in &parts {
            if let Err(error) = put_back(&self.folder, name, writers, &mut lost) {
                lost.push(format!("{name} could not be kept: {error}"));
                is_whole = false;
            }
        }
        if is_whole {
            let _ = fs::remove_dir_all(self.folder.join(PARTS));
        }
        Ok((parts, lost))
    }
}

/// Which of several processes with one number a log is of, and its name without that: `2.41.xml`,
/// `2.san.app.41`.
pub(super) fn generation(name: &str) -> (u32, &str) {
    let of = |(number, rest): (&str, _)| Some((number.parse().ok()?, rest));
    name.split_once('.')
        .filter(|(_, rest)| process(rest).is_some())
        .and_then(of)
        .unwrap_or((1, name))
}

/// The name of a log without the folder in which it is kept.
pub(super) fn plain(name: &str) -> &str {
    let kept = name
        .strip_prefix(PARTS)
        .and_then(|rest| rest.strip_prefix('/')?.split_once('/'));
    kept.map_or(name, |(_, name)| name)
}

fn part(folder: &Path, number: usize, name: &str) -> PathBuf {
    folder.join(PARTS).join(number.to_string()).join(name)
}

fn put_back(
    folder: &Path,
    name: &str,
    writers: &[Option<Identity>],
    lost: &mut Vec<String>,
) -> io::Result<()> {
    let paths = (0..writers.len()).map(|number| part(folder, number, name));
    let all: Vec<(PathBuf, Option<Identity>)> = paths.zip(writers.iter().copied()).collect();
    let of_one = all.chunk_by(|(_, a), (_, b)| a.is_some() && a == b);
    for (number, of_one) in of_one.enumerate() {
        let to = if number == 0 {
            folder.join(name)
        } else {
            folder.join(format!("{}.{name}", number + 1))
        };
        let there: Vec<&PathBuf> = of_one
            .iter()
            .map(|(path, _)| path)
            .filter(|path| path.exists())
            .collect();
        if there.len() < of_one.len() {
            lost.push(format!("{name} was there, and is gone"));
        }
        let Some((first, rest)) = there.split_first() else {
            continue;
        };
        for next in rest {
            append(first, next, name, lost)?;
        }
        fs::rename(first, to)?;
    }
    Ok(())
}

fn append(first: &Path, next: &Path, name: &str, lost: &mut Vec<String>) -> io::Result<()> {
    let mut to = OpenOptions::new().read(true).append(true).open(first)?;
    let mut end = [b'\n'];
    if to.seek(SeekFrom::End(-1)).is_ok() {
        to.read_exact(&mut end)?;
    }
    if end != [b'\n'] {
        lost.push(format!(
            "{name} was begun anew, and ended within a line before"
        ));
        to.write_all(b"\n")?;
    }
    if Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "xml")
    {
        writeln!(to, "{XML_GOES_ON}")?;
    }
    io::copy(&mut File::open(next)?, &mut to).map(drop)
}

#[cfg(target_os = "linux")]
fn start(folder: &Path) -> Option<JoinHandle<Parts>> {
    use rustix::fs::inotify;
    fs::create_dir_all(folder.join(PARTS)).ok()?;
    // Where the system has no more of them, logs stay where they are.
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).ok()?;
    inotify::add_watch(&watch, folder, inotify::WatchFlags::CREATE).ok()?;
    let folder = folder.to_owned();
    Some(std::thread::spawn(move || {
        let mut parts = Parts::new();
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 4096];
        let mut reader = inotify::Reader::new(watch, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return parts,
            };
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                // The folder is gone.
                return parts;
            }
            let Some(name) = event.file_name().and_then(|name| name.to_str().ok()) else {
                // Too many came at once, and those that were left out are there.
                sweep(&folder, &mut parts);
                continue;
            };
            if name == LAST {
                sweep(&folder, &mut parts);
                return parts;
            }
            set_aside(&folder, name, &mut parts);
        }
    }))
}

#[cfg(not(target_os = "linux"))]
fn start(_: &Path) -> Option<JoinHandle<Parts>> {
    None
}

#[cfg(target_os = "linux")]
fn sweep(folder: &Path, parts: &mut Parts) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str() {
            set_aside(folder, name, parts);
        }
    }
}

#[cfg(target_os = "linux")]
fn set_aside(folder: &Path, name: &str, parts: &mut Parts) {
    let from = folder.join(name);
    if process(name).is_none() || !from.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return;
    }
    let writer = process(name).and_then(super::child::identity);
    let to = part(folder, parts.get(name).map_or(0, Vec::len), name);
    let moved = to
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::rename(&from, &to));
    if moved.is_ok() {
        parts.entry(name.to_owned()).or_default().push(writer);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Begins a log as checkers do, and goes on when it was moved.
    fn begin(folder: &Path, name: &str) -> File {
        let path = folder.join(name);
        let file = File::create(&path);
        while path.exists() {
            std::thread::yield_now();
        }
        file.expect("a log can be begun")
    }

    #[test]
    fn a_log_that_is_begun_anew_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::of(dir.path());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // One that runs and stays what it is, and one of which nobody knows.
        let own = format!("{}.xml", child.id());
        let mut first = begin(dir.path(), &own);
        first.write_all(b"one\n").unwrap();
        begin(dir.path(), "8.xml").write_all(b"other\n").unwrap();
        begin(dir.path(), &own).write_all(b"two\n").unwrap();
        begin(dir.path(), "8.xml").write_all(b"another").unwrap();
        first.write_all(b"still one\n").unwrap();
        fs::write(dir.path().join("stdout.txt"), "mine").unwrap();
        let (parts, lost) = keeper.finish().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            (parts[&own].len(), parts["8.xml"].len(), lost.len()),
            (2, 2, 0)
        );
        let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(text(&own), format!("one\nstill one\n{XML_GOES_ON}\ntwo\n"));
        assert_eq!(
            (text("8.xml"), text("2.8.xml")),
            ("other\n".into(), "another".into())
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    }

    #[test]
    fn what_is_deleted_or_cut_on_the_way_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::of(dir.path());
        let name = format!("san.app.{}", std::process::id());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let own = format!("san.app.{}", child.id());
        begin(dir.path(), &own).write_all(b"cu").unwrap();
        begin(dir.path(), &own).write_all(b"whole\n").unwrap();
        begin(dir.path(), &name);
        fs::remove_file(part(dir.path(), 0, &name)).unwrap();
        let (_, mut lost) = keeper.finish().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        lost.sort();
        let mut expected = [
            format!("{name} was there, and is gone"),
            format!("{own} was begun anew, and ended within a line before"),
        ];
        expected.sort();
        assert_eq!(lost, expected);
        assert_eq!(
            fs::read_to_string(dir.path().join(&own)).unwrap(),
            "cu\nwhole\n"
        );
    }

    #[test]
    fn several_processes_of_one_number_are_told_apart() {
        for (name, expected) in [
            ("41.xml", (1, "41.xml")),
            ("2.41.xml", (2, "41.xml")),
            ("san.a.41", (1, "san.a.41")),
            ("3.san.a.41", (3, "san.a.41")),
        ] {
            assert_eq!(generation(name), expected);
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_no_end() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("logs");
        fs::create_dir(&folder).unwrap();
        let keeper = Keeper::of(&folder);
        begin(&folder, "7.xml");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(keeper.finish().unwrap().1, ["7.xml was there, and is gone"]);
    }

    #[test]
    fn names_stand_for_logs_wherever_they_are_kept() {
        for (name, expected) in [
            (".parts/0/san.a.7", "san.a.7"),
            ("7.xml", "7.xml"),
            ("app.7/results.txt", "app.7/results.txt"),
        ] {
            assert_eq!(plain(name), expected);
        }
    }
}
