//! CMake's `ctest`. Its mode for memory checkers puts a command in front of each test; leakgate
//! sets the helper as that command.
//!
//! Source: `Source/CTest/cmCTestMemCheckHandler.cxx` of CMake. The command is called with options
//! that CTest adds, `--log-file=` among them, followed by the test. The mode works without
//! `include(CTest)`, too.

use super::{CheckedCommand, Context};

/// Makes ctest print the output of tests that fail.
const SHOW_OUTPUT: &str = "CTEST_OUTPUT_ON_FAILURE";

/// Switches a command to the mode for memory checkers.
pub(super) fn rewrite(argv: &[String], context: Context<'_>) -> CheckedCommand {
    let mut command = CheckedCommand {
        argv: argv.to_vec(),
        ..CheckedCommand::default()
    };
    command.argv.extend(["-T".into(), "MemCheck".into()]);
    for (key, value) in [
        ("MemoryCheckCommand", context.script),
        ("MemoryCheckType", "Valgrind"),
    ] {
        command
            .argv
            .extend(["--overwrite".into(), format!("{key}={value}")]);
    }
    // Reports of some checkers are in the output of the test that they ended.
    if context.machine.env_var(SHOW_OUTPUT).is_none() {
        command.env.push((SHOW_OUTPUT.into(), "1".into()));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::rewrite;

    #[test]
    fn helper_is_put_in_front_of_each_test() {
        let command = rewrite("ctest --test-dir build -j4", &[Checker::Memcheck]).unwrap();
        assert_eq!(
            command.argv.join(" "),
            "ctest --test-dir build -j4 -T MemCheck \
             --overwrite MemoryCheckCommand=/tmp/f/helper --overwrite MemoryCheckType=Valgrind"
        );
        assert!(!command.is_checked);
        assert_eq!(
            command.env,
            [("CTEST_OUTPUT_ON_FAILURE".to_owned(), "1".to_owned())]
        );
    }
}
