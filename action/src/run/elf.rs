//! Finds out whether a checker can see the allocations of an ELF program. A preloaded library does
//! not reach a statically linked program, and a program may contain its own allocator.
//!
//! Sources: the ELF specification (System V gABI, chapter 5): a dynamically linked program names
//! its loader in `PT_INTERP`; valgrind's manual on `--soname-synonyms`: functions are replaced by
//! their C names; jemalloc `src/malloc_io.c` and mimalloc `src/options.c`, for the prefixes of
//! their messages.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use object::{Object, ObjectSymbol};

use super::runtimes;

/// The class of programs that load the same libraries as leakgate, in the header of an ELF file.
pub(super) const OWN_CLASS: u8 = if cfg!(target_pointer_width = "64") {
    2
} else {
    1
};

/// Allocators, each with a message that every program with this allocator contains. It is written
/// in two parts, so that leakgate itself doesn't contain the message.
const ALLOCATORS: &[([&str; 2], &str)] = &[
    (["<jemalloc>: Conf string ", "ends with key"], "jemalloc"),
    (["mimalloc: ", "warning: "], "mimalloc"),
];

/// Identifies Python. It contains mimalloc since 3.13, but doesn't use it with this variable, which
/// leakgate sets.
const PYTHON: &str = "PYTHONMALLOC";

/// Returns the allocator of a program that doesn't define the C functions, as the allocators of
/// Rust programs don't. No checker sees its allocations. `None` if the program has none.
pub(super) fn hidden_allocator(path: &Path) -> Option<&'static str> {
    let messages: Vec<String> = ALLOCATORS.iter().map(|(parts, _)| parts.concat()).collect();
    let needles: Vec<&[u8]> = messages
        .iter()
        .map(String::as_bytes)
        .chain([PYTHON.as_bytes()])
        .collect();
    let contained = runtimes::contains_each(path, &needles).ok()?;
    if contained.last() == Some(&true) {
        return None;
    }
    let allocator = ALLOCATORS
        .iter()
        .zip(contained)
        .find(|(_, is_contained)| *is_contained)
        .map(|((_, name), _)| *name)?;
    (!defines_malloc(path)).then_some(allocator)
}

/// Returns true if a program defines `malloc` itself. A preloaded library doesn't replace it.
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

/// Returns true for a statically linked 64-bit ELF program, one that names no loader.
pub(super) fn is_statically_linked(path: &Path) -> bool {
    has_loader(path).is_ok_and(|has| has == Some(false))
}

/// Returns whether a program names a loader; `None` if the file isn't a 64-bit little-endian ELF
/// program.
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
    let size = usize::from(half(54));
    let count = usize::from(half(56));
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
    fn program_without_loader_is_statically_linked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut file = vec![0u8; 64 + 2 * 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[16] = 2;
        file[32] = 64;
        file[54] = 56;
        file[56] = 2;
        file[64] = 1;
        std::fs::write(&path, &file).unwrap();
        assert!(is_statically_linked(&path));
        file[64 + 56] = 3;
        std::fs::write(&path, &file).unwrap();
        assert!(!is_statically_linked(&path));
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(!is_statically_linked(&path) && !is_statically_linked(dir.path()));
    }
}
