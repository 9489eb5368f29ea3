//! leakgate: fails a build for memory bugs that no rule or baseline accepts, and for incomplete
//! evidence.
//!
//! This file maps results to exit statuses. `cli.rs` defines the command line, and each command
//! has its own file.

mod allow;
mod archive;
mod args;
mod baseline;
mod check;
mod ci;
mod cli;
mod diff;
mod doctor;
mod error;
mod evaluate;
mod explain;
mod github;
mod in_order;
mod ingest;
mod init;
mod lock_files;
mod merge;
mod output;
mod pack_hints;
mod progress;
mod publish;
mod report;
mod resolve;
mod rules;
mod run;
mod runner;
mod settings;
mod source_filter;
mod step;
mod suppress;
mod symbolize;
mod workspace;

use std::process::ExitCode;

use crate::cli::Command;

/// Exits with `0` for pass, `1` for fail and `2` for an error, and with no other status, so that
/// scripts can rely on it.
fn main() -> ExitCode {
    let result = match cli::parse() {
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
