//! Hints for checkers that fail to start.
//!
//! Sources: valgrind's manual and FAQ; compiler-rt's `lsan_common.cpp`, `tsan_platform_linux.cpp`,
//! `asan_linux.cpp`, `sanitizer_posix_libcdep.cpp`; `proc_sys_vm(5)` and `setarch(8)`.

const ASLR: &str = "ASLR conflicts with the sanitizer's shadow memory: run under `setarch -R` \
     or set vm.mmap_rnd_bits=28";
const ADDRESS_SPACE: &str =
    "sanitizers reserve a large address space: remove the limit with `ulimit -v unlimited`";

/// Text of checker messages, and the hint for messages that contain it.
const HINTS: &[(&str, &str)] = &[
    (
        "has encountered a fatal error",
        "the leak check doesn't work under a debugger or strace, or in a container without ptrace \
         (allow it with `docker run --cap-add=SYS_PTRACE`)",
    ),
    ("unexpected memory mapping", ASLR),
    ("Shadow memory range interleaves", ASLR),
    (
        "unable to disable ASLR",
        "ThreadSanitizer restarts the program without ASLR, and the container forbids it: set \
         vm.mmap_rnd_bits=28 on the host, or allow it with \
         `docker run --security-opt seccomp=unconfined`",
    ),
    (
        "can not mmap the shadow memory",
        "the address space of MemorySanitizer is taken: build with -fPIE -pie, set \
         vm.mmap_rnd_bits=28, and remove limits with `ulimit -v unlimited`",
    ),
    (
        "announced a deadly signal",
        "a sanitizer that crashes before `main`, again and again, conflicts with ASLR: set \
         vm.mmap_rnd_bits=28, or use a newer compiler",
    ),
    ("ReserveShadowMemoryRange failed", ADDRESS_SPACE),
    ("failed to allocate", ADDRESS_SPACE),
    (
        "runtime does not come first",
        "preload the runtime that the library was built with, such as \
         LD_PRELOAD=$(gcc -print-file-name=libasan.so)",
    ),
    (
        "incompatible ASan runtimes",
        "parts of the program were built by different compilers: build all of it with the same one",
    ),
    (
        "in suppressions file",
        "the checker doesn't start with an invalid suppression file: fix the line in the message",
    ),
    (
        "failed to parse suppressions",
        "the suppression file is invalid: fix it",
    ),
    (
        "failed to read suppressions file",
        "the suppression file doesn't exist at the given path: use an absolute path",
    ),
    (
        "Cannot create XML file",
        "a process that changed its user cannot write its report: start leakgate as that user",
    ),
    (
        "failed to start tool",
        "this tool isn't installed for the architecture of the program (32-bit programs need \
         valgrind's 32-bit package)",
    ),
    (
        "a function redirection",
        "valgrind needs the symbols of the dynamic loader: install the debug package of the C \
         library (libc6-dbg, glibc-debuginfo)",
    ),
];

/// Returns a hint for the message of a checker that failed to start. `None` if the message is
/// unknown.
///
/// ```
/// use leakgate_core::advice::startup_hint;
///
/// let message = "FATAL: ThreadSanitizer: unexpected memory mapping 0x5d5e-0x5d5f";
/// assert!(startup_hint(message).unwrap().contains("setarch"));
/// assert_eq!(startup_hint("segmentation fault"), None);
/// ```
pub fn startup_hint(message: &str) -> Option<&'static str> {
    HINTS
        .iter()
        .find(|(text, _)| message.contains(text))
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_selects_hint() {
        assert!(
            startup_hint("LeakSanitizer failed: `has encountered a fatal error.`")
                .unwrap()
                .contains("SYS_PTRACE")
        );
        assert!(
            startup_hint("FATAL: ThreadSanitizer: unexpected memory mapping 0x1-0x2")
                .unwrap()
                .contains("setarch")
        );
        assert_eq!(startup_hint("valgrind: failed: something else"), None);
    }

    #[test]
    fn every_hint_is_reachable() {
        for (at, (text, _)) in HINTS.iter().enumerate() {
            assert!(
                HINTS[..at].iter().all(|(other, _)| !text.contains(other)),
                "{text} is shadowed by an earlier entry"
            );
        }
    }
}
