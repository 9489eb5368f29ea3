//! Tests the download of artifacts of other runs, most of which are forged.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::fake::Fault;
use super::{Fixture, SHORT_TIMEOUT};
use crate::github::{ApiError, BaseQuery, BaseRun};

const NAME: &str = "leakgate linux/x64";
const MEMBER: &str = "leakgate.json";

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

/// Adds a push whose artifact contains `text`.
fn push(fixture: &Fixture, letter: char, text: &str) -> (u64, u64) {
    fixture.fake.state().add_push(
        NAME,
        "main",
        &sha(letter),
        zip(&[("other", ""), (MEMBER, text)]),
    )
}

const QUERY: BaseQuery<'_> = BaseQuery {
    artifact: NAME,
    member: MEMBER,
    branch: "main",
    current_run: None,
    workflow: Some(".github/workflows/ci.yml"),
};

fn base_run(fixture: &Fixture) -> Option<BaseRun> {
    fixture.client.base_run(&QUERY).unwrap()
}

fn text(fixture: &Fixture) -> Option<String> {
    base_run(fixture).map(|base| base.text)
}

#[test]
fn newest_push_to_the_branch_is_used() {
    let fixture = Fixture::new();
    assert_eq!(base_run(&fixture), None);
    push(&fixture, 'a', "old");
    let (run, _) = push(&fixture, 'b', "new");
    let url = format!("https://github.example/runs/{run}");
    assert_eq!(
        base_run(&fixture),
        Some(BaseRun {
            sha: sha('b'),
            url,
            text: "new".into()
        })
    );
    let (run, _) = push(&fixture, 'c', "the current run");
    assert_eq!(
        fixture
            .client
            .base_run(&BaseQuery {
                current_run: Some(run),
                ..QUERY
            })
            .unwrap()
            .unwrap()
            .text,
        "new"
    );
    assert_eq!(
        fixture
            .client
            .base_run(&BaseQuery {
                artifact: "leakgate",
                ..QUERY
            })
            .unwrap(),
        None
    );
    assert_eq!(
        fixture
            .client
            .base_run(&BaseQuery {
                branch: "mai",
                ..QUERY
            })
            .unwrap(),
        None
    );
}

/// Returns the text of the base run after a change to the newest artifact or its run.
fn text_after(change: impl Fn(&mut Value, &mut Value)) -> Option<String> {
    let fixture = Fixture::new();
    push(&fixture, 'a', "right");
    let (run, _) = push(&fixture, 'b', "wrong");
    {
        let state = &mut *fixture.fake.state();
        change(
            state.artifacts.last_mut().unwrap(),
            state.runs.get_mut(&run).unwrap(),
        );
    }
    text(&fixture)
}

#[test]
fn main_branch_of_a_fork_is_ignored() {
    let right = Some("right".to_owned());
    assert_eq!(
        text_after(|artifact, _| artifact["workflow_run"]["head_repository_id"] = 666.into()),
        right
    );
    assert_eq!(
        text_after(|artifact, _| artifact["workflow_run"]["head_repository_id"] = Value::Null),
        right
    );
    assert_eq!(
        text_after(|_, run| run["head_repository"]["id"] = 666.into()),
        right
    );
    assert_eq!(
        text_after(|_, run| run["head_repository"] = Value::Null),
        right
    );
}

#[test]
fn only_a_run_of_the_commit_on_the_branch_is_used() {
    let right = Some("right".to_owned());
    for event in ["push", "schedule", "workflow_dispatch"] {
        let newest = text_after(|_, run| run["event"] = event.into());
        assert_eq!(newest.as_deref(), Some("wrong"), "{event}");
    }
    for event in ["pull_request", "pull_request_target", "merge_group", ""] {
        assert_eq!(
            text_after(|_, run| run["event"] = event.into()),
            right,
            "{event}"
        );
    }
    assert_eq!(
        text_after(|_, run| run["head_sha"] = sha('c').into()),
        right
    );
    assert_eq!(
        text_after(|_, run| run["head_branch"] = "next".into()),
        right
    );
    assert_eq!(
        text_after(|artifact, _| artifact["workflow_run"]["head_branch"] = "next".into()),
        right
    );
    assert_eq!(
        text_after(|artifact, _| artifact["workflow_run"] = Value::Null),
        right
    );
    assert_eq!(
        text_after(|artifact, _| artifact["expired"] = true.into()),
        right
    );
    assert_eq!(
        text_after(|artifact, _| artifact["name"] = "leakgate linux".into()),
        right
    );
    // Without a change, the newest artifact is used.
    assert_eq!(text_after(|_, _| ()), Some("wrong".to_owned()));
}

