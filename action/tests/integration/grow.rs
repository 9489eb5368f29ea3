//! `leakgate grow` on logs and JSON reports.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{self, RunResult};

/// Returns a report of memcheck with reachable blocks of 16 bytes, allocated by `keep`.
fn log(blocks: u64) -> String {
    let bytes = blocks * 16;
    let lines = [
        "Memcheck, a memory error detector",
        "Command: ./app",
        "",
        "HEAP SUMMARY:",
        &format!("    in use at exit: {bytes} bytes in {blocks} blocks"),
        "",
        &format!("{bytes} bytes in {blocks} blocks are still reachable in loss record 1 of 1"),
        "   at 0x4840000: malloc (in /usr/lib/vgpreload_memcheck.so)",
        "   by 0x109100: keep (app.c:7)",
        "   by 0x109200: main (app.c:12)",
        "",
        "LEAK SUMMARY:",
        "   definitely lost: 0 bytes in 0 blocks",
        "   indirectly lost: 0 bytes in 0 blocks",
        "     possibly lost: 0 bytes in 0 blocks",
        &format!("   still reachable: {bytes} bytes in {blocks} blocks"),
        "        suppressed: 0 bytes in 0 blocks",
        "",
        "ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)",
    ];
    lines.map(|line| format!("==7== {line}\n")).concat()
}

/// Returns a folder with a log for each number of blocks: `0.log`, `1.log` and so on.
fn folder(blocks: &[u64]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (at, blocks) in blocks.iter().enumerate() {
        fs::write(folder.path().join(format!("{at}.log")), log(*blocks)).unwrap();
    }
    folder
}

fn grow(folder: &Path, args: &[&str]) -> RunResult {
    common::run(folder, &[&["grow"], args].concat())
}

const LOGS: [&str; 5] = ["--steps", "100,200,400", "0.log", "1.log", "2.log"];

#[test]
fn growth_fails_with_its_line_and_rate() {
    let folder = folder(&[101, 201, 401]);
    let result = grow(folder.path(), &LOGS);
    assert_eq!(result.status, 1, "{}", result.err);
    assert_eq!(
        result.out,
        "trend    per step           after 100, 200, 400 steps       site\n\
         growing  1 block, 16 bytes  101 -> 201 -> 401 blocks   ▂▄█  keep in app.c:7\n\n\
         fail: 1 site grows (1 growing, 0 unclear, 0 warming up, 0 varying, 0 constant)\n"
    );
    let result = grow(folder.path(), &[&LOGS[..], &["--format", "json"]].concat());
    let site = &result.json()["sites"][0];
    assert_eq!(site["place"], "app.c:7");
    let one = json!({ "numerator": 1, "denominator": 1, "exact": true });
    assert_eq!(site["blocks_per_step"], one);
}

#[test]
fn constant_memory_passes() {
    let folder = folder(&[5, 5, 5]);
    let result = grow(folder.path(), &LOGS);
    assert_eq!(result.status, 0, "{}", result.err);
    assert!(
        result.out.starts_with("pass: no unexpected growth ("),
        "{}",
        result.out
    );
    let result = grow(folder.path(), &[&LOGS[..], &["--all"]].concat());
    assert!(
        result
            .out
            .contains("constant  -         5 -> 5 -> 5 blocks"),
        "{}",
        result.out
    );
}

#[test]
fn page_has_a_curve_and_escaped_names() {
    let folder = folder(&[101, 201, 401]);
    for name in ["0.log", "1.log", "2.log"] {
        let path = folder.path().join(name);
        let log = fs::read_to_string(&path).unwrap();
        fs::write(path, log.replace("app.c", "<b>.c")).unwrap();
    }
    let result = grow(folder.path(), &[&LOGS[..], &["--format", "html"]].concat());
    assert_eq!(result.status, 1, "{}", result.err);
    let row = "<tr><td class=\"fails\">growing<td>1 block, 16 bytes<td>101 -> 201 -> 401 blocks<td>\
               <svg width=\"120\" height=\"32\" role=\"img\">\
               <polyline points=\"31,23 60,16 118,2\"/></svg><td>";
    assert!(result.out.contains(row), "{}", result.out);
    assert!(
        result.out.contains("keep in &lt;b&gt;.c:7"),
        "{}",
        result.out
    );
}

