//! The canary's program: an executable of a few hundred bytes that calls the C library and errs on
//! purpose.
//!
//! It is written here instruction by instruction, for a machine that runs tests need not have a
//! compiler, and leakgate's own program may be linked without the C library that checkers watch.
//! Sources: the ELF specification (System V gABI, chapters 4 and 5), the processor supplements for
//! x86-64 and AArch64 (relocations `GLOB_DAT`), the instruction sets' manuals.

use std::path::Path;

/// What it does before it ends with status 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Forgets a block, and reads the byte behind it.
    LeakAndRead,
    /// Unlocks a mutex that is not locked.
    Unlock,
    /// Frees a block twice.
    FreeTwice,
    /// Reads a block that was freed.
    ReadFreed,
}

/// The size of the block that is forgotten.
pub(crate) const BYTES: u32 = 4242;

/// The size of the others: GWP-ASan guards what fits into a page.
const SMALL: u32 = 42;

/// A function of the C library, by its place in the table of addresses.
#[derive(Clone, Copy)]
enum Function {
    Malloc,
    Free,
    Unlock,
    Exit,
}

const FUNCTIONS: [&str; 4] = ["malloc", "free", "pthread_mutex_unlock", "exit"];

/// A step; each machine has its own instructions for it.
#[derive(Clone, Copy)]
enum Step {
    /// Calls a function with this number.
    Call(Function, u32),
    /// Calls a function with what was kept.
    CallKept(Function),
    /// Calls a function with the address of a mutex that nobody has made.
    CallMutex(Function),
    /// Keeps what the last function returned.
    Keep,
    /// Reads the byte so far behind what was kept.
    Read(u32),
    /// Forgets what was kept, and what registers may hold of it.
    Forget,
}

impl Deed {
    fn steps(self) -> &'static [Step] {
        use Function::{Exit, Free, Malloc, Unlock};
        use Step::{Call, CallKept, CallMutex, Forget, Keep, Read};
        match self {
            Self::LeakAndRead => &[
                Call(Malloc, BYTES),
                Keep,
                Read(BYTES),
                Forget,
                Call(Exit, 0),
            ],
            Self::Unlock => &[CallMutex(Unlock), Call(Exit, 0)],
            Self::FreeTwice => &[
                Call(Malloc, SMALL),
                Keep,
                CallKept(Free),
                CallKept(Free),
                Call(Exit, 0),
            ],
            Self::ReadFreed => &[
                Call(Malloc, SMALL),
                Keep,
                CallKept(Free),
                Read(0),
                Call(Exit, 0),
            ],
        }
    }
}

/// A processor: its number in ELF, its relocation for addresses of functions, its instructions.
struct Processor {
    number: u16,
    relocation: u64,
    code: fn(&[Step]) -> Vec<u8>,
    /// The loader and the name of the C library, of each library that may be there.
    systems: &'static [(&'static str, &'static [&'static str])],
}

const X86_64: Processor = Processor {
    number: 62,
    relocation: 6,
    code: x86_64,
    systems: &[
        (
            "/lib64/ld-linux-x86-64.so.2",
            &["libc.so.6", "libpthread.so.0"],
        ),
        ("/lib/ld-musl-x86_64.so.1", &["libc.so"]),
    ],
};

const AARCH64: Processor = Processor {
    number: 183,
    relocation: 1025,
    code: aarch64,
    systems: &[
        (
            "/lib/ld-linux-aarch64.so.1",
            &["libc.so.6", "libpthread.so.0"],
        ),
        ("/lib/ld-musl-aarch64.so.1", &["libc.so"]),
    ],
};

/// The program for this machine; nothing where there is none for it.
pub(crate) fn build(deed: Deed) -> Option<Vec<u8>> {
    let processor = match std::env::consts::ARCH {
        "x86_64" if cfg!(target_os = "linux") => X86_64,
        "aarch64" if cfg!(target_os = "linux") => AARCH64,
        _ => return None,
    };
    let (loader, libraries) = processor
        .systems
        .iter()
        .find(|(loader, _)| Path::new(loader).exists())?;
    Some(link(&processor, deed, loader, libraries))
}

