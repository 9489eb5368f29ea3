//! Writes to standard output, standard error and files. Files are written completely or not at
//! all.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use leakgate_core::emit;

use crate::args::ReportTarget;
use crate::error::Error;

/// A function that writes text, such as a report.
pub(crate) trait WriteText: FnOnce(&mut dyn fmt::Write) -> fmt::Result {}

impl<F: FnOnce(&mut dyn fmt::Write) -> fmt::Result> WriteText for F {}

/// Writes text to a stream of bytes, so that a large report is never in memory as a whole.
struct TextWriter<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> fmt::Write for TextWriter<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

/// Size of the buffer of a stream, in bytes.
const BUFFER: usize = 1 << 16;

/// Writes text to a stream of bytes.
fn write_text(out: impl Write, text: impl WriteText) -> io::Result<()> {
    let mut writer = TextWriter {
        out: io::BufWriter::with_capacity(BUFFER, out),
        error: None,
    };
    match text(&mut writer) {
        Ok(()) => writer.out.flush(),
        Err(fmt::Error) => Err(writer
            .error
            .unwrap_or_else(|| io::Error::other("the text could not be formatted"))),
    }
}

/// Writes text to standard output. A closed pipe (`| head`) is not an error.
pub(crate) fn stdout(text: &str) -> Result<(), Error> {
    stdout_from(|out| out.write_str(text))
}

/// Writes text for people to standard output. In a terminal, long lines are wrapped.
pub(crate) fn stdout_wrapped(text: &str) -> Result<(), Error> {
    stdout(&emit::wrap(text, width().unwrap_or(usize::MAX)))
}

/// Like [`stdout`], for text that is written in parts.
pub(crate) fn stdout_from(text: impl WriteText) -> Result<(), Error> {
    // anstream searches the text for colors, which takes longer than to write it.
    let written = match use_color() {
        true => write_text(anstream::stdout().lock(), text),
        false => write_text(io::stdout().lock(), text),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write("standard output".into(), error))
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(
        anstream::stderr(),
        "{}",
        leakgate_core::emit::terminal(text)
    );
}

/// Returns true if text on standard output should have colors.
pub(crate) fn use_color() -> bool {
    match anstream::ColorChoice::global() {
        anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
        anstream::ColorChoice::Never => false,
        anstream::ColorChoice::Auto => {
            io::stdout().is_terminal()
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

/// Returns the width of standard output in columns: the variable `COLUMNS`, or else the terminal's
/// width. `None` if standard output isn't a terminal, or if the width is unknown.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    #[cfg(not(target_os = "wasi"))]
    let terminal = terminal_size::terminal_size_of(io::stdout());
    // Node knows the width, and writes it into `COLUMNS`.
    #[cfg(target_os = "wasi")]
    let terminal = terminal_size::terminal_size();
    let terminal = terminal.map(|(width, _)| usize::from(width.0));
    choose_width(std::env::var("COLUMNS").ok().as_deref(), terminal)
}

/// Returns the value of `COLUMNS` or, if it's no positive number, the width that the terminal
/// states. Terminals of unknown width state zero.
fn choose_width(columns: Option<&str>, terminal: Option<usize>) -> Option<usize> {
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    columns
        .filter(|width| *width > 0)
        .or(terminal)
        .filter(|width| *width > 0)
}

/// Checks that no report would overwrite an input file.
///
/// # Errors
/// Returns an error that names the first input file that would be overwritten.
pub(crate) fn ensure_inputs_not_overwritten<'a>(
    inputs: impl IntoIterator<Item = &'a PathBuf>,
    targets: &[ReportTarget],
) -> Result<(), Error> {
    let canonical = |path: &Path| path.canonicalize().ok();
    let outputs: Vec<_> = targets
        .iter()
        .filter_map(|target| target.file.as_deref())
        .filter_map(|path| Some((path, canonical(path)?)))
        .collect();
    if outputs.is_empty() {
        return Ok(());
    }
    for input in inputs {
        let Some(input) = canonical(input) else {
            continue;
        };
        if let Some((path, _)) = outputs.iter().find(|(_, output)| *output == input) {
            return Err(Error::with_help(
                format!("refusing to overwrite input file {}", path.display()),
                "write the report to another file",
            ));
        }
    }
    Ok(())
}

/// Writes a file. A temporary file in the same directory is renamed onto it, so that the file is
/// never incomplete.
pub(crate) fn file(path: &Path, text: &str) -> Result<(), Error> {
    file_from(path, |out| out.write_str(text))
}

/// Like [`file`](fn@file), for text that is written in parts.
pub(crate) fn file_from(path: &Path, text: impl WriteText) -> Result<(), Error> {
    let error = |e| Error::Write(path.to_owned(), e);
    // A symbolic link is kept and its target is replaced. A pipe or a device is written to.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real
        .metadata()
        .is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
    {
        return std::fs::File::create(&real)
            .and_then(|file| write_text(file, text))
            .map_err(error);
    }
    let path = real.as_path();
    let temporary = temporary_sibling(path, text).map_err(|e| error(without_path(&e)))?;
    temporary.persist(path).map_err(|e| error(e.error))?;
    Ok(())
}

/// Creates a file. Fails if it exists, even if it was created a moment ago.
pub(crate) fn new_file(path: &Path, text: &str) -> Result<(), Error> {
    let error = |e| Error::Write(path.to_owned(), e);
    let text = |out: &mut dyn fmt::Write| out.write_str(text);
    let temporary = temporary_sibling(path, text).map_err(|e| error(without_path(&e)))?;
    temporary
        .persist_noclobber(path)
        .map_err(|e| error(e.error))?;
    Ok(())
}

/// Creates a temporary file with this text in the directory of `path`.
fn temporary_sibling(path: &Path, text: impl WriteText) -> io::Result<tempfile::NamedTempFile> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new()
        .prefix(".leakgate-")
        .permissions_like(path)
        .tempfile_in(folder)?;
    write_text(temporary.as_file(), text)?;
    Ok(temporary)
}

/// Returns the error without the path of the temporary file, which means nothing to the user.
fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let cause = text
        .split_once(" at path ")
        .map_or(&*text, |(cause, _)| cause);
    io::Error::new(error.kind(), cause)
}

/// Sets the permissions of a temporary file. Reports are meant to be shared, so they are readable
/// for all users, unlike ordinary temporary files.
trait PermissionsLike {
    fn permissions_like(&mut self, path: &Path) -> &mut Self;
}

impl PermissionsLike for tempfile::Builder<'_, '_> {
    fn permissions_like(&mut self, path: &Path) -> &mut Self {
        if let Ok(meta) = path.metadata() {
            return self.permissions(meta.permissions());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            self.permissions(std::fs::Permissions::from_mode(0o644));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_override_the_width_of_the_terminal() {
        assert_eq!(choose_width(Some("40"), Some(80)), Some(40));
        assert_eq!(choose_width(Some("40"), None), Some(40));
        for invalid in [None, Some(""), Some("0"), Some("-3"), Some("wide")] {
            assert_eq!(choose_width(invalid, Some(80)), Some(80));
            assert_eq!(choose_width(invalid, Some(0)), None);
        }
    }

    #[test]
    fn file_is_replaced_completely_or_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.json");
        file(&path, "one").unwrap();
        file(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let error = file(&dir.path().join("no/such/out.json"), "x").unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("cannot write") && !error.contains(".leakgate-"),
            "{error}"
        );
    }
}
