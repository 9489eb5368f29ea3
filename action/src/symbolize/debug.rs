//! Debug information of one module: functions, inlined ones among them, with file, line and column.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::{Context, Frame, LookupContinuation, LookupResult, SplitDwarfLoad};
use gimli::{Dwarf, DwarfPackage, SectionId};
use leakgate_core::Function;
use object::Object;

use super::file::{Elf, Slice, Store};
use super::find::Places;
use super::module::with_id;
use super::notes::Trouble;

/// So many functions are read at one address.
const MAX_INLINED: usize = 256;

/// What addr2line looks addresses up in.
pub(super) struct Debug<'a> {
    context: Context<Slice<'a>>,
    /// The parts that a compiler has split off, joined into one file beside the module.
    package: Option<DwarfPackage<Slice<'a>>>,
}

impl<'a> Debug<'a> {
    /// True for a file that holds debug information.
    pub(super) fn is_in(elf: &Elf<'_>) -> bool {
        elf.section_by_name(".debug_info").is_some()
    }

    /// Reads the debug information of a file; `module` is the one that it is about.
    pub(super) fn of(
        store: &'a Store,
        places: &Places,
        elf: &Elf<'a>,
        path: &Path,
        module: &Path,
    ) -> Result<Self, Trouble> {
        let mut dwarf = Dwarf::load(|id| store.section(elf, id.name()))?;
        if let Ok(Some((shared, id))) = elf.gnu_debugaltlink() {
            let found = places
                .shared(path, shared, id)
                .iter()
                .find_map(|path| with_id(store, path, id));
            if let Some(shared) = found {
                dwarf.load_sup(|id| store.section(&shared, id.name()))?;
            }
        }
        let context = Context::from_dwarf(dwarf).map_err(|_| Trouble::Broken)?;
        Ok(Self {
            context,
            package: package(store, module),
        })
    }

    /// The functions at an address, innermost first. What is broken is left out.
    pub(super) fn at(&self, store: &'a Store, address: u64) -> Vec<Function> {
        let mut found = self.context.find_frames(address);
        let frames = loop {
            match found {
                LookupResult::Output(frames) => break frames,
                LookupResult::Load { load, continuation } => {
                    found = continuation.resume(self.split_off(store, &load))
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

    /// A part that the compiler has split off: from the package, or from the file that it was
    /// written to. Its own number tells that it is the one.
    fn split_off(
        &self,
        store: &'a Store,
        load: &SplitDwarfLoad<Slice<'a>>,
    ) -> Option<Arc<Dwarf<Slice<'a>>>> {
        let packed = self
            .package
            .as_ref()
            .and_then(|package| package.find_cu(load.dwo_id, &load.parent).ok()?);
        if packed.is_some() {
            return packed.map(Arc::new);
        }
        let text = |slice: &Option<Slice<'a>>| {
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
        let is_meant = dwarf.unit(header).ok()?.dwo_id == Some(load.dwo_id);
        dwarf.make_dwo(&load.parent);
        is_meant.then(|| Arc::new(dwarf))
    }
}

/// `app.dwp` beside `app`.
fn package<'a>(store: &'a Store, module: &Path) -> Option<DwarfPackage<Slice<'a>>> {
    let mut path = module.as_os_str().to_owned();
    path.push(".dwp");
    let (elf, _) = store.elf(&PathBuf::from(path)).ok()?;
    let empty = store.section(&elf, "").ok()?;
    let load = |id| split_section(store, &elf, id).map_err(|_| gimli::Error::Io);
    DwarfPackage::load(load, empty).ok()
}

fn split_section<'a>(store: &'a Store, elf: &Elf<'a>, id: SectionId) -> Result<Slice<'a>, Trouble> {
    store.section(elf, id.dwo_name().unwrap_or_default())
}

fn function(frame: &Frame<'_, Slice<'_>>) -> Function {
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
