//! Miri: undefined behaviour with the places that explain it, leaks one by one, deadlocks; in the
//! form of the compiler's errors.
//!
//! Source: rust-lang/miri `src/diagnostics.rs`. The backtrace of an error stands behind the places
//! that explain it. Since 2025 its frames are `N: FUNCTION` and `at PLACE` below it, before that
//! ``= note: inside `FUNCTION` at PLACE``.

mod words;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(test)]
pub(in crate::parse) use self::words::KINDS;
use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, find, lossy, number, trim_start};
use crate::model::{Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;
use crate::problem::Code;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let Some(words) = words::headline(text) else {
        return Opened::No;
    };
    let report = desk.report(&Tool::Miri, None);
    desk.out.reports[report].complete = false;
    let mut run = Run {
        report,
        read: 0,
        error: None,
    };
    run.begin(words, desk);
    Opened::Report(Box::new(run))
}

/// What one run of Miri says, up to the sum of its errors.
#[derive(Clone, Debug)]
struct Run {
    report: usize,
    /// How many errors there were.
    read: u64,
    error: Option<Error>,
}

/// One error.
#[derive(Clone, Debug)]
struct Error {
    draft: Draft,
    /// The role of the error's own stack.
    role: Role,
    /// Where it happened, for an error without a backtrace.
    spot: Option<Box<[u8]>>,
    /// The role of the place that comes next, and what announced it; none for places that only
    /// lead there.
    next: Option<(Role, Box<[u8]>)>,
    /// The function of a frame whose place comes in the next line.
    function: Option<Box<[u8]>>,
    /// The error's own frames; one more than are kept of a stack, so that the loss is told.
    frames: Vec<Box<[u8]>>,
    /// How many there were.
    depth: usize,
}

impl Reading for Run {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if let Some(stated) = said.strip_prefix(b"error: aborting due to ") {
            self.sum_up(stated, desk);
            return Step::Last;
        }
        if let Some(words) = words::headline(text) {
            self.hand_in(desk);
            self.begin(words, desk);
            return Step::Own;
        }
        let is_own = match &mut self.error {
            Some(error) => error.line(said, desk),
            None => is_source(said),
        };
        if is_own { Step::Own } else { Step::Foreign }
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        self.hand_in(desk);
        desk.cut(
            self.report,
            "Miri's errors are not summed up: its output breaks off",
        );
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

impl Run {
    fn begin(&mut self, words: words::Headline<'_>, desk: &mut Desk<'_>) {
        self.read += 1;
        match words {
            words::Headline::Error {
                kind,
                title,
                leaked,
            } => {
                let is_leak = leaked.is_some();
                let mut draft = desk.draft(Tool::Miri, kind, &title);
                draft.leak = leaked.map(|bytes| Leak::direct(bytes, 1));
                let role = if is_leak {
                    Role::Allocation
                } else {
                    Role::Access
                };
                let next = Some((role, Box::default()));
                self.error = Some(Error {
                    draft,
                    role,
                    spot: None,
                    next,
                    function: None,
                    frames: Vec::new(),
                    depth: 0,
                });
            }
            words::Headline::Cut(said) => {
                desk.unreadable(&Tool::Miri, said);
                self.error = None;
            }
            words::Headline::Stopped(why) => {
                desk.problem(
                    Code::CheckerFailed,
                    &format!("Miri could not go on: `{}`", text_of(why)),
                );
                self.error = None;
            }
        }
    }

    fn hand_in(&mut self, desk: &mut Desk<'_>) {
        if let Some(error) = self.error.take() {
            error.hand_in(self.report, desk);
        }
    }

    /// `1 previous error`, `10 previous errors; 2 warnings emitted`
    fn sum_up(&mut self, stated: &[u8], desk: &mut Desk<'_>) {
        self.hand_in(desk);
        desk.out.reports[self.report].complete = true;
        let stated = number(stated).map_or(1, |(stated, _)| stated);
        if stated > self.read {
            let message = format!(
                "Miri counts {stated} errors, and {} of them were read",
                self.read
            );
            desk.problem(Code::Unreconciled, &message);
        }
    }
}

impl Error {
    /// Reads a line. False when it is none of the error's.
    fn line(&mut self, said: &[u8], desk: &mut Desk<'_>) -> bool {
        if let Some(function) = self.function.take() {
            let place = said.strip_prefix(b"at ").map_or(String::new(), |place| {
                format!(" at {}", lossy(start_of(place)))
            });
            self.push(format!("{}{place}", lossy(&function)), desk);
            if !place.is_empty() {
                self.draft.last_line = desk.line;
                return true;
            }
        }
        let is_own = self.place(said, desk) || self.note(said, desk) || is_source(said);
        if is_own {
            self.draft.last_line = desk.line;
        }
        is_own
    }

