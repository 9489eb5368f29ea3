//! The one comment.

use super::fake::Fault;
use super::{HASTY, QUICK, World};
use crate::github::{Comment, Trouble};

const MARKER: &str = "<!-- leakgate: linux -->";
const BOT: &str = "github-actions[bot]";

fn body(text: &str) -> String {
    format!("{MARKER}\n{text}")
}

/// The bodies of all comments with the marker.
fn bodies(world: &World) -> Vec<String> {
    let state = world.fake.state();
    let bodies = state
        .comments
        .iter()
        .map(|comment| comment["body"].as_str().unwrap().to_owned());
    bodies.filter(|body| body.contains(MARKER)).collect()
}

#[test]
fn a_comment_is_made_once_and_written_anew() {
    let world = World::new();
    let write = |text: Option<&str>, may_create| {
        world
            .client
            .comment(7, MARKER, text.map(body).as_deref(), may_create)
            .unwrap()
    };
    assert_eq!(write(Some("one"), false), Comment::Nothing);
    assert_eq!(write(None, true), Comment::Nothing);
    assert!(matches!(write(Some("one"), true), Comment::Created(_)));
    assert_eq!(write(Some("one"), true), Comment::Unchanged);
    assert!(matches!(write(Some("two"), false), Comment::Updated(_)));
    assert_eq!(bodies(&world), [body("two")]);
    let writes = world.fake.count("POST", "/issues") + world.fake.count("PATCH", "/issues");
    assert_eq!(writes, 2);
    assert_eq!(write(None, true), Comment::Removed);
    assert!(bodies(&world).is_empty());
}

#[test]
fn a_marker_that_somebody_else_wrote_means_nothing() {
    for (author, viewer) in [
        ("mallory", BOT),
        ("github-actions", BOT),
        ("other-app[bot]", BOT),
        (BOT, "octocat"),
    ] {
        let world = World::new();
        world.fake.state().viewer = Some(viewer.to_owned());
        world.fake.state().comment(7, author, &body("planted"));
        let made = world
            .client
            .comment(7, MARKER, Some(&body("real")), true)
            .unwrap();
        assert!(matches!(made, Comment::Created(_)), "{author}");
        assert_eq!(bodies(&world), [body("planted"), body("real")], "{author}");
        assert_eq!(
            world.client.comment(7, MARKER, None, true).unwrap(),
            Comment::Removed
        );
        assert_eq!(bodies(&world), [body("planted")], "{author}");
    }
}

#[test]
fn the_author_is_whoever_the_token_belongs_to() {
    for (author, viewer) in [
        ("octocat", Some("octocat")),
        (BOT, Some(BOT)),
        (BOT, Some("github-actions")),
        (BOT, None),
    ] {
        let world = World::new();
        world.fake.state().viewer = viewer.map(str::to_owned);
        world.fake.state().comment(7, author, &body("old"));
        let done = world
            .client
            .comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert!(matches!(done, Comment::Updated(_)), "{author} {viewer:?}");
        assert_eq!(bodies(&world), [body("new")], "{author} {viewer:?}");
    }
}

#[test]
fn a_comment_is_found_behind_hundreds_of_others() {
    let world = World::new();
    for number in 0..230 {
        if number == 205 {
            world.fake.state().comment(7, BOT, &body("old"));
        }
        world.fake.state().comment(7, "octocat", "LGTM");
        world
            .fake
            .state()
            .comment(8, BOT, &body("of another pull request"));
    }
    assert!(matches!(
        world
            .client
            .comment(7, MARKER, Some(&body("new")), true)
            .unwrap(),
        Comment::Updated(_)
    ));
    assert_eq!(world.fake.count("GET", "/issues/7/comments"), 3);
    assert_eq!(
        bodies(&world).iter().filter(|b| **b == body("new")).count(),
        1
    );
    assert_eq!(bodies(&world).len(), 231);
}

