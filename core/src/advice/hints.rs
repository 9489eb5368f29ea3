//! What the frames of a stack tell about where a leak usually comes from. A hint is a place to
//! look, never an acceptance.

use alloc::string::String;
use alloc::vec::Vec;

use crate::culprit::is_collapsed;
use crate::model::{Finding, Frame, Stack};
use crate::symbol::simple_name;
use crate::symbolize::is_nameless;

/// So many are told of one finding.
const MOST: usize = 2;

/// One pattern of frames.
struct Hint {
    /// Simple names of functions, each of which stands somewhere in the stack; `*` at the end
    /// takes any rest.
    all: &'static [&'static [&'static str]],
    text: &'static str,
    /// It can't be where `main` is in the stack.
    before_main: bool,
}

const fn hint(all: &'static [&'static [&'static str]], text: &'static str) -> Hint {
    Hint {
        all,
        text,
        before_main: false,
    }
}

/// The more exact come first.
const HINTS: &[Hint] = &[
    hint(
        &[&["pthread_create*"], &["_dl_allocate_tls", "allocate_dtv"]],
        "a thread that still ran, or was neither joined nor detached, when the process ended: join it",
    ),
    hint(
        &[&[
            "tokio::runtime::*",
            "rayon_core::*",
            "async_std::*",
            "smol::*",
        ]],
        "a worker thread or task of an asynchronous runtime: shut the runtime down before the end; what it keeps by design is in the pack `tokio`",
    ),
    hint(
        &[&[
            "alloc::ffi::c_str::CString::*",
            "alloc::ffi::CString::*",
            "std::ffi::c_str::CString::*",
        ]],
        "a string that Rust made for C: it is given back by CString::from_raw, through the library's own free function",
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
        "a string whose owner is the caller, often a returned error message: whoever gets it has to free it, or hand it to the library's free function",
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
        "Python's interpreter is in the stack: what it keeps by design is in the pack `python`; PYTHONMALLOC=malloc makes its own allocations visible",
    ),
    hint(
        &[&["JNI_CreateJavaVM", "JavaMain", "JVM_*"]],
        "the Java virtual machine is in the stack: what it keeps by design is in the pack `jvm`",
    ),
    hint(
        &[&[
            "g_type_*",
            "g_quark_*",
            "g_intern_*",
            "g_object_class_*",
            "g_signal_new*",
        ]],
        "GLib registers types, names and signals once and keeps them: see the pack `glib`",
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
        "OpenSSL's set-up is in the stack: what it keeps by design is in the pack `openssl`; an SSL_CTX that the program made needs SSL_CTX_free",
    ),
    hint(
        &[&["GOMP_*", "gomp_*", "__kmp_*", "__kmpc_*"]],
        "OpenMP keeps its threads and teams for the next region: see the pack `openmp`",
    ),
    hint(
        &[&["dlopen*", "_dl_open", "dl_open_worker*"]],
        "allocated while a library was loaded: close it by dlclose, or see the pack `dlopen`",
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
            "allocated before main, by the set-up of a library or of a static object",
        )
    },
];

/// What to tell of a finding; `own` is true where a frame of its stack is yours.
pub fn hints(finding: &Finding, own: bool) -> Vec<&'static str> {
    let mut told = Vec::new();
    if finding.primary().is_none() {
        told.push("the checker prints no stack for it");
    } else if !own {
        told.push(match is_collapsed(finding) {
            true => "no frame of yours in this stack; the fast unwinder loses them in Rust: set fast_unwind_on_malloc=0, or build with -Cforce-frame-pointers=yes",
            false => "no frame of yours in this stack",
        });
    }
    if finding.primary().is_some_and(is_bare) {
        told.push(
            "its frames have no names: `leakgate check --symbolize` takes them from the modules where the program was built, and the checker itself where llvm-symbolizer is in its PATH",
        );
    }
    if finding.kind.is_leak()
        && let Some(stack) = finding.primary()
    {
        let names: Vec<String> = stack
            .frames
            .iter()
            .filter_map(|f| f.site.name())
            .map(simple_name)
            .collect();
        let stands = |patterns: &[&str]| {
            names
                .iter()
                .any(|name| patterns.iter().any(|p| takes(p, name)))
        };
        // Names of addresses without debug information may be of their neighbours.
        let in_main = names.iter().any(|name| name == "main");
        let fitting = HINTS.iter().filter(|hint| !(in_main && hint.before_main));
        let fitting = fitting.filter(|hint| hint.all.iter().all(|patterns| stands(patterns)));
        told.extend(fitting.map(|hint| hint.text).take(MOST));
    }
    told
}

/// True for a stack that has places in modules and no name at all.
fn is_bare(stack: &Stack) -> bool {
    let has_name = |frame: &Frame| frame.site.name().is_some() || frame.site.file.is_some();
    stack.frames.iter().any(|frame| is_nameless(&frame.site)) && !stack.frames.iter().any(has_name)
}

fn takes(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Parser};

    fn of(frames: &[&str]) -> Vec<&'static str> {
        let mut log = String::from(
            "==1==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 8 byte(s) in 1 object(s) allocated from:\n",
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
    fn a_stack_without_any_name_can_be_symbolized() {
        let told = |frames: &[&str]| {
            let frames: String = frames
                .iter()
                .map(|frame| alloc::format!("    #0 0x1 {frame} (BuildId: ab)\n"))
                .collect();
            let head = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\n";
            let mut parser = Parser::new(Options::default());
            parser.feed(alloc::format!("{head}{frames}\n").as_bytes());
            hints(&parser.finish().findings[0], true)
                .iter()
                .any(|hint| hint.contains("--symbolize"))
        };
        assert!(told(&["(/bin/app+0x1)"]));
        assert!(!told(&["in main (/bin/app+0x1)"]));
    }

    #[test]
    fn frames_tell_where_to_look() {
        for (frames, want) in [
            (
                &["malloc", "strdup", "last_error", "main"][..],
                "a string whose owner is the caller",
            ),
            (
                &[
                    "calloc",
                    "allocate_dtv",
                    "_dl_allocate_tls",
                    "pthread_create@@GLIBC_2.34",
                    "main",
                ],
                "a thread that still ran",
            ),
            (
                &[
                    "malloc",
                    "PyObject_Malloc",
                    "Py_InitializeFromConfig",
                    "main",
                ],
                "Python's interpreter",
            ),
            (
                &[
                    "malloc",
                    "tokio::runtime::park::CachedParkThread::new",
                    "main",
                ],
                "a worker thread or task",
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
            let told = of(frames);
            assert!(
                told.len() == 1 && told[0].starts_with(want),
                "{frames:?}: {told:?}"
            );
        }
        assert!(of(&["malloc", "make", "main"]).is_empty());
        assert!(of(&["malloc", "pthread_created", "main"]).is_empty());
    }
}
