//! Finds out whether a program of Go ends without a leak check.
//!
//! Sources: Go's `debug/buildinfo`, for the format of the section; the release notes of Go 1.25:
//! since then, a program built with `-asan` does a leak check when it ends. Older ones call
//! `exit_group` directly.

use std::fs::File;
use std::path::Path;

use object::{Object, ObjectSection, ReadCache};

/// Start of the section: the magic, the size of a pointer, and flags.
const HEADER: usize = 32;

/// Position of the flags.
const FLAGS: usize = 15;

/// Flag for strings in the section instead of pointers to them, since Go 1.18.
const INLINE_STRINGS: u8 = 2;

/// First minor version of Go 1 whose programs do a leak check.
const WITH_LEAK_CHECK: u32 = 25;

/// Returns true for a program of Go that does no leak check when it ends.
pub(super) fn ends_without_leak_check(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    // Only the headers and one section are read: each process asks when it starts.
    let cache = ReadCache::new(file);
    let Ok(program) = object::File::parse(&cache) else {
        return false;
    };
    let section = program.section_by_name(".go.buildinfo");
    let data = section.and_then(|section| section.data().ok());
    data.is_some_and(|data| minor_version(data).is_none_or(|minor| minor < WITH_LEAK_CHECK))
}

/// Returns the minor version of Go 1 that built a program. `None` for versions before 1.18.
fn minor_version(section: &[u8]) -> Option<u32> {
    if section.get(FLAGS)? & INLINE_STRINGS == 0 {
        return None;
    }
    let length = usize::from(*section.get(HEADER)?);
    let version = section.get(HEADER + 1..HEADER + 1 + length)?;
    let version = std::str::from_utf8(version).ok()?;
    let (_, minor) = version.split_once("go1.")?;
    let end = minor.find(|c: char| !c.is_ascii_digit());
    minor[..end.unwrap_or(minor.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(flags: u8, version: &str) -> Vec<u8> {
        let mut bytes = b"\xff Go buildinf:\x08".to_vec();
        bytes.push(flags);
        bytes.resize(HEADER, 0);
        bytes.push(version.len() as u8);
        bytes.extend(version.bytes());
        bytes
    }

    #[test]
    fn version_is_read_from_the_section() {
        assert_eq!(minor_version(&section(2, "go1.19.8")), Some(19));
        assert_eq!(minor_version(&section(2, "go1.25")), Some(25));
        assert_eq!(minor_version(&section(2, "devel go1.26-abc")), Some(26));
        assert_eq!(minor_version(&section(0, "")), None);
        assert_eq!(minor_version(b"\xff Go"), None);
    }

    #[test]
    fn other_programs_do_a_leak_check() {
        assert!(!ends_without_leak_check(&std::env::current_exe().unwrap()));
        assert!(!ends_without_leak_check(Path::new("none")));
    }
}
