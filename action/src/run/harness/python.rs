//! Python: the interpreter itself is checked, for extensions are libraries within it.
//!
//! Source: CPython's `Misc/README.valgrind` and its manual on `PYTHONMALLOC`.

use super::{Context, Started, before, is_under};
use crate::run::checker::Family;
use crate::run::launch::Launch;

/// The command behind its checker; every object of Python is a block of its own, so that a checker
/// sees it.
pub(super) fn start(words: &[String], launch: &Launch, context: Context<'_>) -> Started {
    let mut started = Started {
        words: before(words, launch),
        is_checked: true,
        ..Started::default()
    };
    if context.machine.variable("PYTHONMALLOC").is_none() {
        started
            .variables
            .push(("PYTHONMALLOC".into(), "malloc".into()));
    }
    if is_under(context, Family::Sanitizer) && context.machine.variable("LD_PRELOAD").is_none() {
        let what = "python is not built with a sanitizer: preload the runtime of your extension, \
                    such as LD_PRELOAD=$(gcc -print-file-name=libasan.so)";
        started.notes.push(what.into());
    }
    started
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::super::launch::tests::Made;
    use super::super::tests::{started, started_on};

    #[test]
    fn the_interpreter_is_checked_with_a_block_for_each_object() {
        let memcheck = started("python -m pytest -q", &[Checker::Memcheck]).unwrap();
        assert_eq!(
            memcheck.words,
            ["valgrind", "--xml=yes", "python", "-m", "pytest", "-q"]
        );
        assert_eq!(
            memcheck.variables,
            [("PYTHONMALLOC".to_owned(), "malloc".to_owned())]
        );
        assert!(memcheck.is_checked && memcheck.notes.is_empty());
        let machine = Made {
            variables: vec![("PYTHONMALLOC", "debug")],
            ..Made::default()
        };
        let asan = started_on("pytest", &[Checker::Asan], &machine).unwrap();
        assert!(asan.variables.is_empty() && asan.notes[0].contains("LD_PRELOAD"));
    }
}
