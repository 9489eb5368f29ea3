//! Links the program: an ELF file with its headers, its tables and its instructions.

use super::assemble::{
    BASE, DATA, DYNAMIC, FUNCTIONS, Operation, PAGE, TABLE, assemble_aarch64, assemble_x86_64,
};

/// A processor that programs can be built for.
pub(super) struct Processor {
    /// `e_machine` in ELF.
    machine: u16,
    /// The relocation type for addresses of functions.
    relocation: u64,
    /// Assembles the operations.
    assemble: fn(&[Operation]) -> Vec<u8>,
    /// Loader and C libraries, for glibc and musl.
    pub(super) systems: &'static [(&'static str, &'static [&'static str])],
}

pub(super) const X86_64: Processor = Processor {
    machine: 62,
    relocation: 6,
    assemble: assemble_x86_64,
    systems: &[
        (
            "/lib64/ld-linux-x86-64.so.2",
            &["libc.so.6", "libpthread.so.0"],
        ),
        ("/lib/ld-musl-x86_64.so.1", &["libc.so"]),
    ],
};

pub(super) const AARCH64: Processor = Processor {
    machine: 183,
    relocation: 1025,
    assemble: assemble_aarch64,
    systems: &[
        (
            "/lib/ld-linux-aarch64.so.1",
            &["libc.so.6", "libpthread.so.0"],
        ),
        ("/lib/ld-musl-aarch64.so.1", &["libc.so"]),
    ],
};

/// Size of the ELF header and five program headers, in bytes.
const HEADERS: usize = 64 + 5 * 56;

/// Address of a section in memory, and its size in bytes.
#[derive(Clone, Copy)]
struct Section {
    address: u64,
    size: u64,
}

/// The first page: space for the headers, then sections.
struct Text(Vec<u8>);

impl Text {
    fn new() -> Self {
        Self(vec![0; HEADERS])
    }

    /// Appends a section, aligned to 16 bytes.
    fn append(&mut self, bytes: &[u8]) -> Section {
        self.0.resize(self.0.len().next_multiple_of(16), 0);
        let address = BASE + self.0.len() as u64;
        self.0.extend_from_slice(bytes);
        Section {
            address,
            size: bytes.len() as u64,
        }
    }
}

/// An ELF string table.
struct Strings(Vec<u8>);

impl Strings {
    /// Appends a string and returns its offset.
    fn add(&mut self, text: &str) -> u64 {
        let at = self.0.len() as u64;
        self.0.extend(text.bytes().chain([0]));
        at
    }
}

/// Returns the ELF file of a program.
pub(super) fn link(
    processor: &Processor,
    operations: &[Operation],
    loader: &str,
    libraries: &[&str],
) -> Vec<u8> {
    let mut strings = Strings(vec![0]);
    let libraries: Vec<u64> = libraries
        .iter()
        .map(|library| strings.add(library))
        .collect();
    let functions = FUNCTIONS.map(|function| strings.add(function));
    let mut text = Text::new();
    let loader = text.append(&[loader.as_bytes(), &[0]].concat());
    let strings = text.append(&strings.0);
    let symbols = text.append(&symbol_table(&functions));
    let relocations = text.append(&relocation_table(processor));
    let code = text.append(&(processor.assemble)(operations));
    let dynamic = dynamic_section(&libraries, strings, symbols, relocations);

    let mut file = header(processor, code.address);
    file.extend(program_headers(
        loader,
        text.0.len() as u64,
        dynamic.len() as u64,
    ));
    file.extend_from_slice(&text.0[HEADERS..]);
    file.resize((PAGE + DYNAMIC - DATA) as usize, 0);
    file.extend(dynamic);
    file
}

/// Returns the symbol table: the null symbol, then the functions by the offsets of their names.
fn symbol_table(functions: &[u64]) -> Vec<u8> {
    // An undefined function with global binding: name, 0x12, 0, section 0, address 0, size 0.
    let symbol = |name: &u64| {
        [
            &(*name as u32).to_le_bytes()[..],
            &[0x12, 0, 0, 0],
            &[0; 16],
        ]
        .concat()
    };
    [vec![0; 24], functions.iter().flat_map(symbol).collect()].concat()
}

/// Returns the relocations that fill in the table of addresses.
fn relocation_table(processor: &Processor) -> Vec<u8> {
    let relocation =
        |at: u64| words_to_bytes(&[TABLE + 8 * at, (at + 1) << 32 | processor.relocation, 0]);
    (0..FUNCTIONS.len() as u64).flat_map(relocation).collect()
}

/// Returns the dynamic section, which the loader reads: pairs of a tag and a value.
fn dynamic_section(
    libraries: &[u64],
    strings: Section,
    symbols: Section,
    relocations: Section,
) -> Vec<u8> {
    const NEEDED: u64 = 1;
    const STRTAB: u64 = 5;
    const SYMTAB: u64 = 6;
    const RELA: u64 = 7;
    const RELASZ: u64 = 8;
    const RELAENT: u64 = 9;
    const STRSZ: u64 = 10;
    const SYMENT: u64 = 11;
    const END: u64 = 0;
    let mut dynamic: Vec<u64> = libraries
        .iter()
        .flat_map(|library| [NEEDED, *library])
        .collect();
    dynamic.extend([STRTAB, strings.address, SYMTAB, symbols.address]);
    dynamic.extend([STRSZ, strings.size, SYMENT, 24]);
    dynamic.extend([
        RELA,
        relocations.address,
        RELASZ,
        relocations.size,
        RELAENT,
        24,
    ]);
    dynamic.extend([END, 0]);
    words_to_bytes(&dynamic)
}

/// Returns the program headers. Both sizes are in bytes.
fn program_headers(loader: Section, text_size: u64, dynamic_size: u64) -> Vec<u8> {
    let data_offset = PAGE + (DYNAMIC - DATA);
    let data_size = (DYNAMIC - DATA) + dynamic_size;
    // INTERP, LOAD (read, execute), LOAD (read, write), DYNAMIC, GNU_STACK.
    [
        segment(3, 4, loader.address - BASE, loader.address, loader.size, 1),
        segment(1, 5, 0, BASE, text_size, PAGE),
        segment(1, 6, PAGE, DATA, data_size, PAGE),
        segment(2, 6, data_offset, DYNAMIC, dynamic_size, 8),
        segment(0x6474_e551, 6, 0, 0, 0, 16),
    ]
    .concat()
}

/// Returns the little-endian bytes of 64-bit words.
fn words_to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Returns the ELF header of a 64-bit little-endian executable.
fn header(processor: &Processor, entry: u64) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend(
        [2u16, processor.machine]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    out.extend(1u32.to_le_bytes());
    out.extend(words_to_bytes(&[entry, 64, 0]));
    out.extend(0u32.to_le_bytes());
    out.extend(
        [64u16, 56, 5, 64, 0, 0]
            .iter()
            .flat_map(|half| half.to_le_bytes()),
    );
    out
}

/// Returns a program header.
fn segment(kind: u32, flags: u32, offset: u64, address: u64, size: u64, align: u64) -> Vec<u8> {
    let mut out = [kind, flags]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect::<Vec<u8>>();
    out.extend(words_to_bytes(&[
        offset, address, address, size, size, align,
    ]));
    out
}
