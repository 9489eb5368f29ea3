//! Compares the records that the real tools suppressed with the findings that leakgate allows.
//!
//! `snapshots/differential/` contains logs of runs without suppressions, suppression files, and for
//! each pair the records that the tool suppressed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use leakgate_core::Parsed;
use leakgate_core::rules::read_file;

use crate::common;

/// A log with the recorded behaviour of its tool.
struct Log {
    name: String,
    parsed: Parsed,
    /// The log shows everything that the tool compares with suppressions.
    exact: bool,
    /// The run had `--show-below-main=yes`.
    shows_below_main: bool,
    pairs: toml::Table,
    records: BTreeSet<u64>,
}

fn home() -> PathBuf {
    common::home().join("differential")
}

fn logs() -> Vec<Log> {
    let mut files: Vec<PathBuf> = fs::read_dir(home().join("truth"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 40);
    files
        .iter()
        .map(|file| log(&fs::read_to_string(file).unwrap().parse().unwrap()))
        .collect()
}

fn log(truth: &toml::Table) -> Log {
    let name = truth["log"].as_str().unwrap().to_owned();
    let bytes = fs::read(home().join(&name)).unwrap();
    let (parsed, _) = common::read(&[(name.clone(), bytes)], |bytes| vec![bytes]);
    Log {
        name,
        parsed,
        exact: truth["exact"].as_bool().unwrap(),
        shows_below_main: truth["run"]
            .as_str()
            .unwrap()
            .contains("--show-below-main=yes"),
        pairs: truth["pairs"].as_table().unwrap().clone(),
        records: lines(&truth["records"]),
    }
}

fn lines(value: &toml::Value) -> BTreeSet<u64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_integer().unwrap().unsigned_abs())
        .collect()
}

fn list(pair: &toml::Value, key: &str) -> BTreeSet<u64> {
    pair.get(key).map(lines).unwrap_or_default()
}

/// Returns the first lines of the records that leakgate allows by a suppression file, or `None` if
/// it rejects the file.
fn allowed(log: &Log, supp: &str) -> Option<BTreeSet<u64>> {
    let bytes = fs::read(home().join("supp").join(supp)).unwrap();
    let (_, rules) = read_file(supp, &String::from_utf8_lossy(&bytes)).ok()?;
    let judged = common::decide(common::gate().with_rules(rules), log.parsed.clone(), &[]);
    let matched = judged
        .triage
        .findings
        .iter()
        .zip(&judged.parsed.findings)
        .filter(|(item, _)| !item.matches.is_empty());
    Some(
        matched
            .flat_map(|(_, finding)| finding.instances.iter().map(|i| i.first_line))
            .collect(),
    )
}

#[test]
fn parsed_records_start_at_the_recorded_lines() {
    for log in logs() {
        let read: BTreeSet<u64> = log
            .parsed
            .findings
            .iter()
            .flat_map(|f| f.instances.iter().map(|i| i.first_line))
            .collect();
        assert_eq!(read, log.records, "{}", log.name);
    }
}

