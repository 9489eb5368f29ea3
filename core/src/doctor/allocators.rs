//! Functions of the project that allocate for their callers, found in the stacks of leaks.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Diagnosis;
use super::checks::diagnosis;
use crate::culprit::Class;
use crate::model::{Finding, Stack};
use crate::parse::Parsed;
use crate::symbol::simple_name;
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
    pub(crate) fn of_leaks(findings: &[Triaged<'_>]) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        while names.len() < MAX_ALLOCATORS {
            let Some(name) = allocator(findings, &names) else {
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
    let Some(allocators) = Allocators::of_leaks(&findings) else {
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

/// The leaks that were allocated by one function.
#[derive(Default)]
struct Users {
    findings: usize,
    callers: BTreeSet<String>,
}

/// Returns the name of a function that allocates for its callers, given those that are known.
fn allocator(findings: &[Triaged<'_>], known: &[String]) -> Option<String> {
    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    let mut leaks = 0;
    for (finding, triaged) in findings {
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
