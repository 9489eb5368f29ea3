//! Runs the examples in README.md and docs/.

use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::policy::Level;
use leakgate_core::problem::Code;
use leakgate_core::rules::AdviceCode;
use leakgate_core::{Config, advice};

use crate::common::{self, repository};

/// Runs each `console` block and compares its output. trycmd runs the examples in the current
/// directory, on which no other test depends.
#[test]
fn console_examples_match_actual_output() {
    std::env::set_current_dir(repository("")).unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("leakgate", trycmd::cargo::cargo_bin!("leakgate"))
        .register_bin("grep", grep())
        .env("BUILDKITE", "")
        .env("GITHUB_ACTIONS", "")
        .env("GITLAB_CI", "")
        .env("TEAMCITY_VERSION", "")
        .env("TF_BUILD", "")
        .case("README.md")
        .case("docs/*.md")
        .case("docs/migrate/*.md");
}

/// Returns the program that pages about other gates call. Examples with it are skipped on Windows.
fn grep() -> trycmd::schema::Bin {
    let paths = ["/usr/bin/grep", "/bin/grep"].map(PathBuf::from);
    match paths.into_iter().find(|path| path.exists()) {
        Some(path) => trycmd::schema::Bin::Path(path),
        None => trycmd::schema::Bin::Ignore,
    }
}

/// Pages in docs/start/, and the workflows in docs/init/ that they show.
const QUICK_STARTS: &[(&str, &str)] = &[
    ("cmake", "cmake"),
    ("go", "go-with-c"),
    ("make", "make"),
    ("python", "python-setuptools"),
    ("rust", "rust"),
];

/// Readers copy these workflows. `LEAKGATE_RENEW=1` updates the pages.
#[test]
fn quick_starts_show_the_workflows_of_init() {
    let pages = fs::read_dir(repository("docs/start")).unwrap();
    assert_eq!(pages.count(), QUICK_STARTS.len());
    for (name, workflow) in QUICK_STARTS {
        let path = repository(&format!("docs/start/{name}.md"));
        let page = fs::read_to_string(&path).unwrap();
        let workflow =
            fs::read_to_string(repository(&format!("docs/init/{workflow}.yml"))).unwrap();
        let (before, rest) = page.split_once("```yaml\n").unwrap();
        let (shown, after) = rest.split_once("```\n").unwrap();
        if std::env::var_os("LEAKGATE_RENEW").is_some() {
            fs::write(&path, format!("{before}```yaml\n{workflow}```\n{after}")).unwrap();
            continue;
        }
        assert_eq!(
            shown, workflow,
            "docs/start/{name}.md is outdated; LEAKGATE_RENEW=1 updates it"
        );
    }
}

/// The quick start for Python shows what `leakgate init` configures.
#[test]
fn quick_start_for_python_shows_the_configuration_of_init() {
    let page = fs::read_to_string(repository("docs/start/python.md")).unwrap();
    let shown = page.split("```toml\n").nth(1).unwrap();
    let shown: toml::Table = shown.split("```").next().unwrap().parse().unwrap();
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join(".git")).unwrap();
    for file in ["setup.py", "greeting.c"] {
        let from = repository("snapshots/programs/projects/start/python").join(file);
        fs::copy(from, project.path().join(file)).unwrap();
    }
    let result = common::run(project.path(), &["init", "--print"]);
    let config = result.out.split_once("leakgate.toml <==\n").unwrap().1;
    let config: toml::Table = config.split("==> ").next().unwrap().parse().unwrap();
    assert_eq!(shown, config);
}

