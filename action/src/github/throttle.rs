//! Keeps writes below GitHub's rate limit for requests that create content.

use std::time::{Duration, Instant};

use super::retry::RetryPolicy;

/// Spaces writes out: after a burst, one per interval.
#[derive(Debug)]
pub(super) struct Throttle {
    interval: Duration,
    slack: Duration,
    /// Time when all writes so far would have been sent with an interval after each.
    due: Option<Instant>,
}

impl Throttle {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        Self {
            interval: policy.write_interval,
            slack: policy.write_interval * policy.write_burst.saturating_sub(1),
            due: None,
        }
    }

    /// Returns the delay before the next write, and counts that write as sent.
    pub(super) fn next_delay(&mut self, now: Instant) -> Duration {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due + self.interval);
        due.saturating_duration_since(now)
            .saturating_sub(self.slack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stay_below_the_limit_of_github() {
        let start = Instant::now();
        let mut throttle = Throttle::new(&RetryPolicy::default());
        let mut now = start;
        let mut sent = Vec::new();
        for _ in 0..200 {
            now += throttle.next_delay(now);
            sent.push(now - start);
        }
        assert_eq!(sent[9], Duration::ZERO);
        assert_eq!(sent[10], Duration::from_secs(1));
        let minute = Duration::from_secs(60);
        assert!(sent.iter().all(|at| {
            sent.iter()
                .filter(|t| (*at..*at + minute).contains(*t))
                .count()
                <= 70
        }));
        // After a long pause, a burst is allowed again, but not more.
        now += Duration::from_secs(3600);
        let delays: Vec<_> = (0..11).map(|_| throttle.next_delay(now)).collect();
        assert_eq!(delays.iter().filter(|delay| delay.is_zero()).count(), 10);
    }
}
