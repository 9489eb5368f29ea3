//! `requirements*.txt`. Only versions pinned with `==` or `===` count.

use alloc::string::String;
use alloc::vec::Vec;

use super::LockedPackage;

/// Returns the pinned packages.
pub(super) fn pinned(text: &str) -> Result<Vec<LockedPackage>, String> {
    Ok(text.lines().filter_map(requirement).collect())
}

/// Parses `name[extra] == 1.0 ; marker # comment`.
fn requirement(line: &str) -> Option<LockedPackage> {
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split([';', '\\']).next().unwrap_or_default();
    let line = line.split(" --").next().unwrap_or_default().trim();
    let (name, version) = line.split_once("==")?;
    let name = name.split('[').next().unwrap_or_default().trim();
    let version = version.trim_start_matches('=').trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = !name.is_empty() && name.chars().all(is_plain);
    let is_exact = !version.is_empty() && !version.contains(['*', ',', ' ']);
    (is_name && is_exact).then(|| LockedPackage::new(name, version))
}
