//! Every real report under `snapshots/` and what is said about it: a `<format>.snap` for each
//! format beside the report.
//!
//! One test for each document, so that a run shows everything that changed. `INSTA_UPDATE=always
//! cargo test --test cases -- snapshots/` accepts all changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::emit::Format;
use libtest_mimic::{Failed, Trial};

use crate::common::{self, Case};

/// Returns one test for each report and format, and the tests of the folder as a whole.
pub(crate) fn trials() -> Vec<Trial> {
    let expected: BTreeSet<PathBuf> = common::cases()
        .iter()
        .flat_map(|case| Format::ALL.iter().map(|f| snapshot_of(case, *f)))
        .collect();
    let mut trials = vec![
        Trial::test("snapshots/no_snapshot_without_a_report", move || {
            no_orphans(&expected)
        }),
        Trial::test("snapshots/no_report_without_a_case", reports_are_named),
    ];
    for case in common::cases() {
        for format in Format::ALL {
            trials.push(Trial::test(
                format!("snapshots/{}/{}", case.name, format.as_str()),
                move || {
                    compare(case, *format);
                    Ok(())
                },
            ));
        }
    }
    trials
}

fn snapshot_of(case: &Case, format: Format) -> PathBuf {
    case.folder.join(format!("{}.snap", format.as_str()))
}

/// A difference panics, which the runner counts as a failure.
fn compare(case: &Case, format: Format) {
    let mut document = common::judge(&case.files).document(format);
    if [Format::Json, Format::Sarif, Format::Gitlab].contains(&format) {
        document = readable(&document);
    } else if format == Format::Html {
        document = without_code(&document);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&case.folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format.as_str(), document));
}

/// A page without its style and its script, which are the same in all, and with its data indented.
fn without_code(page: &str) -> String {
    const DATA: &str = "<script type=\"application/json\" id=\"data\">";
    let (head, body) = page.split_once("<body>").expect("a body");
    let (_, head) = head.split_once("<title>").expect("a title");
    let (body, rest) = body.split_once("<script type=").expect("data");
    let data = format!("<script type={rest}");
    let data = match data
        .strip_prefix(DATA)
        .and_then(|d| d.split_once("</script>"))
    {
        Some((json, _)) => serde_json::to_string_pretty(
            &serde_json::from_str::<serde_json::Value>(json).expect("JSON"),
        )
        .expect("JSON"),
        None => "[deflated]".to_owned(),
    };
    let body = body.replace(
        &format!("leakgate {}", env!("CARGO_PKG_VERSION")),
        "leakgate [version]",
    );
    format!(
        "<title>{}{body}{data}\n",
        head.split("<style>").next().expect("a title")
    )
}

/// Indented, and without leakgate's own version, which changes with each release.
fn readable(json: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    for pointer in ["/version", "/runs/0/tool/driver/semanticVersion"] {
        if let Some(version) = value
            .pointer_mut(pointer)
            .filter(|v| *v == env!("CARGO_PKG_VERSION"))
        {
            *version = "[version]".into();
        }
    }
    // The texts of the rules stand in the tables of `core/src/advice/`, and would be most of each
    // document.
    for rule in value
        .pointer_mut("/runs/0/tool/driver/rules")
        .and_then(|r| r.as_array_mut())
        .into_iter()
        .flatten()
    {
        *rule = rule["id"].take();
    }
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn no_orphans(expected: &BTreeSet<PathBuf>) -> Result<(), Failed> {
    let home = common::home().canonicalize()?;
    let orphans: Vec<String> = files(&home)
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "snap") && !expected.contains(f))
        .map(shown)
        .collect();
    complain("no report stands beside", &orphans)
}

/// A report that `case.toml` does not name would never be read.
fn reports_are_named() -> Result<(), Failed> {
    let named: BTreeSet<PathBuf> = common::cases()
        .iter()
        .flat_map(|c| c.files.iter().map(|(name, _)| c.folder.join(name)))
        .collect();
    let is_report = |file: &PathBuf| {
        file.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("report"))
    };
    let home = common::home().canonicalize()?;
    let strays: Vec<String> = files(&home)
        .into_iter()
        .filter(|f| is_report(f) && !named.contains(f))
        .map(shown)
        .collect();
    complain("no case.toml names", &strays)
}

fn complain(what: &str, files: &[String]) -> Result<(), Failed> {
    if files.is_empty() {
        Ok(())
    } else {
        Err(format!("{what} {}", files.join(", ")).into())
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it ends an iterator of paths"
)]
fn shown(file: PathBuf) -> String {
    file.display().to_string()
}

/// All files below a folder, without the programs.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path());
    let (folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|p| p.is_dir());
    let inner = folders.iter().filter(|f| !f.ends_with("programs"));
    found.extend(inner.flat_map(|f| files(f)));
    found
}