#[test]
fn run_of_another_workflow_is_ignored() {
    for (path, want) in [
        (json!(".github/workflows/nightly.yml"), "right"),
        (json!(".github/workflows/ci.yml"), "wrong"),
        (json!(".github/workflows/ci.yml@main"), "wrong"),
        (Value::Null, "wrong"),
    ] {
        let text = text_after(|_, run| run["path"] = path.clone());
        assert_eq!(text.as_deref(), Some(want), "{path}");
    }
}

#[test]
fn commit_that_left_the_branch_is_ignored() {
    for status in ["diverged", "behind", ""] {
        let fixture = Fixture::new();
        push(&fixture, 'a', "right");
        push(&fixture, 'b', "wrong");
        fixture
            .fake
            .state()
            .compare
            .insert(format!("{}...main", sha('b')), status.into());
        assert_eq!(text(&fixture).as_deref(), Some("right"), "{status}");
    }
    let fixture = Fixture::new();
    push(&fixture, 'a', "right");
    push(&fixture, 'b', "wrong");
    fixture
        .fake
        .state()
        .compare
        .remove(&format!("{}...main", sha('b')));
    assert_eq!(text(&fixture).as_deref(), Some("right"));
    fixture
        .fake
        .state()
        .compare
        .insert(format!("{}...main", sha('a')), "identical".into());
    assert_eq!(text(&fixture).as_deref(), Some("right"));
}

#[test]
fn deleted_run_or_artifact_is_skipped() {
    let fixture = Fixture::new();
    push(&fixture, 'a', "right");
    let (run, _) = push(&fixture, 'b', "gone");
    fixture.fake.state().runs.remove(&run);
    let (_, artifact) = push(&fixture, 'c', "gone");
    fixture.fake.state().zips.remove(&artifact);
    fixture.fake.state().add_push(
        NAME,
        "main",
        &sha('d'),
        zip(&[("a/leakgate.json", "not it")]),
    );
    assert_eq!(text(&fixture).as_deref(), Some("right"));
}

#[test]
fn branch_name_may_contain_special_characters() {
    let fixture = Fixture::new();
    let branch = "release/1.0 #ü&x=%2F";
    fixture
        .fake
        .state()
        .add_push(NAME, branch, &sha('a'), zip(&[(MEMBER, "found")]));
    assert_eq!(
        fixture
            .client
            .base_run(&BaseQuery { branch, ..QUERY })
            .unwrap()
            .unwrap()
            .text,
        "found"
    );
}

#[test]
fn newest_push_is_found_after_hundreds_of_pull_requests() {
    let fixture = Fixture::new();
    push(&fixture, 'a', "right");
    for _ in 0..250 {
        push(&fixture, 'b', "wrong");
        fixture.fake.state().artifacts.last_mut().unwrap()["workflow_run"]["head_branch"] =
            "next".into();
    }
    assert_eq!(text(&fixture).as_deref(), Some("right"));
    assert_eq!(fixture.fake.count("GET", "/actions/artifacts?"), 3);
    assert_eq!(fixture.fake.count("GET", "/actions/runs/"), 1);
}

#[test]
fn token_is_not_sent_to_the_file_store() {
    let fixture = Fixture::new();
    push(&fixture, 'a', "right");
    assert_eq!(text(&fixture).as_deref(), Some("right"));
    let state = fixture.fake.state();
    assert_eq!(state.other_requests.len(), 1);
    assert!(
        !state.other_requests[0]
            .headers
            .contains_key("authorization")
    );
    assert!(state.other_requests[0].path.ends_with("?sig=signed"));
}

#[test]
fn failed_reads_are_retried() {
    for fault in [Fault::BadGateway, Fault::Close, Fault::TooManyRequests(0)] {
        for part in ["/actions/artifacts", "/actions/runs/", "/compare/", "/zip"] {
            let fixture = Fixture::new();
            push(&fixture, 'a', "right");
            fixture.fake.fail("GET", part, 1, fault);
            assert_eq!(text(&fixture).as_deref(), Some("right"), "{fault:?} {part}");
        }
    }
    let fixture = Fixture::with("", SHORT_TIMEOUT);
    push(&fixture, 'a', "right");
    fixture.fake.fail("GET", "/compare/", 1, Fault::Hang);
    assert_eq!(text(&fixture).as_deref(), Some("right"));
}