    /// `--> PATH:LINE:COLUMN`: where it happened, or where something of interest did.
    fn place(&mut self, said: &[u8], desk: &mut Desk<'_>) -> bool {
        let Some(place) = said.strip_prefix(b"--> ") else {
            return said.starts_with(b"::: ");
        };
        match self.next.take() {
            Some((_, label)) if self.spot.is_none() && label.is_empty() => {
                self.spot = Some(place.into())
            }
            Some((role, label)) => {
                self.draft.expect_stack(role, &label);
                desk.frame(
                    &mut self.draft,
                    Grammar::Place,
                    Head {
                        index: Some(0),
                        address: None,
                        site: place,
                    },
                );
            }
            None => {}
        }
        true
    }

    /// A frame, an explanation, or what announces a place.
    fn note(&mut self, said: &[u8], desk: &mut Desk<'_>) -> bool {
        if let Some((index, function)) = numbered(said) {
            if usize::try_from(index).is_ok_and(|index| index == self.depth) {
                self.function = Some(function.into());
                return true;
            }
            return false;
        }
        if let Some(inside) = after(said, b"inside `")
            .filter(|_| said.starts_with(b"= note: ") || said.starts_with(b"note: "))
        {
            let frame = before(inside, b"` at ").zip(after(inside, b"` at "));
            if let Some((function, place)) = frame {
                self.push(
                    format!("{} at {}", lossy(function), lossy(start_of(place))),
                    desk,
                );
            }
            self.next = None;
            return true;
        }
        if let Some(note) = said.strip_prefix(b"= ") {
            let is_words = !note.starts_with(b"note: stack backtrace")
                && !note.starts_with(b"note: BACKTRACE");
            if is_words
                && !note.starts_with(b"help: see https://")
                && !note.starts_with(b"help: this indicates a")
            {
                self.draft.note(note);
            }
            return true;
        }
        let label = said
            .strip_prefix(b"help: ")
            .or_else(|| said.strip_prefix(b"note: "));
        let Some(label) = label else { return false };
        self.next = said
            .starts_with(b"help: ")
            .then(|| (words::role(label), label.into()));
        if !label.starts_with(b"some details are omitted")
            && !label.starts_with(b"set `MIRIFLAGS")
            && self.next.is_none()
        {
            self.draft.note(label);
        }
        true
    }

    fn push(&mut self, site: String, desk: &Desk<'_>) {
        self.depth += 1;
        if self.frames.len() <= desk.out.options.max_frames {
            self.frames.push(site.into_bytes().into());
        }
    }

    fn hand_in(mut self, report: usize, desk: &mut Desk<'_>) {
        if let Some(function) = self.function.take() {
            self.push(lossy(&function).into_owned(), desk);
        }
        let mut others = core::mem::take(&mut self.draft.stacks);
        self.draft.expect_stack(self.role, b"");
        let last_line = self.draft.last_line;
        for site in &self.frames {
            desk.frame(
                &mut self.draft,
                Grammar::AtPlace,
                Head {
                    index: None,
                    address: None,
                    site,
                },
            );
        }
        if let Some(spot) = self.spot.as_ref().filter(|_| self.frames.is_empty()) {
            let head = Head {
                index: Some(0),
                address: None,
                site: spot,
            };
            desk.frame(&mut self.draft, Grammar::Place, head);
        }
        self.draft.stacks.append(&mut others);
        self.draft.last_line = last_line;
        desk.record(report, self.draft);
    }
}

/// `0: rustleak::uaf`
fn numbered(said: &[u8]) -> Option<(u64, &[u8])> {
    let (index, rest) = number(said)?;
    let function = rest.strip_prefix(b": ")?;
    (!function.is_empty()).then_some((index, function))
}

/// `PATH:438:49: 442:15` is where it starts and where it ends.
fn start_of(place: &[u8]) -> &[u8] {
    match find(place, b": ") {
        Some(at) if place[at + 2..].first().is_some_and(u8::is_ascii_digit) => &place[..at],
        _ => place,
    }
}

/// A line of the program with its number, or what is drawn below it.
fn is_source(said: &[u8]) -> bool {
    let rest = number(said).map_or(said, |(_, rest)| rest);
    let rest = trim_start(rest.strip_prefix(b"LL").unwrap_or(rest));
    said.is_empty() || rest.starts_with(b"|") || said == b"..."
}
