//! Tests the search for the pull requests of a commit.

use super::Fixture;
use super::fake::{Fault, REPOSITORY_ID};
use crate::github::{PullHead, PullRequest};

const FORK: u64 = 77;

fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

fn numbers(fixture: &Fixture, owner: &str, branch: &str) -> Vec<u64> {
    let head = PullHead {
        repository: FORK,
        owner,
        branch,
        sha: &sha('a'),
    };
    fixture
        .client
        .open_pulls(head)
        .unwrap()
        .iter()
        .map(|pull| pull.number)
        .collect()
}

#[test]
fn only_open_pulls_with_this_repository_branch_and_commit_are_found() {
    let fixture = Fixture::new();
    let mut right = Vec::new();
    {
        let state = &mut *fixture.fake.state();
        right.push(state.add_pull("contributor", "fix/leak #1", &sha('a'), Some(FORK)));
        state.add_pull("contributor", "fix/leak #1", &sha('b'), Some(FORK));
        state.add_pull("contributor", "fix/leak #1", &sha('a'), Some(REPOSITORY_ID));
        state.add_pull("contributor", "fix/leak #1", &sha('a'), None);
        state.add_pull("contributor", "other", &sha('a'), Some(FORK));
        state.add_pull("mallory", "fix/leak #1", &sha('a'), Some(FORK));
        state.add_pull("contributor", "fix/leak #1", &sha('a'), Some(FORK));
        state.pulls.last_mut().unwrap()["state"] = "closed".into();
    }
    assert_eq!(numbers(&fixture, "contributor", "fix/leak #1"), right);
    assert!(
        fixture.fake.state().requests[0]
            .path
            .contains("head=contributor:fix%2Fleak%20%231&")
    );
}

#[test]
fn pull_request_includes_its_base() {
    let fixture = Fixture::new();
    let number = fixture
        .fake
        .state()
        .add_pull("contributor", "fix", &sha('a'), Some(FORK));
    let pulls = fixture
        .client
        .open_pulls(PullHead {
            repository: FORK,
            owner: "contributor",
            branch: "fix",
            sha: &sha('a'),
        })
        .unwrap();
    let url = format!("https://github.example/pull/{number}");
    assert_eq!(
        pulls,
        [PullRequest {
            number,
            head_sha: sha('a'),
            base_ref: "main".into(),
            base_sha: sha('b'),
            url
        }]
    );
}

#[test]
fn failed_pages_are_read_again() {
    let fixture = Fixture::new();
    let last = {
        let state = &mut *fixture.fake.state();
        (0..120)
            .map(|_| state.add_pull("contributor", "fix", &sha('b'), Some(FORK)))
            .last();
        state.add_pull("contributor", "fix", &sha('a'), Some(FORK))
    };
    fixture.fake.fail("GET", "/pulls", 2, Fault::BadGateway);
    assert_eq!(numbers(&fixture, "contributor", "fix"), [last]);
    assert_eq!(fixture.fake.count("GET", "/pulls"), 3);
}
