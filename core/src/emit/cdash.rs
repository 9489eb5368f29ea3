//! CDash's `DynamicAnalysis.xml`, as `ctest -T MemCheck` writes it
//! (<https://cmake.org/cmake/help/latest/manual/ctest.1.html#ctest-memcheck-step>). Each log is a
//! test, with the number of records of each kind.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::escape::xml;
use super::issues::{Issue, issues};
use super::location;
use super::{RenderOptions, Run};
use crate::model::Tool;

/// A log and what fails in it.
#[derive(Default)]
struct Log<'a> {
    /// The number of records of each kind.
    defects: BTreeMap<&'a str, u64>,
    text: String,
}

/// Writes the document. Its build has the name of the category.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let issues = issues(run);
    let logs = logs(&issues, run);
    let day = run.gate.today.to_string();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<Site BuildName=\"{}\" BuildStamp=\"{}-0000-Experimental\" Name=\"leakgate\" Generator=\"leakgate-{}\">",
        xml(options.category),
        day.replace('-', ""),
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "<DynamicAnalysis Checker=\"{}\">", xml(&checker(run)))?;
    writeln!(out, "<StartDateTime>{day} 00:00 UTC</StartDateTime>")?;
    let names: Vec<String> = (0..logs.len()).map(|input| name(input, run)).collect();
    let list = names.iter().map(|name| format!("<Test>{name}</Test>"));
    writeln!(out, "<TestList>{}</TestList>", list.collect::<String>())?;
    for (log, name) in logs.iter().zip(&names) {
        test(log, name, out)?;
    }
    let mut kinds: Vec<&str> = logs
        .iter()
        .flat_map(|log| log.defects.keys().copied())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kinds = kinds
        .iter()
        .map(|kind| format!("<Defect Type=\"{}\"/>", xml(kind)));
    writeln!(
        out,
        "<DefectList>{}</DefectList>",
        kinds.collect::<String>()
    )?;
    writeln!(out, "<EndDateTime>{day} 00:00 UTC</EndDateTime>")?;
    writeln!(out, "</DynamicAnalysis>\n</Site>")
}

/// Returns the name of the checker, if there is only one.
fn checker(run: &Run<'_>) -> String {
    let mut tools: Vec<&Tool> = run
        .parsed
        .reports
        .iter()
        .map(|report| &report.tool)
        .collect();
    tools.sort_unstable();
    tools.dedup();
    match *tools {
        [tool] => tool.to_string(),
        _ => String::from("leakgate"),
    }
}

/// Returns the escaped name of an input.
fn name(input: usize, run: &Run<'_>) -> String {
    xml(&location::log_line_location(input, 0, run).file)
}

/// Returns what fails in each input. What is about no input is in the first one.
fn logs<'a>(issues: &'a [Issue<'a>], run: &Run<'_>) -> Vec<Log<'a>> {
    let mut logs: Vec<Log<'a>> = Vec::new();
    logs.resize_with(run.parsed.inputs.len().max(1), Log::default);
    for issue in issues {
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for found in issue.group().into_iter().flat_map(|group| &group.members) {
            for instance in &found.finding.instances {
                *counts.entry(instance.input).or_default() += 1;
            }
        }
        if counts.is_empty() {
            counts.insert(input_of(issue, run), 1);
        }
        let message = issue.annotation(run).message;
        for (input, count) in counts {
            let Some(log) = logs.get_mut(input) else {
                continue;
            };
            *log.defects.entry(&issue.code).or_default() += count;
            log.text += &message;
            log.text += "\n\n";
        }
    }
    logs
}

/// Returns the input that a reason is about, or the first one.
fn input_of(issue: &Issue<'_>, run: &Run<'_>) -> usize {
    let mut problems = run.parsed.problems.iter();
    let problem = problems.find(|problem| {
        let reason = problem.code.reason();
        reason.is_some_and(|reason| reason.as_str() == issue.code)
    });
    problem.map_or(0, |problem| problem.input)
}

fn test(log: &Log<'_>, name: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    let status = match log.defects.is_empty() {
        true => "passed",
        false => "failed",
    };
    writeln!(out, "<Test Status=\"{status}\">")?;
    writeln!(
        out,
        "<Name>{name}</Name><Path>.</Path><FullName>{name}</FullName>"
    )?;
    writeln!(out, "<FullCommandLine></FullCommandLine>")?;
    let defect =
        |(kind, count): (&&str, &u64)| format!("<Defect type=\"{}\">{count}</Defect>", xml(kind));
    let defects: String = log.defects.iter().map(defect).collect();
    writeln!(out, "<Results>{defects}</Results>")?;
    let lines: Vec<String> = log.text.trim_end().lines().map(xml).collect();
    writeln!(out, "<Log>{}</Log>", lines.join("\n"))?;
    writeln!(out, "</Test>")
}
