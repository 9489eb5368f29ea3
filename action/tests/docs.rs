//! What README says, run.

#![allow(clippy::unwrap_used, reason = "this is a test")]

/// Each `console` block is run as it stands, and its output compared.
#[test]
fn readme_shows_what_happens() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("leakgate", trycmd::cargo::cargo_bin!("leakgate")).case("README.md");
}
