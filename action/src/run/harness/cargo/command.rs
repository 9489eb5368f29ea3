//! A cargo command line, parsed so that options can be added to it.

use serde_json::Value;

use crate::error::Error;
use crate::run::harness::{CheckedCommand, Context, OPTIONS_WITH_VALUE, option_value};

/// The arguments of a cargo command, and the environment variables that leakgate adds.
#[derive(Debug, Default)]
pub(super) struct CargoCommand {
    /// `cargo` and its toolchain.
    cargo: Vec<String>,
    /// `test`, `nextest run`, `miri test`.
    subcommand: Vec<String>,
    /// Options of cargo.
    options: Vec<String>,
    /// `--` and everything after it.
    rest: Vec<String>,
    env: Vec<(String, String)>,
    notes: Vec<String>,
}

impl CargoCommand {
    pub(super) fn parse(argv: &[String]) -> Self {
        let mut arguments = argv.iter().cloned().peekable();
        let mut command = Self {
            cargo: arguments.next().into_iter().collect(),
            ..Self::default()
        };
        command
            .cargo
            .extend(arguments.next_if(|argument| argument.starts_with('+')));
        for argument in arguments {
            if !command.rest.is_empty() || argument == "--" {
                command.rest.push(argument);
            } else if command.is_subcommand(&argument) {
                command.subcommand.push(argument);
            } else {
                command.options.push(argument);
            }
        }
        command
    }

    /// Returns true if the next argument is a part of the subcommand.
    fn is_subcommand(&self, argument: &str) -> bool {
        let is_open = match self.subcommand.as_slice() {
            [] => true,
            [first] => ["nextest", "miri"].contains(&first.as_str()),
            _ => false,
        };
        let is_value = self
            .options
            .last()
            .is_some_and(|option| OPTIONS_WITH_VALUE.contains(&option.as_str()));
        is_open && !is_value && !argument.starts_with('-')
    }

    pub(super) fn into_checked(self) -> CheckedCommand {
        CheckedCommand {
            argv: [self.cargo, self.subcommand, self.options, self.rest].concat(),
            env: self.env,
            is_checked: false,
            notes: self.notes,
        }
    }

    /// Returns true for `cargo miri`.
    pub(super) fn is_miri(&self) -> bool {
        self.subcommand
            .first()
            .is_some_and(|subcommand| subcommand == "miri")
    }

    /// Makes it `cargo miri SUBCOMMAND`.
    pub(super) fn insert_miri(&mut self) {
        if !self.is_miri() {
            self.subcommand.insert(0, "miri".into());
        }
    }

    /// Sets the runner, which cargo calls with each program that it has built for the target.
    pub(super) fn set_runner(&mut self, triple: &str, runner: &[String]) {
        let runner: Vec<String> = runner
            .iter()
            .map(|argument| toml_string(argument))
            .collect();
        self.options.push("--config".into());
        self.options
            .push(format!("target.{triple}.runner=[{}]", runner.join(", ")));
    }

    /// Returns the value of `--target`.
    pub(super) fn target(&self) -> Option<String> {
        option_value(&self.options, &["--target"]).map(str::to_owned)
    }

    pub(super) fn set_target(&mut self, triple: &str) {
        self.options
            .extend(["--target".to_owned(), triple.to_owned()]);
    }

    /// Adds `--no-fail-fast`, unless the user has decided. A failing test program must not keep the
    /// others from running.
    pub(super) fn disable_fail_fast(&mut self) {
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

    /// Runs cargo with these arguments and returns its standard output.
    pub(super) fn capture(&self, arguments: &[&str], context: Context<'_>) -> Option<String> {
        let cargo = self.cargo.iter().map(String::as_str);
        let argv: Vec<&str> = cargo.chain(arguments.iter().copied()).collect();
        (context.capture)(&argv)
    }

    /// Returns the target triple of the compiler's host.
    pub(super) fn host_triple(&self, context: Context<'_>) -> Result<String, Error> {
        let version = self.capture(&["-vV"], context).unwrap_or_default();
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).ok_or_else(|| {
            let cargo = self.cargo.join(" ");
            Error::Usage(format!(
                "cannot find the host triple in the output of `{cargo} -vV`"
            ))
        })
    }

    fn is_nightly(&self, context: Context<'_>) -> bool {
        let version = self.capture(&["-vV"], context).unwrap_or_default();
        version
            .lines()
            .any(|line| line.starts_with("release: ") && line.contains("-nightly"))
    }

