//! Retries: whether to send a request again, how long to wait first, and when to check beforehand
//! whether an earlier attempt took effect.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::Method;
use memchr::memmem;

use super::client::Client;
use super::error::{ApiError, TransportError, response_error};
use super::request::{ApiRequest, Response};

/// Maximum number of attempts to connect before GitHub's first response. Without a network, none
/// succeeds.
const MAX_FIRST_ATTEMPTS: u32 = 2;

/// Limits and delays of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// Delay before the second attempt. It doubles with each further attempt.
    pub base_delay: Duration,
    /// Maximum number of times that a request is sent.
    pub max_attempts: u32,
    /// Timeout for a connection.
    pub connect_timeout: Duration,
    /// Timeout for a response. Files may take ten times as long.
    pub timeout: Duration,
    /// Delay after a rate limit whose response doesn't say how long to wait.
    pub rate_limit_delay: Duration,
    /// Maximum time that the client spends on failed requests and on delays before retries, in
    /// total.
    pub max_total_wait: Duration,
    /// Minimum time between writes.
    pub write_interval: Duration,
    /// Number of writes that may be sent without that interval.
    pub write_burst: u32,
}

impl Default for RetryPolicy {
    /// Returns a policy that respects GitHub's limits: at most 80 requests that create content per
    /// minute, and preferably a second between them.
    fn default() -> Self {
        Self {
            base_delay: Duration::from_secs(1),
            max_attempts: 5,
            // Two attempts take less than 5 s. A lost packet is sent again after a second.
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
            rate_limit_delay: Duration::from_secs(60),
            max_total_wait: Duration::from_secs(150),
            write_interval: Duration::from_secs(1),
            write_burst: 10,
        }
    }
}

/// Whether a request took effect, and whether it can be sent again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// The request succeeded.
    Done,
    /// The request had no effect because of a rate limit. It can be sent again after this delay;
    /// `None` if GitHub names none.
    RateLimited(Option<Duration>),
    /// The request had no effect because no connection was made. It can be sent again.
    NotSent,
    /// The request may have taken effect. The value is the delay that GitHub asks for, if any.
    Unknown(Option<Duration>),
    /// The request failed, and so would any retry.
    Rejected,
}

/// Decides about a request by its result. `now` is in seconds since 1970.
pub(super) fn decide(
    result: &Result<Response, TransportError>,
    allow_not_found: bool,
    now: u64,
) -> RetryDecision {
    let response = match result {
        Ok(response) => response,
        Err(TransportError::NotConnected(_)) => return RetryDecision::NotSent,
        Err(TransportError::ConnectionLost(_) | TransportError::Timeout(_)) => {
            return RetryDecision::Unknown(None);
        }
        Err(TransportError::TooLarge(_) | TransportError::InvalidTarget(_)) => {
            return RetryDecision::Rejected;
        }
    };
    let retry_after = response
        .header("retry-after")
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    let until_reset = || retry_after.or_else(|| time_until_reset(response, now));
    match response.status.as_u16() {
        200..=299 => RetryDecision::Done,
        404 | 410 if allow_not_found => RetryDecision::Done,
        429 => RetryDecision::RateLimited(until_reset()),
        403 if is_rate_limit(response) => RetryDecision::RateLimited(until_reset()),
        408 | 500..=599 => RetryDecision::Unknown(retry_after),
        _ => RetryDecision::Rejected,
    }
}

/// Returns true if a 403 response is a rate limit and not a missing permission.
fn is_rate_limit(response: &Response) -> bool {
    response.header("retry-after").is_some()
        || response.header("x-ratelimit-remaining") == Some("0")
        || [&b"rate limit"[..], b"abuse detection"]
            .iter()
            .any(|phrase| memmem::find(&response.body, phrase).is_some())
}

/// Returns the time until the rate limit is reset, plus a second because clocks differ. `None` if
/// the limit isn't exhausted or the response doesn't say.
fn time_until_reset(response: &Response, now: u64) -> Option<Duration> {
    let is_exhausted = response.header("x-ratelimit-remaining") == Some("0");
    let reset: u64 = response
        .header("x-ratelimit-reset")
        .filter(|_| is_exhausted)?
        .parse()
        .ok()?;
    Some(Duration::from_secs(
        reset.saturating_sub(now).saturating_add(1),
    ))
}

