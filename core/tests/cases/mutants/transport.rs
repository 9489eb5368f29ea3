//! What happens to a log on its way from a checker to a file: prefixes, carriers such as JSON,
//! encodings, white space. None of it changes what the log says.

use std::fmt::Write as _;

/// Wraps a log in one way.
pub(crate) struct Transport {
    pub(crate) name: &'static str,
    /// Each line keeps its number.
    pub(crate) keeps_lines: bool,
    /// Dialects whose text the transport can't keep apart from its own, with the reason in a
    /// comment at the entry.
    except: &'static [&'static str],
    wrap: Wrap,
}

/// The way in which a log is wrapped.
enum Wrap {
    /// Each line by itself, given its number from 0.
    Line(fn(usize, &str) -> String),
    /// The whole log.
    Log(fn(&str) -> Vec<u8>),
}

impl Transport {
    /// Returns true if the text of the files survives.
    pub(crate) fn carries(&self, files: &[(String, Vec<u8>)]) -> bool {
        files.iter().all(|(_, bytes)| {
            std::str::from_utf8(bytes).is_ok_and(|text| {
                !text.contains('\0') && !self.except.iter().any(|part| text.contains(part))
            })
        })
    }

    pub(crate) fn wrap(&self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        match self.wrap {
            Wrap::Line(wrap) => {
                let lines = text.lines().enumerate();
                lines
                    .map(|(number, line)| wrap(number, line) + "\n")
                    .collect::<String>()
                    .into_bytes()
            }
            Wrap::Log(wrap) => wrap(&text),
        }
    }
}

const fn line(name: &'static str, wrap: fn(usize, &str) -> String) -> Transport {
    Transport {
        name,
        keeps_lines: true,
        except: &[],
        wrap: Wrap::Line(wrap),
    }
}

const fn log(name: &'static str, keeps_lines: bool, wrap: fn(&str) -> Vec<u8>) -> Transport {
    Transport {
        name,
        keeps_lines,
        except: XML,
        wrap: Wrap::Log(wrap),
    }
}

const fn except(transport: Transport, except: &'static [&'static str]) -> Transport {
    Transport {
        except,
        ..transport
    }
}

/// XML isn't written to the logs that these transports carry.
const XML: &[&str] = &["<?xml", "<valgrindoutput>", "<avrf:", "<error>"];

