//! Buildkite. Jobs run on the machines of the user.

use super::{Leg, Line, Pipeline, TIMEOUT, path};

/// Returns the content of `.buildkite/pipeline.yml`.
pub(super) fn render(pipeline: &Pipeline<'_>) -> String {
    let mut out = pipeline.head("#");
    out += &format!("# {}\nsteps:\n", pipeline.requirements());
    let steps = pipeline.legs.iter().map(|leg| step(pipeline, leg));
    out + &steps.collect::<Vec<_>>().join("\n")
}

fn step(pipeline: &Pipeline<'_>, leg: &Leg<'_>) -> String {
    let mut lines: Vec<String> = pipeline.script(leg).iter().map(Line::in_script).collect();
    lines.extend(leg.comment().map(|comment| format!("# {comment}")));
    let command = leg.command(&["buildkite=leakgate.md", "html=leakgate.html"]);
    let id = &leg.id;
    lines.extend([
        "status=0".to_owned(),
        format!("{command} || status=$?"),
        "style=error".to_owned(),
        "if [ \"$status\" -eq 0 ]; then style=success; fi".to_owned(),
        format!("buildkite-agent annotate --style \"$style\" --context {id} < leakgate.md || true"),
        "exit \"$status\"".to_owned(),
    ]);
    // The agent replaces variables when it uploads the pipeline, and `$$` is the escape for `$`.
    let script: String = lines
        .iter()
        .map(|line| format!("      {}\n", line.replace('$', "$$")))
        .collect();
    format!(
        "  # {}\n  - label: {id}\n    timeout_in_minutes: {TIMEOUT}\n    artifact_paths: {}\n    \
         command: |\n{script}",
        leg.job.description,
        path(pipeline.location, "leakgate.html")
    )
}
