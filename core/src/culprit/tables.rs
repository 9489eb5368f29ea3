//! The tables of frames that are nobody's own: what a row is, and the rows by language and system.
//!
//! Frozen for the fingerprints `lg1`: a changed row changes fingerprints, and then the version goes
//! up to `lg2`.

mod languages;
mod systems;

use super::Class;

/// What a row looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// The whole simple name.
    Name,
    /// The start of the simple name.
    NameStart,
    /// A part of the source path.
    File,
    /// The base name of the source path. valgrind prints nothing else of it.
    Base,
    /// The base name of the source path and the last part of the simple name:
    /// `panicking.rs|do_call`.
    Place,
    /// A function of the C library that lies in a file of its own name: `read` in `read.c`.
    OwnFile,
    /// The start of the module's base name.
    Module,
}

/// One row: what to look at, its patterns, the class they give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) class: Class,
    on: On,
    patterns: &'static [&'static str],
}

/// What rows look at, taken apart once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    name: &'a str,
    printed: &'a str,
    file: &'a str,
    module: &'a str,
    /// The base name of `file`, and the part of it before its first dot.
    base: &'a str,
    stem: &'a str,
    /// The last part of `name`, and `name` without `_` in front.
    last: &'a str,
    plain: &'a str,
}

impl<'a> Place<'a> {
    /// Simple name, printed name, source path, base name of the module.
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
            plain: name.trim_start_matches('_'),
        }
    }
}

impl Row {
    /// The whole names that the row lists.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        if self.on == On::Name {
            self.patterns
        } else {
            &[]
        }
    }

    pub(crate) fn matches(&self, place: &Place<'_>) -> bool {
        let Place {
            name,
            printed,
            file,
            module,
            base,
            stem,
            last,
            plain,
        } = *place;
        self.patterns.iter().any(|p| match self.on {
            On::Name => name == *p || printed == *p,
            On::NameStart => name.starts_with(p),
            On::File => !file.is_empty() && file.contains(p),
            On::Base => base == *p,
            On::Place => p
                .strip_prefix(base)
                .and_then(|rest| rest.strip_prefix('|'))
                .is_some_and(|n| n == last),
            On::OwnFile => stem == *p && plain == *p,
            On::Module => module.starts_with(p),
        })
    }
}

const fn row(class: Class, on: On, patterns: &'static [&'static str]) -> Row {
    Row {
        class,
        on,
        patterns,
    }
}

/// All rows. The first that matches decides.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    languages::ROWS.iter().chain(systems::ROWS)
}

/// Parts of the paths of other people's sources.
pub(crate) const THIRD_PARTY_FILES: &[&str] = &[
    "/.cargo/registry/",
    "/cargo/registry/",
    "/.cargo/git/",
    "/cargo/git/",
    "/usr/include/",
    "/node_modules/",
    "/site-packages/",
];

/// Where the libraries of a system lie.
pub(crate) const SYSTEM_MODULES: &[&str] = &[
    "/usr/lib",
    "/lib/",
    "/lib64/",
    "/usr/local/lib",
    "/System/",
    "/usr/libexec",
];
