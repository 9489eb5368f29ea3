//! What can go wrong outside of a log, in words for the person at the terminal.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use leakgate_core::Mistake;

/// How leakgate ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Proved clean.
    Pass,
    /// Something that nobody accepted, or no proof.
    Fail,
    /// Not all of the work could be done.
    Error,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Pass => 0,
            Status::Fail => 1,
            Status::Error => 2,
        })
    }
}

/// Why the work, or a part of it, could not be done.
#[derive(Debug)]
pub(crate) enum Error {
    /// A file that was named can't be read.
    Read(PathBuf, io::Error),
    /// An archive is broken, encrypted, or holds archives within archives without end.
    Archive(PathBuf, String),
    /// A pattern is no pattern.
    Pattern(String, globset::Error),
    /// A document can't be written.
    Write(PathBuf, io::Error),
    /// A mistake in a configuration, a suppression file, a baseline.
    Mistake(Mistake),
    /// A command that can't be followed.
    Usage(String),
    /// More than one thing.
    Several(Vec<Error>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{}: there is no such file", path.display())
            }
            Self::Read(path, error) => write!(f, "{}: can't be read: {error}", path.display()),
            Self::Archive(path, what) => write!(f, "{}: can't be unpacked: {what}", path.display()),
            Self::Pattern(pattern, error) => {
                write!(f, "{pattern}: is no pattern: {}", error.kind())
            }
            Self::Write(path, error) => write!(f, "{}: can't be written: {error}", path.display()),
            Self::Mistake(mistake) => mistake.fmt(f),
            Self::Usage(what) => f.write_str(what),
            Self::Several(errors) => errors.iter().try_for_each(|error| writeln!(f, "{error}")),
        }
    }
}

impl std::error::Error for Error {}

/// Tells an error at standard error; of several, each.
pub(crate) fn print(error: &Error) {
    match error {
        Error::Several(errors) => errors.iter().for_each(print),
        error => {
            let text = error.to_string();
            let lines: Vec<_> = text.lines().map(leakgate_core::emit::terminal).collect();
            let _ = writeln!(anstream::stderr(), "error: {}", lines.join("\n"));
        }
    }
}
