//! Rules end to end: accept, validate, expire, convert, baseline, compare and merge.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{reason_codes, report, run};

/// Returns a directory with one log of each kind.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (case, name) in [
        ("lsan/many-places-clang19", "lsan.log"),
        ("memcheck/gen-suppressions", "memcheck.log"),
        ("memcheck/clean", "clean.log"),
    ] {
        fs::copy(report(case), dir.path().join(name)).unwrap();
    }
    dir
}

fn write(dir: &TempDir, name: &str, text: &str) {
    fs::write(dir.path().join(name), text).unwrap();
}

fn document(dir: &TempDir, args: &[&str]) -> Value {
    run(dir, &[&["check", "--format", "json"], args].concat()).json()
}

fn fingerprints(document: &Value, disposition: &str) -> Vec<String> {
    let findings = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["disposition"] == disposition);
    let mut all: Vec<String> = findings
        .map(|f| f["fingerprint"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all.dedup();
    all
}

const EVERY_LSAN: &str = "[[allow]]\nid = \"all\"\ntools = [\"lsan\"]\n\
    stack = [\"...\", \"fun:many_places\"]\nreason = \"why\"\n";

#[test]
fn only_accepted_findings_pass() {
    let dir = folder();
    write(
        &dir,
        "leakgate.toml",
        "# ours\n[gate]\nunused-rules = \"fail\" # strict\n",
    );
    for fingerprint in fingerprints(&document(&dir, &["lsan.log"]), "unexpected") {
        let ran = run(
            &dir,
            &[
                "allow",
                &fingerprint[..12],
                "lsan.log",
                "--reason",
                "it is \"known\"",
            ],
        );
        assert_eq!(ran.status, 0, "{}", ran.err);
        let again = run(&dir, &["allow", &fingerprint, "lsan.log", "--reason", "x"]);
        assert!(
            again.status == 2 && again.err.contains("is already accepted"),
            "{}",
            again.err
        );
    }
    let text = fs::read_to_string(dir.path().join("leakgate.toml")).unwrap();
    assert!(
        text.starts_with("# ours\n[gate]\nunused-rules = \"fail\" # strict\n\n[[allow]]\n"),
        "{text}"
    );
    let ran = run(&dir, &["check", "lsan.log"]);
    assert_eq!(ran.status, 0, "{}", ran.out);
    assert!(
        ran.out.contains("allowed by 4 rules") && ran.out.contains("it is \"known\""),
        "{}",
        ran.out
    );
    // The other log has leaks that no rule accepts, and uses no rule.
    assert_eq!(
        reason_codes(&document(&dir, &["memcheck.log"])),
        ["unexpected-finding", "unused-rule"]
    );
    assert_eq!(run(&dir, &["rules", "lsan.log"]).status, 0);
    let hidden = run(&dir, &["rules", "lsan.log", "--what-if", "leak-in-copied"]);
    assert!(
        hidden.out.contains("1 more finding would fail"),
        "{}",
        hidden.out
    );
}

#[test]
fn findings_of_a_function_are_accepted_by_one_rule() {
    let dir = folder();
    let log = report("memcheck/leak-check-full");
    let log = log.to_str().unwrap();
    let before = fingerprints(&document(&dir, &[log]), "unexpected");
    let unknown = run(
        &dir,
        &["allow", "--function", "new_nod", log, "--reason", "x"],
    );
    assert_eq!(
        (unknown.status, unknown.err.lines().next()),
        (
            2,
            Some(
                "error: cannot accept the findings in `new_nod`: it has no unexpected finding without a rule"
            )
        )
    );
    assert!(
        unknown
            .err
            .contains("\nhelp: pass `--function` with one of: new_node, "),
        "{}",
        unknown.err
    );
    let ran = run(
        &dir,
        &["allow", "--function", "new_node", log, "--reason", "x"],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    let document = document(&dir, &[log]);
    let accepted = fingerprints(&document, "allowed");
    assert!(accepted.len() > 1, "{accepted:?}");
    assert!(
        accepted
            .iter()
            .all(|fingerprint| ran.err.contains(fingerprint))
    );
    let left = fingerprints(&document, "unexpected");
    assert_eq!(left.len() + accepted.len(), before.len());
    assert_eq!(run(&dir, &["rules", log]).status, 0);

    let again = run(
        &dir,
        &["allow", "--function", "new_node", log, "--reason", "x"],
    );
    assert_eq!(again.status, 2);
    for (args, message) in [
        (vec!["--function", "f"], "required arguments"),
        (vec!["lg2-0000"], "no log is given"),
        (
            vec!["--site", "leaks.c", log],
            "expected FILE:LINE or FILE:LINE:COLUMN",
        ),
        (
            vec!["--kind", "leaks", "lg2-0000", log],
            "together with a fingerprint",
        ),
        (
            vec!["--function", "f", "--kind", "leeks", log],
            "did you mean `leaks`?",
        ),
    ] {
        let ran = run(&dir, &[&["allow", "--reason", "x"], &args[..]].concat());
        assert!(
            ran.status == 2 && ran.err.contains(message),
            "{args:?}: {}",
            ran.err
        );
    }
}

#[test]
fn findings_at_a_line_are_accepted_by_one_rule() {
    let dir = folder();
    let log = report("memcheck/leak-check-full");
    let log = log.to_str().unwrap();
    let ran = run(
        &dir,
        &[
            "allow",
            "--site",
            "leaks.c:20",
            log,
            "--reason",
            "x",
            "--dry-run",
        ],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("\"src:leaks.c:20\""), "{}", ran.out);
    assert!(ran.out.contains("\nlimit = { bytes = "), "{}", ran.out);
    let unlimited = run(
        &dir,
        &[
            "allow",
            "--site",
            "leaks.c:20",
            log,
            "--reason",
            "x",
            "--dry-run",
            "--no-limit",
        ],
    );
    assert!(!unlimited.out.contains("limit"), "{}", unlimited.out);
}

#[test]
fn limits_expiry_and_expectations_fail_with_their_codes() {
    let dir = folder();
    for (more, want) in [
        ("", vec![]),
        ("expires = 2026-06-01\n", vec![]),
        ("expires = 2026-05-31\n", vec!["expired-rule"]),
        ("limit = { findings = 6 }\n", vec![]),
        ("limit = { findings = 5 }\n", vec!["over-limit"]),
        ("limit = { bytes = 3333 }\n", vec!["over-limit"]),
        ("limit = { bytes = 3334, blocks = 7 }\n", vec![]),
        ("expect = 6\n", vec![]),
        ("expect = 5\n", vec!["expectation-missed"]),
        ("bytes = 1337\n", vec!["unexpected-finding"]),
        ("kinds = [\"leak-definite\"]\n", vec!["unexpected-finding"]),
        ("bytes = { min = 32, max = 1337 }\n", vec![]),
    ] {
        write(&dir, "leakgate.toml", &format!("{EVERY_LSAN}{more}"));
        assert_eq!(
            reason_codes(&document(&dir, &["lsan.log", "--today", "2026-06-01"])),
            want,
            "{more}"
        );
    }
    // A limit counts gated findings only, which excludes reachable memory.
    write(
        &dir,
        "leakgate.toml",
        "[[allow]]\nstack = [\"runtime...\", \"fun:*\"]\nreason = \"x\"\nlimit = { bytes = 1 }\n",
    );
    let log = report("memcheck/all-leaks-rust");
    let over = document(&dir, &[log.to_str().unwrap()]);
    let findings = over["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["kind"] != "leak-reachable" && f["rule"].is_string());
    let bytes: u64 = findings.filter_map(|f| f["leak"]["bytes"].as_u64()).sum();
    let reachable = over["findings"]
        .as_array()
        .unwrap()
        .iter()
        .any(|f| f["kind"] == "leak-reachable" && f["rule"].is_string());
    let message = over["verdict"]["reasons"].to_string().replace(',', "");
    assert!(
        reachable && message.contains(&format!("{bytes} bytes (limit 1)")),
        "{bytes}: {message}"
    );
    write(
        &dir,
        "leakgate.toml",
        &format!(
            "{EVERY_LSAN}\n[[allow]]\nid = \"later\"\nstack = [\"...\", \"fun:many_places\"]\n\
             reason = \"x\"\n"
        )
        .replace("reason = \"why\"", "reason = \"why\"\nexpires = 2020-01-01"),
    );
    assert_eq!(
        reason_codes(&document(&dir, &["lsan.log"])),
        ["expired-rule"],
        "the first match is final"
    );
}

#[test]
fn command_line_overrides_policy_of_configuration() {
    let dir = folder();
    write(
        &dir,
        "leakgate.toml",
        "[gate]\nrequire = [\"valgrind\"]\nfail-on = [\"errors\"]\nsilence = \"pass\"\n",
    );
    assert_eq!(
        reason_codes(&document(&dir, &["lsan.log"])),
        ["missing-report"]
    );
    assert_eq!(
        reason_codes(&document(&dir, &["memcheck.log"])),
        Vec::<&str>::new()
    );
    assert_eq!(
        reason_codes(&document(&dir, &["memcheck.log", "--fail-on", "leaks"])),
        ["unexpected-finding"]
    );
    assert_eq!(
        reason_codes(&document(&dir, &["memcheck.log", "--no-config"])),
        ["unexpected-finding"]
    );
    assert_eq!(
        run(&dir, &["check", "memcheck.log", "--fail-on", "leak"]).status,
        2
    );
    write(&dir, "supp", "leak:many_places\n");
    write(
        &dir,
        "leakgate.toml",
        "[files]\nsuppressions = [\"supp\"]\n",
    );
    assert_eq!(run(&dir, &["check", "lsan.log"]).status, 0);
    write(
        &dir,
        "leakgate.toml",
        "\n[files]\nsuppressions = [\"gone\"]\n",
    );
    let ran = run(&dir, &["check", "lsan.log"]);
    assert!(
        ran.status == 2
            && ran
                .err
                .contains("leakgate.toml:3: cannot read suppression file gone: file not found"),
        "{}",
        ran.err
    );
}

#[test]
fn all_errors_are_reported_at_once() {
    let dir = folder();
    write(
        &dir,
        "leakgate.toml",
        "[gat]\n[files]\npacks = [\"pyton\"]\n[[allow]]\nstack = [\"malloc\"]\n",
    );
    let ran = run(&dir, &["check", "lsan.log"]);
    assert_eq!(ran.status, 2);
    for part in [
        "leakgate.toml:1:2: unknown key `gat`",
        "did you mean `python`?",
        "missing `reason`",
        "did you mean `fun:malloc`?",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("error: ").count(), 4, "{}", ran.err);
    write(&dir, "bad.supp", "{\nname\nMemcheck:Leek\nfun:x\n}\n");
    write(&dir, "worse.supp", "leek:x\n");
    write(
        &dir,
        "leakgate.toml",
        "[files]\nsuppressions = [\"bad.supp\", \"worse.supp\"]\n",
    );
    let ran = run(&dir, &["check", "lsan.log"]);
    assert!(
        ran.status == 2
            && ran
                .err
                .contains("bad.supp:3: unknown Memcheck suppression kind `Leek`"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("worse.supp:1: "), "{}", ran.err);
}

#[test]
fn baseline_accepts_recorded_findings_and_grows_only_on_request() {
    let dir = folder();
    assert_eq!(run(&dir, &["baseline", "write", "memcheck.log"]).status, 0);
    assert_eq!(
        run(&dir, &["baseline", "write", "memcheck.log"]).status,
        2,
        "the baseline already exists"
    );
    let baseline = ["--baseline", "leakgate-baseline.json"];
    assert_eq!(
        reason_codes(&document(
            &dir,
            &[&["memcheck.log"][..], &baseline].concat()
        )),
        Vec::<&str>::new()
    );
    let log = fs::read_to_string(dir.path().join("memcheck.log")).unwrap();
    // The leak of 100 bytes grows, and the summaries with it.
    let grown = log
        .replace("100 bytes in 1 blocks are", "108 bytes in 1 blocks are")
        .replace("definitely lost: 1,500,164", "definitely lost: 1,500,172");
    write(&dir, "grown.log", &grown);
    let codes_of = |name: &str| {
        reason_codes(&document(&dir, &[&[name][..], &baseline].concat()))
            .iter()
            .map(|c| (*c).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(codes_of("grown.log").contains(&"grown-finding".to_owned()));
    let clean = document(&dir, &[&["clean.log"][..], &baseline].concat());
    assert_eq!(clean["baseline"]["fixed"].as_array().unwrap().len(), 5);
    let ran = run(
        &dir,
        &[
            "baseline",
            "update",
            "lsan.log",
            "--baseline",
            "leakgate-baseline.json",
        ],
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    let known = |dir: &TempDir| {
        fs::read_to_string(dir.path().join("leakgate-baseline.json"))
            .unwrap()
            .matches("fingerprint")
            .count()
    };
    assert_eq!(
        known(&dir),
        5,
        "nothing counts as fixed because memcheck did not run, and nothing is added"
    );
    assert_eq!(
        run(
            &dir,
            &[
                "baseline",
                "update",
                "lsan.log",
                "--grow",
                "--baseline",
                "leakgate-baseline.json"
            ]
        )
        .status,
        0
    );
    assert_eq!(known(&dir), 9);
    assert_eq!(
        run(
            &dir,
            &[
                "baseline",
                "update",
                "clean.log",
                "--baseline",
                "leakgate-baseline.json"
            ]
        )
        .status,
        0
    );
    assert_eq!(known(&dir), 4);
    let cut: String = log.lines().take(40).collect::<Vec<_>>().join("\n");
    write(&dir, "cut.log", &cut);
    let ran = run(&dir, &["baseline", "write", "cut.log", "--force"]);
    assert!(
        ran.status == 2 && ran.err.contains("the run is incomplete"),
        "{}",
        ran.err
    );
}

#[test]
fn runs_are_compared_and_merged() {
    let dir = folder();
    for name in ["lsan", "memcheck", "clean"] {
        run(
            &dir,
            &[
                "check",
                &format!("{name}.log"),
                "--format",
                &format!("json={name}.json"),
            ],
        );
    }
    assert_eq!(
        run(&dir, &["diff", "memcheck.json", "memcheck.json"]).status,
        0
    );
    let worse = run(&dir, &["diff", "clean.json", "memcheck.json"]);
    assert!(
        worse.status == 1
            && worse
                .out
                .ends_with("5 new findings, 0 grown, 0 moved, 0 fixed\n"),
        "{}",
        worse.out
    );
    let better = run(&dir, &["diff", "memcheck.json", "clean.json"]);
    assert!(
        better.status == 0
            && better
                .out
                .ends_with("0 new findings, 0 grown, 0 moved, 5 fixed\n"),
        "{}",
        better.out
    );

    // Descriptor leaks are compared by their number.
    let log = report("memcheck/track-fds-327");
    let mut more = document(&dir, &[log.to_str().unwrap()]);
    write(&dir, "fds.json", &more.to_string());
    let at = more["findings"]
        .as_array()
        .unwrap()
        .iter()
        .position(|f| f["kind"] == "fd-leak")
        .unwrap();
    let count = more["findings"][at]["occurrences"].as_u64().unwrap();
    more["findings"][at]["occurrences"] = (count + 1).into();
    let records = more["reports"][0]["records"].as_array_mut().unwrap();
    records
        .iter_mut()
        .filter(|r| r[0] == at)
        .for_each(|r| r[1] = (r[1].as_u64().unwrap() + 1).into());
    write(&dir, "more.json", &more.to_string());
    let ran = run(&dir, &["diff", "fds.json", "more.json"]);
    assert!(
        ran.status == 1
            && ran
                .out
                .contains(" descriptors: 5 descriptors -> 6 descriptors"),
        "{}",
        ran.out
    );

    // Reports show the changes, and the verdict stays the same.
    for (base, log, want, status) in [
        (
            "clean.json",
            "memcheck.log",
            "5 new findings, 0 grown, 0 moved, 0 fixed",
            1,
        ),
        (
            "memcheck.json",
            "clean.log",
            "0 new findings, 0 grown, 0 moved, 5 fixed",
            0,
        ),
    ] {
        let ran = run(
            &dir,
            &[
                "check",
                log,
                "--base",
                base,
                "--format",
                "text",
                "--format",
                "markdown=a.md",
                "--format",
                "html=a.html",
            ],
        );
        assert!(
            ran.status == status
                && ran
                    .out
                    .contains(&format!("compared with the base run: {want}\n")),
            "{}",
            ran.out
        );
        for file in ["a.md", "a.html"] {
            assert!(
                fs::read_to_string(dir.path().join(file))
                    .unwrap()
                    .contains(&format!("Compared with the base run: {want}.")),
                "{file}"
            );
        }
    }
    let markdown = run(
        &dir,
        &[
            "check",
            "memcheck.log",
            "--base",
            "memcheck.json",
            "--format",
            "markdown",
        ],
    )
    .out;
    assert!(
        markdown.contains("| State |") && markdown.contains("| known |"),
        "{markdown}"
    );

    // A rule that one leg uses isn't unused in the merged run.
    write(
        &dir,
        "leakgate.toml",
        &format!("[gate]\nunused-rules = \"fail\"\n{EVERY_LSAN}"),
    );
    let ran = run(
        &dir,
        &["merge", "lsan.json", "clean.json", "--format", "json"],
    );
    let merged = ran.json();
    assert_eq!(
        (ran.status, reason_codes(&merged)),
        (0, vec![]),
        "{}",
        ran.out
    );
    assert_eq!(merged["inputs"][0]["leg"], "lsan");
    let ran = run(
        &dir,
        &["merge", "lsan.json", "memcheck.json", "--format", "json"],
    );
    assert_eq!(ran.status, 1);
    write(
        &dir,
        "half.json",
        &fs::read_to_string(dir.path().join("lsan.json")).unwrap()[..400],
    );
    assert_eq!(run(&dir, &["merge", "lsan.json", "half.json"]).status, 2);
}

#[test]
fn duplicate_leg_counts_once_and_silent_leg_fails() {
    let dir = folder();
    write(&dir, "silent.log", "all tests passed\n");
    run(
        &dir,
        &["check", "memcheck.log", "--format", "json=memcheck.json"],
    );
    run(
        &dir,
        &[
            "check",
            "silent.log",
            "--silence",
            "pass",
            "--format",
            "json=silent.json",
        ],
    );
    fs::copy(
        dir.path().join("memcheck.json"),
        dir.path().join("copy.json"),
    )
    .unwrap();
    let ran = run(
        &dir,
        &[
            "merge",
            "memcheck.json",
            "copy.json",
            "memcheck.json",
            "--format",
            "json",
        ],
    );
    let (once, merged) = (document(&dir, &["memcheck.log"]), ran.json());
    assert_eq!(
        once["findings"][0]["occurrences"],
        merged["findings"][0]["occurrences"]
    );
    let notes = "copy.json is identical to memcheck.json; ignoring it\n\
        memcheck.json is given twice; counting it once\n";
    assert_eq!(ran.err, notes);
    let ran = run(&dir, &["merge", "silent.json", "--format", "json"]);
    let merged = ran.json();
    assert_eq!(
        (ran.status, reason_codes(&merged)),
        (1, vec!["no-evidence"])
    );
    assert_eq!(
        run(&dir, &["merge", "silent.json", "--silence", "pass"]).status,
        0
    );
}

#[test]
fn merged_report_does_not_depend_on_the_number_of_threads() {
    let dir = folder();
    let names: Vec<String> = (0..30).map(|n| format!("{n}.json")).collect();
    for (n, name) in names.iter().enumerate() {
        let log = ["memcheck.log", "clean.log"][n % 2];
        // The reports differ, because each names another log.
        let copy = format!("{}.log", n / 3);
        fs::copy(dir.path().join(log), dir.path().join(&copy)).unwrap();
        run(&dir, &["check", &copy, "--format", &format!("json={name}")]);
    }
    write(&dir, "broken.json", "{");
    let merge = |jobs: &str, extra: &[&str]| {
        let mut words = vec!["merge", "--jobs", jobs, "--format", "json"];
        words.extend(names.iter().map(String::as_str));
        words.extend(extra);
        run(&dir, &words)
    };
    let one = merge("1", &[]);
    assert_eq!(one.status, 1, "{}", one.err);
    assert!(one.err.contains("is identical to"), "{}", one.err);
    let broken = ["broken.json", "missing.json", "broken.json"];
    let errors = merge("1", &broken);
    assert_eq!(errors.status, 2);
    for jobs in ["2", "5"] {
        let more = merge(jobs, &[]);
        assert_eq!((more.out, more.err), (one.out.clone(), one.err.clone()));
        assert_eq!(merge(jobs, &broken).err, errors.err);
    }
}

#[test]
fn page_of_known_findings_names_why_and_until_when() {
    let dir = folder();
    let config = "[[allow]]\nid = \"pool\"\nkinds = [\"leak-definite\"]\n\
        stack = [\"...\", \"fun:many_places\"]\n\
        reason = \"Freed by @everyone <b>later</b>.\"\nowner = \"@core\"\n\
        investigation = \"docs/pool.md#cause\"\n\
        references = [\"https://example.org/1\", \"missing.md\"]\nexpires = 2999-01-01\n";
    write(&dir, "leakgate.toml", config);
    let page = |extra: &[&str]| {
        let args = [&["rules", "--format", "markdown"][..], extra].concat();
        run(&dir, &args)
    };
    let missing = page(&[]);
    assert_eq!((missing.status, missing.out.as_str()), (2, ""));
    for path in ["docs/pool.md#cause", "missing.md"] {
        let message = format!("leakgate.toml:1: cannot find {path}, to which `pool` refers");
        assert!(missing.err.contains(&message), "{}", missing.err);
    }
    fs::create_dir(dir.path().join("docs")).unwrap();
    write(&dir, "docs/pool.md", "");
    write(&dir, "missing.md", "");
    let text = page(&["lsan.log"]).out;
    let expected = "# Known findings\n\n1 rule accepts findings of memory checkers.\n\n\
        ## `pool`\n\nFreed by `@everyone` `<b>later</b>`.\n\n\
        - Condition: `kinds: leak-definite`\n- Condition: `...`\n\
        - Condition: `fun:many_places`\n- Owner: `@core`\n\
        - Investigation: `docs/pool.md#cause`\n- Reference: <https://example.org/1>\n\
        - Reference: `missing.md`\n- Expires: 2999-01-01\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("- Accepted in this run: "), "{text}");
    assert!(
        text.ends_with("- Defined in: `leakgate.toml:1`\n"),
        "{text}"
    );
}

#[test]
fn report_never_overwrites_an_input_file() {
    let dir = folder();
    write(
        &dir,
        "leakgate.toml",
        "[files]\nsuppressions = [\"a.supp\"]\n",
    );
    write(&dir, "a.supp", "leak:many_places\n");
    for file in ["clean.log", "./leakgate.toml", "a.supp"] {
        let before = fs::read(dir.path().join(file)).unwrap();
        let ran = run(
            &dir,
            &["check", "clean.log", "--format", &format!("json={file}")],
        );
        assert!(
            ran.status == 2 && ran.err.contains("refusing to overwrite input file"),
            "{}",
            ran.err
        );
        assert_eq!(fs::read(dir.path().join(file)).unwrap(), before);
    }
}

#[test]
fn expired_rule_is_not_overridden_by_baseline() {
    let dir = folder();
    write(
        &dir,
        "leakgate.toml",
        &format!("{EVERY_LSAN}expires = 2026-01-01\n"),
    );
    assert_eq!(
        run(
            &dir,
            &["baseline", "write", "lsan.log", "--today", "2026-02-01"]
        )
        .status,
        0
    );
    let text = fs::read_to_string(dir.path().join("leakgate-baseline.json")).unwrap();
    let baseline: Value = serde_json::from_str(&text).unwrap();
    assert!(baseline["findings"].as_array().unwrap().iter().all(|f| {
        f["frames"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f != "many_places")
    }));
    let ran = run(
        &dir,
        &[
            "check",
            "lsan.log",
            "--today",
            "2026-02-01",
            "--baseline",
            "leakgate-baseline.json",
        ],
    );
    assert_eq!(ran.status, 1, "{}", ran.out);
}

#[test]
fn merging_one_report_reproduces_it() {
    let dir = folder();
    for name in ["lsan", "memcheck", "clean"] {
        run(
            &dir,
            &[
                "check",
                &format!("{name}.log"),
                "--format",
                &format!("json={name}.json"),
            ],
        );
        run(
            &dir,
            &[
                "merge",
                &format!("{name}.json"),
                "--format",
                "json=again.json",
            ],
        );
        let read = |file: &str| -> Value {
            serde_json::from_str(&fs::read_to_string(dir.path().join(file)).unwrap()).unwrap()
        };
        let (before, after) = (read(&format!("{name}.json")), read("again.json"));
        for part in ["findings", "reports", "problems", "rules"] {
            assert_eq!(before[part], after[part], "{name} {part}");
        }
        assert_eq!(
            before["verdict"]["reasons"], after["verdict"]["reasons"],
            "{name}"
        );
    }
}

#[test]
fn rules_are_converted_unless_they_cannot_be_expressed() {
    let dir = folder();
    write(
        &dir,
        "a.supp",
        "# known
{
  pool
  Memcheck:Leak
  match-leak-kinds: definite
  fun:malloc
  ...
  fun:_ZN2ns4workEi
}
{
  wild
  Memcheck:Leak
  fun:_ZN2ns*
}
{
  read
  Memcheck:Addr4
  fun:f
}
",
    );
    let ran = run(&dir, &["rules", "convert", "a.supp", "--to", "toml"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("`wild` cannot be expressed"),
        "{}",
        ran.err
    );
    for part in [
        "sym:ns::work(int)",
        "kinds = [\"leak-definite\"]",
        "reason = \"known\"",
        "title = \"Invalid * of size 4\"",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    write(&dir, "again.toml", &ran.out);
    assert_eq!(run(&dir, &["rules", "--config", "again.toml"]).status, 0);
    let suppressed = run(&dir, &["suppress", "--format", "lsan", "lsan.log"]);
    write(&dir, "lsan.supp", &suppressed.out);
    assert_eq!(
        run(&dir, &["check", "lsan.log", "--suppressions", "lsan.supp"]).status,
        0,
        "{}",
        suppressed.out
    );
    let suppressed = run(&dir, &["suppress", "--format", "valgrind", "memcheck.log"]);
    write(&dir, "memcheck.supp", &suppressed.out);
    assert_eq!(
        run(
            &dir,
            &["check", "memcheck.log", "--suppressions", "memcheck.supp"]
        )
        .status,
        0,
        "{}",
        suppressed.out
    );
}

#[test]
fn packs_are_explained_and_off_by_default() {
    let dir = folder();
    let ran = run(&dir, &["explain", "pack", "python"]);
    assert!(
        ran.status == 0 && ran.out.contains("python/gil-lock") && ran.out.contains("see https://"),
        "{}",
        ran.out
    );
    assert_eq!(run(&dir, &["explain", "pack", "pyton"]).status, 2);
    let rust = report("memcheck/all-leaks-rust");
    let used = |more: &[&str]| {
        let document = document(&dir, &[&[rust.to_str().unwrap()][..], more].concat());
        document["rules"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["records"].as_u64() > Some(0))
            .count()
    };
    assert_eq!((used(&[]), used(&["--pack", "rust-std"])), (0, 1));
}

#[test]
fn weak_finding_is_accepted_with_a_limit() {
    let dir = folder();
    let overflow = |line: u32| {
        format!(
            "src/sum.c:{line}:7: runtime error: signed integer overflow: 2147483647 + 1 cannot be \
             represented in type 'int'\n"
        )
    };
    write(&dir, "one.log", &overflow(12));
    write(&dir, "two.log", &(overflow(12) + &overflow(400)));
    let fingerprint = fingerprints(&document(&dir, &["one.log"]), "unexpected").remove(0);
    let ran = run(&dir, &["allow", &fingerprint, "one.log", "--reason", "x"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(
        ran.out.contains("limit = { per-process = 1 }"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("the rule is limited"), "{}", ran.err);
    assert_eq!(run(&dir, &["check", "one.log"]).status, 0);
    assert_eq!(reason_codes(&document(&dir, &["two.log"])), ["over-limit"]);
    fs::remove_file(dir.path().join("leakgate.toml")).unwrap();
    let write_baseline = ["baseline", "write", "--baseline", "b.json", "one.log"];
    assert_eq!(run(&dir, &write_baseline).status, 0);
    let check = |log| run(&dir, &["check", "--baseline", "b.json", log]).status;
    assert_eq!((check("one.log"), check("two.log")), (0, 1));
}
