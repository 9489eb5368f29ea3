//! Commands for working on this repository: `cargo xtask COMMAND`.

mod action_docs;
mod archive;
mod bench;
mod differential;
mod examples;
mod fuzz;
mod page;
mod pictures;
mod release;
mod setup;
mod site;
mod sizes;
mod snapshots;
mod test;
mod wasm;
mod zoo;

use std::process::ExitCode;

/// The result of a command. The error is printed as one line.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: cargo xtask test [--full] [STAGE]
       cargo xtask setup [--full]
       cargo xtask action-docs
       cargo xtask bench [--small]
       cargo xtask differential [LOG...]
       cargo xtask fuzz [SECONDS]
       cargo xtask page [--single-file]
       cargo xtask pictures
       cargo xtask release manifest FOLDER
       cargo xtask release check TAG
       cargo xtask release formula FOLDER
       cargo xtask release winget FOLDER
       cargo xtask site
       cargo xtask snapshots [--list] [FILTER]
       cargo xtask wasm [--bench|--test]
       cargo xtask zoo [--short|--list] [FILTER]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_deref() {
        Some("test") => test::run(&rest),
        Some("setup") => setup::run(&rest),
        Some("action-docs") => action_docs::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("differential") => differential::run(&rest),
        Some("fuzz") => fuzz::run(&rest),
        Some("page") => page::run(&rest),
        Some("pictures") => pictures::run(&rest),
        Some("release") => release::run(&rest),
        Some("site") => site::run(&rest),
        Some("snapshots") => snapshots::run(&rest),
        Some("wasm") => wasm::run(&rest),
        Some("zoo") => zoo::run(&rest),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
