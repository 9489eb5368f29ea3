//! Frames of JSON reports that are read. Equal frames and equal texts share one value, as in parsed
//! logs: most of a report are frames that it repeats, and similar runs have the same ones.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use serde::Deserialize;

use super::parse_hex;
use crate::bytes;
use crate::model::{self, FrameInfo, Text};
use crate::wire::{Frame, Str};

/// Maximum number of texts that are kept. A report may have any number of different frames.
const MAX_TEXTS: usize = 1 << 16;

/// The frames of a JSON report.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct AllFrames<'a> {
    #[serde(borrow)]
    findings: Vec<FindingFrames<'a>>,
}

/// The frames of a finding.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct FindingFrames<'a> {
    #[serde(borrow)]
    stacks: Vec<StackFrames<'a>>,
}

/// The frames of a stack.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct StackFrames<'a> {
    #[serde(borrow)]
    frames: Vec<Frame<'a>>,
}

/// Returns the error for the first frame of a JSON report that can't be parsed, with its position
/// in the report.
pub(crate) fn frame_error(report: &str) -> Option<serde_json::Error> {
    serde_json::from_str::<AllFrames<'_>>(report).err()
}

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
    /// Frames and whether they are inlined, by their texts without index and address.
    by_text: HashMap<Box<[u8]>, (Arc<FrameInfo>, bool)>,
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

/// A frame's text, as leakgate writes it, without the fields that differ from stack to stack.
struct SplitText<'a> {
    index: u32,
    address: Option<u64>,
    rest: &'a [u8],
}

impl<'a> SplitText<'a> {
    /// Splits the text of a frame. Returns `None` if the first fields aren't `index` and `address`,
    /// or aren't written as leakgate does it.
    fn new(text: &'a str) -> Option<Self> {
        let rest = text.as_bytes().strip_prefix(b"{\"index\":")?;
        let (index, rest) = bytes::number(rest)?;
        let rest = rest.strip_prefix(b",\"address\":")?;
        let (address, rest) = match rest.strip_prefix(b"\"0x") {
            Some(digits) => {
                let (address, rest) = bytes::hex(digits)?;
                (Some(address), rest.strip_prefix(b"\",")?)
            }
            None => (None, rest.strip_prefix(b"null,")?),
        };
        Some(Self {
            index: u32::try_from(index).ok()?,
            address,
            rest,
        })
    }
}

impl KnownFrames {
    /// Parses a frame. Frames with the same text, apart from their numbers and addresses, are
    /// parsed once.
    pub(super) fn read(&mut self, text: &str) -> Result<model::Frame, serde_json::Error> {
        let split = SplitText::new(text);
        if let Some(split) = &split
            && let Some((info, inlined)) = self.by_text.get(split.rest)
        {
            return Ok(model::Frame {
                index: split.index,
                address: split.address,
                inlined: *inlined,
                info: Arc::clone(info),
            });
        }
        let frame = self.convert(serde_json::from_str(text)?);
        if let Some(split) = split
            && self.by_text.len() < MAX_TEXTS
        {
            let known = (Arc::clone(&frame.info), frame.inlined);
            self.by_text.insert(split.rest.into(), known);
        }
        Ok(frame)
    }

    /// Converts a frame.
    fn convert(&mut self, wire: Frame<'_>) -> model::Frame {
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
