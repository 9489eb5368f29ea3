//! What stands in a log: its records with their first stack, and the tool's own counts.

use std::collections::BTreeSet;

use super::matrix::{Checker, Log};
use crate::Outcome;

/// One log, as far as it takes to compare two runs.
pub(super) struct Report {
    pub(super) records: Vec<Record>,
    /// The log after the last record; in it stands what was counted.
    pub(super) rest: String,
}

pub(super) struct Record {
    /// Where its first line is, from 1.
    pub(super) line: usize,
    /// What it says in its headline.
    pub(super) title: String,
    /// Title and first stack without addresses, PIDs and record numbers: the same in the next run.
    pub(super) key: String,
}

impl Report {
    pub(super) fn read(log: &Log, bytes: &[u8]) -> Outcome<Report> {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<&str> = text.lines().collect();
        let (records, end) = match log.checker() {
            Checker::Lsan => lsan(&lines),
            _ if log.is_xml() => xml(&lines),
            checker => valgrind(&lines, checker),
        };
        let mut seen = BTreeSet::new();
        if let Some(twin) = records.iter().find(|record| !seen.insert(&record.key)) {
            return Err(format!(
                "line {}: a second record with the same title and stack: {}",
                twin.line, twin.title
            )
            .into());
        }
        Ok(Report {
            records,
            rest: lines.get(end..).unwrap_or_default().join("\n"),
        })
    }
}

impl Record {
    fn new(line: usize, title: &str, stack: &[&str]) -> Record {
        let title = steady(title);
        let stack: Vec<String> = stack.iter().map(|frame| steady(frame)).collect();
        let key = format!("{title}\n{}", stack.join("\n"));
        Record { line, title, key }
    }

    pub(super) fn is_loss(&self) -> bool {
        self.title.contains(" in loss record") || self.title.starts_with("Leak_")
    }
}

/// The text of valgrind up to its first `ERROR SUMMARY`: after that, `-s` shows all records again.
fn valgrind(lines: &[&str], checker: Checker) -> (Vec<Record>, usize) {
    let said: Vec<Option<&str>> = lines.iter().map(|line| said(line)).collect();
    let at = |index: usize| said.get(index).copied().flatten().unwrap_or_default();
    let end = (0..lines.len())
        .find(|index| at(*index).starts_with("ERROR SUMMARY"))
        .unwrap_or(lines.len());
    let mut records = Vec::new();
    for index in 0..end {
        if !opens(at(index), at(index + 1), checker) {
            continue;
        }
        let first = (index + 1..end)
            .find(|frame| at(*frame).starts_with("   at 0x"))
            .unwrap_or(end);
        let stack: Vec<&str> = (first..end)
            .map(at)
            .take_while(|line| line.starts_with("   "))
            .collect();
        records.push(Record::new(index + 1, at(index), &stack));
    }
    (records, end)
}

/// What valgrind says in a line: what follows `==PID== `.
fn said(line: &str) -> Option<&str> {
    let (pid, rest) = line.strip_prefix("==")?.split_once("==")?;
    pid.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// Whether a line is the headline of a record.
fn opens(line: &str, next: &str, checker: Checker) -> bool {
    if checker == Checker::Helgrind {
        let thread = line.starts_with("Thread #")
            && !line.ends_with(" was created")
            && !line.ends_with("root thread");
        return thread || line.starts_with("Possible data race");
    }
    let goes_on = ["Allocation context", "Other segment"]
        .iter()
        .any(|part| line.starts_with(part))
        || line.ends_with("was first observed at:");
    let has_stack = next.starts_with("   at 0x") || next == " Previously closed";
    !line.is_empty() && !line.starts_with(' ') && !goes_on && has_stack
}

fn xml(lines: &[&str]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut end = 0;
    for (index, _) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| **line == "<error>")
    {
        let body: Vec<&str> = lines
            .iter()
            .skip(index)
            .copied()
            .take_while(|line| *line != "</error>")
            .collect();
        let field = |name: &str| {
            body.iter()
                .find_map(|line| line.trim().strip_prefix(name))
                .unwrap_or_default()
        };
        let what = [field("<what>"), field("<text>")].concat();
        let stack = body
            .iter()
            .skip_while(|line| line.trim() != "<stack>")
            .take_while(|line| line.trim() != "</stack>");
        let stack: Vec<&str> = stack
            .copied()
            .filter(|line| !line.trim().starts_with("<ip>"))
            .collect();
        records.push(Record::new(
            index + 1,
            &format!("{} {what}", field("<kind>")),
            &stack,
        ));
        end = index + body.len();
    }
    (records, end)
}

fn lsan(lines: &[&str]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut end = 0;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("Direct leak of ") || line.starts_with("Indirect leak of ") {
            let after = lines.iter().skip(index + 1);
            let stack: Vec<&str> = after
                .copied()
                .take_while(|frame| frame.starts_with("    #"))
                .collect();
            end = index + stack.len();
            records.push(Record::new(index + 1, line, &stack));
        }
    }
    (records, end)
}

/// A text without what differs from run to run: addresses, and the numbers of loss records.
fn steady(text: &str) -> String {
    let text = text
        .split(" in loss record ")
        .next()
        .map_or_else(String::new, |head| match head.len() == text.len() {
            true => head.to_owned(),
            false => format!("{head} in loss record"),
        });
    let mut parts = text.split("0x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("0x");
        out.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_hexdigit()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_steady() {
        assert_eq!(
            steady("8 bytes in 1 blocks are lost in loss record 1 of 20"),
            "8 bytes in 1 blocks are lost in loss record"
        );
        assert_eq!(
            steady("   at 0x48417B4: malloc (a.c:1)"),
            "   at 0x: malloc (a.c:1)"
        );
    }

    #[test]
    fn finds_records_of_valgrind() {
        let text = "==1== Thread 2:\n==1== Invalid read of size 1\n==1==    at 0x1: f\n==1==  Address 0x2 is\n==1==    at 0x3: g\n";
        let lines: Vec<&str> = text.lines().collect();
        let (records, _) = valgrind(&lines, Checker::Memcheck);
        assert_eq!(
            records.iter().map(|record| record.line).collect::<Vec<_>>(),
            [2]
        );
        assert_eq!(records[0].key, "Invalid read of size 1\n   at 0x: f");
    }
}
