//! `leaks` of macOS, Application Verifier of Windows and Dr. Memory don't run here. Scripts with
//! their names write what they write, or fail as they may fail.

use std::fs;

use libtest_mimic::Trial;

use crate::needs::trials;
use crate::test_project::{RunResult, TestProject};

pub(crate) fn trials() -> Vec<Trial> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    trials!(
        "run/stand_ins",
        clean_reports_pass(),
        leaks_fail_and_accepted_leaks_pass(),
        missing_report_never_passes(),
        failing_tool_never_passes(),
        commands_that_start_tests_are_refused(),
        missing_tool_is_an_error(),
        all_skips_tools_for_single_programs(),
        verifier_is_always_disabled(),
        verifier_log_of_another_process_never_passes(),
        verifier_that_cannot_be_enabled_is_an_error(),
        dry_run_shows_verifier_commands(),
    )
}

/// `leaks --atExit -- PROGRAM...`: runs the program, hides its status, and does what `LEAKS` says.
const LEAKS: &str = r#"
test "$1 $2" = "--atExit --" && test -n "$MallocStackLogging" || { echo "usage: leaks"; exit 64; }
shift 2
"$@" & pid=$!
wait $pid
version="leaks Report Version: 4.0, multi-line stacks"
case $LEAKS in
nothing) exit 0 ;;
crash) kill -SEGV $$ ;;
error) echo "leaks cannot examine process $pid (app) because it no longer appears to be running."
    exit 2 ;;
version-only) echo "$version"; exit 0 ;;
found) cat <<END
Process:         app [$pid]
Path:            $PWD/app
Report Version:  7
Analysis Tool:   /usr/bin/leaks
----

$version
Process $pid: 250 nodes malloced for 21 KB
Process $pid: 1 leak for 48 total leaked bytes.

STACK OF 1 INSTANCE OF 'ROOT LEAK: <malloc in keep>':
2   dyld                                  0x18c0de0e0 start + 2360
1   app                                   0x1045a3f40 main + 20  app.c:9
0   app                                   0x1045a3e70 keep + 16  app.c:4
====
    1 (48 bytes) ROOT LEAK: <malloc in keep 0x600002c04040> [48]

END
    exit 1 ;;
*) echo "$version"
    echo "Process $pid: 190 nodes malloced for 15 KB"
    echo "Process $pid: 0 leaks for 0 total leaked bytes."
    exit ${STATUS:-0} ;;
esac
"#;

/// `drmemory OPTIONS -logdir FOLDER -- PROGRAM...`.
const DRMEMORY: &str = r#"
while test "$1" != --; do
    if test "$1" = -logdir; then folder=$2; fi
    shift
done
shift
"$@" & pid=$!
wait $pid; status=$?
test "$DRMEMORY" = nothing && exit $status
results=$folder/DrMemory-app.$pid.000
mkdir -p "$results"
{
    echo "Dr. Memory version 2.6.0 build 0 built on Jan  1 2024 00:00:00"
    echo "Dr. Memory results for pid $pid: \"app\""
    echo "Application cmdline: \"./app\""
    echo "Recorded 118 suppression(s) from default suppress-default.txt"
    echo
    echo "==========================================================================="
    echo "FINAL SUMMARY:"
    echo
    echo "DUPLICATE ERROR COUNTS:"
    echo
    echo "SUPPRESSIONS USED:"
    echo
    echo "NO ERRORS FOUND:"
    echo "      0 unique,     0 total unaddressable access(es)"
    echo "      0 unique,     0 total uninitialized access(es)"
    echo "      0 unique,     0 total invalid heap argument(s)"
    echo "      0 unique,     0 total warning(s)"
    echo "      0 unique,     0 total,      0 byte(s) of leak(s)"
    echo "      0 unique,     0 total,      0 byte(s) of possible leak(s)"
    echo "ERRORS IGNORED:"
    echo "      0 potential error(s) (suspected false positives)"
} > "$results/results.txt"
exit $status
"#;

/// `appverif`: keeps the state in `verifier/`, and does what `VERIFIER` says. The program leaves its
/// pid in `app.pid`.
const APPVERIF: &str = r#"
echo "Application Verifier stand-in"
mkdir -p verifier
echo "$*" >> verifier/calls
case "$VERIFIER $1" in
"not-elevated -enable") echo "You must be an administrator."; exit 5 ;;
*" -enable") test "$2 $3 $4 $5 $6 $7" = "Heaps Handles Locks Memory Leak -for" || exit 64
    echo "$8" > verifier/enabled ;;
*" -disable") test "$2 $3 $4" = "* -for $(cat verifier/enabled)" || exit 64
    rm verifier/enabled ;;
