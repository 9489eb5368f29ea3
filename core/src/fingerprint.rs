//! The identity of a finding, stable across builds, machines and versions of the checker.
//!
//! `lg1-` and the first 32 hex digits of the SHA-256 of lines: the class (`leak`, or the kind of the error), then the simple names
//! of the primary stack's functions from top to bottom, at most eight, without allocators and runtimes; where a frame has no name, the
//! base name of its module. It depends on nothing but the finding. Addresses, lines, sizes, pids and the kind of a leak
//! are not in it: they change from run to run.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use crate::culprit::{Class, Names};
use crate::model::{Finding, Frame};

/// How many functions count.
const DEPTH: usize = 8;

/// The identity of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    text: String,
    weak: bool,
}

impl Fingerprint {
    /// `lg1-…`
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when nothing but allocators and runtimes was in the stack: many different findings may look like this one.
    pub fn is_weak(&self) -> bool {
        self.weak
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The fingerprint of a finding.
pub(crate) fn of(finding: &Finding, names: &mut Names) -> Fingerprint {
    let class = if finding.kind.is_leak() { "leak" } else { finding.kind.as_str() };
    let frames = finding.primary().map(|s| s.frames.as_slice()).unwrap_or_default();
    let mut lines: Vec<String> = Vec::with_capacity(DEPTH);
    for frame in frames {
        let known = names.get(&frame.site);
        if lines.len() == DEPTH || matches!(known.class, Class::Allocator | Class::Runtime) {
            continue;
        }
        let line = if known.name.is_empty() { String::from(module(frame)) } else { known.name.clone() };
        if !line.is_empty() {
            lines.push(line);
        }
    }
    let weak = lines.is_empty();
    if weak {
        lines = frames.iter().take(DEPTH).map(|f| format!("{} in {}", names.get(&f.site).name, module(f))).collect();
    }
    let mut hash = Sha256::new();
    hash.update(class);
    for line in &lines {
        hash.update("\n");
        hash.update(line);
    }
    let mut text = String::from("lg1-");
    for byte in &hash.finalize()[..16] {
        text += &format!("{byte:02x}");
    }
    Fingerprint { text, weak }
}

fn module(frame: &Frame) -> &str {
    let module = frame.site.module.as_deref().unwrap_or_default();
    module.rsplit(['/', '\\']).next().unwrap_or_default()
}
