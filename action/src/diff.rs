//! `leakgate diff`: two JSON documents against each other.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use leakgate_core::emit::{self, Style};
use leakgate_core::{Document, What, compare};

use crate::error::{Error, Status};
use crate::output;
use crate::settings::{read_text, shown};

/// Compare two JSON documents of `leakgate check`: what is new, grown, moved, fixed.
///
/// Exit status: 0, or 1 when something is new or has grown.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier run.
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,
    /// The later run.
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,
    /// The form of the list.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DiffFormat {
    Text,
    Json,
}

/// Runs the command.
pub(crate) fn run(args: &Diff) -> Result<Status, Error> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    if let Some(why) = after.unread() {
        return Err(Error::Usage(format!(
            "{}: what is gone can't be told from what was not read: {why}",
            shown(&args.after)
        )));
    }
    let changes = compare(&before, &after);
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = match args.format {
        DiffFormat::Text => emit::changes_as_text(
            &changes,
            &Style {
                colour: output::colours(),
                ..Style::default()
            },
            &mut text,
        ),
        DiffFormat::Json => emit::changes_as_json(&changes, &mut text),
    };
    output::stdout(&text)?;
    let worse = changes
        .iter()
        .any(|c| matches!(c.what, What::New | What::Grown));
    Ok(if worse { Status::Fail } else { Status::Pass })
}

/// Reads a document.
pub(crate) fn read(path: &Path) -> Result<Document, Error> {
    Document::read(&shown(path), &read_text(path)?).map_err(Error::Mistake)
}
