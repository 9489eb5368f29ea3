//! The symbol table of a module: linkage names of functions, which also serve as names without
//! debug information.
//!
//! The choice of the symbol for an address follows llvm-symbolizer (`SymbolizableObjectFile.cpp`),
//! which the sanitizers use.

use object::elf::{
    SHF_ALLOC, STB_LOCAL, STT_FILE, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, STT_OBJECT,
};
use object::{
    Object, ObjectSection, ObjectSymbol, ObjectSymbolTable, SectionFlags, SymbolFlags, SymbolIndex,
};

use super::file::Elf;

/// Symbols sorted by address, and the file symbols that precede local symbols.
pub(super) struct Table {
    symbols: Vec<Symbol>,
    /// Indices of file symbols, ascending.
    files: Vec<usize>,
    is_dynamic: bool,
}

struct Symbol {
    address: u64,
    /// Size in bytes; 0 if unknown.
    size: u64,
    index: usize,
    is_local: bool,
}

/// Maximum number of mapping symbols to skip between an address and its function.
const MAX_MAPPING_SYMBOLS: usize = 64;

/// Returns true if a section is loaded into memory at run time.
fn is_loaded(flags: SectionFlags) -> bool {
    match flags {
        SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(SHF_ALLOC),
        _ => false,
    }
}

impl Table {
    /// Reads the symbol table, or the dynamic symbols if the module was stripped.
    pub(super) fn new(module: &Elf<'_>) -> Self {
        let is_dynamic = module.symbols().next().is_none();
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
                    table.symbols.push(Symbol {
                        address: symbol.address(),
                        size: symbol.size(),
                        index,
                        is_local,
                    });
                }
                _ => {}
            }
        }
        // Of several symbols at one address, keep the largest, and the last of equally large ones.
        table
            .symbols
            .sort_by_key(|symbol| (symbol.address, symbol.size));
        table.symbols.reverse();
        table.symbols.dedup_by_key(|symbol| symbol.address);
        table.symbols.reverse();
        table
    }

    /// Returns true if the table has only dynamic symbols.
    pub(super) fn is_dynamic(&self) -> bool {
        self.is_dynamic
    }

    /// Returns the name of the symbol at an address and, for a local symbol, its file. Reads names
    /// on demand.
    pub(super) fn symbol_at(
        &self,
        module: &Elf<'_>,
        address: u64,
    ) -> Option<(String, Option<String>)> {
        let end = self
            .symbols
            .partition_point(|symbol| symbol.address <= address);
        for symbol in self.symbols[..end].iter().rev().take(MAX_MAPPING_SYMBOLS) {
            let name = self.name(module, symbol.index)?;
            if name.starts_with('$') && symbol.size == 0 {
                // The mapping symbols `$x` and `$d` of ARM distinguish code from data.
                continue;
            }
            if symbol.size > 0 && address - symbol.address >= symbol.size {
                return None;
            }
            let preceding = self
                .files
                .partition_point(|at| *at < symbol.index)
                .checked_sub(1);
            let file = preceding
                .filter(|_| symbol.is_local)
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
