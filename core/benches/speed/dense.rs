//! Dense reports: thousands of different leaks and nothing between them. They are generated,
//! because none of the snapshot programs leaks that much.

use std::fmt::Write as _;

use fastrand::Rng;

/// Frames of a stack, on average.
const FRAMES: usize = 11;

/// One line of a stack.
struct Frame {
    function: String,
    folder: String,
    file: String,
    line: u32,
    address: u64,
}

/// One leak.
struct Leak {
    bytes: u64,
    blocks: u64,
    frames: Vec<Frame>,
}

pub(crate) const MODULES: &[&str] = &[
    "net", "store", "query", "render", "codec", "sched", "ui", "util",
];
pub(crate) const NOUNS: &[&str] = &[
    "Session", "Buffer", "Index", "Parser", "Tree", "Page", "Cursor", "Request", "Stream", "Cache",
    "Worker",
];
pub(crate) const VERBS: &[&str] = &[
    "open",
    "load",
    "insert",
    "clone_into",
    "decode",
    "resolve",
    "dispatch",
    "flush",
    "grow",
    "merge",
];

/// Generates different leaks with stacks like those of a larger C++ program: shared at the bottom,
/// different at the top. `first` is the number of the first leak; other numbers have other stacks.
fn leaks(first: usize, count: usize) -> Vec<Leak> {
    let mut rng = Rng::with_seed(0x6c65_616b + first as u64);
    let generate = |n: usize| {
        let depth = rng.usize(FRAMES - 4..=FRAMES + 4);
        // The deeper a frame, the fewer functions it is chosen from.
        let mut frames: Vec<Frame> = (0..depth - 1)
            .map(|level| frame(rng.usize(..2 + 3000 / (level + 1)), level))
            .collect();
        frames[0].line = u32::try_from(n).unwrap_or(u32::MAX) + 1;
        frames.push(Frame {
            function: "main".into(),
            ..frame(0, depth)
        });
        let blocks = 1 + rng.u64(..9);
        Leak {
            bytes: blocks * rng.u64(1..2000),
            blocks,
            frames,
        }
    };
    (first..first + count).map(generate).collect()
}

fn frame(choice: usize, level: usize) -> Frame {
    let module = MODULES[choice / 7 % MODULES.len()];
    let noun = NOUNS[choice / 3 % NOUNS.len()];
    let verb = VERBS[choice % VERBS.len()];
    Frame {
        function: format!("{module}::{noun}::{verb}_{}(Text const&)", choice % 97),
        folder: format!("/ci/src/{module}"),
        file: format!("{}_{}.cc", noun.to_lowercase(), choice % 23),
        line: 10 + u32::try_from(choice % 900).unwrap_or(0),
        address: 0x5555_5555_0000 + (choice as u64) * 0x41 + (level as u64) * 0x10_0000,
    }
}

fn total(leaks: &[Leak]) -> (u64, u64) {
    leaks.iter().fold((0, 0), |(bytes, blocks), leak| {
        (bytes + leak.bytes, blocks + leak.blocks)
    })
}

/// Formats a number with valgrind's thousands separators: `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut out = digits[..first].to_owned();
    for at in (first..digits.len()).step_by(3) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&digits[at..at + 3]);
    }
    out
}

/// Generates a LeakSanitizer report.
pub(crate) fn lsan(count: usize) -> Vec<u8> {
    lsan_from(0, count)
}

/// Generates a LeakSanitizer report whose leaks begin with another number than 0.
pub(crate) fn lsan_from(first: usize, count: usize) -> Vec<u8> {
    let leaks = leaks(first, count);
    let mut out = String::from(
        "\n=================================================================\n==77==ERROR: LeakSanitizer: detected memory leaks\n\n",
    );
    for leak in &leaks {
        let _ = writeln!(
            out,
            "Direct leak of {} byte(s) in {} object(s) allocated from:",
            leak.bytes, leak.blocks
        );
        let _ = writeln!(
            out,
            "    #0 0x7ffff7ab5293 in operator new(unsigned long) ../../../../src/libsanitizer/lsan/lsan_interceptors.cpp:248"
        );
        for (n, f) in leak.frames.iter().enumerate() {
            let _ = writeln!(
                out,
                "    #{} {:#x} in {} {}/{}:{}:{}",
                n + 1,
                f.address,
                f.function,
                f.folder,
                f.file,
                f.line,
                1 + f.line % 40
            );
        }
        out.push('\n');
    }
    let (bytes, blocks) = total(&leaks);
    let _ = writeln!(
        out,
        "SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {blocks} allocation(s)."
    );
    out.into_bytes()
}

