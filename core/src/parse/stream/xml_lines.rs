//! The lines of a stream that are part of an XML document.

use super::Stream;
use crate::bytes::find;
use crate::line::Line;
use crate::parse::collect::Collector;
use crate::parse::sanitizer::{is_prefix, is_sanitizer_line};
use crate::parse::tag;
use crate::parse::valgrind::ValgrindProcess;
use crate::parse::xml::{self, Rows, XmlDocument};
use crate::problem::Code;

impl Stream {
    /// Reads the lines at the start of `text`, which consists of complete lines, that can only be
    /// parts of the open XML document. `number` is the number of the first line.
    pub(crate) fn rows(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        let is_alone = !self.expects_line() && !self.untagged_reports.is_open();
        self.xml
            .as_mut()
            .filter(|_| is_alone)
            .map_or_else(Rows::default, |xml| xml.rows(text, number, out))
    }

    /// Reads a line of the open XML document. Returns false if the line isn't part of it.
    pub(super) fn xml_line(
        &mut self,
        text: &[u8],
        trimmed: &[u8],
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let Some(xml) = &mut self.xml else {
            return false;
        };
        if trimmed.starts_with(b"==") && tag::find(text).is_some() {
            return false;
        }
        if !trimmed.starts_with(b"<")
            && !trimmed.is_empty()
            && (self.sanitizers.is_open() || is_sanitizer_line(trimmed))
        {
            return false;
        }
        if tag::find(text).is_some_and(|tag| {
            tag.is_valgrind() && ValgrindProcess::can_begin_with(tag.rest.trim_ascii_start())
        }) {
            out.add_problem(
                Code::Interleaved,
                line.number,
                None,
                "another process wrote into a line of the XML document",
            );
        }
        let is_next_document = trimmed.starts_with(b"<valgrindoutput");
        let has_called_exec =
            xml::exec_ending(trimmed).is_some_and(|ending| xml.end_by_exec(ending, out));
        let is_own = has_called_exec || !is_next_document && xml.line(text, line, out);
        if is_next_document {
            xml.finish(out);
        }
        if xml.is_done() {
            self.xml = None;
        }
        is_own
    }

    /// Reads a line outside of XML documents that contains `<`. Returns false if the line isn't
    /// part of a document.
    pub(super) fn outside_xml(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let is_end =
            |at: usize| text[..at].trim_ascii().is_empty() || is_prefix(text[..at].trim_ascii());
        if find(text, b"</valgrindoutput>").is_some_and(is_end) {
            let message = "the beginning of an XML document is missing from the log";
            out.add_problem(Code::Interleaved, line.number, None, message);
        } else if let Some(at) = find(text, b"<valgrindoutput").filter(|at| is_start_tag(text, *at))
        {
            self.open_xml(text, at, line, out);
        } else if xml::is_fragment(text) {
            let message = "a part of an XML document without its beginning: lines are lost";
            out.add_problem(Code::Truncated, line.number, None, message);
        } else {
            return false;
        }
        true
    }

    /// Opens the XML document that begins at a position in the line.
    fn open_xml(&mut self, text: &[u8], at: usize, line: &Line<'_>, out: &mut Collector) {
        let mut document = XmlDocument::new(self.name.clone(), line.number, out);
        document.line(&text[at..], line, out);
        if !document.is_done() {
            self.xml = Some(document);
        }
    }
}

/// Returns true for `<valgrindoutput>` at the end of a line, or before another tag. Elsewhere it is
/// part of prose.
fn is_start_tag(text: &[u8], at: usize) -> bool {
    let quoted = at > 0 && matches!(text[at - 1], b'"' | b'\'' | b'`');
    let rest = memchr::memchr(b'>', &text[at..]).map(|end| text[at + end + 1..].trim_ascii());
    !quoted && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"<"))
}
