//! What tests need from the machine, and what happens without it.
//!
//! A test without its tools is reported as ignored, with the missing tools. If the environment
//! variable `LEAKGATE_REQUIRE_TOOLS` is `1`, it fails instead.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use libtest_mimic::{Completion, Trial};

/// Something that a test needs from the machine.
pub(crate) enum Need {
    /// A program on PATH.
    Program(&'static str),
    /// A file with this absolute path.
    File(&'static str),
    /// A tool with its name and its own check.
    Tool(&'static str, fn() -> bool),
    /// A property of the machine that can't be installed, with its name and its own check. A test
    /// without it is ignored even if tools are required.
    Machine(&'static str, fn() -> bool),
}

pub(crate) const AR: Need = Need::Program("ar");
pub(crate) const CARGO: Need = Need::Program("cargo");
pub(crate) const CATCH2: Need = Need::File("/usr/include/catch2/catch.hpp");
pub(crate) const CC: Need = Need::Program("cc");
pub(crate) const CLANG: Need = Need::Program("clang-19");
pub(crate) const CMAKE: Need = Need::Program("cmake");
pub(crate) const CTEST: Need = Need::Program("ctest");
pub(crate) const DOCTEST: Need = Need::File("/usr/include/doctest/doctest.h");
pub(crate) const EFENCE: Need = Need::File("/usr/lib/libefence.so.0");
pub(crate) const GCC: Need = Need::Program("gcc");
pub(crate) const GIT: Need = Need::Program("git");
pub(crate) const GO: Need = Need::Program("go");
pub(crate) const GOOGLETEST: Need = Need::File("/usr/include/gtest/gtest.h");
pub(crate) const GXX: Need = Need::Program("g++");
pub(crate) const LLVM_SYMBOLIZER: Need = Need::Program("llvm-symbolizer-19");
pub(crate) const MAKE: Need = Need::Program("make");
pub(crate) const MESON: Need = Need::Program("meson");
pub(crate) const NEXTEST: Need = Need::Program("cargo-nextest");
pub(crate) const NINJA: Need = Need::Program("ninja");
pub(crate) const PYTHON: Need = Need::Program("python3");
pub(crate) const SETPRIV: Need = Need::Program("setpriv");
pub(crate) const STRACE: Need = Need::Program("strace");
pub(crate) const VALGRIND: Need = Need::Program("valgrind");

impl Need {
    fn name(&self) -> &'static str {
        match self {
            Self::Program(name) | Self::File(name) => name,
            Self::Tool(name, _) | Self::Machine(name, _) => name,
        }
    }

    fn is_met(&self) -> bool {
        match self {
            Self::Program(name) => find(name).is_some(),
            Self::File(path) => Path::new(path).exists(),
            Self::Tool(_, check) | Self::Machine(_, check) => check(),
        }
    }
}

/// Returns the path of a program on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Names of everything that a test was ignored for.
static MISSING: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Creates a test. One that needs anything runs only with `--include-ignored` or `--ignored`.
pub(crate) fn trial(name: &str, needs: &'static [Need], test: fn()) -> Trial {
    let run = move || {
        let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_met()).collect();
        let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
        if missing.is_empty() {
            test();
            return Ok(Completion::Completed);
        }
        let message = format!("needs {}", names.join(", "));
        let are_tools = !missing.iter().all(|need| matches!(need, Need::Machine(..)));
        if are_tools && env::var_os("LEAKGATE_REQUIRE_TOOLS").is_some_and(|value| value == "1") {
            return Err(message.into());
        }
        let mut all = MISSING.lock().unwrap();
        all.extend(missing.iter().map(|need| need.name()));
        Ok(Completion::ignored_with(message))
    };
    Trial::ignorable_test(name, run).with_ignored_flag(!needs.is_empty())
}

/// Creates the tests of a module: the prefix of their names, and each function with its needs.
macro_rules! trials {
    ($prefix:literal, $($test:ident($($need:expr),*)),* $(,)?) => {
        vec![$($crate::needs::trial(
            concat!($prefix, "/", stringify!($test)),
            &[$($need),*],
            $test,
        )),*]
    };
}
pub(crate) use trials;

/// Prints the names of everything that tests were ignored for.
pub(crate) fn print_missing() {
    let missing = MISSING.lock().unwrap();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().copied().collect();
        eprintln!(
            "some tests were ignored because this machine lacks: {}",
            names.join(", ")
        );
    }
}
