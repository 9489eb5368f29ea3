//! Mutation tests: damage to a failing log never makes it pass, and harmless changes to a passing
//! log never make it fail.
//!
//! The first part corrupts failing logs and asks an independent check ([`check`]) whenever one
//! passes. The second part changes passing logs without removing anything. Each part makes
//! [`SAMPLE`] mutants, or as many as `LEAKGATE_MUTANTS` says. Each mutant has its own seed, and
//! `LEAKGATE_MUTANT=123` makes only that one.

mod check;
mod corrupt;
mod dice;
mod harmless;
mod reject;
pub(crate) mod transport;
mod untagged;
mod valgrind;
mod wrap;

use std::ops::Range;
use std::sync::LazyLock;
use std::{env, fs};

use leakgate_core::{Gate, Outcome};
use libtest_mimic::{Failed, Trial};

use crate::common::{self, Case, Judged};
use check::Headlines;
use dice::Dice;
use transport::Transport;

/// The reports of one run, as pairs of file name and content.
type Files = Vec<(String, Vec<u8>)>;

/// The number of mutants of each part, unless `LEAKGATE_MUTANTS` is set.
const SAMPLE: u64 = 8_000;

/// The number of violations to print.
const MAX_PRINTED: usize = 20;

/// A case to make mutants of.
struct Base {
    name: String,
    files: Files,
    /// The rules that accept everything in the files; empty if the case passes without rules, or
    /// can't be accepted.
    rules: Vec<String>,
    /// The headlines of all records in the files.
    accepted: Headlines,
}

/// All cases, by their verdict without rules.
struct Bases {
    passing: Vec<Base>,
    failing: Vec<Base>,
}

/// A changed log and its gate.
struct Mutant {
    /// The case and the changes.
    description: String,
    files: Files,
    gate: Gate,
    /// The headlines that its gate accepts, or `None` if it must fail in any case.
    accepted: Option<Headlines>,
    /// The size of the chunks in which its files are fed.
    chunk: usize,
}

/// Returns the tests.
pub(crate) fn trials() -> [Trial; 4] {
    [
        Trial::test("mutants/corrupted_logs_fail", corrupted_logs_fail),
        Trial::test("mutants/harmless_changes_pass", harmless_changes_pass),
        Trial::test(
            "mutants/transported_failures_fail",
            transported_failures_fail,
        ),
        Trial::test("mutants/transported_passes_pass", transported_passes_pass),
    ]
}

fn bases() -> &'static Bases {
    static BASES: LazyLock<Bases> = LazyLock::new(|| {
        let mut bases = Bases {
            passing: Vec::new(),
            failing: Vec::new(),
        };
        for case in common::cases() {
            let passes = common::judge(&case.files).verdict.outcome == Outcome::Pass;
            let list = if passes {
                &mut bases.passing
            } else {
                &mut bases.failing
            };
            list.push(base(case, passes));
        }
        assert!(
            bases.failing.len() >= 100 && bases.accepted().count() >= 100,
            "too few cases"
        );
        bases
    });
    &BASES
}

impl Bases {
    /// Returns the failing cases that pass with their rules.
    fn accepted(&self) -> impl Iterator<Item = &Base> {
        self.failing.iter().filter(|base| !base.rules.is_empty())
    }
}

fn base(case: &Case, passes: bool) -> Base {
    let rules = if passes {
        None
    } else {
        reject::accepting(&case.files)
    };
    Base {
        name: case.name.clone(),
        files: case.files.clone(),
        rules: rules.unwrap_or_default(),
        accepted: check::headlines(&case.files),
    }
}

/// Returns the numbers of the mutants to make.
fn numbers() -> Range<u64> {
    let number = |name: &str| {
        env::var(name)
            .ok()
            .map(|n| n.parse::<u64>().expect("a number"))
    };
    match number("LEAKGATE_MUTANT") {
        Some(one) => one..one + 1,
        None => 0..number("LEAKGATE_MUTANTS").unwrap_or(SAMPLE),
    }
}

