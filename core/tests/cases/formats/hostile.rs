//! Logs with names that try to inject markup or commands into every format, and a rule with such a
//! reason.

use std::sync::LazyLock;

use leakgate_core::emit::{Format, RenderOptions};
use leakgate_core::{Config, Kind};
use serde_json::Value;

use super::{read, services};
use crate::common::{self, Judged};
use crate::contract::Contract;

/// Names of functions and files that a hostile program could print.
pub(crate) const NAMES: &[&[u8]] = &[
    b"::error file=a.c::forged",
    b"  ::add-mask::a",
    b"##[command]rm -rf",
    b"x ##[error]forged",
    b"</script><img src=x onerror=alert(1)>",
    b"]]></failure><testcase name='x'/>",
    b"\"' onload=\"x\" &amp; &#0;",
    b"@everyone @octo-org/team",
    b"#123 GH-1 o/r#1 o/r@0123456789abcdef0123456789abcdef01234567",
    b"`a` ``b`` ```",
    b"x` @everyone <img src=x> `y",
    b"x|@everyone|y",
    b"x\\|@everyone\\\\|y",
    b"` | @everyone | `",
    b"[x](https://evil.example) ![i](//evil.example)",
    b"\\[x\\](https://evil.example)",
    b"https://evil.example www.evil.example a@evil.example",
    b"**bold** _it_ ~~no~~ <b> <!-- --> $x$ :tada:",
    b"\x1b[31mred\x1b]0;title\x07\x9b31m",
    "\u{202e}txt.c\u{2066} \u{200b}\u{feff}\u{e0041} \u{2028}::error::x".as_bytes(),
    b"nul\0byte \xff\xfe \xc3\x28",
    b"a;b 5",
    b"f(int) 17",
    b"# comment",
    b"%0A::error::x %25",
    b"x,line=3::y",
    b"</details></summary></code>",
    b"- 1. list",
    b"{{7*7}} ${{ secrets.X }} $(id)",
    b"--- forged",
    b"+++ forged",
    b"\x1b[0Ksection_end:1:leakgate_1 \x1b[0Kforged",
];

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Returns an error of AddressSanitizer for each name, which is its kind, function, file and label.
fn asan(names: &[&[u8]]) -> Vec<u8> {
    let mut log = Vec::new();
    for (pid, name) in names.iter().enumerate() {
        let pid = (pid + 500).to_string();
        let head = [b"==", pid.as_bytes(), b"==ERROR: AddressSanitizer: "].concat();
        log.extend(bytes(&[
            &head,
            name,
            b" on address 0x1 at pc 0x2 bp 0x3 sp 0x4\nREAD of size 4 at 0x1 thread T0\n",
        ]));
        log.extend(bytes(&[
            b"    #0 0x5 in ",
            name,
            b" /src/",
            name,
            b".c:3:9\n    #1 0x6 in main a.c:1\n\n",
        ]));
        log.extend(bytes(&[
            b"freed by thread T0 (",
            name,
            b") here:\n    #0 0x5 in ",
            name,
            b" (/lib/",
            name,
            b"+0x12)\n\n",
        ]));
        log.extend(bytes(&[
            b"SUMMARY: AddressSanitizer: x\n==",
            pid.as_bytes(),
            b"==ABORTING\n",
        ]));
    }
    log
}

/// Returns a leak and an error of memcheck for each name.
fn memcheck(names: &[&[u8]]) -> Vec<u8> {
    let mut log =
        b"==7== Memcheck, a memory error detector\n==7== Command: ./a ::error::x ##[x]\n==7== \n"
            .to_vec();
    for name in names {
        log.extend(bytes(&[
            b"==7== Syscall param ",
            name,
            b" points to uninitialised byte(s)\n==7==    at 0x1: ",
            name,
            b" (",
            name,
            b".c:3)\n",
        ]));
        log.extend(bytes(&[b"==7==  Address 0x9 is ", name, b"\n==7== \n"]));
        log.extend(bytes(&[
            b"==7== 40 bytes in 1 blocks are definitely lost in loss record 1 of 9\n==7==    at 0x1: malloc (x.c:1)\n",
        ]));
        log.extend(bytes(&[
            b"==7==    by 0x2: ",
            name,
            b" (in /usr/",
            name,
            b")\n==7==    by 0x3: ",
            name,
            b" (",
            name,
            b".c:9)\n==7== \n",
        ]));
    }
    log
}

/// Returns errors of memcheck in XML, with the names escaped.
fn xml(names: &[&[u8]]) -> Vec<u8> {
    let mut log =
        b"<?xml version=\"1.0\"?>\n<valgrindoutput>\n<protocolversion>4</protocolversion>\n<tool>memcheck</tool>\n<pid>9</pid>\n"
            .to_vec();
    for name in names {
        let name = String::from_utf8_lossy(name)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        log.extend(format!("<error>\n  <kind>InvalidRead</kind>\n  <what>{name}</what>\n  <stack>\n    <frame>\n").bytes());
        log.extend(
            format!("      <ip>0x1</ip>\n      <obj>/lib/{name}</obj>\n      <fn>{name}</fn>\n      <dir>/src</dir>\n").bytes(),
        );
        log.extend(format!("      <file>{name}.c</file>\n      <line>3</line>\n    </frame>\n  </stack>\n</error>\n").bytes());
    }
    log.extend(b"</valgrindoutput>\n");
    log
}

