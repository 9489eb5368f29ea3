//! Tests check runs: no annotation is lost, none is added twice.

use serde_json::{Value, json};

use super::fake::{Fault, REJECTED_PATH, TOKEN};
use super::{FAST_RETRY, Fixture, RetryPolicy, SHORT_TIMEOUT, origin};
use crate::github::{Annotation, ApiError, CheckRun, Conclusion, Level};

fn annotation(line: usize) -> Annotation {
    Annotation {
        path: "src/a.c".into(),
        start_line: line as u32,
        end_line: line as u32,
        start_column: None,
        end_column: None,
        level: Level::Failure,
        title: format!("leak {line}"),
        message: "16 bytes are lost".into(),
        raw_details: None,
    }
}

fn run(annotations: usize) -> CheckRun {
    CheckRun {
        name: "leakgate / linux".into(),
        head_sha: "a".repeat(40),
        fallback_name: "leakgate / linux (test)".into(),
        origin: origin("7/1/linux/a"),
        details_url: Some("https://github.example/actions/runs/7".into()),
        conclusion: Conclusion::Failure,
        title: "2 findings".into(),
        summary: "It leaks.".into(),
        text: Some("Details.".into()),
        annotations: (1..=annotations).map(annotation).collect(),
    }
}

/// Returns the lines of the annotations of the only check run.
fn lines(fixture: &Fixture) -> Vec<u64> {
    let state = fixture.fake.state();
    assert_eq!(state.check_runs.len(), 1);
    let annotations = state.check_runs[0]["annotations"].as_array().unwrap();
    annotations
        .iter()
        .map(|annotation| annotation["start_line"].as_u64().unwrap())
        .collect()
}

