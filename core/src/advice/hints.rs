//! Hints about the usual origin of a leak, found by the functions in its stack. A hint suggests
//! where to look. It never accepts a finding.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::culprit::{FrameNames, has_only_unnamed_code, is_collapsed};
use crate::model::{Finding, Frame, Stack};
use crate::symbolize::is_unsymbolized;

/// Maximum number of hints from stack patterns per finding.
const MAX_HINTS: usize = 2;

/// A hint and the functions that it applies to.
struct Hint {
    /// Groups of simple function names. The stack must contain a function of every group. `*` at
    /// the end of a name matches any text.
    groups: &'static [&'static [&'static str]],
    text: &'static str,
    /// Whether the hint doesn't apply to stacks that contain `main`.
    before_main: bool,
}

/// Creates a hint that also applies to stacks that contain `main`.
const fn hint(groups: &'static [&'static [&'static str]], text: &'static str) -> Hint {
    Hint {
        groups,
        text,
        before_main: false,
    }
}

/// All hints, the more specific first.
const HINTS: &[Hint] = &[
    hint(
        &[&["pthread_create*"], &["_dl_allocate_tls", "allocate_dtv"]],
        "the thread was still running, or was neither joined nor detached, at exit: join it",
    ),
    hint(
        &[&[
            "tokio::runtime::*",
            "rayon_core::*",
            "async_std::*",
            "smol::*",
        ]],
        "the stack contains an asynchronous runtime or thread pool: shut it down before exit. For \
         memory that it keeps by design, use the pack `tokio`",
    ),
    hint(
        &[&[
            "alloc::ffi::c_str::CString::*",
            "alloc::ffi::CString::*",
            "std::ffi::c_str::CString::*",
        ]],
        "a Rust string that was passed to C: free it with the library's free function, which must \
         call CString::from_raw",
    ),
    hint(
        &[&[
            "strdup",
            "strndup",
            "__strdup",
            "__strndup",
            "wcsdup",
            "asprintf",
            "vasprintf",
            "__vasprintf_internal",
            "g_strdup*",
            "realpath",
            "getline",
            "getdelim",
        ]],
        "a string that the caller owns, often an error message: free it, or pass it to the \
         library's free function",
    ),
    hint(
        &[&[
            "Py_Initialize*",
            "Py_InitializeFromConfig",
            "Py_RunMain",
            "Py_BytesMain",
            "PyInterpreterState_New",
            "pymain_*",
            "_PyImport_*",
            "PyImport_*",
        ]],
        "the stack contains the Python interpreter: for memory that it keeps by design, use the \
         pack `python`. PYTHONMALLOC=malloc makes all of its allocations visible",
    ),
    hint(
        &[&["JNI_CreateJavaVM", "JavaMain", "JVM_*"]],
        "the stack contains the Java virtual machine: for memory that it keeps by design, use the \
         pack `jvm`",
    ),
    hint(
        &[&[
            "g_type_*",
            "g_quark_*",
            "g_intern_*",
            "g_object_class_*",
            "g_signal_new*",
        ]],
        "GLib keeps registered types, names and signals: use the pack `glib`",
    ),
    hint(
        &[&[
            "OPENSSL_init_*",
            "CRYPTO_THREAD_run_once",
            "ERR_get_state",
            "ossl_err_get_state_int",
            "SSL_CTX_new*",
            "SSL_library_init",
        ]],
        "the stack contains OpenSSL's initialization: for memory that it keeps by design, use the \
         pack `openssl`. Free an SSL_CTX of the program with SSL_CTX_free",
    ),
    hint(
        &[&["GOMP_*", "gomp_*", "__kmp_*", "__kmpc_*"]],
        "OpenMP keeps its threads and teams for the next parallel region: use the pack `openmp`",
    ),
    hint(
        &[&["dlopen*", "_dl_open", "dl_open_worker*"]],
        "allocated while a library was loaded: unload it with dlclose, or use the pack `dlopen`",
    ),
    Hint {
        before_main: true,
        ..hint(
            &[&[
                "call_init*",
                "_dl_init",
                "_GLOBAL__sub_I_*",
                "__static_initialization_and_destruction_0",
                "__libc_csu_init",
            ]],
            "allocated before main, by the initialization of a library or of a static object",
        )
    },
];

/// Returns the hints for a finding, without escaping: they contain no log text. `own` states
/// whether its stack has a frame of the user's code.
pub fn hints(finding: &Finding, own: bool) -> Vec<&'static str> {
    hints_by_names(finding, own, &FrameNames::default())
}

/// Like [`hints`], with the names that triage computed.
pub(crate) fn hints_by_names(
    finding: &Finding,
    own: bool,
    names: &FrameNames,
) -> Vec<&'static str> {
    let mut texts = Vec::new();
    if finding.primary().is_none() {
        texts.push("the checker printed no stack");
    } else if !own {
        texts.extend(missing_code(finding, names));
    }
    if finding.primary().is_some_and(is_bare) {
        texts.push(
            "frames without names: run `leakgate check --symbolize` on the machine where the \
             program was built, or install llvm-symbolizer on the checker's PATH",
        );
    }
    if finding.kind.is_leak()
        && let Some(stack) = finding.primary()
    {
        let named = stack.frames.iter().filter(|f| f.info.name().is_some());
        let names: Vec<Cow<'_, str>> = named.map(|f| names.simple(&f.info)).collect();
        let contains = |patterns: &[&str]| {
            names
                .iter()
                .any(|name| patterns.iter().any(|pattern| matches(pattern, name)))
        };
        // Without debug information, an address may get the name of an adjacent function.
        let has_main = names.iter().any(|name| name == "main");
        let applicable = HINTS
            .iter()
            .filter(|hint| !(has_main && hint.before_main))
            .filter(|hint| hint.groups.iter().all(|patterns| contains(patterns)));
        texts.extend(applicable.map(|hint| hint.text).take(MAX_HINTS));
    }
    texts
}

