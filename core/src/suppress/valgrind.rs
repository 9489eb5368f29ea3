//! Entries of valgrind's suppression files.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashSet;

use super::{Attempt, Run, Writer, comment, one_line};
use crate::model::{Finding, Frame};
use crate::parse::Parsed;
use crate::rules::hygiene::is_over_broad;
use crate::rules::valgrind::frames;
use crate::rules::valgrind::kinds::{Extra, Family, is_about, parameter};
use crate::rules::{Rule, read_file};

/// Entries without their names, and the rules that they are read back as.
struct Said {
    bodies: Vec<String>,
    rules: Vec<Rule>,
}

/// Writes an entry for each different stack and kind of the findings that valgrind reported.
pub(super) fn write(writer: &mut Writer<'_>, runs: &[Run<'_>]) -> Vec<Result<String, String>> {
    let meant = |run: &Run<'_>| {
        run.findings
            .iter()
            .copied()
            .filter(|at| run.parsed.findings[*at].tool.is_valgrind())
            .collect()
    };
    let wishes: Vec<Vec<usize>> = runs.iter().map(meant).collect();
    let reason = comment(&writer.wording.reason);
    let mut said: Vec<Result<Said, String>> = wishes
        .iter()
        .map(|meant| say(writer.parsed, meant, &reason))
        .collect();
    let chosen = writer.choose(&wishes, |wish, turn, _| match &mut said[wish] {
        Ok(said) if turn == 0 => Attempt::Said {
            way: (),
            text: text(&reason, &said.bodies, "rule"),
            rules: core::mem::take(&mut said.rules),
        },
        _ => Attempt::Over,
    });
    let mut told = |run: &Run<'_>, said: Result<Said, String>, chosen: Result<(), String>| {
        let said = said?;
        chosen.map_err(|difference| {
            format!(
                "{difference}: the log shows demangled names and not every frame; run valgrind with --gen-suppressions=all, or with --demangle=no --show-below-main=yes"
            )
        })?;
        let name = one_line(&writer.name(run));
        let text = text(&reason, &said.bodies, &name);
        writer.taken.names.insert(name);
        Ok(text)
    };
    runs.iter()
        .zip(said)
        .zip(chosen)
        .map(|((run, said), chosen)| told(run, said, chosen))
        .collect()
}

fn say(parsed: &Parsed, meant: &[usize], reason: &str) -> Result<Said, String> {
    if meant.is_empty() {
        return Err(String::from("valgrind did not report it"));
    }
    let (mut bodies, mut seen) = (Vec::new(), HashSet::new());
    for at in meant {
        let body = body(&parsed.findings[*at])?;
        if seen.insert(body.clone()) {
            bodies.push(body);
        }
    }
    let read = read_file("", &text(reason, &bodies, "rule"));
    let (_, rules) = read.map_err(|m| m.first().map_or(String::new(), |m| m.message.clone()))?;
    if rules.iter().any(is_over_broad) {
        return Err(String::from(
            "its stack has no function that could be named; an entry would accept nearly everything",
        ));
    }
    Ok(Said { bodies, rules })
}

fn text(reason: &str, bodies: &[String], name: &str) -> String {
    let entries: Vec<String> = bodies
        .iter()
        .map(|body| format!("{{\n   {name}\n{body}}}\n"))
        .collect();
    format!("{reason}{}", entries.concat())
}

fn body(finding: &Finding) -> Result<String, String> {
    let (head, extra) = kind(finding)
        .ok_or_else(|| format!("valgrind has no suppression for `{}`", finding.kind))?;
    let stack = finding
        .primary()
        .filter(|s| !s.frames.is_empty())
        .ok_or("it has no stack")?;
    let generated = finding
        .generated
        .as_ref()
        .filter(|g| g.frames.len() == stack.frames.len());
    let lines: Vec<String> = match generated {
        Some(generated) => generated
            .frames
            .iter()
            .map(|f| String::from(&**f))
            .collect(),
        None => stack.frames.iter().map(line).collect(),
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

/// `Memcheck:Addr4`, and what stands below it.
fn kind(finding: &Finding) -> Option<(String, String)> {
    for family in Family::ALL {
        for kind in family.kinds() {
            let extra = match *kind {
                "Leak" => Extra::Leaks([finding.kind.clone()].into()),
                "Param" => Extra::Parameter(parameter(&finding.title).unwrap_or_default().into()),
                "FishyValue" => argument(&finding.title).unwrap_or(Extra::None),
                _ => Extra::None,
            };
            if is_about(*family, kind, &extra, finding, || Some((u32::MAX, 0))) {
                return Some((format!("{}:{kind}", family.name()), extra.text()));
            }
        }
    }
    None
}

/// `Argument 'size' of function malloc has a fishy (possibly negative) value: -3`
fn argument(title: &str) -> Option<Extra> {
    let (argument, rest) = title
        .strip_prefix("Argument '")?
        .split_once("' of function ")?;
    let function = rest.split(' ').next()?;
    Some(Extra::Argument(function.into(), argument.into()))
}

/// A name that the tool is sure to compare, or the widest part of a demangled one.
fn line(frame: &Frame) -> String {
    let Some(name) = frame.site.function.as_deref() else {
        return frame
            .site
            .module
            .as_deref()
            .map_or(String::from("obj:*"), |module| format!("obj:{module}"));
    };
    match frames::written(name, frame.inlined) {
        Some(pattern) => format!("fun:{pattern}"),
        None => String::from("fun:*"),
    }
}
