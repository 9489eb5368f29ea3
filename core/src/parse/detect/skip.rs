//! A search for words that skips most of the text: the two bytes at the end of a window determine
//! how far it can move before any word can begin in it, or which words may begin there.
//!
//! The algorithm is from S. Wu and U. Manber, A fast algorithm for multi-pattern searching (1994),
//! with blocks of two bytes.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The length of the shortest word, which is also the length of the window.
pub(super) const MIN_LEN: usize = 6;

/// The step of the window if no word contains the two bytes at its end.
const MAX_STEP: u8 = 5;

/// Values from here on are not steps but indices into [`Skip::words`].
const FIRST_GROUP: u8 = 128;

/// A search for words.
#[derive(Clone, Debug)]
pub(super) struct Skip {
    /// For each pair of bytes at the end of the window, the step of the window, or the index of the
    /// words that have the pair there.
    steps: Box<[u8]>,
    /// Groups of words with the same pair of bytes at the end of the window.
    words: Vec<Vec<&'static [u8]>>,
}

impl Skip {
    pub(super) fn new(words: impl Iterator<Item = &'static str>) -> Self {
        let mut skip = Self {
            steps: vec![MAX_STEP; 1 << 16].into_boxed_slice(),
            words: Vec::new(),
        };
        let words: Vec<&'static [u8]> = words.map(str::as_bytes).collect();
        for word in &words {
            for (step, pair) in (1..MAX_STEP).rev().zip(word.windows(2)) {
                let known = &mut skip.steps[index(pair[0], pair[1])];
                *known = step.min(*known);
            }
        }
        for word in words {
            let known = &mut skip.steps[index(word[MIN_LEN - 2], word[MIN_LEN - 1])];
            if *known < FIRST_GROUP {
                *known = FIRST_GROUP + skip.words.len() as u8;
                skip.words.push(Vec::new());
            }
            skip.words[usize::from(*known - FIRST_GROUP)].push(word);
        }
        skip
    }

    /// Returns the position of the first word.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        // Indices, because a compiler that optimizes for size would call a function for each
        // subslice.
        while at + MIN_LEN <= text.len() {
            let step = self.steps[index(text[at + MIN_LEN - 2], text[at + MIN_LEN - 1])];
            if step < FIRST_GROUP {
                at += usize::from(step);
                continue;
            }
            let words = &self.words[usize::from(step - FIRST_GROUP)];
            if words
                .iter()
                .any(|word| word[0] == text[at] && text[at..].starts_with(word))
            {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

#[inline(always)]
fn index(a: u8, b: u8) -> usize {
    usize::from(a) << 8 | usize::from(b)
}
