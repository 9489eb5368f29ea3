//! Symbolizes with modules on disk: with separate debug files, rebuilt, corrupt, and with files
//! that aren't modules. The C compiler that links Rust programs builds them.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use leakgate_core::model::Frame;
use leakgate_core::{Options, Parsed, Parser};
use object::{Object, ObjectSection, ObjectSymbol};
use tempfile::TempDir;

use super::{SearchPaths, Trust, apply};

const SOURCE: &str = "static __attribute__((always_inline)) inline int inner(int n) {
    return n + 1;
}
__attribute__((noinline)) int outer(int n) {
    return inner(n);
}
int main(void) {
    return outer(1);
}
";

/// A program in a temporary directory.
struct Program {
    dir: TempDir,
    path: PathBuf,
}

/// Builds the program with these compiler options.
fn build(options: &str) -> Program {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("app.c"), SOURCE).unwrap();
    run(
        dir.path(),
        &format!("cc -w app.c -o app -Wl,--build-id {options}"),
    );
    let path = dir.path().join("app");
    Program { dir, path }
}

fn run(dir: &Path, command: &str) {
    let mut argv = command.split_whitespace();
    let status = Command::new(argv.next().unwrap())
        .current_dir(dir)
        .args(argv)
        .status();
    assert!(
        status
            .unwrap_or_else(|error| panic!("{command}: {error}"))
            .success(),
        "{command}"
    );
}

impl Program {
    /// Returns the address of a function and the build id.
    fn location(&self, function: &str) -> (u64, String) {
        let bytes = fs::read(&self.path).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let symbol = elf.symbols().find(|s| s.name() == Ok(function)).unwrap();
        let id = elf.build_id().unwrap().unwrap();
        (
            symbol.address(),
            id.iter().map(|byte| format!("{byte:02x}")).collect(),
        )
    }
}

/// Parses a log with one frame.
fn log(module: &str, offset: u64, build_id: Option<&str>) -> Parsed {
    let id = build_id
        .map(|id| format!(" (BuildId: {id})"))
        .unwrap_or_default();
    let text = format!(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
         Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    \
         #0 0x1234  ({module}+{offset:#x}){id}\n\n\
         SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"
    );
    let mut parser = Parser::new(Options::default());
    parser.begin("run.log");
    parser.feed(text.as_bytes());
    parser.finish()
}

fn describe(frame: &Frame) -> String {
    let site = &frame.info;
    let file = site
        .file
        .as_deref()
        .map_or("-", |file| file.rsplit('/').next().unwrap());
    format!(
        "{} {file}:{}",
        site.name().unwrap_or("-"),
        site.line.unwrap_or(0)
    )
}

/// Returns the symbolized frames and the notes.
fn symbolized(
    mut parsed: Parsed,
    trust: Trust,
    search_paths: SearchPaths,
) -> (Vec<String>, Vec<String>) {
    let notes = apply(&mut parsed, trust, search_paths);
    (
        parsed.findings[0].stacks[0]
            .frames
            .iter()
            .map(describe)
            .collect(),
        notes,
    )
}

/// Symbolizes a log with one frame, whose module has a build id.
fn by_id(
    program: &Program,
    location: &(u64, String),
    search_paths: SearchPaths,
) -> (Vec<String>, Vec<String>) {
    let (address, id) = location;
    symbolized(
        log(program.path.to_str().unwrap(), *address, Some(id)),
        Trust::BuildId,
        search_paths,
    )
}

const FULL: [&str; 2] = ["inner app.c:2", "outer app.c:5"];

/// Returns the address of the inlined addition in `outer`, found with full debug information.
fn inlined_location(program: &Program) -> (u64, String) {
    let (start, id) = program.location("outer");
    let at = |address: u64| by_id(program, &(address, id.clone()), SearchPaths::default()).0;
    let address = (start..start + 64)
        .find(|address| at(*address) == FULL)
        .expect("an address of the inlined function");
    (address, id)
}

#[test]
fn inlined_functions_become_frames() {
    let program = build("-g -O2");
    let location = inlined_location(&program);
    assert_eq!(
        by_id(&program, &location, SearchPaths::default()),
        (FULL.map(String::from).to_vec(), vec![])
    );
    let without_debug = build("-O2");
    assert_eq!(
        by_id(
            &without_debug,
            &without_debug.location("outer"),
            SearchPaths::default()
        ),
        (vec!["outer -:0".into()], vec![])
    );
}

