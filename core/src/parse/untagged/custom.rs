//! Formats of the project's own, as `[[format]]` of `leakgate.toml` describes them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use regex::bytes::Captures;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::lossy;
use crate::format::{Format, Shape, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    if desk.out.formats.is_empty() {
        return Opened::No;
    }
    let formats = Arc::clone(&desk.out.formats);
    let opened = formats
        .iter()
        .enumerate()
        .filter(|(_, format)| format.may_be(text))
        .map(|(at, format)| open(at, format, text, desk));
    opened
        .into_iter()
        .find(|opened| !matches!(opened, Opened::No))
        .unwrap_or(Opened::No)
}

fn open(at: usize, format: &Format, text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let tool = Tool::of_format(&format.name);
    let Some(found) = format.shape.opening().captures(text) else {
        if format
            .clean
            .as_ref()
            .is_some_and(|clean| clean.is_found_in(text))
        {
            let report = desk.report(&tool, None);
            desk.out.reports[report].complete = true;
            return Opened::Line;
        }
        return Opened::No;
    };
    let group = |name: &str| found.name(name).map(|group| group.as_bytes());
    match format.when.as_ref().map(|when| when.holds(group)) {
        Some(None) => {
            desk.unreadable(&tool, text);
            return Opened::Line;
        }
        Some(Some(false)) => {
            // It was looked at, and is in order.
            let report = desk.report(&tool, None);
            desk.out.reports[report].complete = true;
            return Opened::Line;
        }
        _ => {}
    }
    let report = desk.report(&tool, None);
    desk.out.reports[report].complete = true;
    let mut draft = draft(format, tool, &found, desk);
    frame(&found, &mut draft, desk);
    match format.shape {
        Shape::Line(_) => {
            desk.record(report, draft);
            Opened::Line
        }
        Shape::Block { .. } => Opened::Report(Box::new(Block {
            report,
            format: at,
            draft: Some(draft),
        })),
    }
}

fn draft(format: &Format, tool: Tool, found: &Captures<'_>, desk: &Desk<'_>) -> Draft {
    let text = |name: &str| {
        found
            .name(name)
            .map(|group| group.as_bytes().trim_ascii())
            .filter(|text| !text.is_empty())
    };
    let size = |name: &str| text(name).and_then(number);
    let kind =
        text("kind").map_or_else(|| format.kind.clone(), |kind| Kind::from_name(&lossy(kind)));
    let whole = found.get(0).map_or(&b""[..], |whole| whole.as_bytes());
    let mut draft = desk.draft(
        tool,
        kind,
        &text_of(text("message").unwrap_or(whole.trim_ascii())),
    );
    let is_leak = draft.kind.is_leak();
    if is_leak || size("bytes").is_some() {
        draft.leak = Some(Leak::direct(
            size("bytes").unwrap_or(0),
            size("blocks").unwrap_or(1),
        ));
    }
    draft.expect_stack(
        if is_leak {
            Role::Allocation
        } else {
            Role::Access
        },
        b"",
    );
    draft
}

/// Adds what the groups say of a place; nothing where they say none.
fn frame(found: &Captures<'_>, draft: &mut Draft, desk: &mut Desk<'_>) {
    let text = |name: &str| {
        found
            .name(name)
            .map(|group| lossy(group.as_bytes().trim_ascii()))
            .filter(|text| !text.is_empty())
    };
    let place = text("file").map(|file| {
        text("line").map_or_else(|| String::from(&*file), |line| format!("{file}:{line}"))
    });
    let (grammar, site) = match (text("function"), place) {
        (Some(function), Some(place)) => (Grammar::AtPlace, format!("{function} at {place}")),
        (Some(function), None) => (Grammar::Function, String::from(&*function)),
        (None, Some(place)) => (Grammar::Place, place),
        (None, None) => return,
    };
    desk.frame(
        draft,
        grammar,
        Head {
            index: None,
            address: None,
            site: site.as_bytes(),
        },
    );
}

/// A finding whose frames follow.
#[derive(Clone, Debug)]
struct Block {
    report: usize,
    /// Which of the formats.
    format: usize,
    draft: Option<Draft>,
}

