//! Lines of LeakSanitizer's suppression files.

use alloc::format;
use alloc::string::String;

use super::super::comment;
use super::{Losses, is_plain, only_stack};
use crate::model::{Kind, Tool};
use crate::rules::glob::Glob;
use crate::rules::selector::KindSet;
use crate::rules::stack::{Item, What};
use crate::rules::valgrind::kinds::Extra;
use crate::rules::valgrind::{Entry, Location};
use crate::rules::{Matcher, Rule};

/// The template that says the same. It is anchored at both ends: any other would be found in the
/// paths of files and modules, too.
pub(super) fn write(rule: &Rule, losses: &mut Losses) -> Result<String, String> {
    only_stack(rule, &Tool::Lsan)?;
    let glob = match &rule.matcher {
        Matcher::Stack(items) => match items.as_slice() {
            [
                Item {
                    what: What::Dots, ..
                },
                Item {
                    what: What::Function(glob) | What::Symbol(glob),
                    ..
                },
            ] => glob,
            _ => {
                return Err(String::from(
                    "a template names one frame, anywhere in the stack: `...` and one `fun:`",
                ));
            }
        },
        Matcher::Valgrind(Entry {
            locations,
            kind,
            extra,
            ..
        }) => match (locations.as_slice(), kind.as_str(), extra) {
            ([Location::Dots, Location::Function(name)], "Leak", Extra::Leaks(kinds))
                if is_all(kinds) =>
            {
                &name.glob
            }
            _ => {
                return Err(String::from(
                    "a template names one frame, anywhere in the stack: `Leak` of definite and indirect kinds, `...` and one `fun:`",
                ));
            }
        },
        Matcher::Sanitizer(_) => {
            return Err(String::from(
                "it is a line of a sanitizer's suppression file already",
            ));
        }
    };
    if rule.selector.kinds.iter().any(|k| *k != KindSet::Leaks) {
        return Err(String::from(
            "LeakSanitizer can't tell kinds of leaks apart",
        ));
    }
    let Glob::Exact(name) = glob else {
        return Err(String::from(
            "LeakSanitizer would find a part of a name in the paths of files and modules, too",
        ));
    };
    if !is_plain(name) || name.contains(['$', '^', '*']) {
        return Err(String::from(
            "LeakSanitizer compares demangled names with their arguments, which the rule leaves out",
        ));
    }
    losses.say(
        "of C++ functions the name would have arguments behind it; this takes functions of C alone",
    );
    Ok(format!("{}leak:^{name}$\n", comment(&rule.about.reason)))
}

fn is_all(kinds: &[Kind]) -> bool {
    kinds.contains(&Kind::LEAK_DEFINITE) && kinds.contains(&Kind::LEAK_INDIRECT)
}
