//! An opinion of its own about a log: whether anything stands in it that nobody accepted, or of
//! which the rest is lost.
//!
//! It looks for texts in lines and adds up numbers, and knows nothing of leakgate's parser. It may
//! see less than the parser, and must not see more than is there: where the gate passes and this
//! objects, one of the two is wrong.

use std::collections::{BTreeMap, HashSet};

use super::Files;
use super::plain;
use super::valgrind::{self, Run};

/// Headlines of records, without what changes from run to run.
pub(crate) type Headlines = HashSet<String>;

/// What is known of one file.
#[derive(Default)]
pub(crate) struct Scan {
    /// Each headline of a record that would be gated.
    pub(crate) records: Vec<String>,
    /// Something that proves a check.
    pub(crate) evidence: bool,
    /// What is incomplete, whoever accepted what.
    pub(crate) broken: Vec<String>,
    /// valgrind's processes.
    pub(crate) runs: BTreeMap<(String, u64), Run>,
    /// A line of the file is a header of valgrind.
    pub(crate) has_header: bool,
}

/// Headlines of everything in these files.
pub(crate) fn headlines(files: &Files) -> Headlines {
    files
        .iter()
        .flat_map(|(_, text)| scan(text).records)
        .collect()
}

/// Why a gate that accepts these headlines must not pass; empty where it may.
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
        all.extend(unaccepted.map(|record| format!("{name}: nobody accepted `{record}`")));
        all.extend(scan.broken.iter().map(|what| format!("{name}: {what}")));
        if !scan.evidence && scan.records.is_empty() {
            all.push(format!("{name}: nothing in it proves a check"));
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
    plain::scan(&text, &mut scan);
    // Documents of two sources may stand in one file, line by line.
    let mut sources: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let source = sources
            .entry(valgrind::source(line).unwrap_or_default())
            .or_default();
        *source += line;
        source.push('\n');
    }
    sources.values().for_each(|text| xml(text, &mut scan));
    scan
}

/// The text without the zeros of UTF-16, without colours, and with JSON's line feeds taken for what
/// they are.
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
            p.find(|c: char| !(c.is_ascii_digit() || c == ';'))
                .map(|end| &p[end..])
        }) {
            Some(rest) => out.extend(rest.chars().skip(1)),
            None => out += part,
        }
    }
    out
}

/// Words without digits, so that addresses, sizes and numbers of records are no part of a headline.
pub(crate) fn gist(headline: &str) -> String {
    let words = headline
        .split_whitespace()
        .filter(|word| !word.bytes().any(|b| b.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// The number before a word, as in `1337 byte(s)`.
fn number_before(line: &str, word: &str) -> Option<u64> {
    line.split_once(word)?
        .0
        .split_whitespace()
        .next_back()?
        .parse()
        .ok()
}

/// `Direct leak of 40 byte(s) in 1 object(s)`, behind a prefix or none.
fn is_record(line: &str) -> bool {
    let head = line.split("irect leak of ").next().unwrap_or_default();
    let head = head.trim_end_matches('D').trim_end_matches("Ind");
    line.contains(" byte(s) in ") && (head.is_empty() || head.ends_with([' ', '\t']))
}

/// `a.c:3:9: runtime error: `
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
        if line.contains("ERROR: ") && line.contains("Sanitizer") && line.contains("==") {
            reports[leaks] += 1;
            if leaks == 1 {
                let said = line
                    .split_once("Sanitizer")
                    .map_or(line, |(_, said)| said.trim_start_matches(':'));
                // Another process may go on in the line.
                let kind = said
                    .split_whitespace()
                    .next()
                    .and_then(|word| word.split("==").next())
                    .unwrap_or_default()
                    .to_lowercase();
                scan.records.extend(
                    (!kind.is_empty() && (kind != "error:" || said.contains("expected '=' in")))
                        .then_some(kind),
                );
            }
        } else if line.contains("SUMMARY:") && line.contains("Sanitizer: ") {
            let own = line
                .split("SUMMARY:")
                .next()
                .is_some_and(|head| head.is_empty() || head.ends_with(' '));
            ends[leaks] += usize::from(own);
            summed_up += number_before(line, " byte(s) leaked in ")
                .filter(|_| own)
                .unwrap_or(0);
        } else if let Some((_, sizes)) = line
            .split_once("irect leak of ")
            .filter(|_| is_record(line))
        {
            listed += number_before(sizes, " byte(s) in ").unwrap_or(0);
            scan.records.push(gist(&format!(
                "leak of {}",
                if line.contains("Direct") {
                    "direct"
                } else {
                    "indirect"
                }
            )));
        } else if is_undefined(line) || line.contains("WARNING: ") && line.contains("Sanitizer: ") {
            reports[1] += 1;
            // Any prefix may stand before the words.
            let said = line
                .split_once("WARNING: ")
                .or_else(|| line.split_once(" runtime error: "));
            let said = said.map_or(line, |(_, said)| said);
            // Another process may go on in the line.
            let own = ["==", "~~", " ("]
                .into_iter()
                .fold(said, |own, end| own.split(end).next().unwrap_or_default());
            scan.records
                .push(gist(own).split(' ').take(4).collect::<Vec<_>>().join(" "));
        }
        table |= line.contains("Suppressions used:");
        scan.evidence |= table || (line.contains("==") && line.contains("LeakSanitizer: "));
    }
    scan.evidence |= reports[1] > 0 && ends[1] > 0;
    if listed != summed_up {
        scan.broken.push(format!(
            "{listed} bytes are listed as leaks, and {summed_up} summed up"
        ));
    }
    if reports[0] > ends[0] {
        scan.broken.push("a list of leaks has no sum".to_owned());
    }
    if reports[1] < ends[1] {
        scan.broken
            .push("an error of a sanitizer is summed up and not reported".to_owned());
    }
    // Without a summary (an option), or where the sanitizer ran into a limit, a report ends with
    // this word.
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
            .push("a sanitizer aborted the process, and has not said why".to_owned());
    }
}

/// What stands between two texts, each time.
fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split(end).next())
}

fn xml(text: &str, scan: &mut Scan) {
    let count = |tag: &str| text.matches(tag).count();
    // Other XML holds an `<error>`, too.
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
    // A child that goes on with a program that is not watched leaves the start of a document.
    let bare = errors == 0
        && text.contains("<ppid>")
        && !text.contains("<state>FINISHED")
        && text.matches("<valgrindoutput>").count() == 1;
    let (open, closed) = (
        count("<valgrindoutput>"),
        count("</valgrindoutput>") + usize::from(bare),
    );
    let mut must = |holds: bool, what: &str| {
        if !holds {
            scan.broken.push(what.to_owned());
        }
    };
    must(
        open == closed,
        "an XML document has no end, or no beginning",
    );
    must(
        bare || count("<state>FINISHED") >= closed,
        "an XML document does not say that the process finished",
    );
    must(
        errors <= count("</error>") && whole == errors && within == kinds(text),
        "an error in XML is not whole",
    );
    let counted = between(text, "<errorcounts>", "</errorcounts>")
        .map(|all| all.matches("<pair>").count())
        .max();
    must(
        counted.unwrap_or(0) <= errors,
        "XML counts errors that are not there",
    );
    let contexts = |n: &str| n.trim().parse::<usize>().is_ok_and(|n| n > errors);
    must(
        !between(text, "<error_contexts>", "<").any(contexts),
        "XML sums up errors that are not there",
    );
    scan.evidence |= closed > 0;
}
