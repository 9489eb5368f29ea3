//! `snapshots/differential/truth/<log>.toml`: the effect of every suppression file on one log.

use std::fmt;
use std::ops::AddAssign;

use super::compare::{Effect, Used};
use super::matrix::Log;
use super::records::Report;
use crate::snapshots::matrix::Case;

/// The contents of the file; `Display` writes it.
pub(super) struct Truth {
    head: Vec<String>,
    pairs: Vec<(String, Effect)>,
}

/// Number of pairs by effect.
#[derive(Default)]
pub(super) struct Figures {
    logs: usize,
    pairs: usize,
    hiding: usize,
    idle: usize,
    refused: usize,
}

impl Truth {
    pub(super) fn new(log: &Log, case: &Case, version: String, plain: &Report) -> Truth {
        let records: Vec<usize> = plain.records.iter().map(|record| record.line).collect();
        let head = vec![
            format!("log = {}", quoted(&log.file())),
            format!("checker = {}", quoted(&case.checker)),
            format!("version = {}", quoted(&version)),
            format!("build = {}", quoted(&case.build)),
            format!("run = {}", quoted(&case.run)),
            format!("exact = {}", log.exact),
            format!("records = {records:?}"),
        ];
        Truth {
            head,
            pairs: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, file: String, effect: Effect) {
        self.pairs.push((file, effect));
    }

    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures {
            logs: 1,
            pairs: self.pairs.len(),
            ..Figures::default()
        };
        for (_, effect) in &self.pairs {
            match effect {
                Effect::Refused { .. } | Effect::Crashed { .. } => figures.refused += 1,
                Effect::Hides { hidden, .. } if hidden.is_empty() => figures.idle += 1,
                Effect::Hides { .. } => figures.hiding += 1,
            }
        }
        figures
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.head {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "\n[pairs]")?;
        for (file, effect) in &self.pairs {
            writeln!(f, "{} = {{ {effect} }}", quoted(file))?;
        }
        Ok(())
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Refused { why, line: None } => write!(f, "refused = {}", quoted(why)),
            Effect::Refused {
                why,
                line: Some(line),
            } => write!(f, "refused = {}, line = {line}", quoted(why)),
            Effect::Crashed { why } => write!(f, "crashed = {}", quoted(why)),
            Effect::Hides {
                hidden,
                behind,
                used,
            } => {
                write!(f, "hidden = {hidden:?}")?;
                if !behind.is_empty() {
                    write!(f, ", behind = {behind:?}")?;
                }
                write!(f, "{used}")
            }
        }
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Used::Unknown => Ok(()),
            Used::Entries(lines) if lines.is_empty() => Ok(()),
            Used::Entries(lines) => write!(f, ", used = {:?}", lines.iter().collect::<Vec<_>>()),
            Used::Templates { templates, .. } if templates.is_empty() => Ok(()),
            Used::Templates {
                templates,
                bytes,
                blocks,
            } => {
                let templates: Vec<String> =
                    templates.iter().map(|template| quoted(template)).collect();
                write!(
                    f,
                    ", bytes = {bytes}, blocks = {blocks}, used = [{}]",
                    templates.join(", ")
                )
            }
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.logs += other.logs;
        self.pairs += other.pairs;
        self.hiding += other.hiding;
        self.idle += other.idle;
        self.refused += other.refused;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            logs,
            pairs,
            hiding,
            idle,
            refused,
        } = self;
        write!(
            f,
            "{logs} logs, {pairs} pairs: {hiding} hide something, {idle} hide nothing, {refused} refused"
        )
    }
}
