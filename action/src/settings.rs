//! Settings of the gate, from the command line, `leakgate.toml` and the files that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use leakgate_core::custom_format::CustomFormat;
use leakgate_core::error::UnknownName;
use leakgate_core::rules::{Pack, RunPatterns, packs, read_file};
use leakgate_core::{Baseline, Config, Date, Gate, Policy, Rule};

use crate::args::GateArgs;
use crate::error::Error;
use crate::lock_files::LockFiles;
use crate::source_filter::OwnSources;
use crate::workspace;

/// File name of the configuration.
pub(crate) const CONFIG: &str = "leakgate.toml";

/// Default path of the baseline.
pub(crate) const BASELINE: &str = "leakgate-baseline.json";

/// Resolved settings.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Policy, rules, baseline and the current day.
    pub(crate) gate: Gate,
    /// Source files that count as the project's own; `None` means all files of the repository.
    pub(crate) own_sources: Option<OwnSources>,
    /// Path of the configuration, if there is one.
    pub(crate) config: Option<PathBuf>,
    /// Path of the configured baseline, which may not exist yet.
    pub(crate) baseline: Option<PathBuf>,
    /// Custom log formats from `[[format]]`.
    pub(crate) formats: Vec<CustomFormat>,
    /// The programs that `leakgate run` checks, from `[run]`.
    pub(crate) programs: RunPatterns,
    /// Paths of all files that the settings come from.
    pub(crate) files: Vec<PathBuf>,
}

impl Settings {
    /// Reads the configuration and the files that it names.
    ///
    /// # Errors
    /// Returns all errors of all files at once.
    pub(crate) fn load(args: &GateArgs) -> Result<Self, Error> {
        Self::load_with(args, true)
    }

    /// Like [`load`](Self::load), but lets the caller accept a missing baseline, which `baseline
    /// write` needs.
    pub(crate) fn load_with(args: &GateArgs, needs_baseline: bool) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let path = find_config(args)?;
        let (mut config, folder) = match &path {
            Some(path) => (
                read_config(path, &mut errors),
                path.parent().unwrap_or(Path::new("")).to_owned(),
            ),
            None => (Config::default(), PathBuf::new()),
        };
        override_policy(&mut config.policy, args)?;
        let mut rules = std::mem::take(&mut config.rules);
        let name = path.as_deref().map(display_path).unwrap_or_default();
        let configured = config
            .files
            .suppressions
            .iter()
            .map(|(file, line)| (folder.join(file), Some((name.as_str(), *line))));
        let mut files: Vec<PathBuf> = path.iter().cloned().collect();
        let given = args.suppressions.iter().map(|file| (file.clone(), None));
        for (file, named_by) in configured.chain(given) {
            read_suppressions(&file, named_by, &mut rules, &mut errors);
            files.push(file);
        }
        add_packs(&config.files.packs, &args.pack, &mut rules)?;
        let own_sources = OwnSources::new(&name, &config.files.own, &mut errors);
        let configured_baseline = config.files.baseline.as_ref();
        let named_by = configured_baseline
            .filter(|_| args.baseline.is_none())
            .map(|(_, line)| (name.as_str(), *line));
        let baseline = baseline_path(args, configured_baseline, &folder);
        let known = baseline
            .as_deref()
            .filter(|path| needs_baseline || path.symlink_metadata().is_ok())
            .and_then(|path| {
                let read = read_baseline(path, named_by);
                read.map_err(|error| errors.push(error)).ok()
            });
        let lock_files = LockFiles::read(&folder, &rules, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Several(errors));
        }
        let mut gate = Gate::new(config.policy, args.today.unwrap_or_else(today))
            .with_rules(rules)
            .with_allocators(config.files.allocators)
            .with_locks(lock_files.locks);
        gate.baseline = known;
        files.extend(baseline.clone());
        files.extend(lock_files.paths);
        Ok(Self {
            gate,
            own_sources,
            config: path,
            baseline,
            formats: config.formats,
            programs: config.run,
            files,
        })
    }
}

/// Adds the rules of the configured packs, and of those that the arguments name.
fn add_packs(configured: &[String], given: &[String], rules: &mut Vec<Rule>) -> Result<(), Error> {
    let more = given.iter().filter(|name| !configured.contains(name));
    for name in configured.iter().chain(more) {
        rules.extend(pack(name)?);
    }
    Ok(())
}

impl Settings {
    /// Returns the folder of the project, if a configuration names it.
    pub(crate) fn project(&self) -> Option<&Path> {
        self.config.is_some().then(|| self.folder())
    }

    /// Returns the folder of the project: that of the configuration, or the working directory.
    pub(crate) fn folder(&self) -> &Path {
        let parent = self.config.as_deref().and_then(Path::parent);
        parent
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }
}

/// Returns the current day in UTC, so that a rule expires at the same moment everywhere.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

