//! The search for words by skipping: two bytes at the end of a window tell how far it can move before any word can begin in it.
//!
//! The algorithm is that of S. Wu and U. Manber, A fast algorithm for multi-pattern searching (1994), with blocks of two bytes.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The length of the shortest word, and so of the window.
pub(super) const LEAST: usize = 6;

/// How far a window moves where no word has the two bytes at its end.
const FAR: u8 = 5;

/// Finds words.
#[derive(Clone, Debug)]
pub(super) struct Skip {
    /// For each pair of bytes at the end of the window, how far it moves.
    steps: Box<[u8]>,
    words: Vec<&'static [u8]>,
}

impl Skip {
    pub(super) fn new(words: impl Iterator<Item = &'static str>) -> Self {
        let words: Vec<&'static [u8]> = words.map(str::as_bytes).collect();
        let mut steps = vec![FAR; 1 << 16].into_boxed_slice();
        for word in &words {
            for (place, pair) in word[..LEAST].windows(2).enumerate() {
                let step = &mut steps[usize::from(pair[0]) << 8 | usize::from(pair[1])];
                *step = (*step).min(FAR - 1 - place as u8);
            }
        }
        Self { steps, words }
    }

    /// Where the first word begins.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(pair) = text.get(at + LEAST - 2..at + LEAST) {
            let step = self.steps[usize::from(pair[0]) << 8 | usize::from(pair[1])];
            if step == 0 && self.words.iter().any(|word| text[at..].starts_with(word)) {
                return Some(at);
            }
            at += usize::from(step.max(1));
        }
        None
    }
}
