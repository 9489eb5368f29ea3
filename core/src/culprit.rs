//! Classifies frames as allocator, runtime, third-party or user code, and finds the frame to look
//! at.
//!
//! Classes come from tables (see `culprit/tables.rs`), not from code. `FrameCache` depends only
//! on the frame, so fingerprints can use it. Only `classify_stack` also uses the workspace.

mod names;
mod tables;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::names::{FrameCache, FrameNames};
use crate::model::{Finding, Frame, FrameInfo, Stack};

/// The class of a frame's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Allocates or frees memory.
    Allocator,
    /// Runtime of the language, the operating system or the checker.
    Runtime,
    /// Third-party library.
    ThirdParty,
    /// The project's own code.
    Own,
    /// Not known, because debug information is missing.
    Unknown,
}

impl Class {
    /// Every class.
    pub const ALL: &'static [Self] = &[
        Self::Allocator,
        Self::Runtime,
        Self::ThirdParty,
        Self::Own,
        Self::Unknown,
    ];

    /// Returns the name that JSON reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocator => "allocator",
            Self::Runtime => "runtime",
            Self::ThirdParty => "third-party",
            Self::Own => "own",
            Self::Unknown => "unknown",
        }
    }
}

/// The repository of the checked program.
pub trait Workspace {
    /// Returns true if there is a repository. Without one, every source path outside of runtimes
    /// and known libraries counts as the project's own code.
    fn is_known(&self) -> bool;

    /// Returns the repository-relative path of the file that a path in a log refers to, or `None`
    /// if there is no single such file.
    fn resolve(&self, file: &str) -> Option<String>;

    /// Returns true if a path in a log may refer to one of the project's own files, even if it
    /// isn't known which one.
    fn may_be_own(&self, file: &str) -> bool {
        self.resolve(file).is_some_and(|file| self.is_own(&file))
    }

    /// Returns true if a file of the repository is the project's own, and not vendored code.
    /// `_file` is its repository-relative path.
    fn is_own(&self, _file: &str) -> bool {
        true
    }
}

/// A workspace without a repository. Paths stay unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWorkspace;

impl Workspace for NoWorkspace {
    fn is_known(&self) -> bool {
        false
    }

    fn resolve(&self, _: &str) -> Option<String> {
        None
    }
}

/// The frame to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Culprit {
    /// Index of the frame in the primary stack; `None` if all frames belong to allocators or
    /// runtimes.
    pub frame: Option<usize>,
    /// True if the frame is the project's own code; false if it is only the first frame outside of
    /// allocators and runtimes.
    pub own: bool,
}

/// Returns a path with slashes instead of backslashes.
fn with_slashes(path: Option<&str>) -> Cow<'_, str> {
    let path = path.unwrap_or_default();
    if path.contains('\\') {
        Cow::Owned(path.replace('\\', "/"))
    } else {
        Cow::Borrowed(path)
    }
}

/// Returns true for a frame of third-party code, whatever the project's files are.
pub(crate) fn is_certainly_third_party(info: &FrameInfo) -> bool {
    is_system_library(
        &with_slashes(info.file.as_deref()),
        &with_slashes(info.module.as_deref()),
    )
}

/// Returns true for a third-party source path, or for a module of the operating system or Python.
fn is_system_library(file: &str, module: &str) -> bool {
    tables::THIRD_PARTY_FILES
        .iter()
        .any(|part| file.contains(part))
        || tables::SYSTEM_MODULES
            .iter()
            .any(|prefix| module.starts_with(prefix))
        || (file.is_empty() && (is_system_program(module) || is_python(module)))
}

/// Returns true for a program of the operating system. A project may install its own programs
/// there, but those have debug information when they are tested.
fn is_system_program(module: &str) -> bool {
    tables::SYSTEM_PROGRAMS
        .iter()
        .any(|prefix| module.starts_with(prefix))
}

/// Returns true for Python's executable and library: `python3.11`, `libpython3.11.so.1.0`.
/// Extensions don't count.
fn is_python(module: &str) -> bool {
    let base = module.rsplit('/').next().unwrap_or_default();
    let version = base
        .strip_prefix("libpython")
        .and_then(|rest| rest.split(".so").next())
        .or_else(|| base.strip_prefix("python"));
    version.is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Returns the names of functions that allocate or free memory.
pub(crate) fn allocator_names() -> impl Iterator<Item = &'static str> {
    tables::rows()
        .filter(|row| row.class == Class::Allocator)
        .flat_map(|row| row.names().iter().copied())
}

