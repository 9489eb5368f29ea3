//! Errors of UndefinedBehaviorSanitizer: a headline in one line, then perhaps notes, a stack and a
//! `SUMMARY:`. They name no process and have no end, so the next line that is none of theirs ends
//! them.

use super::super::collect::{Collector, Grammar, text_of};
use super::super::draft::Draft;
use super::super::frame::{self, Head};
use super::super::ubsan;
use super::Sanitizers;
use super::record::{Open, Part, Place};
use crate::bytes::hex;
use crate::model::{Kind, Role, Tool};

/// The program's own output may stand between a headline and its stack.
const MAX_BETWEEN: u32 = 8;

impl Sanitizers {
    /// Reads a line that opens such an error. False when it is none.
    pub(super) fn undefined(
        &mut self,
        text: &[u8],
        place: &Place<'_>,
        out: &mut Collector,
    ) -> bool {
        let (kind, title, spot) = if let Some(found) = ubsan::headline(text) {
            let title = text_of(found.said);
            (ubsan::kind(&title), title, found.place)
        } else if let Some(kind) = ubsan::minimal(text) {
            // Its place is an address, of which nothing more is known; it stands in the title.
            (Kind::of(kind), text_of(text.trim_ascii()), &b""[..])
        } else {
            if ubsan::is_cap(text) {
                let report = self.report(Tool::Ubsan, place, out);
                out.reports[report].capped = true;
            }
            return false;
        };
        self.interrupt(place, out);
        let report = self.report(Tool::Ubsan, place, out);
        out.reports[report].complete = true;
        // Where one has no summary, the next need not have one either.
        self.sums_up &= !core::mem::replace(&mut self.unsummed, true);
        let mut draft = Draft::new(Tool::Ubsan, kind, &title, place.line);
        draft.expect_stack(Role::Access, spot);
        self.open = Some(Open {
            spot: spot.into(),
            ..Open::new(report, Part::Undefined, Some(draft))
        });
        true
    }

    /// A line behind the headline.
    pub(super) fn undefined_line(&mut self, text: &[u8], place: &Place<'_>, out: &mut Collector) {
        let Some(open) = &mut self.open else { return };
        let Some(draft) = &mut open.draft else { return };
        let has_stack = !draft.stacks.is_empty();
        let head = frame::numbered(text).filter(|head| head.address.is_some());
        if head.is_some() && has_stack && draft.stack_is_closed() {
            open.broken(place, out);
        } else if let Some(head) = head {
            open.frame(head, place, out);
        } else if text.trim_ascii().is_empty() {
            draft.close_stack();
        } else if ubsan::is_note(text) {
            draft.note(text);
            (open.foreign, draft.last_line) = (0, place.line);
        } else if !draft.notes.is_empty() && ubsan::is_snippet(text) {
            (open.foreign, draft.last_line) = (0, place.line);
        } else if has_stack || open.foreign > MAX_BETWEEN {
            self.close(true, place.line, out);
        }
    }

    /// `SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:3:4`. False where it does not
    /// belong to such an error.
    pub(super) fn undefined_summary(
        &mut self,
        name: &[u8],
        text: &[u8],
        place: &Place<'_>,
        out: &mut Collector,
    ) -> bool {
        let is_open = self
            .open
            .as_ref()
            .is_some_and(|open| open.part == Part::Undefined);
        // Long ago the summary named the sanitizer that the check ran in.
        if name != b"UndefinedBehavior" && !(is_open && text.starts_with(b"undefined-behavior")) {
            return false;
        }
        if !is_open {
            // The program's output stood between the two.
            if self.open.is_some() || !self.unsummed {
                return false;
            }
        } else if let Some(draft) = self.open.as_mut().and_then(|open| open.draft.as_mut()) {
            draft.last_line = place.line;
            if let Some(kind) = ubsan::summed_kind(text) {
                draft.kind = Kind::own(kind);
            }
            self.close(true, place.line, out);
        }
        self.unsummed = false;
        self.sums_up = true;
        true
    }

    /// At the end of a log: whether the open error may be whole.
    pub(super) fn is_whole(&self) -> bool {
        let Some(open) = self
            .open
            .as_ref()
            .filter(|open| open.part == Part::Undefined)
        else {
            return false;
        };
        let in_stack = open
            .draft
            .as_ref()
            .is_some_and(|draft| !draft.stacks.is_empty() && !draft.stack_is_closed());
        let lacks_summary = self.sums_up && self.unsummed;
        !in_stack && !lacks_summary
    }
}

/// Without a stack, the place of the headline is all that is known.
pub(super) fn put_in_place(draft: &mut Draft, spot: &[u8], out: &mut Collector) {
    if !draft.stacks.is_empty() || spot.is_empty() || spot == b"<unknown>" {
        return;
    }
    let address = spot
        .strip_prefix(b"0x")
        .and_then(hex)
        .map(|(address, _)| address);
    draft.expect_stack(Role::Access, b"");
    out.push_frame(
        draft,
        Grammar::Place,
        Head {
            index: Some(0),
            address,
            site: spot,
        },
    );
}
