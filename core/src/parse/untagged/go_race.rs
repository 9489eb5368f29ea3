//! Go's race detector: two accesses and where their goroutines were created. A function stands in
//! one line, its place in the next.
//!
//! Source: LLVM `compiler-rt/lib/tsan/rtl/tsan_report.cpp` (its part for Go), <https://go.dev/doc/articles/race_detector>.

use alloc::boxed::Box;
use alloc::format;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{contains, find, lossy, number};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::Grammar;
use crate::parse::draft::Draft;
use crate::parse::frame::Head;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    if said == b"WARNING: DATA RACE" {
        let report = desk.report(&Tool::GoRace, None);
        desk.out.reports[report].complete = false;
        let draft = desk.draft(Tool::GoRace, Kind::of("data-race"), "data race");
        return Opened::Report(Box::new(Race {
            report,
            draft: Some(draft),
            function: None,
        }));
    }
    let found = said
        .strip_prefix(b"Found ")
        .and_then(number)
        .filter(|(_, rest)| *rest == b" data race(s)");
    let Some((found, _)) = found else {
        return Opened::No;
    };
    let report = desk.report(&Tool::GoRace, None);
    let report = &mut desk.out.reports[report];
    report.complete = true;
    report.stated.errors = Some(report.stated.errors.unwrap_or(0).saturating_add(found));
    Opened::Line
}

/// A race that is being read.
#[derive(Clone, Debug)]
struct Race {
    report: usize,
    draft: Option<Draft>,
    /// A function whose place comes in the next line.
    function: Option<Box<[u8]>>,
}

impl Reading for Race {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if said.len() >= 18 && said.iter().all(|b| *b == b'=') {
            desk.end(self.report, &mut self.draft, true);
            return Step::Last;
        }
        let Some(draft) = &mut self.draft else {
            return Step::Over;
        };
        if let Some(function) = self.function.take() {
            let place = said
                .rsplit(|b| *b == b'+')
                .nth(1)
                .map_or(said, |_| &said[..find(said, b" +0x").unwrap_or(said.len())]);
            let site = format!("{} at {}", lossy(&function), lossy(place));
            desk.frame(
                draft,
                Grammar::AtPlace,
                Head {
                    index: None,
                    address: None,
                    site: site.as_bytes(),
                },
            );
        } else if let Some(role) = role(said) {
            draft.expect_stack(role, said);
            if role == Role::Access {
                draft.title = format!(
                    "data race: {}",
                    lossy(&said[..find(said, b" at 0x").unwrap_or(said.len())]).to_lowercase()
                )
                .into();
            }
        } else if text.starts_with(b" ") && contains(said, b"(") {
            self.function = Some(said.into());
        } else if said.is_empty() {
            draft.last_line = desk.line;
        } else {
            return Step::Foreign;
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.end(self.report, &mut self.draft, false);
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

/// What stack a line announces.
fn role(said: &[u8]) -> Option<Role> {
    if !said.ends_with(b":") {
        return None;
    }
    let starts = |words: &[&[u8]]| words.iter().any(|word| said.starts_with(word));
    if starts(&[
        b"Read at ",
        b"Write at ",
        b"Atomic read at ",
        b"Atomic write at ",
        b"Read by ",
        b"Write by ",
    ]) {
        Some(Role::Access)
    } else if starts(&[b"Previous "]) {
        Some(Role::Conflict)
    } else if starts(&[b"Goroutine "]) && said.ends_with(b" created at:") {
        Some(Role::Thread)
    } else {
        None
    }
}
