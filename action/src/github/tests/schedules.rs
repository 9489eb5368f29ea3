//! Tests random schedules of concurrent steps that share a name and a pull request, while requests
//! fail at random.
//!
//! `LEAKGATE_SCHEDULES` is the number of schedules, and `LEAKGATE_SEED` the number of the first.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::fake::{Fake, Fault};
use super::{FAST_RETRY, RetryPolicy, access};
use crate::github::checks::PostedCheckRun;
use crate::github::{
    Annotation, ApiError, CheckRun, Client, CommentOutcome, CommentUpdate, Conclusion, Level,
    Origin,
};

/// Name that all steps share.
const NAME: &str = "leakgate";
const PULL: u64 = 7;
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Numbers that look random, but are the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A step of a workflow run.
#[derive(Clone, Debug)]
struct Step {
    origin: Origin,
    passes: bool,
    annotations: usize,
}

/// What a step got from the client.
struct StepResult {
    step: Step,
    check_run: Result<PostedCheckRun, ApiError>,
    comment: Result<CommentOutcome, ApiError>,
}

impl Step {
    fn new(run: u64, attempt: u64, leg: usize, random: &mut Random) -> Self {
        Self {
            origin: Origin {
                run,
                attempt,
                leg: format!("leg{leg}"),
                nonce: format!("{:x}", random.next()),
            },
            passes: random.below(2) == 0,
            annotations: random.pick(&[0, 1, 60, 130]),
        }
    }

    fn marker(&self) -> String {
        format!("<!-- leakgate: {NAME} {} -->", self.origin.leg)
    }

    fn text(&self) -> String {
        format!("report of {}", self.origin.nonce)
    }

    fn check_run(&self) -> CheckRun {
        let annotation = |line| Annotation {
            path: "src/a.c".into(),
            start_line: line,
            end_line: line,
            start_column: None,
            end_column: None,
            level: Level::Failure,
            title: "leak".into(),
            message: "lost".into(),
            raw_details: None,
        };
        CheckRun {
            name: NAME.into(),
            fallback_name: format!("{NAME} ({})", self.origin.leg),
            head_sha: HEAD.into(),
            origin: self.origin.clone(),
            details_url: None,
            conclusion: if self.passes {
                Conclusion::Success
            } else {
                Conclusion::Failure
            },
            title: "title".into(),
            summary: "summary".into(),
            text: None,
            annotations: (1..=self.annotations as u32).map(annotation).collect(),
        }
    }

    /// Reports like a step of the action.
    fn report(self, api: &str, policy: RetryPolicy) -> StepResult {
        let client = Client::new(&access(api), policy).unwrap();
        let text = self.text();
        let check_run = client.create_check_run(&self.check_run());
        let comment = client.update_comment(&CommentUpdate {
            pull: PULL,
            marker: &self.marker(),
            origin: &self.origin,
            text: Some(text.as_str()).filter(|_| !self.passes),
            may_create: !self.passes,
        });
        StepResult {
            step: self,
            check_run,
            comment,
        }
    }
}

