//! One line after the findings of a failing run: the setting or command that helps with most of
//! them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Run;
use super::location::culprit_frame;
use crate::culprit::{Class, is_certainly_third_party};
use crate::model::{Finding, Stack};
use crate::numbers::count;
use crate::policy::Level;
use crate::symbol::simple_name;
use crate::triage::{Disposition, TriagedFinding};

/// Number of findings from which a baseline is suggested.
const MANY: usize = 20;

/// Number of callers by which a function counts as an allocator, whatever its name.
const MANY_CALLERS: usize = 4;

/// Maximum number of allocators of the project that call each other.
const MAX_ALLOCATORS: usize = 3;

/// Parts of the names of functions that allocate for their callers.
const ALLOCATOR_WORDS: &[&str] = &["alloc", "strdup", "strndup", "memdup", "_new", "new_"];

/// An unexpected finding and its triage.
type Unexpected<'a> = (&'a Finding, &'a TriagedFinding);

/// Returns what to do next about the unexpected findings of a run. Returns `None` if the gate
/// passes, or if no single step helps with most of them.
pub(crate) fn next_step(run: &Run<'_>) -> Option<String> {
    let unexpected: Vec<Unexpected<'_>> = run
        .parsed
        .findings
        .iter()
        .zip(&run.triage.findings)
        .filter(|(_, triaged)| triaged.disposition == Disposition::Unexpected)
        .collect();
    if unexpected.is_empty() {
        return None;
    }
    allocators(&unexpected)
        .or_else(|| symbols(&unexpected))
        .or_else(|| third_party(run, &unexpected))
        .or_else(|| baseline(run, &unexpected))
}

/// Suggests the functions right below the allocator in most leaks. Their callers are the places to
/// look at.
fn allocators(unexpected: &[Unexpected<'_>]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < MAX_ALLOCATORS {
        let Some(name) = allocator(unexpected, &names) else {
            break;
        };
        names.push(name);
    }
    let patterns: Vec<String> = names.iter().map(|name| format!("\"fun:{name}\"")).collect();
    let (first, is_one) = (names.first()?, names.len() == 1);
    let subject = match is_one {
        true => format!("`{first}` allocates for its callers"),
        false => format!("`{}` allocate for their callers", names.join("` and `")),
    };
    Some(format!(
        "{subject}: set `allocators = [{}]` in the table `[files]` of leakgate.toml, so that leaks \
         are shown at the callers",
        patterns.join(", ")
    ))
}

/// The leaks that were allocated by one function.
#[derive(Default)]
struct Users {
    findings: usize,
    callers: BTreeSet<String>,
}

/// Returns the name of a function that allocates for its callers, given those that are known.
fn allocator(unexpected: &[Unexpected<'_>], known: &[String]) -> Option<String> {
    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    let mut leaks = 0;
    for (finding, triaged) in unexpected {
        let (Some(stack), Some(classes)) = (finding.primary(), triaged.classes.first()) else {
            continue;
        };
        if finding.leak.is_none() || !classes.contains(&Class::Own) {
            continue;
        }
        leaks += 1;
        if let Some((name, callers)) = first_own(stack, classes, known) {
            let users = users.entry(name).or_default();
            users.findings += 1;
            users.callers.insert(callers);
        }
    }
    let (name, _) = users.into_iter().find(|(name, users)| {
        let sounds_like_one = ALLOCATOR_WORDS.iter().any(|word| name.contains(word));
        users.findings * 2 > leaks
            && (users.callers.len() >= MANY_CALLERS
                || (sounds_like_one && users.callers.len() >= 2))
    })?;
    Some(name)
}

/// Returns the simple name of the project's function right below the allocators, and its callers.
/// Returns `None` if no function of the project is below, or if the name can't be in a pattern.
fn first_own(stack: &Stack, classes: &[Class], known: &[String]) -> Option<(String, String)> {
    let name = |at: usize| {
        let frame = stack.frames.get(at)?;
        Some(simple_name(frame.info.name()?))
    };
    let is_known = |at: usize| name(at).is_some_and(|name| known.contains(&name));
    let at = (0..classes.len()).find(|at| classes[*at] != Class::Allocator && !is_known(*at))?;
    let is_own = |at: &usize| classes[*at] == Class::Own;
    if !is_own(&at) || !(at + 1..classes.len()).any(|below| is_own(&below)) {
        return None;
    }
    let own = name(at)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_:~".contains(c);
    let callers = stack.frames[at + 1..].iter().map(|frame| {
        let name = frame.info.name().unwrap_or_default();
        format!("{name}:{}", frame.info.line.unwrap_or_default())
    });
    (own != "main" && own.chars().all(is_plain)).then(|| (own, callers.collect()))
}

/// Suggests debug information if most findings have no name at the place to look at.
fn symbols(unexpected: &[Unexpected<'_>]) -> Option<String> {
    let is_nameless = |(finding, triaged): &&Unexpected<'_>| {
        culprit_frame(finding, triaged)
            .is_some_and(|frame| frame.info.name().is_none() && frame.info.file.is_none())
    };
    let nameless = unexpected.iter().filter(is_nameless).count();
    (nameless * 2 > unexpected.len()).then(|| {
        format!(
            "{} no function name at the place to look at: build with debug information (-g)",
            count(nameless as u64, "finding has", "findings have")
        )
    })
}

/// Suggests the level of third-party findings if all findings are of this kind. Those of a log from
/// another project look alike, so the place must be in a library of the system or of a package.
fn third_party(run: &Run<'_>, unexpected: &[Unexpected<'_>]) -> Option<String> {
    let is_in_library = |finding: &Finding, triaged: &TriagedFinding| {
        culprit_frame(finding, triaged).is_some_and(|frame| is_certainly_third_party(&frame.info))
    };
    let is_all = unexpected
        .iter()
        .all(|(finding, triaged)| triaged.is_third_party && is_in_library(finding, triaged));
    (is_all && run.gate.policy.third_party == Level::Fail).then(|| {
        "no frame of these findings is yours: set `third-party = \"warn\"` in the table `[gate]` \
         of leakgate.toml if libraries shouldn't fail the gate"
            .into()
    })
}