"export-fails -export") echo "Cannot open the log."; exit 2 ;;
"nothing -export") ;;
*" -export") test "$2 $3 $4 $5" = "log -for app -with" || exit 64
    pid=$(cat app.pid)
    entry='<avrf:logEntry Time="2026-05-01 : 10:00:01" LayerName="Leak" StopCode="0x900"
 Severity="Error"><avrf:message>A heap allocation was leaked.</avrf:message>
<avrf:stackTrace><avrf:trace>app!keep+0x1c (c:\src\app.c @ 4)</avrf:trace></avrf:stackTrace>
</avrf:logEntry>'
    test "$VERIFIER" = found || entry=
    test "$VERIFIER" = old && pid=1
    open="<avrf:logSession TimeStarted=\"2026-05-01 : 10:00:00\" PID=\"$pid\" Version=\"2\">"
    session=$(printf '%s\n%s\n</avrf:logSession>' "$open" "$entry")
    test "$VERIFIER" = empty && session=
    printf '<?xml version="1.0" encoding="UTF-8"?>
<avrf:logfile xmlns:avrf="Application Verifier">\n%s\n' "$session" > "${6#To=}"
    test "$VERIFIER" = cut || echo '</avrf:logfile>' >> "${6#To=}" ;;
*) exit 64 ;;
esac
"#;

/// A project with the three tools in `tools/` and the program `app`.
struct Project {
    project: TestProject,
    path: String,
}

impl Project {
    fn new() -> Self {
        let project = TestProject::new();
        // A script would be refused, because it may only start tests. A shell with another name is
        // a program that does what its arguments say.
        fs::copy("/bin/sh", project.path().join("app")).unwrap();
        for (name, text) in [
            ("leaks", LEAKS),
            ("drmemory", DRMEMORY),
            ("appverif", APPVERIF),
        ] {
            project.script(&format!("tools/{name}"), text);
        }
        let tools = project.path().join("tools");
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        Self { project, path }
    }

    /// Runs `./app -c SCRIPT` under a tool, with a variable that tells the tool what to do.
    fn run(&self, tool: &str, variable: (&str, &str), script: &str) -> RunResult {
        let script = format!("echo $$ > app.pid; {script}");
        let args = ["--tool", tool, "--", "./app", "-c", &script];
        let env = [("PATH", self.path.as_str()), variable];
        self.project.run_with(&args, &env)
    }

    /// Runs a command under a tool that works.
    fn run_command(&self, args: &[&str]) -> RunResult {
        self.project.run_with(args, &[("PATH", &self.path)])
    }

    /// Returns the commands of Application Verifier that were run.
    fn verifier_calls(&self) -> String {
        fs::read_to_string(self.project.path().join("verifier/calls")).unwrap_or_default()
    }

    fn is_verifier_enabled(&self) -> bool {
        self.project.path().join("verifier/enabled").exists()
    }
}

/// The names of the tools, and the variables of their scripts.
const TOOLS: &[(&str, &str)] = &[
    ("leaks", "LEAKS"),
    ("drmemory", "DRMEMORY"),
    ("appverifier", "VERIFIER"),
];

fn clean_reports_pass() {
    for (tool, variable) in TOOLS {
        let result = Project::new().run(tool, (variable, "clean"), "echo done");
        result.assert_passes();
        assert!(result.out.contains("done"), "{}", result.out);
        let reports = result.json["reports"].as_array().unwrap();
        assert_eq!(reports.len(), 1, "{tool}");
        assert_eq!(reports[0]["tool"], *tool);
    }
}

fn leaks_fail_and_accepted_leaks_pass() {
    for (tool, variable) in [TOOLS[0], TOOLS[2]] {
        let project = Project::new();
        let result = project.run(tool, (variable, "found"), "exit 0");
        result.assert_fails_for("unexpected-finding");
        assert_eq!(result.findings(), [(tool, "leak-definite")]);
        assert_eq!(result.reason_codes(), ["unexpected-finding"], "{tool}");
        let rule = "[[allow]]\nstack = [\"fun:keep\"]\nreason = \"kept on purpose\"\n";
        project.project.write("leakgate.toml", rule);
        project
            .run(tool, (variable, "found"), "exit 0")
            .assert_passes();
    }
}

fn missing_report_never_passes() {
    for (tool, variable) in TOOLS {
        let result = Project::new().run(tool, (variable, "nothing"), "exit 0");
        result.assert_fails_for("missing-report");
        let message = format!("left no report by {tool}");
        assert!(result.out.contains(&message), "{}", result.out);
    }
    for what in ["empty", "cut"] {
        let result = Project::new().run("appverifier", ("VERIFIER", what), "exit 0");
        result.assert_fails_for("truncated-report");
    }
    let result = Project::new().run("leaks", ("LEAKS", "version-only"), "exit 0");
    result.assert_fails_for("truncated-report");
}