/// Where the program lies in memory: instructions and tables that are only read on the first page,
/// the rest on the second.
const BASE: u64 = 0x40_0000;
const PAGE: u64 = 0x1_0000;
const DATA: u64 = BASE + PAGE;

/// The table of addresses, then a mutex, then what the loader reads.
const TABLE: u64 = DATA;
const MUTEX: u64 = TABLE + 8 * FUNCTIONS.len() as u64;
const DYNAMIC: u64 = MUTEX + 64;

fn link(processor: &Processor, deed: Deed, loader: &str, libraries: &[&str]) -> Vec<u8> {
    const HEADERS: usize = 64 + 5 * 56;
    let mut strings = vec![0u8];
    let mut name = |text: &str| {
        let at = strings.len() as u64;
        strings.extend(text.bytes().chain([0]));
        at
    };
    let libraries: Vec<u64> = libraries.iter().map(|library| name(library)).collect();
    let functions = FUNCTIONS.map(&mut name);
    let mut text = vec![0u8; HEADERS];
    let mut place = |bytes: &[u8]| {
        text.resize(text.len().next_multiple_of(16), 0);
        text.extend_from_slice(bytes);
        (BASE + (text.len() - bytes.len()) as u64, bytes.len() as u64)
    };
    let loader = place(&[loader.as_bytes(), &[0]].concat());
    let strings = place(&strings);
    // An undefined function of global binding: name, 0x12, 0, section 0, address 0, size 0.
    let symbol = |name: &u64| {
        [
            &(*name as u32).to_le_bytes()[..],
            &[0x12, 0, 0, 0],
            &[0; 16],
        ]
        .concat()
    };
    let symbols = place(&[vec![0; 24], functions.iter().flat_map(symbol).collect()].concat());
    let relocation = |at: u64| words(&[TABLE + 8 * at, (at + 1) << 32 | processor.relocation, 0]);
    let relocations = place(
        &(0..FUNCTIONS.len() as u64)
            .flat_map(relocation)
            .collect::<Vec<u8>>(),
    );
    let code = place(&(processor.code)(deed.steps()));
    // NEEDED, STRTAB, SYMTAB, STRSZ, SYMENT, RELA, RELASZ, RELAENT, and the end.
    let mut dynamic: Vec<u64> = libraries.iter().flat_map(|library| [1, *library]).collect();
    dynamic.extend([
        5,
        strings.0,
        6,
        symbols.0,
        10,
        strings.1,
        11,
        24,
        7,
        relocations.0,
        8,
        relocations.1,
        9,
        24,
        0,
        0,
    ]);
    let dynamic = words(&dynamic);
    let data = (DYNAMIC - DATA) + dynamic.len() as u64;
    let mut file = header(processor, code.0);
    let length = text.len() as u64;
    // INTERP, LOAD (read, execute), LOAD (read, write), DYNAMIC, GNU_STACK.
    file.extend(segment(3, 4, loader.0 - BASE, loader.0, loader.1, 1));
    file.extend(segment(1, 5, 0, BASE, length, PAGE));
    file.extend(segment(1, 6, PAGE, DATA, data, PAGE));
    file.extend(segment(
        2,
        6,
        PAGE + (DYNAMIC - DATA),
        DYNAMIC,
        dynamic.len() as u64,
        8,
    ));
    file.extend(segment(0x6474_e551, 6, 0, 0, 0, 16));
    file.extend_from_slice(&text[HEADERS..]);
    file.resize((PAGE + DYNAMIC - DATA) as usize, 0);
    file.extend(dynamic);
    file
}

