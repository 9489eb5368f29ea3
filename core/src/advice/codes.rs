//! Explanations of codes: of the reasons of a verdict, of problems in logs, of advice about rules,
//! and of diagnoses.
//!
//! If a code is used for several of these, such as that of a problem and its reason, it has one
//! explanation, in the first table.

mod diagnoses;
mod problems;
mod reasons;
mod rules;

use alloc::vec::Vec;

use crate::diagnostic::nearest;
use crate::error::UnknownName;
use crate::problem::{Class, Code};
use crate::reason::ReasonCode;

/// The explanation of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeHelp {
    /// The code, such as `truncated-report`.
    pub code: &'static str,
    /// A readable title, such as `A report has no end`.
    pub title: &'static str,
    /// The meaning of the code.
    pub meaning: &'static str,
    /// Why it fails the gate or, for codes that don't, why it doesn't.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// Creates an entry of a table, without texts.
const fn entry(code: &'static str, title: &'static str) -> CodeHelp {
    CodeHelp {
        code,
        title,
        meaning: "",
        why: "",
        fix: "",
    }
}

impl CodeHelp {
    const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    const fn why(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    const fn fix(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }

    /// Returns true if the code never fails the gate or, for advice about rules, `leakgate rules`.
    pub fn is_note(&self) -> bool {
        if self.is_about_rules() {
            return !rules::FAILING.contains(&self.code);
        }
        let is_warning = self.code == ReasonCode::ThirdParty.as_str();
        let is_diagnosis = diagnoses::TABLE.contains(self);
        let is_note = || problem(self.code).is_some_and(|code| code.class() == Class::Note);
        is_warning || is_diagnosis || is_note()
    }

    /// Returns the heading of the field `why`, without a colon.
    pub fn why_heading(&self) -> &'static str {
        match (self.is_note(), self.is_about_rules()) {
            (true, _) => "Why it doesn't fail the gate",
            (false, true) => "Why leakgate rules fails",
            (false, false) => "Why it fails the gate",
        }
    }

    /// Returns true for a code of advice about rules that isn't also the code of a reason.
    pub fn is_about_rules(&self) -> bool {
        rules::TABLE.contains(self)
    }

    /// Returns the reason that a problem with this code leads to. `None` if the code isn't the code
    /// of a problem, or if the problem doesn't fail the gate.
    pub fn reason(&self) -> Option<ReasonCode> {
        problem(self.code)?.reason()
    }

    /// Returns the codes of the problems that lead to this reason. Empty if the code isn't the code
    /// of a reason.
    pub fn problems(&self) -> impl Iterator<Item = Code> {
        let leads_here = |code: &&Code| code.reason().is_some_and(|r| r.as_str() == self.code);
        Code::ALL.iter().filter(leads_here).copied()
    }
}

/// Returns the code of a problem by its name.
fn problem(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == name)
}

/// Returns the explanation of a code.
///
/// ```
/// use leakgate_core::advice::find_code;
///
/// let help = find_code("no-evidence").unwrap();
/// assert!(help.fix.contains("verbosity=1"));
/// assert!(find_code("no-such-code").is_err());
/// ```
///
/// # Errors
/// Returns an error with the nearest code, or with all codes, if the name isn't a code.
pub fn find_code(name: &str) -> Result<&'static CodeHelp, UnknownName> {
    let found = all().find(|help| help.code == name);
    found.ok_or_else(|| UnknownName::new("code", name, all().map(|help| help.code)))
}

/// Returns the code that `name` probably misspells. `None` if no code is similar, or if `name` is a
/// code.
pub fn misspelled_code(name: &str) -> Option<&'static str> {
    nearest(name, all().map(|help| help.code)).filter(|near| *near != name)
}

/// Returns the explanations of all codes: those of reasons in the order of their importance, then
/// those of problems, of advice about rules, and of diagnoses.
pub fn codes() -> Vec<&'static CodeHelp> {
    all().collect()
}

/// Returns the explanations of all codes, in groups with a heading.
pub fn code_groups() -> [(&'static str, &'static [CodeHelp]); 4] {
    [
        ("Reasons of a verdict", reasons::TABLE),
        ("Problems in a log", problems::TABLE),
        ("Advice of leakgate rules", rules::TABLE),
        ("Diagnoses of leakgate doctor", diagnoses::TABLE),
    ]
}

fn all() -> impl Iterator<Item = &'static CodeHelp> {
    code_groups().into_iter().flat_map(|(_, table)| table)
}

/// What to do about mixed output.
const SEPARATE_LOGS: &str = "Let each process write its own log: `--log-file=valgrind.%p.log` for \
                             valgrind, `log_path=sanitizer.log` in the options of a sanitizer. \
                             `leakgate run` does so.";

/// What to do about missing records.
const COMPLETE_LOG: &str = "Check whether the log was filtered, shortened or mixed with other \
                            output, and pass the complete log. If it is complete, report the \
                            difference as an issue of leakgate, with the log.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::find_help;

    #[test]
    fn every_code_has_one_explanation() {
        let reasons = ReasonCode::ALL.iter().map(|code| code.as_str());
        let problems = Code::ALL.iter().map(|code| code.as_str());
        let is_reason = |name: &&str| ReasonCode::ALL.iter().any(|code| code.as_str() == *name);
        let expected: Vec<&str> = reasons
            .chain(problems.filter(|name| !is_reason(name)))
            .collect();
        let mut explained: Vec<&str> = codes().iter().map(|help| help.code).collect();
        assert_eq!(explained[..expected.len()], expected);
        let count = explained.len();
        explained.sort_unstable();
        explained.dedup();
        assert_eq!(explained.len(), count, "{explained:?}");
    }

    #[test]
    fn no_code_is_a_kind() {
        for help in codes() {
            assert_eq!(find_help(help.code), None, "{}", help.code);
        }
    }

    #[test]
    fn every_explanation_is_complete() {
        for help in codes() {
            for text in [help.meaning, help.why, help.fix] {
                let is_plain = !text.contains("  ") && !text.contains('\n');
                assert!(is_plain && text.ends_with('.'), "{}: {text}", help.code);
                assert!((12..600).contains(&text.len()), "{}: {text}", help.code);
            }
            let starts_upper = help.title.starts_with(char::is_uppercase);
            assert!(starts_upper && !help.title.ends_with('.'), "{}", help.title);
            let is_note = help.why.starts_with("It's a ");
            assert_eq!(help.is_note(), is_note, "{}", help.code);
        }
    }

    #[test]
    fn problems_and_reasons_refer_to_each_other() {
        let truncated = find_code("truncated").unwrap();
        assert_eq!(truncated.reason(), Some(ReasonCode::TruncatedReport));
        assert_eq!(truncated.problems().count(), 0);
        let reason = find_code("truncated-report").unwrap();
        assert!(reason.problems().any(|code| code == Code::Truncated));
        assert_eq!(reason.reason(), None);
        assert_eq!(find_code("replaced").unwrap().reason(), None);
    }

    #[test]
    fn unknown_code_names_the_nearest_one() {
        let near = find_code("trunkated").unwrap_err();
        assert_eq!(near.help(), "did you mean `truncated`?");
        let unknown = find_code("x").unwrap_err();
        assert!(
            unknown
                .help()
                .starts_with("expected one of: unexpected-finding, ")
        );
    }
}
