//! Changes to lines by CI systems, runners and terminals.

use super::dice::Dice;

/// The name of a prefix, whether it names a source, and its text for a line number.
type Prefix = (&'static str, bool, fn(usize) -> String);

/// The prefixes that leakgate supports.
pub(crate) const PREFIXES: &[Prefix] = &[
    ("github", false, |n| {
        format!(
            "2026-05-01T12:34:{:02}.{:07}Z ",
            n / 1000 % 60,
            n % 1000 * 10_000
        )
    }),
    ("gitlab", false, |n| {
        format!("2026-05-01T12:34:56.{:06}Z 00O ", n % 1_000_000)
    }),
    ("a log library", false, |n| {
        format!("2026-05-01 12:34:{:02},{:03} ", n / 1000 % 60, n % 1000)
    }),
    ("jenkins", false, |n| {
        format!("[2026-05-01T12:34:56.{:03}Z] ", n % 1000)
    }),
    ("a time of day", false, |n| {
        format!("12:34:56.{:03} ", n % 1000)
    }),
    ("the kernel", false, |n| {
        format!("[  159.{:06}] ", n % 1_000_000)
    }),
    ("ctest", true, |_| "12: ".to_owned()),
    ("compose", true, |_| "svc-1  | ".to_owned()),
    ("buildkit", true, |n| {
        format!("#12 {}.{:03} ", n / 1000, n % 1000)
    }),
    ("kubectl", true, |_| "[pod/a/b] ".to_owned()),
    ("journald", true, |_| {
        "May 01 12:34:56 host prog[12]: ".to_owned()
    }),
    ("gh run view", true, |n| {
        format!(
            "build\tRun tests\t2026-05-01T12:34:56.{:07}Z ",
            n % 1000 * 10_000
        )
    }),
    ("logcat", true, |_| "E/asan ( 1234): ".to_owned()),
];

/// Splits a text into lines with their line feeds.
pub(crate) fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// Splits a line into its text and its line feed.
pub(crate) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    line.split_at(text.len())
}

/// Changes all lines, without their line feeds; with `some`, only about every third one.
pub(crate) fn each(
    text: &mut Vec<u8>,
    some: Option<&mut Dice>,
    change: impl Fn(usize, &[u8]) -> Vec<u8>,
) {
    let mut dice = some;
    let mut out = Vec::with_capacity(text.len() * 2);
    for (number, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        let (line, end) = split(line);
        if dice.as_mut().is_none_or(|dice| dice.one_in(3)) {
            out.extend(change(number, line));
        } else {
            out.extend(line);
        }
        out.extend(end);
    }
    *text = out;
}

/// Returns a change that adds the prefix.
pub(crate) fn prefixed(prefix: Prefix) -> impl Fn(usize, &[u8]) -> Vec<u8> {
    move |number, line| [prefix.2(number).as_bytes(), line].concat()
}

/// Adds colours to a line.
pub(crate) fn coloured(number: usize, line: &[u8]) -> Vec<u8> {
    [
        format!("\x1b[{};1m", 31 + number % 6).as_bytes(),
        line,
        b"\x1b[0m",
    ]
    .concat()
}

/// Replaces the pids in all places where a checker prints them.
pub(crate) fn with_pids(text: &[u8], other: &dyn Fn(u64) -> u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut at = 0;
    while at < text.len() {
        let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let number = &text[at..at + digits];
        match std::str::from_utf8(number)
            .ok()
            .and_then(|n| n.parse().ok())
        {
            Some(pid) if is_pid(&text[..at], &text[at + digits..]) => {
                out.extend(other(pid).to_string().bytes())
            }
            _ => out.extend(number),
        }
        at += digits;
    }
    out
}

/// Returns true if a number with this text before and after it is a pid.
fn is_pid(before: &[u8], after: &[u8]) -> bool {
    let start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |n| n + 1);
    let line = &before[start..];
    let tagged = [&b"=="[..], b"--", b"**"].iter().any(|mark| {
        let stamped = line.starts_with(mark) && line.ends_with(b" ") && line.len() == 18;
        after.starts_with(mark) && (line.ends_with(mark) || stamped)
    });
    tagged
        || [&b"<pid>"[..], b"<ppid>", b"Parent PID: "]
            .iter()
            .any(|lead| line.ends_with(lead))
}