/// Makes and judges mutants, and fails with those that `wrong` objects to.
fn run(
    part: &str,
    make: impl Fn(u64) -> Mutant,
    wrong: impl Fn(&Mutant, &Judged) -> Option<String>,
) -> Result<(), Failed> {
    let (mut passed, mut failed, mut violations) = (0, 0, Vec::new());
    for number in numbers() {
        let mutant = make(number);
        let (parsed, sources) =
            common::read(&mutant.files, |bytes| bytes.chunks(mutant.chunk).collect());
        let judged = common::decide(mutant.gate.clone(), parsed, &sources);
        *if judged.verdict.outcome == Outcome::Pass {
            &mut passed
        } else {
            &mut failed
        } += 1;
        if let Some(why) = wrong(&mutant, &judged) {
            violations.push(format!(
                "{number}: {}: {why}\n    {}",
                mutant.description,
                save(part, number, &mutant)
            ));
        }
    }
    println!(
        "{part}: {} mutants, {passed} passed, {failed} failed, {} judged wrongly",
        passed + failed,
        violations.len()
    );
    if violations.is_empty() {
        return Ok(());
    }
    let more = violations.len().saturating_sub(MAX_PRINTED);
    violations.truncate(MAX_PRINTED);
    Err(format!("{}\nand {more} more", violations.join("\n")).into())
}

/// Writes the files of a mutant to a folder and returns its path.
fn save(part: &str, number: u64, mutant: &Mutant) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("mutant-{}-{number}", part.replace(' ', "-")));
    fs::create_dir_all(&folder).expect("a folder");
    for (at, (name, text)) in mutant.files.iter().enumerate() {
        fs::write(folder.join(format!("{at}-{name}")), text).expect("a file");
    }
    folder.display().to_string()
}

fn corrupted_logs_fail() -> Result<(), Failed> {
    let bases = bases();
    let accepted: Vec<&Base> = bases.accepted().collect();
    let make = |number| {
        let mut dice = Dice::new(b'a', number);
        match dice.below(4) {
            0 => with_rejecting_rules(dice.pick::<&Base>(&accepted), &mut dice),
            1 => corrupted(dice.pick::<&Base>(&accepted), true, &mut dice),
            _ => corrupted(dice.pick(&bases.failing), false, &mut dice),
        }
    };
    run("corrupted", make, |mutant, judged| {
        if judged.verdict.outcome != Outcome::Pass {
            return None;
        }
        let Some(accepted) = &mutant.accepted else {
            return Some("it passes although its rules don't accept everything".into());
        };
        let objections = check::objections(&mutant.files, accepted);
        (!objections.is_empty()).then(|| objections.join("\n    "))
    })
}

/// A failing log fails however it is transported, alone and together with a clean one.
fn transported_failures_fail() -> Result<(), Failed> {
    // Without records, a log may fail only for lack of evidence.
    let failing = bases().failing.iter();
    let failing: Vec<&Base> = failing.filter(|base| !base.accepted.is_empty()).collect();
    run(
        "transported failures",
        |number| transported(&failing, &mut Dice::new(b'c', number)),
        |_, judged| {
            let passes = judged.verdict.outcome == Outcome::Pass;
            passes.then(|| "it passes".to_owned())
        },
    )
}

/// A passing log passes however it is transported.
fn transported_passes_pass() -> Result<(), Failed> {
    let passing: Vec<&Base> = bases().passing.iter().collect();
    run(
        "transported passes",
        |number| transported(&passing, &mut Dice::new(b'd', number)),
        |_, judged| {
            let problems = || format!("{:?} {:?}", judged.verdict.reasons, judged.parsed.problems);
            (judged.verdict.outcome != Outcome::Pass).then(problems)
        },
    )
}

