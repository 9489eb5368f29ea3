//! Keeps logs of processes that share a pid apart.
//!
//! Checkers name a log after the pid, and truncate an existing log if a process calls exec or if
//! the system reuses a pid. [`LogRotator`] renames each log as soon as it appears; the writer is
//! unaffected, because it keeps its file descriptor.
//!
//! Source: `inotify(7)`; valgrind `coregrind/m_libcprint.c` and compiler-rt `sanitizer_file.cpp`,
//! which open a log with `O_TRUNC`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use leakgate_core::parse::XML_GOES_ON;

use super::child::ProcessIdentity;
use super::log_name::{self, GENERATIONS_DIR};
use crate::error::Error;

/// Name of the file whose creation stops the watching thread.
const STOP_FILE: &str = ".last";

/// The logs of each name in the order of their creation, each with the process that created it, or
/// `None` if that process is unknown.
///
/// A process keeps its identity when it calls exec. Its pid may be reused soon, or may also exist
/// in another pid namespace.
pub(super) type LogGenerations = BTreeMap<String, Vec<Option<ProcessIdentity>>>;

/// Logs after [`LogRotator::finish`].
#[derive(Debug, Default)]
pub(super) struct RestoredLogs {
    /// The logs that existed while the command ran.
    pub(super) generations: LogGenerations,
    /// A message for each log that was removed, cut off, or cannot be restored.
    pub(super) lost: Vec<String>,
}

/// Renames logs as they appear. Does nothing on systems that don't report new files.
#[derive(Debug)]
pub(super) struct LogRotator {
    folder: PathBuf,
    thread: Option<JoinHandle<LogGenerations>>,
}

impl LogRotator {
    /// Starts to watch a folder of logs.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            thread: start(folder),
        }
    }

    /// Moves all logs back to their folder. Logs of one process are joined into one file; logs of
    /// other processes with the same pid get the number of their generation as a prefix.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn finish(self) -> Result<RestoredLogs, Error> {
        let Some(thread) = self.thread else {
            return Ok(RestoredLogs::default());
        };
        let stop_file = self.folder.join(STOP_FILE);
        let error = |e| Error::Write(self.folder.clone(), e);
        // The command may have removed the folder.
        fs::create_dir_all(&self.folder).map_err(error)?;
        File::create(&stop_file).map_err(error)?;
        let generations = thread
            .join()
            .map_err(|_| error(io::Error::other("the thread that rotates logs panicked")))?;
        let _ = fs::remove_file(&stop_file);
        let mut lost = Vec::new();
        let mut is_restored = true;
        for (name, writers) in &generations {
            if let Err(error) = restore(&self.folder, name, writers, &mut lost) {
                lost.push(format!("{name} cannot be restored: {error}"));
                is_restored = false;
            }
        }
        if is_restored {
            let _ = fs::remove_dir_all(self.folder.join(GENERATIONS_DIR));
        }
        Ok(RestoredLogs { generations, lost })
    }
}

impl RestoredLogs {
    /// Returns the process that created the log with this name, or `None` if it is unknown.
    pub(super) fn writer(&self, name: &str) -> Option<ProcessIdentity> {
        let (generation, name) = log_name::generation(name);
        let writers = self.generations.get(name)?;
        let mut processes = writers.chunk_by(|a, b| is_same_process(*a, *b));
        *processes
            .nth(usize::try_from(generation).ok()? - 1)?
            .first()?
    }
}

fn is_same_process(a: Option<ProcessIdentity>, b: Option<ProcessIdentity>) -> bool {
    a.is_some() && a == b
}

/// Returns the message for a log that was removed while the command ran.
pub(super) fn removed_message(name: &str) -> String {
    format!("{name} was removed during the run")
}

/// Returns the path of a log while the command runs. The first generation has index 0.
fn rotated_path(folder: &Path, generation: usize, name: &str) -> PathBuf {
    folder
        .join(GENERATIONS_DIR)
        .join(generation.to_string())
        .join(name)
}

fn restore(
    folder: &Path,
    name: &str,
    writers: &[Option<ProcessIdentity>],
    lost: &mut Vec<String>,
) -> io::Result<()> {
    let paths = (0..writers.len()).map(|generation| rotated_path(folder, generation, name));
    let logs: Vec<(PathBuf, Option<ProcessIdentity>)> =
        paths.zip(writers.iter().copied()).collect();
    let by_process = logs.chunk_by(|(_, a), (_, b)| is_same_process(*a, *b));
    for (index, logs_of_process) in by_process.enumerate() {
        let target = if index == 0 {
            folder.join(name)
        } else {
            folder.join(format!("{}.{name}", index + 1))
        };
        let existing: Vec<&PathBuf> = logs_of_process
            .iter()
            .map(|(path, _)| path)
            .filter(|path| path.exists())
            .collect();
        if existing.len() < logs_of_process.len() {
            lost.push(removed_message(name));
        }
        let Some((first, rest)) = existing.split_first() else {
            continue;
        };
        for next in rest {
            append(first, next, name, lost)?;
        }
        fs::rename(first, target)?;
    }
    Ok(())
}

