//! One module: whether it is the file that ran, and the functions at its addresses.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use leakgate_core::Function;
use object::Object;

use super::Trust;
use super::debug::Debug;
use super::file::{self, Elf, Store};
use super::find::Places;
use super::notes::Trouble;
use super::table::Table;

/// A file that was recognised, with its debug information.
pub(super) struct Module<'a> {
    elf: Elf<'a>,
    table: Table,
    debug: Option<Debug<'a>>,
    /// The symbol table of a separate file, for what the module's own does not hold.
    separate: Option<(Elf<'a>, Table)>,
    trouble: Option<Trouble>,
}

impl<'a> Module<'a> {
    /// Finds the module that a log names. Nothing is read of a file that is not the one.
    pub(super) fn find(
        store: &'a Store,
        places: &Places,
        trust: Trust,
        name: &str,
        build_id: Option<&str>,
    ) -> Result<Self, Trouble> {
        if build_id.is_none() && matches!(trust, Trust::BuildId) {
            return Err(Trouble::NoBuildId);
        }
        let mut first = None;
        for path in places.of_module(name) {
            match Self::open(store, places, trust, &path, build_id) {
                Ok(module) => return Ok(module),
                Err(Trouble::Missing) => {}
                Err(trouble) => first = first.or(Some(trouble)),
            }
            if build_id.is_none() && first.is_some() {
                // Without a build id the first file of that name is meant, and no other.
                break;
            }
        }
        Err(first.unwrap_or(Trouble::Missing))
    }

    fn open(
        store: &'a Store,
        places: &Places,
        trust: Trust,
        path: &Path,
        build_id: Option<&str>,
    ) -> Result<Self, Trouble> {
        let (elf, changed) = store.elf(path)?;
        recognise(&elf, changed, trust, build_id)?;
        let table = Table::of(&elf);
        let separate = if Debug::is_in(&elf) {
            None
        } else {
            separate(store, places, &elf, path)
        };
        let (holder, held_in) = separate
            .as_ref()
            .map_or((&elf, path), |(other, found)| (other, found.as_path()));
        let debug = Debug::is_in(holder)
            .then(|| Debug::of(store, places, holder, held_in, path))
            .transpose();
        let (debug, trouble) = debug.map_or_else(|why| (None, Some(why)), |debug| (debug, None));
        let separate = separate.map(|(other, _)| {
            let table = Table::of(&other);
            (other, table)
        });
        Ok(Self {
            elf,
            table,
            debug,
            separate,
            trouble,
        })
    }

    /// Why its debug information can't be read. The symbol table gives names still.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.clone()
    }

    /// True where nothing is left but what a dynamic linker needs.
    pub(super) fn is_bare(&self) -> bool {
        self.table.is_dynamic() && self.debug.is_none() && self.separate.is_none()
    }

    /// The functions at an address, innermost first.
    ///
    /// The outermost one is called as its symbol is, for which compilers write another name into
    /// debug information (`f` for `f.part.0`): so does llvm-symbolizer, and with it the
    /// sanitizers.
    pub(super) fn at(&self, store: &'a Store, address: u64) -> Vec<Function> {
        let mut all = self
            .debug
            .as_ref()
            .map(|debug| debug.at(store, address))
            .unwrap_or_default();
        let named = self.table.at(&self.elf, address).or_else(|| {
            let is_open = all.last().is_none_or(|function| function.name.is_none());
            let (elf, table) = self.separate.as_ref().filter(|_| is_open)?;
            table.at(elf, address)
        });
        let Some((name, file)) = named else {
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

/// Whether a file is the one that ran.
fn recognise(
    elf: &Elf<'_>,
    changed: Option<SystemTime>,
    trust: Trust,
    build_id: Option<&str>,
) -> Result<(), Trouble> {
    match (build_id, trust) {
        (Some(wanted), _) if has_id(elf, wanted) => Ok(()),
        (Some(_), _) => Err(Trouble::OtherBuild),
        (None, Trust::BuildId) => Err(Trouble::NoBuildId),
        (None, Trust::Unchanged(moment)) if changed.is_some_and(|changed| changed < moment) => {
            Ok(())
        }
        (None, Trust::Unchanged(_)) => Err(Trouble::Changed),
    }
}

fn has_id(elf: &Elf<'_>, wanted: &str) -> bool {
    let Ok(Some(id)) = elf.build_id() else {
        return false;
    };
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    !id.is_empty() && digits.eq_ignore_ascii_case(wanted)
}

/// The separate file with a module's debug information: one with its build id, or else one with the
/// name and the checksum that the module tells.
fn separate<'a>(
    store: &'a Store,
    places: &Places,
    module: &Elf<'a>,
    path: &Path,
) -> Option<(Elf<'a>, PathBuf)> {
    let id = module.build_id().ok().flatten();
    if let Some(id) = id {
        let same = |path: &PathBuf| with_id(store, path, id).map(|elf| (elf, path.clone()));
        if let Some(found) = places.by_build_id(id).iter().find_map(same) {
            return Some(found);
        }
    }
    let (name, sum) = module.gnu_debuglink().ok()??;
    places.by_link(path, name).into_iter().find_map(|path| {
        if file::checksum(&path).ok()? != sum {
            return None;
        }
        let (elf, _) = store.elf(&path).ok()?;
        let other = elf.build_id().ok().flatten();
        (id.is_none() || other.is_none() || id == other).then_some((elf, path))
    })
}

/// The ELF file at a path, if it has this build id.
pub(super) fn with_id<'a>(store: &'a Store, path: &Path, id: &[u8]) -> Option<Elf<'a>> {
    let (elf, _) = store.elf(path).ok()?;
    (elf.build_id().ok()?? == id).then_some(elf)
}
