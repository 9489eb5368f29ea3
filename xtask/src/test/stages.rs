//! The stages of `cargo xtask test`, in order.

use xshell::{Shell, cmd};

use super::{Extent, foreign, integrations, needs, packages, prose, systems, workflows};
use crate::setup::{self, BARE, Need, WASM};
use crate::{Outcome, archive, bench, fuzz, page, pictures, site, wasm, zoo};

/// One stage.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// The only test command with this stage; `None` for both.
    pub(super) only: Option<Extent>,
    /// The stage is skipped if one of these is missing.
    pub(crate) needs: &'static [Need],
    pub(crate) run: fn(&Shell, Extent) -> Outcome,
}

/// Seconds for each fuzz target.
const FUZZ_SECONDS: u32 = 300;

/// Mutated logs in each part of the test `mutants`. Its default is a sample.
const MUTANTS: &str = "100000";

/// Random schedules of concurrent steps. The default of the test `schedules` is a sample.
const SCHEDULES: &str = "2000";

/// Filters for tests that run real checkers. Those of `run/harnesses` and `scenarios` build whole
/// projects, which takes minutes.
const CHECKERS_SAMPLE: &[&str] = &["run/checkers", "run/losses", "run/step"];
const ALL_CHECKERS: &[&str] = &["run/", "scenarios/"];

/// Filters for tests that run workflows, which take seconds each.
const WORKFLOWS_SAMPLE: &[&str] = &[
    "workflows/failing_log",
    "workflows/legs_of_a_matrix",
    "workflows/program_that_does_nothing",
];

