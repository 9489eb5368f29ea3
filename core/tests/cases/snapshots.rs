//! Snapshots of every real report under `snapshots/`: the text report (`text.snap`), a compact form
//! of the JSON report (`dump.snap`), and one table of all fingerprints.
//!
//! `INSTA_UPDATE=always cargo test -p leakgate-core --test cases -- snapshots/` accepts all
//! changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::emit::Format;
use libtest_mimic::{Failed, Trial};

use crate::common;
use crate::dump::dump;
use crate::selected;

/// The table of all fingerprints, so that a change of the algorithm changes one file.
const FINGERPRINTS: &str = "fingerprints";

/// Returns one test for each snapshot, and the tests of the folder as a whole.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("snapshots/fingerprints", || {
            assert_snapshot(&common::home(), FINGERPRINTS, &fingerprints());
            Ok(())
        }),
        Trial::test(
            "snapshots/no_snapshot_without_a_report",
            no_snapshot_without_a_report,
        ),
        Trial::test(
            "snapshots/no_report_without_a_case",
            no_report_without_a_case,
        ),
    ];
    for case in common::cases() {
        trials.push(Trial::test(format!("snapshots/{}/text", case.name), || {
            let text = common::judge(&case.files).document(Format::Text);
            assert_snapshot(&case.folder, "text", &without_fingerprints(&text));
            Ok(())
        }));
        trials.push(Trial::test(format!("snapshots/{}/dump", case.name), || {
            let json = common::judge(&case.files).document(Format::Json);
            assert_snapshot(&case.folder, "dump", &dump(&json));
            Ok(())
        }));
    }
    trials
}

/// Compares a text with the snapshot `<folder>/<name>.snap` and panics if they differ.
pub(crate) fn assert_snapshot(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Replaces every fingerprint with `lg#`.
pub(crate) fn without_fingerprints(text: &str) -> String {
    let mut parts = text.split("lg2-");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let is_fingerprint = part.len() - rest.len() == 32;
        out += if is_fingerprint { "lg#" } else { "lg2-" };
        out += if is_fingerprint { rest } else { part };
    }
    out
}

/// Returns a line with case, fingerprint and kind for each group of findings.
fn fingerprints() -> String {
    let mut lines = BTreeSet::new();
    for case in common::cases() {
        for (fingerprint, kind) in common::judge(&case.files).fingerprints() {
            lines.insert(format!("{} {fingerprint} {kind}\n", case.name));
        }
    }
    lines.into_iter().collect()
}

fn no_snapshot_without_a_report() -> Result<(), Failed> {
    let home = common::home().canonicalize()?;
    let mut expected = BTreeSet::from([home.join(format!("{FINGERPRINTS}.snap"))]);
    for case in common::cases() {
        expected.extend(["text.snap", "dump.snap"].map(|name| case.folder.join(name)));
    }
    expected.extend(selected::files(&home));
    let is_orphan =
        |file: &PathBuf| file.extension().is_some_and(|e| e == "snap") && !expected.contains(file);
    let orphans: Vec<PathBuf> = files(&home).into_iter().filter(is_orphan).collect();
    fail_with("snapshots without a report", &orphans)
}

/// A report that its `case.toml` doesn't name would never be parsed.
fn no_report_without_a_case() -> Result<(), Failed> {
    let mut named = BTreeSet::new();
    for case in common::cases() {
        named.extend(case.files.iter().map(|(name, _)| case.folder.join(name)));
    }
    let is_stray = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("report") && !named.contains(file)
    };
    let home = common::home().canonicalize()?;
    let strays: Vec<PathBuf> = files(&home).into_iter().filter(is_stray).collect();
    fail_with("reports that no case.toml names", &strays)
}

fn fail_with(problem: &str, files: &[PathBuf]) -> Result<(), Failed> {
    if files.is_empty() {
        return Ok(());
    }
    Err(format!("{problem}: {files:?}").into())
}

/// Returns all files in a folder and its subfolders, except the programs.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path());
    let (folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|p| p.is_dir());
    let inner = folders.iter().filter(|f| !f.ends_with("programs"));
    found.extend(inner.flat_map(|f| files(f)));
    found
}
