//! Changes that remove nothing from a log.

use super::Files;
use super::dice::Dice;
use super::wrap::{self, PREFIXES};

/// Lines of build tools, test runners and programs.
const NOISE: &[&str] = &[
    "[ 50%] Building CXX object CMakeFiles/a.dir/a.cc.o",
    "c++ -g -fsanitize=address,leak -o a a.cc",
    "a.c:3:5: warning: unused variable 'x' [-Wunused-variable]",
    "    3 |   int x = y == 0 ? a : b;",
    "tests/test_a.py::test_one PASSED                                         [ 50%]",
    "========================= 12 passed, 1 skipped in 0.12s =========================",
    "_________________________________ test_two __________________________________",
    "{\"level\":\"info\",\"msg\":\"ready\",\"pid\":4201}",
    "test tests::it_works ... ok",
    "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
    "[       OK ] A.B (0 ms)",
    "[==========] 1 test from 1 test suite ran. (0 ms total)",
    "1/2 Test  #1: a ................................   Passed    0.01 sec",
    "requirements: oauth2==3.1 six==1.16.0",
    "##[group]Run make test",
    "#0 building with \"default\" instance using docker driver",
    "<testsuite name=\"a\" tests=\"1\" failures=\"0\"/>",
    "error: this is what the program prints",
    "",
    "\tat com.example.Main.main(Main.java:3)",
];

/// Returns true for files in UTF-8 without NUL, which can be changed line by line.
pub(crate) fn is_plain(files: &Files) -> bool {
    files
        .iter()
        .all(|(_, text)| std::str::from_utf8(text).is_ok() && !text.contains(&0))
}

/// Returns true for a log without summaries, which looks truncated in the same file as other logs.
pub(crate) fn is_quiet(files: &[(String, Vec<u8>)]) -> bool {
    files.iter().any(|(_, text)| {
        let text = String::from_utf8_lossy(text);
        text.contains("== ")
            && !["ERROR SUMMARY", "error detector", "Sanitizer"]
                .iter()
                .any(|word| text.contains(word))
    })
}

/// Changes all pids by the same number.
pub(crate) fn other_pids(files: &mut Files, dice: &mut Dice) {
    let shift = 1000 + dice.below(50_000) as u64;
    // The pids of unchecked parents stay, and so do the small pids of containers.
    let other = |pid: u64| if pid < 300 { pid } else { pid + shift };
    for (_, text) in files.iter_mut() {
        *text = wrap::with_pids(text, &other);
    }
}

/// Moves all addresses by the same number of pages. Offsets in a file stay.
pub(crate) fn other_addresses(files: &mut Files, dice: &mut Dice) {
    let shift = 0x1000 * (1 + dice.below(200) as u64);
    for (_, text) in files.iter_mut() {
        *text = with_addresses(text, shift);
    }
}

fn with_addresses(text: &[u8], shift: u64) -> Vec<u8> {
    const LOWEST: u64 = 0x10_0000;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let is_number =
            at == 0 || !(text[at - 1].is_ascii_alphanumeric() || b"+_".contains(&text[at - 1]));
        if !(is_number && text[at..].starts_with(b"0x")) {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let digits = text[at + 2..]
            .iter()
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        let number = std::str::from_utf8(&text[at + 2..at + 2 + digits]).expect("hex digits");
        match u64::from_str_radix(number, 16) {
            Ok(address) if (LOWEST..u64::MAX / 2).contains(&address) => {
                let moved = address + shift;
                let large = number.bytes().any(|b| b.is_ascii_uppercase());
                let moved = if large {
                    format!("{moved:0digits$X}")
                } else {
                    format!("{moved:0digits$x}")
                };
                out.extend(b"0x");
                out.extend(moved.bytes());
            }
            _ => out.extend(&text[at..at + 2 + digits]),
        }
        at += 2 + digits;
    }
    out
}

/// Adds lines of other programs before and after a report.
pub(crate) fn noise(text: &mut Vec<u8>, dice: &mut Dice) {
    let some = |dice: &mut Dice| -> Vec<u8> {
        (0..dice.below(6))
            .flat_map(|_| format!("{}\n", dice.pick(NOISE)).into_bytes())
            .collect()
    };
    let before = some(dice);
    let after = some(dice);
    if !text.ends_with(b"\n") && !after.is_empty() {
        text.push(b'\n');
    }
    *text = [before, std::mem::take(text), after].concat();
}

/// Changes every line of all files like a runner, a terminal or an editor. A second prefix with a
/// source is never added: `has_source` is set with the first one.
pub(crate) fn wrapped(files: &mut Files, has_source: &mut bool, dice: &mut Dice) -> String {
    let every = |files: &mut Files, change: &dyn Fn(usize, &[u8]) -> Vec<u8>| {
        files
            .iter_mut()
            .for_each(|(_, text)| wrap::each(text, None, change));
    };
    match dice.below(7) {
        0..3 => {
            let prefix = *dice.pick(PREFIXES);
            if prefix.1 && std::mem::replace(has_source, true) {
                return "nothing".to_owned();
            }
            every(files, &wrap::prefixed(prefix));
            format!("the prefix of {}", prefix.0)
        }
        3 => {
            every(files, &wrap::coloured);
            "colours".to_owned()
        }
        4 => {
            every(files, &|_, line| [line.trim_ascii_end(), b"\r"].concat());
            "windows line ends".to_owned()
        }
        5 => {
            every(files, &|_, line| match line.strip_suffix(b"\r") {
                Some(line) => [line, b"  \r"].concat(),
                None => [line, b"  "].concat(),
            });
            "trailing blanks".to_owned()
        }
        _ => {
            every(files, &|_, line| line.trim_ascii_end().to_vec());
            "no trailing blanks".to_owned()
        }
    }
}

/// Converts a text to UTF-16 with a byte order mark.
pub(crate) fn in_utf16(text: &mut Vec<u8>, little: bool) {
    let units = format!("\u{feff}{}", String::from_utf8_lossy(text));
    let bytes = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    *text = units.encode_utf16().flat_map(bytes).collect();
}
