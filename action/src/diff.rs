//! `leakgate diff`: compares two JSON reports.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use leakgate_core::compare::{ChangeKind, compare};
use leakgate_core::emit::{self, RenderOptions};

use crate::error::{Error, Status};
use crate::ingest::read_json_report;
use crate::output;
use crate::settings::display_path;

/// Options of `leakgate diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// JSON report of the earlier run.
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,
    /// JSON report of the later run.
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DiffFormat {
    Text,
    Json,
}

/// Runs the command.
pub(crate) fn run(args: &DiffArgs) -> Result<Status, Error> {
    let before = read_json_report(&args.before)?;
    let after = read_json_report(&args.after)?;
    if let Some(cause) = after.incomplete_reason() {
        return Err(Error::Usage(format!(
            "{}: cannot distinguish fixed findings from unread ones: {cause}",
            display_path(&args.after)
        )));
    }
    let changes = compare(&before, &after);
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = match args.format {
        DiffFormat::Text => emit::changes_as_text(
            &changes,
            &RenderOptions {
                color: output::use_color(),
                width: output::width(),
                ..RenderOptions::default()
            },
            &mut text,
        ),
        DiffFormat::Json => emit::changes_as_json(&changes, &mut text),
    };
    output::stdout(&text)?;
    let is_worse = changes
        .iter()
        .any(|change| matches!(change.change, ChangeKind::New | ChangeKind::Grown));
    Ok(if is_worse { Status::Fail } else { Status::Pass })
}
