//! Simple names and classes of frames, computed once for each distinct frame.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::tables::{self, RowIndex, glibc};
use super::{Class, is_system_library, with_slashes};
use crate::model::{FrameInfo, Text};
use crate::symbol::simple_name;

/// The simple name of a frame's function, and its class according to the tables alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassifiedName {
    pub(crate) name: String,
    pub(crate) class: Class,
    /// The class follows from a file name that a file of the project may have, too.
    pub(super) is_guess: bool,
}

/// The texts on which a frame's class and simple name depend. The frames of a function share them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FrameTexts {
    function: Option<Text>,
    demangled: Option<Text>,
    file: Option<Text>,
    module: Option<Text>,
}

/// A frame with its name. It keeps the frame alive, so that no other frame gets its address.
#[derive(Debug)]
struct Known {
    _frame: Arc<FrameInfo>,
    name: Arc<ClassifiedName>,
}

/// The names of a run's frames, which triage computes and reports use.
#[derive(Debug, Default)]
pub(crate) struct FrameNames {
    by_address: HashMap<usize, Known>,
}

impl FrameNames {
    fn get(&self, info: &FrameInfo) -> Option<&Arc<ClassifiedName>> {
        let known = self.by_address.get(&address(info))?;
        Some(&known.name)
    }

    /// Returns the name of a frame, and adds it if it is new.
    fn name(
        &mut self,
        info: &Arc<FrameInfo>,
        by_texts: &mut HashMap<FrameTexts, Arc<ClassifiedName>>,
        index: &mut Option<RowIndex>,
    ) -> &Arc<ClassifiedName> {
        let known = self.by_address.entry(address(info)).or_insert_with(|| {
            let texts = FrameTexts {
                function: info.function.clone(),
                demangled: info.demangled.clone(),
                file: info.file.clone(),
                module: info.module.clone(),
            };
            let index = index.get_or_insert_with(RowIndex::new);
            let name = by_texts.entry(texts);
            let name = name.or_insert_with(|| Arc::new(classify_by_tables(info, index)));
            Known {
                _frame: Arc::clone(info),
                name: Arc::clone(name),
            }
        });
        &known.name
    }

    /// Returns the simple name of a frame. Empty if it has none.
    pub(crate) fn simple<'a>(&'a self, info: &FrameInfo) -> Cow<'a, str> {
        match self.get(info) {
            Some(known) => Cow::Borrowed(&known.name),
            None => Cow::Owned(info.name().map(simple_name).unwrap_or_default()),
        }
    }

    /// Returns the simple name and the class of a frame according to the tables.
    pub(crate) fn classified<'a>(&'a self, info: &FrameInfo) -> Cow<'a, ClassifiedName> {
        match self.get(info) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(classify_by_tables(info, &mut RowIndex::new())),
        }
    }
}

/// Caches classes and simple names by frame information.
#[derive(Debug, Default)]
pub(crate) struct FrameCache {
    /// Names that were known before.
    shared: Arc<FrameNames>,
    added: FrameNames,
    by_texts: HashMap<FrameTexts, Arc<ClassifiedName>>,
    derived: HashMap<usize, Arc<[String]>>,
    /// Classes according to the workspace, by the address of the name.
    refined: HashMap<usize, Class>,
    /// Lines of fingerprints, by the address of the name.
    lines: HashMap<usize, Arc<str>>,
    index: Option<RowIndex>,
}

impl FrameCache {
    /// Creates a cache that knows the names of a run's frames.
    pub(crate) fn with_names(names: &Arc<FrameNames>) -> Self {
        Self {
            shared: Arc::clone(names),
            ..Self::default()
        }
    }

    /// Returns the names that were added.
    pub(crate) fn into_names(self) -> Arc<FrameNames> {
        Arc::new(self.added)
    }

    /// Returns the simple name and the class of a frame.
    pub(crate) fn get(&mut self, info: &Arc<FrameInfo>) -> &ClassifiedName {
        self.shared_name(info)
    }