/// All transports.
pub(crate) const ALL: &[Transport] = &[
    GITHUB,
    line("ctest numbers", |_, line| format!("12: {line}")),
    COMPOSE,
    WINDOWS,
    line("colours", |n, line| {
        format!("\x1b[{}m{line}\x1b[0m", 31 + n % 6)
    }),
    line("time stamps before a service", |n, line| {
        format!("2026-05-01T12:34:56.{n:07}Z svc-1  | {line}")
    }),
    JENKINS,
    line("azure errors", |n, line| {
        format!("2026-05-01T12:34:56.{n:07}Z ##[error]{line}")
    }),
    line("a container runtime", |n, line| {
        format!("2026-05-01T12:34:56.{n:09}Z stderr F {line}")
    }),
    line("readable kernel times", |n, line| {
        format!(
            "[Sat May  2 12:{:02}:{:02} 2026] {line}",
            n / 60 % 60,
            n % 60
        )
    }),
    line("the kernel's journal", |n, line| {
        format!(
            "May 02 12:{:02}:{:02} host kernel: {line}",
            n / 60 % 60,
            n % 60
        )
    }),
    line("a mail quote", |_, line| {
        format!("> {line}").trim_end().to_owned()
    }),
    line("pytest", |_, line| format!("E       {line}")),
    line("a log level", |_, line| format!("INFO: {line}")),
    line("maven", |_, line| format!("[ERROR] {line}")),
    line("slf4j", |n, line| {
        format!("12:34:56.{n:03} [main] ERROR c.example.Runner - {line}")
    }),
    line("mpi ranks", |_, line| format!("[1,0]<stderr>:{line}")),
    line("nix", |_, line| format!("shop> {line}")),
    line("the open build service", |n, line| {
        format!("[{:>5}s] {line}", n / 10)
    }),
    line("teamcity's build log", |n, line| {
        format!("[12:34:{:02}]W:\t [Step 1/2] {line}", n % 60)
    }),
    line("zuul", |n, line| {
        format!("2026-05-01 12:34:56.{n:06} | node | {line}")
    }),
    line("bamboo", |n, line| {
        format!("error\t01-May-2026 12:34:{:02}\t{line}", n % 60)
    }),
    line("cloud build", |_, line| format!("Step #1: {line}")),
    except(
        line("numbers of lines", |n, line| format!("{}:{line}", n + 1)),
        XML,
    ),
    // A single line doesn't show that the columns don't belong to the text.
    except(
        line("columns after each line", |_, line| {
            format!("{line} source=\"docker\" host=a")
        }),
        &[
            "No memory leaks.",
            "free(): ",
            "*** ",
            "ElectricFence",
            "Scudo ERROR: ",
            "corrupt",
            "<jemalloc>: ",
            "avrf:",
            "No leaks found",
            "valgrind: ",
            "division by zero",
        ],
    ),
    except(
        line("yaml", |_, line| {
            format!("- '{}'", line.replace('\'', "''"))
        }),
        XML,
    ),
    line("json lines", |_, line| {
        format!(
            "{{\"level\": \"error\", \"time\": \"2026-05-01T00:00:00Z\", \"msg\": {}}}",
            quoted(line)
        )
    }),
    DOCKER,
    line("go test -json", |_, line| {
        let output = quoted(&format!("{line}\n")).replace('<', "\\u003c");
        format!("{{\"Action\":\"output\",\"Package\":\"a/b\",\"Output\":{output}}}")
    }),
    line("logfmt", |_, line| {
        format!("time=2026-05-01T00:00:00Z level=error msg={}", quoted(line))
    }),
    line("teamcity messages", |_, line| {
        let line = line
            .replace('|', "||")
            .replace('\'', "|'")
            .replace('[', "|[")
            .replace(']', "|]");
        format!("##teamcity[message text='{line}' status='ERROR']")
    }),
    log("one json string", false, |text| {
        format!("{{\"name\": \"t\", \"output\": {}}}\n", quoted(text)).into_bytes()
    }),
    log("a bytes literal", false, |text| {
        let text = text
            .replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\r', "\\r")
            .replace('\n', "\\n")
            .replace('\t', "\\t");
        format!("E   AssertionError: b'{text}'\n").into_bytes()
    }),
    log("entities", true, |text| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .into_bytes()
    }),
    log("a blank line after each line", false, |text| {
        text.lines()
            .flat_map(|line| [line, "\n\n"])
            .collect::<String>()
            .into_bytes()
    }),
    // An empty last line is lost.
    except(
        log("carriage returns instead of line feeds", false, |text| {
            text.replace('\n', "\r").into_bytes()
        }),
        &[
            "<?xml",
            "<valgrindoutput>",
            "<avrf:",
            "\r",
            ": runtime error: ",
        ],
    ),
    except(
        log(
            "next-line characters instead of line feeds",
            false,
            |text| text.replace('\n', "\u{85}").into_bytes(),
        ),
        &["<?xml", "<valgrindoutput>", "<avrf:", "\r"],
    ),
    log("no-break spaces", true, |text| {
        text.replace("  ", "\u{a0} ").into_bytes()
    }),
    log("colours without their escapes", true, |text| {
        let mut out = String::new();
        for line in text.lines() {
            let _ = writeln!(out, "[1m[31m{line}[0m");
        }
        out.into_bytes()
    }),
    log("bazel's test output", false, |text| {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        format!(
            "INFO: From Testing //shop:cart_test:\n\
             ==================== Test output for //shop:cart_test:\n\
             {text}{end}{}\n\
             //shop:cart_test                                          FAILED in 0.4s\n",
            "=".repeat(80)
        )
        .into_bytes()
    }),
    // The prompt has no line end when a checker writes its first line.
    except(
        log("a session of R", false, |text| {
            let end = if text.ends_with('\n') { "" } else { "\n" };
            format!(
                "> library(shop)\n> x <- c(1, 2,\n+   3)\n> cart(x)\n{}{text}{end}[1] 3\n> q()\n",
                if text.starts_with("==") { "> " } else { "" }
            )
            .into_bytes()
        }),
        XML,
    ),
    log("utf-16 without a mark", true, utf16),
    log("utf-16 after other text", false, |text| {
        [b"$ make check\r\nok\r\n".to_vec(), utf16(text)].concat()
    }),
];

/// Transports of text that is already in another one.
pub(crate) const OUTER: &[Transport] = &[GITHUB, COMPOSE, JENKINS, WINDOWS, DOCKER];

const GITHUB: Transport = line("github time stamps", |n, line| {
    format!(
        "2026-05-01T12:34:{:02}.{:07}Z {line}",
        n / 1000 % 60,
        n % 1000 * 10_000
    )
});
const COMPOSE: Transport = line("a compose service", |_, line| format!("svc-1  | {line}"));
const JENKINS: Transport = line("a jenkins branch", |_, line| format!("[linux-asan] {line}"));
const WINDOWS: Transport = line("windows line ends", |_, line| format!("{line}\r"));
const DOCKER: Transport = line("docker's json", |_, line| {
    format!(
        "{{\"log\":{},\"stream\":\"stderr\",\"time\":\"2026-05-01T00:00:00.0Z\"}}",
        quoted(&format!("{line}\n"))
    )
});

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Returns a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}
