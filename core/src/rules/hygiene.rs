//! The state of the rules themselves: those that nobody needs, that accept too much, that are
//! nearly over.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;
use jiff::civil::Date;

use super::glob::Glob;
use super::selector::Bounds;
use super::stack::What;
use super::valgrind::{Location, meant_tool};
use super::{Matcher, Rule, Source, witness};
use crate::numbers::count;
use crate::triage::Use;
use crate::verdict::{Level, Policy};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $level:ident;)*) => {
        /// What is to be said about a rule. The level of `unused-rule` is the policy's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AdviceCode { $($(#[$doc])* $name,)* }

        impl AdviceCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much it matters to `leakgate rules`; of a check only `unused-rule` can fail.
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }
        }
    };
}

codes! {
    /// Its last day is over: what it matches fails.
    ExpiredRule = "expired-rule", Fail;
    /// Its last day is near.
    ExpiresSoon = "expires-soon", Warn;
    /// It does not match the stack that it was written for.
    WitnessMissed = "witness-missed", Fail;
    /// It matches the stack of another rule, which the other was written for.
    WitnessWidened = "witness-widened", Fail;
    /// It accepts nearly everything.
    OverBroadRule = "over-broad-rule", Warn;
    /// Another rule says the same.
    DuplicateRule = "duplicate-rule", Warn;
    /// Rules before it decide about everything that it matches.
    ShadowedRule = "shadowed-rule", Warn;
    /// It matches nothing, though its tool ran.
    UnusedRule = "unused-rule", Warn;
    /// It names a tool that no tool of valgrind's is.
    UnknownTool = "unknown-tool", Warn;
}

/// Something to be said about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it is.
    pub code: AdviceCode,
    /// How much it matters.
    pub level: Level,
    /// The rule, by its index.
    pub rule: usize,
    /// In words.
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

/// What the rules alone tell.
pub(crate) fn before_run(rules: &[Rule], policy: &Policy, today: Date) -> Vec<Advice> {
    let mut out = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        expiry(at, rule, policy, today, &mut out);
        if rule.origin.source != Source::Pack && is_over_broad(rule) {
            out.push(Advice::new(
                AdviceCode::OverBroadRule,
                at,
                "it accepts nearly every finding of its kind; name a function of the stack",
            ));
        }
        if let Matcher::Valgrind(entry) = &rule.matcher
            && entry.families.is_empty()
            && let Some(meant) = meant_tool(&entry.tools)
        {
            let message = format!(
                "`{}` is no tool of valgrind's, which ignores this entry; `{meant}` is meant",
                entry.tools
            );
            out.push(Advice::new(AdviceCode::UnknownTool, at, message));
        }
    }
    duplicates(rules, &mut out);
    witnesses(rules, &mut out);
    out
}

fn expiry(at: usize, rule: &Rule, policy: &Policy, today: Date, out: &mut Vec<Advice>) {
    let Some(last) = rule.expires else { return };
    if last < today {
        out.push(Advice::new(
            AdviceCode::ExpiredRule,
            at,
            format!("it expired on {last}; what it matches fails"),
        ));
        return;
    }
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
            format!("its last day is {last}, {when}"),
        ));
    }
}

fn duplicates(rules: &[Rule], out: &mut Vec<Advice>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let first = *seen.entry(rule.meaning()).or_insert(at);
        if first != at {
            out.push(Advice::new(
                AdviceCode::DuplicateRule,
                at,
                format!(
                    "`{}` ({}) says the same",
                    rules[first].id, rules[first].origin
                ),
            ));
        }
    }
}

/// Every rule against its own witness, and against those of the others.
fn witnesses(rules: &[Rule], out: &mut Vec<Advice>) {
    let with: Vec<usize> = (0..rules.len())
        .filter(|at| !rules[*at].witness.is_empty())
        .collect();
    for at in &with {
        let rule = &rules[*at];
        if !witness::is_matched(rule, &rule.witness) {
            out.push(Advice::new(
                AdviceCode::WitnessMissed,
                *at,
                "it does not match its witness, the stack that it was written for",
            ));
        }
    }
    for (at, others) in witness::widened(rules, &with) {
        let Some(first) = others.first() else {
            continue;
        };
        let more = if others.len() > 1 {
            format!(" and {} more", others.len() - 1)
        } else {
            String::new()
        };
        let message = format!(
            "it also matches what `{}`{more} was written for",
            rules[*first].id
        );
        out.push(Advice::new(AdviceCode::WitnessWidened, at, message));
    }
}

