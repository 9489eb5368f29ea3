//! The place of an error that the checker itself names, apart from the stack.
//!
//! A compiler passes file, line and column of a check to UndefinedBehaviorSanitizer. They are exact
//! even if the stack has no names, or if its line is that of the next instruction.

use alloc::sync::Arc;

use super::collect::{Collector, FrameSyntax};
use super::finding_builder::FindingBuilder;
use super::frame::{self, SplitFrame};
use crate::bytes::hex;
use crate::model::{FrameInfo, Role, Stack};

/// Sets the place of an error in the frame that contains it. Without a stack, the place becomes its
/// only frame.
pub(crate) fn place(draft: &mut FindingBuilder, location: &[u8], out: &mut Collector) {
    if location.is_empty() || location == b"<unknown>" {
        return;
    }
    let Some(stack) = draft.stacks.first_mut() else {
        let address = location
            .strip_prefix(b"0x")
            .and_then(hex)
            .map(|(address, _)| address);
        draft.expect_stack(Role::Access, b"");
        let frame = SplitFrame {
            index: Some(0),
            address,
            text: location,
        };
        return out.push_frame(draft, FrameSyntax::Location, frame);
    };
    let place = frame::parse_location(location);
    if place.line.is_none() {
        return;
    }
    let at = frame_of(stack, &place);
    if let Some(frame) = stack.frames.get_mut(at)
        && is_unlike(&frame.info, &place)
    {
        frame.info = out.placed_frame(&frame.info, location, &place);
    }
}

/// Returns the index of the frame with the error: the first one in the same file, or else the first
/// one after the functions that handle the error.
fn frame_of(stack: &Stack, place: &FrameInfo) -> usize {
    const HANDLERS: &[&str] = &[
        "__ubsan_",
        "ubsan_",
        "__sanitizer",
        "dump_stack",
        "show_stack",
    ];
    let is_handler = |info: &FrameInfo| {
        info.name()
            .is_some_and(|name| HANDLERS.iter().any(|handler| name.starts_with(handler)))
    };
    let frames = || stack.frames.iter().map(|frame| &*frame.info);
    frames()
        .position(|info| base(info) == base(place))
        .or_else(|| frames().rposition(is_handler).map(|at| at + 1))
        .unwrap_or(0)
}

/// Returns true if the frame names no file, or another line or no column of the same file.
fn is_unlike(info: &FrameInfo, place: &FrameInfo) -> bool {
    let is_same = base(info) == base(place);
    info.file.is_none() || (is_same && (info.line != place.line || info.column != place.column))
}

/// Returns the base name of a frame's file.
fn base(info: &FrameInfo) -> Option<&str> {
    info.file.as_deref()?.rsplit(['/', '\\']).next()
}

/// Returns a copy of a frame with the place.
pub(super) fn placed(info: &Arc<FrameInfo>, place: &FrameInfo, raw: &[u8]) -> FrameInfo {
    let file = info.file.clone().or_else(|| place.file.clone());
    FrameInfo {
        raw: raw.into(),
        file,
        line: place.line,
        column: place.column,
        ..FrameInfo::clone(info)
    }
}
