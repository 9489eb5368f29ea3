//! Test harnesses: programs that run tests. leakgate checks the tests that they start, not the
//! harnesses themselves. Each has a way to put a command in front of a test.

pub(crate) mod cargo;
mod ctest;
mod go;
mod meson;
mod python;

use std::process::{Command, Stdio};

use super::checker::{Checker, Family};
use super::launch::{Launch, Machine};
use crate::error::Error;

/// The user's command, rewritten so that it runs the tests under the checkers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckedCommand {
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// Additional environment variables.
    pub(crate) env: Vec<(String, String)>,
    /// True if the command itself is checked. Otherwise only programs that it starts by the helper
    /// are checked.
    pub(crate) is_checked: bool,
    /// Notes for the user, one line per entry.
    pub(crate) notes: Vec<String>,
}

/// The program that runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harness {
    /// `cargo test`, `cargo run`, `cargo bench`.
    Cargo,
    /// `cargo nextest run`.
    Nextest,
    /// CMake's `ctest`.
    Ctest,
    /// `pytest`, `python -m pytest`, and any other Python program.
    Python,
    /// `go test`, `go run`.
    Go,
    /// `meson test`.
    Meson,
    /// No known harness: the command itself is checked.
    None,
}

/// Inputs for rewriting a command.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The checkers that run together.
    pub(crate) checkers: &'a [Checker],
    /// The helper and its arguments. A test and its arguments follow.
    pub(crate) helper: &'a [String],
    /// Path of a script that calls the helper, for harnesses that take a program without arguments.
    pub(crate) script: &'a str,
    /// The machine that runs the command.
    pub(crate) machine: &'a dyn Machine,
    /// Runs a program and returns its standard output; `None` if it fails.
    pub(crate) capture: &'a dyn Fn(&[&str]) -> Option<String>,
}

impl Harness {
    /// Returns the harness of a command.
    pub(crate) fn detect(argv: &[String]) -> Self {
        let program = argv.first().map_or("", |program| program_name(program));
        let has = |argument: &str| argv.iter().skip(1).any(|a| a == argument);
        let subcommand = subcommand_index(argv).map_or("", |at| argv[at].as_str());
        match program {
            "cargo" if subcommand == "nextest" || (subcommand == "miri" && has("nextest")) => {
                Self::Nextest
            }
            "cargo" if ["test", "t", "run", "r", "bench", "miri"].contains(&subcommand) => {
                Self::Cargo
            }
            "ctest" => Self::Ctest,
            "pytest" | "py.test" => Self::Python,
            "go" if ["test", "run"].contains(&subcommand) => Self::Go,
            "meson" if subcommand == "test" => Self::Meson,
            program if is_python(program) => Self::Python,
            _ => Self::None,
        }
    }

    /// Returns true if the harness builds the programs that it runs. Sanitizers are then part of
    /// the build, and run one after the other.
    pub(crate) fn builds(self) -> bool {
        matches!(self, Self::Cargo | Self::Nextest | Self::Go)
    }

    /// Returns the command that runs the tests under the checkers.
    ///
    /// # Errors
    /// Fails if the harness doesn't support a checker or an option, with an alternative.
    pub(crate) fn rewrite(
        self,
        argv: &[String],
        launch: &Launch,
        context: Context<'_>,
    ) -> Result<CheckedCommand, Error> {
        let is_cargo = matches!(self, Self::Cargo | Self::Nextest);
        if context.checkers.contains(&Checker::Miri) && !is_cargo {
            return Err(Error::with_help(
                "Miri only runs Rust programs that cargo builds",
                "use `leakgate run --tool miri -- cargo test`",
            ));
        }
        match self {
            Self::Cargo | Self::Nextest => cargo::rewrite(argv, context),
            Self::Ctest => Ok(ctest::rewrite(argv, context)),
            Self::Go => go::rewrite(argv, context),
            Self::Meson => meson::rewrite(argv, context),
            Self::Python => Ok(python::rewrite(argv, launch, context)),
            Self::None => Ok(CheckedCommand {
                argv: wrap(argv, launch),
                is_checked: true,
                ..CheckedCommand::default()
            }),
        }
    }
}

