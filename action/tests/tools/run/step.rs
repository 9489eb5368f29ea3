//! The action with a command: it runs under checkers, without the token.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::common::step::Step;
use crate::common::step::fake::{REPOSITORY_ID, TOKEN};
use crate::needs::{EFENCE, trials};

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/step",
        command_runs_under_checkers_without_the_token(EFENCE),
        command_is_stopped_after_the_timeout_and_reported(EFENCE)
    )
}

fn command_runs_under_checkers_without_the_token() {
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_REPORTS", "")
        .with("LEAKGATE_TOOL", "efence");
    let script = step.dir.path().join("tests.sh");
    let parent = "test $(id -u) = 0 || ! cat /proc/$PPID/environ >parent || exit 3";
    fs::write(&script, format!("env > environment; {parent}; echo done")).unwrap();
    let step = step.with("LEAKGATE_RUN", "sh tests.sh");
    let result = step.run("action");
    assert_eq!(result.status, 0, "{}{}", result.stdout, result.stderr);
    assert!(
        result.stdout.contains("done\n") && result.outputs["outcome"] == "pass",
        "{}",
        result.stdout
    );
    let environment = fs::read_to_string(step.dir.path().join("environment")).unwrap();
    assert!(
        environment.contains("LD_PRELOAD=")
            && !environment.contains(TOKEN)
            && !environment.contains("LEAKGATE_TOKEN"),
        "{environment}"
    );
    fs::write(&script, "exit 4").unwrap();
    let result = step.run("action");
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (1, "fail")
    );
    assert!(
        result.stdout.contains("exited with status 4")
            && Path::new(&result.outputs["reports"]).join("logs").exists(),
        "{}",
        result.stdout
    );
}

fn command_is_stopped_after_the_timeout_and_reported() {
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_REPORTS", "")
        .with("LEAKGATE_TOOL", "efence")
        .with("LEAKGATE_RUN", "sleep 600")
        .with("LEAKGATE_TIMEOUT", "2s");
    let start = Instant::now();
    let result = step.run("action");
    assert!(start.elapsed() < Duration::from_secs(300));
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (1, "fail"),
        "{}{}",
        result.stdout,
        result.stderr
    );
    assert!(Path::new(&result.outputs["json"]).exists());
    for text in [&result.summary, &step.comments()[0]] {
        assert!(text.contains("timed out after 2 seconds"), "{text}");
    }
    assert_eq!(step.check_runs()[0]["conclusion"], "failure");
}
