//! `cargo xtask fuzz [SECONDS]`: runs each fuzz target for a limited time. The seeds are the real
//! reports under `snapshots/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

/// Requirements of fuzzing besides cargo.
pub(crate) const NEEDS: &[Need] = &[Need::Nightly, Need::Program("c++", "g++"), Need::CargoFuzz];

const DEFAULT_SECONDS: u32 = 60;

/// The targets, and the first bytes of their seeds.
const TARGETS: &[(&str, &[u8])] = &[
    ("parse_any", b""),
    // Two bytes for each of four splits.
    ("chunking_is_invisible", &[1, 0, 77, 0, 200, 2, 255, 7]),
];

/// The maximum length of an input: enough for a few reports, and fast.
const MAX_LENGTH: u32 = 32 * 1024;

/// Runs `cargo xtask fuzz` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let seconds = match arguments {
        [] => DEFAULT_SECONDS,
        [n] => n
            .parse()
            .map_err(|_| format!("fuzz: invalid number of seconds `{n}`"))?,
        _ => return Err("usage: cargo xtask fuzz [SECONDS]".into()),
    };
    setup::install(&setup::shell()?, NEEDS);
    for_seconds(&setup::shell_with(NEEDS)?, seconds)
}

/// Fuzzes each target for some seconds, until the first failure.
pub(crate) fn for_seconds(sh: &Shell, seconds: u32) -> Outcome {
    let home = setup::repository()?;
    let _here = sh.push_dir(home.join("fuzz"));
    for (target, head) in TARGETS {
        add_seeds(&home, target, head)?;
        let time = format!("-max_total_time={seconds}");
        let length = format!("-max_len={MAX_LENGTH}");
        // Ten seconds for one input of 32 kB is an endless loop.
        let limits = ["-timeout=10", "-print_final_stats=1"];
        let fuzz = cmd!(
            sh,
            "cargo +nightly fuzz run {target} -- {time} {length} {limits...}"
        );
        println!("{fuzz}");
        report(target, &fuzz.quiet().ignore_status().output()?)?;
    }
    Ok(())
}

/// Prints the number of inputs; prints the fuzzer's verbose output only if it found something.
fn report(target: &str, output: &Output) -> Outcome {
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("{text}");
        return Err(
            format!("fuzz: {target} failed; the input is under fuzz/artifacts/{target}/").into(),
        );
    }
    let runs = text
        .lines()
        .filter_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .next_back();
    println!(
        "{target}: {} inputs, no failure",
        runs.unwrap_or("?").trim()
    );
    Ok(())
}

/// Copies the reports into the target's corpus, which keeps the inputs of earlier runs.
fn add_seeds(home: &Path, target: &str, head: &[u8]) -> Outcome {
    let corpus = home.join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    for report in reports(&home.join("snapshots"))? {
        let name = report
            .strip_prefix(home.join("snapshots"))?
            .to_string_lossy()
            .replace(['/', '\\'], "-");
        fs::write(corpus.join(name), [head, &fs::read(&report)?].concat())?;
    }
    Ok(())
}

/// Returns all reports of all cases.
pub(crate) fn reports(snapshots: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dialect in folders(snapshots)? {
        for case in folders(&dialect)?
            .into_iter()
            .filter(|c| c.join("case.toml").exists())
        {
            for file in fs::read_dir(case)? {
                let file = file?.path();
                let is_report = file
                    .file_name()
                    .is_some_and(|n| n.to_string_lossy().starts_with("report"));
                found.extend(is_report.then_some(file));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folders(of: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(of)? {
        let path = entry?.path();
        found.extend(path.is_dir().then_some(path));
    }
    Ok(found)
}