/// leakgate rejects exactly those files for which the tool stops.
#[test]
fn rejected_files_are_those_that_the_tools_reject() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for log in logs() {
        for (supp, pair) in log
            .pairs
            .iter()
            .filter(|(_, pair)| pair.get("crashed").is_none())
        {
            let refused = pair.get("refused").and_then(toml::Value::as_str);
            count += usize::from(refused.is_some());
            let ours = allowed(&log, supp).is_none();
            if ours != refused.is_some() && !is_of_another_run(supp, refused) {
                wrong.push(format!(
                    "{} {supp}: rejected by leakgate: {ours}, by the tool: {refused:?}",
                    log.name
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 200);
}

/// Returns true if a rejection depends on the tool and its version, which a suppression file alone
/// doesn't reveal.
fn is_of_another_run(supp: &str, refused: Option<&str>) -> bool {
    match refused {
        // The kind is newer than the valgrind that ran, or the file is for another tool.
        Some(why) if why.contains("suppression type") => true,
        Some(_) => ["lsan/type-of-asan.supp", "lsan/valgrind-file.supp"].contains(&supp),
        // valgrind accepts the file and crashes at the first error of that kind.
        None if supp == "kinds/FishyValue.supp" => true,
        // The entries are for another valgrind tool, and valgrind skips those unread.
        None => {
            supp.starts_with("threads/")
                || supp.starts_with("lexing/other-tool")
                || supp.starts_with("lexing/tools-with-blank")
        }
    }
}

/// Returns true if the log contains everything that the tool compares with the file: names before
/// demangling, and, if the file mentions them, frames below `main` and in text the objects of
/// frames that show their source.
fn is_decidable(log: &Log, supp: &str) -> bool {
    // For this file valgrind 3.19 to 3.27 read past the end of their own list.
    if !log.exact || supp == "inlined/src-79.supp" {
        return false;
    }
    let text =
        String::from_utf8_lossy(&fs::read(home().join("supp").join(supp)).unwrap()).into_owned();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let objects = lines.iter().any(|l| l.starts_with("obj:") && *l != "obj:*");
    let is_bottom = |line: &&str| {
        [
            "fun:main",
            "fun:(below main)",
            "fun:_start",
            "fun:clone",
            "fun:???",
        ]
        .contains(line)
            || line.starts_with("obj:")
    };
    let below = lines
        .windows(2)
        .any(|pair| is_bottom(&pair[0]) && pair[1] != "}" && pair[1] != "...")
        || lines.iter().any(|l| l.starts_with("fun:__libc_start"));
    log.name.ends_with(".xml") || (!objects && (log.shows_below_main || !below))
}

/// Returns true if only the linkage of a function decides. A demangled name doesn't show whether
/// the function is `static`: `_Z4workv` and `_ZL4workv` are both `work()`. leakgate then assumes
/// that the entry means the function in the log.
fn is_about_linkage(supp: &str) -> bool {
    supp.contains("not-static") || supp.ends_with("-static.supp")
}

#[derive(Default)]
struct Tally {
    pairs: usize,
    equal: usize,
    hiding: usize,
    hidden: usize,
    found: usize,
}

/// On exact logs leakgate and the tool agree. On others leakgate never allows more, and seldom
/// less.
#[test]
fn allowed_records_are_those_that_the_tools_suppress() {
    let (mut exact, mut rest) = (Tally::default(), Tally::default());
    let (mut false_allows, mut differences) = (Vec::new(), Vec::new());
    let mut by_linkage = 0;
    for log in logs() {
        for (supp, pair) in &log.pairs {
            if pair.get("crashed").is_some() || pair.get("refused").is_some() {
                continue;
            }
            let Some(ours) = allowed(&log, supp) else {
                continue;
            };
            let behind = list(pair, "behind");
            let hidden: BTreeSet<u64> = list(pair, "hidden").difference(&behind).copied().collect();
            let more: Vec<u64> = ours
                .difference(&hidden)
                .filter(|n| !behind.contains(n))
                .copied()
                .collect();
            let less: Vec<u64> = hidden.difference(&ours).copied().collect();
            let decidable = is_decidable(&log, supp);
            if !more.is_empty() && !decidable && is_about_linkage(supp) {
                by_linkage += 1;
            } else if !more.is_empty() {
                false_allows.push(format!("{} {supp}: {more:?}", log.name));
            }
            if !less.is_empty() && decidable {
                differences.push(format!("{} {supp}: {less:?}", log.name));
            }
            let sum = if decidable { &mut exact } else { &mut rest };
            sum.pairs += 1;
            sum.equal += usize::from(more.is_empty() && less.is_empty());
            sum.hiding += usize::from(!hidden.is_empty());
            sum.hidden += hidden.len();
            sum.found += hidden.len() - less.len();
        }
    }
    for (name, sum) in [("decidable", &exact), ("others", &rest)] {
        let share = 100.0 * sum.found as f64 / sum.hidden as f64;
        println!(
            "{name}: {} pairs, {} suppress something, {} equal; {share:.2} % of {} suppressed records allowed",
            sum.pairs, sum.hiding, sum.equal, sum.hidden
        );
    }
    println!("{by_linkage} pairs allow more because of linkage alone");
    assert!(
        false_allows.is_empty(),
        "allowed, but not suppressed:\n{}",
        false_allows.join("\n")
    );
    assert!(
        differences.is_empty(),
        "suppressed, but not allowed:\n{}",
        differences.join("\n")
    );
    assert!(exact.pairs > 700 && exact.hiding > 300 && rest.pairs > 2_000 && by_linkage <= 4);
    assert!(
        rest.found * 10 >= rest.hidden * 9,
        "{} of {}",
        rest.found,
        rest.hidden
    );
}
