//! `cargo xtask test [--full] [STAGE]`: all checks of the repository, stage by stage, or only the
//! stages whose name contains this text.
//!
//! Without an option, everything that is cheap; with `--full`, also long fuzzing, all mutants, all
//! real checkers, all workflows, and programs for other systems. Both install what they need first. A failing stage doesn't
//! stop the others. A stage whose tools are missing is skipped with a message; in CI it fails.

mod foreign;
mod integrations;
mod packages;
mod prose;
mod stages;
mod systems;
mod workflows;

use std::time::{Duration, Instant};

use xshell::Shell;

use crate::Outcome;
use crate::setup::{self, Need};

/// How much to test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Extent {
    Fast,
    Full,
}

impl Extent {
    /// Parses `[--full]`.
    pub(crate) fn from_arguments(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Self::Fast),
            [option] if option == "--full" => Some(Self::Full),
            _ => None,
        }
    }
}

/// How a stage ended.
enum StageResult {
    Passed,
    Skipped(String),
    Failed(String),
}

/// Runs `cargo xtask test` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let is_option = arguments
        .first()
        .is_some_and(|first| first.starts_with('-'));
    let (option, names) = arguments.split_at(usize::from(is_option));
    let extent = Extent::from_arguments(option).filter(|_| names.len() <= 1);
    let extent = extent.ok_or("usage: cargo xtask test [--full] [STAGE]")?;
    let is_wanted = |stage: &&stages::Stage| {
        let name = stage.name.to_lowercase();
        names
            .iter()
            .all(|wanted| name.contains(&wanted.to_lowercase()))
    };
    let sh = setup::shell()?;
    let start = Instant::now();
    let mut results = Vec::new();
    for stage in stages(extent).filter(is_wanted) {
        println!("\n== {} ({})", stage.name, format_time(start.elapsed()));
        let before = Instant::now();
        let result = run_stage(stage, &sh, extent);
        match &result {
            StageResult::Passed => {}
            StageResult::Skipped(why) => println!("skipped: {why}"),
            StageResult::Failed(why) => println!("failed: {why}"),
        }
        results.push((stage.name, result, before.elapsed()));
    }
    if results.is_empty() {
        return Err("cannot find a stage with this name".into());
    }
    print_summary(&results, start.elapsed())
}

/// Returns all tools that the stages need.
pub(crate) fn needs(extent: Extent) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for need in stages(extent).flat_map(|stage| stage.needs) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    needs
}

fn stages(extent: Extent) -> impl Iterator<Item = &'static stages::Stage> {
    let is_included = move |stage: &&stages::Stage| stage.only.is_none_or(|only| only == extent);
    stages::ALL.iter().filter(is_included)
}

fn run_stage(stage: &stages::Stage, sh: &Shell, extent: Extent) -> StageResult {
    if let Some(missing) = setup::missing(stage.needs) {
        return if setup::in_ci() {
            StageResult::Failed(missing)
        } else {
            StageResult::Skipped(missing)
        };
    }
    match (stage.run)(sh, extent) {
        Ok(()) => StageResult::Passed,
        Err(error) => StageResult::Failed(error.to_string()),
    }
}

/// Prints a line for each stage, and the counts alone on the last line.
fn print_summary(results: &[(&str, StageResult, Duration)], total: Duration) -> Outcome {
    println!("\n== Summary ({})", format_time(total));
    for (name, result, time) in results {
        let (label, why) = match result {
            StageResult::Passed => ("passed", ""),
            StageResult::Skipped(why) => ("skipped", why.as_str()),
            StageResult::Failed(why) => ("FAILED", why.as_str()),
        };
        let separator = if why.is_empty() { "" } else { ": " };
        println!(
            "{label:8} {:>7}  {name}{separator}{why}",
            format_time(*time)
        );
    }
    let passed = results
        .iter()
        .filter(|(_, result, _)| matches!(result, StageResult::Passed));
    let failed = results
        .iter()
        .filter(|(_, result, _)| matches!(result, StageResult::Failed(_)));
    let failed = failed.count();
    println!("{} passed, {failed} failed", passed.count());
    // An error would be printed after the counts, which must be the last line.
    if failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// Formats a time as minutes and seconds.
fn format_time(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