fn words(all: &[u64]) -> Vec<u8> {
    all.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The ELF header: 64 bits, little-endian, an executable.
fn header(processor: &Processor, entry: u64) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend(
        [2u16, processor.number]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    out.extend(1u32.to_le_bytes());
    out.extend(words(&[entry, 64, 0]));
    out.extend(0u32.to_le_bytes());
    out.extend(
        [64u16, 56, 5, 64, 0, 0]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    out
}

fn segment(kind: u32, flags: u32, offset: u64, address: u64, size: u64, align: u64) -> Vec<u8> {
    let mut out = [kind, flags]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect::<Vec<u8>>();
    out.extend(words(&[offset, address, address, size, size, align]));
    out
}

/// What is kept stays in `rbx`. At its start a program's stack is aligned as calls need it.
fn x86_64(steps: &[Step]) -> Vec<u8> {
    let mut code = Vec::new();
    let call = |function: Function, code: &mut Vec<u8>| {
        // call [absolute]: FF /2 with a SIB byte that names no register.
        code.extend([0xff, 0x14, 0x25]);
        code.extend((address(function) as u32).to_le_bytes());
    };
    for step in steps {
        match *step {
            Step::Call(function, number) => {
                code.push(0xbf);
                code.extend(number.to_le_bytes());
                call(function, &mut code);
            }
            Step::CallKept(function) => {
                code.extend([0x48, 0x89, 0xdf]);
                call(function, &mut code);
            }
            Step::CallMutex(function) => {
                code.push(0xbf);
                code.extend((MUTEX as u32).to_le_bytes());
                call(function, &mut code);
            }
            Step::Keep => code.extend([0x48, 0x89, 0xc3]),
            Step::Read(at) => {
                code.extend([0x8a, 0x83]);
                code.extend(at.to_le_bytes());
            }
            // xor of rbx, rax, rcx, rdx, rsi, rdi, r8 to r11.
            Step::Forget => code.extend([
                0x31, 0xdb, 0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x31, 0xf6, 0x31, 0xff, 0x45, 0x31,
                0xc0, 0x45, 0x31, 0xc9, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xdb,
            ]),
        }
    }
    code
}

/// What is kept stays in `x19`, addresses are made in `x16`.
fn aarch64(steps: &[Step]) -> Vec<u8> {
    let mut code: Vec<u32> = Vec::new();
    // movz and movk: the two halves of a number.
    let set = |register: u32, number: u32, code: &mut Vec<u32>| {
        code.push(0xd280_0000 | (number & 0xffff) << 5 | register);
        code.push(0xf2a0_0000 | (number >> 16) << 5 | register);
    };
    let call = |function: Function, code: &mut Vec<u32>| {
        set(16, address(function) as u32, code);
        // ldr x16, [x16]; blr x16
        code.extend([0xf940_0210, 0xd63f_0200]);
    };
    for step in steps {
        match *step {
            Step::Call(function, number) => {
                set(0, number, &mut code);
                call(function, &mut code);
            }
            Step::CallKept(function) => {
                code.push(0xaa13_03e0);
                call(function, &mut code);
            }
            Step::CallMutex(function) => {
                set(0, MUTEX as u32, &mut code);
                call(function, &mut code);
            }
            Step::Keep => code.push(0xaa00_03f3),
            Step::Read(at) => {
                set(1, at, &mut code);
                // ldrb w0, [x19, x1]
                code.push(0x3861_6a60);
            }
            // mov xN, xzr
            Step::Forget => code.extend((0..18).chain([19]).map(|register| 0xaa1f_03e0 | register)),
        }
    }
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn address(function: Function) -> u64 {
    TABLE + 8 * function as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEEDS: [Deed; 4] = [
        Deed::LeakAndRead,
        Deed::Unlock,
        Deed::FreeTwice,
        Deed::ReadFreed,
    ];

    #[test]
    fn every_processor_has_instructions_for_every_deed() {
        for processor in [X86_64, AARCH64] {
            for deed in DEEDS {
                let (loader, libraries) = processor.systems[0];
                let file = link(&processor, deed, loader, libraries);
                assert!(file.starts_with(b"\x7fELF") && file.len() < 2 * PAGE as usize);
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_ends_well_where_nobody_looks() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        for deed in [Deed::LeakAndRead, Deed::Unlock, Deed::ReadFreed] {
            let Some(file) = build(deed) else { return };
            let path = dir.path().join(format!("{deed:?}"));
            std::fs::write(&path, file).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            let status = std::process::Command::new(&path).status().unwrap();
            assert!(status.success(), "{deed:?}: {status}");
        }
    }
}
