//! When to ask again, how long to wait before, and when to look first whether it was done already.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::Method;
use memchr::memmem;

use super::client::{Answer, Call, Client};
use super::trouble::{Broken, Trouble, refusal};

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Wait before the second attempt; it doubles with each further one.
    pub base: Duration,
    /// How often a request is sent at most.
    pub attempts: u32,
    /// How long an answer may take. Files may take ten times as long.
    pub timeout: Duration,
    /// Wait after a rate limit that names no time.
    pub unnamed: Duration,
    /// What the client waits in all, in its whole life, because GitHub asked for it or failed.
    pub patience: Duration,
    /// Time between writes.
    pub pause: Duration,
    /// Writes that need no pause before them.
    pub burst: u32,
}

impl Default for Pace {
    /// GitHub allows 80 requests a minute that create content, and advises a second between them.
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            attempts: 5,
            timeout: Duration::from_secs(30),
            unnamed: Duration::from_secs(60),
            patience: Duration::from_secs(150),
            pause: Duration::from_secs(1),
            burst: 10,
        }
    }
}

/// Keeps writes apart: after a burst, one each pause.
#[derive(Debug)]
pub(super) struct Throttle {
    pause: Duration,
    slack: Duration,
    /// When all that was sent would have been sent, had there been a pause after each.
    due: Option<Instant>,
}

impl Throttle {
    pub(super) fn new(pace: &Pace) -> Self {
        Self {
            pause: pace.pause,
            slack: pace.pause * pace.burst.saturating_sub(1),
            due: None,
        }
    }

    /// How long the next write has to wait, which is then counted as sent.
    pub(super) fn next(&mut self, now: Instant) -> Duration {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due + self.pause);
        due.saturating_duration_since(now)
            .saturating_sub(self.slack)
    }
}

/// What an answer means for the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It was done.
    Done,
    /// It was not done, for there were too many requests; after the time that GitHub tells, it may
    /// be.
    Limited(Option<Duration>),
    /// It was not done, for there was no connection.
    Unsent,
    /// It may have been done. GitHub may tell how long to wait.
    Unclear(Option<Duration>),
    /// It was not done, and never will be.
    Refused,
}

/// Judges what came of a request. `now` is in seconds since 1970.
pub(super) fn judge(outcome: &Result<Answer, Broken>, may_lack: bool, now: u64) -> Judgement {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(Broken::Unsent(_)) => return Judgement::Unsent,
        Err(Broken::Lost(_) | Broken::Late(_)) => return Judgement::Unclear(None),
        Err(Broken::Large(_) | Broken::Astray(_)) => return Judgement::Refused,
    };
    let told = answer
        .header("retry-after")
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    match answer.status.as_u16() {
        200..=299 => Judgement::Done,
        404 | 410 if may_lack => Judgement::Done,
        429 => Judgement::Limited(told.or_else(|| reset(answer, now))),
        403 if is_limit(answer) => Judgement::Limited(told.or_else(|| reset(answer, now))),
        408 | 500..=599 => Judgement::Unclear(told),
        _ => Judgement::Refused,
    }
}

/// True if a refusal comes from a limit, and not from a lack of permission.
fn is_limit(answer: &Answer) -> bool {
    answer.header("retry-after").is_some()
        || answer.header("x-ratelimit-remaining") == Some("0")
        || [&b"rate limit"[..], b"abuse detection"]
            .iter()
            .any(|words| memmem::find(&answer.body, words).is_some())
}

/// How long it is until the limit is lifted, with a second for clocks that differ.
fn reset(answer: &Answer, now: u64) -> Option<Duration> {
    let is_used_up = answer.header("x-ratelimit-remaining") == Some("0");
    let reset: u64 = answer
        .header("x-ratelimit-reset")
        .filter(|_| is_used_up)?
        .parse()
        .ok()?;
    Some(Duration::from_secs(
        reset.saturating_sub(now).saturating_add(1),
    ))
}

/// The trouble that an outcome is.
pub(super) fn trouble(
    tried: &str,
    outcome: &Result<Answer, Broken>,
    judgement: &Judgement,
) -> Trouble {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(broken) => return Trouble::Other(format!("{tried}: {broken}")),
    };
    let text = refusal(tried, answer);
    match (judgement, answer.status.as_u16()) {
        (Judgement::Limited(_), _) => Trouble::Limited(text),
        (_, 401 | 403 | 404) => Trouble::Forbidden(text),
        (_, 413 | 422) => Trouble::Invalid(text),
        _ => Trouble::Other(text),
    }
}