#[test]
fn unsupported_compression_falls_back_to_symbols() {
    let program = build("-g -O2 -gz=zlib");
    let location = inlined_location(&program);
    let mut bytes = fs::read(&program.path).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let at = usize::try_from(
        elf.section_by_name(".debug_info")
            .unwrap()
            .file_range()
            .unwrap()
            .0,
    )
    .unwrap();
    // The first word of a compressed section is its compression type: 2 is zstd.
    bytes[at..at + 4].copy_from_slice(&2u32.to_ne_bytes());
    fs::write(&program.path, bytes).unwrap();
    let (frames, notes) = by_id(&program, &location, SearchPaths::default());
    assert_eq!(frames, ["outer -:0"]);
    assert!(
        notes.len() == 1 && notes[0].contains("has no line numbers: unsupported compression"),
        "{notes:?}"
    );
}

#[test]
fn separate_debug_file_is_found_by_build_id() {
    let program = build("-g -O2 -gz=zlib");
    let location = inlined_location(&program);
    let dir = program.dir.path();
    run(dir, "objcopy --only-keep-debug app app.debug");
    run(dir, "strip app");
    let (frames, notes) = by_id(&program, &location, SearchPaths::default());
    assert_eq!(frames, ["- -:0"]);
    assert!(
        notes.len() == 1 && notes[0].contains("it was stripped"),
        "{notes:?}"
    );

    let (folder, name) = location.1.split_at(2);
    let debug = dir.join("debug/.build-id").join(folder);
    fs::create_dir_all(&debug).unwrap();
    fs::copy(dir.join("app.debug"), debug.join(format!("{name}.debug"))).unwrap();
    let search_paths = SearchPaths {
        debug: vec![dir.join("debug")],
        ..SearchPaths::default()
    };
    assert_eq!(
        by_id(&program, &location, search_paths.clone()),
        (FULL.map(String::from).to_vec(), vec![])
    );

    // A debug file with another build id at the same path.
    let other = build("-g -O1");
    fs::copy(&other.path, debug.join(format!("{name}.debug"))).unwrap();
    assert_eq!(by_id(&program, &location, search_paths).0, ["- -:0"]);
}

#[test]
fn separate_debug_file_is_found_by_link_and_checksum() {
    let program = build("-g -O2");
    let location = inlined_location(&program);
    let dir = program.dir.path();
    run(dir, "objcopy --only-keep-debug app app.debug");
    run(dir, "strip app");
    run(dir, "objcopy --add-gnu-debuglink=app.debug app");
    assert_eq!(by_id(&program, &location, SearchPaths::default()).0, FULL);

    fs::create_dir(dir.join(".debug")).unwrap();
    fs::rename(dir.join("app.debug"), dir.join(".debug/app.debug")).unwrap();
    assert_eq!(by_id(&program, &location, SearchPaths::default()).0, FULL);

    let real = dir.canonicalize().unwrap();
    let under = dir.join("all").join(real.strip_prefix("/").unwrap());
    fs::create_dir_all(&under).unwrap();
    fs::rename(dir.join(".debug/app.debug"), under.join("app.debug")).unwrap();
    assert_eq!(
        by_id(&program, &location, SearchPaths::default()).0,
        ["- -:0"]
    );
    let search_paths = SearchPaths {
        debug: vec![dir.join("all")],
        ..SearchPaths::default()
    };
    assert_eq!(by_id(&program, &location, search_paths.clone()).0, FULL);

    let mut bytes = fs::read(under.join("app.debug")).unwrap();
    bytes.push(0);
    fs::write(under.join("app.debug"), bytes).unwrap();
    assert_eq!(by_id(&program, &location, search_paths).0, ["- -:0"]);
}

