//! Pull requests of a commit.

use super::World;
use super::fake::{Fault, REPOSITORY_ID};
use crate::github::{Head, Pull};

const FORK: u64 = 77;

fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

fn numbers(world: &World, owner: &str, branch: &str) -> Vec<u64> {
    let head = Head {
        repository: FORK,
        owner,
        branch,
        sha: &sha('a'),
    };
    world
        .client
        .pulls_of(head)
        .unwrap()
        .iter()
        .map(|pull| pull.number)
        .collect()
}

#[test]
fn only_open_ones_of_that_very_commit_branch_and_repository_are_taken() {
    let world = World::new();
    let mut right = Vec::new();
    {
        let state = &mut *world.fake.state();
        right.push(state.pull("contributor", "fix/leak #1", &sha('a'), Some(FORK)));
        state.pull("contributor", "fix/leak #1", &sha('b'), Some(FORK));
        state.pull("contributor", "fix/leak #1", &sha('a'), Some(REPOSITORY_ID));
        state.pull("contributor", "fix/leak #1", &sha('a'), None);
        state.pull("contributor", "other", &sha('a'), Some(FORK));
        state.pull("mallory", "fix/leak #1", &sha('a'), Some(FORK));
        state.pull("contributor", "fix/leak #1", &sha('a'), Some(FORK));
        state.pulls.last_mut().unwrap()["state"] = "closed".into();
    }
    assert_eq!(numbers(&world, "contributor", "fix/leak #1"), right);
    assert!(
        world.fake.state().seen[0]
            .path
            .contains("head=contributor:fix%2Fleak%20%231&")
    );
}

#[test]
fn a_pull_request_is_told_with_where_it_goes() {
    let world = World::new();
    let number = world
        .fake
        .state()
        .pull("contributor", "fix", &sha('a'), Some(FORK));
    let pulls = world
        .client
        .pulls_of(Head {
            repository: FORK,
            owner: "contributor",
            branch: "fix",
            sha: &sha('a'),
        })
        .unwrap();
    let url = format!("https://github.example/pull/{number}");
    assert_eq!(
        pulls,
        [Pull {
            number,
            head_sha: sha('a'),
            base_ref: "main".into(),
            base_sha: sha('b'),
            url
        }]
    );
}

#[test]
fn all_pages_are_read_again_where_they_fail() {
    let world = World::new();
    let last = {
        let state = &mut *world.fake.state();
        (0..120)
            .map(|_| state.pull("contributor", "fix", &sha('b'), Some(FORK)))
            .last();
        state.pull("contributor", "fix", &sha('a'), Some(FORK))
    };
    world.fake.fail("GET", "/pulls", 2, Fault::BadGateway);
    assert_eq!(numbers(&world, "contributor", "fix"), [last]);
    assert_eq!(world.fake.count("GET", "/pulls"), 3);
}
