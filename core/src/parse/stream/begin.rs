//! The first line of a process of valgrind.

use super::Stream;
use crate::bytes::trim_start;
use crate::line::Line;
use crate::model::Tool;
use crate::parse::collect::{Collector, shared_text};
use crate::parse::frame;
use crate::parse::heads;
use crate::parse::tag::Tag;
use crate::parse::valgrind::ValgrindProcess;
use crate::problem::Code;

impl Stream {
    /// Begins to read a process, if valgrind wrote the line. Other output contains `==1== text`,
    /// too.
    pub(super) fn begin_process(
        &mut self,
        tag: &Tag<'_>,
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let text = tag.text();
        let before = self.unknown.take().filter(|(pid, ..)| *pid == tag.pid);
        let stack = frame::split_valgrind(text).map(|(first, _)| first);
        let belongs_to_stack =
            stack.is_some() || ValgrindProcess::continues_error(trim_start(text));
        if belongs_to_stack && before.is_none() {
            out.add_problem(
                Code::Truncated,
                line.number,
                Some(tag.pid),
                "a stack without its headline: lines are lost",
            );
        }
        let has_before = before.is_some();
        let title = before
            .filter(|_| stack == Some(true))
            .and_then(|(_, title, line)| Some((title?, line)));
        if title.is_none() && !ValgrindProcess::can_begin_with(text) {
            heads::report_inner(text, tag.pid, line.number, out);
            let is_blank = text.trim_ascii().is_empty();
            let title =
                (!belongs_to_stack && !text.starts_with(b"Warning: ")).then(|| shared_text(text));
            self.unknown = (!is_blank).then_some((tag.pid, title, line.number));
            return false;
        }
        let max = out.options.max_processes;
        if self.processes.len() >= max {
            let end = self.end();
            for (_, mut ended) in self.processes.extract_if(|_, process| process.has_ended()) {
                ended.finish(end, out);
            }
        }
        if self.processes.len() >= max {
            let message = alloc::format!("more than {max} processes at once; this one was ignored");
            out.add_problem(Code::TooManyProcesses, line.number, Some(tag.pid), message);
            return false;
        }
        let tool = ValgrindProcess::tool_of(text)
            .or(self.tool.clone())
            .unwrap_or(Tool::Memcheck);
        let mut process = ValgrindProcess::new(tool, tag.pid, self.name.as_ref(), line.number, out);
        process.is_first = !self.has_header;
        process.has_chatter = has_before;
        if let Some((title, line)) = title {
            process.expect_headline(title, line);
        }
        self.processes.insert(tag.pid, process);
        true
    }
}
