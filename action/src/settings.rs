//! What logs are held against: the command line, `leakgate.toml`, and the files that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use leakgate_core::{
    Baseline, Config, Date, Format, Gate, Mistake, Pack, Policy, Rule, packs, read_file,
};

use crate::args::GateArgs;
use crate::error::Error;
use crate::own::Own;
use crate::workspace;

/// The name of the configuration.
pub(crate) const CONFIG: &str = "leakgate.toml";

/// The baseline where nobody names one.
pub(crate) const BASELINE: &str = "leakgate-baseline.json";

/// Everything that was resolved.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Policy, rules, baseline, today.
    pub(crate) gate: Gate,
    /// Which source files are one's own; without it, all of the repository.
    pub(crate) own: Option<Own>,
    /// The configuration, where there is one.
    pub(crate) config: Option<PathBuf>,
    /// The baseline that was named, whether it exists or not.
    pub(crate) baseline: Option<PathBuf>,
    /// Formats of the project's own, by which logs are read.
    pub(crate) formats: Vec<Format>,
    /// Every file of the above.
    pub(crate) files: Vec<PathBuf>,
}

impl Settings {
    /// Reads the configuration and all that it names. Every mistake in every file is told at once.
    pub(crate) fn load(args: &GateArgs) -> Result<Self, Error> {
        Self::load_with(args, true)
    }

    /// The same; a baseline that is about to be written need not exist.
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
        let name = path.as_deref().map(shown).unwrap_or_default();
        let named = config
            .files
            .suppressions
            .iter()
            .map(|(file, line)| (folder.join(file), Some((name.as_str(), *line))));
        let mut files: Vec<PathBuf> = path.iter().cloned().collect();
        for (file, place) in named.chain(args.suppressions.iter().map(|file| (file.clone(), None)))
        {
            suppressions(&file, place, &mut rules, &mut errors);
            files.push(file);
        }
        let mut named = config.files.packs.clone();
        named.extend(
            args.pack
                .iter()
                .filter(|p| !config.files.packs.contains(p))
                .cloned(),
        );
        for name in named {
            rules.extend(pack(&name)?);
        }
        let own = Own::read(&name, &config.files.own, &mut errors);
        let baseline = args
            .baseline
            .clone()
            .or_else(|| config.files.baseline.as_ref().map(|b| folder.join(b)));
        let baseline = baseline.filter(|_| !args.no_baseline);
        let known = baseline
            .as_deref()
            .and_then(|path| read_baseline(path, needs_baseline, &mut errors));
        if !errors.is_empty() {
            return Err(Error::Several(errors));
        }
        let mut gate = Gate::new(config.policy, args.today.unwrap_or_else(today)).with_rules(rules);
        gate.baseline = known;
        files.extend(baseline.clone());
        Ok(Self {
            gate,
            own,
            config: path,
            baseline,
            formats: config.formats,
            files,
        })
    }
}

/// Today in UTC, so that a rule expires at the same moment everywhere.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

/// The rules of a pack.
pub(crate) fn pack(name: &str) -> Result<Vec<Rule>, Error> {
    let known = || {
        packs()
            .iter()
            .map(|p| p.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let pack = Pack::named(name)
        .ok_or_else(|| Error::Usage(format!("there is no pack `{name}`; there are {}", known())))?;
    pack.read().map(|(_, rules)| rules).map_err(Error::mistakes)
}

/// The configuration that was named, or the nearest one above the working directory within the
/// repository.
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
    let Ok(here) = std::env::current_dir() else {
        return Ok(None);
    };
    // A checkout without git has no `.git`; the runner says where it lies.
    let checked_out = workspace::checked_out(&here);
    let is_root = |folder: &Path| folder.join(".git").exists() || checked_out == Some(folder);
    let in_repository = here.ancestors().any(is_root);
    let mut relative = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(CONFIG).is_file() {
            return Ok(Some(relative.join(CONFIG)));
        }
        if !in_repository || is_root(folder) {
            break;
        }
        relative.push("..");
    }
    Ok(None)
}

/// A path for people, and for the origin of rules.
pub(crate) fn shown(path: &Path) -> String {
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
    Config::read(&shown(path), &text).unwrap_or_else(|mistakes| {
        errors.extend(mistakes.into_iter().map(Error::Mistake));
        Config::default()
    })
}

/// A file that people write must be UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Read(path.to_owned(), error))
}

/// Reads a suppression file. Old ones hold bytes of any encoding in their comments.
fn suppressions(
    path: &Path,
    named_by: Option<(&str, u32)>,
    rules: &mut Vec<Rule>,
    errors: &mut Vec<Error>,
) {
    match fs::read(path) {
        Ok(bytes) => match read_file(&shown(path), &String::from_utf8_lossy(&bytes)) {
            Ok((_, more)) => rules.extend(more),
            Err(mistakes) => errors.extend(mistakes.into_iter().map(Error::Mistake)),
        },
        Err(error) => {
            let what = match (named_by, error.kind()) {
                (Some((config, line)), io::ErrorKind::NotFound) => Error::Usage(format!(
                    "{config}:{line}: there is no suppression file {}",
                    shown(path)
                )),
                _ => Error::Read(path.to_owned(), error),
            };
            errors.push(what);
        }
    }
}

fn read_baseline(path: &Path, needed: bool, errors: &mut Vec<Error>) -> Option<Baseline> {
    if !needed && !path.exists() {
        return None;
    }
    let read = read_text(path)
        .and_then(|text| Baseline::read(&shown(path), &text).map_err(Error::Mistake));
    read.map_err(|error| errors.push(error)).ok()
}

fn override_policy(policy: &mut Policy, args: &GateArgs) -> Result<(), Error> {
    if !args.fail_on.is_empty() {
        policy
            .set_fail_on(args.fail_on.iter().map(String::as_str))
            .map_err(|(what, help)| {
                Error::Usage(help.map_or(format!("--fail-on: {what}"), |help| {
                    format!("--fail-on: {what}; {help}")
                }))
            })?;
    }
    for name in &args.require {
        let tool = Policy::tool(name).map_err(|help| {
            Error::Usage(format!("--require: there is no tool `{name}`; {help}"))
        })?;
        policy.require.push(tool);
    }
    policy.silence = args.silence.map_or(policy.silence, Into::into);
    policy.unused_rules = args.unused_rules.map_or(policy.unused_rules, Into::into);
    policy.third_party = args.third_party.map_or(policy.third_party, Into::into);
    policy.tool_suppressed = args
        .tool_suppressed
        .map_or(policy.tool_suppressed, Into::into);
    Ok(())
}

impl Error {
    /// Mistakes of one file.
    pub(crate) fn mistakes(mistakes: Vec<Mistake>) -> Self {
        Self::Several(mistakes.into_iter().map(Self::Mistake).collect())
    }
}
