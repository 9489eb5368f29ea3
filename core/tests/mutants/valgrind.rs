//! What the check knows of valgrind's text: headlines, sums, and what must follow what.

use super::check::Scan;

/// Parts of headlines of records that are gated.
const HEADLINES: &[&str] = &[
    " are definitely lost",
    " are indirectly lost",
    " are possibly lost",
    "Invalid read",
    "Invalid write",
    "Use of uninitialised value",
    "Conditional jump or move depends on",
    "Syscall param ",
    "found during client check request",
    "Invalid free()",
    "Mismatched free()",
    "Mismatched new/delete",
    "Jump to the invalid address",
    "Source and destination overlap",
    "Illegal memory pool address",
    "realloc() with size 0",
    "Invalid size value",
    "Invalid alignment value",
    "Unsafe allocation with size",
    "has a fishy (possibly negative) value",
    "is already closed",
    "was never created",
    "was closed already",
    "Possible data race during",
    ": lock order \"",
    ": Exiting thread",
    "unlocked lock at",
    "unlocked an invalid lock",
    "unlocked a not-locked lock",
    "'s call to pthread_",
    ": pthread_",
    "of a locked mutex",
    "re-lock a non-recursive lock",
    "Conflicting load by thread",
    "Conflicting store by thread",
    "Mutex not locked: ",
    "Mutex still locked at thread exit",
    "is not a mutex",
    "Reader-writer lock not locked",
    "Destroying locked mutex",
    "Probably a race condition",
    "Semaphore reinitialization",
];

/// Open descriptors; those that were inherited are not gated, which the line after tells.
const DESCRIPTORS: &[&str] = &["Open file descriptor ", "Open AF_", "Open socket "];

/// Signals that a process gets from outside.
const FROM_OUTSIDE: &[&str] = &[
    "SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2",
];

/// A process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    header: bool,
    memcheck: bool,
    parent: bool,
    command: String,
    /// Said that it ends; nothing is due any more.
    ended: bool,
    /// Headlines of records, also those that are not gated.
    pub(crate) records: u64,
    /// The line before was not indented, and no headline that is known.
    after_headline: bool,
    contexts: u64,
    /// Bytes of records: definitely, indirectly, possibly lost.
    lost: [u64; 3],
    /// The same as the summary states it, how many lines the summary has, and what is suppressed.
    stated: Option<([u64; 3], u32, u64)>,
    in_use: Option<u64>,
    freed: bool,
    descriptor: Option<String>,
    /// A new header came while something was due.
    cut: Option<String>,
}

/// `==12== text`, with a time before the pid or without: the source that stands before it, the pid,
/// and the text.
fn tagged(line: &str) -> Option<(String, u64, &str)> {
    let starts =
        (0..line.len()).filter(|at| line.is_char_boundary(*at) && line[*at..].starts_with("=="));
    let (at, pid, text) = starts
        .filter_map(|at| {
            let (inside, text) = line[at + 2..].split_once("==")?;
            let stamped = inside
                .bytes()
                .all(|b| b.is_ascii_digit() || (inside.len() > 16 && b" :.".contains(&b)));
            Some((
                at,
                inside
                    .rsplit(' ')
                    .next()
                    .filter(|_| stamped)?
                    .parse()
                    .ok()?,
                text,
            ))
        })
        .next()?;
    // Where another process's line broke off, the start of this one's report may stand; the rest is
    // elsewhere.
    let begins = ["Memcheck,", "Helgrind,", "drd,", "Using ", "Command: "]
        .iter()
        .any(|word| text.trim().starts_with(word));
    let torn = !line[..at].trim_end_matches('=').is_empty() && !line[..at].ends_with(' ') && begins;
    (!torn).then(|| {
        (
            source(&line[..at]).unwrap_or_default().to_owned(),
            pid,
            text,
        )
    })
}

