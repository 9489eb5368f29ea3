//! Check runs: nothing lost, nothing doubled.

use serde_json::{Value, json};

use super::fake::{Fault, POISON, TOKEN};
use super::{HASTY, Pace, QUICK, World};
use crate::github::{Annotation, CheckRun, Conclusion, Level, Trouble};

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
        external_id: "run-7-1".into(),
        details_url: Some("https://github.example/actions/runs/7".into()),
        conclusion: Conclusion::Failure,
        title: "2 findings".into(),
        summary: "It leaks.".into(),
        text: Some("More of it.".into()),
        annotations: (1..=annotations).map(annotation).collect(),
    }
}

/// The lines of the annotations that GitHub has of its only check run.
fn lines(world: &World) -> Vec<u64> {
    let state = world.fake.state();
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
fn a_thousand_annotations_follow_in_twenty_batches_in_order() {
    let world = World::new();
    let posted = world.client.check_run(&run(1000)).unwrap();
    assert_eq!(
        (posted.annotations, posted.refused, &posted.trouble),
        (1000, 0, &None)
    );
    assert_eq!(lines(&world), all(1000));
    let state = world.fake.state();
    let methods: Vec<_> = state.seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, [&["POST"][..], &["PATCH"; 20]].concat());
    assert!(
        state.seen[0].body.as_ref().unwrap()["output"]
            .get("annotations")
            .is_none()
    );
    let batch = |body: &Option<Value>| {
        body.as_ref().unwrap()["output"]["annotations"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(state.seen[1..].iter().all(|seen| batch(&seen.body) == 50));
}

#[test]
fn a_check_run_is_complete_from_the_start_and_keeps_what_it_said() {
    let world = World::new();
    let posted = world.client.check_run(&run(60)).unwrap();
    let state = world.fake.state();
    let made = &state.check_runs[0];
    assert_eq!(posted.url.as_deref(), made["html_url"].as_str());
    assert_eq!(
        (&made["status"], &made["conclusion"]),
        (&"completed".into(), &"failure".into())
    );
    assert_eq!(
        (&made["external_id"], &made["name"]),
        (&"run-7-1".into(), &"leakgate / linux".into())
    );
    let output = &made["output"];
    assert_eq!(
        (&output["title"], &output["summary"], &output["text"]),
        (
            &"2 findings".into(),
            &"It leaks.".into(),
            &"More of it.".into()
        )
    );
}

#[test]
fn a_lost_answer_to_a_batch_loses_and_doubles_nothing() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
    ] {
        for nth in [1, 7, 20] {
            let world = World::new();
            world.fake.fail("PATCH", "/check-runs/", nth, fault);
            let posted = world.client.check_run(&run(1000)).unwrap();
            assert_eq!(
                (posted.annotations, posted.refused, &posted.trouble),
                (1000, 0, &None),
                "{fault:?} {nth}"
            );
            assert_eq!(lines(&world), all(1000), "{fault:?} {nth}");
        }
    }
}

#[test]
fn a_lost_answer_to_the_first_request_makes_no_second_run() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
    ] {
        let world = World::new();
        world.fake.fail("POST", "/check-runs", 1, fault);
        let posted = world.client.check_run(&run(3)).unwrap();
        assert!(posted.url.is_some());
        assert_eq!(lines(&world), all(3), "{fault:?}");
    }
}

#[test]
fn an_answer_that_never_comes_is_a_lost_one() {
    for fault in [Fault::Hang, Fault::HangAfter] {
        let world = World::with("", HASTY);
        world.fake.fail("POST", "/check-runs", 1, fault);
        world.fake.fail("PATCH", "/check-runs/", 2, fault);
        world.client.check_run(&run(120)).unwrap();
        assert_eq!(lines(&world), all(120), "{fault:?}");
    }
}

#[test]
fn what_the_last_attempt_did_is_no_failure() {
    let world = World::new();
    world.fake.fail("POST", "/check-runs", 1, Fault::BadGateway);
    world.fake.fail("POST", "/check-runs", 2, Fault::BadGateway);
    world.fake.fail("POST", "/check-runs", 3, Fault::BadGateway);
    world
        .fake
        .fail("POST", "/check-runs", 4, Fault::BadGatewayAfter);
    world.client.check_run(&run(1)).unwrap();
    assert_eq!(lines(&world), all(1));
}

