//! Tests the client with an in-memory fake of GitHub that injects every kind of failure.
//!
//! At the end of each test, every request is validated against GitHub's own OpenAPI description.

mod artifacts;
mod changed_lines;
mod checks;
mod comment;
mod contract;
mod fake;
mod network;
mod pulls;
mod schedules;

use std::thread;
use std::time::Duration;

use self::fake::{Fake, REPOSITORY, TOKEN};
use super::{Access, Client, Origin, RetryPolicy, Token};

/// Retries almost without delay.
const FAST_RETRY: RetryPolicy = RetryPolicy {
    base_delay: Duration::from_millis(1),
    max_attempts: 4,
    connect_timeout: Duration::from_secs(10),
    timeout: Duration::from_secs(60),
    rate_limit_delay: Duration::from_millis(1),
    max_total_wait: Duration::from_secs(20),
    write_interval: Duration::ZERO,
    write_burst: 1,
};

/// The same, for responses that never arrive.
const SHORT_TIMEOUT: RetryPolicy = RetryPolicy {
    timeout: Duration::from_secs(1),
    ..FAST_RETRY
};

/// A fake GitHub and a client for it.
struct Fixture {
    fake: Fake,
    client: Client,
}

impl Fixture {
    fn new() -> Self {
        Self::with("", FAST_RETRY)
    }

    /// Starts a fake GitHub whose API has this path, and a client with this policy.
    fn with(prefix: &str, policy: RetryPolicy) -> Self {
        let fake = Fake::start(prefix);
        let client = Client::new(&access(&fake.api()), policy).unwrap();
        Self { fake, client }
    }
}

/// Returns the origin with this external id, of which only the part after the version is given.
pub(super) fn origin(text: &str) -> Origin {
    Origin::from_external_id(&format!("leakgate-v1/{text}")).unwrap()
}

fn access(api: &str) -> Access {
    Access {
        api: api.to_owned(),
        token: Token::new(TOKEN),
        owner: REPOSITORY.0.to_owned(),
        name: REPOSITORY.1.to_owned(),
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let state = self.fake.state();
        for request in &state.requests {
            let violations = contract::violations(request, &state.prefix);
            assert!(
                violations.is_empty(),
                "{} {}: {violations:?}",
                request.method,
                request.path
            );
            assert!(
                request.headers["user-agent"].starts_with("leakgate/"),
                "{request:?}"
            );
            assert_eq!(request.headers["x-github-api-version"], "2022-11-28");
            assert!(
                !request.path.contains(TOKEN)
                    && !request
                        .body
                        .as_ref()
                        .is_some_and(|body| body.to_string().contains(TOKEN))
            );
        }
        for request in &state.other_requests {
            assert!(
                !format!("{request:?}").contains(TOKEN),
                "the token went to another host: {request:?}"
            );
        }
    }
}
