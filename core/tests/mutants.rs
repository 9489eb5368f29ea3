//! The bar of the gate: what happens to logs on their way never makes a failing one pass, nor,
//! where it does no harm, a passing one fail.
//!
//! The first part hurts failing logs and asks a check of its own (`mutants/check.rs`) whenever one
//! passes. The second part changes passing logs in ways that take nothing from them.
//! `LEAKGATE_MUTANTS=100000` sets the number for each part; each mutant has a seed of its own, and
//! `LEAKGATE_MUTANT=123` makes only that one.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "this is a test")]

#[path = "mutants/check.rs"]
mod check;
mod common;
#[path = "mutants/dice.rs"]
mod dice;
#[path = "mutants/harmless.rs"]
mod harmless;
#[path = "mutants/hurt.rs"]
mod hurt;
#[path = "mutants/plain.rs"]
mod plain;
#[path = "mutants/spoil.rs"]
mod spoil;
#[path = "mutants/valgrind.rs"]
mod valgrind;
#[path = "mutants/wrap.rs"]
mod wrap;

use std::ops::Range;
use std::process::ExitCode;
use std::{env, fs};

use leakgate_core::{Gate, Outcome};
use libtest_mimic::{Arguments, Failed, Trial};

use check::Headlines;
use common::Judged;
use dice::Dice;

/// The reports of one run: names and bytes.
type Files = Vec<(String, Vec<u8>)>;

/// How many mutants each part makes where nobody says another number.
const SAMPLE: u64 = 15_000;

/// So many violations are shown.
const SHOWN: usize = 20;

/// A log, and the rules that accept everything in it.
struct Base {
    name: String,
    files: Files,
    rules: Vec<String>,
    accepted: Headlines,
}

/// What a mutant is, and what became of it.
struct Mutant {
    how: String,
    files: Files,
    gate: Gate,
    /// What its gate accepts; nothing where it must fail whatever it holds.
    accepted: Option<Headlines>,
    /// Where its files are cut into chunks.
    chunk: usize,
}

