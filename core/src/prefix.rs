//! Strips the prefixes that CI systems, runners and terminals put before a line, before a dialect
//! gets the line.
//!
//! Several prefixes may be stacked: a GitHub timestamp before a docker-compose name before a ctest
//! number. A prefix that names a source (a service, a test, a job and step, a pod) also yields a
//! key, which separates the lines of different sources. Prefixes that aren't listed here work too:
//! a report's headline is found anywhere in a line, and the parser learns the text before it (see
//! `parse/learned_prefix.rs`).
//!
//! Sources: the documentation or the observed output of the systems that each function names.

mod skip;

use memchr::memchr;

use self::skip::{skip_blank, skip_digits, skip_fraction, skip_while, strip_digits_like};

/// A line without its prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stripped<'a> {
    /// Names of sources, outermost first. Unused entries are empty.
    pub(crate) keys: [&'a [u8]; 2],
    /// The line after its prefixes.
    pub(crate) rest: &'a [u8],
}

/// Maximum number of prefixes before a line.
const MAX_DEPTH: usize = 5;

/// Maximum length of a source's name, in bytes.
const MAX_NAME: usize = 160;

/// Strips the prefixes of a line, and carriage returns at its end.
pub(crate) fn strip(line: &[u8]) -> Stripped<'_> {
    let mut out = Stripped {
        keys: [&[]; 2],
        rest: line,
    };
    if let [b' ' | b'=', .., end] = line
        && !matches!(end, b'\r' | b'M' | b'5' | 0)
    {
        return out;
    }
    out.rest = without_returns(line);
    for _ in 0..MAX_DEPTH {
        let Some((key, rest)) = strip_one(out.rest) else {
            break;
        };
        out.rest = rest;
        if !key.is_empty() {
            let index = usize::from(!out.keys[0].is_empty());
            out.keys[index] = key;
        }
    }
    out
}

/// Strips carriage returns at the end of a line, also in caret notation and as syslog escapes them,
/// and zeros around the line, which serial consoles and preallocated files contain.
fn without_returns(line: &[u8]) -> &[u8] {
    const RETURNS: [&[u8]; 4] = [b"\r", b"\0", b"^M", b"#015"];
    let mut line = skip_while(line, |byte| byte == 0);
    while let Some(head) = RETURNS.iter().find_map(|end| line.strip_suffix(*end)) {
        line = head;
    }
    line
}

/// Strips one prefix. Returns its key, which is empty if the prefix names no source, and the rest
/// of the line.
fn strip_one(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *line.first()?;
    match first {
        b' ' | b'=' => None,
        b'#' => build_step(line)
            .or_else(|| unnamed(command(line)))
            .or_else(|| unnamed(line.strip_prefix(b"# | "))),
        b'0'..=b'9' => unnamed(timestamp(line))
            .or_else(|| ctest(line))
            .or_else(|| logcat_time(line))
            .or_else(|| unnamed(clock(line))),
        b'[' => bracketed(line),
        b'<' => unnamed(syslog_priority(line)),
        0xEF => unnamed(line.strip_prefix(b"\xEF\xBB\xBF")),
        _ if first.is_ascii_alphabetic() => unnamed(bamboo(line))
            .or_else(|| piped(line))
            .or_else(|| gh_columns(line))
            .or_else(|| logcat_brief(line))
            .or_else(|| journal(line))
            .or_else(|| unnamed(syslog_time(line)))
            .or_else(|| unnamed(cri(line))),
        _ => None,
    }
}

/// Adds an empty key to the rest of a line.
fn unnamed(rest: Option<&[u8]>) -> Option<(&[u8], &[u8])> {
    rest.map(|rest| (&[][..], rest))
}

/// Strips a timestamp in RFC 3339 or a similar format: raw GitHub logs
/// (`2026-05-01T12:34:56.1234567Z `), `docker logs -t`, GitLab (followed by `00O ` or `00O+`), log
/// libraries (`2026-05-01 12:34:56,123 `, and Go's `2026/05/01 12:34:56 `).
fn timestamp(line: &[u8]) -> Option<&[u8]> {
    skip_blank_or_gitlab(skip_instant(line)?)
}

