//! One line after the findings of a failing run: the setting or command that helps with most of
//! them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Run;
use super::location::culprit_frame;
use crate::culprit::{FrameNames, is_certainly_third_party};
use crate::doctor::Allocators;
use crate::model::Finding;
use crate::numbers::count;
use crate::policy::Level;
use crate::triage::{Disposition, TriagedFinding};

/// Number of findings from which a baseline is suggested.
const MANY: usize = 20;

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
    allocators(&unexpected, &run.triage.names)
        .or_else(|| symbols(&unexpected))
        .or_else(|| third_party(run, &unexpected))
        .or_else(|| baseline(run, &unexpected))
}

/// Suggests the functions right below the allocator in most leaks. Their callers are the places to
/// look at.
fn allocators(unexpected: &[Unexpected<'_>], names: &FrameNames) -> Option<String> {
    let suggestion = Allocators::of_leaks(unexpected, names)?;
    Some(format!("{}: {}", suggestion.message(), suggestion.advice()))
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