/// Converts the result of a failed request into an error.
pub(super) fn to_api_error(
    context: &str,
    result: &Result<Response, TransportError>,
    decision: &RetryDecision,
) -> ApiError {
    let response = match result {
        Ok(response) => response,
        Err(error) if error.is_unreachable() => {
            return ApiError::Unreachable(format!("{context}: {error}"));
        }
        Err(error) => return ApiError::Other(format!("{context}: {error}")),
    };
    let message = response_error(context, response);
    match (decision, response.status.as_u16()) {
        (RetryDecision::RateLimited(_), _) => ApiError::RateLimited(message),
        (_, 401 | 403 | 404) => ApiError::Forbidden(message),
        (_, 413 | 422) => ApiError::Invalid(message),
        _ => ApiError::Other(message),
    }
}

impl Client {
    /// Sends a request that has the same effect if it is sent twice.
    pub(super) async fn send_idempotent(
        &self,
        request: &ApiRequest<'_>,
    ) -> Result<Response, ApiError> {
        self.send_with_retries(request, true, Ok, async || Ok(None))
            .await
    }

    /// Sends a request that must not take effect twice. After a result that leaves this open,
    /// `find_created` looks for what an earlier attempt has created.
    pub(super) async fn send_once<T>(
        &self,
        request: &ApiRequest<'_>,
        parse: impl Fn(Response) -> Result<T, ApiError>,
        find_created: impl AsyncFn() -> Result<Option<T>, ApiError>,
    ) -> Result<T, ApiError> {
        self.send_with_retries(request, false, parse, find_created)
            .await
    }

    async fn send_with_retries<T>(
        &self,
        request: &ApiRequest<'_>,
        is_idempotent: bool,
        parse: impl Fn(Response) -> Result<T, ApiError>,
        find_created: impl AsyncFn() -> Result<Option<T>, ApiError>,
    ) -> Result<T, ApiError> {
        if self.is_offline.get() {
            let message = format!("{}: GitHub is unreachable", request.context);
            return Err(ApiError::Skipped(message));
        }
        for attempt in 0.. {
            self.throttle_write(&request.method).await;
            let start = Instant::now();
            let result = self.send(request).await;
            let decision = decide(&result, request.allow_not_found, unix_time());
            if !matches!(decision, RetryDecision::Done) {
                // Timeouts use up the total wait, too.
                self.waited
                    .set(self.waited.get().saturating_add(start.elapsed()));
            }
            self.has_responded
                .set(self.has_responded.get() || result.is_ok());
            let error = to_api_error(request.context, &result, &decision);
            let is_last = attempt + 1 >= self.max_attempts(&result);
            let delay = self.retry_delay(&decision, attempt);
            match (decision, result) {
                (RetryDecision::Done, Ok(response)) => return parse(response),
                (RetryDecision::RateLimited(_) | RetryDecision::NotSent, _)
                    if !is_last && self.sleep(delay).await => {}
                (RetryDecision::Unknown(_), _) if !(is_last && is_idempotent) => {
                    let has_slept = self.sleep(delay).await;
                    // The last attempt may have taken effect, too.
                    match find_created().await {
                        Ok(Some(created)) => return Ok(created),
                        Ok(None) if has_slept && attempt + 1 < self.policy.max_attempts => {}
                        _ => return Err(self.give_up(request, error)),
                    }
                }
                _ => return Err(self.give_up(request, error)),
            }
        }
        Err(ApiError::Other(request.context.to_owned()))
    }

    /// Returns how often a request with this result may be sent.
    fn max_attempts(&self, result: &Result<Response, TransportError>) -> u32 {
        match result {
            _ if self.has_responded.get() => self.policy.max_attempts,
            Err(TransportError::NotConnected(_)) => MAX_FIRST_ATTEMPTS,
            Err(TransportError::Timeout(_)) => 1,
            _ => self.policy.max_attempts,
        }
    }

    /// Sends no further requests if GitHub is unreachable. Files are on another host, which may be
    /// unreachable alone.
    fn give_up(&self, request: &ApiRequest<'_>, error: ApiError) -> ApiError {
        if matches!(error, ApiError::Unreachable(_)) && request.max_file_bytes.is_none() {
            self.is_offline.set(true);
        }
        error
    }

