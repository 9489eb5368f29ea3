//! Custom formats, as defined by `[[format]]` in `leakgate.toml`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use regex::bytes::Captures;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::lossy;
use crate::custom_format::{CustomFormat, Shape, parse_number};
use crate::expression::Expression;
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;

/// The beginnings of headlines. A pattern finds its own position in a line.
pub(super) const HEADS: &[&str] = &[];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    if context.out.formats.is_empty() {
        return Start::No;
    }
    let formats = Arc::clone(&context.out.formats);
    let mut result = Start::No;
    let mut unread = None;
    for (index, format) in formats.iter().enumerate() {
        if !format.may_match(text) {
            continue;
        }
        match start_format(index, format, text, context) {
            Start::No => unread = unread.or(Some(format)),
            Start::Line if matches!(result, Start::Report(_)) => {}
            started => result = started,
        }
    }
    // Another format may have the same literals.
    if let Some(format) = unread.filter(|_| matches!(result, Start::No)) {
        context.unreadable(&Tool::from_custom_format(&format.name), text);
    }
    result
}

/// Reads all matches of one format in a line. `index` is the format's index in the configuration.
fn start_format(
    index: usize,
    format: &CustomFormat,
    text: &[u8],
    context: &mut Context<'_>,
) -> Start {
    let tool = Tool::from_custom_format(&format.name);
    let is_clean = |clean: &Expression| clean.is_match(text);
    let mut result = Start::No;
    let mut end_of_last = 0;
    let mut has_own_literals = true;
    let mut is_left_over = false;
    for found in format.shape.opening().all_captures(text) {
        let whole = found.get(0).map(|whole| whole.range()).unwrap_or_default();
        has_own_literals &= format.may_match(&text[whole.clone()]);
        is_left_over |= format.may_match(&text[end_of_last..whole.start]);
        end_of_last = whole.end;
        // A report in several lines consists of its first line only if another one follows.
        if let Start::Report(mut report) = result {
            context.flush(&mut report.current);
        }
        result = read_match(index, format, &found, text, context);
    }
    if matches!(result, Start::No) {
        return if format.clean.as_ref().is_some_and(is_clean) {
            context.complete_report(&tool, None);
            Start::Line
        } else {
            Start::No
        };
    }
    is_left_over |= format.may_match(&text[end_of_last..]);
    if has_own_literals && is_left_over && !format.clean.as_ref().is_some_and(is_clean) {
        context.unreadable(&tool, text);
    }
    result
}

/// Reads one match.
fn read_match(
    index: usize,
    format: &CustomFormat,
    found: &Captures<'_>,
    text: &[u8],
    context: &mut Context<'_>,
) -> Start {
    let tool = Tool::from_custom_format(&format.name);
    let group = |name: &str| found.name(name).map(|group| group.as_bytes());
    match format.when.as_ref().map(|when| when.evaluate(group)) {
        Some(None) => {
            context.unreadable(&tool, text);
            return Start::Line;
        }
        Some(Some(false)) => {
            // The program checked and found no error.
            context.complete_report(&tool, None);
            return Start::Line;
        }
        _ => {}
    }
    let report = context.complete_report(&tool, None);
    let mut finding = new_finding(format, tool, found, context);
    push_group_frame(found, &mut finding, context);
    match format.shape {
        Shape::Line(_) => {
            context.record(report, finding);
            Start::Line
        }
        Shape::Block { .. } => Start::report(
            CurrentReport::new(report).with_finding(finding),
            Block { format: index },
        ),
    }
}

/// Creates a finding from the groups of a match.
fn new_finding(
    format: &CustomFormat,
    tool: Tool,
    found: &Captures<'_>,
    context: &Context<'_>,
) -> FindingBuilder {
    let text = |name: &str| {
        found
            .name(name)
            .map(|group| group.as_bytes().trim_ascii())
            .filter(|text| !text.is_empty())
    };
    let size = |name: &str| text(name).and_then(parse_number);
    let kind =
        text("kind").map_or_else(|| format.kind.clone(), |kind| Kind::from_name(&lossy(kind)));
    let whole = found.get(0).map_or(&b""[..], |whole| whole.as_bytes());
    let mut finding = context.new_finding(
        tool,
        kind,
        &shared_text(text("message").unwrap_or(whole.trim_ascii())),
    );
    let is_leak = finding.kind.is_leak();
    if is_leak || size("bytes").is_some() {
        finding.leak = Some(Leak::direct(
            size("bytes").unwrap_or(0),
            size("blocks").unwrap_or(1),
        ));
    }
    let role = if is_leak {
        Role::Allocation
    } else {
        Role::Access
    };
    finding.expect_stack(role, b"");
    finding
}

