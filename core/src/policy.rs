//! The policy of the gate: which findings fail it, and which other conditions do.

use alloc::vec::Vec;
use core::str::FromStr;

use crate::advice;
use crate::diagnostic::nearest;
use crate::error::UnknownName;
use crate::model::{CUSTOM_PREFIX, Kind, Tool};

/// How the gate treats an input without any checker output.
///
/// Sanitizers print nothing on success, so an empty log proves nothing by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// The gate fails with [`ReasonCode::NoEvidence`](crate::reason::ReasonCode::NoEvidence).
    #[default]
    Fail,
    /// An empty log counts as a clean run.
    Pass,
}

impl Silence {
    /// Every value, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[Self::Fail, Self::Pass];

    /// Returns the name, as in `leakgate.toml` and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
        }
    }
}

impl FromStr for Silence {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        from_name("value of `silence`", Self::ALL, Self::as_str, name)
    }
}

/// How the gate treats a condition that the policy configures.
///
/// ```
/// use leakgate_core::policy::Level;
///
/// assert_eq!("warn".parse(), Ok(Level::Warn));
/// assert!(Level::Allow < Level::Fail);
/// assert_eq!("deny".parse::<Level>().unwrap_err().help(), "expected one of: allow, warn, fail");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Ignored.
    Allow,
    /// Reported as a warning.
    #[default]
    Warn,
    /// Fails the gate.
    Fail,
}

impl Level {
    /// Every level, from the most lenient to the strictest.
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Warn, Self::Fail];

    /// Returns the name, as in `leakgate.toml`, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        from_name("level", Self::ALL, Self::as_str, name)
    }
}

/// Looks up one of `all` by its name.
fn from_name<T: Copy>(
    what: &'static str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
    name: &str,
) -> Result<T, UnknownName> {
    let found = all.iter().copied().find(|value| as_str(*value) == name);
    found.ok_or_else(|| UnknownName::new(what, name, all.iter().copied().map(as_str)))
}

/// What fails the gate. This is the `[gate]` table of `leakgate.toml`.
///
/// ```
/// use leakgate_core::Kind;
/// use leakgate_core::policy::Policy;
///
/// let mut policy = Policy::default();
/// assert!(policy.gates(&Kind::LEAK_DEFINITE));
/// assert!(!policy.gates(&Kind::LEAK_REACHABLE));
///
/// policy.set_fail_on(["errors", "leaks"])?;
/// assert!(policy.gates(&Kind::LEAK_REACHABLE));
/// # Ok::<(), leakgate_core::error::UnknownName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Kinds of findings that fail the gate.
    pub(crate) fail_on: Vec<KindSet>,
    /// Tools that must leave a complete report. Default: none.
    pub require: Vec<Tool>,
    /// How to treat an input without any checker output. Default: fail.
    pub silence: Silence,
    /// How to treat rules that match nothing although their tool ran. Default: warn.
    pub unused_rules: Level,
    /// How to treat findings whose primary stack has only third-party frames. Below
    /// [`Level::Fail`], these findings don't fail the gate. Default: fail.
    pub third_party: Level,
    /// How to treat findings that a checker's own suppressions hid. Default: allow.
    pub tool_suppressed: Level,
    /// Number of days before a rule expires from which leakgate warns about it. Default: 14.
    pub expiry_warning_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let kinds = [
            Kind::LEAK_DEFINITE,
            Kind::LEAK_INDIRECT,
            Kind::LEAK_POSSIBLE,
            Kind::FD_LEAK,
        ];
        Self {
            fail_on: core::iter::once(KindSet::Errors)
                .chain(kinds.map(KindSet::One))
                .collect(),
            require: Vec::new(),
            silence: Silence::Fail,
            unused_rules: Level::Warn,
            third_party: Level::Fail,
            tool_suppressed: Level::Allow,
            expiry_warning_days: 14,
        }
    }
}

impl Policy {
    /// Returns true if an unaccepted finding of this kind fails the gate.
    pub fn gates(&self, kind: &Kind) -> bool {
        self.fail_on.iter().any(|set| set.contains(kind))
    }

    /// Returns true if leaked memory of at least one kind fails the gate.
    pub fn gates_leaks(&self) -> bool {
        let leaks = [
            Kind::LEAK_DEFINITE,
            Kind::LEAK_INDIRECT,
            Kind::LEAK_POSSIBLE,
            Kind::LEAK_REACHABLE,
        ];
        leaks.iter().any(|kind| self.gates(kind))
    }

