//! Report formats on the command line: several reports of one run, accepted findings, length limits
//! and explanations of kinds.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{RunResult, leakgate, report, run};

/// Returns a directory with a log and a rule that accepts it until a day.
fn folder(expires: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(
        report("lsan/many-places-clang19"),
        dir.path().join("lsan.log"),
    )
    .unwrap();
    let rule = format!(
        "[[allow]]\nid = \"all\"\ntools = [\"lsan\"]\nstack = [\"...\", \"fun:many_places\"]\n\
         reason = \"It is | known.\"\nexpires = {expires}\n"
    );
    fs::write(dir.path().join("leakgate.toml"), rule).unwrap();
    dir
}

fn read(dir: &TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).unwrap()
}

fn sarif(dir: &TempDir, args: &[&str]) -> Value {
    let result = run(
        dir,
        &[&["check", "--format", "sarif", "lsan.log"], args].concat(),
    );
    assert_eq!(result.err, "");
    result.json()
}

#[test]
fn one_run_writes_every_format() {
    let dir = folder("2000-01-01");
    let names = [
        "text",
        "json",
        "sarif",
        "markdown",
        "junit",
        "annotations",
        "gitlab",
        "azure",
        "teamcity",
        "buildkite",
        "bitbucket",
        "warnings-ng",
        "rdjson",
        "cdash",
        "folded",
    ];
    let formats: Vec<String> = names
        .iter()
        .map(|name| format!("--format={name}=out.{name}"))
        .collect();
    let args: Vec<&str> = ["check", "lsan.log", "--format=annotations"]
        .into_iter()
        .chain(formats.iter().map(String::as_str))
        .collect();
    let result = run(&dir, &args);
    let out = &result.out;
    assert_eq!((result.status, result.err.as_str()), (1, ""));
    for name in names {
        assert!(!read(&dir, &format!("out.{name}")).is_empty(), "{name}");
    }
    assert_eq!(*out, read(&dir, "out.annotations"));
    assert!(
        out.starts_with("::error ")
            && out.contains("rule `all` (leakgate.toml:1) expired on 2000-01-01"),
        "{out}"
    );
    assert!(
        read(&dir, "out.markdown").contains("| rule expired |"),
        "{}",
        read(&dir, "out.markdown")
    );
}

#[test]
fn log_of_a_ci_system_gets_a_group_and_annotations() {
    let dir = folder("2000-01-01");
    let plain = run(&dir, &["check", "lsan.log"]).out;
    for (variable, value, format, begin, end) in [
        (
            "GITHUB_ACTIONS",
            "true",
            "annotations",
            "::group::leakgate report\n",
            "::endgroup::\n",
        ),
        (
            "TF_BUILD",
            "True",
            "azure",
            "##[group]leakgate report\n",
            "##[endgroup]\n",
        ),
        (
            "TEAMCITY_VERSION",
            "2026.1",
            "teamcity",
            "##teamcity[blockOpened name='leakgate report']\n",
            "##teamcity[blockClosed name='leakgate report']\n",
        ),
    ] {
        let run_in_ci = |args: &[&str]| {
            let mut command = leakgate(&dir);
            command.args(args).env(variable, value);
            RunResult::from(command.output().unwrap())
        };
        let annotations = run_in_ci(&["check", "lsan.log", "--format", format]).out;
        assert!(!annotations.contains("leakgate report"), "{annotations}");
        let json = "--format=json=out.json";
        for args in [&["check", "lsan.log"][..], &["check", json, "lsan.log"]] {
            let result = run_in_ci(args);
            assert_eq!(result.status, 1);
            assert_eq!(result.out, [begin, &plain, end, &annotations].concat());
        }
        let text = run_in_ci(&["check", "--format", "text", "lsan.log"]);
        assert_eq!(text.out, plain);
    }
}

/// These systems have no annotations in the log.
#[test]
fn log_of_gitlab_and_buildkite_gets_a_group() {
    let dir = folder("2000-01-01");
    let plain = run(&dir, &["check", "lsan.log"]).out;
    let run_in_ci = |variable: &str, args: &[&str]| {
        let mut command = leakgate(&dir);
        command.args(args).env(variable, "true");
        RunResult::from(command.output().unwrap())
    };
    let result = run_in_ci("GITLAB_CI", &["check", "lsan.log"]);
    assert_eq!(result.status, 1);
    let rest = result.out.strip_prefix("\x1b[0Ksection_start:").unwrap();
    let (section, rest) = rest
        .split_once("[collapsed=true]\r\x1b[0Kleakgate report\n")
        .unwrap();
    let end = format!("\x1b[0Ksection_end:{section}\r\x1b[0K\n");
    let verdict = rest
        .strip_prefix(&plain)
        .unwrap()
        .strip_prefix(&end)
        .unwrap();
    assert!(
        verdict.starts_with("leakgate: fail (") && verdict.lines().count() == 1,
        "{verdict}"
    );
    let (time, name) = section.split_once(':').unwrap();
    assert!(
        time.parse::<u64>().unwrap() > 0 && name.starts_with("leakgate_"),
        "{section}"
    );

    let result = run_in_ci("BUILDKITE", &["check", "lsan.log"]);
    assert_eq!(result.out, ["+++ leakgate report\n", &plain].concat());
    let pass = &["check", "--no-config", "--silence", "pass", "leakgate.toml"];
    let result = run_in_ci("BUILDKITE", pass);
    assert_eq!(result.status, 0, "{}", result.err);
    assert!(
        result.out.starts_with("--- leakgate report\n"),
        "{}",
        result.out
    );
    for variable in ["GITLAB_CI", "BUILDKITE"] {
        let text = run_in_ci(variable, &["check", "--format", "text", "lsan.log"]);
        assert_eq!(text.out, plain);
    }
}

