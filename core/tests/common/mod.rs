//! What the tests on real reports share: the cases under `snapshots/`, and the way from bytes to a
//! verdict.

#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(
    clippy::expect_used,
    reason = "a case that can't be read is a broken test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::emit::{self, Format, Run, Style};
use leakgate_core::{
    Date, Gate, NoWorkspace, Options, Parsed, Parser, Policy, Source, Triage, Verdict,
};

/// A clean run, behind which most traps are put: what is wrong must show beside real proof.
pub(crate) const CLEAN: &str = "==7== Memcheck, a memory error detector
==7== Command: ./clean
==7== 
==7== HEAP SUMMARY:
==7==     in use at exit: 0 bytes in 0 blocks
==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated
==7== 
==7== All heap blocks were freed -- no leaks are possible
==7== 
==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
";

/// A folder of `snapshots/`: real reports of one run.
pub(crate) struct Case {
    /// `<dialect>/<case>`
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The reports in order: file name and bytes.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// The folder of all cases.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots")
}

/// Every case, by name.
pub(crate) fn cases() -> Vec<Case> {
    let home = home().canonicalize().expect("the folder snapshots");
    let mut cases = Vec::new();
    for dialect in folders(&home) {
        for folder in folders(&dialect)
            .into_iter()
            .filter(|f| f.join("case.toml").exists())
        {
            let name = folder
                .strip_prefix(&home)
                .expect("a folder in snapshots")
                .to_str()
                .expect("a plain name");
            cases.push(Case {
                name: name.replace('\\', "/"),
                files: reports(&folder),
                folder,
            });
        }
    }
    assert!(
        cases.len() > 300,
        "{} cases are too few: where is snapshots/?",
        cases.len()
    );
    cases
}

/// The folders in a folder, sorted.
fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of)
        .expect("a folder")
        .map(|e| e.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn reports(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let about: toml::Table = fs::read_to_string(folder.join("case.toml"))
        .expect("case.toml")
        .parse()
        .expect("case.toml in TOML");
    let names: Vec<String> = match about.get("files").and_then(toml::Value::as_array) {
        Some(files) => files
            .iter()
            .map(|f| f.as_str().expect("the name of a file").to_owned())
            .collect(),
        None => ["report.txt", "report.xml"]
            .map(str::to_owned)
            .into_iter()
            .filter(|f| folder.join(f).exists())
            .collect(),
    };
    assert!(!names.is_empty(), "no report in {}", folder.display());
    let read = |name: String| (fs::read(folder.join(&name)).expect("a report"), name);
    names
        .into_iter()
        .map(read)
        .map(|(bytes, name)| (name, bytes))
        .collect()
}

/// Everything that is made of some inputs under the default policy.
pub(crate) struct Judged {
    pub(crate) gate: Gate,
    pub(crate) parsed: Parsed,
    pub(crate) triage: Triage,
    pub(crate) verdict: Verdict,
}

/// Documents as the command line lays them out.
pub(crate) fn style() -> Style<'static> {
    Style {
        suppress: Some(leakgate_core::suppress),
        ..Style::default()
    }
}

/// A gate without rules, on some day.
pub(crate) fn gate() -> Gate {
    Gate::new(Policy::default(), Date::constant(2026, 6, 1))
}

/// Reads files whole and decides; each is a source of its own.
pub(crate) fn judge<B: AsRef<[u8]>>(files: &[(String, B)]) -> Judged {
    judge_by(gate(), files)
}

/// The same by a gate with rules.
pub(crate) fn judge_by<B: AsRef<[u8]>>(gate: Gate, files: &[(String, B)]) -> Judged {
    let (parsed, sources) = read(files, |bytes| vec![bytes]);
    decide(gate, parsed, &sources)
}

/// The same with each file cut by `cut`.
pub(crate) fn judge_in_chunks<B: AsRef<[u8]>>(
    files: &[(String, B)],
    cut: impl FnMut(&[u8]) -> Vec<&[u8]>,
) -> Judged {
    let (parsed, sources) = read(files, cut);
    decide(gate(), parsed, &sources)
}

/// Reads files; each is a source of its own.
pub(crate) fn read<B: AsRef<[u8]>>(
    files: &[(String, B)],
    mut cut: impl FnMut(&[u8]) -> Vec<&[u8]>,
) -> (Parsed, Vec<Source>) {
    let mut parser = Parser::new(Options::default());
    let mut sources = Vec::new();
    for (at, (name, bytes)) in files.iter().enumerate() {
        parser.begin(name);
        cut(bytes.as_ref())
            .into_iter()
            .for_each(|chunk| parser.feed(chunk));
        sources.push(Source {
            name: name.clone(),
            inputs: vec![at],
        });
    }
    (parser.finish(), sources)
}

/// Holds what was read against a gate.
pub(crate) fn decide(gate: Gate, parsed: Parsed, sources: &[Source]) -> Judged {
    let triage = leakgate_core::triage(&parsed, &gate, &NoWorkspace);
    let verdict = leakgate_core::judge(&parsed, &triage, sources, &gate);
    Judged {
        gate,
        parsed,
        triage,
        verdict,
    }
}

/// One text without a file.
pub(crate) fn judge_text(bytes: &[u8]) -> Judged {
    judge(&[("log".to_owned(), bytes)])
}

impl Judged {
    /// The document in a format.
    pub(crate) fn document(&self, format: Format) -> String {
        self.document_in(format, &style())
    }

    /// The same, laid out in a way.
    pub(crate) fn document_in(&self, format: Format, style: &Style<'_>) -> String {
        let Self {
            gate,
            parsed,
            triage,
            verdict,
        } = self;
        let run = Run {
            parsed,
            gate,
            triage,
            verdict,
            workspace: &NoWorkspace,
            sources: &NoWorkspace,
            changes: None,
        };
        emit::document(&run, format, style)
    }
}
