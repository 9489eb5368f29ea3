//! Modules as they lie on disk: with their debug information apart, built anew, broken, or no
//! modules at all. The compiler that links Rust builds them.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use leakgate_core::{Frame, Options, Parsed, Parser};
use object::{Object, ObjectSection, ObjectSymbol};
use tempfile::TempDir;

use super::{Places, Trust, apply};

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

/// A program in a folder of its own.
struct Built {
    dir: TempDir,
    path: PathBuf,
}

/// Builds the program with these options.
fn build(options: &str) -> Built {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("app.c"), SOURCE).unwrap();
    run(
        dir.path(),
        &format!("cc -w app.c -o app -Wl,--build-id {options}"),
    );
    let path = dir.path().join("app");
    Built { dir, path }
}

fn run(dir: &Path, command: &str) {
    let mut words = command.split_whitespace();
    let status = Command::new(words.next().unwrap())
        .current_dir(dir)
        .args(words)
        .status();
    assert!(
        status
            .unwrap_or_else(|error| panic!("{command}: {error}"))
            .success(),
        "{command}"
    );
}

impl Built {
    /// The address of a function, and the build id.
    fn place(&self, function: &str) -> (u64, String) {
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

/// A log with one frame.
fn log(module: &str, offset: u64, build_id: Option<&str>) -> Parsed {
    let id = build_id
        .map(|id| format!(" (BuildId: {id})"))
        .unwrap_or_default();
    let text = format!(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 object(s) allocated from:\n    \
         #0 0x1234  ({module}+{offset:#x}){id}\n\nSUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"
    );
    let mut parser = Parser::new(Options::default());
    parser.begin("run.log");
    parser.feed(text.as_bytes());
    parser.finish()
}

fn shown(frame: &Frame) -> String {
    let site = &frame.site;
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

/// The frames after symbolising, and what is to be told.
fn named(mut parsed: Parsed, trust: Trust, places: Places) -> (Vec<String>, Vec<String>) {
    let notes = apply(&mut parsed, trust, places);
    (
        parsed.findings[0].stacks[0]
            .frames
            .iter()
            .map(shown)
            .collect(),
        notes,
    )
}

/// `outer` by its build id, whose line is within the inlined function.
fn by_id(built: &Built, place: &(u64, String), places: Places) -> (Vec<String>, Vec<String>) {
    let (address, id) = place;
    named(
        log(built.path.to_str().unwrap(), *address, Some(id)),
        Trust::BuildId,
        places,
    )
}

const FULL: [&str; 2] = ["inner app.c:2", "outer app.c:5"];

/// The address of the addition within `outer`, by what the full program says.
fn inlined_place(built: &Built) -> (u64, String) {
    let (start, id) = built.place("outer");
    let at = |address: u64| by_id(built, &(address, id.clone()), Places::default()).0;
    let address = (start..start + 64)
        .find(|address| at(*address) == FULL)
        .expect("an address of the inlined function");
    (address, id)
}

#[test]
fn inlined_functions_are_frames_and_the_rest_has_its_symbol() {
    let built = build("-g -O2");
    let place = inlined_place(&built);
    assert_eq!(
        by_id(&built, &place, Places::default()),
        (FULL.map(String::from).to_vec(), vec![])
    );
    let bare = build("-O2");
    assert_eq!(
        by_id(&bare, &bare.place("outer"), Places::default()),
        (vec!["outer -:0".into()], vec![])
    );
}

#[test]
fn debug_information_that_cant_be_unpacked_leaves_the_symbols() {
    let built = build("-g -O2 -gz=zlib");
    let place = inlined_place(&built);
    let mut bytes = fs::read(&built.path).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let at = usize::try_from(
        elf.section_by_name(".debug_info")
            .unwrap()
            .file_range()
            .unwrap()
            .0,
    )
    .unwrap();
    // The first word of a packed section tells how it is packed: 2 is zstd.
    bytes[at..at + 4].copy_from_slice(&2u32.to_ne_bytes());
    fs::write(&built.path, bytes).unwrap();
    let (frames, notes) = by_id(&built, &place, Places::default());
    assert_eq!(frames, ["outer -:0"]);
    assert!(
        notes.len() == 1 && notes[0].contains("has no lines: its debug information is compressed"),
        "{notes:?}"
    );
}

#[test]
fn debug_information_lies_apart() {
    let built = build("-g -O2 -gz=zlib");
    let place = inlined_place(&built);
    let dir = built.dir.path();
    run(dir, "objcopy --only-keep-debug app app.debug");
    run(dir, "strip app");
    let (frames, notes) = by_id(&built, &place, Places::default());
    assert_eq!(frames, ["- -:0"]);
    assert!(
        notes.len() == 1 && notes[0].contains("it was stripped"),
        "{notes:?}"
    );

    let (folder, name) = place.1.split_at(2);
    let debug = dir.join("debug/.build-id").join(folder);
    fs::create_dir_all(&debug).unwrap();
    fs::copy(dir.join("app.debug"), debug.join(format!("{name}.debug"))).unwrap();
    let places = Places {
        debug: vec![dir.join("debug")],
        ..Places::default()
    };
    assert_eq!(
        by_id(&built, &place, places.clone()),
        (FULL.map(String::from).to_vec(), vec![])
    );

    // A file in its place that has another build id.
    let other = build("-g -O1");
    fs::copy(&other.path, debug.join(format!("{name}.debug"))).unwrap();
    assert_eq!(by_id(&built, &place, places).0, ["- -:0"]);
}

#[test]
fn debug_information_is_named_by_a_link_and_its_checksum() {
    let built = build("-g -O2");
    let place = inlined_place(&built);
    let dir = built.dir.path();
    run(dir, "objcopy --only-keep-debug app app.debug");
    run(dir, "strip app");
    run(dir, "objcopy --add-gnu-debuglink=app.debug app");
    assert_eq!(by_id(&built, &place, Places::default()).0, FULL);

    fs::create_dir(dir.join(".debug")).unwrap();
    fs::rename(dir.join("app.debug"), dir.join(".debug/app.debug")).unwrap();
    assert_eq!(by_id(&built, &place, Places::default()).0, FULL);

    let real = dir.canonicalize().unwrap();
    let under = dir.join("all").join(real.strip_prefix("/").unwrap());
    fs::create_dir_all(&under).unwrap();
    fs::rename(dir.join(".debug/app.debug"), under.join("app.debug")).unwrap();
    assert_eq!(by_id(&built, &place, Places::default()).0, ["- -:0"]);
    let places = Places {
        debug: vec![dir.join("all")],
        ..Places::default()
    };
    assert_eq!(by_id(&built, &place, places.clone()).0, FULL);

    let mut bytes = fs::read(under.join("app.debug")).unwrap();
    bytes.push(0);
    fs::write(under.join("app.debug"), bytes).unwrap();
    assert_eq!(by_id(&built, &place, places).0, ["- -:0"]);
}

#[test]
fn debug_information_was_split_off() {
    let built = build("-gdwarf-4 -O2 -gsplit-dwarf");
    let place = inlined_place(&built);
    let dir = built.dir.path();
    run(dir, "dwp -e app -o app.dwp");
    let parts = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    parts
        .filter(|path| path.extension().is_some_and(|end| end == "dwo"))
        .for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(by_id(&built, &place, Places::default()).0, FULL);
    fs::remove_file(dir.join("app.dwp")).unwrap();
    assert_eq!(
        by_id(&built, &place, Places::default()).0.last().unwrap(),
        "outer app.c:2"
    );
}

#[test]
fn only_the_file_that_ran_is_read() {
    let built = build("-g -O2");
    let (address, id) = built.place("main");
    let module = built.path.to_str().unwrap();
    let now = SystemTime::now() + Duration::from_secs(1);
    let before = SystemTime::now() - Duration::from_secs(3600);
    let told = |id: Option<&str>, trust| {
        let (frames, notes) = named(log(module, address, id), trust, Places::default());
        assert_eq!(frames.len(), 1);
        (
            frames[0] == "main app.c:7" || frames[0] == "main app.c:8",
            notes.join("\n"),
        )
    };
    assert_eq!(told(Some(&id), Trust::BuildId), (true, String::new()));
    assert_eq!(
        told(Some(&id.to_uppercase()), Trust::BuildId),
        (true, String::new())
    );
    assert_eq!(told(None, Trust::Unchanged(now)), (true, String::new()));
    for (id, trust, why) in [
        (Some("00ff"), Trust::BuildId, "has another build id"),
        (Some(&id[..38]), Trust::BuildId, "has another build id"),
        (Some(""), Trust::BuildId, "has another build id"),
        (Some("00ff"), Trust::Unchanged(now), "has another build id"),
        (None, Trust::BuildId, "the log names no build id"),
        (None, Trust::Unchanged(before), "has changed since"),
    ] {
        let (is_named, notes) = told(id, trust);
        assert!(
            !is_named && notes.contains(why) && notes.lines().count() == 1,
            "{id:?} {trust:?}: {notes}"
        );
    }
}

#[test]
fn a_name_alone_is_looked_for_among_programs() {
    let built = build("-g -O2");
    let (address, id) = built.place("main");
    let places = Places {
        programs: vec![built.path.clone()],
        ..Places::default()
    };
    let (frames, notes) = named(log("app", address, Some(&id)), Trust::BuildId, places);
    assert!(
        frames[0].starts_with("main app.c") && notes.is_empty(),
        "{frames:?} {notes:?}"
    );
}

#[test]
fn whatever_a_log_names_is_no_module() {
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
    for (module, why) in [
        ("/etc/shadow", "is not symbolized"),
        ("/dev/zero", "it is no ELF file"),
        ("/dev/tty", "it is no ELF file"),
        ("/proc/kmsg", "is not symbolized"),
        ("/proc/kcore", "is not symbolized"),
        ("/proc/self/environ", "it is no ELF file"),
        ("/etc", "it is no ELF file"),
        ("../../../../../../etc/passwd", "it is no ELF file"),
        (&path("fifo"), "it is no ELF file"),
        (&path("text"), "it is no ELF file"),
        (&path("short"), "it is no ELF file"),
        (&path("link"), "it is no ELF file"),
        (&path("broken"), "it is broken"),
        (&path("huge"), "there is too much to read in it"),
        (&path("loop"), "it can't be read"),
        (&path("none"), "there is no such file here"),
        (&path("text/none"), "there is no such file here"),
        ("a\u{0}b/c", "it can't be read"),
    ] {
        let far = Trust::Unchanged(SystemTime::now() + Duration::from_secs(9));
        for (id, trust) in [(Some("abcd"), Trust::BuildId), (None, far)] {
            let (frames, notes) = named(log(module, 0x10, id), trust, Places::default());
            assert_eq!(frames, ["- -:0"], "{module}");
            assert!(
                notes.len() == 1 && notes[0].contains(why),
                "{module}: {notes:?}"
            );
        }
    }
}

/// glibc prints return addresses: that of a call that never returns belongs to the next function.
#[test]
fn calls_are_found_by_their_return_addresses() {
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
    let moment = SystemTime::now() + Duration::from_secs(1);
    let app = dir.path().join("app");
    let output = Command::new(&app).output().unwrap();
    let frames = String::from_utf8(output.stdout).unwrap();
    let frames: String = frames
        .lines()
        .enumerate()
        .map(|(n, line)| format!("  #{n} {}\n", line.replace('[', " [")))
        .collect();
    let head = "Use After Free at 0x7ffff7cbafd0 (0 bytes into a 40-byte allocation at 0x7ffff7cbafd0) by thread 4201 here:";
    let text = format!(
        "*** GWP-ASan detected a memory error ***\n{head}\n{frames}\n*** End GWP-ASan report ***\n"
    );
    let mut parser = Parser::new(Options::default());
    parser.feed(text.as_bytes());
    let (frames, _) = named(parser.finish(), Trust::Unchanged(moment), Places::default());
    assert_eq!(
        frames[..3],
        ["stop app.c:5", "caller app.c:9", "main app.c:16"],
        "{text}"
    );
}

#[test]
fn many_modules_are_told_of_in_few_lines() {
    let mut text = String::from(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 object(s) allocated from:\n",
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
    let (frames, notes) = named(parser.finish(), Trust::BuildId, Places::default());
    assert_eq!((frames.len(), notes.len()), (100, 17));
    assert_eq!(
        notes[16],
        "34 more modules have frames that are not symbolized"
    );
}

/// A program is cut and its bytes are changed at many places: whatever is in it then, nothing
/// panics or takes long.
#[test]
fn broken_modules_do_no_harm() {
    let built = build("-g -O2");
    let place = inlined_place(&built);
    let whole = fs::read(&built.path).unwrap();
    let far = Trust::Unchanged(SystemTime::now() + Duration::from_secs(3600));
    let mut named_still = 0;
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
            // Headers and debug information rather than the zeros between them.
            for _ in 0..=next(8) {
                let at = if next(4) == 0 {
                    next(64)
                } else {
                    next(whole.len())
                };
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
        }
        fs::write(&built.path, bytes).unwrap();
        let (frames, notes) = named(
            log(built.path.to_str().unwrap(), place.0, None),
            far,
            Places::default(),
        );
        // So it looks when the thread that reads has ended in a panic.
        assert!(!notes.join("").contains("took too long"), "round {round}");
        assert!((1..=256).contains(&frames.len()));
        named_still += usize::from(frames == FULL);
    }
    assert!(start.elapsed() < Duration::from_secs(50));
    assert!(
        (50..600).contains(&named_still),
        "{named_still} of 600 are no test"
    );
}