#[test]
fn split_debug_information_is_read() {
    let program = build("-gdwarf-4 -O2 -gsplit-dwarf");
    let location = inlined_location(&program);
    let dir = program.dir.path();
    run(dir, "dwp -e app -o app.dwp");
    let parts = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    parts
        .filter(|path| path.extension().is_some_and(|end| end == "dwo"))
        .for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(by_id(&program, &location, SearchPaths::default()).0, FULL);
    fs::remove_file(dir.join("app.dwp")).unwrap();
    assert_eq!(
        by_id(&program, &location, SearchPaths::default())
            .0
            .last()
            .unwrap(),
        "outer app.c:2"
    );
}

#[test]
fn only_the_module_that_ran_is_used() {
    let program = build("-g -O2");
    let (address, id) = program.location("main");
    let module = program.path.to_str().unwrap();
    let now = SystemTime::now() + Duration::from_secs(1);
    let before = SystemTime::now() - Duration::from_secs(3600);
    let result = |id: Option<&str>, trust| {
        let (frames, notes) = symbolized(log(module, address, id), trust, SearchPaths::default());
        assert_eq!(frames.len(), 1);
        (
            frames[0] == "main app.c:7" || frames[0] == "main app.c:8",
            notes.join("\n"),
        )
    };
    assert_eq!(result(Some(&id), Trust::BuildId), (true, String::new()));
    assert_eq!(
        result(Some(&id.to_uppercase()), Trust::BuildId),
        (true, String::new())
    );
    assert_eq!(
        result(None, Trust::UnchangedSince(now)),
        (true, String::new())
    );
    for (id, trust, message) in [
        (Some("00ff"), Trust::BuildId, "has another build id"),
        (Some(&id[..38]), Trust::BuildId, "has another build id"),
        (Some(""), Trust::BuildId, "has another build id"),
        (
            Some("00ff"),
            Trust::UnchangedSince(now),
            "has another build id",
        ),
        (None, Trust::BuildId, "the log has no build id"),
        (None, Trust::UnchangedSince(before), "was modified after"),
    ] {
        let (is_named, notes) = result(id, trust);
        assert!(
            !is_named && notes.contains(message) && notes.lines().count() == 1,
            "{id:?} {trust:?}: {notes}"
        );
    }
}

#[test]
fn bare_file_name_is_searched_among_programs() {
    let program = build("-g -O2");
    let (address, id) = program.location("main");
    let search_paths = SearchPaths {
        programs: vec![program.path.clone()],
        ..SearchPaths::default()
    };
    let (frames, notes) = symbolized(log("app", address, Some(&id)), Trust::BuildId, search_paths);
    assert!(
        frames[0].starts_with("main app.c") && notes.is_empty(),
        "{frames:?} {notes:?}"
    );
}

#[test]
fn files_that_are_not_modules_are_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    run(dir.path(), "mkfifo fifo");
    fs::write(path("text"), "int main;\n".repeat(100)).unwrap();
    fs::write(path("short"), b"\x7fELF").unwrap();
    fs::write(
        path("broken"),
        [b"\x7fELF".as_slice(), &[0xff; 500]].concat(),
    )
    .unwrap();
    let huge = fs::File::create(path("huge")).unwrap();
    huge.set_len(super::file::MAX_BYTES + 1).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    for (module, message) in [
        ("/etc/shadow", "is not symbolized"),
        ("/dev/zero", "not an ELF file"),
        ("/dev/tty", "not an ELF file"),
        ("/proc/kmsg", "is not symbolized"),
        ("/proc/kcore", "is not symbolized"),
        ("/proc/self/environ", "not an ELF file"),
        ("/etc", "not an ELF file"),
        ("../../../../../../etc/passwd", "not an ELF file"),
        (&path("fifo"), "not an ELF file"),
        (&path("text"), "not an ELF file"),
        (&path("short"), "not an ELF file"),
        (&path("link"), "not an ELF file"),
        (&path("broken"), "the ELF file is corrupt"),
        (&path("huge"), "exceeds the size limit"),
        (&path("loop"), "cannot read the file"),
        (&path("none"), "file not found on this machine"),
        (&path("text/none"), "file not found on this machine"),
        ("a\u{0}b/c", "cannot read the file"),
    ] {
        let far_future = Trust::UnchangedSince(SystemTime::now() + Duration::from_secs(9));
        for (id, trust) in [(Some("abcd"), Trust::BuildId), (None, far_future)] {
            let (frames, notes) = symbolized(log(module, 0x10, id), trust, SearchPaths::default());
            assert_eq!(frames, ["- -:0"], "{module}");
            assert!(
                notes.len() == 1 && notes[0].contains(message),
                "{module}: {notes:?}"
            );
        }
    }
}