#[test]
fn sarif_contains_accepted_findings_only_on_request() {
    let dir = folder("2999-01-01");
    let results = |document: &Value| document["runs"][0]["results"].as_array().unwrap().clone();
    let plain = sarif(&dir, &[]);
    assert_eq!(results(&plain), Vec::<Value>::new());
    assert_eq!(plain["runs"][0]["automationDetails"]["id"], "leakgate/");
    let all = sarif(&dir, &["--show-accepted", "--category", "linux-asan"]);
    assert_eq!(all["runs"][0]["automationDetails"]["id"], "linux-asan/");
    assert!(!results(&all).is_empty());
    for result in results(&all) {
        assert_eq!(result["suppressions"][0]["status"], "accepted");
        assert_eq!(
            result["suppressions"][0]["justification"],
            "It is | known. (all at leakgate.toml:1)"
        );
    }
    let folded = |args: &[&str]| {
        run(
            &dir,
            &[&["check", "--format", "folded", "lsan.log"], args].concat(),
        )
        .out
    };
    assert!(folded(&[]).is_empty() && folded(&["--show-accepted"]).lines().count() > 1);
}

#[test]
fn baseline_distinguishes_new_from_known_findings() {
    let dir = folder("2000-01-01");
    fs::remove_file(dir.path().join("leakgate.toml")).unwrap();
    assert_eq!(
        run(
            &dir,
            &["baseline", "write", "--baseline", "known.json", "lsan.log"]
        )
        .status,
        0
    );
    let known = sarif(&dir, &["--baseline", "known.json", "--show-accepted"]);
    let states = |document: &Value| -> Vec<String> {
        let results = document["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|r| r["baselineState"].as_str().unwrap_or("none").to_owned())
            .collect()
    };
    assert!(
        !states(&known).is_empty() && states(&known).iter().all(|s| s == "unchanged"),
        "{:?}",
        states(&known)
    );
    assert!(states(&sarif(&dir, &[])).iter().all(|s| s == "none"));
    let junit = run(
        &dir,
        &[
            "check",
            "--format",
            "junit",
            "--baseline",
            "known.json",
            "lsan.log",
        ],
    );
    assert!(
        junit.status == 0 && junit.out.contains("<skipped message=\"in the baseline\"/>"),
        "{}",
        junit.out
    );
}

#[test]
fn markdown_is_shortened_to_its_limit_with_a_note() {
    let dir = folder("2000-01-01");
    let whole = run(&dir, &["check", "--format", "markdown", "lsan.log"]).out;
    let shortened = |limit: &str| {
        let args = ["check", "--format", "markdown", "lsan.log"];
        run(&dir, &[&args[..], &["--max-characters", limit]].concat())
    };
    let short = shortened("2000").out;
    assert!(
        whole.len() > 2000 && !whole.contains("Omitted to stay within"),
        "{whole}"
    );
    assert!(
        short.encode_utf16().count() <= 2000
            && short.contains("Omitted to stay within 2,000 characters"),
        "{short}"
    );
    let result = shortened("5");
    assert!(
        result.status == 2 && result.err.contains("at least 2000 characters"),
        "{}",
        result.err
    );
}

/// Returns a LeakSanitizer log with leaks of 1 to `number` bytes, each in its own function.
fn leaks(number: usize) -> String {
    let mut log = String::from("==7==ERROR: LeakSanitizer: detected memory leaks\n\n");
    for size in 1..=number {
        log += &format!(
            "Direct leak of {size} byte(s) in 1 object(s) allocated from:\n    \
             #0 0x51 in make_{size} /src/a.c:{size}:9\n\n"
        );
    }
    let bytes: usize = (1..=number).sum();
    log + &format!("SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {number} allocation(s).\n")
}

#[test]
fn text_on_stdout_lists_the_worst_findings() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lsan.log"), leaks(60)).unwrap();
    let listed = |text: &str| -> Vec<usize> {
        let size = |line: &str| {
            line.strip_prefix("leak-definite ")?
                .split(' ')
                .next()?
                .parse()
                .ok()
        };
        text.lines().filter_map(size).collect()
    };
    let descending = |last: usize| (last..=60).rev().collect::<Vec<_>>();
    let rest = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("… and "));
        line.map(str::to_owned)
    };
    let check = ["check", "--no-config", "lsan.log", "--format=json=run.json"];
    let text_to_file = run(&dir, &[&check[..], &["--format", "text=out.txt"]].concat());
    for (result, last, more) in [
        (&text_to_file, 11, Some("10 more findings")),
        (
            &run(&dir, &["merge", "--no-config", "run.json"]),
            11,
            Some("10 more findings"),
        ),
        (
            &run(&dir, &[&check[..], &["--format=text"]].concat()),
            11,
            Some("10 more findings"),
        ),
        (
            &run(&dir, &[&check[..], &["--limit=59"]].concat()),
            2,
            Some("1 more finding"),
        ),
        (&run(&dir, &[&check[..], &["--limit=60"]].concat()), 1, None),
        (&run(&dir, &[&check[..], &["--limit=0"]].concat()), 1, None),
    ] {
        assert_eq!(listed(&result.out), descending(last));
        let more = more.map(|more| format!("… and {more} (use --limit 0 for all)"));
        assert_eq!(rest(&result.out), more);
        assert!(result.status == 1 && result.out.contains("\n60 unexpected findings; 1 input"));
    }
    let complete = read(&dir, "out.txt");
    assert_eq!((listed(&complete), rest(&complete)), (descending(1), None));
    let json: Value = serde_json::from_str(&read(&dir, "run.json")).unwrap();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(60));
}