/// Suggests a baseline if there are many findings and no baseline.
fn baseline(run: &Run<'_>, unexpected: &[Unexpected<'_>]) -> Option<String> {
    (unexpected.len() >= MANY && run.gate.baseline.is_none()).then(|| {
        "record the existing findings with `leakgate baseline write`, so that only new ones fail"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culprit::NoWorkspace;
    use crate::parse::Parser;
    use crate::triage::{Gate, triage};
    use crate::verdict::judge;
    use crate::{Date, Options, Policy};

    /// Returns the next step for leaks with these stacks, each a list of functions after `malloc`.
    fn step(stacks: &[&[&str]]) -> Option<String> {
        let mut log = String::from("==7== Memcheck, a memory error detector\n");
        for stack in stacks {
            log += "==7== 4 bytes in 1 blocks are definitely lost in loss record 1 of 1\n\
                    ==7==    at 0x1: malloc (vg_replace_malloc.c:1)\n";
            for function in *stack {
                match function.split_once(" in ") {
                    Some((name, module)) => {
                        log += &format!("==7==    by 0x2: {name} (in {module})\n");
                    }
                    None => log += &format!("==7==    by 0x2: {function} (a.c:3)\n"),
                }
            }
            log += "==7== \n";
        }
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        let parsed = parser.finish();
        let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 29));
        let triage = triage(&parsed, &gate, &NoWorkspace);
        let verdict = judge(&parsed, &triage, &[], &gate);
        next_step(&Run::new(&parsed, &gate, &triage, &verdict))
    }

    #[test]
    fn allocator_of_most_leaks_is_suggested() {
        let text = step(&[
            &["xmalloc", "xstrdup", "parse", "main"],
            &["xmalloc", "xstrdup", "read", "main"],
        ]);
        let text = text.unwrap();
        assert!(
            text.contains("allocators = [\"fun:xmalloc\", \"fun:xstrdup\"]"),
            "{text}"
        );
        // A name that says nothing needs more callers.
        assert_eq!(step(&[&["get", "a", "main"], &["get", "b", "main"]]), None);
        let many = step(&[
            &["get", "a", "main"],
            &["get", "b", "main"],
            &["get", "c", "main"],
            &["get", "d", "main"],
        ]);
        assert!(many.unwrap().contains("`get` allocates for its callers"));
    }

    #[test]
    fn function_without_other_code_below_is_no_allocator() {
        assert_eq!(step(&[&["xmalloc"], &["xmalloc"]]), None);
        assert_eq!(step(&[&["xmalloc", "a", "main"]]), None);
        let others = step(&[
            &["xmalloc", "a", "main"],
            &["xmalloc", "b", "main"],
            &["f", "main"],
            &["g", "main"],
        ]);
        assert_eq!(others, None);
    }

    #[test]
    fn other_steps_fit_most_findings() {
        let nameless = step(&[&["??? in /w/app"], &["??? in /w/app"], &["f", "main"]]);
        assert!(nameless.is_none_or(|text| text.contains("-g")));
        let library = step(&[&["FcInit in /usr/lib/libfontconfig.so.1"]]);
        assert!(library.unwrap().contains("third-party"));
        let names: Vec<String> = (0..25).map(|at| format!("f{at}")).collect();
        let stacks: Vec<[&str; 2]> = names.iter().map(|name| [name.as_str(), "main"]).collect();
        let many: Vec<&[&str]> = stacks.iter().map(|stack| &stack[..]).collect();
        assert!(step(&many).unwrap().contains("baseline write"));
    }
}
