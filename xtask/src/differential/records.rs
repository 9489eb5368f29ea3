//! A parser for logs: records with their first stack, and the tool's own counts.

use std::collections::BTreeSet;

use super::matrix::{Checker, Log};
use crate::Outcome;

/// The parts of a log that matter for comparing two runs.
pub(super) struct Report {
    pub(super) records: Vec<Record>,
    /// The log after the last record, which contains the counts.
    pub(super) rest: String,
}

pub(super) struct Record {
    /// Its first line, counted from 1.
    pub(super) line: usize,
    /// Its headline.
    pub(super) title: String,
    /// Title and first stack without addresses, PIDs and record numbers, so it is the same in every
    /// run.
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
        if let Some(duplicate) = records.iter().find(|record| !seen.insert(&record.key)) {
            return Err(format!(
                "line {}: a second record with the same title and stack: {}",
                duplicate.line, duplicate.title
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
        let title = without_variable_parts(title);
        let stack: Vec<String> = stack
            .iter()
            .map(|frame| without_variable_parts(frame))
            .collect();
        let key = format!("{title}\n{}", stack.join("\n"));
        Record { line, title, key }
    }

    pub(super) fn is_loss(&self) -> bool {
        self.title.contains(" in loss record") || self.title.starts_with("Leak_")
    }
}

/// Parses valgrind's text up to its first `ERROR SUMMARY`, after which `-s` repeats all records.
fn valgrind(lines: &[&str], checker: Checker) -> (Vec<Record>, usize) {
    let texts: Vec<Option<&str>> = lines.iter().map(|line| strip_pid(line)).collect();
    let at = |index: usize| texts.get(index).copied().flatten().unwrap_or_default();
    let end = (0..lines.len())
        .find(|index| at(*index).starts_with("ERROR SUMMARY"))
        .unwrap_or(lines.len());
    let mut records = Vec::new();
    for index in 0..end {
        if !is_headline(at(index), at(index + 1), checker) {
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

/// Returns the text after `==PID== `.
fn strip_pid(line: &str) -> Option<&str> {
    let (pid, rest) = line.strip_prefix("==")?.split_once("==")?;
    pid.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// Returns true if a line is the headline of a record.
fn is_headline(line: &str, next: &str, checker: Checker) -> bool {
    if checker == Checker::Helgrind {
        let thread = line.starts_with("Thread #")
            && !line.ends_with(" was created")
            && !line.ends_with("root thread");
        return thread || line.starts_with("Possible data race");
    }
    let continues = ["Allocation context", "Other segment"]
        .iter()
        .any(|part| line.starts_with(part))
        || line.ends_with("was first observed at:");
    let has_stack = next.starts_with("   at 0x") || next == " Previously closed";
    !line.is_empty() && !line.starts_with(' ') && !continues && has_stack
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
        let message = [field("<what>"), field("<text>")].concat();
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
            &format!("{} {message}", field("<kind>")),
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

/// Removes the parts that differ from run to run: addresses, and the numbers of loss records.
fn without_variable_parts(text: &str) -> String {
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
    fn addresses_and_numbers_are_removed() {
        assert_eq!(
            without_variable_parts("8 bytes in 1 blocks are lost in loss record 1 of 20"),
            "8 bytes in 1 blocks are lost in loss record"
        );
        assert_eq!(
            without_variable_parts("   at 0x48417B4: malloc (a.c:1)"),
            "   at 0x: malloc (a.c:1)"
        );
    }

    #[test]
    fn valgrind_records_are_found() {
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