#[test]
fn text_lists_errors_first_and_reachable_memory_last() {
    let dir = tempfile::tempdir().unwrap();
    let logs = ["track-fds-324", "show-all-kinds", "invalid-read"]
        .map(|case| report(&format!("memcheck/{case}")).display().to_string());
    let check = ["check", "--no-config", "--fail-on=errors,leaks,fd-leak"];
    let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
    let text = run(&dir, &[&check[..], &logs].concat()).out;
    let heads = text.lines().filter(|line| !line.starts_with([' ', '\t']));
    let mut kinds: Vec<&str> = heads
        .filter_map(|line| line.split([' ', ',']).next())
        .filter(|word| {
            ["invalid-", "leak-", "fd-"]
                .iter()
                .any(|start| word.starts_with(start))
        })
        .collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "invalid-read",
            "leak-definite",
            "fd-leak",
            "leak-possible",
            // Indirect leaks are in the block of the function that has a definite one.
            "leak-reachable"
        ],
        "{text}"
    );
}

#[test]
fn kinds_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let kind = run(&dir, &["explain", "heap-use-after-free"]);
    assert!(
        kind.status == 0
            && kind
                .out
                .starts_with("heap-use-after-free: Use of memory that was freed\n")
            && kind.out.contains("CWE-416"),
        "{}",
        kind.out
    );
    let all = run(&dir, &["explain", "kind"]);
    assert!(
        all.status == 0 && all.out.lines().count() > 100,
        "{}",
        all.out
    );
    let unknown = run(&dir, &["explain", "double_free"]);
    assert!(
        unknown.status == 2 && unknown.err.contains("did you mean `double-free`?"),
        "{}",
        unknown.err
    );
}

#[test]
fn codes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let explain = |args: &[&str]| run(&dir, &[&["explain"], args].concat());
    for args in [&["no-evidence"][..], &["code", "no-evidence"]] {
        let code = explain(args);
        assert!(
            code.status == 0
                && code
                    .out
                    .starts_with("no-evidence: There is no proof that the checker worked\n")
                && code.out.contains("\nWhy it fails the gate:\n")
                && code.out.contains("--silence pass"),
            "{}",
            code.out
        );
    }
    let problem = explain(&["unknown-report"]).out;
    assert!(
        problem.contains("The reason in the verdict is unreadable-report."),
        "{problem}"
    );
    let note = explain(&["replaced"]).out;
    assert!(note.contains("\nWhy it doesn't fail the gate:\n"), "{note}");
    let list = explain(&["code"]);
    assert!(
        list.status == 0
            && list
                .out
                .starts_with("Reasons of a verdict:\n! unexpected-finding ")
            && list.out.contains("\nProblems in a log:\n! truncated ")
            && list.out.contains("\n  more-problems "),
        "{}",
        list.out
    );
    for (args, help) in [
        (&["trunkated"][..], "help: did you mean `truncated`?"),
        (&["code", "trunkated"], "help: did you mean `truncated`?"),
        (
            &["code", "x"],
            "help: expected one of: unexpected-finding, over-limit, ",
        ),
    ] {
        let error = explain(args);
        assert!(
            error.status == 2 && error.err.contains(help),
            "{}",
            error.err
        );
    }
}
