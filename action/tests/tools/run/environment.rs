//! Child processes that lost the options of their sanitizer.

use std::process::Command;

use libtest_mimic::Trial;

use crate::needs::{GCC, trials};
use crate::test_project::TestProject;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "run/losses",
        child_with_another_environment_fails(GCC),
        child_with_a_preloaded_runtime_gets_the_options(GCC)
    )
}

/// Runs long enough to be observed, and contains the name of a runtime, as compilers do.
const PLAIN: &str = "#include <stdio.h>\n#include <unistd.h>\n\
     int main(void) { puts(\"__asan_init __tsan_init __ubsan_handle_x\"); usleep(400000); }\n";

/// Overwrites its arguments and its environment with a title, as servers do.
const TITLE: &str = "#include <string.h>\n#include <unistd.h>\nextern char **environ;\n\
     int main(int argc, char **argv) {\n\
     char *end = argv[0];\n\
     for (int i = 0; environ[i]; i++) end = environ[i] + strlen(environ[i]);\n\
     memset(argv[0], 0, end - argv[0]); strcpy(argv[0], \"server: idle\"); usleep(400000); }\n";

fn child_with_another_environment_fails() {
    for (tool, compiler, variable) in [
        ("asan", "gcc -fsanitize=address", "ASAN_OPTIONS"),
        ("lsan", "gcc -fsanitize=leak", "LSAN_OPTIONS"),
        ("tsan", "gcc -fsanitize=thread", "TSAN_OPTIONS"),
        ("ubsan", "gcc -fsanitize=undefined", "UBSAN_OPTIONS"),
    ] {
        let project = TestProject::with_app(compiler);
        project.write("title.c", TITLE);
        project.build(compiler, "title");
        project.write("plain.c", PLAIN);
        project.build("gcc", "plain");
        let run = |command: &str| {
            project.script("all", &format!("./app nap; {command}; exit 0"));
            project.run(&["--tool", tool, "--", "./all"])
        };
        for (command, difference) in [
            // Too short to be observed while it runs.
            (
                format!("{variable}=halt_on_error=1 ./app"),
                format!("without log_exe_name in {variable}"),
            ),
            (
                format!("{variable}=halt_on_error=1 ./app nap"),
                format!("without log_exe_name in {variable}"),
            ),
            (
                format!("{variable}=${variable}:log_path=stdout ./app nap"),
                format!("with log_path=stdout in {variable}"),
            ),
        ] {
            let result = run(&command);
            result.assert_fails_for("missing-report");
            let message = format!("ran {difference}, unlike the command");
            assert!(
                result.out.contains("`./app") && result.out.contains(&message),
                "{tool}: {command}: {}",
                result.out
            );
        }
        for command in [
            "./app nap".to_owned(),
            "env -i ./plain".to_owned(),
            // The options are added again when the program starts.
            "env -i ./app nap".to_owned(),
            format!("env -u {variable} ./app nap"),
            "./title".to_owned(),
            format!("{variable}=halt_on_error=1:${variable}:malloc_context_size=9 ./app nap"),
        ] {
            run(&command).assert_passes();
        }
    }
}

fn child_with_a_preloaded_runtime_gets_the_options() {
    let output = Command::new("gcc")
        .arg("-print-file-name=libasan.so")
        .output()
        .unwrap();
    let library = String::from_utf8(output.stdout).unwrap();
    let project = TestProject::with_app("gcc -fsanitize=address");
    project.write("plain.c", PLAIN);
    project.build("gcc", "plain");
    for environment in ["env -i", "env"] {
        let preload = format!("LD_PRELOAD={} ./plain", library.trim());
        project.script(
            "all",
            &format!("./app; {environment} {preload} & sleep 2; wait; exit 0"),
        );
        let result = project.run(&["--tool", "asan", "--", "./all"]);
        result.assert_passes();
    }
}