/// Returns a log in one or two transports, mostly next to a clean log, or as the only evidence of a
/// gate for which silence is enough.
fn transported(bases: &[&Base], dice: &mut Dice) -> Mutant {
    let all = self::bases();
    let base = dice.pick(bases);
    let mut files = base.files.clone();
    let mut names = Vec::new();
    let mut wrap = |files: &mut Files, transport: &Transport| {
        if transport.carries(files) {
            for (_, text) in files.iter_mut() {
                *text = transport.wrap(text);
            }
            names.push(transport.name);
        }
    };
    let first = dice.pick(transport::ALL);
    wrap(&mut files, first);
    // In another transport, numbers of lines look like those of tests, and other line ends leave
    // one line.
    let is_last = first.name == "numbers of lines" || first.name.ends_with("instead of line feeds");
    if dice.one_in(3) && !is_last {
        wrap(&mut files, dice.pick(transport::OUTER));
    }
    let mut description = format!("{} in {}", base.name, names.join(" in "));
    let mut gate = common::gate();
    if dice.one_in(2) && harmless::is_plain(&files) {
        let clean = &dice.pick(&all.passing).files;
        let is_text = !clean[0].1.windows(5).any(|part| part == b"<?xml");
        let is_quiet = harmless::is_quiet(&files) || harmless::is_quiet(clean);
        if harmless::is_plain(clean) && is_text && !is_quiet {
            let mut clean = clean.clone();
            harmless::other_pids(&mut clean, dice);
            files[0].1 = [&clean[0].1[..], &files[0].1].concat();
            description += ", after a clean one";
        }
    } else if dice.one_in(2) {
        gate = common::gate_with_silence();
        description += ", with silence as a pass";
    }
    let chunk = if dice.one_in(2) {
        usize::MAX
    } else {
        1 + dice.below(300)
    };
    Mutant {
        description,
        files,
        gate,
        accepted: None,
        chunk,
    }
}

/// Returns an intact log with rules that no longer accept all of it.
fn with_rejecting_rules(base: &Base, dice: &mut Dice) -> Mutant {
    let mut files = base.files.clone();
    let (change, gate) = reject::rejecting(&files, &base.rules, dice);
    let wrapping = if harmless::is_plain(&files) {
        harmless::wrapped(&mut files, &mut false, dice)
    } else {
        String::new()
    };
    Mutant {
        description: format!("{}, rules: {change}, {wrapping}", base.name),
        files,
        gate,
        accepted: None,
        chunk: usize::MAX,
    }
}

/// Returns a corrupted log, mostly together with a clean one, because a log could also fail for
/// lack of evidence.
fn corrupted(base: &Base, with_rules: bool, dice: &mut Dice) -> Mutant {
    let bases = bases();
    let mut files = base.files.clone();
    let mut clean = dice.pick(&bases.passing).files.clone();
    let mut between = if with_rules {
        &clean
    } else {
        &dice.pick(&bases.failing).files
    }
    .clone();
    // Processes that run at the same time have different pids. Two runs in containers often use the
    // same pids.
    harmless::other_pids(&mut between, dice);
    if dice.one_in(2) {
        harmless::other_pids(&mut clean, dice);
    }
    let changes = corrupt::corrupt(&mut files, &between[0].1, dice);
    let at = dice.below(files.len());
    let text = &mut files[at].1;
    let position = match dice.below(4) {
        0 => {
            *text = [&clean[0].1[..], text].concat();
            ", after a clean one"
        }
        1 => {
            text.extend(if text.ends_with(b"\n") {
                &b""[..]
            } else {
                b"\n"
            });
            text.extend(&clean[0].1);
            ", before a clean one"
        }
        2 => {
            text.extend(&clean[0].1);
            ", joined with a clean one"
        }
        _ => "",
    };
    let gate = if with_rules {
        reject::gate(&base.rules)
    } else {
        common::gate()
    };
    let accepted = if with_rules {
        base.accepted.clone()
    } else {
        Headlines::new()
    };
    let description = format!(
        "{}{}: {}{position}",
        base.name,
        if with_rules { ", accepted" } else { "" },
        changes.join(", ")
    );
    Mutant {
        description,
        files,
        gate,
        accepted: Some(accepted),
        chunk: usize::MAX,
    }
}

