//! The tables of frames that are nobody's own, for C, C++ and Rust.
//!
//! Frozen for the fingerprints `lg1`: a changed row changes fingerprints, and then the version goes up to `lg2`.

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
    /// The base name of the source path and the last part of the simple name: `panicking.rs|do_call`.
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
        Self { name, printed, file, module, base, stem, last, plain: name.trim_start_matches('_') }
    }
}

impl Row {
    /// The whole names that the row lists.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        if self.on == On::Name { self.patterns } else { &[] }
    }

    pub(crate) fn matches(&self, place: &Place<'_>) -> bool {
        let Place { name, printed, file, module, base, stem, last, plain } = *place;
        self.patterns.iter().any(|p| match self.on {
            On::Name => name == *p || printed == *p,
            On::NameStart => name.starts_with(p),
            On::File => !file.is_empty() && file.contains(p),
            On::Base => base == *p,
            On::Place => p.strip_prefix(base).and_then(|rest| rest.strip_prefix('|')).is_some_and(|n| n == last),
            On::OwnFile => stem == *p && plain == *p,
            On::Module => module.starts_with(p),
        })
    }
}

const fn row(class: Class, on: On, patterns: &'static [&'static str]) -> Row {
    Row { class, on, patterns }
}

/// All rows. The first that matches decides.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(systems::ROWS)
}

