//! Conditions under which a match of a pattern is a finding: `allocs != frees`, `bytes > 0`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::diagnostic::nearest;

/// A comparison of two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    left: Operand,
    comparison: Comparison,
    right: Operand,
}

/// An invalid condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConditionError {
    /// The error, without the location.
    pub(crate) message: String,
    /// A suggestion; `None` if there isn't one.
    pub(crate) help: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    /// The number in a named group of the match.
    Group(String),
    Number(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Operators. Longer ones come first, because the first match decides.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::Different),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Condition {
    /// Parses a condition. `groups` are the names of the pattern's groups.
    ///
    /// # Errors
    ///
    /// Fails if the text has no comparison operator, or if an operand is neither a non-negative
    /// number nor a group.
    pub(crate) fn parse(text: &str, groups: &[&str]) -> Result<Self, ConditionError> {
        let found = COMPARISONS
            .iter()
            .find_map(|(operator, comparison)| Some((text.split_once(operator)?, *comparison)));
        let Some(((left, right), comparison)) = found else {
            return Err(ConditionError {
                message: format!("invalid condition `{text}`: no comparison found"),
                help: Some("write a comparison such as `allocs != frees` or `bytes > 0`".into()),
            });
        };
        Ok(Self {
            left: parse_operand(left.trim(), groups)?,
            comparison,
            right: parse_operand(right.trim(), groups)?,
        })
    }

    /// Returns true if the condition is met by the groups of a match, and `None` if a group that it
    /// uses is absent or isn't a number.
    pub(crate) fn evaluate<'a>(&self, group: impl Fn(&str) -> Option<&'a [u8]>) -> Option<bool> {
        let value = |operand: &Operand| match operand {
            Operand::Number(number) => Some(*number),
            Operand::Group(name) => parse_number(group(name)?),
        };
        let left = value(&self.left)?;
        let right = value(&self.right)?;
        Some(match self.comparison {
            Comparison::Equal => left == right,
            Comparison::Different => left != right,
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::More => left > right,
            Comparison::AtLeast => left >= right,
        })
    }
}

fn parse_operand(text: &str, groups: &[&str]) -> Result<Operand, ConditionError> {
    if let Ok(number) = text.parse() {
        return Ok(Operand::Number(number));
    }
    if groups.contains(&text) {
        return Ok(Operand::Group(text.to_owned()));
    }
    let suggestion = nearest(text, groups.iter().copied());
    let help = match suggestion {
        Some(group) => Some(format!("did you mean `{group}`?")),
        None if groups.is_empty() => None,
        None => Some(format!("expected one of: {}", groups.join(", "))),
    };
    Err(ConditionError {
        message: format!(
            "invalid operand `{text}`: expected a non-negative number or a group of the pattern"
        ),
        help,
    })
}

/// Parses a number in one of the forms that programs print: `1234`, `1,234`, `0x4d2`.
pub(crate) fn parse_number(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.replace([',', '_', '\''], "").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_evaluated() {
        let group = |name: &str| match name {
            "allocs" => Some(&b"1,005"[..]),
            "frees" => Some(&b"0x3"[..]),
            "word" => Some(&b"many"[..]),
            _ => None,
        };
        let groups = ["allocs", "frees", "word", "absent"];
        for (text, want) in [
            ("allocs != frees", Some(true)),
            ("allocs==1005", Some(true)),
            ("frees >= 3", Some(true)),
            ("frees > 3", Some(false)),
            ("3 <= frees", Some(true)),
            ("allocs < frees", Some(false)),
            ("word > 0", None),
            ("absent > 0", None),
        ] {
            assert_eq!(
                Condition::parse(text, &groups).unwrap().evaluate(group),
                want,
                "{text}"
            );
        }
        assert_eq!(
            Condition::parse("alocs > 0", &groups)
                .unwrap_err()
                .help
                .as_deref(),
            Some("did you mean `allocs`?")
        );
        assert!(
            Condition::parse("allocs", &groups).is_err()
                && Condition::parse("allocs > -1", &groups).is_err()
        );
    }
}
