//! Programs with real errors from snapshots/programs/, for each checker that can print unsymbolized
//! frames.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::common::repository;
use crate::needs;

/// A program with its build and run options.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) compiler: Compiler,
    /// Path below snapshots/programs/.
    pub(crate) source: &'static str,
    pub(crate) flags: &'static str,
    /// Argument that selects the error.
    pub(crate) case: &'static str,
    /// The sanitizer's options variable and additional options.
    pub(crate) options: (&'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Compiler {
    Clang,
    Gcc,
    Rust,
}

use Compiler::{Clang, Gcc, Rust};

const ASAN: (&str, &str) = ("ASAN_OPTIONS", "detect_leaks=0");
const LEAKS: (&str, &str) = ("LSAN_OPTIONS", "exitcode=0");
const MSAN: (&str, &str) = ("MSAN_OPTIONS", "exitcode=1");
const TSAN: (&str, &str) = ("TSAN_OPTIONS", "exitcode=1");
const UBSAN: (&str, &str) = ("UBSAN_OPTIONS", "print_stacktrace=1");

const fn program(
    name: &'static str,
    compiler: Compiler,
    source: &'static str,
    flags: &'static str,
    case: &'static str,
    options: (&'static str, &'static str),
) -> Program {
    Program {
        name,
        compiler,
        source,
        flags,
        case,
        options,
    }
}

pub(crate) const PROGRAMS: &[Program] = &[
    program(
        "asan-c++",
        Clang,
        "cpp/asan.cc",
        "-g -O0 -w -fsanitize=address",
        "heap-buffer-overflow",
        ASAN,
    ),
    program(
        "asan-thread",
        Clang,
        "cpp/asan.cc",
        "-g -O0 -w -fsanitize=address",
        "in-named-thread",
        ASAN,
    ),
    program(
        "asan-inlined",
        Clang,
        "cpp/asan.cc",
        "-g -O2 -w -fsanitize=address",
        "heap-use-after-free",
        ASAN,
    ),
    program(
        "asan-names",
        Clang,
        "cpp/asan.cc",
        "-g -O2 -w -fsanitize=address",
        "cpp-names",
        ASAN,
    ),
    program(
        "asan-dwarf4",
        Clang,
        "cpp/asan.cc",
        "-gdwarf-4 -O2 -w -fsanitize=address",
        "in-named-thread",
        ASAN,
    ),
    program(
        "asan-no-debug",
        Clang,
        "cpp/asan.cc",
        "-O1 -w -fsanitize=address",
        "heap-use-after-free",
        ASAN,
    ),
    program(
        "asan-lines-alone",
        Clang,
        "cpp/asan.cc",
        "-gline-tables-only -O2 -w -fsanitize=address",
        "cpp-names",
        ASAN,
    ),
    program(
        "asan-split",
        Clang,
        "cpp/asan.cc",
        "-g -gsplit-dwarf -O2 -w -fsanitize=address",
        "in-named-thread",
        ASAN,
    ),
    program(
        "asan-packed",
        Clang,
        "cpp/asan.cc",
        "-g -gz=zlib -O2 -w -fsanitize=address",
        "in-named-thread",
        ASAN,
    ),
    program(
        "asan-no-pie",
        Clang,
        "cpp/asan.cc",
        "-g -O1 -w -no-pie -fsanitize=address",
        "heap-use-after-free",
        ASAN,
    ),
    program(
        "asan-gcc",
        Gcc,
        "cpp/asan.cc",
        "-g -O2 -w -fsanitize=address",
        "in-named-thread",
        ASAN,
    ),
    program(
        "lsan",
        Clang,
        "c/lsan.c",
        "-g -O0 -w -fsanitize=leak",
        "many-places",
        LEAKS,
    ),
    program(
        "lsan-inlined",
        Clang,
        "c/lsan.c",
        "-g -O2 -w -fsanitize=leak",
        "many-places",
        LEAKS,
    ),
    program(
        "lsan-c++",
        Clang,
        "cpp/leaks.cc",
        "-g -O2 -w -fsanitize=leak",
        "containers",
        LEAKS,
    ),
    program(
        "msan",
        Clang,
        "c/msan.c",
        "-g -O1 -w -fsanitize=memory",
        "copied",
        MSAN,
    ),
    program(
        "tsan",
        Clang,
        "cpp/tsan.cc",
        "-g -O1 -w -fsanitize=thread",
        "lock-order",
        TSAN,
    ),
    program(
        "ubsan",
        Clang,
        "cpp/undefined.cc",
        "-g -O1 -w -fsanitize=undefined",
        "downcast",
        UBSAN,
    ),
    program(
        "rust",
        Rust,
        "rust/leaks.rs",
        "-g -Copt-level=1 -Zsanitizer=address",
        "use-after-free",
        ASAN,
    ),
    program(
        "rust-debug",
        Rust,
        "rust/leaks.rs",
        "-g -Zsanitizer=leak",
        "generics",
        LEAKS,
    ),
];

