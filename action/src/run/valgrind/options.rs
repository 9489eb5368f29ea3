//! The user's options for valgrind, compared with the options of [`table`](super::table).
//!
//! valgrind reads the user's options from `~/.valgrindrc`, `VALGRIND_OPTS` and `./.valgrindrc`. A
//! later option overrides an earlier one, and the command line comes last. leakgate therefore
//! passes a value for each required option, whether it sees a user's value or not: a child process
//! may run in another directory, with another `.valgrindrc`.
//!
//! Source: `coregrind/m_commandline.c` for the files and for prefixes such as `--memcheck:`.

use super::super::checker::Checker;
use super::super::launch::Machine;
use super::table::{ALIASES, RequiredOption, Value, required_options};

/// Options of the user, in the order in which valgrind reads them.
#[derive(Debug, Default)]
pub(super) struct UserOptions(Vec<UserOption>);

/// An option and where it comes from.
#[derive(Debug)]
pub(super) struct UserOption {
    pub(super) source: &'static str,
    /// The option as valgrind's tool sees it, without a prefix such as `--memcheck:`.
    pub(super) text: String,
}

impl UserOptions {
    /// Reads the options for a tool from the files and the variable that valgrind reads.
    pub(super) fn read(checker: Checker, machine: &dyn Machine) -> Self {
        const FILE: &str = ".valgrindrc";
        let home = machine
            .env_var("HOME")
            .and_then(|home| machine.read_text(&format!("{home}/{FILE}")));
        // In the home directory valgrind reads the file once.
        let here = machine
            .read_text(FILE)
            .filter(|text| home.as_ref() != Some(text));
        let sources = [
            ("~/.valgrindrc", home),
            ("VALGRIND_OPTS", machine.env_var("VALGRIND_OPTS")),
            ("./.valgrindrc", here),
        ];
        let mut options = Vec::new();
        for (source, text) in sources {
            let text = text.unwrap_or_default();
            let of_tool = text
                .split_ascii_whitespace()
                .filter_map(|word| option_of_tool(word, &checker.name()));
            options.extend(of_tool.map(|text| UserOption { source, text }));
        }
        Self(options)
    }

    /// Returns all options.
    pub(super) fn iter(&self) -> impl Iterator<Item = &UserOption> {
        self.0.iter()
    }

    /// Returns the last value of an option, which is the one that counts.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .map(|option| split(&option.text))
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }
}

/// Returns an option without the prefix of its tool: `--leak-check=no` for
/// `--memcheck:leak-check=no`. Returns `None` for an option of another tool.
fn option_of_tool(word: &str, tool: &str) -> Option<String> {
    let (name, _) = split(word);
    match name
        .strip_prefix("--")
        .and_then(|name| name.split_once(':'))
    {
        Some((prefix, _)) if prefix == tool => {
            Some(format!("--{}", &word["--".len() + prefix.len() + 1..]))
        }
        Some(_) => None,
        None => Some(word.to_owned()),
    }
}

/// Splits an option into its name and its value. An option without a value means `yes`.
fn split(option: &str) -> (&str, &str) {
    option.split_once('=').unwrap_or((option, "yes"))
}

impl RequiredOption {
    /// Returns true if this value loses no report.
    fn accepts(&self, value: &str) -> bool {
        match self.value {
            Value::Only(required) | Value::OnlyIfUsed(required) => value == required,
            Value::AnyOf(values) => values.contains(&value),
            Value::AtLeast(least) | Value::AtLeastOr(least, _) => {
                value.parse::<u64>().is_ok_and(|number| number >= least)
            }
            Value::Without(item, _) => value.split(',').all(|part| part != item),
            Value::Unused => false,
        }
    }

    /// Returns the argument that leakgate passes, or `None` if it passes none.
    pub(super) fn argument(&self, user: &UserOptions) -> Option<String> {
        let name = self.name;
        let given = user.get(name);
        let accepted = given.filter(|value| self.accepts(value));
        let value = match self.value {
            Value::Only(value) => value.to_owned(),
            Value::AnyOf(values) => accepted.unwrap_or(values.first()?).to_owned(),
            Value::AtLeast(default) | Value::AtLeastOr(_, default) => {
                accepted.map_or_else(|| default.to_string(), str::to_owned)
            }
            Value::OnlyIfUsed(value) => given.map(|_| value.to_owned())?,
            Value::Without(item, empty) => {
                let kept: Vec<&str> = given?.split(',').filter(|part| *part != item).collect();
                if kept.is_empty() {
                    empty.to_owned()
                } else {
                    kept.join(",")
                }
            }
            Value::Unused => return None,
        };
        Some(format!("{name}={value}"))
    }