/// glibc prints return addresses. The return address of a call that never returns belongs to the
/// next function.
#[test]
fn return_addresses_are_mapped_to_calls() {
    let dir = tempfile::tempdir().unwrap();
    let source = "#include <execinfo.h>
#include <unistd.h>
__attribute__((noinline, noreturn)) static void stop(void) {
    void *all[9];
    backtrace_symbols_fd(all, backtrace(all, 9), 1);
    _exit(0);
}
__attribute__((noinline, noreturn)) static void caller(void) {
    stop();
}
__attribute__((noinline)) static int next(int n) {
    return n + 1;
}
int main(int count, char **arguments) {
    if (count == 1)
        caller();
    return next(count);
}
";
    fs::write(dir.path().join("app.c"), source).unwrap();
    run(dir.path(), "cc -g -O1 -w app.c -o app");
    let start = SystemTime::now() + Duration::from_secs(1);
    let app = dir.path().join("app");
    let output = Command::new(&app).output().unwrap();
    let frames = String::from_utf8(output.stdout).unwrap();
    let frames: String = frames
        .lines()
        .enumerate()
        .map(|(n, line)| format!("  #{n} {}\n", line.replace('[', " [")))
        .collect();
    let head = "Use After Free at 0x7ffff7cbafd0 \
        (0 bytes into a 40-byte allocation at 0x7ffff7cbafd0) by thread 4201 here:";
    let text = format!(
        "*** GWP-ASan detected a memory error ***\n{head}\n{frames}\n*** End GWP-ASan report ***\n"
    );
    let mut parser = Parser::new(Options::default());
    parser.feed(text.as_bytes());
    let (frames, _) = symbolized(
        parser.finish(),
        Trust::UnchangedSince(start),
        SearchPaths::default(),
    );
    assert_eq!(
        frames[..3],
        ["stop app.c:5", "caller app.c:9", "main app.c:16"],
        "{text}"
    );
}

#[test]
fn number_of_notes_is_limited() {
    let mut text = String::from(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
         Direct leak of 4 byte(s) in 1 object(s) allocated from:\n",
    );
    (0..100).for_each(|n| {
        text += &format!(
            "    #{n} 0x12{n:x}  (/none/lib{}.so+0x{n:x}) (BuildId: ab12)\n",
            n / 2
        )
    });
    text += "\nSUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";
    let mut parser = Parser::new(Options::default());
    parser.feed(text.as_bytes());
    let (frames, notes) = symbolized(parser.finish(), Trust::BuildId, SearchPaths::default());
    assert_eq!((frames.len(), notes.len()), (100, 17));
    assert_eq!(
        notes[16],
        "34 more modules have frames that are not symbolized"
    );
}

/// Truncates and corrupts a program in many ways: no lookup panics or takes long.
#[test]
fn corrupt_modules_are_handled() {
    let program = build("-g -O2");
    let location = inlined_location(&program);
    let whole = fs::read(&program.path).unwrap();
    let far_future = Trust::UnchangedSince(SystemTime::now() + Duration::from_secs(3600));
    let mut still_symbolized = 0;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let start = std::time::Instant::now();
    for round in 0..600 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(next(whole.len()));
        } else {
            // Prefer headers to the zeros between sections.
            for _ in 0..=next(8) {
                let at = if next(4) == 0 {
                    next(64)
                } else {
                    next(whole.len())
                };
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
        }
        fs::write(&program.path, bytes).unwrap();
        let (frames, notes) = symbolized(
            log(program.path.to_str().unwrap(), location.0, None),
            far_future,
            SearchPaths::default(),
        );
        // A panic in the reader thread looks like a timeout.
        assert!(!notes.join("").contains("timed out"), "round {round}");
        assert!((1..=256).contains(&frames.len()));
        still_symbolized += usize::from(frames == FULL);
    }
    assert!(start.elapsed() < Duration::from_secs(50));
    assert!(
        (50..600).contains(&still_symbolized),
        "only {still_symbolized} of 600 were symbolized"
    );
}