/// Returns the rules of a built-in pack.
///
/// # Errors
/// Returns an error that lists the packs if the name is unknown.
pub(crate) fn pack(name: &str) -> Result<Vec<Rule>, Error> {
    let known = || {
        packs()
            .iter()
            .map(|p| p.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let pack = Pack::find(name).ok_or_else(|| {
        Error::with_help(
            format!("unknown pack `{name}`"),
            format!("expected one of: {}", known()),
        )
    })?;
    pack.read()
        .map(|(_, rules)| rules)
        .map_err(Error::from_diagnostics)
}

/// Returns the path from `--config`, or of the nearest configuration in the working directory and
/// its parents within the repository. `None` means that no configuration exists.
fn find_config(args: &GateArgs) -> Result<Option<PathBuf>, Error> {
    if args.no_config {
        return Ok(None);
    }
    if let Some(path) = &args.config {
        return match path.metadata() {
            Ok(_) => Ok(Some(path.clone())),
            Err(error) => Err(Error::Read(path.clone(), error)),
        };
    }
    let Ok(working_dir) = std::env::current_dir() else {
        return Ok(None);
    };
    // A checkout without git has no `.git`. The runner's environment names its directory.
    let github_workspace = workspace::github_workspace(&working_dir);
    let is_root = |folder: &Path| folder.join(".git").exists() || github_workspace == Some(folder);
    let in_repository = working_dir.ancestors().any(is_root);
    let mut relative = PathBuf::new();
    for folder in working_dir.ancestors() {
        // A link without a target, or a directory, isn't a missing configuration.
        if folder.join(CONFIG).symlink_metadata().is_ok() {
            return Ok(Some(relative.join(CONFIG)));
        }
        if !in_repository || is_root(folder) {
            break;
        }
        relative.push("..");
    }
    Ok(None)
}

/// Formats a path for messages and for the origin of rules, with `/` on all platforms.
pub(crate) fn display_path(path: &Path) -> String {
    path.to_string_lossy()
        .replace('\\', "/")
        .trim_start_matches("./")
        .to_owned()
}

fn read_config(path: &Path, errors: &mut Vec<Error>) -> Config {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push(error);
            return Config::default();
        }
    };
    Config::read(&display_path(path), &text).unwrap_or_else(|diagnostics| {
        errors.extend(diagnostics.into_iter().map(Error::Diagnostic));
        Config::default()
    })
}

/// Reads a text file, which must be UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let text = ensure_regular(path).and_then(|()| fs::read_to_string(path));
    text.map_err(|error| Error::Read(path.to_owned(), error))
}

/// Fails for a directory, and for a pipe, which would block. Shells name their pipes in `/dev`.
fn ensure_regular(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() || path.starts_with("/dev") {
        Ok(())
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

/// Reads a suppression file and appends its rules. Invalid UTF-8 is accepted, because comments in
/// old files use other encodings.
fn read_suppressions(
    path: &Path,
    named_by: Option<(&str, u32)>,
    rules: &mut Vec<Rule>,
    errors: &mut Vec<Error>,
) {
    match ensure_regular(path).and_then(|()| fs::read(path)) {
        Ok(bytes) => match read_file(&display_path(path), &String::from_utf8_lossy(&bytes)) {
            Ok((_, more)) => rules.extend(more),
            Err(diagnostics) => errors.extend(diagnostics.into_iter().map(Error::Diagnostic)),
        },
        Err(error) => {
            let error = match (named_by, error.kind()) {
                (Some((config, line)), io::ErrorKind::NotFound) => Error::Usage(format!(
                    "{config}:{line}: cannot read suppression file {}: file not found",
                    display_path(path)
                )),
                _ => Error::Read(path.to_owned(), error),
            };
            errors.push(error);
        }
    }
}

/// Returns the path of the baseline from the command line or the configuration.
fn baseline_path(
    args: &GateArgs,
    configured: Option<&(String, u32)>,
    folder: &Path,
) -> Option<PathBuf> {
    let configured = || configured.map(|(file, _)| folder.join(file));
    let path = args.baseline.clone().or_else(configured);
    path.filter(|_| !args.no_baseline)
}

/// Reads a baseline. `named_by` is the configuration and its line that names the file.
pub(crate) fn read_baseline(path: &Path, named_by: Option<(&str, u32)>) -> Result<Baseline, Error> {
    let text = ensure_regular(path).and_then(|()| fs::read_to_string(path));
    let text = text.map_err(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return Error::Read(path.to_owned(), error);
        }
        let place = named_by.map_or(String::new(), |(config, line)| format!("{config}:{line}: "));
        Error::with_help(
            format!(
                "{place}cannot read baseline {}: file not found",
                display_path(path)
            ),
            "create it with `leakgate baseline write LOG`",
        )
    })?;
    Baseline::read(&display_path(path), &text).map_err(Error::Diagnostic)
}

fn override_policy(policy: &mut Policy, args: &GateArgs) -> Result<(), Error> {
    if !args.fail_on.is_empty() {
        policy
            .set_fail_on(args.fail_on.iter().map(String::as_str))
            .map_err(|error| invalid_value("fail-on", &error))?;
    }
    for name in &args.require {
        let tool = Policy::tool(name).map_err(|error| invalid_value("require", &error))?;
        policy.require.push(tool);
    }
    policy.silence = args.silence.unwrap_or(policy.silence);
    policy.unused_rules = args.unused_rules.unwrap_or(policy.unused_rules);
    policy.third_party = args.third_party.unwrap_or(policy.third_party);
    policy.tool_suppressed = args.tool_suppressed.unwrap_or(policy.tool_suppressed);
    Ok(())
}

/// Returns the error for an unknown name in the value of an option or of an input of the action.
fn invalid_value(option: &str, error: &UnknownName) -> Error {
    Error::with_help(
        format!("invalid value of `{option}`: {error}"),
        error.help(),
    )
}
