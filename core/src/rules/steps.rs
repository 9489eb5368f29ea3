//! Matches a list of stack patterns against a list of frames.

use alloc::vec::Vec;

/// Number of patterns below which matching needs no heap allocation. Longer lists are rare.
const SHORT: usize = 32;

/// How many frames one pattern of the list matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StackStep {
    /// Exactly one frame.
    One,
    /// Any number of frames, each of which must match.
    Gap,
    /// Any number of any frames.
    AnyFrames,
}

/// Returns true if the patterns, in their order, match the frames from the first one on. Frames
/// after the last pattern are ignored.
///
/// `step` and `hit` receive indices of patterns and frames. `hit` isn't called for
/// [`StackStep::AnyFrames`]. All alternatives are followed at once, so the time is at most patterns
/// times frames, whatever the gaps are.
pub(crate) fn matches_prefix(
    patterns: usize,
    frames: usize,
    step: impl Fn(usize) -> StackStep,
    mut hit: impl FnMut(usize, usize) -> bool,
) -> bool {
    let end = patterns;
    // Nearly all lists are short, and nearly all fail after a frame or two, so only long ones
    // allocate.
    let mut short = [0_u32; 2 * SHORT];
    let mut long = Vec::new();
    let both = if end < SHORT {
        short.as_mut_slice()
    } else {
        long.resize(2 * (end + 1), 0);
        long.as_mut_slice()
    };
    let (now, next) = both.split_at_mut(both.len() / 2);
    let mut now = Positions::new(now);
    let mut next = Positions::new(next);
    now.add(0, end, &step);
    for frame in 0..frames {
        if now.last() == Some(end) {
            return true;
        }
        next.len = 0;
        for at in 0..now.len {
            let at = now.list[at] as usize;
            match step(at) {
                StackStep::One if hit(at, frame) => next.add(at + 1, end, &step),
                StackStep::Gap if hit(at, frame) => next.add(at, end, &step),
                StackStep::AnyFrames => next.add(at, end, &step),
                _ => {}
            }
        }
        if next.len == 0 {
            return false;
        }
        core::mem::swap(&mut now, &mut next);
    }
    now.last() == Some(end)
}

/// The patterns that may match the next frame, in ascending order.
struct Positions<'a> {
    list: &'a mut [u32],
    len: usize,
}

impl<'a> Positions<'a> {
    fn new(list: &'a mut [u32]) -> Self {
        Self { list, len: 0 }
    }

    fn last(&self) -> Option<usize> {
        self.len.checked_sub(1).map(|last| self.list[last] as usize)
    }

    /// Adds a pattern, and those after it that follow when gaps match no frame at all. Patterns are
    /// added in ascending order, so the list already contains those up to its last one.
    fn add(&mut self, from: usize, end: usize, step: impl Fn(usize) -> StackStep) {
        for at in from..=end {
            if self.last().is_none_or(|last| last < at) {
                // A list of patterns that fits into memory has fewer than 2^32.
                self.list[self.len] = at as u32;
                self.len += 1;
            }
            if at == end || step(at) == StackStep::One {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(patterns: &str, frames: &str) -> bool {
        let frames: Vec<char> = frames.chars().collect();
        let patterns: Vec<char> = patterns.chars().collect();
        // `.` is any frames, `r` any number of runtime frames (here `m`), others one frame.
        let step = |p: usize| match patterns[p] {
            '.' => StackStep::AnyFrames,
            'r' => StackStep::Gap,
            _ => StackStep::One,
        };
        matches_prefix(patterns.len(), frames.len(), step, |p, at| {
            match patterns[p] {
                'r' => frames[at] == 'm',
                p => p == frames[at],
            }
        })
    }

    #[test]
    fn patterns_match_prefix_of_frames() {
        for (patterns, frames, want) in [
            ("ab", "abc", true),
            ("b", "abc", false),
            (".b", "abc", true),
            (".", "", true),
            ("", "abc", true),
            ("abc", "ab", false),
            ("ab.", "ab", true),
            ("ab..", "ab", true),
            (".bc", "abbc", true),
            (".b.c", "abxbxc", true),
            ("a.a.b", "aab", true),
            ("a.a.b", "ab", false),
            ("rab", "mmab", true),
            ("rab", "mxab", false),
            ("rm", "mmm", true),
            ("r.ra", "mxma", true),
            (".rra", "xma", true),
            ("rr.b", "mb", true),
            ("rrb", "mxb", false),
        ] {
            assert_eq!(is_match(patterns, frames), want, "{patterns} {frames}");
        }
        for length in SHORT - 1..SHORT + 2 {
            let patterns = "a".repeat(length);
            let frames = "a".repeat(length);
            assert!(
                is_match(&patterns, &frames) && !is_match(&patterns, &frames[1..]),
                "{length}"
            );
        }
    }
}
