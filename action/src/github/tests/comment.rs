//! Tests the pull request comment.

use super::fake::Fault;
use super::{FAST_RETRY, Fixture, SHORT_TIMEOUT, origin};
use crate::github::{ApiError, CommentOutcome, CommentUpdate, Origin};

const MARKER: &str = "<!-- leakgate: linux 0a1b -->";
const BOT: &str = "github-actions[bot]";

/// Returns a comment that an earlier run wrote.
fn body(text: &str) -> String {
    format!("{MARKER}\n<!-- leakgate-run: 3/1/7f -->\n{text}")
}

/// Writes the comment of pull request 7 as this step.
fn write_as(
    fixture: &Fixture,
    origin: &Origin,
    text: Option<&str>,
    may_create: bool,
) -> Result<CommentOutcome, ApiError> {
    fixture.client.update_comment(&CommentUpdate {
        pull: 7,
        marker: MARKER,
        origin,
        text,
        may_create,
    })
}

/// Writes the comment as a step of run 7.
fn write(fixture: &Fixture, text: Option<&str>, may_create: bool) -> CommentOutcome {
    write_as(fixture, &origin("7/1/0a1b/x"), text, may_create).unwrap()
}

/// Returns the texts of all comments that begin with the marker, without the lines that identify
/// them.
fn texts(fixture: &Fixture) -> Vec<String> {
    let state = fixture.fake.state();
    let bodies = state
        .comments
        .iter()
        .map(|comment| comment["body"].as_str().unwrap());
    bodies
        .filter_map(|body| body.strip_prefix(MARKER))
        .map(|rest| rest.splitn(3, '\n').nth(2).unwrap().to_owned())
        .collect()
}