/// `svc-1  | `, `12: `, `prog[12]: ` at the start of a line.
pub(crate) fn source(line: &str) -> Option<&str> {
    let word = |end: &str| {
        line.split_once(end)
            .map(|(head, _)| head.trim_end().rsplit(' ').next().unwrap_or_default())
    };
    let service = word("| ").filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
    let named = |name: &&str| {
        let number = name.trim_end_matches([']', ')']);
        let number = if number.len() < name.len() {
            number.rsplit(['[', '(']).next().unwrap_or_default()
        } else {
            number
        };
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    // The third column begins with a time.
    let is_time = |text: &str| {
        text.trim_start_matches('\u{feff}')
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let columns = || {
        line.split('\t')
            .nth(2)
            .filter(|text| is_time(text))
            .and_then(|_| line.split('\t').next()?.rsplit(' ').next())
    };
    service
        .or_else(|| word(": ").filter(named))
        .or_else(columns)
}

pub(crate) fn line(line: &str, scan: &mut Scan) {
    let Some((source, pid, text)) = tagged(line) else {
        return;
    };
    let run = scan.runs.entry((source, pid)).or_default();
    let (indent, text) = (text.len() - text.trim_start().len(), text.trim());
    if let Some(headline) = run.descriptor.take()
        && !text.contains("<inherited from parent>")
    {
        scan.records.push(headline);
    }
    // A stack behind a line that is not indented is a record, whatever its wording.
    run.records += u64::from(run.after_headline && text.starts_with("at 0x"));
    let known = run.records;
    if ["Memcheck, a memory", "Helgrind, a thread", "drd, a thread"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        let due = run.header && !run.ended;
        *run = Run {
            header: true,
            memcheck: text.contains("Memcheck"),
            records: run.records,
            ..Run::default()
        };
        run.cut = due.then(|| run.command.clone());
        scan.has_header = true;
    } else if text.starts_with("Using Valgrind-") {
        run.header = true;
    } else if let Some(command) = text.strip_prefix("Command: ") {
        run.header = true;
        // A process that goes on with another program ends without a word.
        run.cut = run
            .cut
            .take()
            .filter(|before| before == command || pid < 300);
        command.clone_into(&mut run.command);
    } else if text.starts_with("Parent PID: ") {
        run.parent = true;
    } else if indent > 1 && !text.starts_with("at ") && !text.starts_with("by ") {
        sum(text, run);
    } else if let Some(headline) = record(text, run) {
        scan.records.push(headline);
    } else {
        said(text, run, &mut scan.evidence);
    }
    run.after_headline = indent < 2 && !text.is_empty() && run.records == known;
}

/// The headline of a record that is gated.
fn record(text: &str, run: &mut Run) -> Option<String> {
    let is_whole = |part: &str| match part.as_bytes()[0] {
        b' ' => text.starts_with(|c: char| c.is_ascii_digit()) || !part.ends_with("lost"),
        b':' | b'\'' => text.starts_with("Thread #"),
        b'A'..=b'Z' => text.starts_with(part),
        _ => true,
    };
    let gated = HEADLINES
        .iter()
        .find(|part| text.contains(**part) && is_whole(part));
    let descriptor = DESCRIPTORS.iter().any(|part| text.starts_with(part));
    let reachable = text.contains(" are still reachable");
    if gated.is_some() || descriptor || reachable {
        // With `-s` each is printed twice, and either may be lost.
        run.records += 1;
        for (at, kind) in ["definitely", "indirectly", "possibly"].iter().enumerate() {
            if text.contains(&format!(" are {kind} lost")) {
                let direct = text
                    .split_once('(')
                    .filter(|_| text.contains(" direct, "))
                    .map_or(text, |(_, rest)| rest);
                run.lost[at] += number(direct);
                let indirect = text
                    .split_once(" direct, ")
                    .map_or(0, |(_, rest)| number(rest));
                run.lost[1] += indirect;
            }
        }
        if descriptor {
            run.descriptor = Some("open descriptor".to_owned());
            return None;
        }
        return gated.map(|part| (*part).to_owned());
    }
    let signal = text.strip_prefix("Process terminating with default action of signal ")?;
    (!FROM_OUTSIDE.iter().any(|s| signal.contains(s))).then(|| "fatal signal".to_owned())
}

/// The number that a text begins with, as in `1,337 bytes`.
fn number(text: &str) -> u64 {
    let digits: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().unwrap_or(0)
}

/// A line of a summary.
fn sum(text: &str, run: &mut Run) {
    let Some((name, value)) = text.split_once(':') else {
        return;
    };
    if name == "in use at exit" {
        run.in_use = Some(number(value));
        return;
    }
    let Some((stated, lines, suppressed)) = &mut run.stated else {
        return;
    };
    match name {
        "definitely lost" => stated[0] = number(value),
        "indirectly lost" => stated[1] = number(value),
        "possibly lost" => stated[2] = number(value),
        "suppressed" => *suppressed = number(value),
        "still reachable" => {}
        _ => return,
    }
    *lines += 1;
}

/// Any other line.
fn said(text: &str, run: &mut Run, evidence: &mut bool) {
    if text.starts_with("LEAK SUMMARY:") {
        (run.stated, run.freed) = (Some(([0; 3], 0, 0)), false);
    } else if text.starts_with("HEAP SUMMARY:") {
        run.stated = None;
    } else if text.starts_with("All heap blocks were freed") {
        (run.stated, run.freed) = (None, true);
    } else if let Some(sums) = text
        .strip_prefix("ERROR SUMMARY: ")
        .filter(|s| s.ends_with(')') && s.contains("(suppressed: "))
    {
        run.contexts = sums
            .split_once(" from ")
            .map_or(0, |(_, rest)| number(rest));
        run.ended = true;
        *evidence = true;
    } else if text.starts_with("Exit program on first error") {
        run.ended = true;
    }
}

/// Adds what is missing from valgrind's reports; `all` is how many records all files hold, of which
/// a forked child counts its parent's.
pub(crate) fn add_up(scan: &mut Scan, all: u64) {
    let mut broken = Vec::new();
    for ((source, pid), run) in &scan.runs {
        let mut must = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{source} {pid}: {what}"));
            }
        };
        let sums = run.stated.is_some() || run.in_use.is_some() || run.freed || run.ended;
        let bare_child = run.parent && !sums && run.records == 0;
        must(
            run.cut.is_none(),
            "another run begins where this one has no end",
        );
        must(
            !run.header || run.ended || bare_child,
            "a run without an ERROR SUMMARY",
        );
        let summed_up = run.stated.is_some() || run.freed || run.ended;
        must(
            !summed_up || run.header || scan.has_header,
            "sums of a run without its header",
        );
        let own = if run.parent || !run.header {
            all
        } else {
            run.records
        };
        must(run.contexts <= own, "errors are counted that are not there");
        must(
            !(run.freed && run.in_use.unwrap_or(0) > 0),
            "everything is freed, and something is in use",
        );
        if run.memcheck && run.ended {
            let searched = run.stated.is_some() || run.freed || run.records > 0;
            must(searched || run.in_use == Some(0), "no word about leaks");
        }
        let Some((stated, lines, suppressed)) = run.stated else {
            continue;
        };
        must(lines >= 5, "a line of the LEAK SUMMARY is lost");
        must(
            stated[0] <= run.lost[0],
            "definitely lost bytes are counted that are not there",
        );
        must(
            stated[2] <= run.lost[2],
            "possibly lost bytes are counted that are not there",
        );
        must(
            stated[1] <= run.lost[1] || suppressed > 0,
            "indirectly lost bytes are counted that are not there",
        );
    }
    scan.broken.extend(broken);
}
