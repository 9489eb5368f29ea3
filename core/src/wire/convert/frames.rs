//! Frames of a JSON report that is read. Equal frames and equal texts share one value, as in parsed
//! logs: most of a report are frames that it repeats.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::parse_hex;
use crate::model::{self, FrameInfo, Text};
use crate::wire::{Frame, Str};

/// The fields of a frame that are the same in every stack.
#[derive(PartialEq, Eq, Hash)]
struct Fields<'a> {
    function: Option<Str<'a>>,
    symbol: Option<Str<'a>>,
    file: Option<Str<'a>>,
    line: Option<u32>,
    column: Option<u32>,
    module: Option<Str<'a>>,
    offset: Option<Str<'a>>,
    build_id: Option<Str<'a>>,
}

/// The frames and texts that were read so far.
#[derive(Default)]
pub(crate) struct KnownFrames<'a> {
    frames: HashMap<Fields<'a>, Arc<FrameInfo>>,
    texts: HashSet<Text>,
}

impl<'a> KnownFrames<'a> {
    /// Converts a frame.
    pub(super) fn read(&mut self, wire: Frame<'a>) -> model::Frame {
        let fields = Fields {
            function: wire.function,
            symbol: wire.symbol,
            file: wire.file,
            line: wire.line,
            column: wire.column,
            module: wire.module,
            offset: wire.offset,
            build_id: wire.build_id,
        };
        let info = match self.frames.get(&fields) {
            Some(info) => Arc::clone(info),
            None => {
                let info = Arc::new(self.info(&fields));
                self.frames.insert(fields, Arc::clone(&info));
                info
            }
        };
        model::Frame {
            index: wire.index,
            address: parse_hex(wire.address),
            inlined: wire.inlined,
            info,
        }
    }

    fn info(&mut self, fields: &Fields<'_>) -> FrameInfo {
        let (function, demangled) = match &fields.symbol {
            Some(symbol) => (Some(symbol), fields.function.as_ref()),
            None => (fields.function.as_ref(), None),
        };
        let mut text = |text: Option<&Str<'_>>| text.map(|text| self.text(text));
        FrameInfo {
            function: text(function),
            demangled: text(demangled),
            file: text(fields.file.as_ref()),
            line: fields.line,
            column: fields.column,
            module: text(fields.module.as_ref()),
            offset: parse_hex(fields.offset.as_deref().map(Cow::Borrowed)),
            build_id: text(fields.build_id.as_ref()),
            ..FrameInfo::default()
        }
    }

    fn text(&mut self, text: &str) -> Text {
        Arc::clone(self.texts.get_or_insert_with(text, |text| Text::from(text)))
    }
}
