//! The pipelines of `leakgate init --ci` for systems other than GitHub.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use saphyr::{LoadableYamlNode, Yaml};

use super::{PROJECTS, expected_dir, project, run};

/// A CI system: its option, the file that it reads, and the extension of the expected files.
struct System {
    option: &'static str,
    file: &'static str,
    extension: &'static str,
}

const SYSTEMS: &[System] = &[
    System {
        option: "gitlab",
        file: ".gitlab-ci.yml",
        extension: "yml",
    },
    System {
        option: "azure",
        file: "azure-pipelines.yml",
        extension: "yml",
    },
    System {
        option: "jenkins",
        file: "Jenkinsfile",
        extension: "groovy",
    },
    System {
        option: "buildkite",
        file: ".buildkite/pipeline.yml",
        extension: "yml",
    },
];

/// Generates the pipeline of a project.
fn generate(system: &System, files: &[(&str, &str)], directory: &[&str]) -> String {
    let dir = project(files);
    let args = [&["init", "--yes", "--ci", system.option], directory].concat();
    let ran = run(dir.path(), &args);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let wrote = format!("wrote {}\n", system.file);
    assert!(ran.err.ends_with(&wrote), "{}", ran.err);
    fs::read_to_string(dir.path().join(system.file)).unwrap()
}

/// Returns the pipelines of all kinds of projects.
fn pipelines(system: &System) -> Vec<(&'static str, String)> {
    let native = [("native/CMakeLists.txt", "project(x C)\nenable_testing()\n")];
    let below = ("below", generate(system, &native, &["native"]));
    let others = PROJECTS
        .iter()
        .map(|(name, files)| (*name, generate(system, files, &[])));
    others.chain([below]).collect()
}

/// Compares the pipelines with those in docs/init/, which linters check. `LEAKGATE_RENEW=1`
/// updates the files instead.
#[test]
fn each_kind_of_project_gets_a_pipeline_for_each_system() {
    for system in SYSTEMS {
        let folder = expected_dir().join(system.option);
        let mut names = BTreeSet::new();
        for (name, pipeline) in pipelines(system) {
            let path = folder.join(name).with_extension(system.extension);
            names.insert(path.clone());
            if std::env::var_os("LEAKGATE_RENEW").is_some() {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &pipeline).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                pipeline,
                expected,
                "{} is outdated; LEAKGATE_RENEW=1 updates it",
                path.display()
            );
        }
        let entries = fs::read_dir(&folder).unwrap();
        let found: BTreeSet<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(found, names);
    }
}

/// Returns a member of a mapping.
fn get<'a>(yaml: &'a Yaml<'a>, key: &str) -> &'a Yaml<'a> {
    let member = yaml.as_mapping_get(key);
    member.unwrap_or_else(|| panic!("no {key} in {yaml:?}"))
}

fn text<'a>(yaml: &'a Yaml<'a>) -> &'a str {
    yaml.as_str().unwrap_or_else(|| panic!("no text: {yaml:?}"))
}

fn list<'a>(yaml: &'a Yaml<'a>) -> &'a [Yaml<'a>] {
    yaml.as_vec().unwrap_or_else(|| panic!("no list: {yaml:?}"))
}

/// Returns the scripts of each job, by its name, as the system's shell would get them.
fn scripts(system: &System, pipeline: &str) -> Vec<(String, String)> {
    if system.option == "jenkins" {
        return stages(pipeline);
    }
    let documents = Yaml::load_from_str(pipeline).unwrap();
    let [document] = documents.as_slice() else {
        panic!("{} documents", documents.len());
    };
    let lines = |yaml: &Yaml<'_>| list(yaml).iter().map(text).collect::<Vec<_>>().join("\n");
    let job = |job: &Yaml<'_>| match system.option {
        "azure" => {
            let scripts = list(get(job, "steps")).iter();
            let scripts = scripts.filter_map(|step| step.as_mapping_get("script").map(text));
            let scripts: Vec<&str> = scripts.collect();
            (text(get(job, "job")).to_owned(), scripts.join("\n"))
        }
        _ => {
            let label = text(get(job, "label")).to_owned();
            (label, text(get(job, "command")).replace("$$", "$"))
        }
    };
    match system.option {
        "gitlab" => {
            let jobs = document.as_mapping().unwrap().iter();
            let script = |job| [get(job, "before_script"), get(job, "script")].map(lines);
            jobs.map(|(name, job)| (text(name).to_owned(), script(job).join("\n")))
                .collect()
        }
        "azure" => list(get(document, "jobs")).iter().map(job).collect(),
        _ => list(get(document, "steps")).iter().map(job).collect(),
    }
}

/// Returns the scripts of the stages in a `Jenkinsfile`.
fn stages(pipeline: &str) -> Vec<(String, String)> {
    let stages = pipeline.split("stage('memory-").skip(1);
    let stage = |stage: &str| {
        let name = stage.split('\'').next().unwrap();
        let script = stage.split("'''").nth(1).unwrap();
        (format!("memory-{name}"), script.to_owned())
    };
    stages.map(stage).collect()
}