/// Returns the classes of a stack's frames, from the top.
///
/// `main` counts as the project's own code only with a source path, and never below Rust's
/// `lang_start` or in an interpreter. Frames below the start of a program or a thread aren't calls:
/// valgrind keeps unwinding there, and prints stack contents as addresses.
pub(crate) fn classify_stack(
    stack: &Stack,
    workspace: &dyn Workspace,
    cache: &mut FrameCache,
) -> Vec<Class> {
    const ENTRY_POINTS: &[&str] = &["_start", "clone", "clone3", "start_thread"];
    let mut below_lang_start = false;
    let mut below_entry = false;
    let mut out = Vec::with_capacity(stack.frames.len());
    for frame in &stack.frames {
        let (known, mut class) = cache.refined(&frame.info, |known| {
            if known.is_guess && is_in_workspace(&frame.info, workspace) {
                return Class::Own;
            }
            refine_with_workspace(known.class, &frame.info, workspace)
        });
        if known.name == "main" && (below_lang_start || is_interpreter(&frame.info)) {
            class = Class::Runtime;
        }
        if below_entry
            && frame.info.name().is_none()
            && frame.info.module.is_none()
            && frame.info.file.is_none()
        {
            class = Class::Runtime;
        }
        below_lang_start |= known.name.starts_with("std::rt::lang_start");
        below_entry |= ENTRY_POINTS.contains(&known.name.as_str());
        out.push(class);
    }
    out
}

/// Decides with the workspace whether a frame is the project's own code. Other classes don't
/// change.
fn refine_with_workspace(class: Class, info: &FrameInfo, workspace: &dyn Workspace) -> Class {
    let is_refinable = matches!(class, Class::Own | Class::Unknown);
    if !is_refinable || !workspace.is_known() {
        return class;
    }
    match &info.file {
        Some(file)
            if workspace
                .resolve(file)
                .is_some_and(|f| workspace.is_own(&f)) =>
        {
            Class::Own
        }
        Some(file) if workspace.may_be_own(file) => Class::Unknown,
        Some(_) => Class::ThirdParty,
        None => class,
    }
}

/// Returns true if the frame's file is one of the project's own.
fn is_in_workspace(info: &FrameInfo, workspace: &dyn Workspace) -> bool {
    let file = info.file.as_deref().filter(|_| workspace.is_known());
    file.and_then(|file| workspace.resolve(file))
        .is_some_and(|file| workspace.is_own(&file))
}

/// Returns true for a stack that certainly contains no user code: it has a third-party frame, and
/// no frame that may be the project's own. A frame without debug information may be, and a stack of
/// only allocators and runtimes has lost the frames between them.
pub(crate) fn is_third_party_only(classes: &[Class]) -> bool {
    classes.contains(&Class::ThirdParty)
        && !classes
            .iter()
            .any(|c| matches!(c, Class::Own | Class::Unknown))
}

/// Returns true for a frame in an interpreter's executable.
fn is_interpreter(info: &FrameInfo) -> bool {
    let base = info
        .module
        .as_deref()
        .and_then(|m| m.rsplit('/').next())
        .unwrap_or_default();
    ["python", "ruby", "node", "perl", "php", "java"]
        .iter()
        .any(|name| base.starts_with(name))
}

/// Returns the culprit of a finding, given its primary stack and the classes of the frames.
pub(crate) fn find_culprit(stack: Option<&Stack>, classes: &[Class]) -> Culprit {
    if let Some(frame) = classes.iter().position(|c| *c == Class::Own) {
        return Culprit {
            frame: Some(frame),
            own: true,
        };
    }
    // A program without debug information has functions, but no files.
    let frames = stack.map_or(&[][..], |s| s.frames.as_slice());
    let is_of_program = |(frame, class): (&Frame, &Class)| {
        let is_known = frame.info.name().is_some() || frame.info.module.is_some();
        *class == Class::Unknown && is_known
    };
    let program = frames.iter().zip(classes).position(is_of_program);
    let other = program.or_else(|| {
        classes
            .iter()
            .position(|c| !matches!(c, Class::Allocator | Class::Runtime))
    });
    Culprit {
        frame: other,
        own: program.is_some_and(|at| is_function_of_program(&frames[at].info)),
    }
}

