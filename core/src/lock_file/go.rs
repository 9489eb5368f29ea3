//! `go.mod`. Since Go 1.17 it lists the selected version of each module that the build needs.
//! `go.sum` isn't read: it also lists versions that no build uses.

use alloc::string::String;
use alloc::vec::Vec;

use super::LockedPackage;

/// The tables of the file that matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Require,
    Replace,
    Other,
}

/// Returns the required modules, without the `v` of their versions. A replaced module has the
/// version of its replacement; if that is a folder, it has none.
pub(super) fn modules(text: &str) -> Result<Vec<LockedPackage>, String> {
    let mut required: Vec<LockedPackage> = Vec::new();
    let mut replaced: Vec<(&str, Option<&str>)> = Vec::new();
    let mut block = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let (section, words) = match (block, words.as_slice()) {
            (_, []) => continue,
            (Some(_), [")"]) => {
                block = None;
                continue;
            }
            (Some(section), words) => (section, words),
            (None, [keyword, "("]) => {
                block = Some(section_of(keyword));
                continue;
            }
            (None, [keyword, rest @ ..]) => (section_of(keyword), rest),
        };
        match (section, words) {
            (Section::Require, [module, version]) => {
                required.push(LockedPackage::new(*module, without_v(version)));
            }
            (Section::Replace, [module, .., "=>", _, version]) => {
                replaced.push((*module, Some(*version)));
            }
            (Section::Replace, [module, .., "=>", _]) => replaced.push((*module, None)),
            _ => {}
        }
    }
    let mut out = Vec::with_capacity(required.len());
    for package in required {
        match replaced.iter().find(|(module, _)| *module == package.name) {
            None => out.push(package),
            Some((_, Some(version))) => {
                out.push(LockedPackage::new(package.name, without_v(version)));
            }
            Some((_, None)) => {}
        }
    }
    Ok(out)
}

fn section_of(keyword: &str) -> Section {
    match keyword {
        "require" => Section::Require,
        "replace" => Section::Replace,
        _ => Section::Other,
    }
}

fn without_v(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}
