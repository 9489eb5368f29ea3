//! When a match of a pattern is a finding: `allocs != frees`, `bytes > 0`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::mistake::nearest;

/// A comparison of two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    left: Operand,
    comparison: Comparison,
    right: Operand,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
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

/// The longer come first.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::Different),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Condition {
    /// Reads a condition; `groups` are the names that the pattern has. The error is what a person
    /// is told, and what may be meant.
    pub(crate) fn read(text: &str, groups: &[&str]) -> Result<Self, (String, Option<String>)> {
        let found = COMPARISONS
            .iter()
            .find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
        let Some(((left, right), comparison)) = found else {
            let help = String::from("such as allocs != frees, or bytes > 0");
            return Err((format!("`{text}` compares nothing"), Some(help)));
        };
        Ok(Self {
            left: operand(left.trim(), groups)?,
            comparison,
            right: operand(right.trim(), groups)?,
        })
    }

    /// Whether it holds; nothing where a group holds no number.
    pub(crate) fn holds<'a>(&self, group: impl Fn(&str) -> Option<&'a [u8]>) -> Option<bool> {
        let value = |operand: &Operand| match operand {
            Operand::Number(number) => Some(*number),
            Operand::Group(name) => number(group(name)?),
        };
        let (left, right) = (value(&self.left)?, value(&self.right)?);
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

fn operand(text: &str, groups: &[&str]) -> Result<Operand, (String, Option<String>)> {
    if let Ok(number) = text.parse() {
        return Ok(Operand::Number(number));
    }
    if groups.contains(&text) {
        return Ok(Operand::Group(text.to_owned()));
    }
    let help = nearest(text, groups.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let help =
        help.or_else(|| (!groups.is_empty()).then(|| format!("there are {}", groups.join(", "))));
    Err((
        format!("`{text}` is no number from 0 on, and no group of the pattern"),
        help,
    ))
}

/// A number as programs print them: `1234`, `1,234`, `0x4d2`.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
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
    fn comparisons() {
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
                Condition::read(text, &groups).unwrap().holds(group),
                want,
                "{text}"
            );
        }
        assert_eq!(
            Condition::read("alocs > 0", &groups)
                .unwrap_err()
                .1
                .as_deref(),
            Some("did you mean `allocs`?")
        );
        assert!(
            Condition::read("allocs", &groups).is_err()
                && Condition::read("allocs > -1", &groups).is_err()
        );
    }
}
