//! What a log can't prove or does not show, and the options of the checker that change it.
//!
//! Sources of the options: valgrind's manual (core and memcheck options), compiler-rt
//! `sanitizer_common/sanitizer_flags.inc`, `lsan/lsan_flags.inc`.

mod checks;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Report, Tool};
use crate::parse::Parsed;
use crate::triage::Triage;

/// Something that the log does not prove or show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// A name, in kebab-case.
    pub code: &'static str,
    /// How often: records, reports or inputs, as `what` says.
    pub count: u64,
    /// What it is, in words.
    pub what: String,
    /// The first place: an input, by its index, and a line from 1 (0 for the whole input).
    pub place: (usize, u64),
    /// The checker whose options change it.
    pub tool: Option<Tool>,
    /// Options of valgrind's command line, or of the sanitizer's variable.
    pub options: Vec<&'static str>,
    /// What else helps.
    pub advice: Option<&'static str>,
}

/// Everything that is to be said of a log, the gravest first.
pub fn doubts(parsed: &Parsed, triage: &Triage) -> Vec<Doubt> {
    let mut all = Vec::new();
    checks::silence(parsed, &mut all);
    checks::problems(parsed, &mut all);
    checks::suppressed(parsed, &mut all);
    checks::stacks(parsed, triage, &mut all);
    checks::origins(parsed, &mut all);
    all
}

/// One command for each checker, with all options that the doubts name. Nothing where only the log
/// itself was hurt.
pub fn commands(doubts: &[Doubt], parsed: &Parsed) -> Vec<String> {
    let mut tools: Vec<&Tool> = doubts
        .iter()
        .filter(|d| !d.options.is_empty())
        .filter_map(|d| d.tool.as_ref())
        .collect();
    tools.sort_unstable();
    tools.dedup();
    tools
        .into_iter()
        .map(|tool| command(tool, doubts, parsed))
        .collect()
}

fn command(tool: &Tool, doubts: &[Doubt], parsed: &Parsed) -> String {
    let mut options: Vec<&str> = Vec::new();
    for option in doubts
        .iter()
        .filter(|d| d.tool.as_ref() == Some(tool))
        .flat_map(|d| &d.options)
    {
        if !options.contains(option) {
            options.push(option);
        }
    }
    let of_tool = |r: &&Report| r.tool == *tool;
    let program = parsed
        .reports
        .iter()
        .filter(of_tool)
        .find_map(|r| r.command.as_deref())
        .unwrap_or("PROGRAM");
    if !tool.is_valgrind() {
        return format!(
            "{}_OPTIONS={} {program}",
            tool.as_str().to_uppercase(),
            options.join(":")
        );
    }
    let which = if *tool == Tool::Memcheck {
        String::new()
    } else {
        format!(" --tool={tool}")
    };
    format!("valgrind{which} {} {program}", options.join(" "))
}
