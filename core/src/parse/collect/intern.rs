//! Shared frames: the text of a frame is parsed once, and every frame with the same text shares the
//! result.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use memchr::arch::all::is_equal;

use super::Collector;
use crate::model::{Frame, FrameInfo, Stack};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::{self, SplitFrame};
use crate::parse::place::placed;
use crate::problem::Code;

/// The syntax of a frame's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FrameSyntax {
    /// The syntax of valgrind's text output.
    Valgrind,
    /// The syntax of the sanitizers.
    Sanitizer,
    /// The elements of a `<frame>`.
    Xml,
    /// A source location without a function.
    Location,
    /// A line of glibc's `backtrace_symbols`.
    BacktraceSymbols,
    /// A function without a source location.
    Function,
    /// The Linux kernel's syntax.
    Kernel,
    /// Dr. Memory's syntax, with the location in brackets.
    Bracketed,
    /// Application Verifier's syntax.
    AppVerifier,
    /// The syntax of macOS, which begins with the image.
    Image,
    /// `FUNCTION at FILE:LINE:COLUMN`, the joined form of Miri's two lines.
    AtLocation,
    /// A line of a tombstone of Android, from its address on.
    Tombstone,
    /// A frame of another syntax, with the place that the checker printed apart from it.
    Placed,
}

/// A parsed frame.
#[derive(Clone, Debug)]
pub(super) struct KnownFrame {
    /// The hash of its text.
    hash: u64,
    syntax: FrameSyntax,
    /// True if a line with the frame contains nothing else. `None` if that wasn't checked yet.
    is_plain: Option<bool>,
    info: Arc<FrameInfo>,
}

impl KnownFrame {
    fn is(&self, hash: u64, syntax: FrameSyntax, text: &[u8]) -> bool {
        self.hash == hash && self.syntax == syntax && is_equal(&self.info.raw, text)
    }
}

impl Collector {
    /// Adds a frame to the draft's last stack, or opens the expected stack first.
    pub(crate) fn push_frame(
        &mut self,
        draft: &mut FindingBuilder,
        grammar: FrameSyntax,
        head: SplitFrame<'_>,
    ) {
        if let Some((role, label)) = draft.next_stack.take() {
            if draft.stacks.len() >= self.options.max_stacks {
                return;
            }
            draft.stacks.push(Stack {
                role,
                label,
                frames: Vec::new(),
            });
        }
        let max = self.options.max_frames;
        let Some(stack) = draft.stacks.last_mut() else {
            return;
        };
        let count = stack.frames.len();
        if count < max {
            let index = head
                .index
                .unwrap_or(u32::try_from(count).unwrap_or(u32::MAX));
            let info = self.frame_info(grammar, head.text);
            stack.frames.push(Frame {
                index,
                address: head.address,
                inlined: false,
                info,
            });
        } else if count == max {
            let line = draft.first_line;
            self.add_problem(
                Code::TooManyFrames,
                line,
                None,
                format!("a stack has more than {max} frames; the others were dropped"),
            );
        }
    }

    /// Returns true if the text of a frame in a report fulfills a condition, which is checked once
    /// for each text.
    pub(crate) fn is_plain_frame(
        &mut self,
        syntax: FrameSyntax,
        text: &[u8],
        is_plain: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        let hash = self.hash(0, text);
        let known = self
            .frames
            .find_mut(hash, |frame| frame.is(hash, syntax, text));
        if let Some(frame) = known {
            return *frame.is_plain.get_or_insert_with(|| is_plain(text));
        }
        let is_plain = is_plain(text);
        if is_plain {
            // The caller adds the frame next, and must not check it again later.
            let info = Arc::new(parse(syntax, text));
            self.remember(hash, syntax, Some(true), info);
        }
        is_plain
    }

    /// Returns the parsed text of a frame, without its number and address.
    fn frame_info(&mut self, grammar: FrameSyntax, raw: &[u8]) -> Arc<FrameInfo> {
        self.intern(grammar, raw, || parse(grammar, raw))
    }

    /// Returns a frame with the place of an error, which the checker printed apart from the stack.
    pub(crate) fn placed_frame(
        &mut self,
        info: &Arc<FrameInfo>,
        location: &[u8],
        place: &FrameInfo,
    ) -> Arc<FrameInfo> {
        let raw = [&info.raw, b" ".as_slice(), location].concat();
        self.intern(FrameSyntax::Placed, &raw, || placed(info, place, &raw))
    }

    /// Returns the parsed frame of an XML document; `parse` parses it if it is new.
    pub(crate) fn xml_frame_info(
        &mut self,
        raw: &[u8],
        parse: impl FnOnce() -> FrameInfo,
    ) -> Arc<FrameInfo> {
        self.intern(FrameSyntax::Xml, raw, parse)
    }

    /// Returns the shared frame for this text, parsing it if it is new.
    fn intern(
        &mut self,
        grammar: FrameSyntax,
        raw: &[u8],
        parse: impl FnOnce() -> FrameInfo,
    ) -> Arc<FrameInfo> {
        let hash = self.hash(0, raw);
        if let Some(frame) = self.frames.find(hash, |frame| frame.is(hash, grammar, raw)) {
            return Arc::clone(&frame.info);
        }
        let info = Arc::new(parse());
        self.remember(hash, grammar, None, Arc::clone(&info));
        info
    }

    /// Adds a frame to the known ones.
    fn remember(
        &mut self,
        hash: u64,
        syntax: FrameSyntax,
        is_plain: Option<bool>,
        info: Arc<FrameInfo>,
    ) {
        if self.findings.len() >= self.options.max_findings {
            // Only records of known findings are still counted, and all of their frames are known.
            return;
        }
        let frame = KnownFrame {
            hash,
            syntax,
            is_plain,
            info,
        };
        self.frames.insert_unique(hash, frame, |frame| frame.hash);
    }
}

/// Parses the text of a frame, without its number and address.
fn parse(syntax: FrameSyntax, raw: &[u8]) -> FrameInfo {
    match syntax {
        FrameSyntax::Sanitizer => frame::parse_sanitizer(raw),
        FrameSyntax::Location => frame::parse_location(raw),
        FrameSyntax::BacktraceSymbols => frame::parse_backtrace_symbols(raw),
        FrameSyntax::Function => frame::parse_function(raw),
        FrameSyntax::Kernel => frame::parse_kernel(raw),
        FrameSyntax::Bracketed => frame::parse_bracketed(raw),
        FrameSyntax::AppVerifier => frame::parse_app_verifier(raw),
        FrameSyntax::Image => frame::parse_image(raw),
        FrameSyntax::AtLocation => frame::parse_at_location(raw),
        FrameSyntax::Tombstone => frame::parse_tombstone(raw),
        _ => frame::parse_valgrind(raw),
    }
}
