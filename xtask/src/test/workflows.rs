//! Stages about GitHub: workflows, actions and scripts under linters, and the action on a local
//! runner.

use std::fs;
use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::setup::{self, Need};
use crate::{Outcome, examples};

pub(super) const LINTERS: &[Need] = &[Need::Tools];
pub(super) const RUNNER: &[Need] = &[
    Need::Tools,
    Need::Program("git", "git"),
    Need::Program("c++", "g++"),
];

/// Linters over what GitHub reads: ours, and the examples, which stand among ours for that time.
pub(super) fn lint(sh: &Shell) -> Outcome {
    let copy = with_examples(sh)?;
    let actions = ["action.yml", "publish/action.yml"];
    let tools = setup::tools()?;
    let [actionlint, zizmor, schema, shellcheck] =
        ["actionlint", "zizmor", "check-jsonschema", "shellcheck"].map(|name| tools.join(name));
    let folder = copy.display().to_string();
    // actionlint reads scripts within workflows with shellcheck, which it looks for on PATH.
    let path = format!("{}:{}", tools.display(), std::env::var("PATH")?);
    let mut failed = Vec::new();
    let mut hold = |name: &'static str, outcome: xshell::Result<()>| {
        if outcome.is_err() {
            failed.push(name);
        }
    };
    let _there = sh.push_dir(&copy);
    let workflows = sh.read_dir(".github/workflows")?;
    hold(
        "actionlint",
        cmd!(sh, "{actionlint}").env("PATH", path).run(),
    );
    hold(
        "zizmor",
        cmd!(sh, "{zizmor} --quiet --offline {folder}").run(),
    );
    hold(
        "schema of actions",
        cmd!(
            sh,
            "{schema} --builtin-schema vendor.github-actions {actions...}"
        )
        .run(),
    );
    hold(
        "schema of workflows",
        cmd!(
            sh,
            "{schema} --builtin-schema vendor.github-workflows {workflows...}"
        )
        .run(),
    );
    hold(
        "schema of Dependabot",
        cmd!(
            sh,
            "{schema} --builtin-schema vendor.dependabot .github/dependabot.yml"
        )
        .run(),
    );
    let mut scripts = [sh.read_dir(".ci")?, sh.read_dir("action/setup")?].concat();
    scripts.retain(|path| path.extension().is_none_or(|end| end == "sh"));
    hold(
        "shellcheck",
        cmd!(sh, "{shellcheck} --external-sources {scripts...}").run(),
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join(", ").into())
    }
}

/// A repository of its own under target/, with all that linters read, and the examples among the
/// workflows.
fn with_examples(sh: &Shell) -> Outcome<PathBuf> {
    let repository = setup::repository()?;
    let copy = repository.join("target/workflows");
    sh.remove_path(&copy)?;
    for folder in [
        ".ci",
        ".github",
        ".github/workflows",
        "action/setup",
        "publish",
        ".",
    ] {
        for path in sh
            .read_dir(repository.join(folder))?
            .into_iter()
            .filter(|path| path.is_file())
        {
            sh.create_dir(copy.join(folder))?;
            sh.copy_file(&path, copy.join(folder))?;
        }
    }
    let mut count = 0;
    for example in examples::all(&repository)? {
        let Some(name) = example.file_name() else {
            continue;
        };
        let path = copy.join(".github/workflows").join(&name);
        if path.exists() {
            return Err(format!("{}: another workflow has the name {name}", example.place).into());
        }
        fs::write(path, example.text)?;
        count += 1;
    }
    println!("{count} workflows from README, docs/ and `leakgate init`");
    let _there = sh.push_dir(&copy);
    cmd!(sh, "git init --quiet").run()?;
    Ok(copy)
}

/// Whole workflows under `act`: all tests that the others leave out. With fewer packages, cargo
/// would choose other features of what they need, and compile it again.
pub(super) fn runner(sh: &Shell) -> Outcome {
    let test = cmd!(
        sh,
        "cargo test --workspace --test runner --quiet -- --ignored --show-output"
    );
    Ok(test
        .env("LEAKGATE_ACT", setup::tools()?.join("act"))
        .run()?)
}