/// All stages.
pub(super) const ALL: &[Stage] = &[
    Stage {
        name: "Set-up",
        only: None,
        needs: &[],
        run: set_up,
    },
    Stage {
        name: "Format",
        only: None,
        needs: &[Need::Component("rustfmt")],
        run: |sh, _| format(sh),
    },
    Stage {
        name: "Prose",
        only: None,
        needs: prose::NEEDS,
        run: |sh, _| prose::check(sh),
    },
    Stage {
        name: "Dependencies",
        only: None,
        needs: &[Need::CargoDeny],
        run: |sh, _| dependencies(sh),
    },
    Stage {
        name: "Workflows",
        only: None,
        needs: workflows::LINTERS,
        run: |sh, _| workflows::lint(sh),
    },
    Stage {
        name: "Lints",
        only: None,
        needs: &[Need::Component("clippy")],
        run: |sh, _| lints(sh),
    },
    Stage {
        name: "Tests",
        only: None,
        needs: &[],
        run: |sh, _| tests(sh),
    },
    Stage {
        name: "Mutants",
        only: Some(Extent::Full),
        needs: &[],
        run: |sh, _| mutants(sh),
    },
    Stage {
        name: "Schedules",
        only: Some(Extent::Full),
        needs: &[],
        run: |sh, _| schedules(sh),
    },
    Stage {
        name: "Frame names",
        only: Some(Extent::Full),
        needs: SYMBOLIZERS,
        run: |sh, _| tool_tests(sh, &["symbolize/"]),
    },
    Stage {
        name: "Real checkers (sample)",
        only: Some(Extent::Fast),
        needs: CHECKERS,
        run: |sh, _| tool_tests(sh, CHECKERS_SAMPLE),
    },
    Stage {
        name: "Real checkers",
        only: Some(Extent::Full),
        needs: CHECKERS_AND_HARNESSES,
        run: |sh, _| tool_tests(sh, ALL_CHECKERS),
    },
    Stage {
        name: "Zoo (sample)",
        only: Some(Extent::Fast),
        needs: zoo::SHORT_NEEDS,
        run: |sh, _| zoo::short(sh),
    },
    Stage {
        name: "Zoo",
        only: Some(Extent::Full),
        needs: zoo::NEEDS,
        run: |sh, _| zoo::all(sh, None),
    },
    Stage {
        name: "The action on a runner (sample)",
        only: Some(Extent::Fast),
        needs: workflows::RUNNER,
        run: |sh, _| tool_tests(sh, WORKFLOWS_SAMPLE),
    },
    Stage {
        name: "The action on a runner",
        only: Some(Extent::Full),
        needs: workflows::RUNNER,
        run: |sh, _| tool_tests(sh, &["workflows/"]),
    },
    Stage {
        name: "Other systems",
        only: None,
        needs: systems::NEEDS,
        run: |sh, _| systems::check(sh),
    },
    Stage {
        name: "Programs for other systems",
        only: Some(Extent::Full),
        needs: foreign::NEEDS,
        run: |sh, _| foreign::check(sh),
    },
    Stage {
        name: "Core without std",
        only: None,
        needs: &[Need::Target(WASM), Need::Target(BARE)],
        run: |sh, _| core_without_std(sh),
    },
    Stage {
        name: "The WebAssembly modules",
        only: None,
        needs: wasm::NEEDS,
        run: |sh, extent| wasm::test(sh, extent),
    },
    Stage {
        name: "Packages",
        only: Some(Extent::Full),
        needs: packages::NEEDS,
        run: |sh, _| packages::check(sh),
    },
    Stage {
        name: "Hook for pre-commit",
        only: None,
        needs: integrations::HOOK_NEEDS,
        run: |sh, _| integrations::hook(sh),
    },
    Stage {
        name: "Component for GitLab",
        only: Some(Extent::Full),
        needs: integrations::COMPONENT_NEEDS,
        run: |sh, _| integrations::component(sh),
    },
    Stage {
        name: "Pages in a browser",
        only: None,
        needs: BROWSER,
        run: |sh, _| browser(sh),
    },
    Stage {
        name: "Documentation",
        only: None,
        needs: &[],
        run: |sh, _| documentation(sh),
    },
    Stage {
        name: "Site",
        only: Some(Extent::Full),
        needs: site::NEEDS,
        run: |sh, _| site::build(sh),
    },
    Stage {
        name: "Source archive",
        only: None,
        needs: archive::NEEDS,
        run: |sh, _| archive::test(sh),
    },
    Stage {
        name: "Fuzz targets",
        only: Some(Extent::Fast),
        needs: &[Need::Program("c++", "g++")],
        run: |sh, _| fuzz_targets(sh),
    },
    Stage {
        name: "Fuzzing",
        only: Some(Extent::Full),
        needs: fuzz::NEEDS,
        run: |sh, _| fuzz::for_seconds(sh, FUZZ_SECONDS),
    },
    Stage {
        name: "Benchmarks (small)",
        only: Some(Extent::Full),
        needs: bench::NEEDS,
        run: |_, _| bench::run(&["--small".to_owned()]),
    },
];

const BROWSER: &[Need] = &[
    Need::Target(WASM),
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("chromium", "chromium"),
    Need::Program("git", "git"),
];

const SYMBOLIZERS: &[Need] = &[
    Need::Program("clang", "clang"),
    Need::Program("llvm-symbolizer", "llvm"),
    Need::Program("dwz", "dwz"),
    Need::Program("c++", "g++"),
    Need::Nightly,
];

const CHECKERS: &[Need] = &[
    Need::Program("valgrind", "valgrind"),
    Need::Program("gcc", "gcc"),
    Need::Program("clang-19", "clang-19"),
    Need::File(
        "/usr/lib/llvm-19/lib/clang/19/lib/linux",
        "libclang-rt-19-dev",
    ),
    Need::Program("llvm-symbolizer-19", "llvm-19"),
    Need::File("/usr/lib/libefence.so.0", "electric-fence"),
    Need::Program("strace", "strace"),
];

