//! Runs the examples in README.md and docs/.

use std::fs;

use leakgate_core::Config;

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