    /// Parses a tool name as users write it: a built-in name or `custom:NAME`.
    ///
    /// # Errors
    /// Returns [`UnknownName`] for any other name.
    pub fn tool(name: &str) -> Result<Tool, UnknownName> {
        let is_custom = name
            .strip_prefix(CUSTOM_PREFIX)
            .is_some_and(|n| !n.is_empty());
        if is_custom || Tool::names().any(|known| known == name) {
            return Ok(Tool::from_name(name));
        }
        Err(UnknownName::new("tool", name, Tool::names()))
    }

    /// Replaces the kinds that fail the gate. A kind is `errors`, `leaks`, or the name of one kind.
    ///
    /// # Errors
    /// Returns [`UnknownName`] for the first name that isn't a finding kind, and leaves the policy
    /// unchanged.
    pub fn set_fail_on<'a>(
        &mut self,
        kinds: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), UnknownName> {
        self.fail_on = kinds
            .into_iter()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// One finding kind, or a named group of kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KindSet {
    /// `errors`: every kind that is neither leaked memory nor an open descriptor.
    Errors,
    /// `leaks`: the four kinds of leaked memory.
    Leaks,
    /// One kind.
    One(Kind),
}

impl KindSet {
    pub(crate) fn contains(&self, kind: &Kind) -> bool {
        match self {
            Self::Errors => kind.is_error(),
            Self::Leaks => kind.is_leak(),
            Self::One(one) => one == kind,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Errors => "errors",
            Self::Leaks => "leaks",
            Self::One(kind) => kind.as_str(),
        }
    }
}

/// Kinds that leakgate itself names.
const KNOWN_KINDS: &[Kind] = &[
    Kind::LEAK_DEFINITE,
    Kind::LEAK_INDIRECT,
    Kind::LEAK_POSSIBLE,
    Kind::LEAK_REACHABLE,
    Kind::FD_LEAK,
    Kind::FD_INHERITED,
    Kind::from_static("thread-leak"),
];

/// Parses `errors`, `leaks` or a kind. Checkers name their own errors, so any kebab-case name of
/// several words may be a kind. The kinds of leaks are a closed set.
impl FromStr for KindSet {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "errors" => return Ok(Self::Errors),
            "leaks" => return Ok(Self::Leaks),
            _ => {}
        }
        if let Some(known) = KNOWN_KINDS.iter().find(|k| k.as_str() == name) {
            return Ok(Self::One(known.clone()));
        }
        let kind = Kind::from_checker(name);
        if kind.as_str() == name && is_kind_name(name) {
            return Ok(Self::One(kind));
        }
        let names = KNOWN_KINDS.iter().map(Kind::as_str);
        let error = UnknownName::new("finding kind", name, names.chain(["errors", "leaks"]));
        let is_near = error.help().starts_with("did you mean");
        Err(if is_near {
            error
        } else {
            error.with_help(
                "expected one of: errors, leaks, leak-definite, leak-indirect, leak-possible, \
                 leak-reachable, fd-leak, or a checker's own kind such as heap-buffer-overflow",
            )
        })
    }
}

/// Returns true if a checker may use this name for an error of its own.
fn is_kind_name(name: &str) -> bool {
    let is_kebab = |c: char| !c.is_ascii_uppercase() && !c.is_whitespace() && !c.is_control();
    let names = KNOWN_KINDS.iter().map(Kind::as_str);
    let is_misspelled = nearest(name, names.chain(["errors", "leaks"])).is_some();
    // Few kinds consist of one word. Any other single word, or a name with `leak`, is a mistake.
    let is_listed = advice::kinds().contains(&name) || name.ends_with("-infoleak");
    let is_plausible = is_listed || (name.contains('-') && !name.contains("leak"));
    !name.is_empty() && name.chars().all(is_kebab) && !is_misspelled && is_plausible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_policy_ignores_reachable_blocks_and_inherited_descriptors() {
        let policy = Policy::default();
        for (kind, gated) in [
            (Kind::LEAK_DEFINITE, true),
            (Kind::LEAK_INDIRECT, true),
            (Kind::LEAK_POSSIBLE, true),
            (Kind::LEAK_REACHABLE, false),
            (Kind::FD_LEAK, true),
            (Kind::FD_INHERITED, false),
            (Kind::from_checker("heap-use-after-free"), true),
        ] {
            assert_eq!(policy.gates(&kind), gated, "{kind}");
        }
    }
}
