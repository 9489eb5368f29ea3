//! The folders of a run: a private one for the helper and the canary, and one for logs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;

/// Mode of a folder that other users may traverse but not list.
pub(super) const MODE_TRAVERSE: u32 = 0o711;

/// Mode of a folder that other users may create files in, with the sticky bit.
pub(super) const MODE_SHARED: u32 = 0o1733;

/// The folders of a run. The private folder is removed when this value is dropped.
#[derive(Debug)]
pub(super) struct RunDirs {
    private: TempDir,
    logs: PathBuf,
}

impl RunDirs {
    /// Creates the folders. Logs go to `keep_logs` if the user set it, else to the private folder.
    ///
    /// A dry run does not create `keep_logs`.
    ///
    /// # Errors
    /// `keep_logs` isn't empty, or a folder cannot be created.
    pub(super) fn new(keep_logs: Option<&Path>, is_dry_run: bool) -> Result<Self, Error> {
        let private = tempfile::Builder::new()
            .prefix("leakgate-")
            .tempdir()
            .map_err(|error| {
                Error::with_help(
                    format!("cannot create a temporary directory: {error}"),
                    "set TMPDIR to a directory that you can write to, with free space",
                )
            })?;
        make_shared(private.path(), MODE_TRAVERSE)?;
        let Some(keep_logs) = keep_logs else {
            let logs = private.path().join("logs");
            return Ok(Self { private, logs });
        };
        if !is_empty(keep_logs)? {
            return Err(Error::Usage(format!(
                "cannot keep logs in {}: the folder isn't empty, and logs of an earlier run would \
                 count as logs of this run",
                keep_logs.display()
            )));
        }
        let error = |e| Error::Write(keep_logs.to_owned(), e);
        if !is_dry_run {
            fs::create_dir_all(keep_logs).map_err(error)?;
        }
        let logs = std::path::absolute(keep_logs).map_err(error)?;
        Ok(Self { private, logs })
    }

    /// Returns the private folder.
    pub(super) fn private(&self) -> &Path {
        self.private.path()
    }

    /// Returns the folder for logs.
    pub(super) fn logs(&self) -> &Path {
        &self.logs
    }
}

/// Sets the mode of a folder if leakgate runs as root.
///
/// A program that root starts may switch to another user (databases do), and must still be able to
/// write its report. The folders then work like `/tmp`: every user may create files, and only the
/// owner of a file may remove it.
pub(super) fn make_shared(folder: &Path, mode: u32) -> Result<(), Error> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        use std::os::unix::fs::PermissionsExt;
        return fs::set_permissions(folder, fs::Permissions::from_mode(mode))
            .map_err(|e| Error::Write(folder.to_owned(), e));
    }
    let _ = (folder, mode);
    Ok(())
}

/// Returns true if the folder holds no entry or doesn't exist.
fn is_empty(folder: &Path) -> Result<bool, Error> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::Read(folder.to_owned(), error)),
    }
}