    /// Returns a note if leakgate overrides a value of the user.
    pub(super) fn note(&self, user: &UserOptions) -> Option<String> {
        let argument = self.argument(user)?;
        let is_overridden = |option: &&UserOption| {
            let (name, value) = split(&option.text);
            let is_alias = || ALIASES.contains(&(name, self.name)) && value == "no";
            name == self.name && !self.accepts(value) || is_alias()
        };
        let option = user.iter().find(is_overridden)?;
        let UserOption { source, text } = option;
        Some(format!(
            "{source}: {argument} overrides {text}, which {}",
            self.effect
        ))
    }
}

/// Returns a message for each option that loses reports although leakgate passes its own options.
/// `options` are those that valgrind has listed in a report.
pub(super) fn harmful_options(checker: Checker, options: &[String]) -> Vec<String> {
    let tool = checker.name();
    let options: Vec<String> = options
        .iter()
        .filter_map(|word| option_of_tool(word, &tool))
        .collect();
    let last = |name: &str| options.iter().rev().find(|option| split(option).0 == name);
    required_options(checker)
        .filter_map(|required| {
            let option = last(required.name)?;
            (!required.accepts(split(option).1)).then(|| format!("{option} {}", required.effect))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::launch::tests::FakeMachine;
    use super::*;

    /// Returns the arguments and notes for a tool and the text of `VALGRIND_OPTS`.
    fn arguments(checker: Checker, text: &'static str) -> (Vec<String>, Vec<String>) {
        let machine = FakeMachine {
            env: vec![("VALGRIND_OPTS", text)],
            ..FakeMachine::default()
        };
        let user = UserOptions::read(checker, &machine);
        (
            required_options(checker)
                .filter_map(|option| option.argument(&user))
                .collect(),
            required_options(checker)
                .filter_map(|option| option.note(&user))
                .collect(),
        )
    }

    #[test]
    fn every_required_option_is_accepted_in_its_own_form() {
        for checker in [Checker::Memcheck, Checker::Helgrind, Checker::Drd] {
            let (arguments, notes) = arguments(checker, "");
            assert!(notes.is_empty(), "{notes:?}");
            assert_eq!(harmful_options(checker, &arguments), Vec::<String>::new());
        }
    }

    #[test]
    fn harmful_value_is_overridden_with_its_effect() {
        let (arguments, notes) = arguments(
            Checker::Memcheck,
            "--num-callers=13 --memcheck:freelist-vol=0 --helgrind:track-lockorders=no \
             --show-reachable=no \
             --keep-stacktraces=alloc --redzone-size=64 --sim-hints=lax-ioctls,lax-doors",
        );
        for argument in [
            "--freelist-vol=20000000",
            "--show-leak-kinds=all",
            "--keep-stacktraces=alloc",
            "--redzone-size=64",
            "--num-callers=13",
            "--sim-hints=lax-doors",
        ] {
            assert!(arguments.iter().any(|a| a == argument), "{argument}");
        }
        assert_eq!(
            notes,
            [
                "VALGRIND_OPTS: --sim-hints=lax-doors overrides --sim-hints=lax-ioctls,lax-doors, \
                 which hides errors in arguments of ioctl",
                "VALGRIND_OPTS: --show-leak-kinds=all overrides --show-reachable=no, which hides \
                 leaks",
                "VALGRIND_OPTS: --freelist-vol=20000000 overrides --freelist-vol=0, which hides \
                 accesses to freed blocks",
            ]
        );
    }

    #[test]
    fn option_that_older_versions_lack_is_passed_only_if_used() {
        let passes = |text| {
            let (arguments, _) = arguments(Checker::Memcheck, text);
            arguments.contains(&"--show-realloc-size-zero=yes".to_owned())
        };
        assert!(passes("--show-realloc-size-zero=no") && !passes(""));
    }

    #[test]
    fn options_come_from_both_files_and_the_variable() {
        let machine = FakeMachine {
            env: vec![("HOME", "/home/a"), ("VALGRIND_OPTS", "--redzone-size=1")],
            files: vec![
                ("/home/a/.valgrindrc", "--leak-check=no\n--redzone-size=2"),
                (".valgrindrc", "--redzone-size=3\n"),
            ],
            ..FakeMachine::default()
        };
        let user = UserOptions::read(Checker::Memcheck, &machine);
        assert_eq!(user.get("--redzone-size"), Some("3"));
        assert_eq!(user.get("--leak-check"), Some("no"));
    }

    #[test]
    fn option_that_cannot_be_overridden_is_harmful() {
        let options = [
            "--memcheck:ignore-ranges=0x1-0x2",
            "--show-realloc-size-zero=no",
        ];
        assert_eq!(
            harmful_options(Checker::Memcheck, &options.map(str::to_owned)),
            [
                "--show-realloc-size-zero=no hides calls of realloc with size 0",
                "--ignore-ranges=0x1-0x2 hides errors in a range",
            ]
        );
    }
}