fn main() -> ExitCode {
    let bases: Vec<(bool, Base)> = common::cases().into_iter().map(base).collect();
    let (passing, failing): (Vec<_>, Vec<_>) = bases.into_iter().partition(|(passes, _)| *passes);
    let own =
        |bases: Vec<(bool, Base)>| bases.into_iter().map(|(_, base)| base).collect::<Vec<_>>();
    let (passing, failing) = (own(passing), own(failing));
    assert!(
        failing.len() >= 100 && failing.iter().filter(|b| !b.rules.is_empty()).count() >= 100,
        "too few cases"
    );
    let (passing, failing) = (std::sync::Arc::new(passing), std::sync::Arc::new(failing));
    let (clean, accepted) = (
        std::sync::Arc::clone(&passing),
        std::sync::Arc::clone(&failing),
    );
    let trials = vec![
        Trial::test("what hurts never passes", move || hurts(&failing, &passing)),
        Trial::test("what does no harm never fails", move || {
            harmless_ones(&accepted, &clean)
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A case, and whether it passes as it is.
fn base(case: common::Case) -> (bool, Base) {
    let passes = common::judge(&case.files).verdict.outcome == Outcome::Pass;
    let rules = if passes {
        None
    } else {
        spoil::accepting(&case.files)
    };
    let accepted = check::headlines(&case.files);
    (
        passes,
        Base {
            name: case.name,
            files: case.files,
            rules: rules.unwrap_or_default(),
            accepted,
        },
    )
}

/// Which mutants to make.
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

/// Makes mutants and gathers those that are judged wrongly.
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
                mutant.how,
                keep(part, number, &mutant)
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
    let more = violations.len().saturating_sub(SHOWN);
    violations.truncate(SHOWN);
    Err(format!("{}\nand {more} more", violations.join("\n")).into())
}

/// Writes a mutant down, for a person to look at; returns where.
fn keep(part: &str, number: u64, mutant: &Mutant) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("mutant-{}-{number}", part.replace(' ', "-")));
    fs::create_dir_all(&folder).expect("a folder");
    for (at, (name, text)) in mutant.files.iter().enumerate() {
        fs::write(folder.join(format!("{at}-{name}")), text).expect("a file");
    }
    folder.display().to_string()
}

fn hurts(failing: &[Base], passing: &[Base]) -> Result<(), Failed> {
    let accepted: Vec<&Base> = failing
        .iter()
        .filter(|base| !base.rules.is_empty())
        .collect();
    let make = |number| {
        let mut dice = Dice::new(b'a', number);
        match dice.below(4) {
            0 => with_spoiled_rules(dice.pick::<&Base>(&accepted), &mut dice),
            1 => hurt_one(
                dice.pick::<&Base>(&accepted),
                true,
                failing,
                passing,
                &mut dice,
            ),
            _ => hurt_one(dice.pick(failing), false, failing, passing, &mut dice),
        }
    };
    run("hurt", make, |mutant, judged| {
        if judged.verdict.outcome != Outcome::Pass {
            return None;
        }
        let Some(accepted) = &mutant.accepted else {
            return Some("its rules no longer accept everything, and it passes".into());
        };
        let objections = check::objections(&mutant.files, accepted);
        (!objections.is_empty()).then(|| objections.join("\n    "))
    })
}

fn with_spoiled_rules(base: &Base, dice: &mut Dice) -> Mutant {
    let mut files = base.files.clone();
    let (what, gate) = spoil::spoiled(&files, &base.rules, dice);
    let how = if harmless::is_plain(&files) {
        harmless::wrapped(&mut files, &mut false, dice)
    } else {
        String::new()
    };
    Mutant {
        how: format!("{}, rules: {what}, {how}", base.name),
        files,
        gate,
        accepted: None,
        chunk: usize::MAX,
    }
}

/// A log that something happens to; beside it may stand a clean one, so that silence alone does not
/// fail.
fn hurt_one(
    base: &Base,
    with_rules: bool,
    failing: &[Base],
    passing: &[Base],
    dice: &mut Dice,
) -> Mutant {
    let mut files = base.files.clone();
    let mut clean = dice.pick(passing).files.clone();
    let mut between = if with_rules {
        &clean
    } else {
        &dice.pick(failing).files
    }
    .clone();
    // Of two processes that run at once none has the other's pid; of two runs in containers, one
    // after the other, both often have.
    harmless::other_pids(&mut between, dice);
    if dice.one_in(2) {
        harmless::other_pids(&mut clean, dice);
    }
    let how = hurt::hurt(&mut files, &between[0].1, dice);
    let at = dice.below(files.len());
    let text = &mut files[at].1;
    let beside = match dice.below(4) {
        0 => {
            *text = [&clean[0].1[..], text].concat();
            ", behind a clean one"
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
            ", run into by a clean one"
        }
        _ => "",
    };
    let gate = if with_rules {
        spoil::gate(&base.rules)
    } else {
        common::gate()
    };
    let accepted = if with_rules {
        base.accepted.clone()
    } else {
        Headlines::new()
    };
    let how = format!(
        "{}{}: {}{beside}",
        base.name,
        if with_rules { ", accepted" } else { "" },
        how.join(", ")
    );
    Mutant {
        how,
        files,
        gate,
        accepted: Some(accepted),
        chunk: usize::MAX,
    }
}

fn harmless_ones(failing: &[Base], passing: &[Base]) -> Result<(), Failed> {
    let all: Vec<&Base> = passing
        .iter()
        .chain(failing.iter().filter(|base| !base.rules.is_empty()))
        .collect();
    run(
        "harmless",
        |number| harmless_one(&all, &mut Dice::new(b'b', number)),
        |_, judged| {
            let told = || {
                judged
                    .verdict
                    .reasons
                    .iter()
                    .map(|r| format!("{}: {}", r.code, r.message))
                    .collect::<Vec<_>>()
                    .join("\n    ")
            };
            (judged.verdict.outcome != Outcome::Pass).then(told)
        },
    )
}

fn harmless_one(all: &[&Base], dice: &mut Dice) -> Mutant {
    let base = *dice.pick(all);
    let mut files = base.files.clone();
    let mut rules = spoil::rules(&base.rules);
    let mut how = vec![base.name.clone()];
    let plain = harmless::is_plain(&files);
    if plain {
        for _ in 0..dice.below(3) {
            how.push(match dice.below(4) {
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
                _ => beside(&mut files, &mut rules, base, all, dice),
            });
        }
        let mut named = base.name.starts_with("ci/");
        for _ in 0..dice.below(3) {
            how.push(harmless::wrapped(&mut files, &mut named, dice));
        }
        if dice.one_in(6) {
            let little = dice.one_in(2);
            files
                .iter_mut()
                .for_each(|(_, text)| harmless::in_utf16(text, little));
            how.push("UTF-16".to_owned());
        }
    }
    let chunk = if dice.one_in(2) {
        usize::MAX
    } else {
        1 + dice.below(300)
    };
    Mutant {
        how: how.join(", "),
        files,
        gate: common::gate().with_rules(rules),
        accepted: None,
        chunk,
    }
}

/// Another passing log beside this one, or this one again with other pids.
fn beside(
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
    if !std::ptr::eq(other, base) {
        rules.extend(spoil::rules(&other.rules));
    }
    if dice.one_in(2) || harmless::is_quiet(&files[files.len() - 1..]) != harmless::is_quiet(&more)
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
