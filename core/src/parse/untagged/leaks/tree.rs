//! The tree of a leak: its root and the blocks that are reachable from it.

use alloc::format;
use alloc::string::String;

use crate::bytes::{after, find, lossy, number};

/// The first row of a tree.
pub(super) struct Root<'a> {
    /// `LEAK` or `CYCLE`.
    root_type: &'static str,
    /// The class of the block; empty if it isn't known.
    class: &'a [u8],
    /// Size of the block, in bytes.
    pub(super) size: u64,
}

impl Root<'_> {
    /// Returns the finding's title, which doesn't contain the address.
    pub(super) fn title(&self) -> String {
        let class = lossy(self.class);
        let class = class.trim_start_matches('<').trim_end_matches('>').trim();
        let class = if class.is_empty() { "malloc" } else { class };
        format!("ROOT {}: {class} [{}]", self.root_type, self.size)
    }
}

/// Parses `1 (32 bytes) ROOT LEAK: <LeakySwiftObject 0x600001431a40> [32]`.
pub(super) fn parse_root(text: &[u8]) -> Option<Root<'_>> {
    number(text)?;
    // A cycle within a tree names another root after an arrow.
    let (root_type, rest) = match (
        after(text, b") ROOT LEAK: "),
        after(text, b") ROOT CYCLE: "),
    ) {
        (Some(rest), _) => ("LEAK", rest),
        (None, Some(rest)) => ("CYCLE", rest),
        _ => return None,
    };
    let size = block_size(text)?;
    let class = &rest[..find(rest, b" 0x").unwrap_or(0)];
    Some(Root {
        root_type,
        class,
        size,
    })
}

/// Returns the size of a row's block in bytes: `… [80]`. A row that refers back to another block
/// has none.
pub(super) fn block_size(text: &[u8]) -> Option<u64> {
    number(text)?;
    if find(text, b"CYCLE BACK TO ").is_some() {
        return None;
    }
    let mut rest = text;
    while let Some(inside) = after(rest, b"[") {
        if let Some((size, _)) = number(inside).filter(|(_, rest)| rest.starts_with(b"]")) {
            return Some(size);
        }
        rest = inside;
    }
    None
}
