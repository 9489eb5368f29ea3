//! Reading speed of both modules in Node: `wasm/bench.mjs` on the logs of `cargo xtask bench`, and
//! the time of the npm package's command on dense ones. The results are printed, not checked.

use std::fs;
use std::path::Path;
use std::time::Instant;

use fastrand::Rng;
use xshell::{Shell, cmd};

use super::Module;
use crate::Outcome;
use crate::bench::{LEAKS, dense, noise};

/// Runs of the command.
const RUNS: usize = 5;

/// Bytes of each kind of noise.
const NOISE: usize = 64 << 20;

pub(crate) fn run(sh: &Shell) -> Outcome {
    let folder = sh.create_dir("target/bench/wasm")?;
    fs::write(folder.join("dense LeakSanitizer"), dense::lsan(LEAKS))?;
    fs::write(folder.join("dense memcheck"), dense::memcheck(LEAKS))?;
    fs::write(folder.join("dense valgrind XML"), dense::xml(LEAKS))?;
    for kind in noise::KINDS {
        fs::write(
            folder.join(kind.name),
            kind.block(&mut Rng::with_seed(0x6c65_616b), NOISE),
        )?;
    }
    for module in [Module::Reader, Module::Full] {
        let module = module.folder();
        cmd!(sh, "node wasm/bench.mjs {module} {folder}").run()?;
    }
    for log in ["dense LeakSanitizer", "dense memcheck"] {
        let seconds = time_of_command(sh, &folder.join(log))?;
        println!("the command `check`, {log}: {seconds:.2} s");
    }
    Ok(())
}

/// Returns the shortest time in which the command checks a log with findings, in seconds.
fn time_of_command(sh: &Shell, log: &Path) -> Outcome<f64> {
    let command = Path::new(Module::Full.folder()).join("bin.js");
    let mut shortest = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        let check = cmd!(sh, "node {command} check --no-config {log}").quiet();
        let output = check.ignore_status().output()?;
        if output.status.code() != Some(1) {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}
