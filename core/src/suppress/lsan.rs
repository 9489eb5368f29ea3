//! Lines of LeakSanitizer's suppression files: one template, for any frame.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Attempt, Run, Writer, comment, one_line};
use crate::culprit::{Class, Names};
use crate::model::{Finding, Frame, Text, Tool};
use crate::rules::hygiene::is_over_broad;
use crate::rules::read_file;

/// Writes the first function of the stack that no other leak has in its own; the frame to look at
/// is tried first.
pub(super) fn write(writer: &mut Writer<'_>, runs: &[Run<'_>]) -> Vec<Result<String, String>> {
    let own = |f: &Finding| f.tool == Tool::Lsan && f.kind.is_leak();
    let meant = |run: &Run<'_>| {
        run.findings
            .iter()
            .copied()
            .filter(|at| own(&run.parsed.findings[*at]))
            .collect()
    };
    let wishes: Vec<Vec<usize>> = runs.iter().map(meant).collect();
    let reason = comment(&writer.wording.reason);
    let chosen = writer.choose(&wishes, |wish, turn, names| {
        let function = wishes[wish]
            .first()
            .and_then(|first| function(&runs[wish], *first, turn, names));
        let Some(function) = function else {
            return Attempt::Over;
        };
        let text = format!("{reason}leak:^{}$\n", one_line(&function));
        match read_file("", &text) {
            Ok((_, rules)) if !rules.iter().any(is_over_broad) => Attempt::Said {
                way: text.clone(),
                text,
                rules,
            },
            _ => Attempt::Unsaid,
        }
    });
    let told = |(text, meant): (Result<String, String>, &Vec<usize>)| {
        text.map_err(|_| {
            String::from(if meant.is_empty() {
                "LeakSanitizer did not report it"
            } else {
                "its language names one frame, and every function of this stack stands in the stacks of other leaks, too"
            })
        })
    };
    chosen.into_iter().zip(&wishes).map(told).collect()
}

/// The function of a finding's stack that is tried at this turn.
fn function(run: &Run<'_>, finding: usize, turn: usize, names: &mut Names) -> Option<Text> {
    let frames = run.parsed.findings[finding]
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let culprit = run.item().culprit.frame.unwrap_or(0);
    let ours = |frame: &&Frame| {
        !matches!(
            names.get(&frame.site).class,
            Class::Allocator | Class::Runtime
        )
    };
    let frames = frames[culprit..]
        .iter()
        .chain(&frames[..culprit])
        .filter(ours);
    frames
        .filter_map(|frame| frame.site.function.clone())
        .nth(turn)
}
