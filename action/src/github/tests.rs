//! The client against a GitHub in memory that fails in every way a request can fail.
//!
//! At the end of each test every request that was made is held against GitHub's own description of
//! its API.

mod artifacts;
mod checks;
mod comment;
mod contract;
mod fake;
mod network;
mod pulls;

use std::thread;
use std::time::Duration;

use self::fake::{Fake, REPOSITORY, TOKEN};
use super::{Access, Client, Pace, Token};

/// No wait that a person would notice.
const QUICK: Pace = Pace {
    base: Duration::from_millis(1),
    attempts: 4,
    timeout: Duration::from_secs(60),
    unnamed: Duration::from_millis(1),
    patience: Duration::from_secs(20),
    pause: Duration::ZERO,
    burst: 1,
};

/// The same for an answer that never comes.
const HASTY: Pace = Pace {
    timeout: Duration::from_secs(1),
    ..QUICK
};

/// A GitHub and a client of it.
struct World {
    fake: Fake,
    client: Client,
}

impl World {
    fn new() -> Self {
        Self::with("", QUICK)
    }

    /// A GitHub whose API lies at this path, and a client of this patience.
    fn with(prefix: &str, pace: Pace) -> Self {
        let fake = Fake::start(prefix);
        let client = Client::new(&access(&fake.api()), pace).unwrap();
        Self { fake, client }
    }
}

fn access(api: &str) -> Access {
    Access {
        api: api.to_owned(),
        token: Token::new(TOKEN),
        owner: REPOSITORY.0.to_owned(),
        name: REPOSITORY.1.to_owned(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let state = self.fake.state();
        for seen in &state.seen {
            let faults = contract::faults(seen, &state.prefix);
            assert!(
                faults.is_empty(),
                "{} {}: {faults:?}",
                seen.method,
                seen.path
            );
            assert!(
                seen.headers["user-agent"].starts_with("leakgate/"),
                "{seen:?}"
            );
            assert_eq!(seen.headers["x-github-api-version"], "2022-11-28");
            assert!(
                !seen.path.contains(TOKEN)
                    && !seen
                        .body
                        .as_ref()
                        .is_some_and(|body| body.to_string().contains(TOKEN))
            );
        }
        for seen in &state.seen_elsewhere {
            assert!(
                !format!("{seen:?}").contains(TOKEN),
                "the token went to another host: {seen:?}"
            );
        }
    }
}
