//! Where a pattern of a rule can match: most rules begin at the top of the stack, so a pattern has
//! a fixed distance from it.

use super::super::steps::StackStep;
use super::super::valgrind::SuppressionFrame;
use super::super::{Matcher, Rule};
use crate::culprit::{Class, FrameCache};
use crate::model::Frame;

/// The frames that a pattern of a rule can match, if the whole rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The frame with this index.
    At(usize),
    /// The same, but `runtime...` may match frames before it.
    AfterRuntime(usize),
    /// Any frame.
    Anywhere,
}

impl Anchor {
    /// Returns the anchor of the pattern with this index.
    pub(super) fn new(rule: &Rule, pattern: usize) -> Self {
        match &rule.matcher {
            Matcher::Stack(patterns) => Self::after(patterns[..pattern].iter().map(|p| p.step())),
            // For a file, valgrind counts addresses instead of frames.
            Matcher::Valgrind(entry)
                if matches!(entry.locations[pattern], SuppressionFrame::File(..)) =>
            {
                Self::Anywhere
            }
            Matcher::Valgrind(entry) => {
                Self::after(entry.locations[..pattern].iter().map(|line| line.step()))
            }
            Matcher::Sanitizer(_) => Self::Anywhere,
        }
    }

    /// Returns the anchor of the pattern after these steps.
    fn after(steps: impl Iterator<Item = StackStep>) -> Self {
        let mut anchor = Self::At(0);
        for step in steps {
            anchor = match (step, anchor) {
                (StackStep::One, Self::At(index)) => Self::At(index + 1),
                (StackStep::One, Self::AfterRuntime(index)) => Self::AfterRuntime(index + 1),
                (StackStep::Gap, Self::At(0) | Self::AfterRuntime(0)) => Self::AfterRuntime(0),
                _ => return Self::Anywhere,
            };
        }
        anchor
    }

    /// Returns true if the pattern can match the frame with this index of a stack whose first
    /// `runtime` frames are allocators or belong to a runtime.
    pub(super) fn allows(self, frame: usize, runtime: usize) -> bool {
        match self {
            Self::At(index) => frame == index,
            Self::AfterRuntime(index) => (index..=index + runtime).contains(&frame),
            Self::Anywhere => true,
        }
    }
}

/// Returns how many frames at the top of a stack `runtime...` can match.
pub(super) fn runtime_frames(frames: &[Frame], cache: &mut FrameCache) -> usize {
    let mut is_runtime = |frame: &&Frame| {
        matches!(
            cache.get(&frame.info).class,
            Class::Allocator | Class::Runtime
        )
    };
    frames.iter().take_while(|frame| is_runtime(frame)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use StackStep::{AnyFrames, Gap, One};

    #[test]
    fn anchor_follows_from_the_patterns_before() {
        let cases: [(&[StackStep], Anchor); 8] = [
            (&[], Anchor::At(0)),
            (&[One, One], Anchor::At(2)),
            (&[Gap], Anchor::AfterRuntime(0)),
            (&[Gap, Gap, One], Anchor::AfterRuntime(1)),
            (&[One, Gap], Anchor::Anywhere),
            (&[AnyFrames], Anchor::Anywhere),
            (&[Gap, AnyFrames, One], Anchor::Anywhere),
            (&[One, AnyFrames, One], Anchor::Anywhere),
        ];
        for (steps, anchor) in cases {
            assert_eq!(Anchor::after(steps.iter().copied()), anchor, "{steps:?}");
        }
        let frames = |anchor: Anchor| (0..6).filter(|at| anchor.allows(*at, 2)).count();
        assert_eq!(frames(Anchor::At(1)), 1);
        assert_eq!(frames(Anchor::AfterRuntime(1)), 3);
        assert_eq!(frames(Anchor::Anywhere), 6);
    }
}
