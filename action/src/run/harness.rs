//! Programs that run tests. What is checked is what they start, not they themselves: each has a way
//! to put words before a test.

pub(crate) mod cargo;
mod ctest;
mod go;
mod meson;
mod python;

use super::checker::{Checker, Family};
use super::launch::{Launch, Machine};
use crate::error::Error;

/// A command, as it is really run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Started {
    /// The words.
    pub(crate) words: Vec<String>,
    /// More variables for it.
    pub(crate) variables: Vec<(String, String)>,
    /// True when the command itself is checked; else only what it starts by the helper.
    pub(crate) is_checked: bool,
    /// What the user should know, a line each.
    pub(crate) notes: Vec<String>,
}

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harness {
    /// `cargo test`, `cargo run`, `cargo bench`.
    Cargo,
    /// `cargo nextest run`.
    Nextest,
    /// CMake's `ctest`.
    Ctest,
    /// `pytest`, `python -m pytest`, and Python programs of any kind.
    Python,
    /// `go test`, `go run`.
    Go,
    /// `meson test`.
    Meson,
    /// Nobody: the command is the program.
    None,
}

/// What a command is rewritten with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The checkers that run at once.
    pub(crate) pass: &'a [Checker],
    /// The words of the helper, which stand before a test.
    pub(crate) helper: &'a [String],
    /// A program that calls the helper, for who takes no words.
    pub(crate) script: &'a str,
    /// The machine.
    pub(crate) machine: &'a dyn Machine,
    /// What a program prints at standard output.
    pub(crate) ask: &'a dyn Fn(&[&str]) -> Option<String>,
}

impl Harness {
    /// Who runs the tests of this command.
    pub(crate) fn of(words: &[String]) -> Self {
        let first = words.first().map_or("", |word| name(word));
        let has = |word: &str| words.iter().skip(1).any(|w| w == word);
        let subcommand = subcommand(words).map_or("", |at| words[at].as_str());
        match first {
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
            python
                if python.starts_with("python")
                    && python["python".len()..]
                        .bytes()
                        .all(|b| b.is_ascii_digit() || b == b'.') =>
            {
                Self::Python
            }
            _ => Self::None,
        }
    }

    /// True when it builds what it runs, so that sanitizers are a matter of how it builds, one
    /// after the other.
    pub(crate) fn builds(self) -> bool {
        matches!(self, Self::Cargo | Self::Nextest | Self::Go)
    }

    /// The command that runs the tests under the checkers.
    ///
    /// # Errors
    /// What this harness can't do, and what to do instead.
    pub(crate) fn start(
        self,
        words: &[String],
        launch: &Launch,
        context: Context<'_>,
    ) -> Result<Started, Error> {
        if context.pass.contains(&Checker::Miri) && !matches!(self, Self::Cargo | Self::Nextest) {
            let what = "Miri interprets Rust programs that cargo builds: leakgate run --tool miri -- cargo test";
            return Err(Error::Usage(what.into()));
        }
        match self {
            Self::Cargo | Self::Nextest => cargo::start(words, context),
            Self::Ctest => Ok(ctest::start(words, context)),
            Self::Go => go::start(words, context),
            Self::Meson => meson::start(words, context),
            Self::Python => Ok(python::start(words, launch, context)),
            Self::None => Ok(Started {
                words: before(words, launch),
                is_checked: true,
                ..Started::default()
            }),
        }
    }
}

/// Options of cargo, nextest, go and meson that stand before a subcommand and have a value of their
/// own.
const VALUED: &[&str] = &[
    "--color",
    "--config",
    "--manifest-path",
    "--target-dir",
    "-C",
    "-Z",
];

/// Where the subcommand stands.
fn subcommand(words: &[String]) -> Option<usize> {
    let is_value = |at: usize| VALUED.contains(&words[at - 1].as_str());
    (1..words.len()).find(|at| !words[*at].starts_with(['-', '+']) && !is_value(*at))
}

/// The words of a command behind those of a checker.
fn before(words: &[String], launch: &Launch) -> Vec<String> {
    launch.prefix.iter().chain(words).cloned().collect()
}

fn is_under(context: Context<'_>, family: Family) -> bool {
    context
        .pass
        .iter()
        .any(|checker| checker.family() == family)
}

/// The name of a program without its folder.
pub(crate) fn name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The value of an option: `--name value` or `--name=value`. What stands behind `--` belongs to the
/// tests.
fn option<'a>(words: &'a [String], names: &[&str]) -> Option<&'a str> {
    let ours = &words[..words.iter().position(|w| w == "--").unwrap_or(words.len())];
    ours.iter().enumerate().find_map(|(at, word)| {
        let next = || ours.get(at + 1).map_or("", String::as_str);
        names
            .iter()
            .find_map(|name| match word.strip_prefix(name)? {
                "" => Some(next()),
                rest => rest.strip_prefix('='),
            })
    })
}

/// Words of which a shell makes exactly these.
pub(crate) fn joined(words: &[String]) -> Result<String, Error> {
    let is_plain = |word: &String| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_=./:,@%+".contains(&b))
    };
    let word = |word: &String| match is_plain(word) {
        true => Ok(word.clone()),
        false => shlex::try_quote(word)
            .map(|quoted| quoted.into_owned())
            .map_err(|_| Error::Usage("a command can't hold a zero byte".into())),
    };
    Ok(words
        .iter()
        .map(word)
        .collect::<Result<Vec<_>, _>>()?
        .join(" "))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    /// A command, of which a shell makes words.
    pub(crate) fn words(text: &str) -> Vec<String> {
        shlex::split(text).unwrap()
    }

    /// What becomes of a command on a machine where a compiler is on x86-64 Linux.
    pub(crate) fn started(text: &str, pass: &[Checker]) -> Result<Started, Error> {
        started_on(text, pass, &Made::default())
    }

    /// The same on a machine of one's own.
    pub(crate) fn started_on(
        text: &str,
        pass: &[Checker],
        machine: &Made,
    ) -> Result<Started, Error> {
        let helper = words("/opt/leakgate exec /tmp/f");
        let ask = |words: &[&str]| {
            let nightly = words.contains(&"+nightly");
            Some(format!(
                "host: x86_64-unknown-linux-gnu\nrelease: 1.95.0{}\n",
                if nightly { "-nightly" } else { "" }
            ))
        };
        let launch = Launch {
            prefix: words("valgrind --xml=yes"),
            ..Launch::default()
        };
        let context = Context {
            pass,
            helper: &helper,
            script: "/tmp/f/helper",
            machine,
            ask: &ask,
        };
        Harness::of(&words(text)).start(&words(text), &launch, context)
    }

    #[test]
    fn harnesses_are_known_by_their_names() {
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
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(Harness::of(&words), expected, "{text}");
        }
    }

    #[test]
    fn a_program_stands_behind_its_checker() {
        let started = started("./a.out 'x y'", &[Checker::Memcheck]).unwrap();
        assert!(started.is_checked);
        assert_eq!(started.words, ["valgrind", "--xml=yes", "./a.out", "x y"]);
    }

    #[test]
    fn miri_needs_cargo() {
        assert!(
            started("./a.out", &[Checker::Miri])
                .unwrap_err()
                .to_string()
                .contains("cargo test")
        );
    }
}
