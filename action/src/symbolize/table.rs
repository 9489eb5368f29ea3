//! The symbol table of a module: the names of functions where debug information has none, and the
//! names by which linkers know them.
//!
//! Which symbol means an address follows llvm-symbolizer (`SymbolizableObjectFile.cpp`), by which
//! the sanitizers name frames.

use object::elf::{
    SHF_ALLOC, STB_LOCAL, STT_FILE, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, STT_OBJECT,
};
use object::{
    Object, ObjectSection, ObjectSymbol, ObjectSymbolTable, SectionFlags, SymbolFlags, SymbolIndex,
};

use super::file::Elf;

/// Symbols in the order of their addresses, and the files that local ones stand behind.
pub(super) struct Table {
    symbols: Vec<Entry>,
    /// The indices of the symbols that name a file, ascending.
    files: Vec<usize>,
    is_dynamic: bool,
}

struct Entry {
    address: u64,
    /// In bytes; 0 where the symbol does not tell.
    size: u64,
    index: usize,
    is_local: bool,
}

/// So many marks of an assembler may lie between an address and the function it is in.
const MAX_MARKS: usize = 64;

impl Table {
    /// Reads the symbol table, or the dynamic one of a module that was stripped.
    pub(super) fn of(module: &Elf<'_>) -> Self {
        let is_dynamic = module.symbols().next().is_none();
        let is_loaded = |flags| matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(SHF_ALLOC));
        let loaded: Vec<_> = module
            .sections()
            .filter(|s| is_loaded(s.flags()))
            .map(|s| s.index().0)
            .collect();
        let mut table = Self {
            symbols: Vec::new(),
            files: Vec::new(),
            is_dynamic,
        };
        for symbol in if is_dynamic {
            module.dynamic_symbols()
        } else {
            module.symbols()
        } {
            let (SymbolFlags::Elf { st_info, .. }, index) = (symbol.flags(), symbol.index().0)
            else {
                continue;
            };
            match st_info.st_type() {
                STT_FILE => table.files.push(index),
                STT_NOTYPE | STT_FUNC | STT_OBJECT | STT_GNU_IFUNC
                    if symbol
                        .section_index()
                        .is_some_and(|at| loaded.binary_search(&at.0).is_ok()) =>
                {
                    let is_local = st_info.st_bind() == STB_LOCAL;
                    table.symbols.push(Entry {
                        address: symbol.address(),
                        size: symbol.size(),
                        index,
                        is_local,
                    });
                }
                _ => {}
            }
        }
        // Of several at one address the largest counts, and of equally large ones the last.
        table
            .symbols
            .sort_by_key(|entry| (entry.address, entry.size));
        table.symbols.reverse();
        table.symbols.dedup_by_key(|entry| entry.address);
        table.symbols.reverse();
        table
    }

    /// True for the symbols that a dynamic linker needs, which are few.
    pub(super) fn is_dynamic(&self) -> bool {
        self.is_dynamic
    }

    /// The name at an address, and the file that a local symbol belongs to. Names are read only
    /// when they are asked for.
    pub(super) fn at(&self, module: &Elf<'_>, address: u64) -> Option<(String, Option<String>)> {
        let behind = self
            .symbols
            .partition_point(|entry| entry.address <= address);
        for entry in self.symbols[..behind].iter().rev().take(MAX_MARKS) {
            let name = self.name(module, entry.index)?;
            if name.starts_with('$') && entry.size == 0 {
                // `$x` and `$d` of ARM tell code from data.
                continue;
            }
            if entry.size > 0 && address - entry.address >= entry.size {
                return None;
            }
            let before = self
                .files
                .partition_point(|at| *at < entry.index)
                .checked_sub(1);
            let file = before
                .filter(|_| entry.is_local)
                .and_then(|at| self.name(module, self.files[at]));
            return Some((name, file));
        }
        None
    }

    fn name(&self, module: &Elf<'_>, index: usize) -> Option<String> {
        let table = if self.is_dynamic {
            module.dynamic_symbol_table()
        } else {
            module.symbol_table()
        };
        let symbol = table?.symbol_by_index(SymbolIndex(index)).ok()?;
        let name = symbol.name().ok()?;
        (!name.is_empty()).then(|| name.to_owned())
    }
}
