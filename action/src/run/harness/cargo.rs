//! `cargo test`, `run`, `bench`, and `cargo nextest run`: a runner for each program that is built
//! for the target.
//!
//! Sources: the Cargo Book on `target.<triple>.runner` and on `--config`; the rustc book on
//! `-Zsanitizer`; nextest's book on target runners.

use serde_json::Value;

use super::{Context, Started, VALUED, is_under, option};
use crate::error::Error;
use crate::run::checker::{Checker, Family};

/// The command with a runner; for sanitizers also the flags with which everything is built.
pub(super) fn start(words: &[String], context: Context<'_>) -> Result<Started, Error> {
    let mut call = Call::of(words);
    let mut started = Started::default();
    if context.pass.contains(&Checker::Miri) {
        call.nightly(&mut started, context)?;
        let words: Vec<&str> = call
            .cargo
            .iter()
            .map(String::as_str)
            .chain(["miri", "--version"])
            .collect();
        if (context.ask)(&words).is_none() {
            return Err(Error::Usage(
                "miri is not here: rustup +nightly component add miri".into(),
            ));
        }
        call.miri();
        call.keep_going();
        started.words = call.words();
        return Ok(started);
    }
    if call.subcommand.first().is_some_and(|s| s == "miri") {
        return Err(Error::Usage(
            "`cargo miri` is Miri: leakgate run --tool miri -- cargo test".into(),
        ));
    }
    let sanitizer = is_under(context, Family::Sanitizer)
        .then(|| sanitizer(context.pass))
        .transpose()?;
    let is_built = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|name| {
        context
            .machine
            .variable(name)
            .is_some_and(|flags| flags.contains("-Zsanitizer") || flags.contains("sanitizer="))
    });
    if sanitizer.is_some() && !is_built {
        call.nightly(&mut started, context)?;
    }
    let host = call.host(context)?;
    let target = option(&call.options, &["--target"])
        .map(str::to_owned)
        .or_else(|| context.machine.variable("CARGO_BUILD_TARGET"));
    let triple = target.clone().unwrap_or_else(|| host.clone());
    if let Some(sanitizer) = sanitizer.filter(|_| !is_built) {
        if target.is_none() {
            // Without it, build scripts and macros would be built with the sanitizer, too.
            call.options.extend(["--target".to_owned(), host]);
        }
        call.built_with(sanitizer, &triple, &mut started, context);
    }
    let runner = context
        .helper
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(", ");
    call.options.extend([
        "--config".to_owned(),
        format!("target.{triple}.runner=[{runner}]"),
    ]);
    call.keep_going();
    started.words = call.words();
    Ok(started)
}

/// How many tests `cargo test` or nextest ran, as far as these tell; test programs with a harness
/// of their own do not.
pub(crate) fn tests(stdout: &[u8], stderr: &[u8]) -> Option<u64> {
    let number = |line: &[u8], before: &str, after: &[&str]| {
        let line = std::str::from_utf8(line).ok()?.trim();
        let (number, rest) = line.strip_prefix(before)?.split_once(' ')?;
        after
            .iter()
            .any(|word| rest.starts_with(word))
            .then(|| number.parse::<u64>().ok())?
    };
    let of_cargo = stdout
        .split(|b| *b == b'\n')
        .filter_map(|line| number(line, "running ", &["test"]));
    let of_nextest = stderr
        .split(|b| *b == b'\n')
        .filter_map(|line| number(line, "Starting ", &["test"]));
    of_cargo
        .chain(of_nextest)
        .reduce(|all, more| all.saturating_add(more))
}

/// The words of a call of cargo, taken apart.
#[derive(Debug)]
struct Call {
    /// `cargo` and its toolchain.
    cargo: Vec<String>,
    /// `test`, `nextest run`, `miri test`.
    subcommand: Vec<String>,
    /// Options of cargo.
    options: Vec<String>,
    /// What follows `--`, that included.
    rest: Vec<String>,
}

impl Call {
    fn of(words: &[String]) -> Self {
        let mut words = words.iter().cloned().peekable();
        let mut call = Self {
            cargo: words.next().into_iter().collect(),
            subcommand: Vec::new(),
            options: Vec::new(),
            rest: Vec::new(),
        };
        call.cargo
            .extend(words.next_if(|word| word.starts_with('+')));
        let is_value = |call: &Self| {
            call.options
                .last()
                .is_some_and(|option| VALUED.contains(&option.as_str()))
        };
        for word in words {
            let is_double = matches!(
                call.subcommand.last().map(String::as_str),
                Some("nextest" | "miri")
            ) && call.subcommand.len() < 2;
            if !call.rest.is_empty() || word == "--" {
                call.rest.push(word);
            } else if !word.starts_with('-')
                && (call.subcommand.is_empty() || is_double)
                && !is_value(&call)
            {
                call.subcommand.push(word);
            } else {
                call.options.push(word);
            }
        }
        call
    }

    fn words(self) -> Vec<String> {
        [self.cargo, self.subcommand, self.options, self.rest].concat()
    }

