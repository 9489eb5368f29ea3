//! Why a checker can't start, and what helps.
//!
//! Sources: valgrind's manual and FAQ; compiler-rt's `lsan_common.cpp`, `tsan_platform_linux.cpp`,
//! `asan_linux.cpp`, `sanitizer_posix_libcdep.cpp`; `proc_sys_vm(5)` and `setarch(8)`.

/// Words of a checker, and what helps.
const HELP: &[(&str, &str)] = &[
    (
        "has encountered a fatal error",
        "it can't look for leaks under a debugger or strace, nor in a container without ptrace (docker run --cap-add=SYS_PTRACE)",
    ),
    (
        "unexpected memory mapping",
        "addresses are too random for it: run it by `setarch -R`, or set vm.mmap_rnd_bits to 28",
    ),
    (
        "Shadow memory range interleaves",
        "addresses are too random for it: run it by `setarch -R`, or set vm.mmap_rnd_bits to 28",
    ),
    (
        "ReserveShadowMemoryRange failed",
        "it needs address space, not memory: lift the limit (ulimit -v unlimited)",
    ),
    (
        "failed to allocate",
        "it needs address space, not memory: lift the limit (ulimit -v unlimited)",
    ),
    (
        "runtime does not come first",
        "preload the runtime that the library was built for, such as LD_PRELOAD=$(gcc -print-file-name=libasan.so)",
    ),
    (
        "incompatible ASan runtimes",
        "two compilers have built the parts of this program: build all of it with one",
    ),
    (
        "in suppressions file",
        "nothing runs with a suppression file that has a mistake: mend the line that it names",
    ),
    (
        "failed to parse suppressions",
        "nothing is proved with a suppression file that has a mistake: mend it",
    ),
    (
        "failed to read suppressions file",
        "the suppression file is not where the options say: name it by its whole path",
    ),
    (
        "Cannot create XML file",
        "a process can't go on as another user with the report that it began: start leakgate as that user",
    ),
    (
        "failed to start tool",
        "this tool is not installed for programs of this kind (32 bits need the 32-bit package of valgrind)",
    ),
    (
        "a function redirection",
        "it needs the symbols of the loader: install the C library's debug package (libc6-dbg, glibc-debuginfo)",
    ),
];

/// What helps where a checker fails with these words.
pub fn refusal(words: &str) -> Option<&'static str> {
    HELP.iter()
        .find(|(sign, _)| words.contains(sign))
        .map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_that_fit_are_those_that_help() {
        assert!(
            refusal("LeakSanitizer failed: `has encountered a fatal error.`")
                .unwrap()
                .contains("SYS_PTRACE")
        );
        assert!(
            refusal("FATAL: ThreadSanitizer: unexpected memory mapping 0x1-0x2")
                .unwrap()
                .contains("setarch")
        );
        assert_eq!(refusal("valgrind: failed: something else"), None);
    }

    #[test]
    fn signs_differ() {
        for (at, (sign, _)) in HELP.iter().enumerate() {
            assert!(
                HELP[..at].iter().all(|(other, _)| !sign.contains(other)),
                "{sign} is never reached"
            );
        }
    }
}
