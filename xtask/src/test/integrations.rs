//! What other programs read from this repository: the hook for pre-commit and the component for
//! GitLab.

use std::ffi::OsString;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

pub(super) const HOOK_NEEDS: &[Need] = &[Need::PyPi, Need::Program("git", "git")];

pub(super) const COMPONENT_NEEDS: &[Need] = &[
    Need::Program("git", "git"),
    Need::Program("node", "nodejs"),
    Need::Program("npm", "npm"),
    Need::Program("rsync", "rsync"),
    Need::Program("curl", "curl"),
    Need::Program("jq", "jq"),
    Need::Program("gcc", "gcc"),
    Need::Program("valgrind", "valgrind"),
];

const MANIFEST: &str = ".pre-commit-hooks.yaml";

/// A rule of a project, which the hook accepts or not.
const RULE: &str = "[[allow]]\nid = \"a\"\nstack = [\"fun:f\"]\nreason = \"r\"\n";

/// Runs the hook on a project, first with a valid rule, and then with one that has expired.
pub(super) fn hook(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo build --workspace --bin leakgate --quiet").run()?;
    let folder = sh.create_temp_dir()?;
    let hooks = folder.path().join("hooks");
    let project = folder.path().join("project");
    sh.create_dir(&hooks)?;
    sh.copy_file(MANIFEST, hooks.join(MANIFEST))?;
    sh.write_file(project.join("leakgate.toml"), RULE)?;
    sh.write_file(project.join("a.c"), "")?;
    commit(sh, &hooks)?;
    commit(sh, &project)?;
    let (passes, text) = try_hook(sh, &hooks, &project)?;
    if !passes || !text.contains("Passed") {
        return Err(format!("the hook failed for a valid rule:\n{text}").into());
    }
    let expired = format!("{RULE}expires = 2000-01-01\n");
    sh.write_file(project.join("leakgate.toml"), expired)?;
    let (passes, text) = try_hook(sh, &hooks, &project)?;
    match !passes && text.contains("[expired-rule]") {
        true => Ok(()),
        false => Err(format!("the hook passed for an expired rule:\n{text}").into()),
    }
}

/// Creates a repository of the files in a folder.
fn commit(sh: &Shell, folder: &Path) -> Outcome {
    let _folder = sh.push_dir(folder);
    let author = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    cmd!(sh, "git init --quiet").run()?;
    cmd!(sh, "git add --all").run()?;
    cmd!(sh, "git {author...} commit --quiet --message=test").run()?;
    Ok(())
}

/// Runs the hook of a repository on all files of a project. Returns whether it passed, and its
/// output.
fn try_hook(sh: &Shell, hooks: &Path, project: &Path) -> Outcome<(bool, String)> {
    let pre_commit = setup::tools()?.join("pre-commit");
    let mut path = OsString::from(setup::repository()?.join("target/debug"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let _folder = sh.push_dir(project);
    let hook = ["leakgate-rules", "--all-files"];
    let output = cmd!(sh, "{pre_commit} try-repo {hooks} {hook...}")
        .env("PATH", path)
        .env("PRE_COMMIT_HOME", hooks.with_file_name("cache"))
        .ignore_status()
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((output.status.success(), text))
}

/// Runs the component without containers.
pub(super) fn component(sh: &Shell) -> Outcome {
    cmd!(sh, "cargo build --workspace --bin leakgate --quiet").run()?;
    let _folder = sh.push_dir("xtask/gitlab");
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(cmd!(sh, "node --test").run()?)
}
