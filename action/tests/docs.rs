//! What README and docs/ say, run.

#![allow(clippy::unwrap_used, reason = "this is a test")]

/// Each `console` block is run as it stands, and its output compared.
#[test]
fn what_is_shown_is_what_happens() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("leakgate", trycmd::cargo::cargo_bin!("leakgate"))
        .case("README.md")
        .case("docs/*.md");
}

/// The example of leakgate.toml is one, and holds every key but those of `allow` itself.
#[test]
fn the_example_of_a_configuration_is_read() {
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
