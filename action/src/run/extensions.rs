//! Interpreters that load a library of the project: an extension module is checked by checking its
//! interpreter.

use std::path::Path;

use super::harness::program_name;

/// Names of interpreters that load native libraries, without their versions.
pub(super) const INTERPRETERS: &[&str] = &[
    "R", "guile", "lua", "luajit", "node", "nodejs", "perl", "php", "pypy", "python", "ruby",
];

/// Maximum number of files in which a library is searched for.
const MAX_FILES: usize = 50_000;

/// Folders that contain no library of the project.
const SKIPPED: &[&str] = &[".git", ".hg", ".svn", "node_modules", ".tox", ".nox"];

/// Folders whose libraries aren't extensions of the project: those of an environment, and those in
/// which libtool builds libraries and modules of C programs.
const NO_EXTENSIONS: &[&str] = &["site-packages", ".libs"];

/// Returns true if a program is an interpreter, and the project contains a library that it may
/// load.
pub(super) fn concerns(root: &Path, program: &Path) -> bool {
    let name = program.to_string_lossy();
    let Some(interpreter) = interpreter(program_name(&name)) else {
        return false;
    };
    let is_elsewhere = |path: &Path| {
        let mut parts = path.components();
        parts.any(|part| NO_EXTENSIONS.iter().any(|name| part.as_os_str() == *name))
    };
    let walk = ignore::WalkBuilder::new(root)
        .standard_filters(false)
        .filter_entry(|entry| !SKIPPED.iter().any(|name| entry.file_name() == *name))
        .build();
    walk.flatten()
        .take(MAX_FILES)
        .any(|entry| is_library_of(interpreter, entry.path()) && !is_elsewhere(entry.path()))
}

/// Returns the interpreter with this name, which may end with a version.
pub(super) fn interpreter(name: &str) -> Option<&'static str> {
    let is_version = |rest: &str| {
        rest.bytes()
            .all(|b| b.is_ascii_digit() || b".-".contains(&b))
    };
    INTERPRETERS
        .iter()
        .copied()
        .find(|interpreter| name.strip_prefix(interpreter).is_some_and(is_version))
}

/// Returns true for a library that the interpreter may load. Those of Python and Node have
/// unmistakable names, and those of Perl the path `auto/NAME/NAME.so`; the others have no common
/// form.
fn is_library_of(interpreter: &str, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match interpreter {
        "perl" => {
            let is_auto = path.components().any(|part| part.as_os_str() == "auto");
            let folder = path.parent().and_then(Path::file_name);
            is_auto && name.ends_with(".so") && folder == path.file_stem()
        }
        "python" | "pypy" => {
            let is_tagged = [".cpython-", ".abi3.", ".pypy"]
                .iter()
                .any(|tag| name.contains(tag));
            name.ends_with(".so") && is_tagged
        }
        "node" | "nodejs" => name.ends_with(".node"),
        _ => name.ends_with(".so") && !name.starts_with("lib"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreter_is_checked_if_it_may_load_a_library_of_the_project() {
        for (library, program, want) in [
            (
                "p/_x.cpython-311-x86_64-linux-gnu.so",
                "/usr/bin/python3.11",
                true,
            ),
            ("p/_x.abi3.so", "/usr/bin/python3", true),
            ("build/libx.so", "/usr/bin/python3", false),
            (
                ".venv/lib/site-packages/n/_x.cpython-311.so",
                "/usr/bin/python3",
                false,
            ),
            ("blib/arch/auto/X/X.so", "/usr/bin/perl", true),
            ("build/libx.so", "/usr/bin/perl", false),
            ("src/mod_x.so", "/usr/bin/perl", false),
            ("ext/x.so", "/usr/bin/ruby", true),
            ("src/.libs/mod_x.so", "/usr/bin/ruby", false),
            ("build/Release/x.node", "/usr/bin/node", true),
            ("node_modules/a/x.node", "/usr/bin/node", false),
            ("p/_x.abi3.so", "/usr/bin/sed", false),
            ("p/_x.abi3.so", "/usr/bin/python3-config", false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(library);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            assert_eq!(
                concerns(dir.path(), Path::new(program)),
                want,
                "{library} {program}"
            );
        }
    }
}
