//! Generates valgrind suppressions.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashSet;

use super::{Attempt, Generator, Target, Unsupported, comment, one_line};
use crate::model::{Finding, Frame};
use crate::parse::Parsed;
use crate::rules::hygiene::is_over_broad;
use crate::rules::index::version_of;
use crate::rules::valgrind::frames;
use crate::rules::valgrind::kinds::{Extra, Family, matches_kind, syscall_parameter};
use crate::rules::{Rule, read_file};

/// The suppressions for one target.
struct Entries {
    /// The texts after the names.
    bodies: Vec<String>,
    /// The rules parsed from these texts.
    rules: Vec<Rule>,
}

/// Generates a suppression for each distinct stack and kind of the findings that valgrind reported.
pub(super) fn generate(
    generator: &mut Generator<'_>,
    targets: &[Target<'_>],
) -> Vec<Result<String, Unsupported>> {
    let goal = |target: &Target<'_>| {
        target
            .findings
            .iter()
            .copied()
            .filter(|at| target.parsed.findings[*at].tool.is_valgrind())
            .collect()
    };
    let goals: Vec<Vec<usize>> = targets.iter().map(goal).collect();
    let reason = comment(&generator.options.metadata.reason);
    let mut built: Vec<Result<Entries, Unsupported>> = goals
        .iter()
        .map(|goal| build_entries(generator.parsed, goal, &reason))
        .collect();
    let chosen = generator.choose(&goals, |goal, number, _| match &mut built[goal] {
        Ok(entries) if number == 0 => Attempt::Candidate {
            value: (),
            text: render(&reason, &entries.bodies, "rule"),
            rules: core::mem::take(&mut entries.rules),
        },
        _ => Attempt::Exhausted,
    });
    let mut finish = |target: &Target<'_>, built: Result<Entries, Unsupported>, chosen| {
        let entries = built?;
        check_chosen(chosen)?;
        let name = one_line(&generator.new_id(target));
        let text = render(&reason, &entries.bodies, &name);
        generator.ids.used.insert(name);
        Ok(text)
    };
    targets
        .iter()
        .zip(built)
        .zip(chosen)
        .map(|((target, built), chosen)| finish(target, built, chosen))
        .collect()
}

/// Adds to the difference between matched and wanted findings how to get a more precise log.
fn check_chosen(chosen: Result<(), Unsupported>) -> Result<(), Unsupported> {
    chosen.map_err(|difference| {
        Unsupported::new(format!(
            "{difference}, because the log shows demangled names and omits frames; run valgrind \
             with --gen-suppressions=all, or with --demangle=no --show-below-main=yes"
        ))
    })
}

/// Builds the suppressions for these findings, which may still match other findings.
fn build_entries(parsed: &Parsed, goal: &[usize], reason: &str) -> Result<Entries, Unsupported> {
    if goal.is_empty() {
        return Err(Unsupported::new("valgrind did not report the finding"));
    }
    let mut bodies = Vec::new();
    let mut seen = HashSet::new();
    for at in goal {
        let finding = &parsed.findings[*at];
        let body = entry_body(finding)?;
        check_version(finding, parsed)?;
        if seen.insert(body.clone()) {
            bodies.push(body);
        }
    }
    let read = read_file("", &render(reason, &bodies, "rule"));
    let (_, rules) = read.map_err(|errors| {
        let message = errors.first().map(|error| error.message.as_str());
        Unsupported::new(message.unwrap_or_default())
    })?;
    if rules.iter().any(is_over_broad) {
        return Err(Unsupported::new(
            "the suppression would accept nearly everything, because the stack has no \
             characteristic function",
        ));
    }
    Ok(Entries { bodies, rules })
}

/// Formats suppressions that all have the same name.
fn render(reason: &str, bodies: &[String], name: &str) -> String {
    let entries: Vec<String> = bodies
        .iter()
        .map(|body| format!("{{\n   {name}\n{body}}}\n"))
        .collect();
    format!("{reason}{}", entries.concat())
}

