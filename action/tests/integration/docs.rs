//! Runs the examples in README.md and docs/.

use std::fs;

use leakgate_core::reason::ReasonCode;
use leakgate_core::{Config, advice};

use crate::common::repository;

/// Runs each `console` block and compares its output. trycmd runs the examples in the current
/// directory, on which no other test depends.
#[test]
fn console_examples_match_actual_output() {
    std::env::set_current_dir(repository("")).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("leakgate", trycmd::cargo::cargo_bin!("leakgate"))
        .case("README.md")
        .case("docs/*.md");
}

/// docs/codes.md has a row for each code, in the order of `leakgate explain code`.
#[test]
fn docs_list_every_code() {
    let text = fs::read_to_string(repository("docs/codes.md")).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = advice::codes().into_iter().map(row).collect();
    assert_eq!(rows, expected);
}

/// Returns the row for a code. Rows of problems have a column for the reason.
fn row(help: &advice::CodeHelp) -> String {
    let row = format!("| `{}` | {} |", help.code, help.title);
    match help.reason().filter(|reason| reason.as_str() != help.code) {
        Some(reason) => format!("{row} `{reason}` |"),
        None if is_problem(help) => format!("{row} none: it's a note |"),
        None => row,
    }
}

/// Returns true for the code of a problem that isn't also the code of a reason.
fn is_problem(help: &advice::CodeHelp) -> bool {
    ReasonCode::ALL
        .iter()
        .all(|code| code.as_str() != help.code)
}

/// The example leakgate.toml is valid and has rules and suppression files.
#[test]
fn example_configuration_is_valid() {
    let text = fs::read_to_string(repository("docs/rules.md")).unwrap();
    let toml = text
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let config = Config::read("docs/rules.md", toml).unwrap();
    assert_eq!(
        (config.rules.len(), config.files.suppressions.len()),
        (1, 2)
    );
}
