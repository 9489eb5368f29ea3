//! Functions of the project that allocate for their callers, found in the stacks of leaks.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Diagnosis;
use super::checks::diagnosis;
use crate::culprit::{Class, FrameNames};
use crate::model::{Finding, Stack};
use crate::parse::Parsed;
use crate::triage::{Triage, TriagedFinding};

/// Number of callers by which a function counts as an allocator, whatever its name.
const MANY_CALLERS: usize = 4;

/// Maximum number of allocators of the project that call each other.
const MAX_ALLOCATORS: usize = 3;

/// Parts of the names of functions that allocate for their callers.
const ALLOCATOR_WORDS: &[&str] = &["alloc", "strdup", "strndup", "memdup", "_new", "new_"];

/// A finding and its triage.
type Triaged<'a> = (&'a Finding, &'a TriagedFinding);

/// Functions of the project that most leaks have right below the allocator; at least one. Their
/// callers are the places to look at.
#[derive(Debug)]
pub(crate) struct Allocators(Vec<String>);

impl Allocators {
    /// Finds the functions in the stacks of leaks. Returns `None` if no function is in most of
    /// them, as with functions that the setting `allocators` already names.
    pub(crate) fn of_leaks(findings: &[Triaged<'_>], frames: &FrameNames) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        while names.len() < MAX_ALLOCATORS {
            let Some(name) = allocator(findings, &names, frames) else {
                break;
            };
            names.push(name);
        }
        (!names.is_empty()).then_some(Self(names))
    }

    /// Returns what the functions do.
    pub(crate) fn message(&self) -> String {
        match self.0.as_slice() {
            [name] => format!("`{name}` allocates for its callers"),
            names => format!("`{}` allocate for their callers", names.join("` and `")),
        }
    }

    /// Returns the setting that shows leaks at the callers.
    pub(crate) fn advice(&self) -> String {
        let patterns: Vec<String> = self
            .0
            .iter()
            .map(|name| format!("\"fun:{name}\""))
            .collect();
        format!(
            "set `allocators = [{}]` in the table `[files]` of leakgate.toml, so that leaks are \
             shown at the callers",
            patterns.join(", ")
        )
    }
}

/// Suggests allocators of the project.
pub(super) fn check(parsed: &Parsed, triage: &Triage, all: &mut Vec<Diagnosis>) {
    let findings: Vec<Triaged<'_>> = triage.iter(parsed).collect();
    let Some(allocators) = Allocators::of_leaks(&findings, &triage.names) else {
        return;
    };
    let leaks = findings
        .iter()
        .filter(|(finding, _)| finding.leak.is_some());
    let place = leaks
        .clone()
        .find_map(|(finding, _)| finding.instances.first())
        .map_or((0, 0), |instance| (instance.input, instance.first_line));
    let message = format!("{}: {}", allocators.message(), allocators.advice());
    all.push(diagnosis(
        "allocators",
        leaks.count() as u64,
        message,
        place,
    ));
}