    /// Adds `+nightly` if needed. Sanitizers and Miri are features of the nightly compiler.
    ///
    /// # Errors
    /// Fails if the user has chosen another toolchain, or nightly isn't installed.
    pub(super) fn require_nightly(&mut self, context: Context<'_>) -> Result<(), Error> {
        const NEED: &str = "sanitizers and Miri need the nightly compiler";
        if self.is_nightly(context) || context.machine.env_var("RUSTC_BOOTSTRAP").is_some() {
            return Ok(());
        }
        if let Some(toolchain) = self.cargo.get(1) {
            return Err(Error::Usage(format!("{NEED}, not {toolchain}")));
        }
        self.cargo.push("+nightly".into());
        if !self.is_nightly(context) {
            return Err(Error::with_help(
                NEED,
                "install it with `rustup toolchain install nightly`",
            ));
        }
        self.notes
            .push(format!("{NEED}, so cargo is called with +nightly"));
        Ok(())
    }

    /// Adds the flags of a sanitizer to the variables that take precedence in cargo. They hide the
    /// flags in cargo's configuration, so these are repeated.
    pub(super) fn build_with(&mut self, sanitizer: &str, triple: &str, context: Context<'_>) {
        // The sanitizers follow frame pointers, and Rust omits them. Without them no stack would
        // reach the program.
        let flags = [
            format!("-Zsanitizer={sanitizer}"),
            "-Cforce-frame-pointers=yes".to_owned(),
        ];
        for (plain, encoded) in [
            ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"),
            ("RUSTDOCFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"),
        ] {
            let user = |name: &str| context.machine.env_var(name);
            let (name, user_flags, separator) = match (user(encoded), user(plain)) {
                (Some(flags), _) => (encoded, vec![flags], "\u{1f}"),
                (None, Some(flags)) => (plain, vec![flags], " "),
                (None, None) => {
                    let key = plain.to_ascii_lowercase();
                    (
                        encoded,
                        self.configured_flags(&key, triple, context),
                        "\u{1f}",
                    )
                }
            };
            let all = [user_flags, flags.to_vec()].concat().join(separator);
            self.env.push((name.into(), all));
        }
        let rebuilds_std = self.options.iter().any(|o| o.starts_with("-Zbuild-std"));
        if ["thread", "memory"].contains(&sanitizer) && !rebuilds_std {
            // Otherwise everything that the standard library does would be a finding.
            self.options.push("-Zbuild-std".into());
            self.notes.push(
                "the standard library is rebuilt with the sanitizer \
                 (-Zbuild-std; needs rustup component add rust-src)"
                    .into(),
            );
        }
    }

    /// Returns the flags of this name in cargo's configuration: those of the target, or else those
    /// of all builds.
    fn configured_flags(&mut self, name: &str, triple: &str, context: Context<'_>) -> Vec<String> {
        let targets = self.config("target", context);
        let conditions = targets
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, table)| key.starts_with("cfg(") && table.get(name).is_some());
        for (key, _) in conditions {
            self.notes.push(format!(
                "{name} of {key} in cargo's configuration is ignored; set {} instead",
                name.to_ascii_uppercase()
            ));
        }
        match self.config(&format!("target.{triple}.{name}"), context) {
            Value::Null => flags_from_json(&self.config(&format!("build.{name}"), context)),
            value => flags_from_json(&value),
        }
    }

    /// Returns a value of cargo's configuration; null if it isn't set.
    fn config(&self, key: &str, context: Context<'_>) -> Value {
        let mut arguments = vec![
            "-Zunstable-options",
            "config",
            "get",
            key,
            "--format",
            "json-value",
        ];
        let is_config = |at: usize| {
            self.options[at].starts_with("--config") || at > 0 && self.options[at - 1] == "--config"
        };
        arguments.extend(
            (0..self.options.len())
                .filter(|at| is_config(*at))
                .map(|at| self.options[at].as_str()),
        );
        self.capture(&arguments, context)
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }
}

/// Returns the flags of a configuration value: an array, or a string separated by spaces.
fn flags_from_json(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Value::Array(flags) => flags
            .iter()
            .filter_map(|flag| flag.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns a TOML string. Basic strings of TOML have the same escapes as JSON strings.
fn toml_string(text: &str) -> String {
    Value::from(text).to_string()
}