/// Skips a date and time.
fn skip_instant(line: &[u8]) -> Option<&[u8]> {
    let rest = strip_digits_like(line, b"0000-00-00T00:00:00")
        .or_else(|| strip_digits_like(line, b"0000-00-00 00:00:00"))
        .or_else(|| strip_digits_like(line, b"0000/00/00 00:00:00"))?;
    let rest = skip_fraction(rest);
    Some(match rest.split_first() {
        Some((b'Z', rest)) => rest,
        Some((b'+' | b'-', zone)) => strip_digits_like(zone, b"00:00")
            .or_else(|| strip_digits_like(zone, b"0000"))
            .unwrap_or(rest),
        _ => rest,
    })
}

/// Skips a blank, and the stream marker of GitLab or the bar of Zuul after it.
fn skip_blank_or_gitlab(rest: &[u8]) -> Option<&[u8]> {
    let rest = skip_blank(rest)?;
    if let Some(columns) = rest.strip_prefix(b"| ") {
        return Some(columns);
    }
    if let [a, b, b'O' | b'E', b' ' | b'+', tail @ ..] = rest
        && a.is_ascii_hexdigit()
        && b.is_ascii_hexdigit()
    {
        return Some(tail);
    }
    Some(rest)
}

/// Strips a time of day: `12:34:56 `, `12:34:56.789 `, and mozharness's `12:34:56     INFO -  `.
fn clock(line: &[u8]) -> Option<&[u8]> {
    let rest = skip_blank(skip_fraction(strip_digits_like(line, b"00:00:00")?))?;
    let word = skip_while(rest, |b| b == b' ');
    for level in [
        &b"INFO - "[..],
        b"WARNING - ",
        b"ERROR - ",
        b"DEBUG - ",
        b"CRITICAL - ",
    ] {
        if let Some(text) = word.strip_prefix(level) {
            return Some(text.strip_prefix(b" ").unwrap_or(text));
        }
    }
    Some(rest)
}

/// Strips the test number of `ctest -V`: `12: text`. An empty line becomes `12: ` or, trimmed,
/// `12:`.
fn ctest(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip_digits(line)?;
    let key = &line[..line.len() - rest.len()];
    let text = skip_blank(rest.strip_prefix(b":")?)?;
    (key.len() <= 7).then_some((key, text))
}

/// Strips BuildKit's step number in the output of `docker build`: `#12 1.234 text`. A frame
/// (`#0 0x…`) has no time after its number.
fn build_step(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip_digits(line.strip_prefix(b"#")?)?;
    let key = &line[..line.len() - rest.len()];
    let seconds = skip_digits(rest.strip_prefix(b" ")?)?;
    let text = skip_fraction(seconds);
    (text.len() < seconds.len()).then_some((key, skip_blank(text)?))
}

/// Strips the commands of Azure Pipelines and GitHub in raw logs: `##[error]`.
fn command(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"##[")?;
    let text = skip_while(rest, |b| b.is_ascii_lowercase());
    (text.len() < rest.len()).then_some(text.strip_prefix(b"]")?)
}

/// Strips the stream of a line in a log of Kubernetes' container runtimes, after its time:
/// `stderr F `.
fn cri(line: &[u8]) -> Option<&[u8]> {
    let rest = line
        .strip_prefix(b"stderr ")
        .or_else(|| line.strip_prefix(b"stdout "))?;
    match rest {
        [b'F' | b'P', text @ ..] => skip_blank(text),
        _ => None,
    }
}

/// Strips the columns of Bamboo's logs: `error<TAB>01-Jun-2026 10:00:00<TAB>`.
fn bamboo(line: &[u8]) -> Option<&[u8]> {
    let rest = skip_while(line, |b| b.is_ascii_lowercase());
    let (day, rest) = rest.strip_prefix(b"\t")?.split_at_checked(3)?;
    let (month, rest) = rest.split_at_checked(3)?;
    let is_date = strip_digits_like(day, b"00-").is_some() && is_month(month);
    let text = strip_digits_like(rest, b"-0000 00:00:00")?;
    is_date.then(|| skip_blank(text))?
}

