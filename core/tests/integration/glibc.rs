//! One bug keeps its fingerprint with every glibc: an old one, a new one, and with or without debug
//! information.

use std::fmt::Write as _;

use crate::common;

/// Frames: functions, and the places that valgrind prints.
type Frames<'a> = [(&'a str, &'a str)];

/// The frames of glibc between the checker's interceptor and the program, in variants.
const VARIANTS: &[(&str, &[&Frames<'_>])] = &[
    (
        "memory of a stream",
        &[
            &[("fopen", "in /usr/lib/x86_64-linux-gnu/libc.so.6")],
            &[
                ("__fopen_internal", "iofopen.c:65"),
                ("fopen@@GLIBC_2.2.5", "iofopen.c:86"),
            ],
            &[
                ("__fopen_internal", "in /lib/x86_64-linux-gnu/libc-2.31.so"),
                ("fopen@@GLIBC_2.1", "in /lib/i386-linux-gnu/libc-2.31.so"),
            ],
            &[("_IO_fopen", "./libio/iofopen.c:75")],
        ],
    ),
    (
        "a string function",
        &[
            &[("strlen", "in /usr/lib64/libc-2.17.so")],
            &[("__strlen_avx2", "strlen-avx2.S:74")],
            &[(
                "__strlen_sse2",
                "../sysdeps/x86_64/multiarch/../strlen.S:120",
            )],
            &[("__strlen_evex", "in /usr/lib64/libc.so.6")],
        ],
    ),
    (
        "a callback of qsort",
        &[
            &[("qsort_r", "in /usr/lib/x86_64-linux-gnu/libc.so.6")],
            &[
                ("msort_with_tmp.part.0", "msort.c:83"),
                ("msort_with_tmp", "msort.c:44"),
                ("__qsort_r", "msort.c:296"),
            ],
            &[
                ("qsort_r", "./stdlib/qsort.c:409"),
                ("qsort", "./stdlib/qsort.c:418"),
            ],
        ],
    ),
    (
        "formatted output",
        &[
            &[
                ("vfprintf", "in /lib64/libc-2.12.so"),
                ("printf", "in /lib64/libc-2.12.so"),
            ],
            &[
                ("__vfprintf_internal", "vfprintf-process-arg.c:397"),
                ("printf", "printf.c:33"),
            ],
            &[
                ("__vfprintf_internal", "vfprintf-internal.c:1646"),
                ("__printf_chk", "in /usr/lib/libc.so.6"),
            ],
        ],
    ),
];

/// The frames that end a stack: of the main thread, and of another one.
const ENDS: &[&Frames<'_>] = &[
    &[("main", "shop.c:9")],
    &[
        ("main", "shop.c:9"),
        ("__libc_start_call_main", "libc_start_call_main.h:58"),
        ("__libc_start_main@@GLIBC_2.34", "libc-start.c:360"),
        ("_start", "in /work/shop"),
    ],
    &[
        ("main", "shop.c:9"),
        ("(below main)", "in /usr/lib/libc-2.31.so"),
    ],
];

const THREADS: &[&Frames<'_>] = &[
    &[
        ("worker", "shop.c:30"),
        ("start_thread", "pthread_create.c:442"),
        ("clone", "clone.S:100"),
    ],
    &[
        ("worker", "shop.c:30"),
        (
            "start_thread",
            "in /lib/x86_64-linux-gnu/libpthread-2.31.so",
        ),
        ("clone", "in /lib/x86_64-linux-gnu/libc-2.31.so"),
    ],
    &[
        ("worker", "shop.c:30"),
        ("start_thread", "in /usr/lib/libc.so.6"),
        ("clone3", "in /usr/lib/libc.so.6"),
    ],
];

fn memcheck(frames: &[&Frames<'_>]) -> String {
    let mut log = String::from(
        "==7== Memcheck, a memory error detector\n==7== Command: ./shop\n==7== \n\
         ==7== Invalid read of size 1\n",
    );
    for (n, (function, place)) in frames.iter().copied().flatten().enumerate() {
        let word = if n == 0 { "at" } else { "by" };
        let _ = writeln!(log, "==7==    {word} 0x48{n:05X}: {function} ({place})");
    }
    log + "==7==  Address 0x4a5a040 is 0 bytes after a block of size 16 alloc'd\n\
           ==7==    at 0x484680F: malloc (vg_replace_malloc.c:446)\n\
           ==7==    by 0x109195: main (shop.c:7)\n==7== \n\
           ==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)\n"
}

fn asan(frames: &[&Frames<'_>]) -> String {
    let mut log = String::from(
        "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc \
         0x000000401234 bp 0x7ffc0 sp 0x7ffb8\nREAD of size 1 at 0x602000000010 thread T0\n",
    );
    for (n, (function, place)) in frames.iter().copied().flatten().enumerate() {
        let place = match place.strip_prefix("in ") {
            Some(module) => format!("({module}+0x{n:x}12a)"),
            None => (*place).into(),
        };
        let _ = writeln!(log, "    #{n} 0x48{n:05x} in {function} {place}");
    }
    log + "\nSUMMARY: AddressSanitizer: heap-use-after-free\n==7==ABORTING\n"
}

fn fingerprint(log: &str) -> String {
    let judged = common::judge_text(log.as_bytes());
    let (fingerprint, _) = judged.fingerprints().next().expect("a finding");
    fingerprint
}

#[test]
fn fingerprint_does_not_depend_on_glibc() {
    const OWN: &Frames<'_> = &[("load_cart", "cart.c:41")];
    for render in [memcheck, asan] {
        for (name, variants) in VARIANTS {
            for ends in [ENDS, THREADS] {
                let logs = variants
                    .iter()
                    .flat_map(|libc| ends.iter().map(|end| render(&[libc, OWN, end])));
                let mut logs = logs.peekable();
                let want = fingerprint(logs.peek().expect("a log"));
                for log in logs {
                    assert_eq!(fingerprint(&log), want, "{name}:\n{log}");
                }
            }
            // The program calls glibc, which calls the program.
            let called_back = |libc: &Frames<'_>| {
                fingerprint(&render(&[&[("compare", "cart.c:3")], libc, OWN, ENDS[0]]))
            };
            for libc in *variants {
                assert_eq!(
                    called_back(libc),
                    called_back(variants[0]),
                    "{name}: {libc:?}"
                );
            }
        }
    }
}

#[test]
fn function_of_the_program_with_a_name_of_glibc_counts() {
    let own = |name: &str| fingerprint(&memcheck(&[&[(name, "cart.c:41")], ENDS[0]]));
    assert_ne!(own("fopen"), own("strlen"));
}
