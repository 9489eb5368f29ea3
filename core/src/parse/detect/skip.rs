//! The search for words by skipping: two bytes at the end of a window tell how far it can move
//! before any word can begin in it, or which words may begin there.
//!
//! The algorithm is that of S. Wu and U. Manber, A fast algorithm for multi-pattern searching
//! (1994), with blocks of two bytes.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The length of the shortest word, and so of the window.
pub(super) const LEAST: usize = 6;

/// How far a window moves where no word has the two bytes at its end.
const FAR: u8 = 5;

/// From here on, the number of some words instead of a step.
const WORDS: u8 = 128;

/// Finds words.
#[derive(Clone, Debug)]
pub(super) struct Skip {
    /// For each pair of bytes at the end of the window, how far it moves, or which words have the
    /// pair there.
    steps: Box<[u8]>,
    words: Vec<Vec<&'static [u8]>>,
}

impl Skip {
    pub(super) fn new(words: impl Iterator<Item = &'static str>) -> Self {
        let mut skip = Self {
            steps: vec![FAR; 1 << 16].into_boxed_slice(),
            words: Vec::new(),
        };
        let words: Vec<&'static [u8]> = words.map(str::as_bytes).collect();
        for word in &words {
            for (step, pair) in (1..FAR).rev().zip(word.windows(2)) {
                let known = &mut skip.steps[index(pair[0], pair[1])];
                *known = step.min(*known);
            }
        }
        for word in words {
            let known = &mut skip.steps[index(word[LEAST - 2], word[LEAST - 1])];
            if *known < WORDS {
                *known = WORDS + skip.words.len() as u8;
                skip.words.push(Vec::new());
            }
            skip.words[usize::from(*known - WORDS)].push(word);
        }
        skip
    }

    /// Where the first word begins.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        // By indices, since a compiler that looks at size would call a function for each part of a
        // slice.
        while at + LEAST <= text.len() {
            let step = self.steps[index(text[at + LEAST - 2], text[at + LEAST - 1])];
            if step < WORDS {
                at += usize::from(step);
                continue;
            }
            let words = &self.words[usize::from(step - WORDS)];
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