impl Client {
    /// Sends a request that may be done twice.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Answer, Trouble> {
        self.attempts(call, true, Ok, async || Ok(None)).await
    }

    /// Sends a request that must not be done twice: `look` tells what came of it where the answer
    /// does not.
    pub(super) async fn once<T>(
        &self,
        call: &Call<'_>,
        read: impl Fn(Answer) -> Result<T, Trouble>,
        look: impl AsyncFn() -> Result<Option<T>, Trouble>,
    ) -> Result<T, Trouble> {
        self.attempts(call, false, read, look).await
    }

    async fn attempts<T>(
        &self,
        call: &Call<'_>,
        may_repeat: bool,
        read: impl Fn(Answer) -> Result<T, Trouble>,
        look: impl AsyncFn() -> Result<Option<T>, Trouble>,
    ) -> Result<T, Trouble> {
        for attempt in 0.. {
            self.pause(&call.method).await;
            let begin = Instant::now();
            let outcome = self.send(call).await;
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            let judgement = judge(&outcome, call.may_lack, now);
            if !matches!(judgement, Judgement::Done) {
                // An answer that never comes is waited for like any other.
                self.waited
                    .set(self.waited.get().saturating_add(begin.elapsed()));
            }
            let trouble = trouble(call.tried, &outcome, &judgement);
            let is_last = attempt + 1 >= self.pace.attempts;
            let wait = self.wait(&judgement, attempt);
            match (judgement, outcome) {
                (Judgement::Done, Ok(answer)) => return read(answer),
                (Judgement::Limited(_) | Judgement::Unsent, _)
                    if !is_last && self.sleep(wait).await => {}
                (Judgement::Unclear(_), _) if !(is_last && may_repeat) => {
                    let has_slept = self.sleep(wait).await;
                    // After the last attempt too: what was done must not be called a failure.
                    match look().await {
                        Ok(Some(found)) => return Ok(found),
                        Ok(None) if has_slept && !is_last => {}
                        _ => return Err(trouble),
                    }
                }
                _ => return Err(trouble),
            }
        }
        Err(Trouble::Other(call.tried.to_owned()))
    }

    /// How long to wait after an attempt.
    fn wait(&self, judgement: &Judgement, attempt: u32) -> Duration {
        match judgement {
            Judgement::Limited(Some(told)) => told.saturating_add(jitter(self.pace.base / 2)),
            Judgement::Limited(None) => backoff(self.pace.unnamed, attempt),
            Judgement::Unclear(Some(told)) => backoff(self.pace.base, attempt).max(*told),
            _ => backoff(self.pace.base, attempt),
        }
    }

    /// Waits, if the client's patience allows it.
    async fn sleep(&self, wait: Duration) -> bool {
        let waited = self.waited.get().saturating_add(wait);
        if waited > self.pace.patience {
            return false;
        }
        self.waited.set(waited);
        tokio::time::sleep(wait).await;
        true
    }

    /// Keeps writes apart from one another.
    async fn pause(&self, method: &Method) {
        if *method != Method::GET {
            let wait = self.throttle.borrow_mut().next(Instant::now());
            tokio::time::sleep(wait).await;
        }
    }
}

/// The wait after an attempt (the first is 0): it doubles, and no two clients wait the same.
fn backoff(base: Duration, attempt: u32) -> Duration {
    let wait = base.saturating_mul(1 << attempt.min(10));
    wait.saturating_add(jitter(wait / 2))
}

/// A time up to `most`, by chance.
fn jitter(most: Duration) -> Duration {
    // The hasher's keys come from the system's random numbers.
    let chance = RandomState::new().build_hasher().finish() % 1024;
    most.mul_f64(chance as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, StatusCode};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Answer, Broken> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
        })
    }

    #[test]
    fn the_time_that_github_tells_is_obeyed() {
        let seconds = |s| Judgement::Limited(Some(Duration::from_secs(s)));
        let used_up = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1030"),
        ];
        for status in [403, 429] {
            assert_eq!(
                judge(&answer(status, &[("retry-after", "30")], ""), false, 1000),
                seconds(30)
            );
            assert_eq!(
                judge(&answer(status, &used_up, ""), false, 1000),
                seconds(31)
            );
            assert_eq!(
                judge(&answer(status, &used_up, ""), false, 2000),
                seconds(1)
            );
        }
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        assert_eq!(
            judge(
                &answer(403, &[("x-ratelimit-remaining", "4000")], secondary),
                false,
                0
            ),
            Judgement::Limited(None)
        );
        assert_eq!(
            judge(&answer(503, &[("retry-after", "7")], ""), false, 0),
            Judgement::Unclear(Some(Duration::from_secs(7)))
        );
    }

    #[test]
    fn a_refusal_is_no_limit() {
        let left = [
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1030"),
        ];
        let forbidden = answer(
            403,
            &left,
            r#"{"message": "Resource not accessible by integration"}"#,
        );
        assert_eq!(judge(&forbidden, false, 1000), Judgement::Refused);
        assert!(matches!(
            trouble("x", &forbidden, &Judgement::Refused),
            Trouble::Forbidden(_)
        ));
        for status in [400, 401, 404, 410, 422] {
            assert_eq!(
                judge(&answer(status, &[], ""), false, 0),
                Judgement::Refused
            );
        }
        assert_eq!(judge(&answer(404, &[], ""), true, 0), Judgement::Done);
    }

    #[test]
    fn a_time_out_leaves_open_what_was_done_and_no_connection_does_not() {
        assert_eq!(
            judge(&Err(Broken::Late(30)), false, 0),
            Judgement::Unclear(None)
        );
        assert_eq!(
            judge(&Err(Broken::Lost(String::new())), false, 0),
            Judgement::Unclear(None)
        );
        assert_eq!(
            judge(&Err(Broken::Unsent(String::new())), false, 0),
            Judgement::Unsent
        );
    }

    #[test]
    fn waits_double_and_differ() {
        let base = Duration::from_secs(1);
        for attempt in 0..4 {
            let least = base * (1 << attempt);
            let waits: Vec<_> = (0..50).map(|_| backoff(base, attempt)).collect();
            assert!(waits.iter().all(|wait| (least..least * 2).contains(wait)));
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
    }

    #[test]
    fn writes_keep_below_what_github_allows_in_a_minute() {
        let start = Instant::now();
        let mut throttle = Throttle::new(&Pace::default());
        let (mut now, mut sent) = (start, Vec::new());
        for _ in 0..200 {
            now += throttle.next(now);
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
        // A long silence gives the burst back, and no more.
        now += Duration::from_secs(3600);
        let waits: Vec<_> = (0..11).map(|_| throttle.next(now)).collect();
        assert_eq!(waits.iter().filter(|wait| wait.is_zero()).count(), 10);
    }
}
