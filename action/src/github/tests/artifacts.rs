//! Artifacts of other runs, most of which are not what they seem.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::fake::Fault;
use super::{HASTY, World};
use crate::github::{BaseRun, Trouble};

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

/// Adds a push whose artifact says `text`.
fn push(world: &World, letter: char, text: &str) -> (u64, u64) {
    world.fake.state().push(
        NAME,
        "main",
        &sha(letter),
        zip(&[("other", ""), (MEMBER, text)]),
    )
}

fn base(world: &World) -> Option<BaseRun> {
    world.client.base(NAME, MEMBER, "main", None).unwrap()
}

fn text(world: &World) -> Option<String> {
    base(world).map(|base| base.text)
}

#[test]
fn the_newest_push_to_the_branch_is_taken() {
    let world = World::new();
    assert_eq!(base(&world), None);
    push(&world, 'a', "old");
    let (run, _) = push(&world, 'b', "new");
    let url = format!("https://github.example/runs/{run}");
    assert_eq!(
        base(&world),
        Some(BaseRun {
            sha: sha('b'),
            url,
            text: "new".into()
        })
    );
    let (run, _) = push(&world, 'c', "this very run");
    assert_eq!(
        world
            .client
            .base(NAME, MEMBER, "main", Some(run))
            .unwrap()
            .unwrap()
            .text,
        "new"
    );
    assert_eq!(
        world.client.base("leakgate", MEMBER, "main", None).unwrap(),
        None
    );
    assert_eq!(world.client.base(NAME, MEMBER, "mai", None).unwrap(), None);
}

/// A change to what an artifact or its run says of itself.
fn with(change: impl Fn(&mut Value, &mut Value)) -> Option<String> {
    let world = World::new();
    push(&world, 'a', "right");
    let (run, _) = push(&world, 'b', "wrong");
    {
        let state = &mut *world.fake.state();
        change(
            state.artifacts.last_mut().unwrap(),
            state.runs.get_mut(&run).unwrap(),
        );
    }
    text(&world)
}

#[test]
fn a_fork_whose_branch_is_called_main_is_not_taken() {
    let right = Some("right".to_owned());
    assert_eq!(
        with(|artifact, _| artifact["workflow_run"]["head_repository_id"] = 666.into()),
        right
    );
    assert_eq!(
        with(|artifact, _| artifact["workflow_run"]["head_repository_id"] = Value::Null),
        right
    );
    assert_eq!(
        with(|_, run| run["head_repository"]["id"] = 666.into()),
        right
    );
    assert_eq!(with(|_, run| run["head_repository"] = Value::Null), right);
}

#[test]
fn only_a_push_of_that_commit_to_that_branch_is_taken() {
    let right = Some("right".to_owned());
    for event in [
        "pull_request",
        "pull_request_target",
        "workflow_dispatch",
        "schedule",
        "",
    ] {
        assert_eq!(with(|_, run| run["event"] = event.into()), right, "{event}");
    }
    assert_eq!(with(|_, run| run["head_sha"] = sha('c').into()), right);
    assert_eq!(with(|_, run| run["head_branch"] = "next".into()), right);
    assert_eq!(
        with(|artifact, _| artifact["workflow_run"]["head_branch"] = "next".into()),
        right
    );
    assert_eq!(
        with(|artifact, _| artifact["workflow_run"] = Value::Null),
        right
    );
    assert_eq!(with(|artifact, _| artifact["expired"] = true.into()), right);
    assert_eq!(
        with(|artifact, _| artifact["name"] = "leakgate linux".into()),
        right
    );
    // And with no change at all it would have been.
    assert_eq!(with(|_, _| ()), Some("wrong".to_owned()));
}

