//! The part of the check for valgrind's text: headlines, sums, and the order of lines.

use super::check::Scan;

/// Parts of the headlines of gated records.
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

/// Open descriptors. Inherited ones are not gated, which only the next line shows.
const DESCRIPTORS: &[&str] = &["Open file descriptor ", "Open AF_", "Open socket "];

/// Signals that other processes send.
const FROM_OUTSIDE: &[&str] = &[
    "SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2",
];

/// A process under valgrind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    header: bool,
    memcheck: bool,
    parent: bool,
    command: String,
    /// The report is complete.
    ended: bool,
    /// The number of headlines of records, including those that are not gated.
    pub(crate) records: u64,
    /// The previous line was not indented and not a known headline.
    after_headline: bool,
    contexts: u64,
    /// The bytes of all records that are definitely, indirectly and possibly lost.
    lost: [u64; 3],
    /// The same bytes by the leak summary, the number of its lines, and the suppressed bytes.
    totals: Option<([u64; 3], u32, u64)>,
    in_use: Option<u64>,
    freed: bool,
    descriptor: Option<String>,
    /// A new header came before the end of the report.
    cut: Option<String>,
}

/// Splits `==12== text`, in which a time may precede the pid, into the source before the tag, the
/// pid, and the text.
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
    // The start of a report in the unfinished line of another process isn't followed by its rest.
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

/// Returns the source in a prefix such as `svc-1  | `, `12: ` or `prog[12]: `.
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
    let wrapped = scan.wrapped.take();
    let Some((source, pid, text)) = tagged(line) else {
        // The rest of a headline that is broken between two words.
        if let Some((process, start)) = wrapped {
            let run = scan.runs.entry(process).or_default();
            scan.records
                .extend(record(&format!("{start} {}", line.trim()), run));
        }
        return;
    };
    let begins_leak = text.trim().starts_with(|c: char| c.is_ascii_digit())
        && text.contains(" bytes")
        && !text.contains(" are ");
    scan.wrapped = begins_leak.then(|| ((source.clone(), pid), text.trim().to_owned()));
    let run = scan.runs.entry((source, pid)).or_default();
    let (indent, text) = (text.len() - text.trim_start().len(), text.trim());
    if let Some(headline) = run.descriptor.take()
        && !text.contains("<inherited from parent>")
    {
        scan.records.push(headline);
    }
    // A line that is not indented and followed by a stack is a record, whatever its text.
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
        // A process that calls exec leaves no end of its report.
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
        summary(text, run, &mut scan.evidence);
    }
    run.after_headline = indent < 2 && !text.is_empty() && run.records == known;
}

/// Returns the headline of a gated record.
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
        // With `-s` each record is printed twice, and either of them may be lost.
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

/// Returns the number at the start of a text such as `1,337 bytes`.
fn number(text: &str) -> u64 {
    let digits: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().unwrap_or(0)
}

/// Reads a line of a summary.
fn sum(text: &str, run: &mut Run) {
    let Some((name, value)) = text.split_once(':') else {
        return;
    };
    if name == "in use at exit" {
        run.in_use = Some(number(value));
        return;
    }
    let Some((totals, lines, suppressed)) = &mut run.totals else {
        return;
    };
    match name {
        "definitely lost" => totals[0] = number(value),
        "indirectly lost" => totals[1] = number(value),
        "possibly lost" => totals[2] = number(value),
        "suppressed" => *suppressed = number(value),
        "still reachable" => {}
        _ => return,
    }
    *lines += 1;
}

/// Reads the first line of a summary, or the end of a report.
fn summary(text: &str, run: &mut Run, evidence: &mut bool) {
    if text.starts_with("LEAK SUMMARY:") {
        (run.totals, run.freed) = (Some(([0; 3], 0, 0)), false);
    } else if text.starts_with("HEAP SUMMARY:") {
        run.totals = None;
    } else if text.starts_with("All heap blocks were freed") {
        (run.totals, run.freed) = (None, true);
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

/// Adds the damage of valgrind's reports. `all` is the number of records in all files, because a
/// forked child also counts the records of its parent.
pub(crate) fn add_up(scan: &mut Scan, all: u64) {
    let mut broken = Vec::new();
    for ((source, pid), run) in &scan.runs {
        let mut must = |holds: bool, damage: &str| {
            if !holds {
                broken.push(format!("{source} {pid}: {damage}"));
            }
        };
        let sums = run.totals.is_some() || run.in_use.is_some() || run.freed || run.ended;
        let bare_child = run.parent && !sums && run.records == 0;
        must(
            run.cut.is_none(),
            "another run begins before the end of this one",
        );
        must(
            !run.header || run.ended || bare_child,
            "a run without an ERROR SUMMARY",
        );
        let summed_up = run.totals.is_some() || run.freed || run.ended;
        must(
            !summed_up || run.header || scan.has_header,
            "sums of a run without its header",
        );
        let own = if run.parent || !run.header {
            all
        } else {
            run.records
        };
        must(run.contexts <= own, "missing errors are counted");
        must(
            !(run.freed && run.in_use.unwrap_or(0) > 0),
            "bytes are in use although everything was freed",
        );
        if run.memcheck && run.ended {
            let searched = run.totals.is_some() || run.freed || run.records > 0;
            must(searched || run.in_use == Some(0), "no leak check");
        }
        let Some((totals, lines, suppressed)) = run.totals else {
            continue;
        };
        must(lines >= 5, "a line of the LEAK SUMMARY is lost");
        must(
            totals[0] <= run.lost[0],
            "missing records of definitely lost bytes",
        );
        must(
            totals[2] <= run.lost[2],
            "missing records of possibly lost bytes",
        );
        must(
            totals[1] <= run.lost[1] || suppressed > 0,
            "missing records of indirectly lost bytes",
        );
    }
    scan.broken.extend(broken);
}
