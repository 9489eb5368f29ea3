//! The stages of `cargo xtask test`, in order.

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, BARE, Need, WASM};
use crate::test::workflows;
use crate::{archive, bench, fuzz, page, wasm};

/// One stage.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// Without these it is skipped.
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&Shell) -> Outcome,
}

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 20;

/// All stages.
pub(crate) const ALL: &[Stage] = &[
    Stage {
        name: "Set-up",
        needs: &[],
        run: set_up,
    },
    Stage {
        name: "Format",
        needs: &[Need::Component("rustfmt")],
        run: format,
    },
    Stage {
        name: "Lints",
        needs: &[Need::Component("clippy")],
        run: lints,
    },
    Stage {
        name: "Tests",
        needs: &[],
        run: tests,
    },
    Stage {
        name: "Names of frames",
        needs: SYMBOLS,
        run: symbols,
    },
    Stage {
        name: "Real checkers",
        needs: CHECKERS,
        run: checkers,
    },
    Stage {
        name: "Workflows",
        needs: workflows::LINTERS,
        run: workflows::lint,
    },
    Stage {
        name: "The action on a runner",
        needs: workflows::RUNNER,
        run: workflows::runner,
    },
    Stage {
        name: "Core for WebAssembly",
        needs: &[Need::Target(WASM)],
        run: |sh| core_for(sh, WASM),
    },
    Stage {
        name: "Core without an operating system",
        needs: &[Need::Target(BARE)],
        run: |sh| core_for(sh, BARE),
    },
    Stage {
        name: "The npm package",
        needs: wasm::NEEDS,
        run: wasm::test,
    },
    Stage {
        name: "Pages in a browser",
        needs: BROWSER,
        run: browser,
    },
    Stage {
        name: "Documentation",
        needs: &[],
        run: documentation,
    },
    Stage {
        name: "Source archive",
        needs: archive::NEEDS,
        run: archive::test,
    },
    Stage {
        name: "Fuzzing",
        needs: fuzz::NEEDS,
        run: |sh| fuzz::for_seconds(sh, FUZZ_SECONDS),
    },
    Stage {
        name: "Benchmarks (small)",
        needs: bench::NEEDS,
        run: benchmarks,
    },
];

const BROWSER: &[Need] = &[
    Need::Target(WASM),
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("chromium", "chromium"),
];

const SYMBOLS: &[Need] = &[
    Need::Program("clang", "clang"),
    Need::Program("llvm-symbolizer", "llvm"),
    Need::Program("dwz", "dwz"),
    Need::Program("c++", "g++"),
    Need::Nightly,
];

/// What else they need, each test looks for itself.
const CHECKERS: &[Need] = &[
    Need::Program("valgrind", "valgrind"),
    Need::Program("gcc", "gcc"),
];

/// What can't be fetched is no failure here: the stage that needs it says so.
fn set_up(sh: &Shell) -> Outcome {
    for need in setup::ALL {
        if let Err(advice) = need.meet(sh) {
            println!("{advice}");
        }
    }
    match setup::missing(setup::ALL) {
        Some(missing) if setup::in_ci() => Err(missing.into()),
        _ => Ok(()),
    }
}

fn format(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo fmt --all --check").run()?;
    cmd!(sh, "cargo fmt --manifest-path fuzz/Cargo.toml --check").run()?;
    Ok(())
}

fn lints(sh: &Shell) -> Outcome {
    Ok(cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings").run()?)
}

fn tests(sh: &Shell) -> Outcome {
    Ok(cmd!(sh, "cargo test --workspace --no-fail-fast -- --quiet").run()?)
}

/// Against llvm-symbolizer, over programs that are built for it.
fn symbols(sh: &Shell) -> Outcome {
    Ok(cmd!(
        sh,
        "cargo test --workspace --test symbolize --quiet -- --ignored"
    )
    .run()?)
}

/// `leakgate run`, and the projects of docs/run/.
fn checkers(sh: &Shell) -> Outcome {
    Ok(cmd!(
        sh,
        "cargo test --workspace --test run --test scenarios --quiet -- --include-ignored"
    )
    .run()?)
}

/// Pages that the program writes, and the page to paste a log into, in Chromium. The program is the
/// one of the tests.
fn browser(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo test --workspace --no-run --quiet").run()?;
    page::files(sh)?;
    let _folder = sh.push_dir("xtask/browser");
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(cmd!(sh, "node --test").run()?)
}

fn core_for(sh: &Shell, target: &str) -> Outcome {
    Ok(cmd!(
        sh,
        "cargo check --package leakgate-core --no-default-features --target {target}"
    )
    .run()?)
}

fn documentation(sh: &Shell) -> Outcome {
    Ok(cmd!(sh, "cargo doc --workspace --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?)
}

/// Figures on a shared machine prove nothing, so they are printed and no speed is a failure.
fn benchmarks(sh: &Shell) -> Outcome {
    Ok(cmd!(
        sh,
        "cargo run --release --quiet --package xtask -- bench --small"
    )
    .run()?)
}
