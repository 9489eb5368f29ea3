//! An independent check of a log: does it contain a record that no rule accepts, or a damaged
//! report?
//!
//! The check looks for texts in lines and compares sums, without leakgate's parser. It may detect
//! less than the parser, but must never object to an intact log: if the gate passes and the check
//! objects, one of them is wrong.

use std::collections::{BTreeMap, HashSet};

use super::Files;
use super::untagged;
use super::valgrind::{self, Run};

/// Headlines of records, without the parts that change from run to run.
pub(crate) type Headlines = HashSet<String>;

/// The contents of one file.
#[derive(Default)]
pub(crate) struct Scan {
    /// The process and the start of a leak's headline that may go on in the next line.
    pub(crate) wrapped: Option<((String, u64), String)>,
    /// The headlines of all gated records.
    pub(crate) records: Vec<String>,
    /// The file proves that a checker ran.
    pub(crate) evidence: bool,
    /// Damage that fails whatever the rules accept.
    pub(crate) broken: Vec<String>,
    /// The processes under valgrind, by source and pid.
    pub(crate) runs: BTreeMap<(String, u64), Run>,
    /// The file contains a header of valgrind.
    pub(crate) has_header: bool,
}

/// Returns the headlines of all records in the files.
pub(crate) fn headlines(files: &Files) -> Headlines {
    files
        .iter()
        .flat_map(|(_, text)| scan(text).records)
        .collect()
}

/// Returns the reasons why a gate that accepts these headlines must not pass.
pub(crate) fn objections(files: &Files, accepted: &Headlines) -> Vec<String> {
    let mut scans: Vec<Scan> = files.iter().map(|(_, text)| scan(text)).collect();
    let errors: u64 = scans
        .iter()
        .flat_map(|s| s.runs.values())
        .map(|run| run.records)
        .sum();
    let mut all = Vec::new();
    for ((name, _), scan) in files.iter().zip(&mut scans) {
        valgrind::add_up(scan, errors);
        let unaccepted = scan
            .records
            .iter()
            .filter(|record| !accepted.contains(*record));
        all.extend(unaccepted.map(|record| format!("{name}: no rule accepts `{record}`")));
        all.extend(scan.broken.iter().map(|damage| format!("{name}: {damage}")));
        if !scan.evidence && scan.records.is_empty() {
            all.push(format!("{name}: no evidence of a checker"));
        }
    }
    all
}

fn scan(bytes: &[u8]) -> Scan {
    let text = bare(bytes);
    let mut scan = Scan::default();
    for line in text.lines() {
        valgrind::line(line, &mut scan);
    }
    sanitizers(&text, &mut scan);
    untagged::scan(&text, &mut scan);
    // XML reports of two sources may alternate line by line in one file.
    let mut sources: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let source = sources.entry(xml_source(line)).or_default();
        *source += line;
        source.push('\n');
    }
    sources.values().for_each(|text| xml(text, &mut scan));
    scan
}

/// Returns the name before a line of XML: of a service or a test, or `[pod/a/b]`.
fn xml_source(line: &str) -> &str {
    let pod = || {
        let (name, _) = line.strip_prefix("[pod/")?.split_once("] ")?;
        Some(name)
    };
    valgrind::source(line).or_else(pod).unwrap_or_default()
}

/// Returns the text without colours, and without the zero bytes of UTF-16.
fn bare(bytes: &[u8]) -> String {
    let zeros = bytes.iter().filter(|b| **b == 0).count();
    let bytes: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|b| *b != 0 || zeros < bytes.len() / 4)
        .collect();
    let text = String::from_utf8_lossy(&bytes);
    let mut parts = text.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.strip_prefix('[').and_then(|p| {
            p.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))
                .map(|end| &p[end..])
        }) {
            Some(rest) => out.extend(rest.chars().skip(1)),
            None => out += part,
        }
    }
    out
}

