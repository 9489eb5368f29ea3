//! Seeded noise: the lines of a CI log between reports. Each kind contains the characters that make
//! it hard to search.

use std::fmt::Write as _;

use fastrand::Rng;

/// One kind of noise.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Appends some lines.
    lines: fn(&mut Rng, &mut String),
    /// Appends the prefix of a line; lines of reports get one, too.
    prefix: fn(&mut Rng, &mut String),
}

/// All kinds.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "GitHub time stamps",
        lines: build,
        prefix: time_stamp,
    },
    Kind {
        name: "pytest output",
        lines: pytest,
        prefix: nothing,
    },
    Kind {
        name: "compiler output",
        lines: compiler,
        prefix: nothing,
    },
    Kind {
        name: "JSON lines",
        lines: json,
        prefix: nothing,
    },
    Kind {
        name: "package lists",
        lines: packages,
        prefix: nothing,
    },
];

impl Kind {
    /// Returns whole lines of at least `bytes` bytes together.
    pub(crate) fn block(&self, rng: &mut Rng, bytes: usize) -> String {
        let mut out = String::with_capacity(bytes + 4096);
        let mut lines = String::new();
        while out.len() < bytes {
            lines.clear();
            (self.lines)(rng, &mut lines);
            self.wrap(&lines, rng, &mut out);
        }
        out
    }

    /// Appends a text line by line, with the prefixes of this kind of log.
    pub(crate) fn wrap(&self, text: &str, rng: &mut Rng, out: &mut String) {
        for line in text.lines() {
            (self.prefix)(rng, out);
            out.push_str(line);
            out.push('\n');
        }
    }
}

const WORDS: &[&str] = &[
    "value", "index", "buffer", "request", "parser", "thread", "memory", "cache", "worker",
    "session", "stream", "packet", "header", "token", "config", "schema", "cursor", "latch",
    "queue", "socket", "leak", "error", "address", "direct", "summary", "asan",
];

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.usize(..WORDS.len())]
}

fn nothing(_: &mut Rng, _: &mut String) {}

fn time_stamp(rng: &mut Rng, out: &mut String) {
    let (minute, second, rest) = (rng.u8(..60), rng.u8(..60), rng.u32(..10_000_000));
    let _ = write!(out, "2026-05-01T12:{minute:02}:{second:02}.{rest:07}Z ");
}

/// Output of package managers, test runners and shells.
fn build(rng: &mut Rng, out: &mut String) {
    let (a, b, n) = (word(rng), word(rng), rng.u32(..100_000));
    let _ = match rng.u8(..6) {
        0 => writeln!(out, "   Compiling {a}-{b} v0.{}.{}", n % 40, n % 7),
        1 => writeln!(out, "test {a}::{b}::handles_{n} ... ok"),
        2 => {
            writeln!(
                out,
                "Get:{n} http://archive.example/ubuntu noble/main amd64 lib{a}-dev amd64 {}.{} [{n} kB]",
                n % 9,
                n % 31
            )
        }
        3 => writeln!(out, "##[group]Run {a} --{b}={n}"),
        4 => writeln!(
            out,
            "[{}/{n}] Building CXX object src/CMakeFiles/{a}.dir/{b}_{n}.cc.o",
            n / 2
        ),
        _ => writeln!(out, "+ {a} --{b} \"$HOME/{a}/{n}\" && test {n} -eq {n}"),
    };
}

/// Long lines of `=`, percentages, and code that contains `==`.
fn pytest(rng: &mut Rng, out: &mut String) {
    let (a, b, n) = (word(rng), word(rng), rng.u32(..1000));
    let _ = match rng.u8(..8) {
        0 => writeln!(out, "{} FAILURES {}", "=".repeat(70), "=".repeat(70)),
        1 => writeln!(
            out,
            "{} {n} passed, 3 failed in {n}.12s {}",
            "=".repeat(50),
            "=".repeat(50)
        ),
        2 => writeln!(out, "{} test_{a}_{b} {}", "_".repeat(40), "_".repeat(40)),
        3 => writeln!(
            out,
            ">       assert {a}.{b}[{n}] == expected[\"{b}\"] and left==right"
        ),
        4 => writeln!(out, "E       AssertionError: assert {n} == {}", n + 1),
        _ => writeln!(
            out,
            "tests/unit/test_{a}.py::TestGate::test_{b}[{n}] PASSED{:>20} {:>3}%]",
            "[",
            n % 100
        ),
    };
}

/// Warnings with carets, and command lines with sanitizer flags.
fn compiler(rng: &mut Rng, out: &mut String) {
    let (a, b, n) = (word(rng), word(rng), rng.u32(1..4000));
    let _ = match rng.u8(..4) {
        0 => writeln!(
            out,
            "clang++ -O1 -g -fsanitize=address,undefined -DNDEBUG -I../{a} -c ../src/{a}/{b}.cc -o obj/{a}/{b}.{n}.o"
        ),
        1 => writeln!(
            out,
            "../src/{a}/{b}.cc:{n}:12: warning: comparison of integers of different signs [-Wsign-compare]"
        ),
        2 => writeln!(
            out,
            " {n:>4} |     if ({a}->{b} == nullptr || count<={n}) return {b};\n      |         ~~~~~~~~~~~^~~~~~~~~~"
        ),
        _ => writeln!(
            out,
            "In file included from ../src/{a}/{b}.h:{n},\n                 from ../src/{b}/{a}.cc:{}:",
            n / 2
        ),
    };
}

/// Pins such as `oauth2==3.1`, which look like the start of a report: a digit before `==`.
fn packages(rng: &mut Rng, out: &mut String) {
    let (a, b, n) = (word(rng), word(rng), rng.u32(..400));
    let _ = match rng.u8(..8) {
        0 => writeln!(
            out,
            "Requirement already satisfied: {a}{}=={}.{} in ./venv/lib/python3.13/site-packages",
            n % 9,
            n / 20,
            n % 20
        ),
        1 => writeln!(
            out,
            "Downloading {a}_{b}-{}.{}-py3-none-any.whl.metadata ({n} kB)",
            n / 20,
            n % 20
        ),
        2 => writeln!(
            out,
            "  {a}-{b}>={}.{}; python_version==\"3.{}\" and extra == \"{b}\"",
            n / 20,
            n % 20,
            n % 14
        ),
        3 => writeln!(
            out,
            "    sha512-{:016x}{:016x}{:016x}Ag==",
            rng.u64(..),
            rng.u64(..),
            rng.u64(..)
        ),
        _ => writeln!(
            out,
            "Collecting {a}-{b}=={}.{} (from -r requirements.txt (line {n}))",
            n / 20,
            n % 20
        ),
    };
}

/// Structured logs: numbers everywhere, long lines.
fn json(rng: &mut Rng, out: &mut String) {
    let (a, b, n, id) = (word(rng), word(rng), rng.u32(..1_000_000), rng.u64(..));
    let _ = writeln!(
        out,
        "{{\"time\":\"2026-05-01T12:34:{:02}.{n:06}Z\",\"level\":\"info\",\"target\":\"{a}::{b}\",\"fields\":{{\"message\":\"{b} of {a} done\",\
         \"elapsed_ms\":{}.{},\"id\":\"{id:016x}\",\"retries\":{},\"ok\":true}}}}",
        n % 60,
        n % 977,
        n % 10,
        n % 4
    );
}
