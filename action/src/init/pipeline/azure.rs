//! Azure Pipelines. Its machines have the same programs as those of GitHub.

use super::{Leg, Pipeline, TIMEOUT, install, path};
use crate::init::workflow::{env, packages_script, yaml_string};

/// The Markdown report, which is displayed with the run.
const SUMMARY: &str = "$(Agent.TempDirectory)/leakgate.md";

/// Returns the content of `azure-pipelines.yml`. A file that is included can't have triggers.
pub(super) fn render(pipeline: &Pipeline<'_>) -> String {
    let mut out = pipeline.head("#");
    if !pipeline.is_included {
        out += "trigger: [main, master]\n";
    }
    out += "\njobs:\n";
    let jobs = pipeline.legs.iter().map(|leg| job(pipeline, leg));
    out + &jobs.collect::<Vec<_>>().join("\n")
}

fn job(pipeline: &Pipeline<'_>, leg: &Leg<'_>) -> String {
    let mut out = format!("  # {}\n", leg.job.description);
    out += &format!("  - job: {}\n", leg.id.replace('-', "_"));
    out += &format!("    timeoutInMinutes: \"{TIMEOUT}\"\n");
    out += "    pool:\n      vmImage: ubuntu-latest\n    steps:\n";
    if pipeline.has_submodules {
        out += "      - checkout: self\n        submodules: recursive\n";
    }
    let directory = match pipeline.location.subdir.as_str() {
        "" => String::new(),
        subdir => format!("        workingDirectory: {}\n", yaml_string(subdir)),
    };
    let lines: Vec<String> = install().iter().map(super::Line::in_script).collect();
    out += &script("Install leakgate", &lines, &directory);
    for step in &leg.job.steps {
        if !step.is_for(leg.entry.tool) {
            continue;
        }
        if !step.packages.is_empty() {
            out += &script(step.name, &packages_script(&step.packages), "");
            continue;
        }
        out += &script(step.name, &step.script, &directory);
        if !step.env.is_empty() {
            out += &env(&step.env, leg.entry.flags, "        ");
        }
    }
    if let Some(comment) = leg.comment() {
        out += &format!("      # {comment}\n");
    }
    let markdown = format!("markdown={SUMMARY}");
    let formats = [&markdown, "junit=leakgate.xml", "html=leakgate.html"];
    out += &script(
        "Check for memory bugs",
        &[leg.command(&formats)],
        &directory,
    );
    out + &results(pipeline, leg)
}

/// Returns a step. The shell doesn't stop at the first error unless it is asked to.
fn script(name: &str, lines: &[String], directory: &str) -> String {
    let script = match lines {
        [line] => format!("      - script: {line}\n"),
        lines => {
            let lines: String = lines
                .iter()
                .map(|line| format!("          {line}\n"))
                .collect();
            format!("      - script: |\n          set -e\n{lines}")
        }
    };
    format!("{script}        displayName: {name}\n{directory}")
}

/// Returns the steps that show the reports.
fn results(pipeline: &Pipeline<'_>, leg: &Leg<'_>) -> String {
    let condition = "        condition: succeededOrFailed()\n";
    let title = &leg.id;
    let file = |name| path(pipeline.location, name);
    format!(
        "      - script: echo \"##vso[task.uploadsummary]{SUMMARY}\"\n        \
         displayName: Add the report to the summary\n{condition}      \
         - task: PublishTestResults@2\n{condition}        inputs:\n          \
         testResultsFiles: {}\n          testRunTitle: {title}\n      \
         - publish: {}\n        artifact: {title}\n{condition}",
        file("leakgate.xml"),
        file("leakgate.html")
    )
}
