//! Errors outside of logs, with messages for the terminal, and exit statuses.
//!
//! Messages have the form `cannot <verb> <object>: <cause>`. A second line, `help: ...`, says how
//! to fix the error if leakgate knows.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use leakgate_core::diagnostic::Diagnostic;

/// Exit status of leakgate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The logs prove a clean run.
    Pass,
    /// An unexpected finding, or logs that prove nothing.
    Fail,
    /// A usage error, or an input that could not be read.
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

/// Reason why leakgate could not do all of its work.
#[derive(Debug)]
pub(crate) enum Error {
    /// A file can't be read.
    Read(PathBuf, io::Error),
    /// An archive is broken, encrypted, or nested too deeply.
    Archive(PathBuf, String),
    /// A glob is invalid.
    Glob(String, globset::Error),
    /// A file can't be written.
    Write(PathBuf, io::Error),
    /// A syntax error or an invalid value in a configuration, suppression file or baseline.
    Diagnostic(Diagnostic),
    /// A request that can't be fulfilled.
    Usage(String),
    /// Like [`Usage`](Self::Usage), with advice on how to fix it.
    UsageWithHelp {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// Several errors.
    Several(Vec<Error>),
}

impl Error {
    /// Creates a usage error with advice on how to fix it.
    pub(crate) fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::UsageWithHelp {
            message: message.into(),
            help: help.into(),
        }
    }

    /// Creates an error from all diagnostics of one file.
    pub(crate) fn from_diagnostics(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Several(diagnostics.into_iter().map(Self::Diagnostic).collect())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "cannot read {}: file not found", path.display())
            }
            Self::Read(path, error) => {
                write!(f, "cannot read {}: {}", path.display(), cause(error))
            }
            Self::Archive(path, cause) => write!(f, "cannot unpack {}: {cause}", path.display()),
            Self::Glob(glob, error) => write!(f, "invalid glob `{glob}`: {}", error.kind()),
            Self::Write(path, error) => {
                write!(f, "cannot write {}: {}", path.display(), cause(error))?;
                match error.kind() {
                    io::ErrorKind::StorageFull => f.write_str("\nhelp: free disk space"),
                    io::ErrorKind::FileTooLarge => f.write_str(
                        "\nhelp: raise the limit on the size of files: ulimit -f unlimited",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Diagnostic(diagnostic) => diagnostic.fmt(f),
            Self::Usage(message) => f.write_str(message),
            Self::UsageWithHelp { message, help } => write!(f, "{message}\nhelp: {help}"),
            Self::Several(errors) => errors.iter().try_for_each(|error| writeln!(f, "{error}")),
        }
    }
}

impl std::error::Error for Error {}

/// Returns the cause of an error. The texts of common ones are our own, so that they are the same
/// on every system.
fn cause(error: &io::Error) -> Cow<'static, str> {
    Cow::Borrowed(match error.kind() {
        io::ErrorKind::InvalidFilename => "the name is too long or invalid",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::NotADirectory => "a part of the path is not a directory",
        io::ErrorKind::NotFound => "the folder does not exist",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::StorageFull => "no space left on the device",
        _ => return Cow::Owned(error.to_string()),
    })
}

/// Prints an error to standard error. Prints [`Error::Several`] as one error each.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_file_errors_do_not_depend_on_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a/b");
        let created = std::fs::File::create(&missing).unwrap_err();
        let message = Error::Write("a/b".into(), created).to_string();
        assert_eq!(message, "cannot write a/b: the folder does not exist");
        let opened = std::fs::File::open(&missing).unwrap_err();
        let message = Error::Read("a/b".into(), opened).to_string();
        assert_eq!(message, "cannot read a/b: file not found");
        let other = io::Error::other("not a regular file");
        let message = Error::Read("a".into(), other).to_string();
        assert_eq!(message, "cannot read a: not a regular file");
    }
}
