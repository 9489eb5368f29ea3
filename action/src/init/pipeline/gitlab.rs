//! GitLab CI/CD. Jobs run in containers, as root.

use super::{Leg, Line, Pipeline, TIMEOUT, path};

const FORMATS: &[&str] = &[
    "gitlab=gl-code-quality-report.json",
    "junit=leakgate.xml",
    "html=leakgate.html",
];

const RULES: &str = "  rules:
    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
";

/// Returns the content of `.gitlab-ci.yml`.
pub(super) fn render(pipeline: &Pipeline<'_>) -> String {
    let mut out = pipeline.head("#");
    for leg in &pipeline.legs {
        out += &format!("\n# {}\n{}", leg.job.description, job(pipeline, leg));
    }
    out
}

fn job(pipeline: &Pipeline<'_>, leg: &Leg<'_>) -> String {
    let mut out = format!("{}:\n  image: {}\n", leg.id, leg.job.platform.image);
    out += &format!("  timeout: {TIMEOUT} minutes\n{RULES}");
    if pipeline.has_submodules {
        out += "  variables:\n    GIT_SUBMODULE_STRATEGY: recursive\n";
    }
    out += "  before_script:\n    - apt-get update\n";
    out += &format!("    - apt-get install --yes {}\n", leg.packages().join(" "));
    out.extend(pipeline.script(leg).iter().map(item));
    out += "  script:\n";
    if let Some(comment) = leg.comment() {
        out += &format!("    # {comment}\n");
    }
    out += &item(&Line::new(leg.command(FORMATS)));
    let file = |name| path(pipeline.location, name);
    out += &format!(
        "  artifacts:\n    when: always\n    paths: [{}]\n    reports:\n      codequality: {}\n      \
         junit: {}\n",
        file("leakgate.html"),
        file("gl-code-quality-report.json"),
        file("leakgate.xml")
    );
    out
}

/// Returns a line of a script as an item of a list.
fn item(line: &Line) -> String {
    let text = &line.text;
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':');
    let text = match is_plain {
        true => text.clone(),
        false => format!("'{}'", text.replace('\'', "''")),
    };
    let comment = line.comment.map(|comment| format!(" # {comment}"));
    format!("    - {text}{}\n", comment.unwrap_or_default())
}
