//! Tests the pull request comment.

use super::fake::Fault;
use super::{FAST_RETRY, Fixture, SHORT_TIMEOUT};
use crate::github::{ApiError, CommentOutcome};

const MARKER: &str = "<!-- leakgate: linux -->";
const BOT: &str = "github-actions[bot]";

fn body(text: &str) -> String {
    format!("{MARKER}\n{text}")
}

/// Returns the bodies of all comments that contain the marker.
fn bodies(fixture: &Fixture) -> Vec<String> {
    let state = fixture.fake.state();
    let bodies = state
        .comments
        .iter()
        .map(|comment| comment["body"].as_str().unwrap().to_owned());
    bodies.filter(|body| body.contains(MARKER)).collect()
}

#[test]
fn comment_is_created_once_and_then_updated() {
    let fixture = Fixture::new();
    let write = |text: Option<&str>, may_create| {
        fixture
            .client
            .update_comment(7, MARKER, text.map(body).as_deref(), may_create)
            .unwrap()
    };
    assert_eq!(write(Some("one"), false), CommentOutcome::Absent);
    assert_eq!(write(None, true), CommentOutcome::Absent);
    assert!(matches!(
        write(Some("one"), true),
        CommentOutcome::Created(_)
    ));
    assert_eq!(write(Some("one"), true), CommentOutcome::Unchanged);
    assert!(matches!(
        write(Some("two"), false),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(bodies(&fixture), [body("two")]);
    let writes = fixture.fake.count("POST", "/issues") + fixture.fake.count("PATCH", "/issues");
    assert_eq!(writes, 2);
    assert_eq!(write(None, true), CommentOutcome::Removed);
    assert!(bodies(&fixture).is_empty());
}

#[test]
fn marker_by_another_author_is_ignored() {
    for (author, viewer) in [
        ("mallory", BOT),
        ("github-actions", BOT),
        ("other-app[bot]", BOT),
        (BOT, "octocat"),
    ] {
        let fixture = Fixture::new();
        fixture.fake.state().viewer = Some(viewer.to_owned());
        fixture
            .fake
            .state()
            .add_comment(7, author, &body("planted"));
        let made = fixture
            .client
            .update_comment(7, MARKER, Some(&body("real")), true)
            .unwrap();
        assert!(matches!(made, CommentOutcome::Created(_)), "{author}");
        assert_eq!(
            bodies(&fixture),
            [body("planted"), body("real")],
            "{author}"
        );
        assert_eq!(
            fixture
                .client
                .update_comment(7, MARKER, None, true)
                .unwrap(),
            CommentOutcome::Removed
        );
        assert_eq!(bodies(&fixture), [body("planted")], "{author}");
    }
}

#[test]
fn comment_of_the_token_owner_is_updated() {
    for (author, viewer) in [
        ("octocat", Some("octocat")),
        (BOT, Some(BOT)),
        (BOT, Some("github-actions")),
        (BOT, None),
    ] {
        let fixture = Fixture::new();
        fixture.fake.state().viewer = viewer.map(str::to_owned);
        fixture.fake.state().add_comment(7, author, &body("old"));
        let done = fixture
            .client
            .update_comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert!(
            matches!(done, CommentOutcome::Updated(_)),
            "{author} {viewer:?}"
        );
        assert_eq!(bodies(&fixture), [body("new")], "{author} {viewer:?}");
    }
}

#[test]
fn comment_is_found_on_a_later_page() {
    let fixture = Fixture::new();
    for number in 0..230 {
        if number == 205 {
            fixture.fake.state().add_comment(7, BOT, &body("old"));
        }
        fixture.fake.state().add_comment(7, "octocat", "LGTM");
        fixture
            .fake
            .state()
            .add_comment(8, BOT, &body("of another pull request"));
    }
    assert!(matches!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&body("new")), true)
            .unwrap(),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(fixture.fake.count("GET", "/issues/7/comments"), 3);
    assert_eq!(
        bodies(&fixture)
            .iter()
            .filter(|b| **b == body("new"))
            .count(),
        1
    );
    assert_eq!(bodies(&fixture).len(), 231);
}

#[test]
fn newest_of_several_comments_stays() {
    let fixture = Fixture::new();
    for text in ["one", "two", "three"] {
        fixture.fake.state().add_comment(7, BOT, &body(text));
    }
    fixture
        .fake
        .state()
        .add_comment(7, "mallory", &body("planted"));
    assert_eq!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&body("three")), true)
            .unwrap(),
        CommentOutcome::Unchanged
    );
    assert_eq!(bodies(&fixture), [body("three"), body("planted")]);
}

