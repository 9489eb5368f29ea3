//! `leakgate explain`: explains kinds of findings, codes and built-in packs.

mod code;
mod kind;

use clap::{Args, Subcommand};
use leakgate_core::advice;
use leakgate_core::rules::{Pack, packs};

use crate::args::names_parser;
use crate::error::{Error, Status};
use crate::output;
use crate::settings;
use crate::suggest;

/// Maximum line width of explanations, in characters.
const WIDTH: usize = 100;

/// Options of `leakgate explain`.
#[derive(Debug, Args)]
#[command(
    subcommand_value_name = "KIND|CODE|COMMAND",
    arg_required_else_help = true
)]
pub(crate) struct ExplainArgs {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// Explain the rules of a built-in pack; without a name, list all packs.
    Pack {
        /// Name of the pack.
        #[arg(value_parser = names_parser(suggest::pack_names), hide_possible_values = true)]
        name: Option<String>,
    },
    /// Explain a kind of finding and its usual fix; without a name, list all kinds.
    Kind {
        /// Name of the kind.
        #[arg(value_parser = names_parser(suggest::kinds), hide_possible_values = true)]
        name: Option<String>,
    },
    /// Explain a code of a verdict, a problem in a log, a rule or a diagnosis; without a name, list all codes.
    Code {
        /// Name of the code, such as `truncated-report`.
        #[arg(value_parser = names_parser(suggest::codes), hide_possible_values = true)]
        name: Option<String>,
    },
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<Status, Error> {
    let text = match &args.topic {
        Topic::Pack { name: Some(name) } => explain_pack(name)?,
        Topic::Pack { name: None } => list_packs()?,
        Topic::Kind { name: Some(name) } => kind::explain(name)?,
        Topic::Kind { name: None } => kind::list(),
        Topic::Code { name: Some(name) } => code::explain(name)?,
        Topic::Code { name: None } => code::list(),
        Topic::Other(names) => match names.as_slice() {
            [name] if advice::find_code(name).is_ok() => code::explain(name)?,
            [name] => kind::explain(name)?,
            _ => {
                return Err(Error::Usage(
                    "expected one kind of finding or one code after `leakgate explain`".to_owned(),
                ));
            }
        },
    };
    output::stdout_wrapped(&text)?;
    Ok(Status::Pass)
}

fn list_packs() -> Result<String, Error> {
    let mut out = String::new();
    for pack in packs() {
        let (description, rules) = pack.read().map_err(Error::from_diagnostics)?;
        out += &format!("{} ({} rules)\n  {description}\n", pack.name, rules.len());
    }
    out += "\nPacks are off by default. Enable one in leakgate.toml with \
        `[files] packs = [\"python\"]`, or pass --pack.\n";
    Ok(out)
}

fn explain_pack(name: &str) -> Result<String, Error> {
    settings::pack(name)?;
    let Some(pack) = Pack::find(name) else {
        return Ok(String::new());
    };
    let (description, rules) = pack.read().map_err(Error::from_diagnostics)?;
    let mut out = format!("{description}\n");
    for rule in rules {
        out += &format!("\n{}\n  {}\n", rule.id, rule.metadata.reason);
        for line in rule.describe() {
            out += &format!("  {line}\n");
        }
        for reference in &rule.metadata.references {
            out += &format!("  see {reference}\n");
        }
    }
    Ok(out)
}

/// Wraps text to indented lines.
fn wrap(text: &str) -> String {
    let width = output::width().map_or(WIDTH, |width| width.min(WIDTH));
    let mut lines = vec![String::from(" ")];
    for word in text.replace('`', "").split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                *line += &format!(" {word}")
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines.join("\n")
}