const ROWS: &[Row] = &[
    // C and C++: the C library's allocators, and the operators.
    row(
        Class::Allocator,
        On::Name,
        &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "cfree",
            "memalign",
            "posix_memalign",
            "aligned_alloc",
            "valloc",
            "pvalloc",
            "reallocarray",
            "malloc_usable_size",
            "operator new",
            "operator delete",
            "operator new[]",
            "operator delete[]",
            "__libc_malloc",
            "__libc_calloc",
            "__libc_realloc",
            "__libc_free",
            "__libc_memalign",
            "wrap_malloc",
            "wrap_free",
        ],
    ),
    // Rust: the allocator's entry points and the standard containers that call them.
    row(
        Class::Allocator,
        On::NameStart,
        &[
            "__rust_alloc",
            "__rust_dealloc",
            "__rust_realloc",
            "__rg_",
            "__rdl_",
            "__rustc::",
            "alloc::alloc::",
            "alloc::raw_vec::",
            "alloc::vec::",
            "alloc::boxed::",
            "alloc::string::",
            "alloc::str::",
            "alloc::slice::",
            "alloc::rc::",
            "alloc::sync::",
            "alloc::collections::",
            "alloc::borrow::",
            "alloc::fmt::",
            "hashbrown::",
            "std::collections::",
            "std::alloc::",
        ],
    ),
    row(
        Class::Allocator,
        On::Place,
        &[
            "alloc.rs|alloc",
            "alloc.rs|alloc_zeroed",
            "alloc.rs|alloc_impl",
            "alloc.rs|alloc_impl_runtime",
            "alloc.rs|allocate",
            "alloc.rs|allocate_zeroed",
            "alloc.rs|realloc",
            "alloc.rs|grow",
            "alloc.rs|grow_impl",
            "alloc.rs|exchange_malloc",
            "alloc.rs|dealloc",
            "alloc.rs|deallocate",
            "boxed.rs|box_new",
            "boxed.rs|box_new_uninit",
            "boxed.rs|new_uninit_in",
            "boxed.rs|try_new_uninit_in",
            "new_allocator.h|allocate",
            "new_allocator.h|deallocate",
            "alloc_traits.h|allocate",
            "alloc_traits.h|deallocate",
        ],
    ),
    row(
        Class::Allocator,
        On::File,
        &["library/alloc/src/", "/liballoc/", "/rust/deps/hashbrown", "library/std/src/collections/", "library/std/src/alloc.rs"],
    ),
    // The sanitizers' interceptors and valgrind's replacements. An interceptor of an allocator is an allocator.
    row(
        Class::Allocator,
        On::Name,
        &[
            "__interceptor_malloc",
            "__interceptor_calloc",
            "__interceptor_realloc",
            "__interceptor_free",
            "__interceptor_cfree",
            "__interceptor_memalign",
            "__interceptor_posix_memalign",
            "__interceptor_aligned_alloc",
            "__interceptor_valloc",
            "__interceptor_pvalloc",
            "__interceptor_reallocarray",
            "___interceptor_malloc",
            "___interceptor_calloc",
            "___interceptor_realloc",
            "___interceptor_free",
        ],
    ),
    row(
        Class::Runtime,
        On::NameStart,
        &["__interceptor_", "___interceptor_", "__asan", "__lsan", "__sanitizer", "__ubsan", "__tsan", "__msan", "__hwasan"],
    ),
    row(Class::Runtime, On::NameStart, &["asan_thread_start", "AsanThread", "ThreadStartFunc", "__memcheck_", "VALGRIND_"]),
    row(
        Class::Runtime,
        On::File,
        &[
            "/compiler-rt/lib/",
            "/libsanitizer/",
            "vg_replace_malloc.c",
            "vg_replace_strmem.c",
            "hg_intercepts.c",
            "drd_pthread_intercepts.c",
            "sanitizer_common",
            "asan_interceptors",
            "asan_malloc_linux",
        ],
    ),
    row(
        Class::Runtime,
        On::Module,
        &["libasan.so", "liblsan.so", "libtsan.so", "libubsan.so", "libhwasan.so", "libclang_rt.", "vgpreload_", "libasan_"],
    ),
    // The C library: start, threads, loading, and what the linker names.
    row(
        Class::Runtime,
        On::Name,
        &[
            "(below main)",
            "_start",
            "__libc_start_main",
            "__libc_start_call_main",
            "__libc_start_main_impl",
            "start_thread",
            "thread_start",
            "clone",
            "clone3",
            "__clone",
            "__clone3",
            "__clone_internal",
            "create_thread",
            "call_init",
            "exit",
            "__run_exit_handlers",
            "__cxa_finalize",
            "pthread_create",
            "__pthread_create_2_1",
            "start",
            "_start_main",
            "strdup",
            "__strdup",
            "strndup",
            "__strndup",
            "asprintf",
            "vasprintf",
            "getline",
            "getdelim",
        ],
    ),
    row(Class::Runtime, On::NameStart, &["_dl_", "dl_open_worker", "dl_main", "__GI_", "_IO_", "__libc_", "__pthread_"]),
    row(
        Class::Runtime,
        On::Base,
        &[
            "allocatestack.c",
            "clone-internal.c",
            "clone.S",
            "clone3.S",
            "dl-catch.c",
            "dl-deps.c",
            "dl-error-skeleton.c",
            "dl-init.c",
            "dl-load.c",
            "dl-object.c",
            "dl-open.c",
            "dl-support.c",
            "dl-tls.c",
            "dlerror.c",
            "dlopen.c",
            "libc-start.c",
            "libc_start_call_main.h",
            "open64.c",
            "pthread_create.c",
            "pthread_kill.c",
            "rtld-malloc.h",
            "rtld.c",
            "syscall-template.S",
        ],
    ),
    row(
        Class::Runtime,
        On::OwnFile,
        &[
            "abort", "accept", "accept4", "close", "creat", "dup", "dup2", "dup3", "exit", "fork", "getenv", "open", "pipe",
            "pipe2", "pread64", "pwrite64", "qsort", "raise", "read", "realpath", "recv", "recvfrom", "send", "sendto", "setenv",
            "socket", "strdup", "strndup", "write",
        ],
    ),
    row(
        Class::Runtime,
        On::File,
        &["/sysdeps/", "csu/../", "../csu/", "/nptl/", "./nptl/", "./malloc/", "/build/glibc", "./elf/", "./stdlib/", "/glibc-"],
    ),
    row(
        Class::Runtime,
        On::Module,
        &[
            "libc.so",
            "libc-2",
            "ld-linux",
            "ld-2",
            "libpthread",
            "libm.so",
            "libdl.so",
            "librt.so",
            "libgcc_s",
            "libstdc++",
            "libc++",
            "libc++abi",
            "libsystem_",
            "dyld",
            "ld-musl",
            "ntdll.dll",
            "KERNEL32.DLL",
        ],
    ),
    // C++: the standard library.
    row(
        Class::Runtime,
        On::NameStart,
        &[
            "std::",
            "__gnu_cxx::",
            "__cxxabiv1::",
            "__cxa_",
            "__gxx_",
            "__invoke",
            "_M_",
            "_S_",
            "_Auto_node",
            "_ZSt",
            "_ZNSt",
            "_ZNKSt",
            "_ZN9__gnu_cxx",
            "_ZNK9__gnu_cxx",
        ],
    ),
    row(
        Class::Runtime,
        On::Base,
        &[
            "alloc_traits.h",
            "allocated_ptr.h",
            "basic_string.h",
            "basic_string.tcc",
            "deque.tcc",
            "hashtable_policy.h",
            "list.tcc",
            "new_allocator.h",
            "shared_ptr_base.h",
            "std_function.h",
            "std_thread.h",
            "stl_algo.h",
            "stl_algobase.h",
            "stl_construct.h",
            "stl_deque.h",
            "stl_list.h",
            "stl_map.h",
            "stl_multimap.h",
            "stl_pair.h",
            "stl_set.h",
            "stl_tree.h",
            "stl_uninitialized.h",
            "stl_vector.h",
            "vector.tcc",
        ],
    ),
    row(
        Class::Runtime,
        On::Place,
        &[
            "shared_ptr.h|make_shared",
            "shared_ptr.h|allocate_shared",
            "shared_ptr.h|shared_ptr",
            "unique_ptr.h|make_unique",
            "unique_ptr.h|unique_ptr",
        ],
    ),
    row(Class::Runtime, On::File, &["/include/c++/", "/libstdc++-v3/", "/libcxx/", "/libcxxabi/"]),
    // Rust: core, std, the test harness, and what starts a program or a thread.
    row(Class::Runtime, On::NameStart, &["core::", "test::", "__rust_", "rust_begin_unwind", "__rust_begin_short_backtrace"]),
    row(
        Class::Runtime,
        On::Place,
        &[
            "backtrace.rs|__rust_begin_short_backtrace",
            "boxed.rs|call_once",
            "function.rs|call_mut",
            "function.rs|call_once",
            "lifecycle.rs|spawn_unchecked",
            "lifecycle.rs|{closure}",
            "panic.rs|catch_unwind",
            "panicking.rs|catch_unwind",
            "panicking.rs|do_call",
            "panicking.rs|try",
            "rt.rs|init",
            "rt.rs|lang_start",
            "rt.rs|lang_start_internal",
            "rt.rs|{closure}",
            "unwind_safe.rs|call_once",
        ],
    ),
    row(
        Class::Runtime,
        On::File,
        &["/rustc/", "library/std/src/", "library/core/src/", "library/test/src/", "/rustlib/src/rust/library/", "/rust/deps/"],
    ),
];

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
pub(crate) const SYSTEM_MODULES: &[&str] = &["/usr/lib", "/lib/", "/lib64/", "/usr/local/lib", "/System/", "/usr/libexec"];
