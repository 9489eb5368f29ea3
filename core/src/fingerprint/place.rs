//! Names of files and modules that are the same in every build, and places within one run.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Finding, Frame, FrameInfo};

/// The exact place of a record: the frames of its primary stack, with lines and offsets. They
/// change from build to build and are no part of a fingerprint, but they separate records within
/// one run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place<'a>(Vec<&'a FrameInfo>);

impl<'a> Place<'a> {
    /// Returns the place of a finding, or `None` if no frame has a line or an offset.
    pub(crate) fn of(finding: &'a Finding) -> Option<Self> {
        let frames = &finding.primary()?.frames;
        let is_exact = |frame: &Frame| frame.info.line.is_some() || frame.info.offset.is_some();
        let infos = frames.iter().map(|frame| &*frame.info);
        frames.iter().any(is_exact).then(|| Self(infos.collect()))
    }
}

/// Returns the last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Returns true if a frame's module has a base name.
pub(super) fn has_module(frame: &Frame) -> bool {
    let module = frame.info.module.as_deref().unwrap_or_default();
    !without_version(base_name(module)).is_empty()
}

/// Returns the base name of a frame's module without its version: `libz.so` for
/// `/lib/libz.so.1.3`, `libc.so` for `libc-2.31.so`, and `parse` for cargo's
/// `parse-0123456789abcdef`.
pub(super) fn module_name(frame: &Frame) -> String {
    without_version(base_name(frame.info.module.as_deref().unwrap_or_default()))
}

fn without_version(base: &str) -> String {
    if let Some(name) = base.find(".so").map(|at| &base[..at]) {
        let version = |c: char| c.is_ascii_digit() || c == '.';
        let stem = name.trim_end_matches(version);
        let stem = stem.strip_suffix('-').filter(|_| stem.len() < name.len());
        return format!("{}.so", stem.unwrap_or(name));
    }
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    match base.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => String::from(name),
        _ => String::from(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_names_lose_versions_and_hashes() {
        for (base, want) in [
            ("libz.so.1.3.1", "libz.so"),
            ("libc-2.31.so", "libc.so"),
            ("libglib-2.0.so.0", "libglib.so"),
            ("libfoo2.so", "libfoo2.so"),
            ("parse-0123456789abcdef", "parse"),
            ("demo-server", "demo-server"),
            ("a.exe", "a.exe"),
            ("", ""),
        ] {
            assert_eq!(without_version(base), want);
        }
    }
}