const CHECKERS_AND_HARNESSES: &[Need] = &[
    Need::Program("valgrind", "valgrind"),
    Need::Program("gcc", "gcc"),
    Need::Program("c++", "g++"),
    Need::Program("clang-19", "clang-19"),
    Need::File(
        "/usr/lib/llvm-19/lib/clang/19/lib/linux",
        "libclang-rt-19-dev",
    ),
    Need::Program("llvm-symbolizer-19", "llvm-19"),
    Need::File("/usr/lib/libefence.so.0", "electric-fence"),
    Need::Program("strace", "strace"),
    Need::Program("cmake", "cmake"),
    Need::Program("meson", "meson"),
    Need::Program("ninja", "ninja-build"),
    Need::Program("python3", "python3"),
    Need::File("/usr/bin/go", "golang-go"),
    Need::File("/usr/include/gtest/gtest.h", "libgtest-dev"),
    Need::File("/usr/include/catch2/catch.hpp", "catch2"),
    Need::File("/usr/include/doctest/doctest.h", "doctest-dev"),
    Need::PythonHeaders,
    Need::PyPi,
    Need::Nextest,
    Need::Nightly,
    Need::Sources,
    Need::Miri,
];

/// A tool that can't be installed isn't a failure here: the stages that need it report it.
fn set_up(sh: &Shell, extent: Extent) -> Outcome {
    setup::install(sh, &needs(extent));
    Ok(())
}

fn format(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo fmt --all --check").run()?;
    cmd!(sh, "cargo fmt --manifest-path fuzz/Cargo.toml --check").run()?;
    Ok(())
}

/// Licences, duplicates and sources. Advisories change without a commit, so only CI checks them.
fn dependencies(sh: &Shell) -> Outcome {
    let deny = setup::tools()?.join("cargo-deny");
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let options = ["--config=deny.toml", "--manifest-path", manifest];
        cmd!(sh, "{deny} {options...} check bans licenses sources").run()?;
    }
    Ok(())
}

fn lints(sh: &Shell) -> Outcome {
    Ok(cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings").run()?)
}

fn tests(sh: &Shell) -> Outcome {
    Ok(cmd!(sh, "cargo test --workspace --no-fail-fast -- --quiet").run()?)
}

fn mutants(sh: &Shell) -> Outcome {
    let package = ["--release", "--package", "leakgate-core"];
    cmd!(sh, "cargo test {package...} --test cases -- mutants/")
        .env("LEAKGATE_MUTANTS", MUTANTS)
        .run()?;
    Ok(())
}

fn schedules(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo test --workspace --bin leakgate -- schedules")
        .env("LEAKGATE_SCHEDULES", SCHEDULES)
        .run()?;
    Ok(())
}

/// Runs tests that need installed tools, by parts of their names. With fewer packages, cargo would
/// choose other features of their dependencies, and compile those again.
fn tool_tests(sh: &Shell, filters: &[&str]) -> Outcome {
    for filter in filters {
        let options = ["--quiet", "--", "--include-ignored", filter];
        cmd!(sh, "cargo test --workspace --test tools {options...}")
            .env("LEAKGATE_REQUIRE_TOOLS", "1")
            .env("LEAKGATE_ACT", setup::tools()?.join("act"))
            .run()?;
    }
    Ok(())
}

/// Pictures of reports, and HTML reports of the debug binary and the page in Chromium.
fn browser(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo test --workspace --no-run --quiet").run()?;
    pictures::check(sh)?;
    page::files(sh)?;
    let _folder = sh.push_dir("xtask/browser");
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(cmd!(sh, "node --test").run()?)
}

fn core_without_std(sh: &Shell) -> Outcome {
    let core = ["--package", "leakgate-core", "--no-default-features"];
    for target in [WASM, BARE] {
        cmd!(sh, "cargo check {core...} --target {target}").run()?;
    }
    Ok(())
}

fn documentation(sh: &Shell) -> Outcome {
    let doc = cmd!(sh, "cargo doc --workspace --no-deps");
    Ok(doc.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Compiles the fuzz targets. Fuzzing itself needs a build of everything with a nightly compiler,
/// which takes minutes.
fn fuzz_targets(sh: &Shell) -> Outcome {
    let options = ["--manifest-path=fuzz/Cargo.toml", "--target-dir=target"];
    Ok(cmd!(sh, "cargo check {options...}").run()?)
}
