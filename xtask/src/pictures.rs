//! `cargo xtask pictures`: renders the pictures in docs/pictures/ from what the action sends to
//! GitHub.

use xshell::cmd;

use crate::Outcome;
use crate::setup::{self, Need};

/// The compiler and the checker are for the program in the pictures.
const NEEDS: &[Need] = &[
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("chromium", "chromium"),
    Need::Program("git", "git"),
    Need::Program("c++", "g++"),
    Need::Program("valgrind", "valgrind"),
];

/// Runs `cargo xtask pictures`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask pictures".into());
    }
    let sh = setup::shell_with(NEEDS)?;
    cmd!(sh, "cargo build --package leakgate").run()?;
    let _folder = sh.push_dir("xtask/pictures");
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(cmd!(sh, "node pictures.mjs").run()?)
}
