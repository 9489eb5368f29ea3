//! Makefiles without a generator. Their tests are the programs that `make check` or `make test`
//! starts.

use std::collections::BTreeSet;

use super::Step;
use super::native::NativeProject;
use crate::init::tree::Tree;

const FILES: &[&str] = &["GNUmakefile", "Makefile", "makefile"];

/// Targets that run tests, the preferred one first.
const TEST_TARGETS: &[&str] = &["check", "test"];

/// Commands of recipes that run no program of the project: messages, compilers, and tools that
/// handle files. Compilers are also called by the variables that usually contain them.
const NOT_TESTS: &[&str] = &[
    ":",
    "$(AR)",
    "$(CC)",
    "$(CXX)",
    "$(LD)",
    "$(RANLIB)",
    "${AR}",
    "${CC}",
    "${CXX}",
    "${LD}",
    "ar",
    "c++",
    "cc",
    "clang",
    "clang++",
    "cp",
    "echo",
    "exit",
    "false",
    "g++",
    "gcc",
    "ln",
    "mkdir",
    "mv",
    "printf",
    "ranlib",
    "rm",
    "rmdir",
    "strip",
    "touch",
    "true",
];

/// Detects a project with a Makefile and C or C++ source files.
pub(super) fn find(tree: &Tree) -> Option<NativeProject> {
    let file = tree.first_existing(FILES)?;
    tree.with_extension(&[".c", ".cc", ".cpp", ".cxx"]).next()?;
    let makefile = Makefile::parse(&tree.read(file));
    let defined = TEST_TARGETS.iter().find(|name| makefile.defines(name));
    let target = TEST_TARGETS
        .iter()
        .find(|name| makefile.defines(name) && makefile.may_run_programs(name))
        .copied();
    // With the flags in the name of the compiler they are used in every call, also if the Makefile
    // sets CFLAGS itself, and when linking.
    let mut script = vec!["make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\""];
    script.extend(target.map(|target| match target {
        "check" => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" check",
        _ => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" test",
    }));
    let note = defined
        .filter(|_| target.is_none())
        .map(|name| format!("`make {name}` runs no program, so a checker would have no evidence"));
    let native = NativeProject::with_make(
        "make",
        format!("C with make ({file})"),
        Step::valgrind(),
        &script,
        target,
    );
    Some(NativeProject {
        is_make: true,
        note,
        ..native
    })
}

/// Returns the target of a Makefile that runs tests.
pub(super) fn test_target(text: &str) -> Option<&'static str> {
    let makefile = Makefile::parse(text);
    TEST_TARGETS
        .iter()
        .find(|name| makefile.defines(name))
        .copied()
}

/// The rules of a Makefile.
#[derive(Debug, Default)]
struct Makefile {
    rules: Vec<Rule>,
    /// True if other files are included.
    has_includes: bool,
}

/// A rule with explicit targets.
#[derive(Debug, Default)]
struct Rule {
    targets: Vec<String>,
    prerequisites: Vec<String>,
    recipe: Vec<String>,
}

impl Makefile {
    fn parse(text: &str) -> Self {
        let mut makefile = Self::default();
        for line in text.replace("\\\n", " ").lines() {
            if let Some(command) = line.strip_prefix('\t') {
                if let Some(rule) = makefile.rules.last_mut() {
                    rule.recipe.push(command.to_owned());
                }
                continue;
            }
            let first = line.split_whitespace().next().unwrap_or_default();
            makefile.has_includes |= ["include", "-include", "sinclude"].contains(&first);
            makefile.rules.extend(Rule::parse(line));
        }
        makefile
    }

    fn rules<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a Rule> {
        let is_target = move |name: &String| name == target;
        self.rules
            .iter()
            .filter(move |rule| rule.targets.iter().any(is_target))
    }

    fn defines(&self, target: &str) -> bool {
        self.rules(target).next().is_some()
    }