#[test]
fn of_several_the_newest_stays() {
    let world = World::new();
    for text in ["one", "two", "three"] {
        world.fake.state().comment(7, BOT, &body(text));
    }
    world.fake.state().comment(7, "mallory", &body("planted"));
    assert_eq!(
        world
            .client
            .comment(7, MARKER, Some(&body("three")), true)
            .unwrap(),
        Comment::Unchanged
    );
    assert_eq!(bodies(&world), [body("three"), body("planted")]);
}

#[test]
fn all_are_removed() {
    let world = World::new();
    world.fake.state().comment(7, BOT, &body("one"));
    world.fake.state().comment(7, BOT, &body("two"));
    world
        .fake
        .fail("DELETE", "/issues/comments/", 1, Fault::BadGatewayAfter);
    assert_eq!(
        world.client.comment(7, MARKER, None, true).unwrap(),
        Comment::Removed
    );
    assert!(bodies(&world).is_empty());
}

#[test]
fn a_lost_answer_makes_no_second_comment() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
        Fault::Hang,
        Fault::HangAfter,
    ] {
        let world = World::with(
            "",
            if matches!(fault, Fault::Hang | Fault::HangAfter) {
                HASTY
            } else {
                QUICK
            },
        );
        world.fake.state().comment(7, "mallory", &body("planted"));
        world.fake.fail("POST", "/issues/7/comments", 1, fault);
        let made = world
            .client
            .comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert!(matches!(made, Comment::Created(_)), "{fault:?}");
        assert_eq!(bodies(&world), [body("planted"), body("new")], "{fault:?}");
    }
}

#[test]
fn reading_and_writing_anew_are_repeated() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
        Fault::TooMany(0),
    ] {
        let world = World::new();
        world.fake.state().comment(7, BOT, &body("old"));
        world.fake.fail("GET", "/issues/7/comments", 1, fault);
        world.fake.fail("POST", "/graphql", 1, fault);
        world.fake.fail("PATCH", "/issues/comments/", 1, fault);
        world
            .client
            .comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert_eq!(bodies(&world), [body("new")], "{fault:?}");
        assert_eq!(
            world.fake.count("PATCH", "/issues/comments/"),
            2,
            "{fault:?}"
        );
    }
}

#[test]
fn a_token_that_may_not_write_is_told() {
    let world = World::new();
    world.fake.fail_always("POST", "/issues/", Fault::Forbidden);
    let trouble = world
        .client
        .comment(7, MARKER, Some(&body("new")), true)
        .unwrap_err();
    let text =
        "the comment could not be written: 403 Forbidden: Resource not accessible by integration";
    assert_eq!(trouble, Trouble::Forbidden(text.into()));
}

#[test]
fn a_comment_that_is_too_long_is_cut_and_found_again() {
    let world = World::new();
    let long = format!("{MARKER}\n{}", "äöü €\n".repeat(20_000));
    assert!(matches!(
        world.client.comment(7, MARKER, Some(&long), true).unwrap(),
        Comment::Created(_)
    ));
    assert_eq!(
        world.client.comment(7, MARKER, Some(&long), true).unwrap(),
        Comment::Unchanged
    );
}

#[test]
fn line_ends_that_github_changed_are_no_change() {
    let world = World::new();
    world.fake.state().comment(7, BOT, &body("one\r\ntwo"));
    assert_eq!(
        world
            .client
            .comment(7, MARKER, Some(&body("one\ntwo\n")), true)
            .unwrap(),
        Comment::Unchanged
    );
}

#[test]
fn graphql_lies_beside_the_api_of_an_enterprise_server() {
    let world = World::with("/api/v3", QUICK);
    world.fake.state().viewer = Some("octocat".to_owned());
    world.fake.state().comment(7, "octocat", &body("old"));
    assert!(matches!(
        world
            .client
            .comment(7, MARKER, Some(&body("new")), true)
            .unwrap(),
        Comment::Updated(_)
    ));
    assert_eq!(world.fake.count("POST", "/api/graphql"), 1);
}
