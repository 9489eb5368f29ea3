//! The program as WebAssembly, which the command of the npm package runs in Node: what replaces the
//! commands that start programs or use the network, and how git is asked.
//!
//! Everything else is the code of the native program, so its results are the same.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Status};

/// Help after the list of commands.
pub(crate) const DIFFERENCES: &str = "\
This is leakgate in Node. `run`, `action`, `publish`, `grow` with a command and `check --symbolize` need \
the native program, which is also faster: https://github.com/leakgate/leakgate#install";

/// Enters the working directory of the host, whose path is in `PWD`. WebAssembly starts in `/`.
pub(crate) fn enter_working_directory() {
    // If it can't be entered, relative paths lead to no file, which each command reports.
    let _ = std::env::var_os("PWD").map(std::env::set_current_dir);
}

/// Returns the folder for temporary files, which the standard library doesn't know here.
pub(crate) fn temporary_folder() -> PathBuf {
    let folder = std::env::var_os("TMPDIR").filter(|folder| !folder.is_empty());
    folder.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// Returns the error for work that only the native program can do.
pub(crate) fn native_only(work: &str) -> Error {
    Error::with_help(
        format!("cannot {work}: the npm package starts no programs and has no network"),
        "use the native program: https://github.com/leakgate/leakgate#install",
    )
}

/// `leakgate run`.
pub(crate) mod run {
    use std::ffi::OsString;

    use clap::Args;

    use super::{Error, Status, native_only};

    /// The arguments of a command that isn't available.
    #[derive(Debug, Args)]
    #[command(disable_help_flag = true)]
    pub(crate) struct RunArgs {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _arguments: Vec<OsString>,
    }

    pub(crate) type Exec = RunArgs;

    pub(crate) fn run(_: &RunArgs) -> Result<Status, Error> {
        Err(native_only("run a command"))
    }

    pub(crate) fn exec(args: &Exec) -> Result<Status, Error> {
        run(args)
    }
}

/// `leakgate action`.
pub(crate) mod step {
    use super::{Error, Status, native_only};

    pub(crate) fn run() -> Result<Status, Error> {
        Err(native_only("run the GitHub Action's step"))
    }
}

/// `leakgate publish`.
pub(crate) mod publish {
    use super::{Error, Status, native_only};

    pub(crate) fn run() -> Result<Status, Error> {
        Err(native_only("publish results"))
    }
}

/// What git printed to standard output or, if it failed, to standard error.
pub(crate) type GitOutput = Result<Vec<u8>, Vec<u8>>;

/// Runs git with these arguments, which the host does: it starts git when a file below the folder
/// in `LEAKGATE_HOST` is opened. The file has what git printed, followed by `+` or, if git failed,
/// `-`.
///
/// The name of that folder is random, so a path in a configuration can't lead to it.
pub(crate) fn git(arguments: &[&str]) -> io::Result<GitOutput> {
    let folder = std::env::var_os("LEAKGATE_HOST").ok_or(io::ErrorKind::NotFound)?;
    let request = serde_json::to_string(arguments)?;
    let mut text = std::fs::read(Path::new(&folder).join(request))?;
    match text.pop() {
        Some(b'+') => Ok(Ok(text)),
        _ => Ok(Err(text)),
    }
}
