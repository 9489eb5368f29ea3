//! Runs the examples in README.md and docs/.

#![allow(clippy::unwrap_used, reason = "this is a test")]

/// Runs each `console` block and compares its output.
#[test]
fn console_examples_match_actual_output() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("leakgate", trycmd::cargo::cargo_bin!("leakgate"))
        .case("README.md")
        .case("docs/*.md");
}

/// The example leakgate.toml is valid and has rules and suppression files.
#[test]
fn example_configuration_is_valid() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md")).unwrap();
    let toml = text
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let config = leakgate_core::Config::read("docs/rules.md", toml).unwrap();
    assert_eq!(
        (config.rules.len(), config.files.suppressions.len()),
        (1, 2)
    );
}
