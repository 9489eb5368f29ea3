//! Whether a program can be watched from without: one that is linked statically takes no library,
//! and one may bring an allocator of its own.
//!
//! Sources: the ELF specification (System V gABI, chapter 5): a program that is linked dynamically
//! names its loader in `PT_INTERP`; valgrind's manual on `--soname-synonyms`: functions are
//! replaced by the names that C gives them; jemalloc `src/malloc_io.c` and mimalloc `src/options.
//! c`, for what these allocators print in front of their messages.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use object::{Object, ObjectSymbol};

use super::sanitizer;

/// Allocators, and a message that is in every program that holds one; in two parts, for this
/// program holds none.
const ALLOCATORS: &[([&str; 2], &str)] = &[
    (["<jemalloc>: Conf string ", "ends with key"], "jemalloc"),
    (["mimalloc: ", "warning: "], "mimalloc"),
];

/// Python holds mimalloc since 3.13, and does not use it with this variable, which leakgate sets.
const PYTHON: &str = "PYTHONMALLOC";

/// The allocator of a program that takes the place of no other, as those of Rust do: nobody sees
/// what it hands out.
pub(super) fn hidden_allocator(path: &Path) -> Option<&'static str> {
    let words: Vec<String> = ALLOCATORS
        .iter()
        .map(|(parts, _)| parts.concat())
        .chain([PYTHON.into()])
        .collect();
    let held = sanitizer::held(
        path,
        &words.iter().map(String::as_bytes).collect::<Vec<_>>(),
    )
    .ok()?;
    if held.last() == Some(&true) {
        return None;
    }
    let allocator = ALLOCATORS
        .iter()
        .zip(held)
        .find(|(_, held)| *held)
        .map(|((_, name), _)| *name)?;
    (!defines_malloc(path)).then_some(allocator)
}

/// True for a program that has C's functions itself: no library that is loaded before it takes
/// their place.
pub(super) fn defines_malloc(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else {
        return false;
    };
    let Ok(elf) = object::File::parse(&*bytes) else {
        return false;
    };
    let is_malloc =
        |symbol: object::Symbol<'_, '_>| symbol.is_definition() && symbol.name() == Ok("malloc");
    elf.symbols().chain(elf.dynamic_symbols()).any(is_malloc)
}

/// True for an ELF program of 64 bits without a loader.
pub(super) fn is_static(path: &Path) -> bool {
    has_loader(path).is_ok_and(|has| has == Some(false))
}

/// Nothing for what is no such program.
fn has_loader(path: &Path) -> io::Result<Option<bool>> {
    const INTERP: u32 = 3;
    let mut file = File::open(path)?;
    let mut header = [0; 64];
    file.read_exact(&mut header)?;
    // 64 bits, little-endian, an executable or a shared object.
    let is_program = header.starts_with(b"\x7fELF\x02\x01") && matches!(header[16], 2 | 3);
    if !is_program {
        return Ok(None);
    }
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let offset = u64::from_le_bytes([32, 33, 34, 35, 36, 37, 38, 39].map(|at: usize| header[at]));
    let (size, count) = (usize::from(half(54)), usize::from(half(56)));
    if size < 4 {
        return Ok(None);
    }
    let mut table = vec![0; size * count.min(1024)];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut table)?;
    Ok(Some(
        table
            .chunks(size)
            .any(|entry| entry.starts_with(&INTERP.to_le_bytes())),
    ))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_names_no_loader_is_static() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut file = vec![0u8; 64 + 2 * 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[16], file[32], file[54], file[56]) = (2, 64, 56, 2);
        file[64] = 1;
        std::fs::write(&path, &file).unwrap();
        assert!(is_static(&path));
        file[64 + 56] = 3;
        std::fs::write(&path, &file).unwrap();
        assert!(!is_static(&path));
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(!is_static(&path) && !is_static(dir.path()));
    }
}
