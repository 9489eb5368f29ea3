//! Checks of texts for people: spelling, discouraged words, and links between files.

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

pub(super) const NEEDS: &[Need] = &[Need::PyPi, Need::Program("git", "git")];

/// Words that are vague in technical English: a plainer one exists for each use.
const DISCOURAGED: &str = "told|tells|stands|nobody|somebody|anew|whoever|beside";

/// Uses that are allowed in total, for quoted output of checkers.
const MOST_DISCOURAGED: usize = 50;

/// Files with texts for people. Snapshots hold the output of other programs.
const FILES: &[&str] = &[
    "*.rs",
    "*.md",
    "*.toml",
    "*.yml",
    "*.js",
    "*.mjs",
    "*.sh",
    "*.html",
    ":!snapshots",
    ":!*.snap",
    ":!xtask/src/test/prose.rs",
];

/// Runs all checks, and names those that failed.
pub(super) fn check(sh: &Shell) -> Outcome {
    let results = [
        ("spelling", spelling(sh)),
        ("words", words(sh)),
        ("links", links(sh)),
    ];
    let mut failed = Vec::new();
    for (name, result) in results {
        if let Err(error) = result {
            failed.push(format!("{name}: {error}"));
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("; ").into()),
    }
}

/// `typos.toml` lists exceptions.
fn spelling(sh: &Shell) -> Outcome {
    let typos = setup::tools()?.join("typos");
    Ok(cmd!(sh, "{typos} --config typos.toml").run()?)
}

/// Counts discouraged words, case-insensitively; prints them if they are too many.
fn words(sh: &Shell) -> Outcome {
    let options = [
        "--line-number",
        "--only-matching",
        "--word-regexp",
        "--ignore-case",
    ];
    // git exits with 1 if nothing matches.
    let uses = cmd!(
        sh,
        "git grep {options...} --extended-regexp {DISCOURAGED} -- {FILES...}"
    )
    .quiet()
    .ignore_status()
    .read()?;
    let count = uses.lines().count();
    println!("{count} discouraged words; at most {MOST_DISCOURAGED} are allowed");
    if count > MOST_DISCOURAGED {
        println!("{uses}");
        return Err(format!("{count} discouraged words").into());
    }
    Ok(())
}

/// Links between files of the repository; CI also follows those to other sites. Registries show the
/// README, too, so its links are addresses on GitHub.
fn links(sh: &Shell) -> Outcome {
    let lychee = setup::tools()?.join("lychee");
    let files = cmd!(sh, "git ls-files *.md").read()?;
    let files = files.lines();
    let root = format!("file://{}/", setup::repository()?.display());
    let own = [
        r"^https://github\.com/leakgate/leakgate/blob/main/",
        r"^https://raw\.githubusercontent\.com/leakgate/leakgate/[^/]+/",
    ];
    let remaps = own.map(|address| format!("--remap={address} {root}"));
    Ok(cmd!(
        sh,
        "{lychee} --config lychee.toml --offline {remaps...} {files...}"
    )
    .run()?)
}
