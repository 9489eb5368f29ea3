//! The YAML examples in README and docs/, and the workflows that `leakgate init` writes. They get
//! the same checks as the repository's own workflows.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// One block of YAML.
pub(crate) struct Example {
    /// The file that contains it, for messages.
    pub(crate) place: String,
    pub(crate) text: String,
    /// The file name of an example that is a whole file.
    own: Option<String>,
}

impl Example {
    /// Returns a file name for a whole workflow: its own, or its `name` in lower case with hyphens.
    /// `None` for a part of a workflow.
    pub(crate) fn file_name(&self) -> Option<String> {
        if self.own.is_some() {
            return self.own.clone();
        }
        let name = self.text.lines().next()?.strip_prefix("name: ")?;
        let is_whole = self.text.contains("\njobs:\n");
        is_whole.then(|| format!("{}.yml", name.to_lowercase().replace(' ', "-")))
    }
}

/// Returns all examples, by file and position. Workflows of `leakgate init` that a page repeats are
/// listed once.
pub(crate) fn all(repository: &Path) -> Outcome<Vec<Example>> {
    let mut documents = vec![repository.join("README.md")];
    for folder in ["docs", "docs/migrate", "docs/run", "docs/start"] {
        for entry in fs::read_dir(repository.join(folder))? {
            documents.push(entry?.path());
        }
    }
    documents.retain(|path| path.extension().is_some_and(|end| end == "md"));
    documents.sort();
    let mut examples = Vec::new();
    let init_workflows = init_workflows(repository)?;
    for path in documents {
        let place = path.strip_prefix(repository)?.display().to_string();
        let text = fs::read_to_string(&path)?;
        let blocks = text
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .filter(|block| {
                init_workflows
                    .iter()
                    .all(|workflow| workflow.text != *block)
            });
        examples.extend(blocks.map(|block| Example {
            place: place.clone(),
            text: block.to_owned(),
            own: None,
        }));
    }
    examples.extend(init_workflows);
    Ok(examples)
}

/// Returns the workflows that `leakgate init` writes; a test keeps them current.
fn init_workflows(repository: &Path) -> Outcome<Vec<Example>> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(repository.join("docs/init"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "yml") {
            let own = path
                .file_name()
                .map(|name| format!("init-{}", name.display()));
            let place = path.strip_prefix(repository)?.display().to_string();
            examples.push(Example {
                place,
                text: fs::read_to_string(&path)?,
                own,
            });
        }
    }
    examples.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(examples)
}