/// Generates a memcheck report.
pub(crate) fn memcheck(count: usize) -> Vec<u8> {
    let leaks = leaks(0, count);
    let (bytes, blocks) = total(&leaks);
    let mut out = String::from(
        "==77== Memcheck, a memory error detector\n==77== Using Valgrind-3.19.0 and LibVEX; rerun with -h for copyright info\n==77== Command: ./app\n==77== \n",
    );
    for (n, leak) in leaks.iter().enumerate() {
        let (size, number) = (grouped(leak.bytes), grouped(n as u64 + 1));
        let _ = writeln!(
            out,
            "==77== {size} bytes in {} blocks are definitely lost in loss record {number} of {}",
            leak.blocks,
            grouped(count as u64)
        );
        let _ = writeln!(
            out,
            "==77==    at 0x4841F11: operator new(unsigned long) (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)"
        );
        for f in &leak.frames {
            let _ = writeln!(
                out,
                "==77==    by {:#X}: {} ({}:{})",
                f.address, f.function, f.file, f.line
            );
        }
        out.push_str("==77== \n");
    }
    let _ = writeln!(
        out,
        "==77== LEAK SUMMARY:\n==77==    definitely lost: {} bytes in {} blocks",
        grouped(bytes),
        grouped(blocks)
    );
    for name in [
        "   indirectly lost",
        "     possibly lost",
        "   still reachable",
        "        suppressed",
    ] {
        let _ = writeln!(out, "==77== {name}: 0 bytes in 0 blocks");
    }
    let _ = writeln!(
        out,
        "==77== \n==77== ERROR SUMMARY: {count} errors from {count} contexts (suppressed: 0 from 0)"
    );
    out.into_bytes()
}

const XML_HEAD: &str = "<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n<protocolversion>4</protocolversion>\n<protocoltool>memcheck</protocoltool>\n\n\
    <preamble>\n  <line>Memcheck, a memory error detector</line>\n</preamble>\n\n<pid>77</pid>\n<ppid>1</ppid>\n<tool>memcheck</tool>\n\n\
    <args>\n  <vargv>\n    <exe>/usr/bin/valgrind.bin</exe>\n    <arg>--leak-check=full</arg>\n    <arg>--xml=yes</arg>\n  </vargv>\n  \
    <argv>\n    <exe>./app</exe>\n  </argv>\n</args>\n\n<status>\n  <state>RUNNING</state>\n</status>\n\n\
    <status>\n  <state>FINISHED</state>\n</status>\n\n";

/// Generates a memcheck report in XML.
pub(crate) fn xml(count: usize) -> Vec<u8> {
    let mut out = String::from(XML_HEAD);
    for (n, leak) in leaks(0, count).iter().enumerate() {
        let (bytes, blocks) = (leak.bytes, leak.blocks);
        let _ = writeln!(
            out,
            "<error>\n  <unique>{n:#x}</unique>\n  <tid>1</tid>\n  <kind>Leak_DefinitelyLost</kind>\n  <xwhat>"
        );
        let _ = writeln!(
            out,
            "    <text>{} bytes in {blocks} blocks are definitely lost in loss record {n} of {count}</text>",
            grouped(bytes)
        );
        let _ = writeln!(
            out,
            "    <leakedbytes>{bytes}</leakedbytes>\n    <leakedblocks>{blocks}</leakedblocks>\n  </xwhat>\n  <stack>"
        );
        for f in &leak.frames {
            let function = f.function.replace('&', "&amp;");
            let _ = writeln!(
                out,
                "    <frame>\n      <ip>{:#X}</ip>\n      <obj>/ci/app</obj>\n      <fn>{function}</fn>",
                f.address
            );
            let _ = writeln!(
                out,
                "      <dir>{}</dir>\n      <file>{}</file>\n      <line>{}</line>\n    </frame>",
                f.folder, f.file, f.line
            );
        }
        out.push_str("  </stack>\n</error>\n\n");
    }
    out.push_str(
        "<errorcounts>\n</errorcounts>\n\n<suppcounts>\n</suppcounts>\n\n</valgrindoutput>\n",
    );
    out.into_bytes()
}