fn all(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

#[test]
fn thousand_annotations_are_added_in_twenty_batches_in_order() {
    let fixture = Fixture::new();
    let posted = fixture.client.create_check_run(&run(1000)).unwrap();
    assert_eq!(
        (posted.annotations, posted.rejected, &posted.error),
        (1000, 0, &None)
    );
    assert_eq!(lines(&fixture), all(1000));
    let state = fixture.fake.state();
    let methods: Vec<_> = state
        .requests
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(methods, [&["POST"][..], &["PATCH"; 20]].concat());
    assert!(
        state.requests[0].body.as_ref().unwrap()["output"]
            .get("annotations")
            .is_none()
    );
    let batch = |body: &Option<Value>| {
        body.as_ref().unwrap()["output"]["annotations"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(
        state.requests[1..]
            .iter()
            .all(|request| batch(&request.body) == 50)
    );
}

#[test]
fn check_run_is_completed_at_once_and_keeps_its_output() {
    let fixture = Fixture::new();
    let posted = fixture.client.create_check_run(&run(60)).unwrap();
    let state = fixture.fake.state();
    let made = &state.check_runs[0];
    assert_eq!(posted.url.as_deref(), made["html_url"].as_str());
    assert_eq!(
        (&made["status"], &made["conclusion"]),
        (&"completed".into(), &"failure".into())
    );
    assert_eq!(
        (&made["external_id"], &made["name"]),
        (
            &"leakgate-v1/7/1/linux/a".into(),
            &"leakgate / linux".into()
        )
    );
    let output = &made["output"];
    assert_eq!(
        (&output["title"], &output["summary"], &output["text"]),
        (
            &"2 findings".into(),
            &"It leaks.".into(),
            &"Details.".into()
        )
    );
}

/// Returns the names and conclusions of all check runs, oldest first.
fn results(fixture: &Fixture) -> Vec<(String, String)> {
    let state = fixture.fake.state();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let result = |run: &Value| (text(&run["name"]), text(&run["conclusion"]));
    state.check_runs.iter().map(result).collect()
}

#[test]
fn success_does_not_hide_the_failure_of_another_step() {
    let success = CheckRun {
        conclusion: Conclusion::Success,
        origin: origin("7/1/windows/b"),
        ..run(0)
    };
    let neutral = CheckRun {
        conclusion: Conclusion::Neutral,
        ..success.clone()
    };
    let linux = "leakgate / linux".to_owned();
    for passing in [&success, &neutral] {
        let conclusion = passing.conclusion.as_str().to_owned();
        let failure = (linux.clone(), "failure".to_owned());
        // The failing step is first.
        let fixture = Fixture::new();
        fixture.client.create_check_run(&run(0)).unwrap();
        let posted = fixture.client.create_check_run(passing).unwrap();
        assert!(posted.is_renamed);
        let renamed = (passing.fallback_name.clone(), conclusion.clone());
        assert_eq!(results(&fixture), [failure.clone(), renamed.clone()]);
        // It is last.
        let fixture = Fixture::new();
        let posted = fixture.client.create_check_run(passing).unwrap();
        assert!(!posted.is_renamed);
        fixture.client.create_check_run(&run(0)).unwrap();
        assert_eq!(results(&fixture), [(linux.clone(), conclusion), failure]);
        // It is in between.
        let fixture = Fixture::new();
        let failing = json!({
            "id": 5, "name": linux, "head_sha": "a".repeat(40), "conclusion": "failure",
            "external_id": "leakgate-v1/7/1/linux/a", "output": {},
        });
        fixture.fake.before("PATCH", "/check-runs/", move |state| {
            state.check_runs.push(failing.clone());
        });
        assert!(fixture.client.create_check_run(passing).unwrap().is_renamed);
        assert_eq!(results(&fixture)[0], renamed);
    }
}

#[test]
fn success_is_never_visible_under_the_name_before_it_is_safe() {
    for fault in [Fault::Forbidden, Fault::BadGateway] {
        let fixture = Fixture::new();
        fixture.client.create_check_run(&run(0)).unwrap();
        fixture.fake.fail_always("GET", "/commits/", fault);
        let success = CheckRun {
            conclusion: Conclusion::Success,
            origin: origin("7/1/windows/b"),
            ..run(0)
        };
        assert!(
            fixture
                .client
                .create_check_run(&success)
                .unwrap()
                .is_renamed
        );
        fixture.fake.fail_always("PATCH", "/check-runs/", fault);
        let error = fixture.client.create_check_run(&success).unwrap_err();
        assert!(error.to_string().contains("cannot complete the check run"));
        let conclusions: Vec<_> = results(&fixture)
            .into_iter()
            .map(|(_, conclusion)| conclusion)
            .collect();
        assert_eq!(conclusions, ["failure", "success", ""], "{fault:?}");
    }
}

#[test]
fn lost_response_to_a_batch_neither_loses_nor_duplicates_annotations() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
    ] {
        for nth in [1, 7, 20] {
            let fixture = Fixture::new();
            fixture.fake.fail("PATCH", "/check-runs/", nth, fault);
            let posted = fixture.client.create_check_run(&run(1000)).unwrap();
            assert_eq!(
                (posted.annotations, posted.rejected, &posted.error),
                (1000, 0, &None),
                "{fault:?} {nth}"
            );
            assert_eq!(lines(&fixture), all(1000), "{fault:?} {nth}");
        }
    }
}

#[test]
fn lost_response_does_not_create_a_second_check_run() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
    ] {
        let fixture = Fixture::new();
        fixture.fake.fail("POST", "/check-runs", 1, fault);
        let posted = fixture.client.create_check_run(&run(3)).unwrap();
        assert!(posted.url.is_some());
        assert_eq!(lines(&fixture), all(3), "{fault:?}");
    }
}

#[test]
fn timeout_counts_as_a_lost_response() {
    for fault in [Fault::Hang, Fault::HangAfter] {
        let fixture = Fixture::with("", SHORT_TIMEOUT);
        fixture.fake.fail("POST", "/check-runs", 1, fault);
        fixture.fake.fail("PATCH", "/check-runs/", 2, fault);
        fixture.client.create_check_run(&run(120)).unwrap();
        assert_eq!(lines(&fixture), all(120), "{fault:?}");
    }
}

#[test]
fn check_run_created_by_the_last_attempt_is_found() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGateway);
    fixture
        .fake
        .fail("POST", "/check-runs", 2, Fault::BadGateway);
    fixture
        .fake
        .fail("POST", "/check-runs", 3, Fault::BadGateway);
    fixture
        .fake
        .fail("POST", "/check-runs", 4, Fault::BadGatewayAfter);
    fixture.client.create_check_run(&run(1)).unwrap();
    assert_eq!(lines(&fixture), all(1));
}