/// Returns true for `python` with or without a version.
fn is_python(program: &str) -> bool {
    program
        .strip_prefix("python")
        .is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Options of cargo, nextest, go and meson that take a value and may precede the subcommand.
const OPTIONS_WITH_VALUE: &[&str] = &[
    "--color",
    "--config",
    "--manifest-path",
    "--target-dir",
    "-C",
    "-Z",
];

/// Returns the index of the subcommand.
fn subcommand_index(argv: &[String]) -> Option<usize> {
    let is_value = |at: usize| OPTIONS_WITH_VALUE.contains(&argv[at - 1].as_str());
    (1..argv.len()).find(|at| !argv[*at].starts_with(['-', '+']) && !is_value(*at))
}

/// Puts the wrapper of a checker in front of a command.
fn wrap(argv: &[String], launch: &Launch) -> Vec<String> {
    launch.wrapper.iter().chain(argv).cloned().collect()
}

/// Returns true if a checker of this family runs.
fn has_family(context: Context<'_>, family: Family) -> bool {
    context
        .checkers
        .iter()
        .any(|checker| checker.family() == family)
}

/// Returns the name of a program without its directory and `.exe`.
pub(crate) fn program_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Returns the value of an option: `--name value` or `--name=value`. Arguments after `--` belong to
/// the tests.
fn option_value<'a>(argv: &'a [String], names: &[&str]) -> Option<&'a str> {
    let end = argv
        .iter()
        .position(|argument| argument == "--")
        .unwrap_or(argv.len());
    let options = &argv[..end];
    options.iter().enumerate().find_map(|(at, option)| {
        let next = || options.get(at + 1).map_or("", String::as_str);
        names
            .iter()
            .find_map(|name| match option.strip_prefix(name)? {
                "" => Some(next()),
                rest => rest.strip_prefix('='),
            })
    })
}

/// Runs a command and returns its standard output, or `None` if it fails.
pub(crate) fn capture(argv: &[&str]) -> Option<String> {
    let (program, arguments) = argv.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns a command line that a shell splits into exactly these arguments.
///
/// # Errors
/// Fails if an argument contains a NUL byte.
pub(crate) fn shell_join(argv: &[String]) -> Result<String, Error> {
    let is_unquoted = |argument: &String| {
        !argument.is_empty()
            && argument
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_=./:,@%+".contains(&b))
    };
    let quote = |argument: &String| match is_unquoted(argument) {
        true => Ok(argument.clone()),
        false => shlex::try_quote(argument)
            .map(|quoted| quoted.into_owned())
            .map_err(|_| Error::Usage("invalid command: it contains a NUL byte".into())),
    };
    Ok(argv
        .iter()
        .map(quote)
        .collect::<Result<Vec<_>, _>>()?
        .join(" "))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    /// Splits a command line as a shell does.
    pub(crate) fn split(text: &str) -> Vec<String> {
        shlex::split(text).unwrap()
    }

    /// Rewrites a command on a machine without any variables, whose compiler is for x86-64 Linux.
    pub(crate) fn rewrite(text: &str, checkers: &[Checker]) -> Result<CheckedCommand, Error> {
        rewrite_on(text, checkers, &FakeMachine::default())
    }

    /// Rewrites a command on this machine.
    pub(crate) fn rewrite_on(
        text: &str,
        checkers: &[Checker],
        machine: &FakeMachine,
    ) -> Result<CheckedCommand, Error> {
        let helper = split("/opt/leakgate exec /tmp/f");
        let capture = |argv: &[&str]| {
            let suffix = if argv.contains(&"+nightly") {
                "-nightly"
            } else {
                ""
            };
            Some(format!(
                "host: x86_64-unknown-linux-gnu\nrelease: 1.95.0{suffix}\n"
            ))
        };
        let launch = Launch {
            wrapper: split("valgrind --xml=yes"),
            ..Launch::default()
        };
        let context = Context {
            checkers,
            helper: &helper,
            script: "/tmp/f/helper",
            machine,
            capture: &capture,
        };
        let argv = split(text);
        Harness::detect(&argv).rewrite(&argv, &launch, context)
    }

    #[test]
    fn harnesses_are_detected_by_name_and_subcommand() {
        for (text, expected) in [
            ("cargo test", Harness::Cargo),
            ("/root/.cargo/bin/cargo +nightly t -p x", Harness::Cargo),
            ("cargo --locked test", Harness::Cargo),
            ("cargo --color never test", Harness::Cargo),
            ("cargo nextest --color always run", Harness::Nextest),
            ("cargo nextest run", Harness::Nextest),
            ("cargo miri test", Harness::Cargo),
            ("cargo build", Harness::None),
            ("ctest --test-dir build", Harness::Ctest),
            ("python3.11 -m pytest", Harness::Python),
            ("py.test -x", Harness::Python),
            ("python-config", Harness::None),
            ("go test ./...", Harness::Go),
            ("go build", Harness::None),
            ("meson test -C b", Harness::Meson),
            ("meson setup b", Harness::None),
            ("./a.out cargo test", Harness::None),
            ("C:\\Rust\\cargo.exe test", Harness::Cargo),
        ] {
            let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(Harness::detect(&argv), expected, "{text}");
        }
    }

    #[test]
    fn program_without_harness_is_wrapped() {
        let command = rewrite("./a.out 'x y'", &[Checker::Memcheck]).unwrap();
        assert!(command.is_checked);
        assert_eq!(command.argv, ["valgrind", "--xml=yes", "./a.out", "x y"]);
    }

    #[test]
    fn miri_needs_cargo() {
        let message = rewrite("./a.out", &[Checker::Miri])
            .unwrap_err()
            .to_string();
        assert!(message.contains("cargo test"), "{message}");
    }
}