#[test]
fn unclear_site_names_another_step() {
    let folder = folder(&[4, 8, 16]);
    let result = grow(folder.path(), &LOGS);
    assert_eq!(result.status, 0, "{}", result.err);
    let note = "unclear: keep in app.c:7 may grow, or may be emptied regularly; \
                run --steps 100,200,400,408\n";
    assert!(result.out.contains(note), "{}", result.out);
}

#[test]
fn json_reports_are_points() {
    let folder = folder(&[101, 201, 401]);
    for at in ["0", "1", "2"] {
        let to = format!("json={at}.json");
        let args = [
            "check",
            "--no-config",
            "--format",
            &to,
            &format!("{at}.log"),
        ];
        assert_eq!(common::run(folder.path(), &args).status, 0);
    }
    let mixed = [
        "--steps",
        "100,200,400",
        "0.json",
        "1.log",
        "2.json",
        "--format",
        "json",
    ];
    let logs = [&LOGS[..], &["--format", "json"]].concat();
    let (mixed, logs) = (grow(folder.path(), &mixed), grow(folder.path(), &logs));
    assert_eq!((mixed.status, &mixed.err), (1, &String::new()));
    assert_eq!(mixed.out, logs.out);
}

/// Returns the sites of a report, each with its trend, place, and blocks.
fn sites(result: &RunResult) -> Vec<(String, String, Value)> {
    let report = result.json();
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let sites = report["sites"].as_array().unwrap().iter();
    sites
        .map(|site| {
            (
                text(&site["trend"]),
                text(&site["place"]),
                site["blocks"].clone(),
            )
        })
        .collect()
}

#[test]
fn lines_of_a_function_are_different_sites() {
    let folder = folder(&[101, 201, 401]);
    for name in ["0.log", "1.log", "2.log"] {
        let path = folder.path().join(name);
        let growing = fs::read_to_string(&path).unwrap();
        let other = log(5)
            .replace("app.c:7", "app.c:8")
            .replace("==7==", "==8==");
        fs::write(path, growing + &other).unwrap();
    }
    let args = [&LOGS[..], &["--format", "json"]].concat();
    let expected = [
        ("growing".into(), "app.c:7".into(), json!([101, 201, 401])),
        ("constant".into(), "app.c:8".into(), json!([5, 5, 5])),
    ];
    assert_eq!(sites(&grow(folder.path(), &args)), expected);
}

#[test]
fn site_whose_line_moves_is_one_site() {
    let folder = folder(&[101, 201, 401]);
    let path = folder.path().join("2.log");
    fs::write(&path, log(401).replace("app.c:7", "app.c:9")).unwrap();
    let args = [&LOGS[..], &["--format", "json"]].concat();
    let expected = [("growing".into(), "app.c:9".into(), json!([101, 201, 401]))];
    assert_eq!(sites(&grow(folder.path(), &args)), expected);
}

#[test]
fn blocks_of_different_kinds_are_one_site() {
    let folder = folder(&[101, 201, 401]);
    let lost = log(201)
        .replace("still reachable in", "definitely lost in")
        .replace(
            "still reachable: 3216 bytes in 201 blocks",
            "still reachable: 0 bytes in 0 blocks",
        )
        .replace(
            "definitely lost: 0 bytes in 0 blocks",
            "definitely lost: 3216 bytes in 201 blocks",
        )
        .replace("0 errors from 0 contexts", "1 errors from 1 contexts");
    fs::write(folder.path().join("1.log"), lost).unwrap();
    let result = grow(folder.path(), &[&LOGS[..], &["--format", "json"]].concat());
    let expected = [("growing".into(), "app.c:7".into(), json!([101, 201, 401]))];
    assert_eq!(sites(&result), expected, "{}", result.err);
}

#[test]
fn processes_that_share_the_work_are_added() {
    let folder = folder(&[]);
    for (at, blocks) in [[30, 70], [110, 90], [160, 240]].iter().enumerate() {
        let both = log(blocks[0]) + &log(blocks[1]).replace("==7==", "==8==");
        fs::write(folder.path().join(format!("{at}.log")), both).unwrap();
    }
    let result = grow(folder.path(), &[&LOGS[..], &["--format", "json"]].concat());
    let expected = [("growing".into(), "app.c:7".into(), json!([100, 200, 400]))];
    assert_eq!(sites(&result), expected, "{}", result.err);
}

