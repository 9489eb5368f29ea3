//! Python. The interpreter itself is checked, because extension modules are libraries in it.
//!
//! Source: CPython's `Misc/README.valgrind` and its manual on `PYTHONMALLOC`.

use super::{CheckedCommand, Context, has_family, wrap};
use crate::run::checker::Family;
use crate::run::launch::Launch;

/// Puts the checker in front of a command. Every Python object gets its own block, so that a
/// checker sees it.
pub(super) fn rewrite(argv: &[String], launch: &Launch, context: Context<'_>) -> CheckedCommand {
    let mut command = CheckedCommand {
        argv: wrap(argv, launch),
        is_checked: true,
        ..CheckedCommand::default()
    };
    if context.machine.env_var("PYTHONMALLOC").is_none() {
        command.env.push(("PYTHONMALLOC".into(), "malloc".into()));
    }
    if has_family(context, Family::Sanitizer) && context.machine.env_var("LD_PRELOAD").is_none() {
        command.notes.push(
            "python is not built with a sanitizer; preload the runtime of your extension module, \
             such as LD_PRELOAD=$(gcc -print-file-name=libasan.so)"
                .into(),
        );
    }
    command
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::super::launch::tests::FakeMachine;
    use super::super::tests::{rewrite, rewrite_on};

    #[test]
    fn interpreter_is_checked_with_a_block_for_each_object() {
        let memcheck = rewrite("python -m pytest -q", &[Checker::Memcheck]).unwrap();
        assert_eq!(
            memcheck.argv,
            ["valgrind", "--xml=yes", "python", "-m", "pytest", "-q"]
        );
        assert_eq!(
            memcheck.env,
            [("PYTHONMALLOC".to_owned(), "malloc".to_owned())]
        );
        assert!(memcheck.is_checked && memcheck.notes.is_empty());
        let machine = FakeMachine {
            env: vec![("PYTHONMALLOC", "debug")],
            ..FakeMachine::default()
        };
        let asan = rewrite_on("pytest", &[Checker::Asan], &machine).unwrap();
        assert!(asan.env.is_empty() && asan.notes[0].contains("LD_PRELOAD"));
    }
}
