//! `leakgate grow` with real programs: each leak is found with its exact rate, and no bounded
//! memory fails.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::{self, RunResult};
use crate::needs::{GCC, GXX, VALGRIND, trials};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/grow",
        leaks_are_found_with_their_rates(VALGRIND, GXX),
        bounded_memory_does_not_fail(VALGRIND, GXX),
        memory_that_grows_in_jumps_is_found(VALGRIND, GXX),
        cache_that_looks_like_a_leak_is_run_again(VALGRIND, GXX),
        rule_accepts_a_leak_but_not_its_growth(VALGRIND, GXX),
        failed_run_is_an_error(VALGRIND, GCC),
    )
}

/// A program whose first argument selects what it does in each step. The second one is the number
/// of steps.
const PROGRAM: &str = r#"
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <map>
#include <pthread.h>
#include <string>
#include <vector>

struct node { node *next; char bytes[8]; };
static node *kept;
static char *volatile lost;

__attribute__((noinline)) static void lose(size_t size) { lost = (char *)malloc(size); lost = nullptr; }
__attribute__((noinline)) static void keep() {
    node *made = (node *)malloc(sizeof(node));
    made->next = kept;
    kept = made;
}
__attribute__((noinline)) static void open_one() { (void)!open("/dev/null", O_RDONLY); }
__attribute__((noinline)) static void append(std::vector<int> *all, int n) { all->push_back(n); }

static std::list<int> *recent = new std::list<int>;
__attribute__((noinline)) static void remember(int n, size_t most) {
    recent->push_back(n);
    if (recent->size() > most) recent->pop_front();
}
static std::vector<char *> *pending = new std::vector<char *>;
__attribute__((noinline)) static void buffer(size_t most) {
    pending->reserve(most);
    pending->push_back((char *)malloc(24));
    if (pending->size() < most) return;
    for (char *one : *pending) free(one);
    pending->clear();
}
static std::map<int, std::string> *names = new std::map<int, std::string>;
__attribute__((noinline)) static void look_up(int n) {
    (*names)[n % 50] = "a name that is too long to be stored in the string itself";
}

static int steps;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queued;
static char *queue[2];
/* One thread replaces what the other one made. Which of them is last is chance. */
static void *work(void *leaks) {
    for (int n = 0; n < steps / 2; n++) {
        pthread_mutex_lock(&lock);
        free(queue[queued ^= 1]);
        queue[queued] = (rand() & 1) ? (char *)malloc(40) : nullptr;
        if (leaks) keep();
        pthread_mutex_unlock(&lock);
    }
    return nullptr;
}

int main(int argc, char **argv) {
    std::string mode = argv[1];
    steps = atoi(argv[2]);
    std::vector<int> *all = new std::vector<int>;
    keep();
    if (mode == "threads" || mode == "leaking-threads") {
        pthread_t threads[2];
        for (pthread_t &one : threads)
            pthread_create(&one, nullptr, work, mode == "threads" ? nullptr : argv);
        for (pthread_t one : threads) pthread_join(one, nullptr);
        return 0;
    }
    for (int n = 0; n < steps; n++) {
        if (mode == "lost") lose(1);
        if (mode == "reachable") keep();
        if (mode == "mebibyte") lose(1 << 20);
        if (mode == "descriptors") open_one();
        if (mode == "twice") { lose(3); keep(); }
        if (mode == "every-tenth" && n % 10 == 0) keep();
        if (mode == "vector") append(all, n);
        if (mode == "sized-vector" && n < 90) append(all, n);
        if (mode == "small-lru") remember(n, 64);
        if (mode == "lru") remember(n, 250);
        if (mode == "sawtooth") buffer(64);
        if (mode == "aliased-sawtooth") buffer(32);
        if (mode == "warm-up") look_up(n);
    }
    return 0;
}
"#;

