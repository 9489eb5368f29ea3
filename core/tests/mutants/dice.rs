//! Numbers by chance, the same in every run: each mutant has a seed of its own, so that one can be
//! made again without those before it.

use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// What decides about one mutant.
pub(crate) struct Dice(TestRng);

impl Dice {
    pub(crate) fn new(part: u8, number: u64) -> Self {
        let mut seed = [part; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }

    /// 0 to `n - 1`; 0 where there is nothing to choose from.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n < 2 { 0 } else { self.0.random_range(0..n) }
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A stretch of a text: where it begins and ends. Short ones are as likely as long ones.
    pub(crate) fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = [4, 40, 400, length][self.below(4)];
        start..(start + 1 + self.below(longest)).min(length)
    }
}
