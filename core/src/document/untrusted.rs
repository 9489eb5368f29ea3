//! Untrusted documents: reports that were rendered from their own claims.

use alloc::string::String;

use hashbrown::HashMap;

use super::{Document, PriorFinding};
use crate::culprit::Workspace;
use crate::model::Finding;
use crate::triage::{Gate, Triage, triage_with_fingerprints};

/// The claims of an untrusted document: dispositions, and locations in the repository.
///
/// Used when publishing results of a fork, without its logs, rules and sources. None of the claims
/// is verified, so the published report must say where they come from.
#[derive(Clone, Debug, Default)]
pub struct UntrustedDocument {
    /// Files of the repository, by the path that the checker printed.
    files: HashMap<String, String>,
}

impl UntrustedDocument {
    /// Collects the locations that a document claims. Paths that leave the repository are ignored.
    pub fn new(document: &Document) -> Self {
        let findings = document.findings.iter().zip(&document.parsed.findings);
        Self {
            files: findings
                .filter_map(|(prior, finding)| claimed_file(prior, finding))
                .collect(),
        }
    }

    /// Returns a triage with the dispositions that the document claims. Findings without a known
    /// disposition are unexpected.
    pub fn triage(&self, document: &Document, gate: &Gate) -> Triage {
        let mut claimed =
            triage_with_fingerprints(&document.parsed, document.fingerprints(), gate, self);
        for (triaged, prior) in claimed.findings.iter_mut().zip(&document.findings) {
            triaged.disposition = prior.disposition();
        }
        claimed
    }
}

/// Returns the printed path of the culprit frame, and the repository file that it is claimed to be.
fn claimed_file(prior: &PriorFinding, finding: &Finding) -> Option<(String, String)> {
    let file = prior.file.as_deref().filter(|file| is_inside(file))?;
    let frames = finding.stacks.iter().flat_map(|stack| &stack.frames);
    let mut printed = frames
        .filter(|frame| frame.info.line == prior.line)
        .filter_map(|frame| frame.info.file.as_deref());
    // Both paths end with the name of the file.
    let name = |path: &str| String::from(path.rsplit(['/', '\\']).next().unwrap_or(path));
    let path = printed.find(|path| name(path) == name(file))?;
    Some((path.into(), file.into()))
}

/// Returns true if the path is below the root of the repository.
fn is_inside(file: &str) -> bool {
    let is_plain =
        |part: &str| !matches!(part, "" | "." | ".." | ".git") && !part.contains(['\\', ':']);
    file.split('/').all(is_plain) && !file.contains(char::is_control)
}

impl Workspace for UntrustedDocument {
    fn is_known(&self) -> bool {
        true
    }

    fn resolve(&self, file: &str) -> Option<String> {
        self.files.get(file).cloned()
    }
}