    /// Puts the command that Miri adds to cargo before its subcommand.
    fn miri(&mut self) {
        if self.subcommand.first().is_none_or(|s| s != "miri") {
            self.subcommand.insert(0, "miri".into());
        }
    }

    /// One test program that fails must not keep the others from running.
    fn keep_going(&mut self) {
        let is_test = self
            .subcommand
            .iter()
            .any(|s| ["test", "t", "nextest"].contains(&s.as_str()));
        let is_set = self
            .options
            .iter()
            .any(|o| o == "--no-fail-fast" || o == "--fail-fast" || o.starts_with("--max-fail"));
        if is_test && !is_set {
            self.options.push("--no-fail-fast".into());
        }
    }

    /// What the compiler says of itself.
    fn version(&self, context: Context<'_>) -> Option<String> {
        let words: Vec<&str> = self
            .cargo
            .iter()
            .map(String::as_str)
            .chain(["-vV"])
            .collect();
        (context.ask)(&words)
    }

    fn host(&self, context: Context<'_>) -> Result<String, Error> {
        let version = self.version(context).unwrap_or_default();
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).ok_or_else(|| {
            Error::Usage(format!(
                "`{} -vV` does not tell for what it compiles",
                self.cargo.join(" ")
            ))
        })
    }

    /// Sanitizers and Miri are of the nightly compiler.
    fn nightly(&mut self, started: &mut Started, context: Context<'_>) -> Result<(), Error> {
        let is_nightly = |text: &str| {
            text.lines()
                .any(|line| line.starts_with("release: ") && line.contains("-nightly"))
        };
        if self.version(context).is_some_and(|text| is_nightly(&text))
            || context.machine.variable("RUSTC_BOOTSTRAP").is_some()
        {
            return Ok(());
        }
        let what = "sanitizers and Miri need the nightly compiler";
        if self.cargo.len() > 1 {
            return Err(Error::Usage(format!("{what}, not {}", self.cargo[1])));
        }
        self.cargo.push("+nightly".into());
        if !self.version(context).is_some_and(|text| is_nightly(&text)) {
            return Err(Error::Usage(format!(
                "{what}: rustup toolchain install nightly"
            )));
        }
        started
            .notes
            .push(format!("{what}, so cargo is called with +nightly"));
        Ok(())
    }

    /// The flags of this name in cargo's configuration: those of the target, or else those of every
    /// build.
    fn configured(
        &self,
        name: &str,
        triple: &str,
        started: &mut Started,
        context: Context<'_>,
    ) -> Vec<String> {
        let get = |key: &str| -> Value {
            let options = self.options.iter().enumerate().filter(|(at, option)| {
                option.starts_with("--config") || *at > 0 && self.options[at - 1] == "--config"
            });
            let options = options.map(|(_, option)| option.as_str());
            let words = [
                "-Zunstable-options",
                "config",
                "get",
                key,
                "--format",
                "json-value",
            ];
            let words: Vec<&str> = self
                .cargo
                .iter()
                .map(String::as_str)
                .chain(words)
                .chain(options)
                .collect();
            (context.ask)(&words)
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default()
        };
        let targets = get("target");
        let conditions = targets
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, of)| key.starts_with("cfg(") && of.get(name).is_some());
        for (key, _) in conditions {
            started.notes.push(format!(
                "{name} of {key} in cargo's configuration is left out: set {} instead",
                name.to_ascii_uppercase()
            ));
        }
        match get(&format!("target.{triple}.{name}")) {
            Value::Null => words_of(&get(&format!("build.{name}"))),
            of_target => words_of(&of_target),
        }
    }

    /// Adds the flags of a sanitizer where cargo looks for flags first. Variables hide what the
    /// configuration says, so that it is said again.
    fn built_with(
        &mut self,
        sanitizer: &str,
        triple: &str,
        started: &mut Started,
        context: Context<'_>,
    ) {
        // Frame pointers, since the sanitizers follow them, and Rust leaves them out: else no stack
        // would reach the program.
        let flags = [
            format!("-Zsanitizer={sanitizer}"),
            "-Cforce-frame-pointers=yes".to_owned(),
        ];
        for (plain, encoded) in [
            ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"),
            ("RUSTDOCFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"),
        ] {
            let of_user = |name: &str| context.machine.variable(name);
            let (name, users, between) = match (of_user(encoded), of_user(plain)) {
                (Some(users), _) => (encoded, vec![users], "\u{1f}"),
                (None, Some(users)) => (plain, vec![users], " "),
                (None, None) => (
                    encoded,
                    self.configured(&plain.to_ascii_lowercase(), triple, started, context),
                    "\u{1f}",
                ),
            };
            let all = users
                .into_iter()
                .chain(flags.iter().cloned())
                .collect::<Vec<_>>()
                .join(between);
            started.variables.push((name.into(), all));
        }
        if ["thread", "memory"].contains(&sanitizer)
            && self.options.iter().all(|o| !o.starts_with("-Zbuild-std"))
        {
            // The standard library must be built so, too, or all that it does is a finding.
            self.options.push("-Zbuild-std".into());
            started
                .notes
                .push("the standard library is built with the sanitizer (-Zbuild-std; rustup component add rust-src)".into());
        }
    }
}

