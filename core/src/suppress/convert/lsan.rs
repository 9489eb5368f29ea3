//! Converts rules to LeakSanitizer suppressions.

use alloc::format;
use alloc::string::String;

use super::super::{Unsupported, comment};
use super::{Narrowing, ensure_expressible, is_c_name};
use crate::model::{Kind, Tool};
use crate::policy::KindSet;
use crate::rules::glob::Glob;
use crate::rules::stack::{FramePattern, StackPattern};
use crate::rules::valgrind::kinds::Extra;
use crate::rules::valgrind::{Entry, SuppressionFrame};
use crate::rules::{Matcher, Rule};

/// Returns a suppression with an equivalent template. The template is anchored at both ends,
/// because LeakSanitizer would also find any other in the paths of files and modules.
pub(super) fn write(rule: &Rule, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    ensure_expressible(rule, &Tool::Lsan)?;
    let glob = function_glob(&rule.matcher)?;
    if rule.selector.kinds.iter().any(|k| *k != KindSet::Leaks) {
        return Err(Unsupported::new(
            "LeakSanitizer cannot distinguish kinds of leaks",
        ));
    }
    let Glob::Exact(name) = glob else {
        return Err(Unsupported::new(
            "LeakSanitizer would also match a part of a name in the paths of files and modules",
        ));
    };
    if !is_c_name(name) || name.contains(['$', '^', '*']) {
        return Err(Unsupported::new(
            "LeakSanitizer compares demangled names with their arguments, which the rule omits",
        ));
    }
    narrowing.add(
        "the names of C++ functions include their arguments, so the converted rule only matches C \
         functions",
    );
    Ok(format!("{}leak:^{name}$\n", comment(&rule.metadata.reason)))
}

/// Returns the pattern for the only function of the stack, which may be any frame.
fn function_glob(matcher: &Matcher) -> Result<&Glob, Unsupported> {
    match matcher {
        Matcher::Stack(patterns) => match patterns.as_slice() {
            [
                StackPattern {
                    parsed: FramePattern::AnyFrames,
                    ..
                },
                StackPattern {
                    parsed: FramePattern::Function(glob) | FramePattern::Symbol(glob),
                    ..
                },
            ] => Ok(glob),
            _ => Err(Unsupported::new(
                "a template matches one frame anywhere in the stack; expected the stack `...` and \
                 one `fun:`",
            )),
        },
        Matcher::Valgrind(Entry {
            locations,
            kind,
            extra,
            ..
        }) => match (locations.as_slice(), kind.as_str(), extra) {
            (
                [
                    SuppressionFrame::AnyFrames,
                    SuppressionFrame::Function(name),
                ],
                "Leak",
                Extra::Leaks(kinds),
            ) if is_all(kinds) => Ok(&name.glob),
            _ => Err(Unsupported::new(
                "a template matches one frame anywhere in the stack; expected a `Leak` suppression \
                 of definite and indirect leaks with `...` and one `fun:`",
            )),
        },
        Matcher::Sanitizer(_) => Err(Unsupported::new("it is already a sanitizer suppression")),
    }
}

/// Returns true if the kinds include all leaks that LeakSanitizer reports.
fn is_all(kinds: &[Kind]) -> bool {
    kinds.contains(&Kind::LEAK_DEFINITE) && kinds.contains(&Kind::LEAK_INDIRECT)
}