impl Reading for Block {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let formats = Arc::clone(&desk.out.formats);
        let Some(Shape::Block { frames, end, .. }) =
            formats.get(self.format).map(|format| &format.shape)
        else {
            return Step::Over;
        };
        if end.as_ref().is_some_and(|end| end.is_found_in(text)) {
            desk.hand_in(self.report, &mut self.draft);
            return Step::Last;
        }
        match (frames.captures(text), &mut self.draft) {
            (Some(found), Some(draft)) => {
                frame(&found, draft, desk);
                Step::Own
            }
            _ if end.is_some() => Step::Foreign,
            _ => {
                desk.hand_in(self.report, &mut self.draft);
                Step::Over
            }
        }
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        let formats = Arc::clone(&desk.out.formats);
        let has_end = formats
            .get(self.format)
            .is_some_and(|format| matches!(format.shape, Shape::Block { end: Some(_), .. }));
        desk.hand_in(self.report, &mut self.draft);
        if has_end {
            desk.cut(
                self.report,
                "a report of the project's own format has no end",
            );
        }
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::{Config, Options, Parsed, Parser};

    fn read(config: &str, log: &str) -> Parsed {
        let config = Config::read("leakgate.toml", config).unwrap();
        let mut parser = Parser::with_formats(Options::default(), &config.formats);
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish()
    }

    const TRACE: &str = r#"
        [[format]]
        name = "trace"
        pattern = 'LEAK at (?<file>[^:]+):(?<line>\d+) (?<bytes>\S+) bytes, (?<frees>\d+) frees'
        when = "bytes != frees"
    "#;

    #[test]
    fn a_condition_decides_and_says_what_it_cannot_read() {
        let read = |log: &str| read(TRACE, log);
        let parsed = read("x\nLEAK at a.c:7 1,024 bytes, 3 frees\n");
        assert_eq!(parsed.findings[0].leak.map(|leak| leak.bytes), Some(1024));
        assert_eq!(parsed.findings[0].stacks[0].frames[0].site.line, Some(7));
        let even = read("LEAK at a.c:7 3 bytes, 3 frees\n");
        assert!(even.findings.is_empty() && even.reports.len() == 1 && even.problems.is_empty());
        let odd = read("LEAK at a.c:7 many bytes, 3 frees\n");
        assert_eq!(odd.problems[0].code.as_str(), "unknown-report");
        assert!(read("LEAK of another kind\n").reports.is_empty());
    }

    #[test]
    fn kinds_come_from_groups_and_none_is_reserved() {
        let config = r#"
            [[format]]
            name = "own"
            kind = "leak-possible"
            contains = "own:"
            pattern = 'own: (?<kind>[\w -]*); (?<message>.*)'
        "#;
        let parsed = read(
            config,
            "own: Bad Free; of 0x12\nown: ; lost\nown: leak-reachable; x\n",
        );
        let found: Vec<_> = parsed
            .findings
            .iter()
            .map(|f| (f.kind.as_str(), &*f.title))
            .collect();
        assert_eq!(
            found,
            [
                ("bad-free", "of 0x12"),
                ("leak-possible", "lost"),
                ("error-leak-reachable", "x")
            ]
        );
    }

    #[test]
    fn frames_follow_until_something_else_does() {
        let config = r#"
            [[format]]
            name = "own"
            start = 'LOST (?<blocks>\d+)'
            frames = '^ +(?<function>\w+)'
        "#;
        let parsed = read(config, "LOST 2\n  a\n  b\nLOST 1\n  c\nend\n  d\n");
        let names: Vec<Vec<_>> = parsed
            .findings
            .iter()
            .map(|f| {
                f.stacks[0]
                    .frames
                    .iter()
                    .filter_map(|f| f.site.name())
                    .collect()
            })
            .collect();
        assert_eq!(names, [["a", "b"].to_vec(), ["c"].to_vec()]);
        assert!(parsed.problems.is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        let wrong = |text: &str| Config::read("f", text).unwrap_err().remove(0);
        let format = |rest: &str| wrong(&alloc::format!("[[format]]\nname = \"a\"\n{rest}\n"));
        assert!(
            format("pattern = '(?<a>x'")
                .message
                .contains("unclosed group")
        );
        assert_eq!(
            format("pattern = '(?<allocs>x)LEAK'\nwhen = 'alocs > 1'")
                .help
                .as_deref(),
            Some("did you mean `allocs`?")
        );
        assert!(
            format(r"pattern = '\w+ (?<bytes>\d+)'")
                .help
                .unwrap()
                .contains("contains")
        );
        assert_eq!(format("pattern = 'LEAK'\nkind = 'leaks'").line, 4);
        assert!(
            wrong("[[format]]\nname = 'a'\npattern = 'LEAK'\n[[format]]\nname = 'a'\npattern = 'LEAK'\n")
                .message
                .contains("second")
        );
    }
}
