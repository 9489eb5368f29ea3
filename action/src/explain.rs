//! `leakgate explain`: what is built in.

use clap::{Args, Subcommand};
use leakgate_core::{Pack, packs};

use crate::error::{Error, Status};
use crate::output;
use crate::settings;

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(subcommand)]
    what: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// A built-in pack with all its rules; without a name, all packs.
    Pack {
        /// The pack.
        name: Option<String>,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Explain) -> Result<Status, Error> {
    let Topic::Pack { name } = &args.what;
    let text = match name {
        Some(name) => one(name)?,
        None => all()?,
    };
    output::stdout(&text)?;
    Ok(Status::Pass)
}

fn all() -> Result<String, Error> {
    let mut out = String::new();
    for pack in packs() {
        let (description, rules) = pack.read().map_err(Error::mistakes)?;
        out += &format!("{} ({} rules)\n  {description}\n", pack.name, rules.len());
    }
    out += "\nNone is on unless leakgate.toml names it, `[files] packs = [\"python\"]`, or --pack does.\n";
    Ok(out)
}

fn one(name: &str) -> Result<String, Error> {
    settings::pack(name)?;
    let Some(pack) = Pack::named(name) else { return Ok(String::new()) };
    let (description, rules) = pack.read().map_err(Error::mistakes)?;
    let mut out = format!("{description}\n");
    for rule in rules {
        out += &format!("\n{}\n  {}\n", rule.id, rule.about.reason);
        for line in rule.describe() {
            out += &format!("  {line}\n");
        }
        for reference in &rule.about.references {
            out += &format!("  see {reference}\n");
        }
    }
    Ok(out)
}
