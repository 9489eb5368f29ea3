//! Random numbers that are the same in every run. Each mutant has its own seed and can be made
//! again without the mutants before it.

use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// The random numbers of one mutant.
pub(crate) struct Dice(TestRng);

impl Dice {
    pub(crate) fn new(part: u8, number: u64) -> Self {
        let mut seed = [part; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }

    /// Returns a number from 0 to `n - 1`, or 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n < 2 { 0 } else { self.0.random_range(0..n) }
    }

    /// Returns true with a probability of `1 / n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Returns one of the items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Returns a range of a text with this length. Short ranges are as likely as long ones.
    pub(crate) fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = [4, 40, 400, length][self.below(4)];
        start..(start + 1 + self.below(longest)).min(length)
    }
}
