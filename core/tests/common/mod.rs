//! Helpers shared by both test binaries: the cases under `snapshots/`, and the steps from bytes to
//! a verdict. `xtask/src/wasm/native.rs` includes this file, too.

#![allow(dead_code, reason = "each test binary uses only a part of this")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "an unreadable case is a broken test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use leakgate_core::emit::{self, Format, RenderOptions, Run};
use leakgate_core::policy::Silence;
use leakgate_core::verdict::Source;
use leakgate_core::{
    Date, Gate, NoWorkspace, Options, Outcome, Parsed, Parser, Policy, Triage, Verdict,
};

/// A folder under `snapshots/` with the real reports of one run.
pub(crate) struct Case {
    /// `<dialect>/<case>`
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The reports in order, as pairs of file name and content.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// Returns the folder `snapshots/`.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots")
}

/// Returns every case, sorted by name. Each binary reads the files once.
pub(crate) fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read_cases);
    &CASES
}

/// Returns the case with this name.
pub(crate) fn case(name: &str) -> &'static Case {
    cases()
        .iter()
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("no case is called {name}"))
}

/// Calls `check` for every case, in four threads.
pub(crate) fn for_each_case(check: impl Fn(&Case) + Sync) {
    let part = cases().len().div_ceil(4);
    thread::scope(|scope| {
        for cases in cases().chunks(part) {
            scope.spawn(|| cases.iter().for_each(&check));
        }
    });
}

fn read_cases() -> Vec<Case> {
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
        "only {} cases found in snapshots/",
        cases.len()
    );
    cases
}

/// Returns the subfolders of a folder, sorted.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent)
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
            .map(|f| f.as_str().expect("a file name").to_owned())
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

/// The result of parsing and judging some inputs.
pub(crate) struct Judged {
    pub(crate) gate: Gate,
    pub(crate) parsed: Parsed,
    pub(crate) triage: Triage,
    pub(crate) verdict: Verdict,
}

/// Returns the style that the command line uses.
pub(crate) fn style() -> RenderOptions<'static> {
    RenderOptions {
        suggest_rules: true,
        ..RenderOptions::default()
    }
}

/// Returns a gate with the default policy and without rules, on a fixed day.
pub(crate) fn gate() -> Gate {
    Gate::new(Policy::default(), Date::constant(2026, 6, 1))
}

/// Returns the default gate, for which silence is enough to pass.
pub(crate) fn gate_with_silence() -> Gate {
    let mut policy = Policy::default();
    policy.silence = Silence::Pass;
    Gate::new(policy, Date::constant(2026, 6, 1))
}

/// Parses files, each as a source of its own, and judges them by the default gate.
pub(crate) fn judge<B: AsRef<[u8]>>(files: &[(String, B)]) -> Judged {
    judge_by(gate(), files)
}

/// Does the same as [`judge`] with another gate.
pub(crate) fn judge_by<B: AsRef<[u8]>>(gate: Gate, files: &[(String, B)]) -> Judged {
    let (parsed, sources) = read(files, |bytes| vec![bytes]);
    decide(gate, parsed, &sources)
}

/// Does the same as [`judge`], with each file fed in the chunks that `cut` returns.
pub(crate) fn judge_in_chunks<B: AsRef<[u8]>>(
    files: &[(String, B)],
    cut: impl FnMut(&[u8]) -> Vec<&[u8]>,
) -> Judged {
    let (parsed, sources) = read(files, cut);
    decide(gate(), parsed, &sources)
}

/// Parses files, each as a source of its own, in the chunks that `cut` returns.
pub(crate) fn read<B: AsRef<[u8]>>(
    files: &[(String, B)],
    mut cut: impl FnMut(&[u8]) -> Vec<&[u8]>,
) -> (Parsed, Vec<Source>) {
    let mut parser = Parser::new(Options::default());
    let mut sources = Vec::new();
    for (at, (name, bytes)) in files.iter().enumerate() {
        parser.begin(name);
        // Other threads may have looked for markers in some of the chunks.
        let scanner = parser.scanner();
        for (number, chunk) in cut(bytes.as_ref()).into_iter().enumerate() {
            match number % 3 {
                2 => parser.feed_scanned(chunk, &scanner.scan(chunk)),
                _ => parser.feed(chunk),
            }
        }
        sources.push(Source {
            name: name.clone(),
            inputs: vec![at],
        });
    }
    (parser.finish(), sources)
}

/// Judges parsed data by a gate.
pub(crate) fn decide(gate: Gate, parsed: Parsed, sources: &[Source]) -> Judged {
    let triage = leakgate_core::triage::triage(&parsed, &gate, &NoWorkspace);
    let verdict = leakgate_core::verdict::judge(&parsed, &triage, sources, &gate);
    Judged {
        gate,
        parsed,
        triage,
        verdict,
    }
}

/// Parses and judges a single log.
pub(crate) fn judge_text(bytes: &[u8]) -> Judged {
    judge(&[("log".to_owned(), bytes)])
}

impl Judged {
    /// Returns the report in a format, in the style of the command line.
    pub(crate) fn document(&self, format: Format) -> String {
        self.document_in(format, &style())
    }

    /// Returns the report in a format and style.
    pub(crate) fn document_in(&self, format: Format, style: &RenderOptions<'_>) -> String {
        emit::render(&self.run(), format, style)
    }

    /// Returns the run to report.
    pub(crate) fn run(&self) -> Run<'_> {
        Run::new(&self.parsed, &self.gate, &self.triage, &self.verdict)
    }

    /// Returns the outcome and the codes of all reasons.
    pub(crate) fn codes(&self) -> (Outcome, Vec<&'static str>) {
        let reasons = self.verdict.reasons.iter();
        (
            self.verdict.outcome,
            reasons.map(|reason| reason.code.as_str()).collect(),
        )
    }

    /// Returns the fingerprint and the kind of each finding.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = (String, String)> {
        let findings = self.parsed.findings.iter().zip(&self.triage.findings);
        findings.map(|(finding, item)| (item.fingerprint.to_string(), finding.kind.to_string()))
    }
}
