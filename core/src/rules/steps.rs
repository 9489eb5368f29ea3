//! A list of patterns against a list of frames.

use alloc::vec;
use alloc::vec::Vec;

/// What a pattern of the list takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Exactly one frame, which it must match.
    One,
    /// Any number of frames, each of which it must match (`...` matches all).
    Gap,
}

/// True when the patterns, in order, take frames from the first one on; what follows the last pattern is free.
///
/// All ways are followed at once, so the time is patterns x frames whatever the gaps are.
pub(crate) fn takes_prefix<P>(
    patterns: &[P],
    frames: usize,
    step: impl Fn(&P) -> Step,
    mut hit: impl FnMut(&P, usize) -> bool,
) -> bool {
    let end = patterns.len();
    let mut now = vec![false; end + 1];
    now[0] = true;
    skip_gaps(patterns, &mut now, &step);
    let mut next: Vec<bool> = vec![false; end + 1];
    for frame in 0..frames {
        if now[end] {
            return true;
        }
        next.fill(false);
        for (at, pattern) in patterns.iter().enumerate().filter(|(at, _)| now[*at]) {
            if hit(pattern, frame) {
                let to = if step(pattern) == Step::Gap { at } else { at + 1 };
                next[to] = true;
            }
        }
        skip_gaps(patterns, &mut next, &step);
        if !next.contains(&true) {
            return false;
        }
        core::mem::swap(&mut now, &mut next);
    }
    now[end]
}

/// A gap may take nothing.
fn skip_gaps<P>(patterns: &[P], now: &mut [bool], step: impl Fn(&P) -> Step) {
    for (at, pattern) in patterns.iter().enumerate() {
        if now[at] && step(pattern) == Step::Gap {
            now[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(patterns: &str, frames: &str) -> bool {
        let frames: Vec<char> = frames.chars().collect();
        let patterns: Vec<char> = patterns.chars().collect();
        // `.` any frames, `r` any number of runtime frames (here `m`), else the frame itself.
        let step = |p: &char| if matches!(p, '.' | 'r') { Step::Gap } else { Step::One };
        takes_prefix(&patterns, frames.len(), step, |p, at| match p {
            '.' => true,
            'r' => frames[at] == 'm',
            p => *p == frames[at],
        })
    }

    #[test]
    fn a_prefix_of_the_frames_is_taken() {
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
            assert_eq!(takes(patterns, frames), want, "{patterns} {frames}");
        }
    }
}
