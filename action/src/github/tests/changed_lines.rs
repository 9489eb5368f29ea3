//! Tests reading the lines that a pull request changes.

use serde_json::json;

use super::Fixture;
use super::fake::Fault;

/// Adds a pull request with files that each add line 3, and returns its number.
fn add_pull(fixture: &Fixture, files: usize) -> u64 {
    let mut state = fixture.fake.state();
    let number = state.add_pull("octo", "topic", &"a".repeat(40), None);
    let file = |n: usize| {
        json!({
            "filename": format!("src/{n}.c"), "status": "modified", "additions": 1,
            "patch": "@@ -2,2 +2,3 @@\n a\n+b\n c",
        })
    };
    state.files.insert(number, (0..files).map(file).collect());
    number
}

#[test]
fn changed_lines_are_read_from_all_pages() {
    let fixture = Fixture::new();
    let pull = add_pull(&fixture, 150);
    fixture.fake.fail("GET", "files", 2, Fault::BadGateway);
    let changed = fixture.client.changed_lines(pull).unwrap();
    assert!(changed.contains("src/0.c", 3) && changed.contains("src/149.c", 3));
    assert!(!changed.contains("src/149.c", 2) && !changed.contains("src/150.c", 3));
    assert_eq!(fixture.fake.count("GET", "files"), 3);
}

#[test]
fn changed_lines_of_too_many_files_are_an_error() {
    let fixture = Fixture::new();
    let pull = add_pull(&fixture, 3000);
    let error = fixture.client.changed_lines(pull).unwrap_err().to_string();
    assert!(error.contains("3000 files"), "{error}");
    fixture.fake.fail_always("GET", "files", Fault::Forbidden);
    assert!(fixture.client.changed_lines(pull).is_err());
}