#[test]
fn missing_read_permission_is_reported() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("GET", "/actions/artifacts", Fault::Forbidden);
    let error = fixture.client.base_run(&QUERY).unwrap_err();
    assert!(matches!(error, ApiError::Forbidden(_)));
    assert!(
        error
            .to_string()
            .starts_with("cannot read the results of the base branch: 403 Forbidden: "),
        "{error}"
    );
}

#[test]
fn zip_bomb_is_rejected() {
    let fixture = Fixture::new();
    push(&fixture, 'a', &" ".repeat((64 << 20) + 1));
    let error = fixture.client.base_run(&QUERY).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("leakgate.json unpacks to more than 64 MiB"),
        "{error}"
    );
}

#[test]
fn oversized_archive_is_rejected_before_its_end() {
    let fixture = Fixture::new();
    fixture
        .fake
        .state()
        .add_push(NAME, "main", &sha('a'), vec![b'x'; (64 << 20) + 1]);
    let error = fixture.client.base_run(&QUERY).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the response is longer than 67108864 bytes"),
        "{error}"
    );
}

#[test]
fn invalid_archive_is_reported() {
    let fixture = Fixture::new();
    fixture
        .fake
        .state()
        .add_push(NAME, "main", &sha('a'), b"<html>".to_vec());
    let error = fixture.client.base_run(&QUERY).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the results of the base branch: artifact "),
        "{error}"
    );
}

#[test]
fn artifacts_of_a_run_are_selected_by_name() {
    let fixture = Fixture::new();
    let members = [
        (MEMBER, "{}"),
        ("summary.md", "#"),
        ("../../etc/passwd", "x"),
        ("a/leakgate.json", "y"),
    ];
    let (run, _) =
        fixture
            .fake
            .state()
            .add_push("leakgate-linux", "evil", &sha('a'), zip(&members));
    for (name, text) in [
        ("leakgate-mac", "old"),
        ("leakgate-mac", "new"),
        ("coverage", "no"),
        ("leakgate-gone", "no"),
    ] {
        let state = &mut *fixture.fake.state();
        state.add_push(name, "evil", &sha('a'), zip(&[(MEMBER, text)]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    fixture.fake.state().artifacts.last_mut().unwrap()["expired"] = json!(true);
    fixture.fake.state().add_push(
        "leakgate-other",
        "evil",
        &sha('a'),
        zip(&[(MEMBER, "of another run")]),
    );
    let wanted = [MEMBER, "summary.md", "missing"];
    let artifacts = fixture
        .client
        .run_artifacts(run, |name| name.starts_with("leakgate-"), &wanted, 20)
        .unwrap();
    assert_eq!(artifacts.matching, 2);
    let found: Vec<_> = artifacts
        .artifacts
        .into_iter()
        .map(|artifact| (artifact.name, artifact.members.unwrap()))
        .collect();
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(
        found,
        [
            (
                "leakgate-linux".to_owned(),
                BTreeMap::from([text(MEMBER, "{}"), text("summary.md", "#")])
            ),
            (
                "leakgate-mac".to_owned(),
                BTreeMap::from([text(MEMBER, "new")])
            ),
        ]
    );
    assert_eq!(fixture.fake.state().other_requests.len(), 2);
}

#[test]
fn broken_artifact_does_not_affect_the_rest() {
    let fixture = Fixture::new();
    let (run, _) =
        fixture
            .fake
            .state()
            .add_push("leakgate-a", "evil", &sha('a'), b"not an archive".to_vec());
    {
        let state = &mut *fixture.fake.state();
        state.add_push("leakgate-b", "evil", &sha('a'), zip(&[(MEMBER, "{}")]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    let artifacts = fixture
        .client
        .run_artifacts(run, |_| true, &[MEMBER], 20)
        .unwrap()
        .artifacts;
    assert!(artifacts[0].members.is_err());
    assert_eq!(artifacts[1].members.as_ref().unwrap()[MEMBER], "{}");
}

#[test]
fn number_of_artifacts_of_a_run_is_limited() {
    let fixture = Fixture::new();
    let (run, _) = fixture
        .fake
        .state()
        .add_push("leakgate-0", "evil", &sha('a'), zip(&[]));
    for number in 1..150 {
        let state = &mut *fixture.fake.state();
        state.add_push(&format!("leakgate-{number}"), "evil", &sha('a'), zip(&[]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    let found = fixture
        .client
        .run_artifacts(run, |_| true, &[MEMBER], 20)
        .unwrap();
    assert_eq!((found.artifacts.len(), found.matching), (20, 150));
    assert_eq!(fixture.fake.state().other_requests.len(), 20);
}