#[test]
fn a_run_of_another_attempt_is_not_taken_for_this_one() {
    let world = World::new();
    world
        .client
        .check_run(&CheckRun {
            external_id: "run-7-0".into(),
            ..run(0)
        })
        .unwrap();
    world
        .client
        .check_run(&CheckRun {
            name: "another".into(),
            ..run(0)
        })
        .unwrap();
    world.fake.fail("POST", "/check-runs", 1, Fault::BadGateway);
    world.client.check_run(&run(2)).unwrap();
    let state = world.fake.state();
    assert_eq!(state.check_runs.len(), 3);
    assert_eq!(
        state.check_runs[2]["annotations"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_run_is_found_on_a_later_page() {
    let world = World::new();
    for number in 0..150 {
        world.fake.state().check_runs.push(json!({
            "id": number, "name": "leakgate / linux", "head_sha": "a".repeat(40), "external_id": "another",
            "output": { "annotations_count": 0 },
        }));
    }
    world
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGatewayAfter);
    world.fake.fail("GET", "/commits/", 2, Fault::BadGateway);
    world.client.check_run(&run(1)).unwrap();
    assert_eq!(world.fake.state().check_runs.len(), 151);
    assert_eq!(world.fake.count("GET", "/commits/"), 3);
}

#[test]
fn one_bad_annotation_loses_only_itself() {
    for bad in [1, 25, 26, 50, 51, 73, 120] {
        let world = World::new();
        let mut run = run(120);
        run.annotations[bad - 1].path = POISON.into();
        let posted = world.client.check_run(&run).unwrap();
        assert_eq!(
            (posted.annotations, posted.refused, &posted.trouble),
            (119, 1, &None),
            "{bad}"
        );
        let expected: Vec<_> = all(120)
            .into_iter()
            .filter(|line| *line != bad as u64)
            .collect();
        assert_eq!(lines(&world), expected, "{bad}");
    }
}

#[test]
fn annotations_that_can_be_put_right_are_put_right_and_others_never_sent() {
    let world = World::new();
    let mut run = run(5);
    run.annotations[0].start_line = 0;
    run.annotations[1].path = "/usr/include/stdio.h".into();
    run.annotations[2].message = format!("{}\u{1f600}", "€".repeat(40_000));
    run.annotations[3].end_line = 9;
    run.annotations[3].start_column = Some(3);
    run.annotations[4].path = "a/../../b.c".into();
    let posted = world
        .client
        .check_run(&CheckRun {
            summary: "ü\u{1f600}".repeat(60_000),
            ..run
        })
        .unwrap();
    assert_eq!((posted.annotations, posted.refused), (3, 2));
    assert_eq!(lines(&world), [1, 3, 4]);
    assert_eq!(world.fake.count("PATCH", "/check-runs/"), 1);
}

#[test]
fn the_search_for_bad_annotations_ends() {
    let world = World::new();
    let mut run = run(1000);
    run.annotations
        .iter_mut()
        .for_each(|annotation| annotation.path = POISON.into());
    let posted = world.client.check_run(&run).unwrap();
    assert_eq!((posted.annotations, posted.refused), (0, 1000));
    assert!(world.fake.count("PATCH", "/check-runs/") < 160);
}

#[test]
fn without_the_permission_the_trouble_says_so() {
    let world = World::new();
    world
        .fake
        .fail_always("POST", "/check-runs", Fault::Forbidden);
    let trouble = world.client.check_run(&run(1)).unwrap_err();
    assert!(matches!(trouble, Trouble::Forbidden(_)));
    assert_eq!(
        trouble.to_string(),
        "the check run could not be made: 403 Forbidden: Resource not accessible by integration"
    );
    assert_eq!(world.fake.state().seen.len(), 1);
}

#[test]
fn a_run_stands_when_its_annotations_can_no_longer_be_added() {
    let world = World::new();
    world
        .fake
        .fail("PATCH", "/check-runs/", 2, Fault::Forbidden);
    let posted = world.client.check_run(&run(120)).unwrap();
    assert_eq!((posted.annotations, posted.refused), (50, 0));
    assert!(matches!(posted.trouble, Some(Trouble::Forbidden(_))));
    assert_eq!(lines(&world), all(50));
}

#[test]
fn a_limit_is_waited_for_and_is_no_lack_of_permission() {
    for fault in [
        Fault::SecondaryLimit(0),
        Fault::SecondaryLimitUnnamed,
        Fault::TooMany(0),
        Fault::UsedUp(1),
    ] {
        let world = World::new();
        world.fake.fail("POST", "/check-runs", 1, fault);
        world.fake.fail("PATCH", "/check-runs/", 2, fault);
        world.client.check_run(&run(120)).unwrap();
        assert_eq!(lines(&world), all(120), "{fault:?}");
        // The refusal was clear, so that there was nothing to look for.
        assert_eq!(world.fake.count("GET", "/"), 0, "{fault:?}");
    }
}

#[test]
fn a_limit_that_lasts_too_long_is_told_at_once() {
    for fault in [
        Fault::SecondaryLimit(3600),
        Fault::TooMany(u64::MAX),
        Fault::UsedUp(u64::from(u32::MAX)),
    ] {
        let world = World::new();
        world.fake.fail_always("POST", "/check-runs", fault);
        let trouble = world.client.check_run(&run(1)).unwrap_err();
        assert!(matches!(trouble, Trouble::Limited(_)), "{trouble:?}");
        assert_eq!(world.fake.state().seen.len(), 1);
    }
}

#[test]
fn a_limit_without_end_ends() {
    let world = World::new();
    world
        .fake
        .fail_always("POST", "/check-runs", Fault::TooMany(0));
    assert!(matches!(
        world.client.check_run(&run(1)).unwrap_err(),
        Trouble::Limited(_)
    ));
    assert_eq!(world.fake.state().seen.len(), 4);
}

#[test]
fn patience_is_that_of_the_client_and_not_of_a_request() {
    let world = World::with(
        "",
        Pace {
            patience: std::time::Duration::from_millis(1500),
            ..QUICK
        },
    );
    world
        .fake
        .fail("POST", "/check-runs", 1, Fault::SecondaryLimit(1));
    world
        .fake
        .fail("PATCH", "/check-runs/", 1, Fault::SecondaryLimit(1));
    let posted = world.client.check_run(&run(1)).unwrap();
    assert!(matches!(posted.trouble, Some(Trouble::Limited(_))));
}

#[test]
fn a_server_that_stays_broken_is_a_trouble_and_not_a_lack_of_permission() {
    let world = World::new();
    world
        .fake
        .fail_always("POST", "/check-runs", Fault::BadGateway);
    let trouble = world.client.check_run(&run(1)).unwrap_err();
    assert_eq!(
        trouble,
        Trouble::Other("the check run could not be made: 502 Bad Gateway".into())
    );
    assert_eq!(world.fake.count("POST", "/check-runs"), 4);
}

#[test]
fn when_it_can_not_be_looked_up_it_is_not_sent_again() {
    let world = World::new();
    world
        .fake
        .fail("POST", "/check-runs", 1, Fault::BadGatewayAfter);
    world
        .fake
        .fail_always("GET", "/commits/", Fault::BadGateway);
    assert!(world.client.check_run(&run(1)).is_err());
    assert_eq!(world.fake.state().check_runs.len(), 1);
}

#[test]
fn a_trouble_never_holds_the_token() {
    let world = World::new();
    world
        .fake
        .fail_always("POST", "/check-runs", Fault::Telltale);
    let trouble = world.client.check_run(&run(1)).unwrap_err();
    assert_eq!(
        trouble.to_string(),
        "the check run could not be made: 400 Bad Request: who is ***?"
    );
    world.fake.fail_always("PATCH", "/issues", Fault::Telltale);
    assert!(!format!("{:?} {:?}", world.client, super::access("x")).contains(TOKEN));
}

#[test]
fn the_path_of_an_enterprise_server_stays() {
    let world = World::with("/api/v3", QUICK);
    world
        .fake
        .fail("PATCH", "/check-runs/", 1, Fault::BadGatewayAfter);
    world.client.check_run(&run(60)).unwrap();
    assert_eq!(lines(&world), all(60));
    assert!(
        world
            .fake
            .state()
            .seen
            .iter()
            .all(|seen| seen.path.starts_with("/api/v3/repos/octo/leaky/"))
    );
}

#[test]
fn a_request_that_writes_follows_no_answer_to_another_host() {
    let world = World::new();
    world
        .fake
        .fail_always("POST", "/check-runs", Fault::Elsewhere);
    let trouble = world.client.check_run(&run(1)).unwrap_err();
    assert!(
        trouble
            .to_string()
            .contains("points to another host, 127.0.0.1"),
        "{trouble}"
    );
    assert!(world.fake.state().seen_elsewhere.is_empty());
}