/// Returns the name of a function that allocates for its callers, given those that are known.
fn allocator(findings: &[Triaged<'_>], known: &[String], names: &FrameNames) -> Option<String> {
    let mut users: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut leaks = 0;
    for (finding, triaged) in findings {
        let (Some(stack), Some(classes)) = (finding.primary(), triaged.classes.first()) else {
            continue;
        };
        if finding.leak.is_none() || !classes.contains(&Class::Own) {
            continue;
        }
        leaks += 1;
        if let Some((_, name)) = first_own(stack, classes, known, names) {
            *users.entry(name).or_default() += 1;
        }
    }
    let mut all = users.into_iter();
    let (name, _) = all.find(|(_, findings)| findings * 2 > leaks)?;
    let sounds_like_one = ALLOCATOR_WORDS.iter().any(|word| name.contains(word));
    let callers = callers_of(&name, findings, known, names);
    (callers >= MANY_CALLERS || (sounds_like_one && callers >= 2)).then(|| name.into_owned())
}

/// Returns the number of different callers of a function right below the allocators.
fn callers_of(name: &str, findings: &[Triaged<'_>], known: &[String], names: &FrameNames) -> usize {
    let mut all: BTreeSet<String> = BTreeSet::new();
    let leaks = findings
        .iter()
        .filter(|(finding, _)| finding.leak.is_some());
    for (finding, triaged) in leaks {
        let (Some(stack), Some(classes)) = (finding.primary(), triaged.classes.first()) else {
            continue;
        };
        let Some((at, _)) = first_own(stack, classes, known, names).filter(|(_, own)| own == name)
        else {
            continue;
        };
        let callers = stack.frames[at + 1..].iter().map(|frame| {
            let name = frame.info.name().unwrap_or_default();
            format!("{name}:{}", frame.info.line.unwrap_or_default())
        });
        all.insert(callers.collect());
    }
    all.len()
}

/// Returns the position and the simple name of the project's function right below the allocators.
/// Returns `None` if no function of the project is below, or if the name can't be in a pattern.
fn first_own<'a>(
    stack: &Stack,
    classes: &[Class],
    known: &[String],
    names: &'a FrameNames,
) -> Option<(usize, Cow<'a, str>)> {
    let name = |at: usize| {
        let info = &stack.frames.get(at)?.info;
        info.name().map(|_| names.simple(info))
    };
    let is_known = |at: usize| {
        !known.is_empty() && name(at).is_some_and(|name| known.iter().any(|known| *known == name))
    };
    let at = (0..classes.len()).find(|at| classes[*at] != Class::Allocator && !is_known(*at))?;
    let is_own = |at: &usize| classes[*at] == Class::Own;
    if !is_own(&at) || !(at + 1..classes.len()).any(|below| is_own(&below)) {
        return None;
    }
    let own = name(at)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_:~".contains(c);
    (own != "main" && own.chars().all(is_plain)).then_some((at, own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culprit::NoWorkspace;
    use crate::parse::Parser;
    use crate::triage::{Gate, triage};
    use crate::{Date, Options, Policy};

    /// Returns the diagnosis of leaks with these stacks, each a list of functions after `malloc`,
    /// in a project with these allocators.
    fn diagnose(stacks: &[&[&str]], allocators: &str) -> Option<String> {
        let mut log = String::from("==7== Memcheck, a memory error detector\n");
        for stack in stacks {
            log += "==7== 4 bytes in 1 blocks are definitely lost in loss record 1 of 1\n\
                    ==7==    at 0x1: malloc (vg_replace_malloc.c:1)\n";
            for function in *stack {
                log += &format!("==7==    by 0x2: {function} (a.c:3)\n");
            }
            log += "==7== \n";
        }
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        let parsed = parser.finish();
        let config = format!("[files]\nallocators = {allocators}\n");
        let config = crate::Config::read("leakgate.toml", &config).unwrap();
        let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 29))
            .with_allocators(config.files.allocators);
        let mut all = Vec::new();
        check(&parsed, &triage(&parsed, &gate, &NoWorkspace), &mut all);
        all.pop().map(|diagnosis| diagnosis.what)
    }

    #[test]
    fn allocator_of_most_leaks_is_suggested_unless_it_is_set() {
        let stacks: &[&[&str]] = &[
            &["xmalloc", "xstrdup", "parse", "main"],
            &["xmalloc", "xstrdup", "read", "main"],
        ];
        let text = diagnose(stacks, "[]").unwrap();
        assert!(
            text.contains("allocators = [\"fun:xmalloc\", \"fun:xstrdup\"]"),
            "{text}"
        );
        assert_eq!(diagnose(stacks, "[\"fun:xmalloc\", \"fun:xstrdup\"]"), None);
    }

    #[test]
    fn name_that_says_nothing_needs_more_callers() {
        let two: &[&[&str]] = &[&["get", "a", "main"], &["get", "b", "main"]];
        assert_eq!(diagnose(two, "[]"), None);
        let four: &[&[&str]] = &[
            &["get", "a", "main"],
            &["get", "b", "main"],
            &["get", "c", "main"],
            &["get", "d", "main"],
        ];
        let text = diagnose(four, "[]").unwrap();
        assert!(text.contains("`get` allocates for its callers"), "{text}");
    }

    #[test]
    fn function_without_other_code_below_is_no_allocator() {
        assert_eq!(diagnose(&[&["xmalloc"], &["xmalloc"]], "[]"), None);
        assert_eq!(diagnose(&[&["xmalloc", "a", "main"]], "[]"), None);
        let others: &[&[&str]] = &[
            &["xmalloc", "a", "main"],
            &["xmalloc", "b", "main"],
            &["f", "main"],
            &["g", "main"],
        ];
        assert_eq!(diagnose(others, "[]"), None);
    }
}
