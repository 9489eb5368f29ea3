//! Where documents go: standard output, or a file that is whole or not there.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::args::Document;
use crate::error::Error;

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub(crate) fn stdout(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write("standard output".into(), error))
        }
        _ => Ok(()),
    }
}

/// A line for the person at the terminal, at standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(
        anstream::stderr(),
        "{}",
        leakgate_core::emit::terminal(text)
    );
}

/// True when standard output shows colours.
pub(crate) fn colours() -> bool {
    match anstream::ColorChoice::global() {
        anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
        anstream::ColorChoice::Never => false,
        anstream::ColorChoice::Auto => {
            io::stdout().is_terminal()
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

/// How many columns standard output has, where it is a terminal.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Documents never take the place of what they tell of.
pub(crate) fn spare<'a>(
    read: impl IntoIterator<Item = &'a PathBuf>,
    written: &[Document],
) -> Result<(), Error> {
    let real = |path: &Path| path.canonicalize().ok();
    let written: Vec<_> = written
        .iter()
        .filter_map(|d| d.file.as_deref())
        .map(|path| (path, real(path)))
        .collect();
    for path in read {
        let file = real(path);
        if let Some((path, _)) = written.iter().find(|(_, at)| at.is_some() && *at == file) {
            return Err(Error::Usage(format!(
                "{} was read; a document needs another place",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Writes a file: first beside its place, then renamed onto it.
pub(crate) fn file(path: &Path, text: &str) -> Result<(), Error> {
    let error = |e| Error::Write(path.to_owned(), e);
    // A link stays a link; a pipe or a device is written to, never replaced.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real
        .metadata()
        .is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
    {
        return std::fs::write(&real, text).map_err(error);
    }
    let path = real.as_path();
    let temporary = beside(path, text).map_err(error)?;
    temporary.persist(path).map_err(|e| error(e.error))?;
    Ok(())
}

/// Writes a file that is not there yet; one that is there, and be it since a moment, stays as it
/// is.
pub(crate) fn new_file(path: &Path, text: &str) -> Result<(), Error> {
    let error = |e| Error::Write(path.to_owned(), e);
    let temporary = beside(path, text).map_err(error)?;
    temporary
        .persist_noclobber(path)
        .map_err(|e| error(e.error))?;
    Ok(())
}

/// A temporary file with this text, in the folder of another.
fn beside(path: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".leakgate-")
        .permissions_like(path)
        .tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    Ok(temporary)
}

/// A document is for others to read, not a secret like an ordinary temporary file.
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
    fn a_file_is_replaced_whole_or_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.json");
        file(&path, "one").unwrap();
        file(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let error = file(&dir.path().join("no/such/out.json"), "x").unwrap_err();
        assert!(error.to_string().contains("can't be written"));
    }
}
