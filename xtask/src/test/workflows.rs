//! Stages about CI systems: linters for workflows, pipelines, actions and scripts, and the action on
//! a local runner.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Cmd, Shell, cmd};

use crate::setup::{self, Need};
use crate::{Outcome, examples};

pub(super) const LINTERS: &[Need] = &[Need::PyPi, Need::Program("git", "git")];
pub(super) const RUNNER: &[Need] = &[
    Need::PyPi,
    Need::Program("git", "git"),
    Need::Program("c++", "g++"),
];

/// Lints the files that GitHub reads, and the examples, which are copied into a temporary
/// repository. A failing linter doesn't stop the others.
pub(super) fn lint(sh: &Shell) -> Outcome {
    let copy = copy_with_examples(sh)?;
    let _folder = sh.push_dir(&copy);
    let tools = setup::tools()?;
    let mut failed = Vec::new();
    let linters = linters(sh, &copy, &tools)?;
    for (name, command) in linters.into_iter().chain(pipeline_schemas(sh, &tools)?) {
        if command.run().is_err() {
            failed.push(name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join(", ").into()),
    }
}

/// Returns the linters by name. The shell must be in the copy of the repository.
fn linters<'a>(sh: &'a Shell, copy: &Path, tools: &Path) -> Outcome<Vec<(&'static str, Cmd<'a>)>> {
    let actionlint = tools.join("actionlint");
    let hadolint = tools.join("hadolint");
    let zizmor = tools.join("zizmor");
    let shellcheck = tools.join("shellcheck");
    let workflows = sh.read_dir(".github/workflows")?;
    let mut scripts = [sh.read_dir(".ci")?, sh.read_dir("action/setup")?].concat();
    let dockerfile = Path::new(".ci/Dockerfile");
    scripts.retain(|path| {
        !path.ends_with(dockerfile) && path.extension().is_none_or(|extension| extension == "sh")
    });
    let check_schema = |schema: &str, files: &[PathBuf]| {
        let program = tools.join("check-jsonschema");
        cmd!(sh, "{program} --builtin-schema {schema} {files...}")
    };
    // actionlint looks for shellcheck on PATH, to check scripts in workflows.
    let mut path = OsString::from(tools);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let actions = ["action.yml", "publish/action.yml"].map(PathBuf::from);
    let dependabot = [PathBuf::from(".github/dependabot.yml")];
    Ok(vec![
        ("actionlint", cmd!(sh, "{actionlint}").env("PATH", path)),
        ("zizmor", cmd!(sh, "{zizmor} --quiet --offline {copy}")),
        (
            "shellcheck",
            cmd!(sh, "{shellcheck} --external-sources {scripts...}"),
        ),
        ("hadolint", cmd!(sh, "{hadolint} {dockerfile}")),
        (
            "schema of actions",
            check_schema("vendor.github-actions", &actions),
        ),
        (
            "schema of workflows",
            check_schema("vendor.github-workflows", &workflows),
        ),
        (
            "schema of Dependabot",
            check_schema("vendor.dependabot", &dependabot),
        ),
    ])
}

/// Returns the checks of the pipelines that `leakgate init --ci` writes, with the schemas of their
/// systems. Jenkins has none.
fn pipeline_schemas<'a>(sh: &'a Shell, tools: &Path) -> Outcome<Vec<(&'static str, Cmd<'a>)>> {
    let program = tools.join("check-jsonschema");
    // The schema of Azure Pipelines has patterns that are invalid with Unicode.
    let options = ["--regex-variant=nonunicode", "--builtin-schema"];
    let mut checks = Vec::new();
    for (name, folder, schema) in [
        ("schema of GitLab", "gitlab", "vendor.gitlab-ci"),
        (
            "schema of Azure Pipelines",
            "azure",
            "vendor.azure-pipelines",
        ),
        ("schema of Buildkite", "buildkite", "vendor.buildkite"),
    ] {
        let files = sh.read_dir(setup::repository()?.join("docs/init").join(folder))?;
        checks.push((name, cmd!(sh, "{program} {options...} {schema} {files...}")));
    }
    Ok(checks)
}

/// Creates a repository under `target/` with all files that the linters read, and the examples as
/// additional workflows.
fn copy_with_examples(sh: &Shell) -> Outcome<PathBuf> {
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
            return Err(format!("{}: another workflow is called {name}", example.place).into());
        }
        fs::write(path, example.text)?;
        count += 1;
    }
    println!("{count} workflows from README, docs/ and `leakgate init`");
    let _folder = sh.push_dir(&copy);
    cmd!(sh, "git init --quiet").run()?;
    Ok(copy)
}
