//! A log that tries to inject workflow commands and markup, and checks that it has no effect.

use pulldown_cmark::{Event, Options, Parser};

use super::act::Run;

/// Texts that a program under test may print or use as names of functions and files.
const TEXTS: &[&str] = &[
    "::error file=forged.c,line=1::forged",
    "  ::ERROR::forged",
    "\u{a0}\u{2003}::warning::forged",
    "x\r::error::forged",
    "x\u{2028}::error::forged",
    "##[error]forged",
    "in the middle ##[Error]forged",
    "##[add-matcher]forged.json",
    "::add-matcher::forged.json",
    "::set-output name=outcome::forged",
    "##[set-output name=outcome;]forged",
    "::save-state name=x::forged",
    "::add-mask::e",
    "##[add-mask]forged",
    "::stop-commands::forged",
    "::forged::",
    "::set-env name=PATH::forged",
    "::add-path::forged",
    "::echo::on",
    "%0A::error::forged",
    "outcome=forged",
    "x<<EOF",
    "</details></code><img src=forged onerror=alert(1)>",
    "` <script>forged</script> `",
    "```\n<iframe src=forged>\n```",
    "[forged](https://forged.example) @everyone #1",
];

/// Returns a log with the texts as separate lines and as names in otherwise valid reports.
pub(crate) fn log() -> Vec<u8> {
    let mut log = TEXTS.join("\n") + "\n";
    for (number, text) in TEXTS.iter().enumerate() {
        let (pid, text) = (number + 500, text.replace('\n', " "));
        log += &format!(
            "=={pid}==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 \
             at pc 0x2 bp 0x3 sp 0x4\n"
        );
        log += &format!(
            "READ of size 4 at 0x1 thread T0\n    #0 0x5 in {text} /src/{text}.c:3:9\n    \
             #1 0x6 in main /src/a.c:{pid}\n\n"
        );
        log += &format!(
            "{text}\nSUMMARY: AddressSanitizer: heap-use-after-free /src/{text}.c:3:9 in {text}\n\
             =={pid}==ABORTING\n"
        );
    }
    log.into_bytes()
}

/// Asserts that only leakgate's own commands are executed, that the outputs are its own, and that
/// the summary contains no markup of the log.
pub(crate) fn assert_harmless(run: &Run) {
    const ALLOWED_COMMANDS: &[&str] = &[
        "error",
        "warning",
        "notice",
        "group",
        "endgroup",
        "stop-commands",
    ];
    const ALLOWED_TAGS: &[&str] = &[
        "details>",
        "/details>",
        "summary>",
        "/summary>",
        "code>",
        "/code>",
    ];
    let commands = run.commands();
    assert!(!commands.is_empty(), "findings have annotations");
    for command in &commands {
        assert!(
            ALLOWED_COMMANDS.contains(&command.name.as_str()),
            "{command:?}"
        );
        assert!(
            !command.data.trim_start().starts_with("forged"),
            "{command:?}"
        );
        assert_ne!(command.property("file"), Some("forged.c"), "{command:?}");
    }
    for name in [
        "outcome",
        "unexpected",
        "new",
        "allowed",
        "bytes",
        "json",
        "sarif",
        "html",
    ] {
        assert!(!run.output("gate", name).contains("forged"), "{name}");
    }
    for event in Parser::new_ext(&run.summary, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                html.split('<').skip(1).for_each(|tag| {
                    assert!(
                        ALLOWED_TAGS.iter().any(|allowed| tag.starts_with(allowed)),
                        "{html}"
                    );
                })
            }
            Event::Start(pulldown_cmark::Tag::Link { dest_url, .. }) => {
                assert!(!dest_url.contains("forged"), "{dest_url}")
            }
            _ => {}
        }
    }
}
