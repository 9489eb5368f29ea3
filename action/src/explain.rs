//! `leakgate explain`: what is built in.

mod kind;

use clap::{Args, Subcommand};
use leakgate_core::{Pack, packs};

use crate::error::{Error, Status};
use crate::output;
use crate::settings;

/// Explain a kind of finding, such as `leakgate explain heap-use-after-free`, or a built-in pack.
#[derive(Debug, Args)]
#[command(subcommand_value_name = "KIND|COMMAND", arg_required_else_help = true)]
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
    /// What a kind of finding means and what usually fixes it; without a name, all kinds.
    Kind {
        /// The kind.
        name: Option<String>,
    },
    #[command(external_subcommand)]
    Named(Vec<String>),
}

/// Runs the command.
pub(crate) fn run(args: &Explain) -> Result<Status, Error> {
    let text = match &args.what {
        Topic::Pack { name: Some(name) } => one(name)?,
        Topic::Pack { name: None } => all()?,
        Topic::Kind { name: Some(name) } => kind::one(name)?,
        Topic::Kind { name: None } => kind::all(),
        Topic::Named(words) => match words.as_slice() {
            [name] => kind::one(name)?,
            _ => return Err(Error::Usage("`leakgate explain` takes one kind".to_owned())),
        },
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
    let Some(pack) = Pack::named(name) else {
        return Ok(String::new());
    };
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
