//! The page's sample logs: real logs from `snapshots/`.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;

#[derive(Serialize)]
struct Sample {
    title: &'static str,
    name: &'static str,
    text: String,
    rules: Option<&'static str>,
}

/// Title, file name, case, and rules.
const SAMPLES: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "valgrind: leaks",
        "valgrind.log",
        "memcheck/mixed-327",
        None,
    ),
    (
        "ASan: use after free",
        "asan.log",
        "asan/heap-use-after-free-clang19",
        None,
    ),
    (
        "LSan: leaks, one accepted",
        "lsan.log",
        "lsan/many-places-clang19",
        Some(RULES),
    ),
    (
        "TSan: data race",
        "tsan.log",
        "tsan/data-race-clang19",
        None,
    ),
];

const RULES: &str = r#"# Accepted findings.
[[allow]]
id = "known-leak"
kinds = ["leak-definite"]
stack = ["runtime...", "fun:known_leak", "..."]
bytes = { max = 500 }
reason = "A table that lives as long as the program."
"#;

/// Returns a JavaScript module that exports the samples.
pub(super) fn module(repository: &Path) -> Outcome<String> {
    let sample = |&(title, name, case, rules): &(
        &'static str,
        &'static str,
        &str,
        Option<&'static str>,
    )|
     -> Outcome<Sample> {
        let text = fs::read_to_string(repository.join("snapshots").join(case).join("report.txt"))?;
        Ok(Sample {
            title,
            name,
            text,
            rules,
        })
    };
    let samples: Vec<Sample> = SAMPLES.iter().map(sample).collect::<Outcome<_>>()?;
    Ok(format!(
        "// Real logs from leakgate's tests.\n\nexport const SAMPLES = {};\n",
        serde_json::to_string_pretty(&samples)?
    ))
}