/// Strips `[…] `: the kernel's time and caller, the time of Jenkins, taskcluster and TeamCity, a
/// level of Maven, kubectl's `[pod/name/container] `.
fn bracketed(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b']', line.get(..MAX_NAME).unwrap_or(line))?;
    if let Some(found) = kernel(&line[1..end], &line[end + 1..]) {
        return Some(found);
    }
    let inside = &line[1..end];
    if let Some(rest) = teamcity(inside, &line[end + 1..]) {
        return Some((&[], rest));
    }
    let rest = skip_blank(&line[end + 1..])?;
    if inside.starts_with(b"pod/") {
        return Some((inside, rest));
    }
    if LEVELS.contains(&inside) || is_date_of_dmesg(inside) || is_seconds(inside) {
        return Some((&[], rest));
    }
    let time = inside.strip_prefix(b"task ").unwrap_or(inside);
    let is_whole = |rest: Option<&[u8]>| rest.is_some_and(<[u8]>::is_empty);
    let clock = strip_digits_like(time, b"00:00:00").map(skip_fraction);
    (is_whole(skip_instant(time)) || is_whole(clock)).then_some((&[], rest))
}

/// The levels of Maven's log.
const LEVELS: &[&[u8]] = &[b"INFO", b"WARN", b"WARNING", b"ERROR", b"DEBUG"];

/// Strips the rest of a line's start in a build log of TeamCity, after its time in brackets:
/// `[10:00:00]W:<TAB> [Step 1/2] `. The letter is the severity.
fn teamcity<'a>(time: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
    strip_digits_like(time, b"00:00:00").filter(|rest| rest.is_empty())?;
    let rest = skip_while(rest, |b| b == b' ' || b.is_ascii_alphabetic());
    let text = rest.strip_prefix(b":\t")?;
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let after_step = text.strip_prefix(b"[Step ").and_then(|step| {
        let end = memchr(b']', step.get(..MAX_NAME).unwrap_or(step))?;
        skip_blank(&step[end + 1..])
    });
    Some(after_step.unwrap_or(text))
}

/// Returns true for the time in the output of `dmesg -T`: `Sat Jun  1 10:00:00 2026`.
fn is_date_of_dmesg(text: &[u8]) -> bool {
    let Some((head, rest)) = text.split_at_checked(7) else {
        return false;
    };
    let rest = strip_digits_like(rest, b" 00 00:00:00 0000")
        .or_else(|| strip_digits_like(rest, b"  0 00:00:00 0000"));
    is_month(&head[4..]) && rest.is_some_and(<[u8]>::is_empty)
}

/// Returns true for the time in a build log of the Open Build Service: `  123s`.
fn is_seconds(text: &[u8]) -> bool {
    skip_digits(skip_while(text, |b| b == b' ')) == Some(b"s")
}

fn is_month(text: &[u8]) -> bool {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    MONTHS.chunks(3).any(|month| month == text)
}

/// Strips the kernel's `[  159.251672]`, `[ T1234]` and `[    C0]`: the time, and the thread or
/// processor that printed the line. Several kernel threads may print at the same time.
fn kernel<'a>(inside: &'a [u8], rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let inside = skip_while(inside, |b| b == b' ');
    let key = match inside {
        [b'T' | b'C', digits @ ..] if skip_digits(digits).is_some_and(<[u8]>::is_empty) => inside,
        _ => {
            let seconds = skip_digits(inside)?;
            let is_time = seconds.starts_with(b".") && skip_fraction(seconds).is_empty();
            is_time.then_some(&[][..])?
        }
    };
    let needs_no_blank = rest.is_empty() || rest.starts_with(b"[");
    let rest = if needs_no_blank {
        rest
    } else {
        skip_blank(rest)?
    };
    Some((key, rest))
}

/// Strips syslog's priority in the output of `dmesg -r`: `<4>`.
fn syslog_priority(line: &[u8]) -> Option<&[u8]> {
    skip_digits(line.strip_prefix(b"<")?)?.strip_prefix(b">")
}

/// Strips `name | `: docker compose and foreman, and Firefox's `PID 123 | ` and `GECKO(123) | `.
fn piped(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let bar = memchr(b'|', line.get(..MAX_NAME).unwrap_or(line))?;
    let rest = skip_blank(&line[bar + 1..])?;
    let name = line[..bar].trim_ascii_end();
    let word = name.strip_prefix(b"PID ").unwrap_or(name);
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._-()/:@".contains(b);
    (name.len() < bar && !word.is_empty() && word.iter().all(is_allowed)).then_some((name, rest))
}

