//! CMake's `ctest`: its own mode for memory checkers puts a command before each test, in whose
//! place stands the helper.
//!
//! Source: `Source/CTest/cmCTestMemCheckHandler.cxx` of CMake: the command is called with options
//! of its own, `--log-file=` among them, and the test behind them. The mode works without
//! `include(CTest)`, too.

use super::{Context, Started};

/// Has ctest show what a test printed that failed.
const SHOW: &str = "CTEST_OUTPUT_ON_FAILURE";

/// The command in its mode for memory checkers.
pub(super) fn start(words: &[String], context: Context<'_>) -> Started {
    let mut started = Started {
        words: words.to_vec(),
        ..Started::default()
    };
    started.words.extend(["-T".into(), "MemCheck".into()]);
    for (key, value) in [
        ("MemoryCheckCommand", context.script),
        ("MemoryCheckType", "Valgrind"),
    ] {
        started
            .words
            .extend(["--overwrite".into(), format!("{key}={value}")]);
    }
    // What some checkers have to say stands in the output of the test that they ended.
    if context.machine.variable(SHOW).is_none() {
        started.variables.push((SHOW.into(), "1".into()));
    }
    started
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::started;

    #[test]
    fn the_helper_stands_before_each_test() {
        let started = started("ctest --test-dir build -j4", &[Checker::Memcheck]).unwrap();
        let text = started.words.join(" ");
        assert_eq!(
            text,
            "ctest --test-dir build -j4 -T MemCheck --overwrite MemoryCheckCommand=/tmp/f/helper --overwrite MemoryCheckType=Valgrind"
        );
        assert!(
            !started.is_checked
                && started.variables == [("CTEST_OUTPUT_ON_FAILURE".to_owned(), "1".to_owned())]
        );
    }
}
