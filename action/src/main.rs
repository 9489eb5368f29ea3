//! leakgate: fails a build for memory bugs that no rule or baseline accepts, and for incomplete
//! evidence.
//!
//! This file maps results to exit statuses. `cli.rs` defines the command line, and each command
//! has its own file. As WebAssembly, the program has only what `wasi.rs` describes.

#![cfg_attr(
    target_os = "wasi",
    allow(dead_code, reason = "the commands that start programs use it")
)]

mod allow;
mod archive;
mod args;
mod baseline;
mod check;
mod ci;
mod cli;
mod completions;
mod diff;
mod doctor;
mod error;
mod evaluate;
mod explain;
#[cfg(not(target_os = "wasi"))]
mod github;
mod grow;
mod in_order;
mod ingest;
mod init;
mod lock_files;
mod man;
mod merge;
mod output;
mod pack_hints;
mod progress;
#[cfg(not(target_os = "wasi"))]
mod publish;
#[cfg(not(target_os = "wasi"))]
mod report;
mod resolve;
mod rules;
#[cfg(not(target_os = "wasi"))]
mod run;
#[cfg(not(target_os = "wasi"))]
mod runner;
mod settings;
mod source_filter;
#[cfg(not(target_os = "wasi"))]
mod step;
mod suggest;
mod suppress;
#[cfg(not(target_os = "wasi"))]
mod symbolize;
#[cfg(target_os = "wasi")]
mod wasi;
mod workspace;

use std::process::ExitCode;

use crate::cli::Command;
#[cfg(target_os = "wasi")]
use crate::wasi::{publish, run, step};

/// Exits with `0` for pass, `1` for fail and `2` for an error, and with no other status, so that
/// scripts can rely on it.
fn main() -> ExitCode {
    #[cfg(target_os = "wasi")]
    wasi::enter_working_directory();
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
        Command::Grow(args) => grow::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Action => step::run(),
        Command::Publish => publish::run(),
        Command::Completions(args) => completions::run(&args, &cli::command()),
        Command::Man(args) => man::run(&args, cli::command()),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            error::print(&error);
            ExitCode::from(2)
        }
    }
}
