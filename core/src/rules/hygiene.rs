//! Advice about the rules themselves: unused, redundant, too broad, expired or about to expire.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use hashbrown::HashMap;
use jiff::civil::Date;

use super::glob::Glob;
use super::selector::Bounds;
use super::stack::FramePattern;
use super::usage::RuleUsage;
use super::valgrind::kinds::Extra;
use super::valgrind::{SuppressionFrame, suggest_tool};
use super::{Expiry, Matcher, Rule, Source, witness};
use crate::full;
use crate::numbers::count;
use crate::policy::{Level, Policy};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $level:ident;)*) => {
        /// The kind of an [`Advice`]. The policy sets the level of `unused-rule`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AdviceCode { $($(#[$doc])* $name,)* }

        impl AdviceCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the name in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns the level used by `leakgate rules`. In a check, only `unused-rule` can fail
            /// the gate.
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }
        }
    };
}

codes! {
    /// The rule has expired, so matching findings fail.
    ExpiredRule = "expired-rule", Fail;
    /// The rule expires soon.
    ExpiresSoon = "expires-soon", Warn;
    /// The rule doesn't match the stack that it was written for.
    WitnessMissed = "witness-missed", Fail;
    /// The rule matches a stack that another rule was written for.
    WitnessWidened = "witness-widened", Fail;
    /// The rule accepts nearly everything.
    OverBroadRule = "over-broad-rule", Warn;
    /// Another rule is identical.
    DuplicateRule = "duplicate-rule", Warn;
    /// Earlier rules decide every finding that the rule matches.
    ShadowedRule = "shadowed-rule", Warn;
    /// The rule matches nothing although its tool ran.
    UnusedRule = "unused-rule", Warn;
    /// The rule names an unknown valgrind tool.
    UnknownTool = "unknown-tool", Warn;
}

/// A recommendation to change or remove a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Kind of the advice.
    pub code: AdviceCode,
    /// Severity.
    pub level: Level,
    /// Index of the rule in [`Gate::rules`](crate::triage::Gate::rules).
    pub rule: usize,
    /// Message for readers, a sentence without its subject, which is the rule.
    pub message: String,
}

impl Advice {
    fn new(code: AdviceCode, rule: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            level: code.level(),
            rule,
            message: message.into(),
        }
    }
}

/// Returns the advice that follows from the rules alone, without any log.
/// `expiry` returns why a rule has expired.
pub(crate) fn advice_before_run(
    rules: &[Rule],
    policy: &Policy,
    today: Date,
    expiry: impl Fn(&Rule) -> Option<Expiry>,
) -> Vec<Advice> {
    if rules.is_empty() {
        return Vec::new();
    }
    full::require();
    let mut out = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        match expiry(rule) {
            Some(expiry) => out.push(Advice::new(
                AdviceCode::ExpiredRule,
                at,
                format!("{expiry}; matching findings fail"),
            )),
            None => check_expires_soon(at, rule, policy, today, &mut out),
        }
        if rule.origin.source != Source::Pack && is_over_broad(rule) {
            out.push(Advice::new(
                AdviceCode::OverBroadRule,
                at,
                "accepts nearly every finding of its kind; add a function to its stack",
            ));
        }
        if let Matcher::Valgrind(entry) = &rule.matcher
            && entry.families.is_empty()
            && let Some(suggestion) = suggest_tool(&entry.tools)
        {
            let message = format!(
                "names the unknown tool `{}`, so valgrind ignores it; did you mean `{suggestion}`?",
                entry.tools
            );
            out.push(Advice::new(AdviceCode::UnknownTool, at, message));
        }
    }
    check_duplicates(rules, &mut out);
    check_witnesses(rules, &mut out);
    out
}

fn check_expires_soon(at: usize, rule: &Rule, policy: &Policy, today: Date, out: &mut Vec<Advice>) {
    let Some(last) = rule.expires else { return };
    let days = today.until(last).map_or(i32::MAX, |span| span.get_days());
    if i64::from(days) <= i64::from(policy.expiry_warning_days) {
        let when = if days == 0 {
            String::from("today")
        } else {
            format!("in {}", count(days.unsigned_abs().into(), "day", "days"))
        };
        out.push(Advice::new(
            AdviceCode::ExpiresSoon,
            at,
            format!("expires {when}; its last day is {last}"),
        ));
    }
}

fn check_duplicates(rules: &[Rule], out: &mut Vec<Advice>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let first = *seen.entry(rule.canonical_text()).or_insert(at);
        if first != at {
            out.push(Advice::new(
                AdviceCode::DuplicateRule,
                at,
                format!("is identical to {}", rules[first].describe_id()),
            ));
        }
    }
}

