//! Matches a list of stack patterns against a list of frames.

use alloc::vec::Vec;

/// Number of patterns below which matching needs no heap allocation. Longer lists are rare.
const SHORT: usize = 32;

/// How many frames one pattern of the list matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StackStep {
    /// Exactly one frame.
    One,
    /// Any number of frames, each of which must match (`...` matches all).
    Gap,
}

/// Returns true if the patterns, in their order, match the frames from the first one on. Frames
/// after the last pattern are ignored.
///
/// `step` and `hit` receive indices of patterns and frames. All alternatives are followed at once,
/// so the time is at most patterns times frames, whatever the gaps are.
pub(crate) fn matches_prefix(
    patterns: usize,
    frames: usize,
    step: impl Fn(usize) -> StackStep,
    mut hit: impl FnMut(usize, usize) -> bool,
) -> bool {
    let end = patterns;
    // Nearly all lists are short, and nearly all fail after a frame or two, so only long ones
    // allocate.
    let mut short = [false; 2 * SHORT];
    let mut long = Vec::new();
    let both = if end < SHORT {
        short.as_mut_slice()
    } else {
        long.resize(2 * (end + 1), false);
        long.as_mut_slice()
    };
    let (now, next) = both.split_at_mut(both.len() / 2);
    let mut now = &mut now[..=end];
    let mut next = &mut next[..=end];
    now[0] = true;
    skip_gaps(now, &step);
    for frame in 0..frames {
        if now[end] {
            return true;
        }
        next.fill(false);
        for at in (0..end).filter(|at| now[*at]) {
            if hit(at, frame) {
                let to = if step(at) == StackStep::Gap {
                    at
                } else {
                    at + 1
                };
                next[to] = true;
            }
        }
        skip_gaps(next, &step);
        if !next.contains(&true) {
            return false;
        }
        core::mem::swap(&mut now, &mut next);
    }
    now[end]
}

/// Advances over gaps, which may match no frame at all.
fn skip_gaps(now: &mut [bool], step: impl Fn(usize) -> StackStep) {
    for at in 0..now.len() - 1 {
        if now[at] && step(at) == StackStep::Gap {
            now[at + 1] = true;
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
        let step = |p: usize| {
            if matches!(patterns[p], '.' | 'r') {
                StackStep::Gap
            } else {
                StackStep::One
            }
        };
        matches_prefix(patterns.len(), frames.len(), step, |p, at| {
            match patterns[p] {
                '.' => true,
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
