//! Generates LeakSanitizer suppressions: one template each, which matches any frame.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Attempt, Generator, Target, Unsupported, comment, one_line};
use crate::culprit::{Class, FrameCache};
use crate::model::{Finding, Frame, Text, Tool};
use crate::rules::hygiene::is_over_broad;
use crate::rules::read_file;

/// Generates a suppression with the first function that only the stacks of the target contain.
/// Tries the frame to look at first.
pub(super) fn generate(
    generator: &mut Generator<'_>,
    targets: &[Target<'_>],
) -> Vec<Result<String, Unsupported>> {
    let is_suppressible = |f: &Finding| f.tool == Tool::Lsan && f.kind.is_leak();
    let goal = |target: &Target<'_>| {
        target
            .findings
            .iter()
            .copied()
            .filter(|at| is_suppressible(&target.parsed.findings[*at]))
            .collect()
    };
    let goals: Vec<Vec<usize>> = targets.iter().map(goal).collect();
    let reason = comment(&generator.options.metadata.reason);
    let chosen = generator.choose(&goals, |goal, number, cache| {
        let function = goals[goal]
            .first()
            .and_then(|first| nth_function(&targets[goal], *first, number, cache));
        let Some(function) = function else {
            return Attempt::Exhausted;
        };
        let text = format!("{reason}leak:^{}$\n", one_line(&function));
        match read_file("", &text) {
            Ok((_, rules)) if !rules.iter().any(is_over_broad) => Attempt::Candidate {
                value: text.clone(),
                text,
                rules,
            },
            _ => Attempt::Inexpressible,
        }
    });
    chosen
        .into_iter()
        .zip(&goals)
        .map(|(text, goal)| text.map_err(|_| unsupported(goal)))
        .collect()
}

/// Returns the reason why no template matches exactly these findings.
fn unsupported(goal: &[usize]) -> Unsupported {
    Unsupported::new(if goal.is_empty() {
        "LeakSanitizer did not report the finding"
    } else {
        "a template matches a single frame, and every function of this stack also occurs in the \
         stacks of other leaks"
    })
}

/// Returns the function that the candidate with this number uses: the functions of the finding's
/// stack from the frame to look at on, then those above it.
fn nth_function(
    target: &Target<'_>,
    finding: usize,
    number: usize,
    cache: &mut FrameCache,
) -> Option<Text> {
    let frames = target.parsed.findings[finding]
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let culprit = target.triaged().culprit.frame.unwrap_or(0);
    let is_usable = |frame: &&Frame| {
        !matches!(
            cache.get(&frame.info).class,
            Class::Allocator | Class::Runtime
        )
    };
    let frames = frames[culprit..]
        .iter()
        .chain(&frames[..culprit])
        .filter(is_usable);
    frames
        .filter_map(|frame| frame.info.function.clone())
        .nth(number)
}
