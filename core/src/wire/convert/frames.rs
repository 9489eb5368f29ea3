//! Frames of JSON reports that are read. Equal frames and equal texts share one value, as in parsed
//! logs: most of a report are frames that it repeats, and similar runs have the same ones.

use alloc::sync::Arc;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashSet, HashTable};

use super::parse_hex;
use crate::model::{self, FrameInfo, Text};
use crate::wire::{Frame, Str};

/// The fields of a frame that are the same in every stack.
#[derive(Hash)]
struct Fields<'a> {
    function: Option<Str<'a>>,
    symbol: Option<Str<'a>>,
    file: Option<Str<'a>>,
    line: Option<u32>,
    column: Option<u32>,
    module: Option<Str<'a>>,
    offset: Option<u64>,
    build_id: Option<Str<'a>>,
}

/// The frames and texts that were read so far.
#[derive(Debug, Default)]
pub(crate) struct KnownFrames {
    /// The frames, each with the hash of its fields.
    frames: HashTable<(u64, Arc<FrameInfo>)>,
    texts: HashSet<Text>,
    hasher: DefaultHashBuilder,
}

impl Fields<'_> {
    /// Returns the function as printed, and its demangled name.
    fn names(&self) -> [Option<&str>; 2] {
        match &self.symbol {
            Some(symbol) => [Some(symbol), self.function.as_deref()],
            None => [self.function.as_deref(), None],
        }
    }

    /// Returns true if the frame has these fields.
    fn is(&self, info: &FrameInfo) -> bool {
        self.names() == [info.function.as_deref(), info.demangled.as_deref()]
            && (self.line, self.column, self.offset) == (info.line, info.column, info.offset)
            && self.file.as_deref() == info.file.as_deref()
            && self.module.as_deref() == info.module.as_deref()
            && self.build_id.as_deref() == info.build_id.as_deref()
    }
}

impl KnownFrames {
    /// Converts a frame.
    pub(super) fn read(&mut self, wire: Frame<'_>) -> model::Frame {
        let fields = Fields {
            function: wire.function,
            symbol: wire.symbol,
            file: wire.file,
            line: wire.line,
            column: wire.column,
            module: wire.module,
            offset: parse_hex(wire.offset),
            build_id: wire.build_id,
        };
        let hash = self.hasher.hash_one(&fields);
        let known = self
            .frames
            .find(hash, |(known, info)| *known == hash && fields.is(info));
        let info = match known {
            Some((_, info)) => Arc::clone(info),
            None => {
                let info = Arc::new(self.info(&fields));
                let frame = (hash, Arc::clone(&info));
                self.frames.insert_unique(hash, frame, |(hash, _)| *hash);
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
        let [function, demangled] = fields.names();
        let mut text = |text: Option<&str>| text.map(|text| self.text(text));
        FrameInfo {
            function: text(function),
            demangled: text(demangled),
            file: text(fields.file.as_deref()),
            line: fields.line,
            column: fields.column,
            module: text(fields.module.as_deref()),
            offset: fields.offset,
            build_id: text(fields.build_id.as_deref()),
            ..FrameInfo::default()
        }
    }

    fn text(&mut self, text: &str) -> Text {
        Arc::clone(self.texts.get_or_insert_with(text, |text| Text::from(text)))
    }
}