/// Returns true for a function in the executable of a program that isn't the system's.
fn is_function_of_program(info: &FrameInfo) -> bool {
    const SYSTEM: &[&str] = &["/usr/", "/bin/", "/sbin/", "/lib", "/System/", "/Library/"];
    const LIBRARIES: &[&str] = &[
        ".so",
        ".dylib",
        ".dll",
        ".DLL",
        ".framework/",
        ".bundle",
        ".pyd",
    ];
    let module = info.module.as_deref().unwrap_or_default();
    info.name().is_some()
        && module.contains(['/', '\\'])
        && !SYSTEM.iter().any(|start| module.starts_with(start))
        && !LIBRARIES.iter().any(|part| module.contains(part))
        && !is_interpreter(info)
}

/// Returns true if the stack has frames that may be the project's own code, and none of them has a
/// name or a file.
pub(crate) fn has_only_unnamed_code(stack: &Stack, names: &FrameNames) -> bool {
    let may_be_own =
        |info: &&FrameInfo| matches!(names.classified(info).class, Class::Own | Class::Unknown);
    let has_location = |info: &FrameInfo| info.name().is_some() || info.file.is_some();
    let infos = stack.frames.iter().map(|frame| &*frame.info);
    let mut code = infos.filter(may_be_own).peekable();
    code.peek().is_some() && !code.any(has_location)
}

