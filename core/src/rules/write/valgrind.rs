//! Entries of valgrind's suppression files.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Run, Wording, comment, one_line};
use crate::model::{Finding, Frame};
use crate::rules::hygiene::is_over_broad;
use crate::rules::read_file;
use crate::rules::valgrind::frames;
use crate::rules::valgrind::kinds::{Extra, Family, is_about, parameter};

/// Writes an entry for each different stack and kind of the findings that valgrind reported.
pub(crate) fn write(run: &mut Run<'_>, wording: &mut Wording) -> Result<String, String> {
    let meant: Vec<usize> = run.findings.iter().copied().filter(|at| run.parsed.findings[*at].tool.is_valgrind()).collect();
    if meant.is_empty() {
        return Err(String::from("valgrind did not report it"));
    }
    let name = one_line(&run.name(&wording.taken));
    let mut entries: Vec<String> = Vec::new();
    for at in &meant {
        let entry = entry(&run.parsed.findings[*at], &name)?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let text = format!("{}{}", comment(&wording.reason), entries.concat());
    let (_, rules) = read_file("", &text).map_err(|m| m.first().map_or(String::new(), |m| m.message.clone()))?;
    if rules.iter().any(is_over_broad) {
        return Err(String::from("its stack has no function that could be named; an entry would accept nearly everything"));
    }
    let matched = run.matched(&rules);
    match run.difference(&matched, &meant) {
        None => {
            wording.taken.push(name);
            Ok(text)
        }
        Some(difference) => Err(format!(
            "{difference}: the log shows demangled names and not every frame; run valgrind with --gen-suppressions=all, or with --demangle=no --show-below-main=yes"
        )),
    }
}

fn entry(finding: &Finding, name: &str) -> Result<String, String> {
    let (head, extra) = kind(finding).ok_or_else(|| format!("valgrind has no suppression for `{}`", finding.kind))?;
    let stack = finding.primary().filter(|s| !s.frames.is_empty()).ok_or("it has no stack")?;
    let generated = finding.generated.as_ref().filter(|g| g.frames.len() == stack.frames.len());
    let lines: Vec<String> = match generated {
        Some(generated) => generated.frames.iter().map(|f| String::from(&**f)).collect(),
        None => stack.frames.iter().map(line).collect(),
    };
    let mut out = format!("{{\n   {name}\n   {head}\n");
    for line in core::iter::once(extra).chain(lines).filter(|l| !l.is_empty()) {
        out += &format!("   {}\n", one_line(&line));
    }
    out += "}\n";
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
    let (argument, rest) = title.strip_prefix("Argument '")?.split_once("' of function ")?;
    let function = rest.split(' ').next()?;
    Some(Extra::Argument(function.into(), argument.into()))
}

/// A name that the tool is sure to compare, or the widest part of a demangled one.
fn line(frame: &Frame) -> String {
    let Some(name) = frame.site.function.as_deref() else {
        return frame.site.module.as_deref().map_or(String::from("obj:*"), |module| format!("obj:{module}"));
    };
    match frames::written(name, frame.inlined) {
        Some(pattern) => format!("fun:{pattern}"),
        None => String::from("fun:*"),
    }
}
