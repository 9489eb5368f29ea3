//! Electric Fence. Most errors are a crash without a message. The messages that exist are one line
//! long.
//!
//! Source: Electric Fence 2.2 `efence.c`, `print.c`. Its banner proves only that it was loaded: a
//! program that it stops with a signal prints no more than a correct program.

use super::{Context, Start};
use crate::bytes::contains;
use crate::model::{Kind, Tool};
use crate::parse::collect::shared_text;
use crate::problem::Code;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "ElectricFence Aborting: ",
    "DUMA Aborting: ",
    "ElectricFence Exiting: ",
];

/// Parts of a message, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("address not from malloc()", "invalid-free"),
    ("freeing free memory", "double-free"),
    ("Allocating 0 bytes", "invalid-size"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    let Some(message) = [&b"ElectricFence Aborting: "[..], b"DUMA Aborting: "]
        .into_iter()
        .find_map(|prefix| text.strip_prefix(prefix))
    else {
        if text.starts_with(b"ElectricFence Exiting: ") {
            context.problem(
                Code::CheckerFailed,
                &alloc::format!(
                    "Electric Fence failed: `{}`",
                    shared_text(text.trim_ascii())
                ),
            );
            return Start::Line;
        }
        return Start::No;
    };
    let kind = KINDS
        .iter()
        .find(|(part, _)| contains(message, part.as_bytes()))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind));
    context.record_single_line(Tool::Efence, kind, &shared_text(message.trim_ascii()));
    Start::Line
}
