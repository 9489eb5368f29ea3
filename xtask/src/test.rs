//! `cargo xtask test`: everything, set-up included, stage by stage.
//!
//! A stage that fails does not stop the others. One that can't run is skipped, with what to
//! install; in CI that is a failure.

mod stages;
mod workflows;

use std::time::{Duration, Instant};

use xshell::Shell;

use crate::Outcome;
use crate::setup;

/// How a stage ended.
enum End {
    Passed,
    Skipped(String),
    Failed(String),
}

/// Runs the chore with what stood after its name on the command line.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask test".into());
    }
    let sh = setup::shell()?;
    let start = Instant::now();
    let mut ends = Vec::new();
    for stage in stages::ALL {
        println!("\n== {} ({})", stage.name, elapsed(start.elapsed()));
        let before = Instant::now();
        let end = end_of(stage, &sh);
        match &end {
            End::Passed => {}
            End::Skipped(why) => println!("skipped: {why}"),
            End::Failed(why) => println!("failed: {why}"),
        }
        ends.push((stage.name, end, before.elapsed()));
    }
    summarise(&ends, start.elapsed())
}

fn end_of(stage: &stages::Stage, sh: &Shell) -> End {
    if let Some(missing) = setup::missing(stage.needs) {
        return if setup::in_ci() {
            End::Failed(missing)
        } else {
            End::Skipped(missing)
        };
    }
    match (stage.run)(sh) {
        Ok(()) => End::Passed,
        Err(error) => End::Failed(error.to_string()),
    }
}

/// A line for each stage; the last line of all holds the counts alone.
fn summarise(ends: &[(&str, End, Duration)], total: Duration) -> Outcome {
    println!("\n== Summary ({})", elapsed(total));
    for (name, end, time) in ends {
        let (word, why) = match end {
            End::Passed => ("passed", ""),
            End::Skipped(why) => ("skipped", why.as_str()),
            End::Failed(why) => ("FAILED", why.as_str()),
        };
        println!(
            "{word:8} {:>7}  {name}{}{why}",
            elapsed(*time),
            if why.is_empty() { "" } else { ": " }
        );
    }
    let count = |wanted: fn(&End) -> bool| ends.iter().filter(|(_, end, _)| wanted(end)).count();
    let passed = count(|end| matches!(end, End::Passed));
    let failed = count(|end| matches!(end, End::Failed(_)));
    println!("{passed} passed, {failed} failed");
    // The counts are the last line, so the failure is told by the exit status alone.
    if failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
