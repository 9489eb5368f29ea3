//! Debug information of one module: functions, including inlined ones, with file, line and column.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::{Context, Frame, LookupContinuation, LookupResult, SplitDwarfLoad};
use gimli::{Dwarf, DwarfPackage, SectionId};
use leakgate_core::symbolize::Function;
use object::Object;

use super::file::{Elf, Section, Store};
use super::find::SearchPaths;
use super::module::open_with_build_id;
use super::notes::LoadError;

/// Maximum number of functions at one address.
const MAX_INLINED: usize = 256;

/// Debug information that addr2line can look up addresses in.
pub(super) struct Debug<'a> {
    context: Context<Section<'a>>,
    /// Split DWARF units in a package file (`.dwp`) next to the module.
    package: Option<DwarfPackage<Section<'a>>>,
}

impl<'a> Debug<'a> {
    /// Returns true if a file contains debug information.
    pub(super) fn exists_in(elf: &Elf<'_>) -> bool {
        elf.section_by_name(".debug_info").is_some()
    }

    /// Reads the debug information in a file. `module` is the path of the module that it describes.
    pub(super) fn load(
        store: &'a Store,
        search_paths: &SearchPaths,
        elf: &Elf<'a>,
        path: &Path,
        module: &Path,
    ) -> Result<Self, LoadError> {
        let mut dwarf = Dwarf::load(|id| store.section(elf, id.name()))?;
        if let Ok(Some((shared, id))) = elf.gnu_debugaltlink() {
            let found = search_paths
                .supplementary_files(path, shared, id)
                .iter()
                .find_map(|path| open_with_build_id(store, path, id));
            if let Some(shared) = found {
                dwarf.load_sup(|id| store.section(&shared, id.name()))?;
            }
        }
        let context = Context::from_dwarf(dwarf).map_err(|_| LoadError::Corrupt)?;
        Ok(Self {
            context,
            package: load_package(store, module),
        })
    }

    /// Returns the functions at an address, innermost first. Skips corrupt entries.
    pub(super) fn functions_at(&self, store: &'a Store, address: u64) -> Vec<Function> {
        let mut found = self.context.find_frames(address);
        let frames = loop {
            match found {
                LookupResult::Output(frames) => break frames,
                LookupResult::Load { load, continuation } => {
                    found = continuation.resume(self.load_split_unit(store, &load))
                }
            }
        };
        let mut all = Vec::new();
        let Ok(mut frames) = frames else { return all };
        while let Ok(Some(frame)) = frames.next() {
            all.push(function(&frame));
            if all.len() == MAX_INLINED {
                break;
            }
        }
        all
    }

    /// Loads a split DWARF unit from the package, or from its `.dwo` file. The DWO id must match.
    fn load_split_unit(
        &self,
        store: &'a Store,
        load: &SplitDwarfLoad<Section<'a>>,
    ) -> Option<Arc<Dwarf<Section<'a>>>> {
        let packed = self
            .package
            .as_ref()
            .and_then(|package| package.find_cu(load.dwo_id, &load.parent).ok()?);
        if packed.is_some() {
            return packed.map(Arc::new);
        }
        let text = |slice: &Option<Section<'a>>| {
            slice
                .as_ref()
                .and_then(|slice| slice.to_string().ok().map(str::to_owned))
        };
        let folder = text(&load.comp_dir).unwrap_or_default();
        let (elf, _) = store
            .elf(&Path::new(&folder).join(text(&load.path)?))
            .ok()?;
        let mut dwarf = Dwarf::load(|id| split_section(store, &elf, id)).ok()?;
        let header = dwarf.units().next().ok()??;
        let has_same_id = dwarf.unit(header).ok()?.dwo_id == Some(load.dwo_id);
        dwarf.make_dwo(&load.parent);
        has_same_id.then(|| Arc::new(dwarf))
    }
}

/// Loads the package file of a module, such as `app.dwp` for `app`.
fn load_package<'a>(store: &'a Store, module: &Path) -> Option<DwarfPackage<Section<'a>>> {
    let mut path = module.as_os_str().to_owned();
    path.push(".dwp");
    let (elf, _) = store.elf(&PathBuf::from(path)).ok()?;
    let empty = store.section(&elf, "").ok()?;
    let load = |id| split_section(store, &elf, id).map_err(|_| gimli::Error::Io);
    DwarfPackage::load(load, empty).ok()
}

fn split_section<'a>(
    store: &'a Store,
    elf: &Elf<'a>,
    id: SectionId,
) -> Result<Section<'a>, LoadError> {
    store.section(elf, id.dwo_name().unwrap_or_default())
}

fn function(frame: &Frame<'_, Section<'_>>) -> Function {
    let name = frame
        .function
        .as_ref()
        .and_then(|name| name.raw_name().ok())
        .map(|name| name.into_owned());
    let place = frame.location.as_ref();
    Function {
        name: name.filter(|name| !name.is_empty()),
        file: place.and_then(|place| place.file).map(str::to_owned),
        line: place.and_then(|place| place.line),
        column: place.and_then(|place| place.column),
    }
}