#[test]
fn all_comments_are_removed() {
    let fixture = Fixture::new();
    fixture.fake.state().add_comment(7, BOT, &body("one"));
    fixture.fake.state().add_comment(7, BOT, &body("two"));
    fixture
        .fake
        .fail("DELETE", "/issues/comments/", 1, Fault::BadGatewayAfter);
    assert_eq!(
        fixture
            .client
            .update_comment(7, MARKER, None, true)
            .unwrap(),
        CommentOutcome::Removed
    );
    assert!(bodies(&fixture).is_empty());
}

#[test]
fn lost_response_does_not_create_a_second_comment() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
        Fault::Hang,
        Fault::HangAfter,
    ] {
        let fixture = Fixture::with(
            "",
            if matches!(fault, Fault::Hang | Fault::HangAfter) {
                SHORT_TIMEOUT
            } else {
                FAST_RETRY
            },
        );
        fixture
            .fake
            .state()
            .add_comment(7, "mallory", &body("planted"));
        fixture.fake.fail("POST", "/issues/7/comments", 1, fault);
        let made = fixture
            .client
            .update_comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert!(matches!(made, CommentOutcome::Created(_)), "{fault:?}");
        assert_eq!(
            bodies(&fixture),
            [body("planted"), body("new")],
            "{fault:?}"
        );
    }
}

#[test]
fn failed_reads_and_updates_are_retried() {
    for fault in [
        Fault::BadGateway,
        Fault::BadGatewayAfter,
        Fault::Close,
        Fault::CloseAfter,
        Fault::TooManyRequests(0),
    ] {
        let fixture = Fixture::new();
        fixture.fake.state().add_comment(7, BOT, &body("old"));
        fixture.fake.fail("GET", "/issues/7/comments", 1, fault);
        fixture.fake.fail("POST", "/graphql", 1, fault);
        fixture.fake.fail("PATCH", "/issues/comments/", 1, fault);
        fixture
            .client
            .update_comment(7, MARKER, Some(&body("new")), true)
            .unwrap();
        assert_eq!(bodies(&fixture), [body("new")], "{fault:?}");
        assert_eq!(
            fixture.fake.count("PATCH", "/issues/comments/"),
            2,
            "{fault:?}"
        );
    }
}

#[test]
fn missing_write_permission_is_reported() {
    let fixture = Fixture::new();
    fixture
        .fake
        .fail_always("POST", "/issues/", Fault::Forbidden);
    let error = fixture
        .client
        .update_comment(7, MARKER, Some(&body("new")), true)
        .unwrap_err();
    let text = "cannot write the comment: 403 Forbidden: Resource not accessible by integration";
    assert_eq!(error, ApiError::Forbidden(text.into()));
}

#[test]
fn truncated_comment_is_found_again() {
    let fixture = Fixture::new();
    let long = format!("{MARKER}\n{}", "äöü €\n".repeat(20_000));
    assert!(matches!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&long), true)
            .unwrap(),
        CommentOutcome::Created(_)
    ));
    assert_eq!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&long), true)
            .unwrap(),
        CommentOutcome::Unchanged
    );
}

#[test]
fn changed_line_ends_are_not_a_change() {
    let fixture = Fixture::new();
    fixture
        .fake
        .state()
        .add_comment(7, BOT, &body("one\r\ntwo"));
    assert_eq!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&body("one\ntwo\n")), true)
            .unwrap(),
        CommentOutcome::Unchanged
    );
}

#[test]
fn graphql_path_of_an_enterprise_server_is_used() {
    let fixture = Fixture::with("/api/v3", FAST_RETRY);
    fixture.fake.state().viewer = Some("octocat".to_owned());
    fixture.fake.state().add_comment(7, "octocat", &body("old"));
    assert!(matches!(
        fixture
            .client
            .update_comment(7, MARKER, Some(&body("new")), true)
            .unwrap(),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(fixture.fake.count("POST", "/api/graphql"), 1);
}