    /// Returns a number for the function, file and module of a frame, which is the same for frames
    /// in which all three are equal.
    pub(crate) fn texts_id(&mut self, info: &Arc<FrameInfo>) -> usize {
        Arc::as_ptr(self.shared_name(info)) as usize
    }

    /// Returns the line of a frame in a fingerprint, which depends only on its texts. `compute` is
    /// called once for frames with the same texts.
    pub(crate) fn line(
        &mut self,
        info: &Arc<FrameInfo>,
        compute: impl FnOnce(&str) -> String,
    ) -> Arc<str> {
        let key = self.texts_id(info);
        if let Some(line) = self.lines.get(&key) {
            return Arc::clone(line);
        }
        let line: Arc<str> = compute(&self.get(info).name).into();
        self.lines.insert(key, Arc::clone(&line));
        line
    }

    /// Returns the name of a frame, and its class according to the workspace, which depends only on
    /// its texts. `refine` is called once for frames with the same texts, so the caller always
    /// passes the same workspace.
    pub(super) fn refined(
        &mut self,
        info: &Arc<FrameInfo>,
        refine: impl FnOnce(&ClassifiedName) -> Class,
    ) -> (&ClassifiedName, Class) {
        let known = match self.shared.get(info) {
            Some(known) => known,
            None => self.added.name(info, &mut self.by_texts, &mut self.index),
        };
        let class = self.refined.entry(Arc::as_ptr(known) as usize);
        (known, *class.or_insert_with(|| refine(known)))
    }

    fn shared_name(&mut self, info: &Arc<FrameInfo>) -> &Arc<ClassifiedName> {
        match self.shared.get(info) {
            Some(known) => known,
            None => self.added.name(info, &mut self.by_texts, &mut self.index),
        }
    }

    /// Returns texts that depend only on a frame's simple name. `compute` is called once per frame.
    pub(crate) fn derived(
        &mut self,
        info: &Arc<FrameInfo>,
        compute: impl FnOnce(&str) -> Vec<String>,
    ) -> Arc<[String]> {
        let key = address(info);
        if let Some(texts) = self.derived.get(&key) {
            return Arc::clone(texts);
        }
        let texts: Arc<[String]> = compute(&self.get(info).name).into();
        self.derived.insert(key, Arc::clone(&texts));
        texts
    }
}

/// Returns the address of a frame's information, which equal frames of a log share.
fn address(info: &FrameInfo) -> usize {
    core::ptr::from_ref(info) as usize
}

/// Returns the simple name and the class of a frame according to the tables.
fn classify_by_tables(info: &FrameInfo, index: &mut RowIndex) -> ClassifiedName {
    let name = info.name().map(simple_name).unwrap_or_default();
    let (class, is_guess) = table_class(&name, info, index);
    ClassifiedName {
        class,
        name,
        is_guess,
    }
}

/// Returns the class according to the tables, and whether it follows from a file name that a file
/// of the project may have, too. The workspace may refine [`Class::Own`] and [`Class::Unknown`].
fn table_class(name: &str, info: &FrameInfo, index: &mut RowIndex) -> (Class, bool) {
    let printed = info.function.as_deref().unwrap_or_default();
    let file = with_slashes(info.file.as_deref());
    let module = with_slashes(info.module.as_deref());
    let base = module.rsplit('/').next().unwrap_or_default();
    let names = tables::FrameNames::new(name, printed, &file, base);
    let row = index.first_match(&names, info.file.as_ref());
    let is_glibc = row.is_none() && glibc::is_frame(&names);
    let class = match row {
        Some(row) => row.class,
        None if is_glibc => Class::Runtime,
        None if is_system_library(&file, &module) => Class::ThirdParty,
        None if !file.is_empty() => Class::Own,
        None => Class::Unknown,
    };
    (class, is_glibc && !printed.contains("@GLIBC_"))
}
