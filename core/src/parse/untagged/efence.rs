//! Electric Fence. Most errors are a crash without a word; what it does say is one line.
//!
//! Source: Electric Fence 2.2 `efence.c`, `print.c`. Its banner tells only that it was there: a
//! program that it stops by a signal prints no more than one that is in order.

use super::{Desk, Opened};
use crate::bytes::{after, contains};
use crate::model::{Kind, Tool};
use crate::parse::collect::text_of;
use crate::problem::Code;

/// What a message holds, and its kind.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
    ("address not from malloc()", "invalid-free"),
    ("freeing free memory", "double-free"),
    ("Allocating 0 bytes", "invalid-size"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let Some(said) = [&b"ElectricFence Aborting: "[..], b"DUMA Aborting: "]
        .into_iter()
        .find_map(|words| after(text, words))
    else {
        if contains(text, b"ElectricFence Exiting: ") {
            desk.problem(
                Code::CheckerFailed,
                &alloc::format!("Electric Fence failed: `{}`", text_of(text.trim_ascii())),
            );
            return Opened::Line;
        }
        return Opened::No;
    };
    let kind = WORDS
        .iter()
        .find(|(words, _)| contains(said, words.as_bytes()))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::of(kind));
    desk.said(Tool::Efence, kind, &text_of(said.trim_ascii()));
    Opened::Line
}