/// Strips the columns of `gh run view --log`: `job<TAB>step<TAB>2026-05-01T12:34:56.1234567Z text`.
/// The first line has a byte-order mark before its timestamp.
fn gh_columns(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = line.get(..2 * MAX_NAME).unwrap_or(line);
    let first = memchr(b'\t', head)?;
    let second = first + 1 + memchr(b'\t', &head[first + 1..])?;
    let rest = &line[second + 1..];
    let rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
    skip_instant(rest)?;
    Some((&line[..second], rest))
}

/// Strips the prefix of Android's `logcat -v brief`: `E/tag ( 1234): text`. The pid is the key.
fn logcat_brief(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'V' | b'D' | b'I' | b'W' | b'E' | b'F', b'/', tag @ ..] = line else {
        return None;
    };
    let open = memchr(b'(', tag.get(..MAX_NAME).unwrap_or(tag))?;
    let pid = skip_while(&tag[open + 1..], |b| b == b' ');
    let rest = skip_digits(pid)?;
    let key = &pid[..pid.len() - rest.len()];
    Some((key, skip_blank(rest.strip_prefix(b"):")?)?))
}

/// Strips the prefix of Android's `logcat -v threadtime`:
/// `05-10 12:00:00.000  1234  1240 I tag : text`. The pid is the key.
fn logcat_time(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let skip_spaces = |bytes| skip_while(bytes, |b| b == b' ');
    let pid = skip_spaces(strip_digits_like(line, b"00-00 00:00:00.000 ")?);
    let thread = skip_digits(pid)?;
    let key = &pid[..pid.len() - thread.len()];
    let rest = skip_spaces(skip_digits(skip_spaces(thread))?);
    let [b'V' | b'D' | b'I' | b'W' | b'E' | b'F', b' ', tag @ ..] = rest else {
        return None;
    };
    let colon = memchr(b':', tag.get(..MAX_NAME).unwrap_or(tag))?;
    Some((key, skip_blank(&tag[colon + 1..])?))
}

/// Strips the prefix of journald and syslog: `May 01 12:34:56 host program[123]: text`, without a
/// pid for the kernel. Program and pid are the key.
fn journal(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = syslog_time(line)?;
    let host = memchr(b' ', rest.get(..MAX_NAME).unwrap_or(rest))?;
    if host == 0 || matches!(rest[host - 1], b':' | b'=') {
        return None;
    }
    let program = &rest[host + 1..];
    let end = memchr(b':', program.get(..MAX_NAME).unwrap_or(program))?;
    let name = &program[..end];
    // Without a pid, a word such as `ERROR` may belong to the text after a time.
    let is_name = (name.ends_with(b"]") || name.first().is_some_and(u8::is_ascii_lowercase))
        && !name.iter().any(|b| matches!(b, b' ' | b'='));
    is_name.then_some((name, skip_blank(&program[end + 1..])?))
}

