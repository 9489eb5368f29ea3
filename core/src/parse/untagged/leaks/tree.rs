//! The tree of a leak: its root, and the blocks that hang on it.

use alloc::format;
use alloc::string::String;

use crate::bytes::{after, find, lossy, number};

/// What a tree begins with.
pub(super) struct Root<'a> {
    /// `LEAK` or `CYCLE`.
    what: &'static str,
    /// What is known of the block: its class, or nothing.
    class: &'a [u8],
    pub(super) size: u64,
}

impl Root<'_> {
    /// The title without the address.
    pub(super) fn title(&self) -> String {
        let class = lossy(self.class);
        let class = class.trim_start_matches('<').trim_end_matches('>').trim();
        let class = if class.is_empty() { "malloc" } else { class };
        format!("ROOT {}: {class} [{}]", self.what, self.size)
    }
}

/// `1 (32 bytes) ROOT LEAK: <LeakySwiftObject 0x600001431a40> [32]`
pub(super) fn root(said: &[u8]) -> Option<Root<'_>> {
    number(said)?;
    // A cycle within a tree names another root, behind an arrow.
    let (what, rest) = match (
        after(said, b") ROOT LEAK: "),
        after(said, b") ROOT CYCLE: "),
    ) {
        (Some(rest), _) => ("LEAK", rest),
        (None, Some(rest)) => ("CYCLE", rest),
        _ => return None,
    };
    let size = block(said)?;
    let class = &rest[..find(rest, b" 0x").unwrap_or(0)];
    Some(Root { what, class, size })
}

/// The size of the block that a row is about: `… [80]`. A row that only leads back has none of its
/// own.
pub(super) fn block(said: &[u8]) -> Option<u64> {
    number(said)?;
    if find(said, b"CYCLE BACK TO ").is_some() {
        return None;
    }
    let mut rest = said;
    while let Some(inside) = after(rest, b"[") {
        if let Some((size, _)) = number(inside).filter(|(_, behind)| behind.starts_with(b"]")) {
            return Some(size);
        }
        rest = inside;
    }
    None
}
