//! Finds out which sanitizer runtimes a program contains, by scanning its file.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::Path;

use memchr::memmem;
use object::{Object, ObjectSection, ObjectSymbol};

use super::checker::Checker;

/// Text that identifies a runtime in a program: one of its symbols, or the name of its library.
const MARKERS: &[(&[u8], Checker)] = &[
    (b"__asan_init", Checker::Asan),
    (b"__lsan_init", Checker::Lsan),
    (b"liblsan.so", Checker::Lsan),
    (b"__msan_init", Checker::Msan),
    (b"__tsan_init", Checker::Tsan),
    (b"__ubsan_handle_", Checker::Ubsan),
    // A program without anything to check has only the library.
    (b"libubsan.so", Checker::Ubsan),
    (b"__hwasan_init", Checker::Hwasan),
];

/// Beginnings of the names of runtimes that are loaded.
const LIBRARIES: &[&[u8]] = &[
    b"libasan.so",
    b"libclang_rt.",
    b"libhwasan.so",
    b"liblsan.so",
    b"libtsan.so",
    b"libubsan.so",
];

/// Returns the sanitizers whose runtimes a program contains; `None` if the file is not an
/// executable but a script, for example.
pub(super) fn detect(path: &Path) -> io::Result<Option<Vec<Checker>>> {
    detect_in(File::open(path)?)
}

/// Like [`detect`], but without the sanitizers that a program only names, as a compiler does. The
/// symbols decide, unless they were removed, as `go test` does.
pub(super) fn detect_symbols(path: &Path) -> io::Result<Option<Vec<Checker>>> {
    let found = detect(path)?;
    let has_any = found.as_ref().is_some_and(|found| !found.is_empty());
    let is_sure = |bytes: &[u8]| {
        object::File::parse(bytes)
            .is_ok_and(|program| has_runtime_symbol(&program) || may_lack_symbols(&program))
    };
    if has_any && !is_sure(&fs::read(path)?) {
        return Ok(Some(Vec::new()));
    }
    Ok(found)
}

/// Returns true for a program without symbols, and for one that loads a runtime but calls nothing
/// in it.
fn may_lack_symbols(program: &object::File<'_>) -> bool {
    let names = program.section_by_name(".dynstr");
    let names = names
        .and_then(|section| section.data().ok())
        .unwrap_or_default();
    program.symbols().next().is_none()
        || LIBRARIES
            .iter()
            .any(|library| memmem::find(names, library).is_some())
}

/// Like [`detect`], for an open file.
pub(super) fn detect_in(mut file: File) -> io::Result<Option<Vec<Checker>>> {
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut magic)?;
    if !is_executable_format(&magic) {
        return Ok(None);
    }
    let markers: Vec<&[u8]> = MARKERS.iter().map(|(marker, _)| *marker).collect();
    let matches = scan(file, &markers)?;
    let mut found: Vec<Checker> = MARKERS
        .iter()
        .zip(matches)
        .filter(|(_, is_match)| *is_match)
        .map(|((_, checker), _)| *checker)
        .collect();
    remove_parts(&mut found);
    Ok(Some(found))
}

/// Removes duplicates, and runtimes that are only a part of another one: the other runtimes contain
/// LeakSanitizer and the handlers of UndefinedBehaviorSanitizer, whether the program uses them or
/// not.
pub(super) fn remove_parts(found: &mut Vec<Checker>) {
    let is_part = |checker: &Checker| matches!(checker, Checker::Lsan | Checker::Ubsan);
    if !found.iter().all(is_part) {
        found.retain(|checker| !is_part(checker));
    }
    found.sort_unstable();
    found.dedup();
}

/// Returns true if a program has a symbol of a runtime. A compiler contains only the names. False
/// for a stripped program into which the runtime was linked.
pub(super) fn has_symbols(mut file: File) -> bool {
    let mut bytes = Vec::new();
    let is_read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    if is_read.is_err() {
        return false;
    }
    object::File::parse(&*bytes).is_ok_and(|program| has_runtime_symbol(&program))
}

/// Returns true if a program has a symbol of a runtime.
fn has_runtime_symbol(program: &object::File<'_>) -> bool {
    let is_marker = |symbol: object::Symbol<'_, '_>| {
        symbol.name_bytes().is_ok_and(|name| {
            MARKERS
                .iter()
                .any(|(marker, _)| name.starts_with(marker) && name.starts_with(b"__"))
        })
    };
    program
        .dynamic_symbols()
        .chain(program.symbols())
        .any(is_marker)
}

/// Returns true for a program that was built only with gcc's UndefinedBehaviorSanitizer. It reads
/// its options before its first report, not when the process starts.
pub(super) fn reads_options_late(mut file: File) -> bool {
    let mut bytes = Vec::new();
    let is_read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    if is_read.is_err() || memmem::find(&bytes, b"libclang_rt.ubsan").is_some() {
        return false;
    }
    // clang's static runtime starts by this section.
    memmem::find(&bytes, b"libubsan.so").is_some()
        || object::File::parse(&*bytes)
            .is_ok_and(|program| program.section_by_name(".preinit_array").is_none())
}

/// Returns for each needle whether a file contains it.
pub(super) fn contains_each(path: &Path, needles: &[&[u8]]) -> io::Result<Vec<bool>> {
    scan(File::open(path)?, needles)
}

/// Searches a file, which may be large, in chunks.
fn scan(mut file: File, needles: &[&[u8]]) -> io::Result<Vec<bool>> {
    const CHUNK: usize = 1 << 20;
    let longest = needles.iter().map(|needle| needle.len()).max().unwrap_or(0);
    let mut buffer = vec![0; CHUNK + longest];
    let mut kept = 0;
    let mut found = vec![false; needles.len()];
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let text = &buffer[..kept + read];
        for (needle, found) in needles.iter().zip(&mut found) {
            *found |= memmem::find(text, needle).is_some();
        }
        if read == 0 {
            return Ok(found);
        }
        // A match may begin in one chunk and end in the next.
        let end = kept + read;
        kept = longest.min(end);
        buffer.copy_within(end - kept..end, 0);
    }
}

/// Returns true for the magic numbers of ELF, PE and Mach-O files.
fn is_executable_format(magic: &[u8]) -> bool {
    const FORMATS: [&[u8]; 6] = [
        b"\x7fELF",
        b"MZ",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa\xcf",
    ];
    FORMATS.iter().any(|format| magic.starts_with(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_shows_when_options_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        for (library, expected) in [
            ("libubsan.so.1", true),
            ("libclang_rt.ubsan_standalone-x86_64.so", false),
            ("libc.so.6", false),
        ] {
            std::fs::write(&path, format!("\x7fELF {library}")).unwrap();
            let file = File::open(&path).unwrap();
            assert_eq!(reads_options_late(file), expected, "{library}");
        }
    }

    #[test]
    fn runtimes_are_found_in_executables_but_not_in_scripts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        for (text, expected) in [
            (b"#!/bin/sh\n__asan_init".to_vec(), None),
            (b"\x7fELF".to_vec(), Some(vec![])),
            (
                [
                    b"\x7fELF".as_slice(),
                    &vec![b' '; (1 << 20) - 8],
                    b"__tsan_init",
                ]
                .concat(),
                Some(vec![Checker::Tsan]),
            ),
            (
                b"\x7fELF __asan_init __lsan_init __ubsan_handle_x".to_vec(),
                Some(vec![Checker::Asan]),
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(detect(&path).unwrap(), expected);
        }
    }
}