/// Judges all logs with these names. The names of the files, and the ids and reasons of the rules
/// are hostile, too.
pub(crate) fn judged(names: &[&[u8]]) -> Judged {
    let name = |at: usize| String::from_utf8_lossy(NAMES[at]).into_owned();
    let files = [
        (name(0), asan(names)),
        (name(2), memcheck(names)),
        (name(11), xml(names)),
    ];
    let rule = |id: &str, stack: &str, reason: String| {
        format!(
            "[[allow]]\nid = {}\nstack = [{stack:?}]\nreason = {}\n",
            toml::Value::from(id),
            toml::Value::from(reason)
        )
    };
    let reasons: Vec<String> = (0..NAMES.len()).map(name).collect();
    let text = rule("a", "fun:f(int) 17", reasons.join("\n"))
        + &rule("@b", "fun:no-such", "#1 ::error::x".into());
    let config = Config::read("leakgate.toml", &text).expect("a configuration");
    common::judge_by(common::gate().with_rules(config.rules), &files)
}

pub(super) fn names_are_parsed() {
    let judged = judged(NAMES);
    let findings = &judged.parsed.findings;
    assert!(
        findings.len() >= 3 * NAMES.len() - 10,
        "{} findings",
        findings.len()
    );
    let functions = || {
        findings
            .iter()
            .flat_map(|f| f.stacks.iter().flat_map(|s| &s.frames))
            .filter_map(|f| f.info.name())
    };
    for part in [
        "::error file=a.c::forged",
        "##[command]rm -rf",
        "]]></failure>",
        "`a` ``b`` ```",
        "@everyone",
        "\u{202e}txt.c",
        "a;b 5",
    ] {
        assert!(
            functions().any(|f| f.contains(part)),
            "no function is called {part}"
        );
    }
    assert!(
        findings
            .iter()
            .any(|f| f.kind == Kind::from_checker("</script><img")),
        "no kind is hostile"
    );
}

pub(super) fn names_are_escaped() {
    check("hostile", &judged(NAMES));
}

/// Some formats show only the first few findings, so each name is also tried alone.
pub(super) fn single_names_are_escaped() {
    for name in NAMES {
        check(&String::from_utf8_lossy(name), &judged(&[name]));
    }
}

/// Only XML can have line ends in a name.
pub(super) fn names_with_line_ends_are_escaped() {
    const NAMES: &[&[u8]] = &[
        b"line\n::error::forged\r##[error]forged",
        b"line\n--- forged\n+++ forged",
        b"line\n##teamcity[message text='forged'|]\n##vso[task.complete]forged",
        b"line\n\n# forged\n\n| a | b |\n|---|---|\n</details>",
    ];
    for name in NAMES {
        let files = [("valgrind.xml".to_owned(), xml(&[name]))];
        check(
            &String::from_utf8_lossy(name),
            &common::judge_by(common::gate(), &files),
        );
    }
}

fn check(name: &str, judged: &Judged) {
    const FILES: &str = "https://github.example/o/r/blob/0123abc";
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::read("leakgate-v1"));
    for accepted in [false, true] {
        let style = RenderOptions {
            show_accepted: accepted,
            ..common::style()
        };
        let document = |format| judged.document_in(format, &style);
        for format in Format::ALL.iter().filter(|f| **f != Format::Annotations) {
            assert_eq!(
                read::commands(&document(*format)),
                [],
                "{name}: {}",
                format.as_str()
            );
        }
        let json = |format| serde_json::from_str::<Value>(&document(format)).expect("JSON");
        CONTRACT.check(name, &document(Format::Json));
        read::issues(name, &json(Format::Gitlab));
        let sarif = json(Format::Sarif);
        assert!(read::sarif_schema().is_valid(&sarif), "{name}");
        read::check_for_github(name, &sarif);
        read::junit(name, &document(Format::Junit));
        read::annotations(name, &document(Format::Annotations));
        read::folded(name, &document(Format::Folded));
        document(Format::Text).lines().for_each(|line| {
            read::assert_visible(name, line);
            let marks = ["--- ", "+++ ", "~~~ ", "^^^ "];
            assert!(!marks.iter().any(|mark| line.starts_with(mark)), "{line}");
        });
    }
    services::check(name, judged);
    for budget in [2000, 10_000, 65_000, 10_000_000] {
        let text = judged.document_in(
            Format::Markdown,
            &RenderOptions {
                max_characters: budget,
                ..common::style()
            },
        );
        read::markdown(name, &text);
        assert!(text.encode_utf16().count() <= budget, "{name}");
        let linked = RenderOptions {
            max_characters: budget,
            files_url: Some(FILES),
            ..common::style()
        };
        let text = judged.document_in(Format::Markdown, &linked);
        let links = read::markdown_with_links(name, &text, Some(FILES));
        assert!(links > 0 || budget < 10_000 || name != "hostile", "no link");
        assert!(text.encode_utf16().count() <= budget, "{name}");
    }
}
