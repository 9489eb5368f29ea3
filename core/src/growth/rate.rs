//! Rates of growth, as reduced fractions.

use alloc::format;
use alloc::string::String;

use crate::numbers::grouped;

/// An amount per step, as a reduced fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// The numerator.
    pub numerator: u64,
    /// The denominator, at least 1.
    pub denominator: u64,
    /// True if all points fit this rate. Otherwise it is the average from the first to the last
    /// point that was used.
    pub is_exact: bool,
}

impl Rate {
    /// Creates a rate from the growth within a number of steps. `None` without growth.
    pub(super) fn new(growth: i128, steps: i128, is_exact: bool) -> Option<Self> {
        if growth <= 0 || steps <= 0 {
            return None;
        }
        let divisor = gcd(growth, steps);
        Some(Self {
            numerator: u64::try_from(growth / divisor).ok()?,
            denominator: u64::try_from(steps / divisor).ok()?,
            is_exact,
        })
    }

    /// Returns the rate of bytes, if this is that of blocks of this size. `None` for empty blocks.
    pub(super) fn times(self, size: u64) -> Option<Self> {
        let growth = i128::from(self.numerator).checked_mul(size.into())?;
        Self::new(growth, self.denominator.into(), self.is_exact)
    }

    /// Returns true if the rate is at most this whole number per step.
    pub fn is_at_most(self, bound: u64) -> bool {
        u128::from(self.numerator) <= u128::from(bound) * u128::from(self.denominator)
    }

    /// Returns true if the rate is one or more per step.
    pub(super) fn is_one_or_more(self) -> bool {
        self.numerator >= self.denominator
    }

    /// Returns the rate as a number, for sorting.
    pub(super) fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// Describes the rate without its unit of time: `1 block`, `3/4 blocks`, `about 5.12 bytes`.
    pub(crate) fn describe(self, one: &str, many: &str) -> String {
        let noun = match (self.numerator, self.denominator) {
            (1, 1) => one,
            _ => many,
        };
        match (self.is_exact, self.denominator) {
            (true, 1) => format!("{} {noun}", grouped(self.numerator)),
            (true, _) => format!(
                "{}/{} {noun}",
                grouped(self.numerator),
                grouped(self.denominator)
            ),
            (false, _) => {
                let decimal = self.decimal();
                let noun = if decimal == "1" { one } else { many };
                format!("about {decimal} {noun}")
            }
        }
    }

    /// Returns the rate with at most two decimals, rounded. A smaller one keeps one digit.
    fn decimal(self) -> String {
        let (numerator, denominator) = (u128::from(self.numerator), u128::from(self.denominator));
        let mut scale = 100;
        while numerator * scale * 2 < denominator {
            scale *= 10;
        }
        let scaled = (numerator * scale * 2 + denominator) / (denominator * 2);
        let whole = grouped(u64::try_from(scaled / scale).unwrap_or(u64::MAX));
        let digits = format!("{}", scale + scaled % scale);
        match digits[1..].trim_end_matches('0') {
            "" => whole,
            digits => format!("{whole}.{digits}"),
        }
    }
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A fraction with a positive denominator, which isn't reduced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fraction {
    pub(super) numerator: i128,
    pub(super) denominator: i128,
}

impl Fraction {
    /// Returns true if this fraction is less than the other one.
    pub(super) fn is_less(self, other: Self) -> bool {
        self.numerator * other.denominator < other.numerator * self.denominator
    }
}

/// Returns the fraction with the smallest denominator between two fractions, which may be equal.
/// The first one must be positive, and at most the second one.
pub(super) fn simplest_between(low: Fraction, high: Fraction) -> Fraction {
    let floor = low.numerator / low.denominator;
    if floor * low.denominator == low.numerator {
        return Fraction {
            numerator: floor,
            denominator: 1,
        };
    }
    if (floor + 1) * high.denominator <= high.numerator {
        return Fraction {
            numerator: floor + 1,
            denominator: 1,
        };
    }
    // Both have the same whole part, so the remainders are less than 1 and positive.
    let invert = |from: Fraction| Fraction {
        numerator: from.denominator,
        denominator: from.numerator - floor * from.denominator,
    };
    let rest = simplest_between(invert(high), invert(low));
    Fraction {
        numerator: floor * rest.numerator + rest.denominator,
        denominator: rest.numerator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(growth: i128, steps: i128, is_exact: bool) -> Rate {
        Rate::new(growth, steps, is_exact).unwrap()
    }

    #[test]
    fn rates_are_reduced_and_described() {
        let blocks = |rate: Rate| rate.describe("block", "blocks");
        assert_eq!(blocks(rate(300, 300, true)), "1 block");
        assert_eq!(blocks(rate(1200, 300, true)), "4 blocks");
        assert_eq!(blocks(rate(30, 300, true)), "1/10 blocks");
        assert_eq!(blocks(rate(1536, 300, false)), "about 5.12 blocks");
        assert_eq!(blocks(rate(1, 30_000, false)), "about 0.00003 blocks");
        assert_eq!(
            blocks(rate(2_000_001, 2, false)),
            "about 1,000,000.5 blocks"
        );
        assert_eq!(blocks(rate(299, 300, false)), "about 1 block");
        assert_eq!(Rate::new(0, 300, true), None);
    }

    #[test]
    fn bounds_compare_exactly() {
        assert!(rate(300, 300, true).is_at_most(1));
        assert!(!rate(301, 300, true).is_at_most(1));
        assert!(rate(1, 300, true).is_at_most(1));
        assert!(!rate(1, 300, true).is_at_most(0));
    }

    #[test]
    fn simplest_fraction_has_the_smallest_denominator() {
        let fraction = |numerator, denominator| Fraction {
            numerator,
            denominator,
        };
        let simplest = |low: (i128, i128), high: (i128, i128)| {
            let found = simplest_between(fraction(low.0, low.1), fraction(high.0, high.1));
            (found.numerator, found.denominator)
        };
        assert_eq!(simplest((99, 100), (101, 100)), (1, 1));
        assert_eq!(simplest((14, 300), (46, 900)), (1, 20));
        assert_eq!(simplest((27, 10), (28, 10)), (11, 4));
        assert_eq!(simplest((3, 2), (3, 2)), (3, 2));
    }
}