fn failing_tool_never_passes() {
    for what in ["crash", "error"] {
        let result = Project::new().run("leaks", ("LEAKS", what), "exit 0");
        result.assert_fails_for("command-failed");
        result.assert_fails_for("missing-report");
    }
    // Status 1 means that leaks were found, but the report has none.
    let project = Project::new();
    let script = ["--tool", "leaks", "--", "./app", "-c", "exit 0"];
    let env = [("PATH", project.path.as_str()), ("STATUS", "1")];
    let result = project.project.run_with(&script, &env);
    result.assert_fails_for("command-failed");
    for (tool, variable) in &TOOLS[1..] {
        let result = Project::new().run(tool, (variable, "clean"), "exit 3");
        result.assert_fails_for("command-failed");
    }
    let result = Project::new().run("appverifier", ("VERIFIER", "export-fails"), "exit 0");
    result.assert_fails_for("missing-report");
    assert!(
        result.out.contains("Cannot open the log."),
        "{}",
        result.out
    );
}

fn commands_that_start_tests_are_refused() {
    let project = Project::new();
    project.project.script("tests.sh", "./app -c 'exit 0'");
    for tool in ["leaks", "appverifier"] {
        for command in [
            &["sh", "-c", "./app"][..],
            &["./tests.sh"],
            &["cargo", "test"],
        ] {
            let args = [&["--tool", tool, "--"], command].concat();
            let result = project.run_command(&args);
            assert_eq!(result.status, 2, "{}{}", result.out, result.err);
            let message = format!("error: cannot check `{}` with {tool}: ", command[0]);
            assert!(result.err.contains(&message), "{}", result.err);
        }
    }
    let result = project.run_command(&["--tool", "drmemory", "--", "sh", "-c", "exit 0"]);
    result.assert_passes();
}

fn missing_tool_is_an_error() {
    let project = Project::new();
    for (tool, message) in [
        ("leaks", "only on macOS"),
        ("drmemory", "https://drmemory.org"),
        ("appverifier", "Windows SDK"),
    ] {
        let result = project
            .project
            .run(&["--tool", tool, "--", "./app", "-c", ":"]);
        assert_eq!(result.status, 2, "{}", result.err);
        assert!(result.err.contains(message), "{}", result.err);
    }
}

fn all_skips_tools_for_single_programs() {
    let project = Project::new();
    let args = ["--all", "--dry-run", "--", "sh", "-c", "./app"];
    let result = project.run_command(&args);
    assert_eq!(result.status, 0, "{}", result.err);
    let note = "skipped (only for a single program): leaks, appverifier";
    assert!(result.err.contains(note), "{}", result.err);
}

fn verifier_is_always_disabled() {
    let verifier = |what| ("VERIFIER", what);
    for (what, script) in [
        ("clean", "exit 0"),
        ("found", "exit 0"),
        ("export-fails", "exit 0"),
        ("clean", "kill -SEGV $$"),
    ] {
        let project = Project::new();
        project.run("appverifier", verifier(what), script);
        let calls = project.verifier_calls();
        assert!(
            calls.contains("-enable") && calls.contains("-export"),
            "{calls}"
        );
        assert!(!project.is_verifier_enabled(), "{what}: {calls}");
    }
    // A program that can't be started.
    let project = Project::new();
    fs::write(project.project.path().join("app"), b"\x7fELF\0").unwrap();
    let result = project.run("appverifier", verifier("clean"), "exit 0");
    assert_eq!(result.status, 2, "{}", result.err);
    assert!(project.verifier_calls().contains("-disable"));
    assert!(!project.is_verifier_enabled());
}

/// Application Verifier keeps logs, and exports the last one if the process left none.
fn verifier_log_of_another_process_never_passes() {
    let result = Project::new().run("appverifier", ("VERIFIER", "old"), "exit 0");
    result.assert_fails_for("missing-report");
}

fn verifier_that_cannot_be_enabled_is_an_error() {
    let project = Project::new();
    let result = project.run("appverifier", ("VERIFIER", "not-elevated"), "touch started");
    assert_eq!(result.status, 2, "{}", result.out);
    for part in [
        "error: cannot enable Application Verifier for app: ",
        "You must be an administrator.",
        "help: run leakgate as an administrator",
    ] {
        assert!(result.err.contains(part), "{}", result.err);
    }
    assert!(!project.project.path().join("started").exists());
}

fn dry_run_shows_verifier_commands() {
    let project = Project::new();
    let args = ["--dry-run", "--tool", "appverifier", "--", "./app"];
    let result = project.run_command(&args);
    for line in [
        "# before: appverif -enable Heaps Handles Locks Memory Leak -for app",
        "# after: appverif -export log -for app -with To=",
        "# after: appverif -disable '*' -for app",
    ] {
        assert!(result.out.contains(line), "{}{}", result.out, result.err);
    }
    assert!(project.verifier_calls().is_empty());
}