impl Program {
    /// Compiles and links the program into a directory.
    pub(crate) fn build(&self, dir: &Path) {
        let source = repository("snapshots/programs")
            .join(self.source)
            .canonicalize()
            .unwrap();
        let is_cpp = self.source.ends_with(".cc");
        let mut command = match self.compiler {
            Clang => Command::new(clang()),
            Gcc => Command::new("g++"),
            Rust => Command::new("rustc"),
        };
        match self.compiler {
            Rust => command
                .arg("+nightly")
                .args(["-Clink-arg=-Wl,--build-id", "-Awarnings"]),
            Clang if is_cpp => command.args(["--driver-mode=g++", "-std=c++17", "-Wl,--build-id"]),
            Clang => command.arg("-Wl,--build-id"),
            Gcc => command.args(["-std=c++17", "-Wl,--build-id"]),
        };
        let built = command
            .current_dir(dir)
            .args(self.flags.split(' '))
            .arg(source)
            .args(["-o", self.name])
            .status()
            .unwrap();
        assert!(built.success(), "{command:?}");
    }

    /// Runs the program and returns the checker's output, symbolized or not.
    pub(crate) fn run(&self, dir: &Path, symbolize: bool) -> String {
        let log = self.run_command(Command::new(dir.join(self.name)), dir, symbolize);
        // Some versions of some checkers fail with some memory layouts (ASLR).
        let lacks_report = |log: &str| !log.contains("    #0 ");
        let log = if lacks_report(&log) {
            let mut setarch = Command::new("setarch");
            setarch.arg("-R").arg(dir.join(self.name));
            self.run_command(setarch, dir, symbolize)
        } else {
            log
        };
        assert!(
            !lacks_report(&log),
            "{} printed no report:\n{log}",
            self.name
        );
        if self.compiler == Gcc {
            with_build_ids(dir, &log)
        } else {
            log
        }
    }

    fn run_command(&self, mut command: Command, dir: &Path, symbolize: bool) -> String {
        let (variable, options) = self.options;
        let symbolizer = symbolizer().unwrap().display().to_string();
        command
            .current_dir(dir)
            .arg(self.case)
            .env(
                variable,
                format!(
                    "{options}:symbolize={}:external_symbolizer_path={symbolizer}",
                    u8::from(symbolize)
                ),
            )
            .stdout(Stdio::null());
        String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned()
    }
}

/// Adds build ids to a log, because gcc prints them only since version 13.
fn with_build_ids(dir: &Path, log: &str) -> String {
    let line = |line: &str| {
        let module = line
            .trim_end()
            .strip_suffix(')')
            .and_then(|l| l.rsplit_once(" ("))
            .and_then(|(_, place)| place.rsplit_once("+0x"));
        let Some((module, _)) = module.filter(|_| line.trim_start().starts_with('#')) else {
            return format!("{line}\n");
        };
        let output = Command::new("readelf")
            .args(["--notes", "--wide"])
            .arg(dir.join(module))
            .output()
            .unwrap();
        let notes = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = notes
            .split("Build ID: ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap();
        format!("{} (BuildId: {id})\n", line.trim_end())
    };
    log.lines().map(line).collect()
}

/// Returns the newest clang, or the one in `CLANG`.
pub(super) fn clang() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let numbered = (14..=24).rev().map(|version| format!("clang-{version}"));
        env::var("CLANG")
            .ok()
            .into_iter()
            .chain(numbered)
            .find(|name| is_installed(name))
            .unwrap_or_else(|| "clang".into())
    })
}

/// Returns the path of the llvm-symbolizer with the same version, or else of another one.
pub(super) fn symbolizer() -> Option<&'static PathBuf> {
    static PATH: OnceLock<Option<PathBuf>> = OnceLock::new();
    PATH.get_or_init(|| {
        let same = clang().replace("clang", "llvm-symbolizer");
        let name = if is_installed(&same) {
            &same
        } else {
            "llvm-symbolizer"
        };
        needs::find(name)
    })
    .as_ref()
}

/// Returns true if a program is on PATH and works.
pub(super) fn is_installed(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

/// Returns true if rustup has a nightly compiler.
pub(super) fn is_nightly_installed() -> bool {
    succeeds(Command::new("rustc").args(["+nightly", "--version"]))
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