/// Flags in cargo's configuration: a word for each, or a string of words.
fn words_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Value::Array(words) => words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// The compiler's name of the sanitizer.
fn sanitizer(pass: &[Checker]) -> Result<&'static str, Error> {
    let name = |checker: &Checker| match checker {
        Checker::Asan => Some("address"),
        Checker::Lsan => Some("leak"),
        Checker::Tsan => Some("thread"),
        Checker::Msan => Some("memory"),
        Checker::Hwasan => Some("hwaddress"),
        _ => None,
    };
    // AddressSanitizer looks for leaks, too.
    let first = pass
        .iter()
        .find(|checker| **checker == Checker::Asan)
        .or_else(|| pass.first());
    first.and_then(name).ok_or_else(|| {
        Error::Usage(
            "Rust has no UndefinedBehaviorSanitizer; Miri looks for undefined behaviour".into(),
        )
    })
}

/// A string of TOML: its basic strings escape what JSON's escape.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::super::launch::tests::Made;
    use super::super::tests::{started, started_on};
    use super::*;

    const RUNNER: &str =
        r#"target.x86_64-unknown-linux-gnu.runner=["/opt/leakgate", "exec", "/tmp/f"]"#;

    #[test]
    fn a_runner_is_set_and_no_failure_hides_the_rest() {
        let started = started("cargo test -p x -- --nocapture", &[Checker::Memcheck]).unwrap();
        assert!(!started.is_checked && started.variables.is_empty());
        assert_eq!(
            started.words,
            [
                "cargo",
                "test",
                "-p",
                "x",
                "--config",
                RUNNER,
                "--no-fail-fast",
                "--",
                "--nocapture"
            ]
        );
    }

    #[test]
    fn sanitizers_are_built_in_for_the_target_alone() {
        let machine = Made {
            variables: vec![("RUSTFLAGS", "-Dwarnings")],
            ..Made::default()
        };
        let asan = started_on("cargo test", &[Checker::Asan, Checker::Lsan], &machine).unwrap();
        assert_eq!(
            asan.words[..5],
            [
                "cargo",
                "+nightly",
                "test",
                "--target",
                "x86_64-unknown-linux-gnu"
            ]
        );
        assert_eq!(
            asan.variables[0],
            (
                "RUSTFLAGS".into(),
                "-Dwarnings -Zsanitizer=address -Cforce-frame-pointers=yes".into()
            )
        );
        assert_eq!(asan.variables[1].0, "CARGO_ENCODED_RUSTDOCFLAGS");
        let tsan = started("cargo +nightly nextest run", &[Checker::Tsan]).unwrap();
        assert!(
            tsan.words.contains(&"-Zbuild-std".to_owned())
                && tsan.words[..4] == ["cargo", "+nightly", "nextest", "run"]
        );
    }

    #[test]
    fn tests_are_counted_as_far_as_anybody_tells() {
        let of = |stdout: &str, stderr: &str| tests(stdout.as_bytes(), stderr.as_bytes());
        assert_eq!(
            of("\nrunning 2 tests\n..\n\nrunning 0 tests\n", ""),
            Some(2)
        );
        assert_eq!(of("running 0 tests\n", ""), Some(0));
        assert_eq!(of("", "    Starting 3 tests across 2 binaries\n"), Some(3));
        assert_eq!(of("my own harness\n", ""), None);
    }

    #[test]
    fn options_stand_behind_the_subcommand_with_their_values() {
        let of = |text| started(text, &[Checker::Memcheck]).unwrap().words;
        assert_eq!(
            of("cargo --color never test")[..4],
            ["cargo", "test", "--color", "never"]
        );
        assert_eq!(
            of("cargo nextest --color always run -p x")[..7],
            ["cargo", "nextest", "run", "--color", "always", "-p", "x"]
        );
    }

    #[test]
    fn what_the_user_builds_with_a_sanitizer_is_left_alone() {
        let machine = Made {
            variables: vec![("RUSTFLAGS", "-Zsanitizer=address")],
            ..Made::default()
        };
        let started = started_on(
            "cargo test --target x86_64-unknown-linux-gnu",
            &[Checker::Asan],
            &machine,
        )
        .unwrap();
        assert!(
            started.variables.is_empty()
                && started.words[0] == "cargo"
                && started.words[1] == "test"
        );
    }

    #[test]
    fn miri_stands_before_the_subcommand() {
        let of = |text| started(text, &[Checker::Miri]).unwrap().words.join(" ");
        assert_eq!(of("cargo test"), "cargo +nightly miri test --no-fail-fast");
        assert_eq!(
            of("cargo +nightly miri nextest run"),
            "cargo +nightly miri nextest run --no-fail-fast"
        );
        assert_eq!(of("cargo run -- x"), "cargo +nightly miri run -- x");
    }

    #[test]
    fn what_can_not_be_is_said() {
        for (text, checker, expected) in [
            ("cargo +stable test", Checker::Asan, "not +stable"),
            ("cargo test", Checker::Ubsan, "Miri looks for"),
            ("cargo miri test", Checker::Memcheck, "--tool miri"),
        ] {
            let told = started(text, &[checker]).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
    }
}