#[test]
fn check_run_of_another_attempt_is_not_mistaken_for_this_one() {
    let fixture = Fixture::new();
    fixture
        .client
        .create_check_run(&CheckRun {
            origin: origin("7/1/linux/b"),
            ..run(0)
        })
        .unwrap();
    fixture
        .client
        .create_check_run(&CheckRun {
            name: "another".into(),
            ..run(0)
        })
        .unwrap();
    fixture
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGateway);
    fixture.client.create_check_run(&run(2)).unwrap();
    let state = fixture.fake.state();
    assert_eq!(state.check_runs.len(), 3);
    assert_eq!(
        state.check_runs[2]["annotations"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn check_run_is_found_on_a_later_page() {
    let fixture = Fixture::new();
    for number in 0..150 {
        fixture.fake.state().check_runs.push(json!({
            "id": number, "name": "leakgate / linux", "head_sha": "a".repeat(40),
            "external_id": "another",
            "output": { "annotations_count": 0 },
        }));
    }
    fixture
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGatewayAfter);
    fixture.fake.fail("GET", "/commits/", 2, Fault::BadGateway);
    fixture.client.create_check_run(&run(1)).unwrap();
    assert_eq!(fixture.fake.state().check_runs.len(), 151);
    assert_eq!(fixture.fake.count("GET", "/commits/"), 3);
}

#[test]
fn invalid_annotation_affects_only_itself() {
    for invalid in [1, 25, 26, 50, 51, 73, 120] {
        let fixture = Fixture::new();
        let mut run = run(120);
        run.annotations[invalid - 1].path = REJECTED_PATH.into();
        let posted = fixture.client.create_check_run(&run).unwrap();
        assert_eq!(
            (posted.annotations, posted.rejected, &posted.error),
            (119, 1, &None),
            "{invalid}"
        );
        assert_eq!((posted.unsent, posted.missing), (0, vec![invalid - 1]));
        let expected: Vec<_> = all(120)
            .into_iter()
            .filter(|line| *line != invalid as u64)
            .collect();
        assert_eq!(lines(&fixture), expected, "{invalid}");
    }
}

#[test]
fn annotations_are_corrected_or_not_sent() {
    let fixture = Fixture::new();
    let mut run = run(5);
    run.annotations[0].start_line = 0;
    run.annotations[1].path = "/usr/include/stdio.h".into();
    run.annotations[2].message = format!("{}\u{1f600}", "€".repeat(40_000));
    run.annotations[3].end_line = 9;
    run.annotations[3].start_column = Some(3);
    run.annotations[4].path = "a/../../b.c".into();
    let posted = fixture
        .client
        .create_check_run(&CheckRun {
            summary: "ü\u{1f600}".repeat(60_000),
            ..run
        })
        .unwrap();
    assert_eq!((posted.annotations, posted.rejected), (3, 0));
    assert_eq!((posted.unsent, posted.missing), (2, vec![1, 4]));
    assert_eq!(lines(&fixture), [1, 3, 4]);
    assert_eq!(fixture.fake.count("PATCH", "/check-runs/"), 1);
}

#[test]
fn search_for_invalid_annotations_is_limited() {
    let fixture = Fixture::new();
    let mut run = run(1000);
    run.annotations
        .iter_mut()
        .for_each(|annotation| annotation.path = REJECTED_PATH.into());
    let posted = fixture.client.create_check_run(&run).unwrap();
    assert_eq!((posted.annotations, posted.rejected), (0, 1000));
    assert!(fixture.fake.count("PATCH", "/check-runs/") < 160);
}

#[test]
fn missing_permission_is_reported() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/check-runs", Fault::Forbidden);
    let error = fixture.client.create_check_run(&run(1)).unwrap_err();
    assert!(matches!(error, ApiError::Forbidden(_)));
    assert_eq!(
        error.to_string(),
        "cannot create the check run: 403 Forbidden: Resource not accessible by integration"
    );
    assert_eq!(fixture.fake.state().requests.len(), 1);
}

#[test]
fn check_run_stays_when_annotations_fail() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail("PATCH", "/check-runs/", 2, Fault::Forbidden);
    let posted = fixture.client.create_check_run(&run(120)).unwrap();
    assert_eq!((posted.annotations, posted.rejected), (50, 0));
    let mut missing = posted.missing;
    missing.sort_unstable();
    assert_eq!(missing, (50..120).collect::<Vec<_>>());
    assert!(matches!(posted.error, Some(ApiError::Forbidden(_))));
    assert_eq!(lines(&fixture), all(50));
}