#[test]
fn a_commit_that_no_longer_lies_on_the_branch_is_not_taken() {
    for status in ["diverged", "behind", ""] {
        let world = World::new();
        push(&world, 'a', "right");
        push(&world, 'b', "wrong");
        world
            .fake
            .state()
            .compare
            .insert(format!("{}...main", sha('b')), status.into());
        assert_eq!(text(&world).as_deref(), Some("right"), "{status}");
    }
    let world = World::new();
    push(&world, 'a', "right");
    push(&world, 'b', "wrong");
    world
        .fake
        .state()
        .compare
        .remove(&format!("{}...main", sha('b')));
    assert_eq!(text(&world).as_deref(), Some("right"));
    world
        .fake
        .state()
        .compare
        .insert(format!("{}...main", sha('a')), "identical".into());
    assert_eq!(text(&world).as_deref(), Some("right"));
}

#[test]
fn a_run_or_an_artifact_that_is_gone_is_passed_over() {
    let world = World::new();
    push(&world, 'a', "right");
    let (run, _) = push(&world, 'b', "gone");
    world.fake.state().runs.remove(&run);
    let (_, artifact) = push(&world, 'c', "gone");
    world.fake.state().zips.remove(&artifact);
    world.fake.state().push(
        NAME,
        "main",
        &sha('d'),
        zip(&[("a/leakgate.json", "not it")]),
    );
    assert_eq!(text(&world).as_deref(), Some("right"));
}

#[test]
fn a_branch_may_have_any_name() {
    let world = World::new();
    let branch = "release/1.0 #ü&x=%2F";
    world
        .fake
        .state()
        .push(NAME, branch, &sha('a'), zip(&[(MEMBER, "there")]));
    assert_eq!(
        world
            .client
            .base(NAME, MEMBER, branch, None)
            .unwrap()
            .unwrap()
            .text,
        "there"
    );
}

#[test]
fn the_newest_is_found_behind_hundreds_of_pull_requests() {
    let world = World::new();
    push(&world, 'a', "right");
    for _ in 0..250 {
        push(&world, 'b', "wrong");
        world.fake.state().artifacts.last_mut().unwrap()["workflow_run"]["head_branch"] =
            "next".into();
    }
    assert_eq!(text(&world).as_deref(), Some("right"));
    assert_eq!(world.fake.count("GET", "/actions/artifacts?"), 3);
    assert_eq!(world.fake.count("GET", "/actions/runs/"), 1);
}

#[test]
fn the_token_does_not_go_to_the_store() {
    let world = World::new();
    push(&world, 'a', "right");
    assert_eq!(text(&world).as_deref(), Some("right"));
    let state = world.fake.state();
    assert_eq!(state.seen_elsewhere.len(), 1);
    assert!(
        !state.seen_elsewhere[0]
            .headers
            .contains_key("authorization")
    );
    assert!(state.seen_elsewhere[0].path.ends_with("?sig=signed"));
}

#[test]
fn reading_is_repeated() {
    for fault in [Fault::BadGateway, Fault::Close, Fault::TooMany(0)] {
        for part in ["/actions/artifacts", "/actions/runs/", "/compare/", "/zip"] {
            let world = World::new();
            push(&world, 'a', "right");
            world.fake.fail("GET", part, 1, fault);
            assert_eq!(text(&world).as_deref(), Some("right"), "{fault:?} {part}");
        }
    }
    let world = World::with("", HASTY);
    push(&world, 'a', "right");
    world.fake.fail("GET", "/compare/", 1, Fault::Hang);
    assert_eq!(text(&world).as_deref(), Some("right"));
}

#[test]
fn a_token_that_may_not_read_is_told() {
    let world = World::new();
    world
        .fake
        .fail_always("GET", "/actions/artifacts", Fault::Forbidden);
    let trouble = world.client.base(NAME, MEMBER, "main", None).unwrap_err();
    assert!(matches!(trouble, Trouble::Forbidden(_)));
    assert!(
        trouble
            .to_string()
            .starts_with("the results of the base branch could not be read: 403 Forbidden: "),
        "{trouble}"
    );
}