/// Checks each rule against its own witness and the witnesses of other rules.
fn check_witnesses(rules: &[Rule], out: &mut Vec<Advice>) {
    let with_witness: Vec<usize> = (0..rules.len())
        .filter(|at| !rules[*at].witness.is_empty())
        .collect();
    for at in &with_witness {
        let rule = &rules[*at];
        if !witness::matches_witness(rule, &rule.witness) {
            out.push(Advice::new(
                AdviceCode::WitnessMissed,
                *at,
                "doesn't match its witness, the stack that it was written for",
            ));
        }
    }
    for (at, others) in witness::find_widened(rules, &with_witness) {
        let Some(first) = others.first() else {
            continue;
        };
        let more = if others.len() > 1 {
            format!(" and {} more", others.len() - 1)
        } else {
            String::new()
        };
        let message = format!(
            "also matches the stack that `{}`{more} was written for",
            rules[*first].id
        );
        out.push(Advice::new(AdviceCode::WitnessWidened, at, message));
    }
}

/// Functions and libraries that occur in nearly every stack.
const COMMON_FUNCTIONS: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "strdup",
    "operator new",
    "operator new[]",
    "_Znwm",
    "_Znam",
    "new",
    "alloc",
    "main",
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "(below main)",
    "start_thread",
    "clone",
    "libc",
    "libc.so",
];

/// Returns true if the rule accepts nearly every finding.
pub(crate) fn is_over_broad(rule: &Rule) -> bool {
    let exact = |bounds: Bounds| bounds.min.is_some() && bounds.min == bounds.max;
    if rule.selector.fingerprint.is_some() || exact(rule.selector.bytes) {
        return false;
    }
    match &rule.matcher {
        Matcher::Stack(patterns) => {
            // `main` directly below the allocator is specific; `main` after `...` is not.
            let has_gap = patterns
                .iter()
                .any(|p| matches!(p.parsed, FramePattern::AnyFrames));
            let is_specific = !has_gap && patterns.iter().any(|p| is_main(&p.parsed));
            !is_specific
                && patterns.iter().all(|p| match &p.parsed {
                    FramePattern::Function(glob) | FramePattern::Symbol(glob) => is_common(glob),
                    other => other.matches_any_frame(),
                })
        }
        Matcher::Valgrind(entry) => {
            let is_narrowed = matches!(entry.extra, Extra::Parameter(_) | Extra::Argument(..));
            !entry.families.is_empty()
                && !is_narrowed
                && entry.locations.iter().all(|location| match location {
                    SuppressionFrame::AnyFrames => true,
                    SuppressionFrame::Function(name) => is_common(&name.glob),
                    SuppressionFrame::Object(glob) | SuppressionFrame::File(glob, None) => {
                        is_common(glob)
                    }
                    SuppressionFrame::File(..) => false,
                })
        }
        Matcher::Sanitizer(suppression) => {
            let template = suppression
                .template
                .split('$')
                .next()
                .unwrap_or_default()
                .trim_start_matches('^');
            let pieces: Vec<&str> = template.split('*').filter(|p| !p.is_empty()).collect();
            pieces.iter().all(|piece| COMMON_FUNCTIONS.contains(piece))
        }
    }
}

/// Returns true if the glob matches anything, or names only a common function.
fn is_common(glob: &Glob) -> bool {
    glob.matches_anything()
        || match glob {
            Glob::Exact(name) => COMMON_FUNCTIONS.contains(&name.as_str()),
            Glob::Wild(_) => glob
                .inner_word()
                .is_some_and(|word| COMMON_FUNCTIONS.contains(&word.as_str())),
        }
}

fn is_main(pattern: &FramePattern) -> bool {
    match pattern {
        FramePattern::Function(Glob::Exact(name)) | FramePattern::Symbol(Glob::Exact(name)) => {
            name.as_str() == "main"
        }
        _ => false,
    }
}

/// Returns the advice that follows from a run: rules that match nothing, or only findings that
/// earlier rules decide.
pub(crate) fn advice_after_run(
    rules: &[Rule],
    usages: &[RuleUsage],
    policy: &Policy,
) -> Vec<Advice> {
    if rules.is_empty() {
        return Vec::new();
    }
    full::require();
    let mut out = Vec::new();
    let is_own = |at: &usize| rules[*at].origin.source != Source::Pack;
    for (at, usage) in usages.iter().enumerate().filter(|(at, _)| is_own(at)) {
        // A rule with `expect` reports a missing match by itself.
        if usage.matched == 0 && usage.checker_ran && rules[at].expect.is_none() {
            let advice = Advice::new(
                AdviceCode::UnusedRule,
                at,
                "matches nothing in this run; remove it if it matches nothing in any run",
            );
            out.push(Advice {
                level: policy.unused_rules,
                ..advice
            });
        } else if let (0, Some(first)) = (usage.decided, usage.shadowed_by) {
            let message = format!(
                "matches only findings that the earlier rule `{}` decides",
                rules[first].id
            );
            out.push(Advice::new(AdviceCode::ShadowedRule, at, message));
        }
    }
    out
}

