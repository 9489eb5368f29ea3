//! Tables of allocator, runtime and third-party frames: the format of a row, and all rows.
//!
//! The tables are frozen for `lg2` fingerprints. A changed row changes fingerprints and requires a
//! new fingerprint version (`lg3`).

mod allocators;
pub(super) mod glibc;
mod index;
mod runtimes;
mod systems;

pub(super) use self::index::RowIndex;
use super::Class;

/// The part of a frame that a row's patterns are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchOn {
    /// The whole simple name.
    Name,
    /// The start of the simple name.
    NamePrefix,
    /// A part of the source path.
    File,
    /// The base name of the source path, which is the only part that valgrind prints.
    FileBase,
    /// The base name of the source path and the last part of the simple name:
    /// `panicking.rs|do_call`.
    FileAndName,
    /// Both the simple name and the source file, for C library functions in a file of the same
    /// name: `read` in `read.c`.
    FileNamedLikeFunction,
    /// The start of the module's base name.
    ModulePrefix,
    /// The whole simple name of a frame that may be the kernel's own.
    KernelName,
    /// The start of the simple name of a frame that may be the kernel's own.
    KernelPrefix,
}

/// One row: frames that match any of the patterns have the class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) class: Class,
    match_on: MatchOn,
    patterns: &'static [&'static str],
}

/// The names of a frame, split once for all rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameNames<'a> {
    name: &'a str,
    printed: &'a str,
    file: &'a str,
    module: &'a str,
    /// The base name of `file`.
    base: &'a str,
    /// The part of `base` before its first dot.
    stem: &'a str,
    /// The last part of `name`.
    last: &'a str,
    /// `name` without leading `_`.
    without_underscores: &'a str,
    /// The file is Rust code outside of the standard library and of other crates. Its modules may
    /// have the same names.
    is_rust_of_project: bool,
    /// The frame may be the kernel's own.
    is_kernel: bool,
}

impl<'a> FrameNames<'a> {
    /// Creates the names of a frame from its simple name, the printed name, the source path and the
    /// base name of the module.
    pub(crate) fn new(name: &'a str, printed: &'a str, file: &'a str, module: &'a str) -> Self {
        let base = file.rsplit('/').next().unwrap_or(file);
        let stem = base.split('.').next().unwrap_or(base);
        let last = name.rsplit("::").next().unwrap_or(name);
        Self {
            name,
            printed,
            file,
            module,
            base,
            stem,
            last,
            without_underscores: name.trim_start_matches('_'),
            is_rust_of_project: is_rust_of_project(file),
            is_kernel: module.is_empty() && (file.is_empty() || is_kernel_file(file)),
        }
    }

    /// Returns true if a pattern matches.
    fn matches(&self, match_on: MatchOn, p: &str) -> bool {
        match match_on {
            MatchOn::Name => self.name == p || self.printed == p,
            MatchOn::NamePrefix => {
                self.name.starts_with(p) && !(self.is_rust_of_project && is_standard_module(p))
            }
            MatchOn::File => self.file.contains(p),
            MatchOn::FileBase => self.base == p,
            MatchOn::FileAndName => {
                !self.is_rust_of_project
                    && p.strip_prefix(self.base)
                        .and_then(|rest| rest.strip_prefix('|'))
                        .is_some_and(|n| n == self.last)
            }
            MatchOn::FileNamedLikeFunction => self.stem == p && self.without_underscores == p,
            MatchOn::ModulePrefix => self.module.starts_with(p),
            MatchOn::KernelName => self.is_kernel && self.name == p,
            MatchOn::KernelPrefix => self.is_kernel && self.name.starts_with(p),
        }
    }
}

/// Returns true for a path of the kernel's sources, as `decode_stacktrace.sh` prints it: relative
/// to the sources, or in the folder of a build. The kernel prints no path, and no module for its
/// own functions; a program's function of the same name has one of them.
fn is_kernel_file(file: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "arch/",
        "block/",
        "crypto/",
        "drivers/",
        "fs/",
        "include/",
        "init/",
        "io_uring/",
        "ipc/",
        "kernel/",
        "lib/",
        "mm/",
        "net/",
        "security/",
        "sound/",
        "virt/",
    ];
    if file.starts_with('/') {
        return file.contains("linux") && FOLDERS.iter().any(|folder| file.contains(folder));
    }
    let file = file.strip_prefix("./").unwrap_or(file);
    FOLDERS.iter().any(|folder| file.starts_with(folder))
}

/// Returns true for a path to Rust code that is neither the standard library's nor another crate's.
/// A base name may be anything's.
fn is_rust_of_project(file: &str) -> bool {
    const STANDARD: &[&str] = &[
        "/rustc/",
        "library/",
        "/rustlib/",
        "/rust/deps/",
        "/liballoc/",
    ];
    file.ends_with(".rs")
        && file.contains('/')
        && !STANDARD
            .iter()
            .chain(THIRD_PARTY_FILES)
            .any(|part| file.contains(part))
}

impl Row {
    /// Returns the row's patterns if they are whole names, else an empty slice.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        if self.match_on == MatchOn::Name {
            self.patterns
        } else {
            &[]
        }
    }

    /// Returns true if a frame matches any of the patterns.
    pub(crate) fn matches(&self, names: &FrameNames<'_>) -> bool {
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| names.matches(self.match_on, pattern))
    }
}

/// Returns true for a pattern that begins with a crate of Rust's standard library.
fn is_standard_module(pattern: &str) -> bool {
    pattern.ends_with("::")
        && ["core::", "std::", "alloc::", "test::"]
            .iter()
            .any(|start| pattern.starts_with(start))
}

/// Creates a row.
const fn row(class: Class, match_on: MatchOn, patterns: &'static [&'static str]) -> Row {
    Row {
        class,
        match_on,
        patterns,
    }
}

/// Returns all rows. The first row that matches a frame decides.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    allocators::ROWS
        .iter()
        .chain(runtimes::ROWS)
        .chain(systems::ROWS)
}

/// Parts of the source paths of third-party code.
pub(crate) const THIRD_PARTY_FILES: &[&str] = &[
    "/.cargo/registry/",
    "/cargo/registry/",
    "/.cargo/git/",
    "/cargo/git/",
    "/usr/include/",
    "/node_modules/",
    "/site-packages/",
];

/// Prefixes of the paths of system programs.
pub(crate) const SYSTEM_PROGRAMS: &[&str] = &["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];

/// Prefixes of the paths of system libraries.
pub(crate) const SYSTEM_MODULES: &[&str] = &[
    "/usr/lib",
    "/lib/",
    "/lib64/",
    "/usr/local/lib",
    "/System/",
    "/usr/libexec",
];