/// Runs steps at the same time.
fn run_steps(steps: Vec<Step>, fake: &Fake, policy: RetryPolicy) -> Vec<StepResult> {
    let api = fake.api();
    thread::scope(|scope| {
        let threads: Vec<_> = steps
            .into_iter()
            .map(|step| scope.spawn(|| step.report(&api, policy)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

fn plan_faults(fake: &Fake, random: &mut Random) {
    const REQUESTS: [(&str, &str); 8] = [
        ("POST", "/check-runs"),
        ("PATCH", "/check-runs/"),
        ("GET", "/check-runs/"),
        ("GET", "/commits/"),
        ("GET", "/issues/7/comments"),
        ("POST", "/issues/7/comments"),
        ("PATCH", "/issues/comments/"),
        ("DELETE", "/issues/comments/"),
    ];
    const FAULTS: [Fault; 9] = [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
        Fault::Forbidden,
        Fault::Conflict,
        Fault::SecondaryLimit(0),
        Fault::TooManyRequests(0),
        Fault::Unprocessable,
    ];
    for _ in 0..random.below(6) {
        let (method, path) = random.pick(&REQUESTS);
        let fault = random.pick(&FAULTS);
        match random.below(6) {
            0 => fake.fail_always(method, path, fault),
            _ => fake.fail(method, path, 1 + random.below(8), fault),
        }
    }
    // A response that never arrives takes as long as the timeout, so it is rare.
    if random.below(20) == 0 {
        let (method, path) = random.pick(&REQUESTS);
        let fault = random.pick(&[Fault::Hang, Fault::HangAfter]);
        fake.fail(method, path, 1 + random.below(4), fault);
    }
}

/// A check run in the fake.
struct Shown {
    id: u64,
    origin: Origin,
    has_shared_name: bool,
    /// `None` while it is in progress.
    passes: Option<bool>,
}

fn shown(fake: &Fake) -> Vec<Shown> {
    let state = fake.state();
    let show = |run: &Value| Shown {
        id: run["id"].as_u64().unwrap(),
        origin: Origin::from_external_id(run["external_id"].as_str().unwrap()).unwrap(),
        has_shared_name: run["name"] == NAME,
        passes: run["conclusion"].as_str().map(|text| text == "success"),
    };
    state.check_runs.iter().map(show).collect()
}

/// Asserts that no success is newer than a failure of the same name that still counts.
///
/// A failure no longer counts when the same leg is run again. A check run in progress is that of a
/// step that passes.
fn assert_no_hidden_failure(fake: &Fake, case: &str) {
    let all = shown(fake);
    let time = |shown: &Shown| (shown.origin.run, shown.origin.attempt);
    for failure in all.iter().filter(|shown| shown.passes == Some(false)) {
        assert!(failure.has_shared_name, "{case}: {:?}", failure.origin);
        let is_same_leg = |other: &&Shown| other.origin.leg == failure.origin.leg;
        let mut later = all.iter().filter(is_same_leg);
        if later.any(|other| time(other) > time(failure)) {
            continue;
        }
        let hiding = all.iter().find(|other| {
            other.has_shared_name && other.passes == Some(true) && other.id > failure.id
        });
        assert!(hiding.is_none(), "{case}: {:?} is hidden", failure.origin);
    }
}

/// Asserts that the check run of a step exists once, with each of its annotations at most once.
fn assert_check_run(fake: &Fake, result: &StepResult, case: &str) {
    let state = fake.state();
    let id = result.step.origin.external_id();
    let mut found = state
        .check_runs
        .iter()
        .filter(|run| run["external_id"] == id);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{case}: two check runs {id}");
    let Ok(posted) = &result.check_run else {
        return;
    };
    let run = first.unwrap_or_else(|| panic!("{case}: no check run {id}"));
    let lines = run["annotations"].as_array().unwrap().iter();
    let lines: Vec<u64> = lines.map(|a| a["start_line"].as_u64().unwrap()).collect();
    let mut known: Vec<u64> = posted
        .missing
        .iter()
        .map(|index| *index as u64 + 1)
        .collect();
    known.extend(&lines);
    known.sort_unstable();
    let all: Vec<u64> = (1..=result.step.annotations as u64).collect();
    // A failed batch of which nothing is known may have taken effect.
    let is_uncertain = posted.error.is_some();
    known.dedup();
    assert_eq!(known, all, "{case}: lost annotations of {id}");
    let mut unique = lines.clone();
    unique.dedup();
    assert_eq!(unique, lines, "{case}: duplicate annotations of {id}");
    assert!(
        is_uncertain || lines.len() + posted.missing.len() == all.len(),
        "{case}: {id}"
    );
}

/// Returns the texts of the comments with a marker.
fn comments(fake: &Fake, marker: &str) -> Vec<String> {
    let state = fake.state();
    let bodies = state.comments.iter().map(|comment| match &comment["body"] {
        Value::String(body) => body.clone(),
        _ => String::new(),
    });
    bodies.filter(|body| body.starts_with(marker)).collect()
}

/// Asserts that each failing step has its comment, and that nothing else is left.
fn assert_comments(fake: &Fake, results: &[StepResult], case: &str) {
    let mut legs: BTreeMap<String, Vec<&StepResult>> = BTreeMap::new();
    for result in results {
        legs.entry(result.step.marker()).or_default().push(result);
    }
    for (marker, results) in legs {
        let found = comments(fake, &marker);
        let has_text = |result: &StepResult| {
            let text = result.step.text();
            found.iter().filter(|body| body.ends_with(&text)).count()
        };
        for result in &results {
            let want = usize::from(!result.step.passes);
            match &result.comment {
                Ok(_) => assert_eq!(has_text(result), want, "{case}: {marker}: {found:?}"),
                Err(_) => assert!(has_text(result) <= want, "{case}: {marker}: {found:?}"),
            }
        }
        if results.iter().all(|result| result.comment.is_ok()) {
            let failing = results.iter().filter(|result| !result.step.passes);
            assert!(
                found.len() <= failing.count(),
                "{case}: {marker}: {found:?}"
            );
        }
    }
}

/// Runs two to four steps, again and again, and checks what GitHub shows after each time.
fn run_schedule(seed: u64) {
    let mut random = Random(seed);
    let fake = Fake::start("");
    fake.state().max_delay = Duration::from_millis(random.pick(&[0, 1, 4]));
    let legs = 2 + random.below(3);
    // Legs that are the same by mistake, as in two calls of a reusable workflow.
    let is_same_leg = random.below(5) == 0;
    let rounds = if is_same_leg { 1 } else { 1 + random.below(3) };
    let policy = RetryPolicy {
        timeout: Duration::from_millis(400),
        ..FAST_RETRY
    };
    let (mut run, mut attempt) = (100, 1);
    for round in 0..rounds {
        plan_faults(&fake, &mut random);
        let mut steps = Vec::new();
        for leg in 0..legs {
            // Only some jobs are run again in a later attempt.
            if attempt == 1 || random.below(2) == 0 {
                let leg = if is_same_leg { 0 } else { leg };
                steps.push(Step::new(run, attempt, leg, &mut random));
            }
        }
        let results = run_steps(steps, &fake, policy);
        let case = format!("schedule {seed}, round {round}");
        assert_no_hidden_failure(&fake, &case);
        results
            .iter()
            .for_each(|result| assert_check_run(&fake, result, &case));
        assert_comments(&fake, &results, &case);
        fake.clear_faults();
        (run, attempt) = match random.below(2) {
            0 => (run, attempt + 1),
            _ => (run + 1, 1),
        };
    }
}

#[test]
fn concurrent_steps_never_hide_a_failure_and_lose_nothing() {
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let first = number("LEAKGATE_SEED", 1);
    for seed in first..first + number("LEAKGATE_SCHEDULES", 60) {
        run_schedule(seed);
    }
}