    /// Returns false if no recipe of the target and of its prerequisites can start a program of the
    /// project. If unsure, returns true.
    fn may_run_programs(&self, target: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![target];
        while let Some(name) = waiting.pop() {
            if !seen.insert(name) {
                continue;
            }
            for rule in self.rules(name) {
                if rule.recipe.iter().any(|line| may_run_program(line)) {
                    return true;
                }
                waiting.extend(rule.prerequisites.iter().map(String::as_str));
            }
        }
        // A variable or an included file may name further targets.
        let is_variable = |name: &&str| name.contains('$');
        seen.iter().any(is_variable) || self.has_includes
    }
}

impl Rule {
    /// Parses the line of a rule. Returns `None` for variables, comments, special targets and
    /// pattern rules.
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with(['.', '#']) {
            return None;
        }
        let (targets, rest) = line.split_once(':')?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        if rest.starts_with('=') || rest.starts_with(":=") || targets.contains(['=', '%']) {
            return None;
        }
        let (prerequisites, command) = rest.split_once(';').unwrap_or((rest, ""));
        let prerequisites = prerequisites.split('#').next().unwrap_or_default();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Some(Self {
            targets: words(targets),
            prerequisites: words(prerequisites),
            recipe: vec![command.to_owned()],
        })
    }
}

/// Returns true if a line of a recipe may start a program of the project.
fn may_run_program(line: &str) -> bool {
    let command = line.trim_start_matches([' ', '\t', '@', '-', '+']);
    let first = command.split_whitespace().next().unwrap_or_default();
    let is_list = command.contains("&&") || command.contains([';', '|', '`']);
    !(first.is_empty() || first.starts_with('#')) && (is_list || !NOT_TESTS.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    #[test]
    fn test_targets_are_rules_not_variables() {
        assert_eq!(test_target("all: x\ntest check: x\n"), Some("check"));
        assert_eq!(test_target("test: all\n"), Some("test"));
        for text in [
            "test := 1\n",
            ".PHONY: test\n",
            "\ttest: x\n",
            "tests: x\n",
            "# test: x\n",
            "test ::= 1\n",
        ] {
            assert_eq!(test_target(text), None, "{text}");
        }
    }

    #[test]
    fn makefile_needs_source_files() {
        let (_dir, tree) = test_tree(&[("Makefile", "all:\n\tdocker build .\n")]);
        assert!(find(&tree).is_none());
        let (_dir, tree) = test_tree(&[("Makefile", "all: a\n"), ("src/a.cc", "")]);
        let native = find(&tree).unwrap();
        assert!(
            native.job.comment.is_some() && native.job.command == "./PROGRAM" && native.is_make
        );
    }

    #[test]
    fn test_target_without_program_is_no_test() {
        let native = |text: &str| find(&test_tree(&[("Makefile", text), ("a.c", "")]).1).unwrap();
        for text in [
            "test:\n",
            "test: ; @echo no tests\n",
            "test: all\nall: a\na: a.c\n\t$(CC) -o $@ a.c\n",
            "test: build\n\t@true\nbuild:\n\tcc a.c\n\n\t# done\n",
        ] {
            let native = native(text);
            assert!(!native.has_tests, "{text}");
            assert!(native.note.unwrap().contains("`make test` runs no program"));
        }
        for text in [
            "test: a\n\t./a\n",
            "test: ; ./a\n",
            "test:\n\tcd tests && ./run\n",
            "test:\n\t$(MAKE) -C tests\n",
            "test: $(TESTS)\n",
            "test: all\ninclude tests.mk\n",
            "test: \\\n unit\nunit: a\n\t@-sh t.sh\n",
            "test:\n\techo a | ./a\n",
        ] {
            assert!(native(text).has_tests, "{text}");
        }
        // A target that runs programs is preferred.
        let both = native("check:\n\ttrue\ntest: a\n\t./a\n");
        assert_eq!(both.job.command, "make test");
        assert!(both.note.is_none());
    }
}