/// Returns the reason why no frame of a stack is known to be the user's code. Returns `None` if the
/// hint about symbolizing explains it.
fn missing_code(finding: &Finding, names: &FrameNames) -> Option<&'static str> {
    let stack = finding.primary().filter(|stack| !is_bare(stack))?;
    Some(if is_collapsed(finding, names) {
        "no frame of your code in this stack, because the fast unwinder fails in Rust code: set \
         fast_unwind_on_malloc=0, or build with -Cforce-frame-pointers=yes"
    } else if has_only_unnamed_code(stack, names) {
        "the frames of your program have no names"
    } else {
        "no frame could be matched to a source file of your project"
    })
}

/// Returns true if a stack has frames with module offsets, but no frame with a name or file.
fn is_bare(stack: &Stack) -> bool {
    let has_name = |frame: &Frame| frame.info.name().is_some() || frame.info.file.is_some();
    stack
        .frames
        .iter()
        .any(|frame| is_unsymbolized(&frame.info))
        && !stack.frames.iter().any(has_name)
}

/// Returns true if a pattern matches a name.
fn matches(pattern: &str, name: &str) -> bool {
    // Most patterns differ in their first byte, and all of them are compared with all names.
    pattern.as_bytes().first() == name.as_bytes().first()
        && pattern
            .strip_suffix('*')
            .map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::Options;
    use crate::parse::Parser;

    fn leak_hints(frames: &[&str]) -> Vec<&'static str> {
        let mut log = String::from(
            "==1==ERROR: LeakSanitizer: detected memory leaks\n\n\
             Direct leak of 8 byte(s) in 1 object(s) allocated from:\n",
        );
        for (at, name) in frames.iter().enumerate() {
            log += &alloc::format!("    #{at} 0x1 in {name} /src/a.c:1:1\n");
        }
        log += "\nSUMMARY: LeakSanitizer: 8 byte(s) leaked in 1 allocation(s).\n";
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        hints(&parser.finish().findings[0], true)
    }

    #[test]
    fn unsymbolized_stack_suggests_symbolizing() {
        let suggests_symbolizing = |frames: &[&str]| {
            let frames: String = frames
                .iter()
                .map(|frame| alloc::format!("    #0 0x1 {frame} (BuildId: ab)\n"))
                .collect();
            let head = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 \
                        at pc 0x2 bp 0x3 sp 0x4\n";
            let mut parser = Parser::new(Options::default());
            parser.feed(alloc::format!("{head}{frames}\n").as_bytes());
            hints(&parser.finish().findings[0], true)
                .iter()
                .any(|hint| hint.contains("--symbolize"))
        };
        assert!(suggests_symbolizing(&["(/bin/app+0x1)"]));
        assert!(!suggests_symbolizing(&["in main (/bin/app+0x1)"]));
    }

    #[test]
    fn functions_select_hints() {
        for (frames, want) in [
            (
                &["malloc", "strdup", "last_error", "main"][..],
                "a string that the caller owns",
            ),
            (
                &[
                    "calloc",
                    "allocate_dtv",
                    "_dl_allocate_tls",
                    "pthread_create@@GLIBC_2.34",
                    "main",
                ],
                "the thread was still running",
            ),
            (
                &[
                    "malloc",
                    "PyObject_Malloc",
                    "Py_InitializeFromConfig",
                    "main",
                ],
                "the stack contains the Python interpreter",
            ),
            (
                &[
                    "malloc",
                    "tokio::runtime::park::CachedParkThread::new",
                    "main",
                ],
                "the stack contains an asynchronous runtime",
            ),
            (
                &[
                    "malloc",
                    "make",
                    "_GLOBAL__sub_I_a.cc",
                    "call_init.part.0",
                    "_dl_init",
                ],
                "allocated before main",
            ),
        ] {
            let hints = leak_hints(frames);
            assert!(
                hints.len() == 1 && hints[0].starts_with(want),
                "{frames:?}: {hints:?}"
            );
        }
        assert!(leak_hints(&["malloc", "make", "main"]).is_empty());
        assert!(leak_hints(&["malloc", "pthread_created", "main"]).is_empty());
    }
}