/// Returns the text of a suppression after its name.
fn entry_body(finding: &Finding) -> Result<String, Unsupported> {
    let (head, extra) = entry_kind(finding).ok_or_else(|| {
        Unsupported::new(format!(
            "valgrind has no suppression for `{}`",
            finding.kind
        ))
    })?;
    let stack = finding
        .primary()
        .filter(|s| !s.frames.is_empty())
        .ok_or_else(|| Unsupported::new("the finding has no stack"))?;
    let generated = finding
        .generated_suppression
        .as_ref()
        .filter(|g| g.frames.len() == stack.frames.len());
    let lines: Vec<String> = match generated {
        Some(generated) => generated
            .frames
            .iter()
            .map(|f| String::from(&**f))
            .collect(),
        None => stack.frames.iter().map(stack_line).collect(),
    };
    let mut out = format!("   {head}\n");
    for line in core::iter::once(extra)
        .chain(lines)
        .filter(|l| !l.is_empty())
    {
        out += &format!("   {}\n", one_line(&line));
    }
    Ok(out)
}

/// Checks that valgrind can suppress an error about a descriptor, which depends on its version.
fn check_version(finding: &Finding, parsed: &Parsed) -> Result<(), Unsupported> {
    let first = finding.instances.first();
    let report = first.and_then(|instance| parsed.reports.get(instance.report).map(Box::as_ref));
    let version = report.and_then(version_of);
    let is_about_descriptor = is_core_kind(finding, Some((u32::MAX, 0)));
    if !is_about_descriptor || is_core_kind(finding, version) {
        return Ok(());
    }
    Err(Unsupported::new(match version {
        Some((major, minor)) => format!(
            "valgrind has suppressions for `{}` since 3.24, and the log is of {major}.{minor}",
            finding.kind
        ),
        None => format!(
            "valgrind has suppressions for `{}` since 3.24, and the log doesn't show its version",
            finding.kind
        ),
    }))
}

/// Returns true if this version of valgrind has a suppression kind of the core for the finding.
fn is_core_kind(finding: &Finding, version: Option<(u32, u32)>) -> bool {
    let mut kinds = Family::Core.kinds().iter();
    kinds.any(|kind| matches_kind(Family::Core, kind, &Extra::None, finding, || version))
}

/// Returns the kind of the suppression, such as `Memcheck:Addr4`, and the line after it, which may
/// be empty.
fn entry_kind(finding: &Finding) -> Option<(String, String)> {
    for family in Family::ALL {
        for kind in family.kinds() {
            let extra = match *kind {
                // The kind that the entry names would match any finding of it.
                "Leak" if !finding.kind.is_leak() => continue,
                "Leak" => Extra::Leaks([finding.kind.clone()].into()),
                "Param" => {
                    Extra::Parameter(syscall_parameter(&finding.title).unwrap_or_default().into())
                }
                "FishyValue" => fishy_argument(&finding.title).unwrap_or(Extra::None),
                _ => Extra::None,
            };
            if matches_kind(*family, kind, &extra, finding, || Some((u32::MAX, 0))) {
                return Some((format!("{}:{kind}", family.name()), extra.text()));
            }
        }
    }
    None
}

/// Parses a headline such as
/// `Argument 'size' of function malloc has a fishy (possibly negative) value: -3`.
fn fishy_argument(title: &str) -> Option<Extra> {
    let (argument, rest) = title
        .strip_prefix("Argument '")?
        .split_once("' of function ")?;
    let function = rest.split(' ').next()?;
    Some(Extra::Argument(function.into(), argument.into()))
}

/// Returns the stack line for a frame: the name that the tool compares, or the certain parts of a
/// demangled name.
fn stack_line(frame: &Frame) -> String {
    let Some(name) = frame.info.function.as_deref() else {
        return frame
            .info
            .module
            .as_deref()
            .map_or(String::from("obj:*"), |module| format!("obj:{module}"));
    };
    match frames::suggest_pattern(name, frame.inlined) {
        Some(pattern) => format!("fun:{pattern}"),
        None => String::from("fun:*"),
    }
}