/// Functions that stand in nearly every stack.
const EVERYWHERE: &[&str] = &[
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

/// True for a rule that accepts nearly everything.
pub(crate) fn is_over_broad(rule: &Rule) -> bool {
    let everywhere = |glob: &Glob| {
        glob.is_any()
            || match glob {
                Glob::Exact(name) => EVERYWHERE.contains(&name.as_str()),
                Glob::Wild(_) => glob
                    .inner_word()
                    .is_some_and(|w| EVERYWHERE.contains(&w.as_str())),
            }
    };
    let exact = |bounds: Bounds| bounds.min.is_some() && bounds.min == bounds.max;
    if rule.selector.fingerprint.is_some() || exact(rule.selector.bytes) {
        return false;
    }
    match &rule.matcher {
        Matcher::Stack(items) => {
            // `main` right below the allocator is a place, `main` somewhere below is none.
            let exact = |what: &What| matches!(what, What::Function(Glob::Exact(name)) | What::Symbol(Glob::Exact(name)) if name.as_str() == "main");
            let is_place = !items.iter().any(|i| matches!(i.what, What::Dots))
                && items.iter().any(|i| exact(&i.what));
            !is_place
                && items.iter().all(|item| match &item.what {
                    What::Function(glob) | What::Symbol(glob) => everywhere(glob),
                    what => what.is_any(),
                })
        }
        Matcher::Valgrind(entry) => {
            let says_more = matches!(
                entry.extra,
                super::valgrind::kinds::Extra::Parameter(_)
                    | super::valgrind::kinds::Extra::Argument(..)
            );
            !entry.families.is_empty()
                && !says_more
                && entry.locations.iter().all(|location| match location {
                    Location::Dots => true,
                    Location::Function(name) => everywhere(&name.glob),
                    Location::Object(glob) | Location::File(glob, None) => everywhere(glob),
                    Location::File(..) => false,
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
            pieces.iter().all(|piece| EVERYWHERE.contains(piece))
        }
    }
}

/// What a run tells besides: rules that match nothing, or only what others decide.
pub(crate) fn after_run(rules: &[Rule], uses: &[Use], policy: &Policy) -> Vec<Advice> {
    let mut out = Vec::new();
    let own = |at: &usize| rules[*at].origin.source != Source::Pack;
    for (at, used) in uses.iter().enumerate().filter(|(at, _)| own(at)) {
        // A rule that must match says itself that it did not.
        if used.matched == 0 && used.tried && rules[at].expect.is_none() {
            let advice = Advice::new(
                AdviceCode::UnusedRule,
                at,
                "it matches nothing of this run; remove it if that is so in every run",
            );
            out.push(Advice {
                level: policy.unused_rules,
                ..advice
            });
        } else if let (0, Some(first)) = (used.decided, used.shadowed_by) {
            let message = format!("`{}` decides about all that it matches", rules[first].id);
            out.push(Advice::new(AdviceCode::ShadowedRule, at, message));
        }
    }
    out
}

impl Rule {
    /// What the rule matches, as a text that is the same for rules that match the same.
    fn meaning(&self) -> String {
        let selector = &self.selector;
        let mut out = String::new();
        for tool in &selector.tools {
            out += &format!("tool {tool}\n");
        }
        for kind in &selector.kinds {
            out += &format!("kind {}\n", kind.as_str());
        }
        for bounds in [selector.bytes, selector.blocks] {
            let end = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
            out += &format!("{}..{}\n", end(bounds.min), end(bounds.max));
        }
        if let Some(title) = &selector.title {
            out += &format!("title {}\n", title.0.to_escaped());
        }
        out += selector.fingerprint.as_deref().unwrap_or_default();
        match &self.matcher {
            Matcher::Stack(items) => items
                .iter()
                .for_each(|item| out += &format!("\n{}", item.text)),
            Matcher::Valgrind(entry) => out += &entry.meaning(),
            Matcher::Sanitizer(suppression) => {
                out += &format!("\n{}:{}", suppression.kind, suppression.template)
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::rules::read_file;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn codes(rules: &[Rule]) -> Vec<(&str, &'static str)> {
        before_run(rules, &Policy::default(), day("2026-06-01"))
            .iter()
            .map(|a| (rules[a.rule].id.as_str(), a.code.as_str()))
            .collect()
    }

    #[test]
    fn rules_that_accept_too_much_are_named() {
        let (_, rules) = read_file(
            "f",
            "leak:malloc\nleak:\nleak:*\nleak:libfoo\nleak:^main$\n",
        )
        .unwrap();
        let broad: Vec<&str> = codes(&rules).iter().map(|(id, _)| *id).collect();
        assert_eq!(broad, ["leak:malloc", "leak:", "leak:*", "leak:^main$"]);
        let text = "{\na\nMemcheck:Leak\nfun:malloc\n...\n}\n{\nb\nMemcheck:Leak\nfun:malloc\nfun:f\n}\n{\nc\nMemcheck:Param\nwrite(buf)\nfun:*\n}\n{\nd\nmemcheck:Leak\nfun:f\n}\n";
        assert_eq!(
            codes(&read_file("f", text).unwrap().1),
            [("a", "over-broad-rule"), ("d", "unknown-tool")]
        );
    }

    #[test]
    fn expiry_duplicates_and_witnesses_are_seen_without_a_log() {
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
                ("again", "duplicate-rule"),
                ("broken", "witness-missed"),
                ("wide", "witness-widened"),
            ]
        );
    }
}