fn project() -> TestProject {
    let project = TestProject::new();
    project.write("app.cc", PROGRAM);
    let output = Command::new("g++")
        .args(["-g", "-O1", "-pthread", "-o", "app", "app.cc"])
        .current_dir(project.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    project
}

fn grow(project: &TestProject, steps: &str, mode: &str) -> RunResult {
    let args = [
        "grow", "--format", "json", "--steps", steps, "--", "./app", mode, "{n}",
    ];
    common::run(project.path(), &args)
}

/// Returns each site that fails, with its function, and its blocks and bytes per step as fractions.
fn failing(result: &RunResult) -> Vec<(String, String, String)> {
    let report = result.json();
    let rate = |rate: &Value| match rate["exact"].as_bool() {
        None => String::from("-"),
        Some(exact) => format!(
            "{}{}/{}",
            if exact { "" } else { "about " },
            rate["numerator"],
            rate["denominator"]
        ),
    };
    let sites = report["sites"].as_array().unwrap();
    let failing = sites
        .iter()
        .filter(|site| site["trend"] == "growing" && site["accepted"] == false);
    failing
        .map(|site| {
            (
                site["function"].as_str().unwrap_or("?").to_owned(),
                rate(&site["blocks_per_step"]),
                rate(&site["bytes_per_step"]),
            )
        })
        .collect()
}

/// A function that leaks, and its blocks and bytes per step.
type Leak = (&'static str, &'static str, &'static str);

/// Modes of the program, the steps, and the leaks.
const LEAKS: &[(&str, &str, &[Leak])] = &[
    ("lost", "100,200,400", &[("lose", "1/1", "1/1")]),
    ("reachable", "100,200,400", &[("keep", "1/1", "16/1")]),
    ("mebibyte", "10,20,40", &[("lose", "1/1", "1048576/1")]),
    ("descriptors", "100,200,400", &[("open_one", "1/1", "-")]),
    (
        "twice",
        "100,200,400",
        &[("keep", "1/1", "16/1"), ("lose", "1/1", "3/1")],
    ),
    ("every-tenth", "100,200,400", &[("keep", "1/10", "8/5")]),
    ("leaking-threads", "100,200,400", &[("keep", "1/1", "16/1")]),
];

fn leaks_are_found_with_their_rates() {
    let project = project();
    for (mode, steps, expected) in LEAKS {
        let result = grow(&project, steps, mode);
        assert_eq!(result.status, 1, "{mode}: {}{}", result.out, result.err);
        let found = failing(&result);
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|(function, blocks, bytes)| (&**function, &**blocks, &**bytes))
            .collect();
        assert_eq!(found, *expected, "{mode}: {}", result.out);
    }
}

fn bounded_memory_does_not_fail() {
    let project = project();
    for mode in [
        "sized-vector",
        "small-lru",
        "lru",
        "sawtooth",
        "warm-up",
        "threads",
        "nothing",
    ] {
        let result = grow(&project, "100,200,400", mode);
        assert_eq!(result.status, 0, "{mode}: {}{}", result.out, result.err);
        assert_eq!(result.json()["outcome"], "pass");
    }
}

fn memory_that_grows_in_jumps_is_found() {
    let project = project();
    let result = grow(&project, "100,200,400", "vector");
    assert_eq!(result.status, 1, "{}{}", result.out, result.err);
    let report = result.json();
    let site = &report["sites"][0];
    assert_eq!(site["function"], "append");
    assert_eq!(site["amortized"], true);
    assert_eq!(site["bytes"], serde_json::json!([512, 1024, 2048]));
}

fn cache_that_looks_like_a_leak_is_run_again() {
    let project = project();
    let result = grow(&project, "100,200,400", "aliased-sawtooth");
    assert_eq!(result.status, 0, "{}{}", result.out, result.err);
    let report = result.json();
    assert!(
        report["steps"].as_array().unwrap().len() > 3,
        "{}",
        result.out
    );
    let is_unclear = |site: &Value| site["trend"] == "unclear";
    assert!(!report["sites"].as_array().unwrap().iter().any(is_unclear));
}

fn rule_accepts_a_leak_but_not_its_growth() {
    let project = project();
    let rule = "[[allow]]\nid = \"kept\"\nstack = [\"...\", \"fun:keep\", \"...\"]\n\
         reason = \"It is kept.\"\n";
    for (growth, status) in [
        ("", 1),
        ("growth = { blocks = 1 }\n", 0),
        ("growth = { blocks = 1, bytes = 15 }\n", 1),
        ("growth = { bytes = 16 }\n", 0),
    ] {
        project.write("leakgate.toml", &format!("{rule}{growth}"));
        let result = grow(&project, "10,20,40", "reachable");
        assert_eq!(
            result.status, status,
            "{growth}{}{}",
            result.out, result.err
        );
        assert_eq!(result.json()["sites"][0]["rule"], "kept");
    }
}

fn failed_run_is_an_error() {
    let project = TestProject::with_app("gcc");
    let run = |args: &[&str]| {
        let args = [&["grow", "--steps", "1,2,3"], args].concat();
        common::run(project.path(), &args)
    };
    for (args, message) in [
        (
            ["--", "./app", "fail", "{n}"].as_slice(),
            "cannot use the run with 1 steps as a point: `./app fail 1` exited with status 3",
        ),
        (
            &["--", "./app", "killed", "{n}"],
            "cannot use the run with 1 steps as a point: ",
        ),
        (&["--", "./missing", "{n}"], "./missing"),
        (
            &["--", "./app", "leak"],
            "no argument of the command contains {n}",
        ),
        (
            &["--tool", "drd", "--", "./app", "{n}"],
            "drd: it doesn't look for leaks",
        ),
    ] {
        let result = run(args);
        assert_eq!(result.status, 2, "{args:?}: {}{}", result.out, result.err);
        assert!(result.err.contains(message), "{args:?}: {}", result.err);
    }
}
