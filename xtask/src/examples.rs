//! The YAML in README and docs/, and the workflows that `leakgate init` writes, so that whatever
//! checks our own workflows checks the examples, too.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// One block of YAML.
pub(crate) struct Example {
    /// Where it stands, for messages.
    pub(crate) place: String,
    pub(crate) text: String,
    /// The name of a file that holds nothing else.
    own: Option<String>,
}

impl Example {
    /// A file name for a whole workflow: its own, or its `name`, in small letters and hyphens. A
    /// part of a workflow has none.
    pub(crate) fn file_name(&self) -> Option<String> {
        if self.own.is_some() {
            return self.own.clone();
        }
        let name = self.text.lines().next()?.strip_prefix("name: ")?;
        let is_whole = self.text.contains("\njobs:\n");
        is_whole.then(|| format!("{}.yml", name.to_lowercase().replace(' ', "-")))
    }
}

/// All of them, in the order in which a reader meets them.
pub(crate) fn all(repository: &Path) -> Outcome<Vec<Example>> {
    let mut documents = vec![repository.join("README.md")];
    for entry in fs::read_dir(repository.join("docs"))? {
        documents.push(entry?.path());
    }
    documents.retain(|path| path.extension().is_some_and(|end| end == "md"));
    documents.sort();
    let mut examples = Vec::new();
    for path in documents {
        let place = path.strip_prefix(repository)?.display().to_string();
        let text = fs::read_to_string(&path)?;
        let blocks = text
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        examples.extend(blocks.map(|block| Example {
            place: place.clone(),
            text: block.to_owned(),
            own: None,
        }));
    }
    examples.extend(written(repository)?);
    Ok(examples)
}

/// What `leakgate init` writes, as a test keeps it.
fn written(repository: &Path) -> Outcome<Vec<Example>> {
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