/// Adds a frame with the function and location of a match, if it has any.
fn push_group_frame(found: &Captures<'_>, finding: &mut FindingBuilder, context: &mut Context<'_>) {
    let text = |name: &str| {
        found
            .name(name)
            .map(|group| lossy(group.as_bytes().trim_ascii()))
            .filter(|text| !text.is_empty())
    };
    let location = text("file").map(|file| {
        text("line").map_or_else(|| String::from(&*file), |line| format!("{file}:{line}"))
    });
    let (syntax, site) = match (text("function"), location) {
        (Some(function), Some(location)) => {
            (FrameSyntax::AtLocation, format!("{function} at {location}"))
        }
        (Some(function), None) => (FrameSyntax::Function, String::from(&*function)),
        (None, Some(location)) => (FrameSyntax::Location, location),
        (None, None) => return,
    };
    context.push_site(finding, syntax, site.as_bytes());
}

/// Reads the frames of a finding.
#[derive(Clone, Debug)]
struct Block {
    /// Index of the format in the configuration.
    format: usize,
}

impl ReportReader for Block {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let formats = Arc::clone(&context.out.formats);
        let Some(Shape::Block { frames, end, .. }) =
            formats.get(self.format).map(|format| &format.shape)
        else {
            return LineOutcome::EndedBefore;
        };
        if end.as_ref().is_some_and(|end| end.is_match(text)) {
            context.flush(current);
            return LineOutcome::Finished;
        }
        match (frames.captures(text), &mut current.finding) {
            (Some(found), Some(finding)) => {
                push_group_frame(&found, finding, context);
                LineOutcome::Consumed
            }
            _ if end.is_some() => LineOutcome::Unrelated,
            _ => {
                context.flush(current);
                LineOutcome::EndedBefore
            }
        }
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        let formats = Arc::clone(&context.out.formats);
        let has_end_pattern = formats
            .get(self.format)
            .is_some_and(|format| matches!(format.shape, Shape::Block { end: Some(_), .. }));
        if has_end_pattern {
            context.end_truncated(current);
        } else {
            context.flush(current);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::Options;
    use crate::parse::{Parsed, Parser};
    use crate::rules::Config;

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
    fn condition_filters_matches_and_reports_unreadable_numbers() {
        let read = |log: &str| read(TRACE, log);
        let parsed = read("x\nLEAK at a.c:7 1,024 bytes, 3 frees\n");
        assert_eq!(parsed.findings[0].leak.map(|leak| leak.bytes), Some(1024));
        assert_eq!(parsed.findings[0].stacks[0].frames[0].info.line, Some(7));
        let even = read("LEAK at a.c:7 3 bytes, 3 frees\n");
        assert!(even.findings.is_empty() && even.reports.len() == 1 && even.problems.is_empty());
        let odd = read("LEAK at a.c:7 many bytes, 3 frees\n");
        assert_eq!(odd.problems[0].code.as_str(), "unreadable-line");
        assert!(read("LEAK of another kind\n").reports.is_empty());
    }

    #[test]
    fn every_match_of_a_line_is_read() {
        let parsed = read(
            TRACE,
            "LEAK at a.c:7 3 bytes, 3 frees LEAK at b.c:8 9 bytes, 0 frees LEAK at c.c:9 5 bytes, 1 frees\n",
        );
        let files: Vec<_> = parsed
            .findings
            .iter()
            .map(|f| f.stacks[0].frames[0].info.file.as_deref())
            .collect();
        assert_eq!(files, [Some("b.c"), Some("c.c")]);
        assert!(parsed.problems.is_empty());
    }

    #[test]
    fn line_with_the_literal_and_without_a_match_is_a_problem() {
        let config = alloc::format!("{TRACE}\ncontains = 'LEAK at '");
        for line in [
            "LEAK at nowhere",
            "LEAK at a.c:7 3 bytes, 3 frees; LEAK at b.c",
            "LEAK at b.c: LEAK at a.c:7 3 bytes, 3 frees",
        ] {
            let parsed = read(&config, &alloc::format!("{line}\n"));
            let codes: Vec<_> = parsed.problems.iter().map(|p| p.code.as_str()).collect();
            assert_eq!(codes, ["unreadable-line"], "{line}");
        }
        let two = alloc::format!(
            "{config}\n[[format]]\nname = 'other'\ncontains = 'LEAK at '\npattern = 'LEAK at all'\n"
        );
        let parsed = read(&two, "LEAK at all\nLEAK at a.c:7 1 bytes, 0 frees\n");
        assert_eq!(parsed.findings.len(), 2);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }

    #[test]
    fn kind_group_overrides_the_default_and_reserved_kinds_are_prefixed() {
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
    fn block_ends_at_the_first_line_without_a_frame() {
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
                    .filter_map(|f| f.info.name())
                    .collect()
            })
            .collect();
        assert_eq!(names, [["a", "b"].to_vec(), ["c"].to_vec()]);
        assert!(parsed.problems.is_empty());
    }

    #[test]
    fn invalid_formats_are_rejected() {
        let first_error = |text: &str| Config::read("f", text).unwrap_err().remove(0);
        let format =
            |rest: &str| first_error(&alloc::format!("[[format]]\nname = \"a\"\n{rest}\n"));
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
            first_error(&"[[format]]\nname = 'a'\npattern = 'LEAK'\n".repeat(2))
                .message
                .contains("duplicate")
        );
    }
}