/// Strips the time of syslog, which `ts` writes before lines too: `May 01 12:34:56 `.
fn syslog_time(line: &[u8]) -> Option<&[u8]> {
    let (month, rest) = line.split_at_checked(3)?;
    if !is_month(month) {
        return None;
    }
    let rest = strip_digits_like(rest, b" 00 00:00:00")
        .or_else(|| strip_digits_like(rest, b"  0 00:00:00"))?;
    skip_blank(skip_fraction(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, key: &str, rest: &str) {
        let got = strip(line.as_bytes());
        let keys = [got.keys[0], got.keys[1]].join(&b'+');
        let keys = alloc::string::String::from_utf8_lossy(&keys)
            .trim_end_matches('+')
            .to_owned();
        assert_eq!(
            (keys.as_str(), core::str::from_utf8(got.rest).unwrap()),
            (key, rest),
            "{line:?}"
        );
    }

    use alloc::borrow::ToOwned;

    #[test]
    fn prefixes_are_stripped() {
        check("2026-05-01T12:34:56.1234567Z ==1== x", "", "==1== x");
        check("2026-05-01T12:34:56.123456Z 00O ==1== x", "", "==1== x");
        check("2026-05-01T12:34:56Z 01E+==1== x", "", "==1== x");
        check(
            "2026-05-01T12:34:56.1234567Z     #0 0x1 in f",
            "",
            "    #0 0x1 in f",
        );
        check("2026-05-01 12:34:56,123 ==1== x", "", "==1== x");
        check("12: ==1== x\r", "12", "==1== x");
        check("12:", "12", "");
        check("svc-1  | ==1== x", "svc-1", "==1== x");
        check("#12 1.234 ==1== x", "#12", "==1== x");
        check("#12 10.5     #0 0x1 in f", "#12", "    #0 0x1 in f");
        check("svc-1  | 7: ==1== x", "svc-1+7", "==1== x");
        check("PID 4242 | ==1== x", "PID 4242", "==1== x");
        check("GECKO(12) | ==1== x", "GECKO(12)", "==1== x");
        check(
            "[task 2026-05-01T12:34:56.123Z] 12:34:56     INFO -  GECKO(12) | x",
            "GECKO(12)",
            "x",
        );
        check("[pod/a/b] ==1== x", "pod/a/b", "==1== x");
        check("[  159.251672] [ T12] BUG", "T12", "BUG");
        check("[  472.680102][   C9] BUG", "C9", "BUG");
        check("[  472.680102][ T9268]", "T9268", "");
        check("[  472.680102]x", "", "[  472.680102]x");
        check("<4>[  159.251672] BUG", "", "BUG");
        check(
            "build\tRun tests\t2026-05-01T12:34:56.1234567Z ==1== x",
            "build\tRun tests",
            "==1== x",
        );
        check(
            "build\tRun\t\u{feff}2026-05-01T12:34:56.1234567Z x",
            "build\tRun",
            "x",
        );
        check("E/asan ( 12): ==1== x", "12", "==1== x");
        check(
            "05-10 12:00:00.000  1234  1240 I wrap.sh : ==1== x",
            "1234",
            "==1== x",
        );
        check(
            "May 01 12:34:56 host prog[12]: ==1== x",
            "prog[12]",
            "==1== x",
        );
        check("\u{feff}2026-05-01T12:34:56.1234567Z x", "", "x");
        check(
            "May 01 12:34:56 host kernel:  f+0x1/0x2",
            "kernel",
            " f+0x1/0x2",
        );
        check("[Sat Jun  1 10:00:00 2026]  f+0x1/0x2", "", " f+0x1/0x2");
        check("2026-05-01T12:34:56.123456789Z stderr F   x", "", "  x");
        check("2026-05-01 12:34:56.123456 | node-1 | x", "node-1", "x");
        check("2026-05-01T12:34:56.1234567Z ##[error]  x", "", "  x");
        check("error\t01-Jun-2026 10:00:00\t  x", "", "  x");
        check("[  123s]   x", "", "  x");
        check("[ERROR]   x", "", "  x");
        check("[10:00:00]W:\t [Step 1/2]   x", "", "  x");
        check("[10:00:00] :\t   x", "", "  x");
        check("May 01 12:34:56   x", "", "  x");
        check("May 01 12:34:56 ==1== x", "", "==1== x");
        check("May 01 12:34:56 SUMMARY: Tool: x", "", "SUMMARY: Tool: x");
        check("May 01 12:34:56.123456 host prog[1]: x", "prog[1]", "x");
        check("May 01 12:34:56 Scudo ERROR: x", "", "Scudo ERROR: x");
        check("2026/05/01 12:34:56   x", "", "  x");
        check("# |   x", "", "  x");
        check("\0\0==1== x\0", "", "==1== x");
        check("==1== x^M", "", "==1== x");
        check("  x#015", "", "  x");
    }

    #[test]
    fn lines_without_prefix_are_unchanged() {
        for line in [
            "==1== x",
            "    #0 0x1 in f a|b",
            "#0 0x1 in f",
            "#1 f a.c:1",
            "0x602000000014 is located 0 bytes after",
            "SUMMARY: AddressSanitizer: a | b",
            "[ RUN      ] A.B",
            "12:34 x",
            "123456789: x",
            "a b | c",
            "| x",
            "E/no pid",
            "",
        ] {
            check(line, "", line);
        }
    }
}