/// All systems run the same commands under the same checkers as the workflow for GitHub.
#[test]
fn pipelines_run_the_commands_of_the_workflow() {
    for system in SYSTEMS {
        for (name, pipeline) in pipelines(system) {
            let workflow = expected_dir().join(format!("{name}.yml"));
            let workflow = fs::read_to_string(workflow).unwrap();
            let mut commands: Vec<&str> = workflow
                .lines()
                .filter_map(|line| line.strip_prefix("          run: "))
                .filter(|line| *line != "|")
                .collect();
            let jobs = scripts(system, &pipeline);
            let mut names = BTreeSet::new();
            for (job, script) in &jobs {
                assert!(names.insert(job), "{name}: two jobs {job}");
                let check = Command::new("sh")
                    .args(["-n", "-c", script])
                    .output()
                    .unwrap();
                assert!(check.status.success(), "{name}: {script}");
                let run = script
                    .lines()
                    .find_map(|line| {
                        line.trim()
                            .strip_prefix(".leakgate/bin/leakgate run --tool ")
                    })
                    .unwrap();
                let (options, command) = run.split_once(" -- ").unwrap();
                let command = command.strip_suffix(" || status=$?").unwrap_or(command);
                let tool = options.split(' ').next().unwrap();
                assert!(job.ends_with(tool), "{name}: {job} runs {tool}");
                assert!(workflow.contains(command), "{name}: {command}");
                commands.retain(|other| *other != command);
                // Values that only the build needs must not influence the checker.
                let exports = script
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("export "));
                for variable in exports.map(|line| line.split('=').next().unwrap()) {
                    let is_unset =
                        |line: &str| line.trim().starts_with("unset ") && line.contains(variable);
                    assert!(
                        script.lines().any(is_unset),
                        "{name}: {variable} in {script}"
                    );
                }
            }
            assert!(
                commands.is_empty(),
                "{name} on {}: {commands:?}",
                system.option
            );
            let tools = workflow.matches("{ tool: ").count();
            let is_matrix = |line: &&str| line.trim().starts_with("tool: [");
            let listed: usize = workflow
                .lines()
                .filter(is_matrix)
                .map(|line| line.split(',').count())
                .sum();
            let single = workflow
                .lines()
                .filter(|line| line.starts_with("          tool: ") && !line.contains("matrix"))
                .count();
            assert_eq!(jobs.len(), tools + listed + single, "{name}");
        }
    }
}

#[test]
fn system_of_the_repository_is_the_default() {
    let cmake = ("CMakeLists.txt", "project(x C)\nenable_testing()\n");
    let config = "[remote \"origin\"]\n\turl = git@gitlab.example.org:a/b.git\n";
    let dir = project(&[cmake, (".git/config", config)]);
    let ran = run(dir.path(), &["init", "--yes"]);
    assert!(
        ran.err
            .starts_with("found GitLab CI/CD (the remote origin is at gitlab.example.org)\n")
            && ran.err.ends_with("wrote .gitlab-ci.yml\n"),
        "{}",
        ran.err
    );
    let again = run(dir.path(), &["init", "--yes"]);
    assert!(
        again
            .err
            .contains(".gitlab-ci.yml already runs leakgate; no pipeline is generated\n"),
        "{}",
        again.err
    );
    assert_eq!(run(dir.path(), &["init", "--ci", "travis"]).status, 2);
}

#[test]
fn existing_pipeline_is_left_unchanged_and_its_next_line_explained() {
    let cmake = ("CMakeLists.txt", "project(x C)\nenable_testing()\n");
    let dir = project(&[cmake, (".gitlab-ci.yml", "build:\n  script: make\n")]);
    let ran = run(dir.path(), &["init", "--yes"]);
    let how = "to use .gitlab/leakgate.yml, add this line to .gitlab-ci.yml: \
               include: /.gitlab/leakgate.yml\n";
    assert!(
        ran.err.starts_with("found GitLab CI/CD (.gitlab-ci.yml)\n"),
        "{}",
        ran.err
    );
    assert!(ran.err.ends_with(how), "{}", ran.err);
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read(".gitlab-ci.yml"), "build:\n  script: make\n");
    assert!(read(".gitlab/leakgate.yml").contains("include: /.gitlab/leakgate.yml"));
    let again = run(dir.path(), &["init", "--yes"]);
    assert!(
        again
            .err
            .contains(".gitlab/leakgate.yml already exists and is left unchanged\n"),
        "{}",
        again.err
    );

    // A template of Azure Pipelines can't have triggers.
    let dir = project(&[cmake, ("azure-pipelines.yml", "steps: []\n")]);
    let ran = run(dir.path(), &["init", "--print"]);
    let second = "==> azure-pipelines-leakgate.yml <==\n";
    assert!(
        ran.out.contains(second) && !ran.out.contains("trigger:"),
        "{}",
        ran.out
    );
}

/// The name of a directory reaches shells, YAML, and Groovy.
#[test]
fn names_of_directories_are_quoted() {
    let name = "it's $HOME '''x: #y";
    let file = format!("{name}/CMakeLists.txt");
    let files = [(file.as_str(), "project(x C)\nenable_testing()\n")];
    for system in SYSTEMS {
        let pipeline = generate(system, &files, &[name]);
        if system.option == "jenkins" {
            assert!(
                pipeline.contains("it\\'s $HOME \\'\\'\\'x: #y/leakgate.xml'"),
                "{pipeline}"
            );
            continue;
        }
        if system.option == "azure" {
            let directory = format!("workingDirectory: {}\n", serde_json::json!(name));
            assert!(pipeline.contains(&directory), "{pipeline}");
            continue;
        }
        let (_, script) = &scripts(system, &pipeline)[0];
        let change = script.lines().find(|line| line.starts_with("cd ")).unwrap();
        let echo = change.replacen("cd ", "printf %s ", 1);
        let output = Command::new("sh").args(["-c", &echo]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
    }
}