/// Pages about other gates state the exit status of the checker, with a link to its record.
#[test]
fn exit_statuses_of_checkers_are_recorded() {
    let mut count = 0;
    for entry in fs::read_dir(repository("docs/migrate")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        for line in page.lines() {
            let Some((statement, link)) = line.split_once("[case.toml](../../") else {
                continue;
            };
            let record = link.split(')').next().unwrap();
            let record: toml::Table = fs::read_to_string(repository(record))
                .unwrap()
                .parse()
                .unwrap();
            let status = record["exit-status"].as_integer().unwrap();
            assert!(
                statement.contains(&format!("exited with status {status}")),
                "{}: {line}, but the status was {status}",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count >= 3, "{count} statements");
}

/// The options of the commands for PowerShell exist. PowerShell itself isn't needed for that.
#[test]
fn powershell_commands_are_valid() {
    let page = fs::read_to_string(repository("docs/run/windows.md")).unwrap();
    let blocks = page.split("```powershell\n").skip(1);
    let lines = blocks.flat_map(|rest| rest.split("```").next().unwrap().lines());
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0;
    for line in lines {
        let Some(command) = line.strip_prefix("leakgate ") else {
            continue;
        };
        let command = command.replace(" --% ", " ").replace('\\', "/");
        let words = shlex::split(&command).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let result = common::run(dir.path(), &words);
        // The logs and programs don't exist, but clap would reject an option with this line.
        assert_eq!(result.status, 2, "{line}: {}", result.out);
        assert!(
            !result.err.contains("try '--help'"),
            "{line}: {}",
            result.err
        );
        count += 1;
    }
    assert!(count > 7, "{count} commands");
}

/// docs/codes.md has a row for each code, in the order of `leakgate explain code`.
#[test]
fn docs_list_every_code() {
    let text = fs::read_to_string(repository("docs/codes.md")).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = advice::codes().into_iter().map(row).collect();
    assert_eq!(rows, expected);
}

/// `leakgate explain` knows each code of `leakgate rules`, and whether it fails that command.
#[test]
fn advice_about_rules_is_explained() {
    for code in AdviceCode::ALL {
        let help = advice::find_code(code.as_str()).unwrap();
        if help.is_about_rules() {
            assert_eq!(help.is_note(), code.level() != Level::Fail, "{}", help.code);
        }
    }
}

/// Returns the row for a code. Rows of problems have a column for the reason, and rows of advice
/// about rules have one for the level.
fn row(help: &advice::CodeHelp) -> String {
    let row = format!("| `{}` | {} |", help.code, help.title);
    let mut advice = AdviceCode::ALL.iter();
    let advice = advice.find(|advice| advice.as_str() == help.code);
    match (help.reason(), advice.filter(|_| help.is_about_rules())) {
        (Some(reason), _) if reason.as_str() != help.code => format!("{row} `{reason}` |"),
        (_, Some(advice)) => format!("{row} {} |", advice.level().as_str()),
        _ if is_note_of_log(help) => format!("{row} none: it's a note |"),
        _ => row,
    }
}

/// Returns true for the code of a problem that doesn't lead to a reason.
fn is_note_of_log(help: &advice::CodeHelp) -> bool {
    let mut problems = Code::ALL.iter();
    problems.any(|code| code.as_str() == help.code && code.reason().is_none())
}

/// Parts of the messages in docs/troubleshooting.md, without values.
const MESSAGES: &[&str] = &[
    "no checker output in ",
    "if the tests ran under a sanitizer, set `verbosity=1` in its options",
    "set `silence` to `pass` if an empty log means success",
    " matches no file",
    "counted but not shown; run with --leak-check=full",
    "cannot confirm the verdict: the step Check succeeded without the outcome pass",
    "cannot confirm the publication",
    "no known checksum for leakgate ",
    "cannot build leakgate from the action's source",
    "cannot create the check run",
    "(needs the permission `",
    "nothing to publish: the run has no artifact named ",
    "nothing to publish: the run was able to report its results itself",
    "cannot merge reports: no job of this run has uploaded an artifact named ",
    "cannot merge all reports of the job `",
    "it failed, but not because of one of its reports",
    "because another check run `",
    "of this commit failed or could not be read; give each job and workflow its own `name`",
    "the token of this run is read-only",
    "annotations, because their files are not in the repository",
    "findings without an annotation, because they are not at changed lines: ",
    "note: cannot list the files of ",
    "; source lines are not shown",
    "git is not installed",
    "skipping the comparison: ",
    "cannot read the results of the base branch",
    "connection failed: ",
];

/// Readers search the page for a message that they see.
#[test]
fn troubleshooting_quotes_messages_of_the_program() {
    let page = fs::read_to_string(repository("docs/troubleshooting.md")).unwrap();
    let mut sources = String::new();
    for folder in [
        "action.yml",
        "publish/action.yml",
        "action/setup",
        "action/src",
        "core/src",
    ] {
        append_files(&repository(folder), &mut sources);
    }
    for message in MESSAGES {
        assert!(page.contains(message.trim()), "not on the page: {message}");
        assert!(sources.contains(message), "not in the sources: {message}");
    }
}

/// Appends the text of a file, or of all files in a folder. Strings in code that continue on the
/// next line are joined.
fn append_files(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            append_files(&entry.unwrap().path(), text);
        }
        return;
    }
    let file = fs::read_to_string(path).unwrap_or_default();
    let mut is_continued = false;
    for line in file.lines() {
        let line = if is_continued {
            line.trim_start()
        } else {
            line
        };
        is_continued = line.ends_with('\\');
        text.push_str(line.trim_end_matches('\\'));
        if !is_continued {
            text.push('\n');
        }
    }
}

/// The example leakgate.toml is valid and has rules and suppression files.
#[test]
fn example_configuration_is_valid() {
    let text = fs::read_to_string(repository("docs/rules.md")).unwrap();
    let toml = text
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let config = Config::read("docs/rules.md", toml).unwrap();
    assert_eq!(
        (config.rules.len(), config.files.suppressions.len()),
        (1, 2)
    );
}