/// Removes the words with digits: addresses, sizes and record numbers.
pub(crate) fn without_numbers(headline: &str) -> String {
    let words = headline
        .split_whitespace()
        .filter(|word| !word.bytes().any(|b| b.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the number before a word, as in `1337 byte(s)`.
fn number_before(line: &str, word: &str) -> Option<u64> {
    line.split_once(word)?
        .0
        .split_whitespace()
        .next_back()?
        .parse()
        .ok()
}

/// Returns true for `Direct leak of 40 byte(s) in 1 object(s)`, with or without a prefix.
fn is_record(line: &str) -> bool {
    let head = line.split("irect leak of ").next().unwrap_or_default();
    let head = head.trim_end_matches('D').trim_end_matches("Ind");
    line.contains(" byte(s) in ") && (head.is_empty() || head.ends_with([' ', '\t']))
}

/// Returns true for `a.c:3:9: runtime error: `.
fn is_undefined(line: &str) -> bool {
    let place = line
        .split_once(": runtime error: ")
        .map(|(place, _)| place.trim_end_matches(|c: char| c.is_ascii_digit()));
    place.is_some_and(|place| place.len() > 1 && place.ends_with(':'))
}

fn sanitizers(text: &str, scan: &mut Scan) {
    let (mut listed, mut summed_up) = (0, 0);
    let (mut reports, mut ends) = ([0; 2], [0; 2]);
    let mut table = false;
    for line in text.lines() {
        let leaks = usize::from(
            !(line.contains("LeakSanitizer: detected") || line.contains("byte(s) leaked in")),
        );
        let is_cut = line.contains("Sanitizer: ") && line.contains(" on address 0x");
        let is_error =
            line.contains("ERROR: ") && line.contains("Sanitizer") && line.contains("==");
        if is_error || is_cut {
            reports[leaks] += 1;
            if leaks == 1 {
                let message = line
                    .split_once("Sanitizer")
                    .map_or(line, |(_, message)| message.trim_start_matches(':'));
                // The line may continue with the output of another process.
                let kind = message
                    .split_whitespace()
                    .next()
                    .and_then(|word| word.split("==").next())
                    .unwrap_or_default()
                    .to_lowercase();
                scan.records.extend(
                    (!kind.is_empty() && (kind != "error:" || message.contains("expected '=' in")))
                        .then_some(kind),
                );
            }
        } else if line.contains("SUMMARY:") && line.contains("Sanitizer: ") {
            let own = line
                .split("SUMMARY:")
                .next()
                .is_some_and(|head| !head.ends_with(|c: char| c != ' ' && !c.is_control()));
            ends[leaks] += usize::from(own);
            summed_up += number_before(line, " byte(s) leaked in ")
                .filter(|_| own)
                .unwrap_or(0);
        } else if let Some((_, sizes)) = line
            .split_once("irect leak of ")
            .filter(|_| is_record(line))
        {
            listed += number_before(sizes, " byte(s) in ").unwrap_or(0);
            scan.records.push(without_numbers(&format!(
                "leak of {}",
                if line.contains("Direct") {
                    "direct"
                } else {
                    "indirect"
                }
            )));
        } else if is_undefined(line) || line.contains("WARNING: ") && line.contains("Sanitizer: ") {
            reports[1] += 1;
            // The line may begin with any prefix.
            let message = line
                .split_once("WARNING: ")
                .or_else(|| line.split_once(" runtime error: "))
                .map_or(line, |(_, message)| message);
            // The line may continue with the output of another process.
            let own = ["==", "~~", " ("].into_iter().fold(message, |own, end| {
                own.split(end).next().unwrap_or_default()
            });
            scan.records.push(
                without_numbers(own)
                    .split(' ')
                    .take(4)
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        table |= line.contains("Suppressions used:");
        scan.evidence |= table || (line.contains("==") && line.contains("LeakSanitizer: "));
    }
    scan.evidence |= reports[1] > 0 && ends[1] > 0;
    if listed != summed_up {
        scan.broken.push(format!(
            "{listed} bytes are listed as leaks, but the sum is {summed_up}"
        ));
    }
    if reports[0] > ends[0] {
        scan.broken.push("a list of leaks has no sum".to_owned());
    }
    if reports[1] < ends[1] {
        scan.broken
            .push("a sanitizer's summary has no error".to_owned());
    }
    // Without a summary (an option), or at a limit of the sanitizer, a report ends with this word.
    let tagged = |line: &&str| {
        line.split_once("==ABORTING").is_some_and(|(head, _)| {
            head.trim_end_matches(|c: char| c.is_ascii_digit())
                .ends_with("==")
        })
    };
    let aborted = text.lines().filter(tagged).count();
    let last = |part: &str| text.rfind(part).unwrap_or(0);
    let end = last("SUMMARY: AddressSanitizer").max(last("==ABORTING"));
    if last("==ERROR: AddressSanitizer: ") > end.max(last("ERROR: LeakSanitizer: ")) {
        scan.broken
            .push("an error of a sanitizer has no summary".to_owned());
    }
    if aborted > 0 && reports == [0, 0] {
        scan.broken
            .push("a sanitizer aborted the process without a report".to_owned());
    }
}

/// Returns every part of the text between `start` and `end`.
fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split(end).next())
}

fn xml(text: &str, scan: &mut Scan) {
    let count = |tag: &str| text.matches(tag).count();
    // Other XML formats have an `<error>`, too.
    let own = |(at, part): &(usize, &str)| {
        *at > 0
            || ["<unique>0x", "</kind>"]
                .iter()
                .any(|tag| part.contains(tag))
    };
    let parts = text.split("<valgrindoutput>").enumerate().filter(own);
    let errors: usize = parts.map(|(_, part)| part.matches("<error>").count()).sum();
    let kinds = |part: &str| {
        between(part, "<kind>", "</kind>")
            .filter(|k| k.starts_with(|c: char| c.is_ascii_uppercase()))
            .count()
    };
    let whole = between(text, "<error>", "</error>")
        .filter(|error| kinds(error) > 0 && !error.contains("<valgrindoutput>"))
        .count();
    let within: usize = between(text, "<error>", "</error>").map(kinds).sum();
    let is_kind =
        |kind: &&str| kind.starts_with(|c: char| c.is_ascii_uppercase()) && !kind.contains('\n');
    for kind in between(text, "<kind>", "</kind>").filter(is_kind) {
        if !kind.starts_with("Leak_StillReachable") {
            scan.records.push(format!(
                "kind {}",
                kind.split('<').next().unwrap_or_default()
            ));
        }
    }
    for signal in between(text, "<fatal_signal>", "</fatal_signal>") {
        if between(signal, "<signame>", "</signame>").next() != Some("SIGTERM") {
            scan.records.push("signal".to_owned());
        }
    }
    // A child that execs an unchecked program leaves the start of a document.
    let bare = errors == 0
        && text.contains("<ppid>")
        && !text.contains("<state>FINISHED")
        && text.matches("<valgrindoutput>").count() == 1;
    let (open, closed) = (
        count("<valgrindoutput>"),
        count("</valgrindoutput>") + usize::from(bare),
    );
    let mut must = |holds: bool, damage: &str| {
        if !holds {
            scan.broken.push(damage.to_owned());
        }
    };
    must(open == closed, "an XML document has no end or no start");
    must(
        bare || count("<state>FINISHED") >= closed,
        "an XML document has no FINISHED status",
    );
    must(
        errors <= count("</error>") && whole == errors && within == kinds(text),
        "an error in XML is incomplete",
    );
    let counted = between(text, "<errorcounts>", "</errorcounts>")
        .map(|all| all.matches("<pair>").count())
        .max();
    must(counted.unwrap_or(0) <= errors, "XML counts missing errors");
    let contexts = |n: &str| n.trim().parse::<usize>().is_ok_and(|n| n > errors);
    must(
        !between(text, "<error_contexts>", "<").any(contexts),
        "XML sums up missing errors",
    );
    scan.evidence |= closed > 0;
}