/// Returns true for a finding whose primary stack lost its middle: Rust's debug code has no frame
/// pointers, so the sanitizers' fast unwinder skips everything between the allocator and the start
/// of the program.
pub(crate) fn is_collapsed(finding: &Finding, names: &FrameNames) -> bool {
    let uses_fast_unwinder = finding.tool.as_str() == "lsan" || finding.tool.as_str() == "asan";
    let is_own =
        |info: &FrameInfo| info.file.is_some() && names.classified(info).class == Class::Own;
    uses_fast_unwinder
        && finding.primary().is_some_and(|s| {
            let has_name = |part: &str| {
                s.frames
                    .iter()
                    .any(|f| f.info.name().is_some_and(|n| n.contains(part)))
            };
            (has_name("lang_start") || has_name("alloc::alloc") || has_name("test::run_test"))
                && !s.frames.iter().any(|f| is_own(&f.info))
        })
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::model::Role;

    fn stack(frames: &[(&str, &str, &str)]) -> Stack {
        let text = |t: &str| (!t.is_empty()).then(|| t.into());
        let frame = |(index, (function, file, module)): (usize, &(&str, &str, &str))| Frame {
            index: index as u32,
            address: None,
            inlined: false,
            info: Arc::new(FrameInfo {
                function: text(function),
                file: text(file),
                module: text(module),
                ..FrameInfo::default()
            }),
        };
        Stack {
            role: Role::Access,
            label: None,
            frames: frames.iter().enumerate().map(frame).collect(),
        }
    }

    fn classified(frames: &[(&str, &str, &str)]) -> Vec<&'static str> {
        classify_stack(&stack(frames), &NoWorkspace, &mut FrameCache::default())
            .iter()
            .map(|c| c.as_str())
            .collect()
    }

    #[test]
    fn frames_are_classified() {
        let frames = [
            (
                "malloc",
                "",
                "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so",
            ),
            ("operator new(unsigned long)", "", "/src/bin/a"),
            (
                "std::vector<int>::push_back(int&&)",
                "/usr/include/c++/12/bits/vector.tcc",
                "",
            ),
            (
                "alloc::alloc::alloc::h1e8b1da56f3ff6d9",
                "/rustc/ab/library/alloc/src/alloc.rs",
                "",
            ),
            ("make", "/src/a.c", ""),
            ("helper", "", "/usr/lib/x86_64-linux-gnu/libz.so.1"),
            ("other", "", "/src/bin/a"),
            ("main", "a.c", ""),
            (
                "__libc_start_call_main",
                "csu/../sysdeps/nptl/libc_start_call_main.h",
                "",
            ),
            ("_start", "", "/src/bin/a"),
        ];
        let want = [
            "allocator",
            "allocator",
            "runtime",
            "allocator",
            "own",
            "third-party",
            "unknown",
            "own",
            "runtime",
            "runtime",
        ];
        assert_eq!(classified(&frames), want);
    }

    #[test]
    fn main_below_lang_start_or_in_interpreter_is_runtime() {
        assert_eq!(
            classified(&[
                ("std::rt::lang_start_internal", "", ""),
                ("main", "x.rs", "")
            ]),
            ["runtime", "runtime"]
        );
        assert_eq!(
            classified(&[("main", "Programs/python.c", "/usr/bin/python3.11")]),
            ["runtime"]
        );
    }

    #[test]
    fn culprit_is_first_own_frame_or_first_third_party_frame() {
        let find_culprit = |classes: &[Class]| find_culprit(None, classes);
        let culprit = find_culprit(&[Class::Allocator, Class::Own, Class::Runtime]);
        assert_eq!(
            culprit,
            Culprit {
                frame: Some(1),
                own: true
            }
        );
        assert_eq!(
            find_culprit(&[Class::Allocator, Class::ThirdParty]),
            Culprit {
                frame: Some(1),
                own: false
            }
        );
        assert_eq!(
            find_culprit(&[Class::Allocator]),
            Culprit {
                frame: None,
                own: false
            }
        );
    }

    #[test]
    fn named_function_of_program_is_culprit_without_debug_information() {
        let frames = [
            ("", "", "/usr/lib/x86_64-linux-gnu/libpng16.so.16"),
            ("png_read", "", "/usr/lib/x86_64-linux-gnu/libpng16.so.16"),
            ("Image::load", "", "/home/u/build/viewer"),
            ("main", "", "/home/u/build/viewer"),
        ];
        let found = |frames: &[(&str, &str, &str)]| {
            let stack = stack(frames);
            let classes = classify_stack(&stack, &NoWorkspace, &mut FrameCache::default());
            let culprit = find_culprit(Some(&stack), &classes);
            (culprit.frame, culprit.own)
        };
        assert_eq!(found(&frames), (Some(2), true));
        assert_eq!(found(&frames[..2]), (Some(0), false));
        // The crash is in the program, in a function without a name.
        let nameless = [("", "", "/home/u/build/viewer"), frames[3]];
        assert_eq!(found(&nameless), (Some(0), false));
        let library = [
            frames[0],
            ("hook", "", "/home/u/build/libhook.so"),
            ("f", "", "/bin/ls"),
        ];
        assert_eq!(found(&library), (Some(1), false));
        assert_eq!(
            found(&[frames[0], ("f", "", "/usr/bin/convert")]),
            (Some(0), false)
        );
    }

    #[test]
    fn names_of_the_kernel_are_not_special_in_programs() {
        for name in [
            "print_report",
            "set_track",
            "kfree_later",
            "vmalloc",
            "dump_backtrace",
        ] {
            for (file, module) in [
                ("shop.c", ""),
                ("/src/lib/shop.c", ""),
                ("C:\\src\\shop.c", ""),
                ("", "/src/shop"),
            ] {
                let [class] = classified(&[(name, file, module)])[..] else {
                    panic!("one frame");
                };
                assert!(
                    ["own", "unknown"].contains(&class),
                    "{name} {file}: {class}"
                );
            }
        }
        for file in [
            "",
            "mm/kasan/report.c",
            "./lib/dump_stack.c",
            "/build/linux-6.1/mm/slub.c",
        ] {
            assert_eq!(classified(&[("print_report", file, "")]), ["runtime"]);
        }
        assert_eq!(
            classified(&[("kmalloc_trace", "mm/slub.c", "")]),
            ["allocator"]
        );
        assert_eq!(
            classified(&[("__asan_memcpy", "", "/src/shop")]),
            ["runtime"]
        );
    }

    #[test]
    fn frames_of_glibc_are_recognized_by_function_and_file() {
        for (function, file) in [
            ("__printf_buffer", "vfprintf-process-arg.c"),
            ("__vfprintf_internal", "vfprintf-internal.c"),
            ("vfprintf", "vfprintf.c"),
            ("printf", "printf.c"),
            ("_itoa_word", "_itoa.c"),
            ("fopen@@GLIBC_2.2.5", "iofopen.c"),
            ("__fopen_internal", "iofopen.c"),
            ("puts", "ioputs.c"),
            ("__strlen_avx2", "strlen-avx2.S"),
            (
                "__memcpy_avx_unaligned_erms",
                "memmove-vec-unaligned-erms.S",
            ),
            ("pthread_cond_wait@@GLIBC_2.3.2", "pthread_cond_wait.c"),
            ("clock_nanosleep", "clock_nanosleep.c"),
            ("__snprintf_chk", "snprintf_chk.c"),
            ("____strtol_l_internal", "strtol_l.c"),
            ("_dl_fixup", "dl-runtime.c"),
            ("new_do_write", "fileops.c"),
            ("__tz_convert", "tzset.c"),
            ("_IO_file_xsputn@@GLIBC_2.2.5", "fileops.c"),
        ] {
            assert_eq!(
                classified(&[(function, file, "")]),
                ["runtime"],
                "{function} ({file})"
            );
        }
        for (function, file) in [
            ("pad_column", "printf.c"),
            ("_ntoa", "printf.c"),
            ("print", "io.c"),
            ("load", "iofile.c"),
            ("time", "clock.c"),
            ("sort_rows", "qsort.c"),
            ("my_strlen", "strlen.c"),
            ("write_block", "write.c"),
            ("run_pool", "pthread_pool.c"),
            ("fast_copy", "copy.S"),
            ("printf", "logging.c"),
        ] {
            assert_eq!(
                classified(&[(function, file, "")]),
                ["own"],
                "{function} ({file})"
            );
        }
    }

    #[test]
    fn modules_of_project_may_have_names_of_standard_library() {
        for (function, file, want) in [
            ("test::keeps", "src/lib.rs", "own"),
            ("core::engine::run", "/w/app/src/core/engine.rs", "own"),
            ("std::init", "crates/std/src/rt.rs", "own"),
            (
                "test::run_test",
                "/rustc/ab/library/test/src/lib.rs",
                "runtime",
            ),
            ("test::run_test", "lib.rs", "runtime"),
            ("core::ptr::drop_in_place", "", "runtime"),
        ] {
            assert_eq!(
                classified(&[(function, file, "")]),
                [want],
                "{function} ({file})"
            );
        }
    }

    #[test]
    fn nameless_frames_below_start_are_runtime() {
        let bare = ("", "", "");
        assert_eq!(
            classified(&[
                ("f", "", "/usr/lib/libz.so.1"),
                ("_start", "", "/src/a"),
                bare,
                bare
            ])[2..],
            ["runtime", "runtime"]
        );
        assert_eq!(
            classified(&[("f", "", "/usr/lib/libz.so.1"), bare])[1..],
            ["unknown"]
        );
        assert_eq!(
            classified(&[("_start", "", "/src/a"), ("f", "", "/src/a")])[1..],
            ["unknown"]
        );
    }

    #[test]
    fn python_executable_and_library_are_recognized() {
        for (module, want) in [
            ("/usr/bin/python3.11", true),
            ("/root/.pyenv/versions/3.12.1/bin/python3.12", true),
            ("/opt/python/lib/libpython3.11.so.1.0", true),
            ("python", true),
            ("/src/pythonic", false),
            ("/src/ext.cpython-311-x86_64-linux-gnu.so", false),
            ("", false),
        ] {
            assert_eq!(is_python(module), want, "{module}");
        }
    }

    #[test]
    fn third_party_only_stack_has_no_own_or_unknown_frame() {
        use Class::{Allocator, Own, Runtime, ThirdParty, Unknown};
        for (classes, want) in [
            (&[Allocator, ThirdParty, Runtime][..], true),
            (&[Allocator, ThirdParty, Unknown, Runtime], false),
            (&[Allocator, ThirdParty, Own], false),
            (&[Allocator, Runtime], false),
            (&[], false),
        ] {
            assert_eq!(is_third_party_only(classes), want, "{classes:?}");
        }
    }
}
