//! Lines of LeakSanitizer's suppression files: one template, for any frame.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Run, Wording, comment, one_line};
use crate::culprit::Class;
use crate::model::Tool;
use crate::rules::hygiene::is_over_broad;
use crate::rules::read_file;

/// Writes the first function of the stack that no other leak has in its own; the frame to look at is tried first.
pub(crate) fn write(run: &mut Run<'_>, wording: &Wording) -> Result<String, String> {
    let own = |at: &usize| run.parsed.findings[*at].tool == Tool::Lsan && run.parsed.findings[*at].kind.is_leak();
    let meant: Vec<usize> = run.findings.iter().copied().filter(own).collect();
    let Some(first) = meant.first() else { return Err(String::from("LeakSanitizer did not report it")) };
    let frames = run.parsed.findings[*first].primary().map(|s| s.frames.as_slice()).unwrap_or_default();
    let culprit = run.item().culprit.frame.unwrap_or(0);
    let ours = |class: Class| !matches!(class, Class::Allocator | Class::Runtime);
    let mut functions: Vec<String> = Vec::new();
    for frame in frames[culprit..].iter().chain(&frames[..culprit]) {
        let class = run.names.get(&frame.site).class;
        if let Some(name) = frame.site.function.as_deref().filter(|_| ours(class)) {
            functions.push(String::from(name));
        }
    }
    for function in functions {
        let text = format!("{}leak:^{}$\n", comment(&wording.reason), one_line(&function));
        let Ok((_, rules)) = read_file("", &text) else { continue };
        if rules.iter().any(is_over_broad) {
            continue;
        }
        let matched = run.matched(&rules);
        if run.difference(&matched, &meant).is_none() {
            return Ok(text);
        }
    }
    Err(String::from("its language names one frame, and every function of this stack stands in the stacks of other leaks, too"))
}
