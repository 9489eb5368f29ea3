//! Which of the programs that a command starts are checked: those of the project, however they are
//! started, and none of the system.

use libtest_mimic::Trial;

use crate::needs::{CLANG, GCC, Need, VALGRIND, trials};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/programs",
        programs_of_the_system_are_not_checked(VALGRIND, GCC),
        programs_of_the_project_are_found(VALGRIND, GCC),
        children_that_run_other_programs_are_excused(VALGRIND, GCC, PERL),
        killed_child_of_checked_program_fails(VALGRIND, GCC),
        each_leak_between_tools_is_found(VALGRIND, GCC),
        program_that_is_not_reached_fails(VALGRIND, GCC),
        patterns_choose_programs(VALGRIND, GCC),
        interpreter_of_the_command_is_checked(VALGRIND, PERL),
        short_sanitized_programs_are_seen(GCC, CLANG),
        sanitized_program_with_another_sanitizer_is_named(GCC),
    )
}

const PERL: Need = Need::Program("perl");

/// A program that starts others in the way that its first argument names.
const STARTER: &str = r#"
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    char *leak[] = {"app", "leak", NULL}, *nothing[] = {NULL};
    const char *how = argc > 1 ? argv[1] : "";
    pid_t pid;
    if (!strcmp(how, "execl")) execl("./app", "app", "leak", NULL);
    if (!strcmp(how, "execv")) execv("./app", leak);
    if (!strcmp(how, "system-call")) syscall(SYS_execve, "./app", leak, environ);
    if (!strcmp(how, "hidden")) {
        char *alone[] = {"long", NULL};
        if (fork() == 0) { syscall(SYS_execve, "./long", alone, nothing); _exit(9); }
    }
    if (!strcmp(how, "no-environment")) execve("./app", leak, nothing);
    if (!strcmp(how, "spawn")) posix_spawn(&pid, "./app", NULL, NULL, leak, environ);
    if (!strcmp(how, "tools")) return system("true; echo a | sed s/a/b/ > /dev/null");
    if (!strcmp(how, "popen")) pclose(popen("expr 1 + 1", "r"));
    if (!strcmp(how, "interpreter")) return system("perl -e 'print 1'");
    if (!strcmp(how, "own-environment")) {
        char preload[4096], *perl[] = {"perl", "-e", "print 1", NULL}, *env[] = {preload, NULL};
        const char *value = getenv("LD_PRELOAD");
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", value ? value : "");
        if (fork() == 0) { execve("/usr/bin/perl", perl, env); _exit(8); }
    }
    if (!strcmp(how, "become-tool")) execlp("true", "true", NULL);
    if (!strcmp(how, "missing")) { if (fork() == 0) { execlp("no-such-tool", "x", NULL); _exit(7); } }
    while (wait(NULL) > 0) {}
    return 0;
}
"#;

fn with_starter() -> TestProject {
    let project = TestProject::with_app("gcc");
    project.write("starter.c", STARTER);
    project.build("gcc", "starter");
    project
}

fn programs_of_the_system_are_not_checked() {
    let project = with_starter();
    project.script("tools", "expr 1 + 1; echo a | sed s/a/b/; env -i true");
    project
        .run(&["--tool", "memcheck", "--", "./tools"])
        .assert_fails_for("no-evidence");
    project.write("Makefile", "test:\n");
    project
        .run(&["--tool", "memcheck", "--", "make", "test"])
        .assert_fails_for("no-evidence");
}

fn programs_of_the_project_are_found() {
    let project = with_starter();
    for start in [
        "./app leak",
        "exec ./app leak",
        "env -i ./app leak",
        "unset LD_PRELOAD LEAKGATE_RUN; ./app leak",
        "echo ./app leak | sh",
        "nice timeout 20 ./app leak",
        "./starter execl",
        "./starter execv",
        "./starter system-call",
        "./starter no-environment",
        "./starter spawn",
        "(./app leak &); sleep 1",
        // The process is busy for about a second before it starts the program.
        "(i=0; while test $i -lt 1000000; do i=$((i+1)); done; exec ./app leak) & exit 0",
    ] {
        project.script("start", start);
        let result = project.run(&["--tool", "memcheck", "--", "./start"]);
        assert_eq!(result.findings().len(), 1, "{start}: {}", result.err);
        result.assert_fails_for("unexpected-finding");
    }
}

