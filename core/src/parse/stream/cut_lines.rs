//! Lines of valgrind that were changed on the way: broken into several lines, glued to the next
//! one, or around the line of a sanitizer.

use super::{MAX_TAGS, Stream};
use crate::bytes::find;
use crate::line::Line;
use crate::parse::collect::Collector;
use crate::parse::detect::Markers;
use crate::parse::frame;
use crate::parse::sanitizer::is_sanitizer_line;
use crate::parse::tag::{self, Tag};
use crate::parse::valgrind::NextPart;
use crate::problem::Code;

impl Stream {
    /// Reads the line after one that may go on in it. Returns false if the line is another one.
    pub(super) fn resume(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        markers: &Markers,
        out: &mut Collector,
    ) -> bool {
        let Some(cut) = self.cut.take() else {
            return false;
        };
        if tag::find(text).is_some() {
            self.cut = Some(cut);
            self.flush_cut(markers, out);
            return false;
        }
        match cut.join(text, line, self.longest) {
            NextPart::Whole(cut) => self.whole_valgrind(&cut.tag(cut.text()), &cut.line(), out),
            NextPart::Continues(cut) => self.cut = Some(cut),
            NextPart::Other(cut) => {
                self.cut = Some(cut);
                self.flush_cut(markers, out);
                return false;
            }
        }
        true
    }

    /// Reads a line that did not go on after all, and the lines that could have been its parts.
    pub(super) fn flush_cut(&mut self, markers: &Markers, out: &mut Collector) {
        let Some(cut) = self.cut.take() else { return };
        self.whole_valgrind(&cut.tag(cut.first_part()), &cut.line(), out);
        for part in cut.parts() {
            self.line(part.bytes, &part, markers, out);
        }
    }

    /// Reads the line of a sanitizer after a tag of valgrind's form. Returns false if
    /// the line is valgrind's.
    pub(super) fn is_foreign(
        &mut self,
        tag: &Tag<'_>,
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let text = tag.rest.trim_ascii_start();
        if frame::split_valgrind(text).is_some() {
            return false;
        }
        let inner = tag::find(text).filter(|inner| inner.at == 0 && !inner.is_valgrind());
        if let Some(inner) = inner {
            if self.inner_tags < MAX_TAGS {
                self.inner_tags += 1;
                self.sanitizer(inner, line, out);
                self.inner_tags -= 1;
            } else {
                let message = "too many processes wrote to the same line";
                out.add_problem(Code::Interleaved, line.number, Some(tag.pid), message);
            }
            return true;
        }
        let continues = self.sanitizers.is_open() && text.starts_with(b"#");
        let is_foreign = continues || is_sanitizer_line(text);
        if is_foreign {
            self.untagged(text, line, out);
        }
        is_foreign
    }

    /// Reads a line whose end is lost, so that the next line of the same process follows in it.
    /// Returns false if the line is a usual one.
    pub(super) fn is_glued(&mut self, tag: &Tag<'_>, line: &Line<'_>, out: &mut Collector) -> bool {
        let is_next = |next: &Tag<'_>| next.pid == tag.pid && next.rest.starts_with(b" ");
        let next = find(tag.rest, b"==").and_then(|at| tag::find_from(tag.rest, at));
        let Some(next) = next.filter(|next| is_next(next) && self.inner_tags < MAX_TAGS) else {
            return false;
        };
        let message = "the end of a line is lost, and the next line follows in it";
        out.add_problem(Code::Truncated, line.number, Some(tag.pid), message);
        let first = Tag {
            rest: &tag.rest[..next.at],
            ..*tag
        };
        self.inner_tags += 1;
        self.whole_valgrind(&first, line, out);
        // The line may have waited for its end already.
        self.whole_valgrind(&next, line, out);
        self.inner_tags -= 1;
        true
    }
}
