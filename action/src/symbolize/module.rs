//! One module: verifies that it is the file that ran, and looks up functions by address.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use leakgate_core::symbolize::Function;
use object::Object;

use super::Trust;
use super::debug::Debug;
use super::file::{self, Elf, Store};
use super::find::SearchPaths;
use super::notes::LoadError;
use super::table::Table;

/// A verified module with its debug information.
pub(super) struct Module<'a> {
    elf: Elf<'a>,
    table: Table,
    debug: Option<Debug<'a>>,
    /// The separate debug file and its symbol table, for symbols that the module lacks.
    separate: Option<(Elf<'a>, Table)>,
    /// Why the debug information can't be read.
    debug_error: Option<LoadError>,
}

impl<'a> Module<'a> {
    /// Finds the module that a log names. Reads no symbols from other files.
    pub(super) fn find(
        store: &'a Store,
        search_paths: &SearchPaths,
        trust: Trust,
        name: &str,
        build_id: Option<&str>,
    ) -> Result<Self, LoadError> {
        if build_id.is_none() && matches!(trust, Trust::BuildId) {
            return Err(LoadError::NoBuildId);
        }
        let mut first_error = None;
        for path in search_paths.modules(name) {
            match Self::open(store, search_paths, trust, &path, build_id) {
                Ok(module) => return Ok(module),
                Err(LoadError::Missing) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
            if build_id.is_none() && first_error.is_some() {
                // Without a build id, only the first existing file counts.
                break;
            }
        }
        Err(first_error.unwrap_or(LoadError::Missing))
    }

    fn open(
        store: &'a Store,
        search_paths: &SearchPaths,
        trust: Trust,
        path: &Path,
        build_id: Option<&str>,
    ) -> Result<Self, LoadError> {
        let (elf, modified) = store.elf(path)?;
        verify(&elf, modified, trust, build_id)?;
        let table = Table::new(&elf);
        let separate = if Debug::exists_in(&elf) {
            None
        } else {
            find_debug_file(store, search_paths, &elf, path)
        };
        let (debug_elf, debug_path) = separate
            .as_ref()
            .map_or((&elf, path), |(other, found)| (other, found.as_path()));
        let debug = Debug::exists_in(debug_elf)
            .then(|| Debug::load(store, search_paths, debug_elf, debug_path, path))
            .transpose();
        let (debug, debug_error) = match debug {
            Ok(debug) => (debug, None),
            Err(error) => (None, Some(error)),
        };
        let separate = separate.map(|(other, _)| {
            let table = Table::new(&other);
            (other, table)
        });
        Ok(Self {
            elf,
            table,
            debug,
            separate,
            debug_error,
        })
    }

    /// Returns the reason why the debug information can't be read. The symbol table is still used.
    pub(super) fn debug_error(&self) -> Option<LoadError> {
        self.debug_error.clone()
    }

    /// Returns true if only dynamic symbols are available.
    pub(super) fn is_stripped(&self) -> bool {
        self.table.is_dynamic() && self.debug.is_none() && self.separate.is_none()
    }

    /// Returns the functions at an address, innermost first.
    ///
    /// The outermost function gets the name of its symbol, as in llvm-symbolizer and thus in the
    /// sanitizers. Debug information may have another name (`f` for the symbol `f.part.0`).
    pub(super) fn functions_at(&self, store: &'a Store, address: u64) -> Vec<Function> {
        let mut all = self
            .debug
            .as_ref()
            .map(|debug| debug.functions_at(store, address))
            .unwrap_or_default();
        let symbol = self.table.symbol_at(&self.elf, address).or_else(|| {
            let lacks_name = all.last().is_none_or(|function| function.name.is_none());
            let (elf, table) = self.separate.as_ref().filter(|_| lacks_name)?;
            table.symbol_at(elf, address)
        });
        let Some((name, file)) = symbol else {
            return all;
        };
        if all.is_empty() {
            all.push(Function::default());
        }
        if let Some(outermost) = all.last_mut() {
            outermost.name = Some(name);
            outermost.file = outermost.file.take().or(file);
        }
        all
    }
}

/// Checks that a file is the module that ran.
fn verify(
    elf: &Elf<'_>,
    modified: Option<SystemTime>,
    trust: Trust,
    build_id: Option<&str>,
) -> Result<(), LoadError> {
    match (build_id, trust) {
        (Some(wanted), _) if has_build_id(elf, wanted) => Ok(()),
        (Some(_), _) => Err(LoadError::BuildIdMismatch),
        (None, Trust::BuildId) => Err(LoadError::NoBuildId),
        (None, Trust::UnchangedSince(start)) if modified.is_some_and(|time| time < start) => Ok(()),
        (None, Trust::UnchangedSince(_)) => Err(LoadError::Modified),
    }
}

fn has_build_id(elf: &Elf<'_>, wanted: &str) -> bool {
    let Ok(Some(id)) = elf.build_id() else {
        return false;
    };
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    !id.is_empty() && digits.eq_ignore_ascii_case(wanted)
}

/// Finds the separate debug file of a module: by build id, or else by the name and the checksum in
/// `.gnu_debuglink`.
fn find_debug_file<'a>(
    store: &'a Store,
    search_paths: &SearchPaths,
    module: &Elf<'a>,
    path: &Path,
) -> Option<(Elf<'a>, PathBuf)> {
    let id = module.build_id().ok().flatten();
    if let Some(id) = id {
        let open = |path: PathBuf| Some((open_with_build_id(store, &path, id)?, path));
        if let Some(found) = search_paths.by_build_id(id).into_iter().find_map(open) {
            return Some(found);
        }
    }
    let (name, sum) = module.gnu_debuglink().ok()??;
    search_paths
        .by_link(path, name)
        .into_iter()
        .find_map(|path| {
            if file::checksum(&path).ok()? != sum {
                return None;
            }
            let (elf, _) = store.elf(&path).ok()?;
            let other = elf.build_id().ok().flatten();
            (id.is_none() || other.is_none() || id == other).then_some((elf, path))
        })
}

/// Opens the ELF file at a path if it has this build id.
pub(super) fn open_with_build_id<'a>(store: &'a Store, path: &Path, id: &[u8]) -> Option<Elf<'a>> {
    let (elf, _) = store.elf(path).ok()?;
    (elf.build_id().ok()?? == id).then_some(elf)
}
