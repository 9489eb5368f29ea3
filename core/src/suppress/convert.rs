//! Converts rules to another syntax. A converted rule never matches more than the original.

mod lsan;
mod toml;
mod valgrind;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{RuleSyntax, Unsupported};
use crate::model::Tool;
use crate::rules::{Limit, Rule};

/// A rule converted to another syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertedRule {
    /// Id of the original rule.
    pub id: String,
    /// Text of the converted rule, or the reason why the syntax cannot express it.
    pub text: Result<String, Unsupported>,
    /// Why the converted rule may match less than the original, or `None` if it matches the same
    /// findings.
    pub narrower: Option<String>,
}

/// Converts rules to another syntax. Returns one entry for each rule, in the same order.
///
/// The three syntaxes compare different names, so a converted rule may match less than the
/// original; see [`ConvertedRule::narrower`].
///
/// ```
/// use leakgate_core::rules::read_file;
/// use leakgate_core::suppress::{RuleSyntax, convert};
///
/// let (_, rules) = read_file("lsan.supp", "leak:^make$\n").unwrap();
/// let converted = convert(&rules, RuleSyntax::Toml);
/// assert!(converted[0].text.as_ref().unwrap().contains("[[allow]]"));
/// ```
pub fn convert(rules: &[Rule], to: RuleSyntax) -> Vec<ConvertedRule> {
    let convert_one = |rule: &Rule| {
        let mut narrowing = Narrowing::default();
        let text = match to {
            RuleSyntax::Toml => toml::write(rule, &mut narrowing),
            RuleSyntax::Valgrind => valgrind::write(rule, &mut narrowing),
            RuleSyntax::Lsan => lsan::write(rule, &mut narrowing),
        };
        let narrower = (text.is_ok() && !narrowing.0.is_empty()).then(|| narrowing.0.join("; "));
        ConvertedRule {
            id: rule.id.clone(),
            text,
            narrower,
        }
    };
    rules.iter().map(convert_one).collect()
}

/// The distinct reasons why a converted rule may match less than the original.
#[derive(Debug, Default)]
struct Narrowing(Vec<&'static str>);

impl Narrowing {
    fn add(&mut self, reason: &'static str) {
        if !self.0.contains(&reason) {
            self.0.push(reason);
        }
    }
}

/// The narrowing of a sanitizer's template.
const FUNCTIONS_ONLY: &str = "the sanitizer also compares the template with modules and files, the \
                              converted rule only with functions";

/// The narrowing of a pattern that only one side applies to mangled names.
const C_FUNCTIONS_ONLY: &str =
    "valgrind compares names before demangling, so the converted rule only matches C functions";

/// The narrowing of a pattern for a source file.
const OTHER_FILE: &str = "after inlined functions, valgrind compares the file of another frame";

/// Checks that a suppression file of this tool can express everything but the stack and the kinds.
fn ensure_expressible(rule: &Rule, tool: &Tool) -> Result<(), Unsupported> {
    let selector = &rule.selector;
    let conditions = [
        (selector.fingerprint.is_some(), "a fingerprint"),
        (
            !selector.bytes.is_open() || !selector.blocks.is_open(),
            "sizes",
        ),
        (selector.title.is_some(), "a title"),
        (!selector.tests.0.is_empty(), "tests"),
        (rule.expires.is_some(), "an expiry date"),
        (rule.dependency.is_some(), "a dependency"),
        (rule.limit != Limit::default(), "a limit"),
        (rule.growth.is_some(), "growth"),
        (rule.expect.is_some(), "an expected number of matches"),
        (selector.tools.iter().any(|t| t != tool), "other tools"),
    ];
    let lost: Vec<&str> = conditions
        .iter()
        .filter(|(is_used, _)| *is_used)
        .map(|(_, name)| *name)
        .collect();
    if lost.is_empty() {
        Ok(())
    } else {
        let names = lost.join(" or ");
        Err(Unsupported::new(format!(
            "a suppression file cannot contain {names}"
        )))
    }
}

/// Returns true if the name is the same before and after demangling: C functions and `extern "C"`.
fn is_c_name(name: &str) -> bool {
    !name.contains(['(', '<', ':', ' ', ',', '~', '[', '{']) && !is_mangled(name)
}

fn is_mangled(name: &str) -> bool {
    name.starts_with("_Z") || name.starts_with("_R")
}