impl Rule {
    /// Returns a text for the rule's conditions that is equal for rules with equal conditions.
    fn canonical_text(&self) -> String {
        let selector = &self.selector;
        let mut out = String::new();
        // Writing to a string can't fail.
        for tool in &selector.tools {
            let _ = writeln!(out, "tool {tool}");
        }
        for kind in &selector.kinds {
            out.extend(["kind ", kind.as_str(), "\n"]);
        }
        for (name, bounds) in [("bytes", selector.bytes), ("blocks", selector.blocks)] {
            if !bounds.is_open() {
                let end = |size: Option<u64>| size.map_or(String::new(), |size| size.to_string());
                let _ = writeln!(out, "{name} {}..{}", end(bounds.min), end(bounds.max));
            }
        }
        if let Some(title) = &selector.title {
            out.extend(["title ", &title.0.to_toml(), "\n"]);
        }
        for pattern in &selector.tests.0 {
            out.extend(["test ", &pattern.to_toml(), "\n"]);
        }
        out += selector.fingerprint.as_deref().unwrap_or_default();
        match &self.matcher {
            Matcher::Stack(patterns) => patterns
                .iter()
                .for_each(|pattern| out.extend(["\n", &pattern.text])),
            Matcher::Valgrind(entry) => out += &entry.canonical_text(),
            Matcher::Sanitizer(suppression) => {
                out.extend(["\n", &suppression.kind, ":", &suppression.template]);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Config;
    use crate::rules::read_file;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn codes(rules: &[Rule]) -> Vec<(&str, &'static str)> {
        let today = day("2026-06-01");
        let expiry = |rule: &Rule| rule.expiry(today, &[]);
        advice_before_run(rules, &Policy::default(), today, expiry)
            .iter()
            .map(|a| (rules[a.rule].id.as_str(), a.code.as_str()))
            .collect()
    }

    #[test]
    fn over_broad_rules_are_reported() {
        let (_, rules) = read_file(
            "f",
            "leak:malloc\nleak:\nleak:*\nleak:libfoo\nleak:^main$\n",
        )
        .unwrap();
        let broad: Vec<&str> = codes(&rules).iter().map(|(id, _)| *id).collect();
        assert_eq!(broad, ["leak:malloc", "leak:", "leak:*", "leak:^main$"]);
        let text = "{\na\nMemcheck:Leak\nfun:malloc\n...\n}\n\
                    {\nb\nMemcheck:Leak\nfun:malloc\nfun:f\n}\n\
                    {\nc\nMemcheck:Param\nwrite(buf)\nfun:*\n}\n\
                    {\nd\nmemcheck:Leak\nfun:f\n}\n";
        assert_eq!(
            codes(&read_file("f", text).unwrap().1),
            [("a", "over-broad-rule"), ("d", "unknown-tool")]
        );
    }

    #[test]
    fn expiry_duplicates_and_witnesses_need_no_log() {
        let text = r#"
            [[allow]]
            id = "old"
            stack = ["fun:a"]
            expires = 2026-05-31
            reason = "x"
            [[allow]]
            id = "soon"
            stack = ["fun:b"]
            expires = 2026-06-10
            reason = "x"
            [[allow]]
            id = "last-day"
            stack = ["fun:c"]
            expires = 2026-06-01
            reason = "x"
            [[allow]]
            id = "other-version"
            stack = ["fun:d"]
            while = { package = "pyo3", version = "0.27" }
            reason = "x"
            [[allow]]
            id = "again"
            stack = ["fun:a"]
            reason = "y"
            [[allow]]
            id = "broken"
            stack = ["runtime...", "fun:made"]
            witness = ["fun:malloc", "fun:make", "fun:main"]
            reason = "y"
            [[allow]]
            id = "wide"
            stack = ["...", "fun:m*"]
            witness = ["fun:malloc", "fun:mine", "fun:main"]
            reason = "y"
        "#;
        let config = Config::read("leakgate.toml", text).unwrap();
        assert_eq!(
            codes(&config.rules),
            [
                ("old", "expired-rule"),
                ("soon", "expires-soon"),
                ("last-day", "expires-soon"),
                ("other-version", "expired-rule"),
                ("again", "duplicate-rule"),
                ("broken", "witness-missed"),
                ("wide", "witness-widened"),
            ]
        );
    }
}
