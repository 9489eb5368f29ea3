//! `leakgate merge`: the documents of several runs become one, with one verdict.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use leakgate_core::emit::Run;
use leakgate_core::{Document, merge};

use crate::args::{DocumentArgs, GateArgs};
use crate::check::{status, write_all};
use crate::error::{Error, Status};
use crate::output;
use crate::settings::{Settings, read_text, shown};
use crate::workspace::Repository;

/// Join the JSON documents of shards or legs of a matrix into one with one verdict. All findings
/// are held against the rules anew, so a rule is unused only where no leg used it. Each leg is
/// named after its file.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// JSON documents of `leakgate check`.
    #[arg(value_name = "RUN.json", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Merge) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    output::spare(
        args.files.iter().chain(&settings.files),
        &args.documents.resolve(),
    )?;
    let mut legs = Vec::new();
    let mut errors = Vec::new();
    let mut known: HashMap<String, &Path> = HashMap::new();
    for path in &args.files {
        match read_text(path) {
            // Two runs never have the same processes at the same addresses.
            Ok(text) if known.contains_key(&text) => {
                let (path, same) = (shown(path), shown(known[&text]));
                let what = if path == same {
                    "is named twice".to_owned()
                } else {
                    format!("is the same as {same}")
                };
                output::note(&format!("{path} {what}, and counts once"));
            }
            Ok(text) => {
                match Document::read(&shown(path), &text) {
                    Ok(document) => legs.push((leg(path, &args.files), document)),
                    Err(mistake) => errors.push(Error::Mistake(mistake)),
                }
                known.insert(text, path);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let (all, sources) = merge(legs);
    let repository = Repository::find(settings.own.as_ref())?;
    let triage = leakgate_core::triage(&all.parsed, &settings.gate, &repository);
    let verdict =
        leakgate_core::judge_legs(&all.parsed, &triage, &sources, &all.verdict, &settings.gate);
    let run = Run {
        parsed: &all.parsed,
        gate: &settings.gate,
        triage: &triage,
        verdict: &verdict,
        workspace: &repository,
        sources: &repository,
        changes: None,
    };
    write_all(&run, &args.documents)?;
    Ok(status(&verdict))
}

/// The name of the file without its extension; the whole path where two have the same.
fn leg(path: &Path, all: &[PathBuf]) -> String {
    let stem = |p: &Path| {
        p.file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let same = all.iter().filter(|p| stem(p) == stem(path)).count();
    if same > 1 {
        path.to_string_lossy().into_owned()
    } else {
        stem(path)
    }
}
