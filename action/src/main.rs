//! leakgate: fails a build for a memory bug that nobody has accepted, and only for that.
//!
//! This file turns what happened into an exit status; `args.rs` has the command line, and each command a file of its own.

mod args;
mod check;
mod error;
mod input;
mod open;
mod output;
mod progress;
mod workspace;

use std::io::Write;
use std::process::ExitCode;

use crate::args::Command;

/// `0` pass, `1` fail, `2` leakgate could not do its work. Nothing else is ever returned, so that a script can tell.
fn main() -> ExitCode {
    let result = match args::parse() {
        Command::Check(settings) => check::run(&settings),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}
