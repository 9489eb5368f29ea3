//! Reading speed of both modules in Node: `wasm/bench.mjs` on the logs of `cargo xtask bench`. The
//! results are printed, not checked.

use std::fs;

use fastrand::Rng;
use xshell::{Shell, cmd};

use super::Module;
use crate::Outcome;
use crate::bench::{LEAKS, dense, noise};

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
    Ok(())
}