fn harmless_changes_pass() -> Result<(), Failed> {
    let bases = bases();
    let all: Vec<&Base> = bases.passing.iter().chain(bases.accepted()).collect();
    run(
        "harmless",
        |number| harmlessly_changed(&all, &mut Dice::new(b'b', number)),
        |_, judged| {
            let reasons = || {
                judged
                    .verdict
                    .reasons
                    .iter()
                    .map(|r| format!("{}: {}", r.code, r.message))
                    .collect::<Vec<_>>()
                    .join("\n    ")
            };
            (judged.verdict.outcome != Outcome::Pass).then(reasons)
        },
    )
}

fn harmlessly_changed(all: &[&Base], dice: &mut Dice) -> Mutant {
    let base = *dice.pick(all);
    let mut files = base.files.clone();
    let mut rules = reject::rules(&base.rules);
    let mut changes = vec![base.name.clone()];
    let plain = harmless::is_plain(&files);
    if plain {
        for _ in 0..dice.below(3) {
            changes.push(match dice.below(4) {
                0 => {
                    harmless::other_pids(&mut files, dice);
                    "other pids".to_owned()
                }
                1 => {
                    harmless::other_addresses(&mut files, dice);
                    "other addresses".to_owned()
                }
                2 => {
                    files
                        .iter_mut()
                        .for_each(|(_, text)| harmless::noise(text, dice));
                    "noise".to_owned()
                }
                _ => with_another_log(&mut files, &mut rules, base, all, dice),
            });
        }
        let mut has_source = base.name.starts_with("ci/");
        for _ in 0..dice.below(3) {
            changes.push(harmless::wrapped(&mut files, &mut has_source, dice));
        }
        if dice.one_in(6) {
            let little = dice.one_in(2);
            files
                .iter_mut()
                .for_each(|(_, text)| harmless::in_utf16(text, little));
            changes.push("UTF-16".to_owned());
        }
    }
    let chunk = if dice.one_in(2) {
        usize::MAX
    } else {
        1 + dice.below(300)
    };
    Mutant {
        description: changes.join(", "),
        files,
        gate: common::gate().with_rules(rules),
        accepted: None,
        chunk,
    }
}

/// Adds another passing log, or this one again with other pids.
fn with_another_log(
    files: &mut Files,
    rules: &mut Vec<leakgate_core::Rule>,
    base: &Base,
    all: &[&Base],
    dice: &mut Dice,
) -> String {
    let other = if dice.one_in(2) {
        base
    } else {
        *dice.pick(all)
    };
    if !harmless::is_plain(&other.files) {
        return "nothing".to_owned();
    }
    let mut more = other.files.clone();
    harmless::other_pids(&mut more, dice);
    // Records without a place count for each process, and not all checkers print a pid.
    let are_both_limited = rules.iter().any(|rule| rule.limit.per_process.is_some())
        && other.rules.iter().any(|rule| rule.contains("per-process"));
    if !std::ptr::eq(other, base) {
        rules.extend(reject::rules(&other.rules));
    }
    let is_quiet = |files: &[_]| harmless::is_quiet(files);
    if dice.one_in(2) || is_quiet(&files[files.len() - 1..]) != is_quiet(&more) || are_both_limited
    {
        more.iter_mut()
            .for_each(|(name, _)| *name = format!("other-{name}"));
        files.extend(more);
        return format!("in other files {}", other.name);
    }
    let last = files.len() - 1;
    for (_, text) in more {
        let end = &mut files[last].1;
        end.extend(if end.ends_with(b"\n") {
            &b""[..]
        } else {
            b"\n"
        });
        if dice.one_in(2) {
            harmless::noise(end, dice);
        }
        end.extend(text);
    }
    format!("in the same file {}", other.name)
}