#[test]
fn a_bomb_is_refused() {
    let world = World::new();
    push(&world, 'a', &" ".repeat((64 << 20) + 1));
    let trouble = world.client.base(NAME, MEMBER, "main", None).unwrap_err();
    assert!(
        trouble
            .to_string()
            .contains("leakgate.json unpacks to more than 64 MiB"),
        "{trouble}"
    );
}

#[test]
fn an_archive_that_is_too_long_is_refused_before_it_is_read_to_its_end() {
    let world = World::new();
    world
        .fake
        .state()
        .push(NAME, "main", &sha('a'), vec![b'x'; (64 << 20) + 1]);
    let trouble = world.client.base(NAME, MEMBER, "main", None).unwrap_err();
    assert!(
        trouble
            .to_string()
            .ends_with("the answer has more than 67108864 bytes"),
        "{trouble}"
    );
}

#[test]
fn what_is_no_archive_is_told() {
    let world = World::new();
    world
        .fake
        .state()
        .push(NAME, "main", &sha('a'), b"<html>".to_vec());
    let trouble = world.client.base(NAME, MEMBER, "main", None).unwrap_err();
    assert!(
        trouble
            .to_string()
            .starts_with("the results of the base branch could not be read: artifact "),
        "{trouble}"
    );
}

#[test]
fn the_artifacts_of_a_run_are_read_by_their_names() {
    let world = World::new();
    let members = [
        (MEMBER, "{}"),
        ("summary.md", "#"),
        ("../../etc/passwd", "x"),
        ("a/leakgate.json", "y"),
    ];
    let (run, _) = world
        .fake
        .state()
        .push("leakgate-linux", "evil", &sha('a'), zip(&members));
    for (name, text) in [
        ("leakgate-mac", "old"),
        ("leakgate-mac", "new"),
        ("coverage", "no"),
        ("leakgate-gone", "no"),
    ] {
        let state = &mut *world.fake.state();
        state.push(name, "evil", &sha('a'), zip(&[(MEMBER, text)]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    world.fake.state().artifacts.last_mut().unwrap()["expired"] = json!(true);
    world.fake.state().push(
        "leakgate-other",
        "evil",
        &sha('a'),
        zip(&[(MEMBER, "of another run")]),
    );
    let wanted = [MEMBER, "summary.md", "missing"];
    let bundles = world
        .client
        .members_of_run(run, |name| name.starts_with("leakgate-"), &wanted)
        .unwrap();
    let found: Vec<_> = bundles
        .into_iter()
        .map(|bundle| (bundle.artifact, bundle.members.unwrap()))
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
    assert_eq!(world.fake.state().seen_elsewhere.len(), 2);
}

#[test]
fn a_broken_artifact_keeps_no_other_from_being_read() {
    let world = World::new();
    let (run, _) = world
        .fake
        .state()
        .push("leakgate-a", "evil", &sha('a'), b"no archive".to_vec());
    {
        let state = &mut *world.fake.state();
        state.push("leakgate-b", "evil", &sha('a'), zip(&[(MEMBER, "{}")]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    let bundles = world
        .client
        .members_of_run(run, |_| true, &[MEMBER])
        .unwrap();
    assert!(bundles[0].members.is_err());
    assert_eq!(bundles[1].members.as_ref().unwrap()[MEMBER], "{}");
}

#[test]
fn of_many_artifacts_of_a_run_the_first_are_read() {
    let world = World::new();
    let (run, _) = world
        .fake
        .state()
        .push("leakgate-0", "evil", &sha('a'), zip(&[]));
    for number in 1..150 {
        let state = &mut *world.fake.state();
        state.push(&format!("leakgate-{number}"), "evil", &sha('a'), zip(&[]));
        state.artifacts.last_mut().unwrap()["workflow_run"]["id"] = run.into();
    }
    assert_eq!(
        world
            .client
            .members_of_run(run, |_| true, &[MEMBER])
            .unwrap()
            .len(),
        20
    );
    assert_eq!(world.fake.state().seen_elsewhere.len(), 20);
}
