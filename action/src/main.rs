//! leakgate: fails a build for a memory bug that nobody has accepted, and only for that.
//!
//! This file turns what happened into an exit status; `args.rs` has the command line, and each
//! command a file of its own.

mod allow;
mod args;
mod baseline;
mod check;
mod diff;
mod doctor;
mod error;
mod explain;
mod github;
mod init;
mod input;
mod known;
mod logs;
mod merge;
mod open;
mod output;
mod own;
mod progress;
mod publish;
mod report;
mod rules;
mod run;
mod runner;
mod settings;
mod step;
mod suppress;
mod symbolize;
mod workspace;

use std::process::ExitCode;

use crate::args::Command;

/// `0` pass, `1` fail, `2` leakgate could not do its work. Nothing else is ever returned, so that a
/// script can tell.
fn main() -> ExitCode {
    let result = match args::parse() {
        Command::Check(args) => check::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Exec(args) => run::exec(&args),
        Command::Init(args) => init::run(&args),
        Command::Allow(args) => allow::run(&args),
        Command::Suppress(args) => suppress::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Action => step::run(),
        Command::Publish => publish::run(),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            error::print(&error);
            ExitCode::from(2)
        }
    }
}