#[test]
fn rule_accepts_growth_only_if_it_says_so() {
    let folder = folder(&[101, 201, 401]);
    let rule = "[[allow]]\nid = \"kept\"\nstack = [\"...\", \"fun:keep\"]\nreason = \"Kept.\"\n";
    for (growth, status, note) in [
        (
            "",
            1,
            "growing: rule `kept` accepts keep in app.c:7, but not its growth\n",
        ),
        (
            "growth = { blocks = 1 }\n",
            0,
            "allowed: rule `kept` accepts the growth of keep in app.c:7\n",
        ),
        ("growth = { bytes = 15 }\n", 1, "but not its growth\n"),
        (
            "growth = { blocks = 1 }\nexpires = 2020-01-01\n",
            1,
            "fail: 1 site grows",
        ),
    ] {
        let path = folder.path().join("leakgate.toml");
        fs::write(path, format!("{rule}{growth}")).unwrap();
        let result = grow(folder.path(), &LOGS);
        assert_eq!(
            result.status, status,
            "{growth}: {}{}",
            result.out, result.err
        );
        assert!(result.out.contains(note), "{growth}: {}", result.out);
    }
}

#[test]
fn incomplete_points_are_errors() {
    let folder = folder(&[101, 201, 401]);
    let whole = log(201);
    let end = whole.find("==7== LEAK SUMMARY").unwrap();
    let hidden = {
        let start = whole.find("==7== 3216 bytes").unwrap();
        format!("{}{}", &whole[..start], &whole[end..])
    };
    for (log, message) in [
        (&whole[..end], "cannot use 1.log as a point: "),
        ("", "cannot use 1.log as a point: no checker output"),
        (
            &hidden,
            "cannot use 1.log as a point: memcheck counted 201 reachable blocks, but lists none of \
             them\nhelp: run memcheck with --leak-check=full --show-leak-kinds=all",
        ),
        (
            "WARNING: ThreadSanitizer: data race (pid=7)\n  Write of size 4 at 0x1 by main thread:\n    \
             #0 f a.c:1 (app+0x1)\n\nSUMMARY: ThreadSanitizer: data race a.c:1 in f\n",
            "cannot use 1.log as a point: ",
        ),
    ] {
        fs::write(folder.path().join("1.log"), log).unwrap();
        let result = grow(folder.path(), &LOGS);
        assert_eq!(result.status, 2, "{message}: {}", result.out);
        assert!(result.err.contains(message), "{}", result.err);
        assert_eq!(result.out, "");
    }
    // The JSON report of a truncated log is no point either.
    fs::write(folder.path().join("1.log"), &whole[..end]).unwrap();
    common::run(
        folder.path(),
        &["check", "--format", "json=1.json", "1.log"],
    );
    let args = ["--steps", "100,200,400", "0.log", "1.json", "2.log"];
    let result = grow(folder.path(), &args);
    assert_eq!(result.status, 2, "{}", result.out);
    assert!(
        result.err.contains("cannot use 1.json as a point: "),
        "{}",
        result.err
    );
}

#[test]
fn unsuitable_arguments_are_errors() {
    let folder = folder(&[101, 201, 401]);
    for (args, message) in [
        (
            ["--steps", "1,2", "0.log", "1.log"].as_slice(),
            "cannot find growth in 2 points",
        ),
        (
            &["--steps", "1,3,2", "0.log", "1.log", "2.log"],
            "invalid steps: 2 follows 3",
        ),
        (
            &["--steps", "1,2,3", "0.log", "1.log"],
            "cannot assign 3 steps to 2 runs",
        ),
        (
            &["--steps", "1,2,3", "0.log", "1.log", "9.log"],
            "cannot read 9.log: file not found",
        ),
        (&["0.log", "1.log", "2.log"], "--steps"),
        (
            &["--steps", "1,2,3", "0.log", "--", "./app"],
            "cannot be used with",
        ),
    ] {
        let result = grow(folder.path(), args);
        assert_eq!(result.status, 2, "{args:?}: {}", result.out);
        assert!(result.err.contains(message), "{args:?}: {}", result.err);
    }
}
