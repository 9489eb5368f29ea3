//! Diagnoses of logs: what a log leaves unproven or doesn't show, and the checker options that
//! change it.
//!
//! Sources for the options: valgrind's manual (core and memcheck options), compiler-rt
//! `sanitizer_common/sanitizer_flags.inc`, `lsan/lsan_flags.inc`.

mod checks;
mod no_stacks;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Report, Tool};
use crate::parse::Parsed;
use crate::triage::Triage;

/// A gap in the evidence or in the details of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Identifier in kebab-case, such as `no-symbols`.
    pub code: &'static str,
    /// Number of affected stacks, uses, problems, reports or inputs, depending on the code.
    pub count: u64,
    /// Description, including the count.
    pub what: String,
    /// First affected place: index of the input, and line counted from 1. Line 0 means the
    /// whole input.
    pub place: (usize, u64),
    /// The checker that the options belong to. `None` if the gap isn't specific to a checker.
    pub tool: Option<Tool>,
    /// Options for valgrind's command line or for the sanitizer's environment variable. May be
    /// empty.
    pub options: Vec<&'static str>,
    /// Another way to close the gap.
    pub advice: Option<&'static str>,
}

/// Diagnoses parsed logs. Returns the most serious gaps first.
///
/// ```
/// use leakgate_core::doctor::{commands, diagnose};
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7== Memcheck, a memory error detector\n==7== Command: ./app\n==7== \n\
///     ==7== HEAP SUMMARY:\n==7==     in use at exit: 40 bytes in 1 blocks\n\
///     ==7== Rerun with --leak-check=full to see details of leaked memory\n==7== \n\
///     ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let diagnoses = diagnose(&parsed, &triage(&parsed, &gate, &NoWorkspace));
/// assert!(commands(&diagnoses, &parsed)[0].contains("--leak-check=full"));
/// ```
pub fn diagnose(parsed: &Parsed, triage: &Triage) -> Vec<Diagnosis> {
    let mut all = Vec::new();
    checks::check_silence(parsed, &mut all);
    checks::check_problems(parsed, &mut all);
    checks::check_tool_suppressions(parsed, &mut all);
    checks::check_stacks(parsed, triage, &mut all);
    no_stacks::check(parsed, &mut all);
    checks::check_origins(parsed, &mut all);
    for diagnosis in &mut all {
        let takes_options = |tool: &Tool| tool.is_valgrind() || tool.options_variable().is_some();
        if !diagnosis.tool.as_ref().is_none_or(takes_options) {
            diagnosis.options.clear();
        }
    }
    all
}

/// Returns a command for each checker with the options of all its diagnoses. Checkers whose
/// diagnoses have no options are left out.
pub fn commands(diagnoses: &[Diagnosis], parsed: &Parsed) -> Vec<String> {
    let mut tools: Vec<&Tool> = diagnoses
        .iter()
        .filter(|d| !d.options.is_empty())
        .filter_map(|d| d.tool.as_ref())
        .collect();
    tools.sort_unstable();
    tools.dedup();
    tools
        .into_iter()
        .filter_map(|tool| command(tool, diagnoses, parsed))
        .collect()
}

/// Returns the command for a checker, with each option once. `None` if the checker takes no
/// options.
fn command(tool: &Tool, diagnoses: &[Diagnosis], parsed: &Parsed) -> Option<String> {
    let mut options: Vec<&str> = Vec::new();
    for option in diagnoses
        .iter()
        .filter(|d| d.tool.as_ref() == Some(tool))
        .flat_map(|d| &d.options)
    {
        if !options.contains(option) {
            options.push(option);
        }
    }
    let is_tool = |r: &&Report| r.tool == *tool;
    let program = parsed
        .reports
        .iter()
        .filter(is_tool)
        .find_map(|r| r.command.as_deref())
        .unwrap_or("PROGRAM");
    if !tool.is_valgrind() {
        let variable = tool.options_variable()?;
        return Some(format!("{variable}={} {program}", options.join(":")));
    }
    let tool_option = if *tool == Tool::Memcheck {
        String::new()
    } else {
        format!(" --tool={tool}")
    };
    let options = options.join(" ");
    Some(format!("valgrind{tool_option} {options} {program}"))
}
