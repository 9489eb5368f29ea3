//! `leakgate check`: reads logs, computes the verdict and writes reports.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use leakgate_core::emit;

use crate::args::{GateArgs, LogArgs, ReportArgs};
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, write_reports};
use crate::ingest::{self, Logs};
use crate::output;
use crate::settings::Settings;
#[cfg(not(target_os = "wasi"))]
use crate::symbolize::{self, SearchPaths, Trust};

/// Options of `leakgate check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
    /// Compare with the JSON report of an earlier run, such as one of the base branch. Markdown and
    /// HTML reports then show new, grown and fixed findings, and the text report counts them. The
    /// verdict does not change.
    #[arg(long, value_name = "RUN.json")]
    base: Option<PathBuf>,
    #[command(flatten)]
    symbols: SymbolArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// Options for symbolizing frames.
#[derive(Debug, Args)]
struct SymbolArgs {
    /// Symbolize frames that have only a module and an offset, which sanitizers print without
    /// llvm-symbolizer. Only modules on this machine with the build ids from the log are used.
    #[arg(long)]
    symbolize: bool,
    /// Also search this directory for separate debug files, before /usr/lib/debug. May be
    /// repeated.
    #[arg(long, value_name = "DIR", requires = "symbolize", value_hint = ValueHint::DirPath)]
    debug_file_directory: Vec<PathBuf>,
}

/// Runs the command. Writes every report before it returns the exit status.
pub(crate) fn run(args: &CheckArgs) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    let mut logs = Logs::read(&args.logs.paths, &settings.formats, args.logs.reading());
    symbolize(&mut logs, &args.symbols)?;
    output::ensure_inputs_not_overwritten(
        logs.files.iter().chain(&settings.files).chain(&args.base),
        &args.reports.targets(),
    )?;
    let base = args.base.as_deref().map(ingest::read_json_report);
    let base = base.transpose()?;
    let evaluation = Evaluation::new(settings, logs)?;
    let changes = base.map(|base| emit::changes_since(&base, &evaluation.as_run(None)));
    write_reports(&evaluation.as_run(changes.as_deref()), &args.reports)?;
    Ok(evaluation.into_status())
}

/// Symbolizes frames if `--symbolize` is given.
#[cfg(not(target_os = "wasi"))]
fn symbolize(logs: &mut Logs, args: &SymbolArgs) -> Result<(), Error> {
    if !args.symbolize {
        return Ok(());
    }
    let search_paths = SearchPaths {
        debug: args.debug_file_directory.clone(),
        ..SearchPaths::default()
    };
    for note in symbolize::apply(&mut logs.parsed, Trust::BuildId, search_paths) {
        output::note(&format!("note: {note}"));
    }
    Ok(())
}

/// Fails if `--symbolize` is given, because a thread reads the modules.
#[cfg(target_os = "wasi")]
fn symbolize(_: &mut Logs, args: &SymbolArgs) -> Result<(), Error> {
    match args.symbolize {
        true => Err(crate::wasi::native_only("symbolize frames")),
        false => Ok(()),
    }
}