    /// Returns the delay after an attempt.
    fn retry_delay(&self, decision: &RetryDecision, attempt: u32) -> Duration {
        let base = self.policy.base_delay;
        match decision {
            RetryDecision::RateLimited(Some(delay)) => delay.saturating_add(jitter(base / 2)),
            RetryDecision::RateLimited(None) => backoff(self.policy.rate_limit_delay, attempt),
            RetryDecision::Unknown(Some(delay)) => backoff(base, attempt).max(*delay),
            RetryDecision::NotSent if !self.has_responded.get() => backoff(base / 4, attempt),
            _ => backoff(base, attempt),
        }
    }

    /// Waits and returns true, or returns false if that would exceed the total wait.
    async fn sleep(&self, delay: Duration) -> bool {
        let waited = self.waited.get().saturating_add(delay);
        if waited > self.policy.max_total_wait {
            return false;
        }
        self.waited.set(waited);
        tokio::time::sleep(delay).await;
        true
    }

    /// Waits until the next write may be sent.
    async fn throttle_write(&self, method: &Method) {
        if *method != Method::GET {
            let delay = self.throttle.borrow_mut().next_delay(Instant::now());
            tokio::time::sleep(delay).await;
        }
    }
}

/// Returns the seconds since 1970.
fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns the delay after an attempt (the first is 0), which doubles each time. A random part
/// spreads out clients that fail at the same time.
fn backoff(base: Duration, attempt: u32) -> Duration {
    let delay = base.saturating_mul(1 << attempt.min(10));
    delay.saturating_add(jitter(delay / 2))
}

/// Returns a random duration below `max`.
fn jitter(max: Duration) -> Duration {
    // The keys of the hasher come from the system's random numbers.
    let random = RandomState::new().build_hasher().finish() % 1024;
    max.mul_f64(random as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, StatusCode};

    use super::*;

    fn response(
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<Response, TransportError> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Ok(Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
        })
    }

    #[test]
    fn retry_waits_as_long_as_github_asks() {
        let seconds = |s| RetryDecision::RateLimited(Some(Duration::from_secs(s)));
        let exhausted = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1030"),
        ];
        for status in [403, 429] {
            assert_eq!(
                decide(&response(status, &[("retry-after", "30")], ""), false, 1000),
                seconds(30)
            );
            assert_eq!(
                decide(&response(status, &exhausted, ""), false, 1000),
                seconds(31)
            );
            assert_eq!(
                decide(&response(status, &exhausted, ""), false, 2000),
                seconds(1)
            );
        }
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        assert_eq!(
            decide(
                &response(403, &[("x-ratelimit-remaining", "4000")], secondary),
                false,
                0
            ),
            RetryDecision::RateLimited(None)
        );
        assert_eq!(
            decide(&response(503, &[("retry-after", "7")], ""), false, 0),
            RetryDecision::Unknown(Some(Duration::from_secs(7)))
        );
    }

    #[test]
    fn missing_permission_is_not_a_rate_limit() {
        let left = [
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1030"),
        ];
        let forbidden = response(
            403,
            &left,
            r#"{"message": "Resource not accessible by integration"}"#,
        );
        assert_eq!(decide(&forbidden, false, 1000), RetryDecision::Rejected);
        assert!(matches!(
            to_api_error("x", &forbidden, &RetryDecision::Rejected),
            ApiError::Forbidden(_)
        ));
        for status in [400, 401, 404, 410, 422] {
            assert_eq!(
                decide(&response(status, &[], ""), false, 0),
                RetryDecision::Rejected
            );
        }
        assert_eq!(
            decide(&response(404, &[], ""), true, 0),
            RetryDecision::Done
        );
    }

    #[test]
    fn request_may_have_taken_effect_unless_it_was_not_sent() {
        assert_eq!(
            decide(&Err(TransportError::Timeout(30)), false, 0),
            RetryDecision::Unknown(None)
        );
        assert_eq!(
            decide(
                &Err(TransportError::ConnectionLost(String::new())),
                false,
                0
            ),
            RetryDecision::Unknown(None)
        );
        assert_eq!(
            decide(&Err(TransportError::NotConnected(String::new())), false, 0),
            RetryDecision::NotSent
        );
    }

    #[test]
    fn delays_double_and_differ() {
        let base = Duration::from_secs(1);
        for attempt in 0..4 {
            let least = base * (1 << attempt);
            let delays: Vec<_> = (0..50).map(|_| backoff(base, attempt)).collect();
            assert!(
                delays
                    .iter()
                    .all(|delay| (least..least * 2).contains(delay))
            );
            assert!(delays.iter().any(|delay| *delay != delays[0]));
        }
    }
}
