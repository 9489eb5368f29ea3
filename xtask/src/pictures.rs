//! `cargo xtask pictures`: renders the pictures in docs/pictures/ from what leakgate prints, writes
//! and sends to GitHub. A test fails if they are outdated.
//!
//! The logs of the project in the pictures are recorded: `xtask/pictures/project/record.sh`.

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

const FOLDER: &str = "xtask/pictures";

const NEEDS: &[Need] = &[
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("chromium", "chromium"),
    Need::Program("git", "git"),
];

/// Runs `cargo xtask pictures`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask pictures".into());
    }
    let sh = setup::shell_with(NEEDS)?;
    cmd!(sh, "cargo build --workspace --bin leakgate").run()?;
    let _folder = sh.push_dir(FOLDER);
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(cmd!(sh, "node pictures.mjs").run()?)
}

/// Compares the program's output with that in the pictures. Needs `node` and `git`, and the debug
/// binary.
pub(crate) fn check(sh: &Shell) -> Outcome {
    let _folder = sh.push_dir(FOLDER);
    Ok(cmd!(sh, "node --test").run()?)
}
