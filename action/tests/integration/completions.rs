//! Completion scripts, and bash's in a real bash.

use std::process::Command;

use crate::common::{repository, run};

/// Defines a function that prints the words that bash would offer for the last of its arguments.
const COMPLETE: &str = r#"
eval "$SCRIPT"
# This works only while bash completes a line that a person types.
compopt() { :; }
offered() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _leakgate leakgate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[@]}"
}
"#;

/// Returns the words that bash offers for the last word of a command line.
fn offered(line: &[&str]) -> Vec<String> {
    let script = run(".", &["completions", "bash"]).out;
    let output = Command::new("bash")
        .args([
            "--norc",
            "-c",
            &format!("{COMPLETE}\noffered \"$@\""),
            "bash",
        ])
        .args(line)
        .current_dir(repository("."))
        .env("SCRIPT", script)
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let words = String::from_utf8(output.stdout).unwrap();
    words.split_whitespace().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let commands = offered(&["leakgate", ""]);
    for name in ["check", "run", "explain", "completions", "--version"] {
        assert!(
            commands.iter().any(|command| command == name),
            "{commands:?}"
        );
    }
    for hidden in ["exec", "man"] {
        assert!(
            !commands.iter().any(|command| command == hidden),
            "{commands:?}"
        );
    }
    assert_eq!(offered(&["leakgate", "check", "--full"]), ["--full-stacks"]);
}

#[test]
fn bash_completes_values() {
    assert_eq!(offered(&["leakgate", "check", "--format", "s"]), ["sarif"]);
    assert_eq!(
        offered(&["leakgate", "diff", "--format", ""]),
        ["text", "json"]
    );
    assert_eq!(offered(&["leakgate", "run", "--tool", "he"]), ["helgrind"]);
    assert_eq!(
        offered(&["leakgate", "check", "--require", "go"]),
        ["go-race"]
    );
    assert_eq!(
        offered(&["leakgate", "check", "--pack", "op"]),
        ["openssl", "openmp"]
    );
    assert_eq!(
        offered(&["leakgate", "explain", "code", "truncated-r"]),
        ["truncated-report"]
    );
    assert_eq!(offered(&["leakgate", "completions", "z"]), ["zsh"]);
}

#[test]
fn bash_completes_files() {
    assert_eq!(
        offered(&["leakgate", "check", "--config", "typos"]),
        ["typos.toml"]
    );
    // The words of an argument come from readline, because the function offers none.
    assert_eq!(
        offered(&["leakgate", "check", "typos"]),
        Vec::<String>::new()
    );
    let script = run(".", &["completions", "bash"]).out;
    let registered = script
        .lines()
        .filter(|line| line.contains("complete -F _leakgate"));
    assert!(registered.clone().count() > 0);
    for line in registered {
        assert!(line.contains("-o default"), "{line}");
    }
}

#[test]
fn every_shell_has_a_script() {
    for (shell, part) in [
        ("bash", "complete -F _leakgate"),
        ("elvish", "edit:completion"),
        ("fish", "complete -c leakgate"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef leakgate"),
    ] {
        let result = run(".", &["completions", shell]);
        assert_eq!((result.status, result.err.as_str()), (0, ""), "{shell}");
        for expected in [part, "format", "warnings-ng"] {
            assert!(result.out.contains(expected), "{shell} without {expected}");
        }
    }
    assert_eq!(run(".", &["completions", "tcsh"]).status, 2);
}
