//! Jenkins. Jobs run on the machines of the user. The Warnings plugin shows the findings.

use super::{Leg, Line, Pipeline, TIMEOUT};

/// Returns the content of a `Jenkinsfile`.
pub(super) fn render(pipeline: &Pipeline<'_>) -> String {
    let mut out = pipeline.head("//");
    out += &format!("// {}\n", pipeline.requirements());
    out += "// Jenkins needs the plugins Warnings and JUnit.\n";
    out += "pipeline {\n    agent none\n    stages {\n        stage('Memory') {\n            \
            parallel {\n";
    out.extend(pipeline.legs.iter().map(|leg| stage(pipeline, leg)));
    out + "            }\n        }\n    }\n}\n"
}

/// Returns the stage of a leg, which has a workspace for itself.
fn stage(pipeline: &Pipeline<'_>, leg: &Leg<'_>) -> String {
    let mut lines = Vec::new();
    if pipeline.has_submodules {
        lines.push("git submodule update --init --recursive".to_owned());
    }
    lines.extend(pipeline.script(leg).iter().map(Line::in_script));
    lines.extend(leg.comment().map(|comment| format!("# {comment}")));
    let formats = [
        "warnings-ng=leakgate.json",
        "junit=leakgate.xml",
        "html=leakgate.html",
    ];
    lines.push(leg.command(&formats));
    let script: String = lines
        .iter()
        .map(|line| format!("                            {}\n", escape(line)))
        .collect();
    let id = &leg.id;
    let file = |name| quoted(&pipeline.location.repository_path(name));
    format!(
        "                // {}
                stage('{id}') {{
                    agent any
                    options {{ timeout(time: {TIMEOUT}, unit: 'MINUTES') }}
                    steps {{
                        sh '''
{script}                        '''
                    }}
                    post {{
                        always {{
                            recordIssues enabledForFailure: true, tool: issues(pattern: {}, id: '{id}', name: '{id}')
                            junit testResults: {}, allowEmptyResults: true
                            archiveArtifacts artifacts: {}, allowEmptyArchive: true
                        }}
                    }}
                }}
",
        leg.job.description,
        file("leakgate.json"),
        file("leakgate.xml"),
        file("leakgate.html")
    )
}

/// Returns a string of Groovy in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Escapes text in a string of Groovy in triple quotes, which only three quotes in a row end.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace("'''", "\\'\\'\\'")
}
