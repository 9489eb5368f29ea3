//! A list of patterns against a list of frames.

use alloc::vec::Vec;

/// Longer lists of patterns are rare.
const SHORT: usize = 32;

/// What a pattern of the list takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Exactly one frame, which it must match.
    One,
    /// Any number of frames, each of which it must match (`...` matches all).
    Gap,
}

/// True when the patterns, in order and told by their place, take frames from the first one on;
/// what follows the last pattern is free.
///
/// All ways are followed at once, so the time is patterns x frames whatever the gaps are.
pub(crate) fn takes_prefix(
    patterns: usize,
    frames: usize,
    step: impl Fn(usize) -> Step,
    mut hit: impl FnMut(usize, usize) -> bool,
) -> bool {
    let end = patterns;
    // Nearly all lists are short, and nearly all fail after a frame or two: memory is asked for
    // only for long ones.
    let (mut short, mut long) = ([false; 2 * SHORT], Vec::new());
    let both = if end < SHORT {
        short.as_mut_slice()
    } else {
        long.resize(2 * (end + 1), false);
        long.as_mut_slice()
    };
    let (now, next) = both.split_at_mut(both.len() / 2);
    let (mut now, mut next) = (&mut now[..=end], &mut next[..=end]);
    now[0] = true;
    skip_gaps(now, &step);
    for frame in 0..frames {
        if now[end] {
            return true;
        }
        next.fill(false);
        for at in (0..end).filter(|at| now[*at]) {
            if hit(at, frame) {
                let to = if step(at) == Step::Gap { at } else { at + 1 };
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

/// A gap may take nothing.
fn skip_gaps(now: &mut [bool], step: impl Fn(usize) -> Step) {
    for at in 0..now.len() - 1 {
        if now[at] && step(at) == Step::Gap {
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
        let step = |p: usize| {
            if matches!(patterns[p], '.' | 'r') {
                Step::Gap
            } else {
                Step::One
            }
        };
        takes_prefix(patterns.len(), frames.len(), step, |p, at| {
            match patterns[p] {
                '.' => true,
                'r' => frames[at] == 'm',
                p => p == frames[at],
            }
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
        for length in SHORT - 1..SHORT + 2 {
            let (patterns, frames) = ("a".repeat(length), "a".repeat(length));
            assert!(
                takes(&patterns, &frames) && !takes(&patterns, &frames[1..]),
                "{length}"
            );
        }
    }
}