/// Appends the log that a process wrote after exec to the log before it.
fn append(first: &Path, next: &Path, name: &str, lost: &mut Vec<String>) -> io::Result<()> {
    let mut target = OpenOptions::new().read(true).append(true).open(first)?;
    let mut last_byte = [b'\n'];
    if target.seek(SeekFrom::End(-1)).is_ok() {
        target.read_exact(&mut last_byte)?;
    }
    if last_byte != [b'\n'] {
        lost.push(format!(
            "{name} was overwritten, and the earlier log ends in the middle of a line"
        ));
        target.write_all(b"\n")?;
    }
    if Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "xml")
    {
        writeln!(target, "{XML_GOES_ON}")?;
    }
    io::copy(&mut File::open(next)?, &mut target).map(drop)
}

#[cfg(target_os = "linux")]
fn start(folder: &Path) -> Option<JoinHandle<LogGenerations>> {
    use rustix::fs::inotify;
    fs::create_dir_all(folder.join(GENERATIONS_DIR)).ok()?;
    // If the system's limit on inotify instances is reached, logs are not renamed.
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).ok()?;
    inotify::add_watch(&watch, folder, inotify::WatchFlags::CREATE).ok()?;
    let folder = folder.to_owned();
    Some(std::thread::spawn(move || {
        let mut generations = LogGenerations::new();
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 4096];
        let mut reader = inotify::Reader::new(watch, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return generations,
            };
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                // The folder was removed.
                return generations;
            }
            let Some(name) = event.file_name().and_then(|name| name.to_str().ok()) else {
                // The event queue overflowed. The logs whose events were dropped are in the folder.
                rotate_all(&folder, &mut generations);
                continue;
            };
            if name == STOP_FILE {
                rotate_all(&folder, &mut generations);
                return generations;
            }
            rotate(&folder, name, &mut generations);
        }
    }))
}

#[cfg(not(target_os = "linux"))]
fn start(_: &Path) -> Option<JoinHandle<LogGenerations>> {
    None
}

#[cfg(target_os = "linux")]
fn rotate_all(folder: &Path, generations: &mut LogGenerations) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str() {
            rotate(folder, name, generations);
        }
    }
}

/// Renames a new log, unless its name has no pid or it isn't a regular file.
#[cfg(target_os = "linux")]
fn rotate(folder: &Path, name: &str, generations: &mut LogGenerations) {
    let source = folder.join(name);
    let Some(pid) = log_name::pid(name) else {
        return;
    };
    if !source.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return;
    }
    let writer = super::child::identity(pid);
    let target = rotated_path(folder, generations.get(name).map_or(0, Vec::len), name);
    let renamed = target
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::rename(&source, &target));
    if renamed.is_ok() {
        generations.entry(name.to_owned()).or_default().push(writer);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Creates a log as checkers do, and returns after it was renamed.
    fn create_log(folder: &Path, name: &str) -> File {
        let path = folder.join(name);
        let file = File::create(&path);
        while path.exists() {
            std::thread::yield_now();
        }
        file.expect("a log can be created")
    }

    #[test]
    fn overwritten_log_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let rotator = LogRotator::new(dir.path());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // The process of one log runs and keeps its identity; the process of the other is unknown.
        let known = format!("{}.xml", child.id());
        let mut first = create_log(dir.path(), &known);
        first.write_all(b"one\n").unwrap();
        create_log(dir.path(), "8.xml")
            .write_all(b"other\n")
            .unwrap();
        create_log(dir.path(), &known).write_all(b"two\n").unwrap();
        create_log(dir.path(), "8.xml")
            .write_all(b"another")
            .unwrap();
        first.write_all(b"still one\n").unwrap();
        fs::write(dir.path().join("stdout.txt"), "mine").unwrap();
        let restored = rotator.finish().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let generations = &restored.generations;
        assert_eq!(
            (
                generations[&known].len(),
                generations["8.xml"].len(),
                restored.lost.len()
            ),
            (2, 2, 0)
        );
        let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(
            text(&known),
            format!("one\nstill one\n{XML_GOES_ON}\ntwo\n")
        );
        let writer = |name: &str| restored.writer(name).map(|(pid, _)| pid);
        assert_eq!(writer(&known), Some(child.id()));
        assert_eq!(
            (writer("8.xml"), writer("2.8.xml"), writer("9.xml")),
            (None, None, None)
        );
        assert_eq!(
            (text("8.xml"), text("2.8.xml")),
            ("other\n".into(), "another".into())
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    }

    #[test]
    fn removed_or_cut_log_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let rotator = LogRotator::new(dir.path());
        let removed = format!("san.app.{}", std::process::id());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let cut = format!("san.app.{}", child.id());
        create_log(dir.path(), &cut).write_all(b"cu").unwrap();
        create_log(dir.path(), &cut).write_all(b"whole\n").unwrap();
        create_log(dir.path(), &removed);
        fs::remove_file(rotated_path(dir.path(), 0, &removed)).unwrap();
        let mut lost = rotator.finish().unwrap().lost;
        child.kill().unwrap();
        child.wait().unwrap();
        lost.sort();
        let mut expected = [
            format!("{removed} was removed during the run"),
            format!("{cut} was overwritten, and the earlier log ends in the middle of a line"),
        ];
        expected.sort();
        assert_eq!(lost, expected);
        assert_eq!(
            fs::read_to_string(dir.path().join(&cut)).unwrap(),
            "cu\nwhole\n"
        );
    }

    #[test]
    fn removed_folder_does_not_fail() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("logs");
        fs::create_dir(&folder).unwrap();
        let rotator = LogRotator::new(&folder);
        create_log(&folder, "7.xml");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            rotator.finish().unwrap().lost,
            ["7.xml was removed during the run"]
        );
    }
}
