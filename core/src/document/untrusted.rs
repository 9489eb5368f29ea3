//! A document taken at its word: shown as it says, by somebody who has neither the logs nor the
//! rules nor the sources.

use alloc::string::String;

use hashbrown::HashMap;

use super::{Document, Seen};
use crate::culprit::Workspace;
use crate::model::Finding;
use crate::triage::{Gate, Triage, triage};

/// What a document claims of each finding, and where it says that files are in the repository.
///
/// Nothing of it was checked: whoever shows it has to say whose word it is.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Printed path, and the file of the repository that the document takes it for.
    files: HashMap<String, String>,
}

impl Claims {
    /// Reads the places out of a document. Paths that leave the repository are none.
    pub fn of(document: &Document) -> Self {
        let claimed = document
            .seen
            .iter()
            .zip(&document.parsed.findings)
            .filter_map(|(seen, finding)| claim(seen, finding));
        Self {
            files: claimed.collect(),
        }
    }

    /// What becomes of each finding, as the document says; what it does not say is unexpected.
    pub fn triage(&self, document: &Document, gate: &Gate) -> Triage {
        let mut told = triage(&document.parsed, gate, self);
        for (item, seen) in told.items.iter_mut().zip(&document.seen) {
            item.disposition = seen.said();
        }
        told
    }
}

/// The printed path of the frame to look at, and the file of the repository.
fn claim(seen: &Seen, finding: &Finding) -> Option<(String, String)> {
    let file = seen.file.as_deref().filter(|file| is_inside(file))?;
    let frames = finding.stacks.iter().flat_map(|stack| &stack.frames);
    let printed = frames
        .filter(|frame| frame.site.line == seen.line)
        .filter_map(|frame| frame.site.file.as_deref());
    // The document holds the file's name at the end of both.
    let name = |path: &str| String::from(path.rsplit(['/', '\\']).next().unwrap_or(path));
    printed
        .into_iter()
        .find(|printed| name(printed) == name(file))
        .map(|printed| (printed.into(), file.into()))
}

/// A path below the root of the repository.
fn is_inside(file: &str) -> bool {
    let plain =
        |part: &str| !matches!(part, "" | "." | ".." | ".git") && !part.contains(['\\', ':']);
    file.split('/').all(plain) && !file.contains(char::is_control)
}

impl Workspace for Claims {
    fn is_known(&self) -> bool {
        true
    }

    fn resolve(&self, file: &str) -> Option<String> {
        self.files.get(file).cloned()
    }
}