#[test]
fn comment_is_created_once_and_updated_by_later_runs() {
    let fixture = Fixture::new();
    let write = |run: u64, text: Option<&str>, may_create| {
        let origin = origin(&format!("{run}/1/0a1b/x{run}"));
        write_as(&fixture, &origin, text, may_create).unwrap()
    };
    assert_eq!(write(1, Some("one"), false), CommentOutcome::Absent);
    assert_eq!(write(1, None, true), CommentOutcome::Absent);
    assert!(matches!(
        write(2, Some("one"), true),
        CommentOutcome::Created(_)
    ));
    assert!(matches!(
        write(3, Some("two"), false),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(texts(&fixture), ["two"]);
    let writes = fixture.fake.count("POST", "/issues") + fixture.fake.count("PATCH", "/issues");
    assert_eq!(writes, 2);
    assert_eq!(write(4, None, true), CommentOutcome::Removed);
    assert!(texts(&fixture).is_empty());
}

#[test]
fn step_leaves_comments_of_the_same_and_of_later_attempts_alone() {
    let fixture = Fixture::new();
    let gcc = origin("7/1/0a1b/gcc");
    let clang = origin("7/1/0a1b/clang");
    write_as(&fixture, &gcc, Some("gcc"), true).unwrap();
    assert_eq!(
        write_as(&fixture, &clang, None, false).unwrap(),
        CommentOutcome::Absent
    );
    assert_eq!(texts(&fixture), ["gcc"]);
    write_as(&fixture, &clang, Some("clang"), true).unwrap();
    assert_eq!(texts(&fixture), ["gcc", "clang"]);

    let earlier = origin("6/1/0a1b/x");
    for text in [Some("late"), None] {
        assert_eq!(
            write_as(&fixture, &earlier, text, true).unwrap(),
            CommentOutcome::Superseded
        );
    }
    assert_eq!(texts(&fixture), ["gcc", "clang"]);

    let next_attempt = origin("7/2/0a1b/x");
    write_as(&fixture, &next_attempt, Some("next"), true).unwrap();
    assert_eq!(texts(&fixture), ["next"]);
}

#[test]
fn comment_that_another_step_removes_or_replaces_meanwhile_is_written_again() {
    let fixture = Fixture::new();
    fixture.fake.state().add_comment(7, BOT, &body("old"));
    let removed = fixture.fake.state().comments.clone();
    fixture.fake.before("PATCH", "/issues/comments/", |state| {
        state.comments.clear();
    });
    write(&fixture, Some("new"), true);
    assert_eq!(texts(&fixture), ["new"]);

    let fixture = Fixture::new();
    fixture.fake.state().comments = removed;
    let rival = format!("{MARKER}\n<!-- leakgate-run: 7/1/rival -->\nrival");
    fixture
        .fake
        .before("GET", "/issues/comments/", move |state| {
            state.comments[0]["body"] = rival.as_str().into();
        });
    write(&fixture, Some("new"), true);
    assert_eq!(texts(&fixture), ["rival", "new"]);
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
        let made = write(&fixture, Some("real"), true);
        assert!(matches!(made, CommentOutcome::Created(_)), "{author}");
        assert_eq!(texts(&fixture), ["planted", "real"], "{author}");
        assert_eq!(
            write_as(&fixture, &origin("8/1/0a1b/y"), None, true).unwrap(),
            CommentOutcome::Removed
        );
        assert_eq!(texts(&fixture), ["planted"], "{author}");
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
        let done = write(&fixture, Some("new"), true);
        assert!(
            matches!(done, CommentOutcome::Updated(_)),
            "{author} {viewer:?}"
        );
        assert_eq!(texts(&fixture), ["new"], "{author} {viewer:?}");
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
        write(&fixture, Some("new"), true),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(fixture.fake.count("GET", "/issues/7/comments"), 3);
    assert_eq!(
        texts(&fixture).iter().filter(|text| *text == "new").count(),
        1
    );
    assert_eq!(texts(&fixture).len(), 231);
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
    assert!(matches!(
        write(&fixture, Some("four"), true),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(texts(&fixture), ["four", "planted"]);
}

#[test]
fn all_comments_are_removed() {
    let fixture = Fixture::new();
    fixture.fake.state().add_comment(7, BOT, &body("one"));
    fixture.fake.state().add_comment(7, BOT, &body("two"));
    fixture
        .fake
        .fail("DELETE", "/issues/comments/", 1, Fault::BadGatewayAfter);
    assert_eq!(write(&fixture, None, true), CommentOutcome::Removed);
    assert!(texts(&fixture).is_empty());
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
        let made = write(&fixture, Some("new"), true);
        assert!(matches!(made, CommentOutcome::Created(_)), "{fault:?}");
        assert_eq!(texts(&fixture), ["planted", "new"], "{fault:?}");
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
        write(&fixture, Some("new"), true);
        assert_eq!(texts(&fixture), ["new"], "{fault:?}");
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
    let error = write_as(&fixture, &origin("7/1/0a1b/x"), Some("new"), true).unwrap_err();
    let text = "cannot write the comment: 403 Forbidden: Resource not accessible by integration";
    assert_eq!(error, ApiError::Forbidden(text.into()));
}

#[test]
fn truncated_comment_is_found_again() {
    let fixture = Fixture::new();
    let long = "äöü €\n".repeat(20_000);
    for (run, origin) in [origin("7/1/0a1b/x"), origin("8/1/0a1b/y")]
        .iter()
        .enumerate()
    {
        let outcome = write_as(&fixture, origin, Some(&long), true).unwrap();
        assert_eq!(matches!(outcome, CommentOutcome::Created(_)), run == 0);
    }
    assert_eq!(texts(&fixture).len(), 1);
}

#[test]
fn comment_is_found_although_its_line_ends_changed() {
    let fixture = Fixture::new();
    let old = body("one\ntwo").replace('\n', "\r\n");
    fixture.fake.state().add_comment(7, BOT, &old);
    assert!(matches!(
        write(&fixture, Some("new"), true),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(texts(&fixture), ["new"]);
}

#[test]
fn graphql_path_of_an_enterprise_server_is_used() {
    let fixture = Fixture::with("/api/v3", FAST_RETRY);
    fixture.fake.state().viewer = Some("octocat".to_owned());
    fixture.fake.state().add_comment(7, "octocat", &body("old"));
    assert!(matches!(
        write(&fixture, Some("new"), true),
        CommentOutcome::Updated(_)
    ));
    assert_eq!(fixture.fake.count("POST", "/api/graphql"), 1);
}