fn children_that_run_other_programs_are_excused() {
    let project = with_starter();
    let programs = [
        "tools",
        "popen",
        "become-tool",
        "missing",
        "interpreter",
        "own-environment",
    ];
    for how in programs {
        let result = project.run(&["--tool", "memcheck", "--", "./starter", how]);
        result.assert_passes();
    }
}

fn killed_child_of_checked_program_fails() {
    let project = with_starter();
    project.script("start", "./app kill-child; sed -n p /dev/null");
    project
        .run(&["--tool", "memcheck", "--", "./start"])
        .assert_fails_for("truncated-report");
}

fn each_leak_between_tools_is_found() {
    let project = with_starter();
    let lines: Vec<&str> = (0..40)
        .map(|at| match at % 10 {
            0 => "./app leak > /dev/null",
            _ => "expr 1 + 1 > /dev/null",
        })
        .collect();
    project.script("start", &lines.join("\n"));
    let result = project.run(&["--tool", "memcheck", "--", "./start"]);
    let occurrences = &result.json["findings"][0]["occurrences"];
    assert_eq!(occurrences.as_u64(), Some(4), "{}", result.out);
}

fn program_that_is_not_reached_fails() {
    let project = with_starter();
    project.write(
        "long.c",
        "#include <unistd.h>\nint main(void) { sleep(3); return 0; }\n",
    );
    project.build("gcc", "long");
    let arguments = ["--tool", "memcheck", "--", "./starter", "hidden"];
    let result = project.run(&arguments);
    result.assert_fails_for("no-evidence");
    assert!(
        result.out.contains("ran without a checker"),
        "{}",
        result.out
    );
}

fn patterns_choose_programs() {
    let project = with_starter();
    project.script("start", "./app leak; expr 1 + 1");
    let run = |options: &[&str]| {
        let arguments = [options, &["--tool", "memcheck", "--", "./start"]].concat();
        project.run(&arguments)
    };
    run(&["--skip", "app"]).assert_fails_for("no-evidence");
    // The findings depend on the version of `expr`.
    let tools = run(&["--only", "expr"]);
    assert!(tools.out.contains("memcheck: 1 process"), "{}", tools.out);
    project.write("leakgate.toml", "[run]\nonly = [\"starter\"]\n");
    run(&[]).assert_fails_for("no-evidence");
    run(&["--only", "*/app"]).assert_fails_for("unexpected-finding");
}

fn interpreter_of_the_command_is_checked() {
    let project = TestProject::new();
    project.write("test.pl", "print 1 + 1;\n");
    let path = project.write("script", "#!/usr/bin/env perl\nprint 1 + 1;\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
    project.script("start", "perl test.pl");
    let run = |command: &[&str]| {
        let arguments = [&["--tool", "memcheck", "--"], command].concat();
        project.run(&arguments)
    };
    for command in [&["./script"][..], &["perl", "test.pl"]] {
        let result = run(command);
        assert!(result.out.contains("memcheck: 1 process"), "{}", result.out);
    }
    run(&["./start"]).assert_fails_for("no-evidence");
    // A library that the interpreter may load.
    project.write("blib/arch/auto/X/X.so", "");
    let result = run(&["./start"]);
    assert!(result.out.contains("memcheck: 1 process"), "{}", result.out);
}

fn short_sanitized_programs_are_seen() {
    for compiler in ["gcc -fsanitize=undefined", "clang-19 -fsanitize=undefined"] {
        let project = TestProject::with_app(compiler);
        project.write("Makefile", "check:\n\t./app\n\trm app\n");
        let run = || project.run(&["--tool", "ubsan", "--", "make", "check"]);
        run().assert_passes();
        // A program without anything to check, and one without symbols.
        project.write("app.c", "int main(void) { return 0; }\n");
        for options in ["", " -s"] {
            project.build(&format!("{compiler}{options}"), "app");
            run().assert_passes();
        }
    }
}

fn sanitized_program_with_another_sanitizer_is_named() {
    let project = TestProject::with_app("gcc -fsanitize=undefined");
    project.script("start", "./app");
    let result = project.run(&["--tool", "asan", "--", "./start"]);
    let reason = result.json["verdict"]["reasons"][0]["message"].to_string();
    assert!(
        reason.contains("app") && reason.contains("-fsanitize=address"),
        "{reason}"
    );
    result.assert_fails_for("no-evidence");
}
