//! Real reports as CI systems change them: the same bytes with prefixes and other additions.

use std::fs;
use std::path::Path;

use super::make::write_reports;
use super::matrix::Wrapped;
use crate::Outcome;

/// Creates one wrapped case from the reports of other cases.
pub(super) fn make(home: &Path, wrapped: &Wrapped) -> Outcome {
    let mut reports = Vec::new();
    for origin in &wrapped.of {
        let report = home.join(origin).join("report.txt");
        let bytes = fs::read(&report);
        reports.push(bytes.map_err(|error| format!("{}: {error}", report.display()))?);
    }
    let (Some(origin), Some(first)) = (wrapped.of.first(), reports.first()) else {
        return Err(format!("{}: `of` is empty", wrapped.name).into());
    };
    let bytes = match wrapped.wrapped.as_str() {
        "github-raw" => github_raw(first),
        "github-group" => github_group(first),
        "ctest" => before_each(first, |_| "12: ".to_owned()),
        "compose" => before_each(first, |_| "svc-1  | ".to_owned()),
        "compose-two" => compose_two(&reports)?,
        "colours" => before_each(first, |_| "\u{1b}[36mapp_1  |\u{1b}[0m ".to_owned()),
        "crlf" => replace_line_ends(first, b"\r\n"),
        "nextest" => before_each(first, |_| "    ".to_owned()),
        "firefox" => before_each(first, |_| "PID 4242 | ".to_owned()),
        "utf16" => utf16(first),
        "invalid-utf8" => invalid_utf8(first),
        "cut" => first.get(..first.len() / 2).unwrap_or_default().to_vec(),
        "no-trailing-space" => no_trailing_space(first),
        other => {
            return Err(format!("{}: unknown value `{other}` of `wrapped`", wrapped.name).into());
        }
    };
    let folder = home.join(&wrapped.name);
    write_reports(&folder, &[bytes])?;
    fs::write(folder.join("case.toml"), describe(home, origin, wrapped)?)?;
    Ok(())
}

/// Returns the description of the first origin, with the change added.
fn describe(home: &Path, origin: &str, wrapped: &Wrapped) -> Outcome<String> {
    let text = fs::read_to_string(home.join(origin).join("case.toml"))?;
    let kept = text.lines().filter(|line| !line.starts_with("note ="));
    let mut lines: Vec<String> = kept.map(str::to_owned).collect();
    lines.push(format!("of = {}", toml::Value::from(wrapped.of.clone())));
    lines.push(format!(
        "wrapped = {}",
        toml::Value::from(wrapped.wrapped.as_str())
    ));
    let note = wrapped.note.as_deref();
    lines.extend(note.map(|note| format!("note = {}", toml::Value::from(note))));
    Ok(lines.join("\n") + "\n")
}

/// Returns the lines of a report without line ends; an unterminated last line counts.
fn lines(report: &[u8]) -> impl Iterator<Item = &[u8]> {
    report
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

fn before_each(report: &[u8], prefix: impl Fn(usize) -> String) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, line) in lines(report).enumerate() {
        out.extend_from_slice(prefix(index).as_bytes());
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

fn replace_line_ends(report: &[u8], end: &[u8]) -> Vec<u8> {
    lines(report)
        .flat_map(|line| [line, end].concat())
        .collect()
}

/// Returns the time of a line with GitHub's seven digits: a line every 1.25 ms from a fixed time.
fn moment(index: usize) -> String {
    let ticks = 345_678_900 + index * 12_500;
    let second = ticks / 10_000_000;
    let fraction = ticks % 10_000_000;
    format!(
        "2026-05-01T12:{:02}:{:02}.{fraction:07}Z ",
        34 + second / 60,
        second % 60
    )
}

/// Returns the raw log of a job: a byte order mark, then a time before every line.
fn github_raw(report: &[u8]) -> Vec<u8> {
    [b"\xef\xbb\xbf".as_slice(), &before_each(report, moment)].concat()
}

/// Returns a raw log in which a step prints the report and fails.
fn github_group(report: &[u8]) -> Vec<u8> {
    let text = [
        b"##[group]Run ./run-tests.sh\n./run-tests.sh\nshell: /usr/bin/bash -e {0}\n##[endgroup]\n"
            .as_slice(),
        report,
        b"##[error]Process completed with exit code 1.\n".as_slice(),
    ];
    github_raw(&text.concat())
}

/// Interleaves the lines of two services; the rest of the longer one follows.
fn compose_two(reports: &[Vec<u8>]) -> Outcome<Vec<u8>> {
    let [first, second] = reports else {
        return Err("compose-two needs two reports".into());
    };
    let mut first = lines(first);
    let mut second = lines(second);
    let mut out = Vec::new();
    loop {
        let pair = [
            ("api-1     | ", first.next()),
            ("worker-1  | ", second.next()),
        ];
        if pair.iter().all(|(_, line)| line.is_none()) {
            return Ok(out);
        }
        for (service, line) in pair {
            let whole = line.map(|line| [service.as_bytes(), line, b"\n"].concat());
            out.extend(whole.into_iter().flatten());
        }
    }
}

/// Returns the output of PowerShell's `>`: UTF-16LE with a byte order mark and CRLF.
fn utf16(report: &[u8]) -> Vec<u8> {
    let text = format!(
        "\u{feff}{}",
        String::from_utf8_lossy(&replace_line_ends(report, b"\r\n"))
    );
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Inserts a line with invalid UTF-8 in the middle of the report, as if the program had printed it.
fn invalid_utf8(report: &[u8]) -> Vec<u8> {
    let all: Vec<&[u8]> = lines(report).collect();
    let middle = all.len() / 2;
    let (head, tail) = all.split_at(middle);
    let foreign: &[u8] = b"read record: \xff\xfe\x80 caf\xe9 \xc3";
    let joined = head.iter().chain([&foreign]).chain(tail);
    joined.flat_map(|line| [*line, b"\n"].concat()).collect()
}

/// Removes trailing spaces, as editors and mail programs do.
fn no_trailing_space(report: &[u8]) -> Vec<u8> {
    lines(report)
        .flat_map(|line| [line.trim_ascii_end(), b"\n"].concat())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_interleaved_until_both_end() {
        let out = compose_two(&[b"a\nb\n".to_vec(), b"c\n".to_vec()]).unwrap();
        assert_eq!(out, b"api-1     | a\nworker-1  | c\napi-1     | b\n");
    }

    #[test]
    fn utf16_has_a_byte_order_mark() {
        assert_eq!(utf16(b"a\n"), b"\xff\xfea\0\r\0\n\0");
    }

    #[test]
    fn time_increases() {
        assert_eq!(moment(0), "2026-05-01T12:34:34.5678900Z ");
        assert_eq!(moment(800), "2026-05-01T12:34:35.5678900Z ");
    }
}
