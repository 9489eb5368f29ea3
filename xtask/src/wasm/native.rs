//! What the native core says of every case under `snapshots/`, for the test that holds the module to it.
//!
//! `<dialect>/<case>/inputs` names the reports, a line each; beside it lies a document for each format.

use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::emit::{self, Excerpt, Format, Run, Style};
use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy, Source, judge, suppress, triage};

use crate::Outcome;

/// No source file is at hand.
struct NoSources;

impl Excerpt for NoSources {
    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}

/// Writes the documents of all cases.
pub(crate) fn write(snapshots: &Path, out: &Path) -> Outcome {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    for dialect in folders(snapshots)? {
        for case in folders(&dialect)?.into_iter().filter(|folder| folder.join("case.toml").exists()) {
            let out = out.join(case.strip_prefix(snapshots)?);
            fs::create_dir_all(&out)?;
            let names = reports(&case)?;
            fs::write(out.join("inputs"), names.join("\n"))?;
            documents(&case, &names, &out)?;
        }
    }
    Ok(())
}

fn documents(case: &Path, names: &[String], out: &Path) -> Outcome {
    let mut parser = Parser::new(Options::default());
    for name in names {
        parser.begin(name);
        parser.feed(&fs::read(case.join(name))?);
    }
    let parsed = parser.finish();
    // The test names the same day; without rules it decides nothing.
    let gate = Gate::new(Policy::default(), Date::constant(2026, 6, 1));
    let triage = triage(&parsed, &gate, &NoWorkspace);
    let source = |(at, name): (usize, &String)| Source { name: name.clone(), inputs: vec![at] };
    let sources: Vec<Source> = names.iter().enumerate().map(source).collect();
    let verdict = judge(&parsed, &triage, &sources, &gate);
    let run = Run {
        parsed: &parsed,
        gate: &gate,
        triage: &triage,
        verdict: &verdict,
        workspace: &NoWorkspace,
        sources: &NoSources,
        changes: None,
    };
    let style = Style { suppress: Some(suppress), ..Style::default() };
    for format in Format::ALL {
        let mut text = String::new();
        emit::write(&run, *format, &style, &mut text)?;
        fs::write(out.join(format.as_str()), text)?;
    }
    Ok(())
}

/// The reports of a case, in their order.
fn reports(case: &Path) -> Outcome<Vec<String>> {
    let about: toml::Table = fs::read_to_string(case.join("case.toml"))?.parse()?;
    let named = about.get("files").and_then(toml::Value::as_array);
    let named = named.map(|files| files.iter().filter_map(|file| Some(file.as_str()?.to_owned())).collect());
    let usual = || ["report.txt", "report.xml"].map(str::to_owned).into_iter().filter(|f| case.join(f).exists()).collect();
    Ok(named.unwrap_or_else(usual))
}

fn folders(of: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(of)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    found.retain(|path| path.is_dir());
    found.sort();
    Ok(found)
}