#[test]
fn rate_limit_is_not_a_missing_permission_and_is_retried() {
    for fault in [
        Fault::SecondaryLimit(0),
        Fault::SecondaryLimitUnnamed,
        Fault::TooManyRequests(0),
        Fault::Exhausted(1),
    ] {
        let fixture = Fixture::new();
        fixture.fake.fail("POST", "/check-runs", 1, fault);
        fixture.fake.fail("PATCH", "/check-runs/", 2, fault);
        fixture.client.create_check_run(&run(120)).unwrap();
        assert_eq!(lines(&fixture), all(120), "{fault:?}");
        // The rejected request had no effect, so the client does not check for one.
        assert_eq!(fixture.fake.count("GET", "/"), 0, "{fault:?}");
    }
}

#[test]
fn long_rate_limit_fails_at_once() {
    for fault in [
        Fault::SecondaryLimit(3600),
        Fault::TooManyRequests(u64::MAX),
        Fault::Exhausted(u64::from(u32::MAX)),
    ] {
        let fixture = Fixture::new();
        fixture.fake.fail_always("POST", "/check-runs", fault);
        let error = fixture.client.create_check_run(&run(1)).unwrap_err();
        assert!(matches!(error, ApiError::RateLimited(_)), "{error:?}");
        assert_eq!(fixture.fake.state().requests.len(), 1);
    }
}

#[test]
fn repeated_rate_limit_fails() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/check-runs", Fault::TooManyRequests(0));
    assert!(matches!(
        fixture.client.create_check_run(&run(1)).unwrap_err(),
        ApiError::RateLimited(_)
    ));
    assert_eq!(fixture.fake.state().requests.len(), 4);
}

#[test]
fn maximum_wait_applies_to_the_whole_client() {
    let fixture = Fixture::with(
        "",
        RetryPolicy {
            max_total_wait: std::time::Duration::from_millis(1500),
            ..FAST_RETRY
        },
    );
    fixture
        .fake
        .fail("POST", "/check-runs", 1, Fault::SecondaryLimit(1));
    fixture
        .fake
        .fail("PATCH", "/check-runs/", 1, Fault::SecondaryLimit(1));
    let posted = fixture.client.create_check_run(&run(1)).unwrap();
    assert!(matches!(posted.error, Some(ApiError::RateLimited(_))));
}

#[test]
fn persistent_server_error_is_not_a_missing_permission() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/check-runs", Fault::BadGateway);
    let error = fixture.client.create_check_run(&run(1)).unwrap_err();
    assert_eq!(
        error,
        ApiError::Other("cannot create the check run: 502 Bad Gateway".into())
    );
    assert_eq!(fixture.fake.count("POST", "/check-runs"), 4);
}

#[test]
fn request_is_not_repeated_if_its_effect_is_unknown() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGatewayAfter);
    fixture
        .fake
        .fail_always("GET", "/commits/", Fault::BadGateway);
    assert!(fixture.client.create_check_run(&run(1)).is_err());
    assert_eq!(fixture.fake.state().check_runs.len(), 1);
}

#[test]
fn errors_never_contain_the_token() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/check-runs", Fault::EchoToken);
    let error = fixture.client.create_check_run(&run(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot create the check run: 400 Bad Request: who is ***?"
    );
    fixture
        .fake
        .fail_always("PATCH", "/issues", Fault::EchoToken);
    assert!(!format!("{:?} {:?}", fixture.client, super::access("x")).contains(TOKEN));
}

#[test]
fn path_of_an_enterprise_server_is_kept() {
    let fixture = Fixture::with("/api/v3", FAST_RETRY);
    fixture
        .fake
        .fail("PATCH", "/check-runs/", 1, Fault::BadGatewayAfter);
    fixture.client.create_check_run(&run(60)).unwrap();
    assert_eq!(lines(&fixture), all(60));
    assert!(
        fixture
            .fake
            .state()
            .requests
            .iter()
            .all(|request| request.path.starts_with("/api/v3/repos/octo/leaky/"))
    );
}

#[test]
fn write_does_not_follow_a_redirect_to_another_host() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/check-runs", Fault::RedirectElsewhere);
    let error = fixture.client.create_check_run(&run(1)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("redirect to another host, 127.0.0.1"),
        "{error}"
    );
    assert!(fixture.fake.state().other_requests.is_empty());
}
