//! Whose frame is it: the class of each frame, and the frame to look at.
//!
//! Classes come from tables (see `culprit/tables.rs`), not from code. The built-in classes depend
//! on nothing but the frame, so that fingerprints can use them; only [`class`] also asks the
//! workspace.

mod tables;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::model::{Finding, Site, Stack};
use crate::symbol::simple_name;

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It hands out or takes back memory.
    Allocator,
    /// The runtime of the language, the operating system's, or the checker's own.
    Runtime,
    /// A library of somebody else.
    ThirdParty,
    /// Yours.
    Own,
    /// Nothing tells.
    Unknown,
}

impl Class {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocator => "allocator",
            Self::Runtime => "runtime",
            Self::ThirdParty => "third-party",
            Self::Own => "own",
            Self::Unknown => "unknown",
        }
    }
}

/// The repository that is checked, as far as the core needs to know it.
pub trait Workspace {
    /// True when there is a repository at all; without one, every source path that is no runtime's
    /// may be yours.
    fn is_known(&self) -> bool;

    /// The file of the repository that a path of a log means.
    fn resolve(&self, file: &str) -> Option<String>;

    /// True when a path of a log may mean a file of one's own, though nothing tells which.
    fn may_be_own(&self, file: &str) -> bool {
        self.resolve(file).is_some_and(|file| self.is_own(&file))
    }

    /// True when a file of the repository, by its path there, is one's own: others may have been
    /// copied into it.
    fn is_own(&self, _file: &str) -> bool {
        true
    }
}

/// No repository: paths stay as they are printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWorkspace;

impl Workspace for NoWorkspace {
    fn is_known(&self) -> bool {
        false
    }

    fn resolve(&self, _: &str) -> Option<String> {
        None
    }
}

/// The frame to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Culprit {
    /// Index of the frame in the primary stack; absent when every frame is an allocator's or a
    /// runtime's.
    pub frame: Option<usize>,
    /// True when that frame is yours; false when it is only the first that is nobody's runtime.
    pub own: bool,
}

/// What the tables alone say of a site, and its simple name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) class: Class,
}

/// Classes and simple names of sites, each worked out once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashMap<usize, Known>,
    derived: HashMap<usize, Arc<[String]>>,
}

impl Names {
    pub(crate) fn get(&mut self, site: &Arc<Site>) -> &Known {
        self.known
            .entry(Arc::as_ptr(site) as usize)
            .or_insert_with(|| known(site))
    }

    /// Texts that follow from a site's simple name, worked out once.
    pub(crate) fn derived(
        &mut self,
        site: &Arc<Site>,
        work_out: impl FnOnce(&str) -> Vec<String>,
    ) -> Arc<[String]> {
        let key = Arc::as_ptr(site) as usize;
        if let Some(known) = self.derived.get(&key) {
            return Arc::clone(known);
        }
        let texts: Arc<[String]> = work_out(&self.get(site).name).into();
        self.derived.insert(key, Arc::clone(&texts));
        texts
    }
}

fn known(site: &Site) -> Known {
    let name = site.name().map(simple_name).unwrap_or_default();
    Known {
        class: built_in(&name, site),
        name,
    }
}

/// The class by the tables; [`Class::Own`] and [`Class::Unknown`] are left to whoever knows more.
fn built_in(name: &str, site: &Site) -> Class {
    let printed = site.function.as_deref().unwrap_or_default();
    let file = site.file.as_deref().unwrap_or_default().replace('\\', "/");
    let module = site
        .module
        .as_deref()
        .unwrap_or_default()
        .replace('\\', "/");
    let base = module.rsplit('/').next().unwrap_or_default();
    let place = tables::Place::new(name, printed, &file, base);
    let rows = tables::rows().find(|row| row.matches(&place));
    match rows {
        Some(row) => row.class,
        None if is_system_library(&file, &module) => Class::ThirdParty,
        None if !file.is_empty() => Class::Own,
        None => Class::Unknown,
    }
}

fn is_system_library(file: &str, module: &str) -> bool {
    tables::THIRD_PARTY_FILES
        .iter()
        .any(|part| file.contains(part))
        || tables::SYSTEM_MODULES
            .iter()
            .any(|start| module.starts_with(start))
        || (file.is_empty() && is_python(module))
}

/// True for the interpreter's program and library: `python3.11`, `libpython3.11.so.1.0`. Extensions
/// are libraries of their own.
fn is_python(module: &str) -> bool {
    let base = module.rsplit('/').next().unwrap_or_default();
    let version = base
        .strip_prefix("libpython")
        .and_then(|rest| rest.split(".so").next())
        .or_else(|| base.strip_prefix("python"));
    version.is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Functions that allocate, by name.
pub(crate) fn allocators() -> impl Iterator<Item = &'static str> {
    tables::rows()
        .filter(|row| row.class == Class::Allocator)
        .flat_map(|row| row.names().iter().copied())
}

/// The classes of a stack's frames, from the top.
///
/// `main` counts as yours only with a source path, and never beneath Rust's `lang_start` or in an
/// interpreter. Beneath the start of a program or a thread there is nothing: valgrind unwinds on,
/// and prints what lies on the stack as addresses.
pub(crate) fn classes(stack: &Stack, workspace: &dyn Workspace, names: &mut Names) -> Vec<Class> {
    const STARTS: &[&str] = &["_start", "clone", "clone3", "start_thread"];
    let (mut beneath_start, mut beneath_all) = (false, false);
    let mut out = Vec::with_capacity(stack.frames.len());
    for frame in &stack.frames {
        let known = names.get(&frame.site);
        let mut class = in_workspace(known.class, &frame.site, workspace);
        if known.name == "main" && (beneath_start || is_interpreter(&frame.site)) {
            class = Class::Runtime;
        }
        if beneath_all
            && frame.site.name().is_none()
            && frame.site.module.is_none()
            && frame.site.file.is_none()
        {
            class = Class::Runtime;
        }
        beneath_start |= known.name.starts_with("std::rt::lang_start");
        beneath_all |= STARTS.contains(&known.name.as_str());
        out.push(class);
    }
    out
}

fn in_workspace(class: Class, site: &Site, workspace: &dyn Workspace) -> Class {
    let in_question = matches!(class, Class::Own | Class::Unknown);
    if !in_question || !workspace.is_known() {
        return class;
    }
    match &site.file {
        Some(file)
            if workspace
                .resolve(file)
                .is_some_and(|f| workspace.is_own(&f)) =>
        {
            Class::Own
        }
        Some(file) if workspace.may_be_own(file) => Class::Unknown,
        Some(_) => Class::ThirdParty,
        None => class,
    }
}

/// True for a stack of which it is sure that it is somebody else's: it shows a library, and no
/// frame that may be yours. A frame without debug information may be, and a stack of nothing but
/// allocators and runtimes has lost what stood between them.
pub(crate) fn is_foreign(classes: &[Class]) -> bool {
    classes.contains(&Class::ThirdParty)
        && !classes
            .iter()
            .any(|c| matches!(c, Class::Own | Class::Unknown))
}

fn is_interpreter(site: &Site) -> bool {
    let base = site
        .module
        .as_deref()
        .and_then(|m| m.rsplit('/').next())
        .unwrap_or_default();
    ["python", "ruby", "node", "perl", "php", "java"]
        .iter()
        .any(|name| base.starts_with(name))
}

/// The culprit of a finding, by the classes of its primary stack.
pub(crate) fn of(classes: &[Class]) -> Culprit {
    if let Some(frame) = classes.iter().position(|c| *c == Class::Own) {
        return Culprit {
            frame: Some(frame),
            own: true,
        };
    }
    let other = classes
        .iter()
        .position(|c| !matches!(c, Class::Allocator | Class::Runtime));
    Culprit {
        frame: other,
        own: false,
    }
}

/// True for a stack that lost its middle: Rust's debug code has no frame pointers, and the
/// sanitizers' fast unwinder then skips everything between the allocator and the start of the
/// program.
pub(crate) fn is_collapsed(finding: &Finding) -> bool {
    let fast = finding.tool.as_str() == "lsan" || finding.tool.as_str() == "asan";
    let own = |s: &Site| {
        s.file.is_some()
            && built_in(&crate::symbol::simple_name(s.name().unwrap_or_default()), s) == Class::Own
    };
    fast && finding.primary().is_some_and(|s| {
        let name = |part: &str| {
            s.frames
                .iter()
                .any(|f| f.site.name().is_some_and(|n| n.contains(part)))
        };
        (name("lang_start") || name("alloc::alloc") || name("test::run_test"))
            && !s.frames.iter().any(|f| own(&f.site))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Frame, Role};

    fn stack(frames: &[(&str, &str, &str)]) -> Stack {
        let text = |t: &str| (!t.is_empty()).then(|| t.into());
        let frame = |(index, (function, file, module)): (usize, &(&str, &str, &str))| Frame {
            index: index as u32,
            address: None,
            inlined: false,
            site: Arc::new(Site {
                function: text(function),
                file: text(file),
                module: text(module),
                ..Site::default()
            }),
        };
        Stack {
            role: Role::Access,
            label: None,
            frames: frames.iter().enumerate().map(frame).collect(),
        }
    }

    fn classified(frames: &[(&str, &str, &str)]) -> Vec<&'static str> {
        classes(&stack(frames), &NoWorkspace, &mut Names::default())
            .iter()
            .map(|c| c.as_str())
            .collect()
    }

    #[test]
    fn allocators_and_runtimes_are_told_from_your_code() {
        let frames = [
            (
                "malloc",
                "",
                "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so",
            ),
            ("operator new(unsigned long)", "", "/src/bin/a"),
            (
                "std::vector<int>::push_back(int&&)",
                "/usr/include/c++/12/bits/vector.tcc",
                "",
            ),
            (
                "alloc::alloc::alloc::h1e8b1da56f3ff6d9",
                "/rustc/ab/library/alloc/src/alloc.rs",
                "",
            ),
            ("make", "/src/a.c", ""),
            ("helper", "", "/usr/lib/x86_64-linux-gnu/libz.so.1"),
            ("other", "", "/src/bin/a"),
            ("main", "a.c", ""),
            (
                "__libc_start_call_main",
                "csu/../sysdeps/nptl/libc_start_call_main.h",
                "",
            ),
            ("_start", "", "/src/bin/a"),
        ];
        let want = [
            "allocator",
            "allocator",
            "runtime",
            "allocator",
            "own",
            "third-party",
            "unknown",
            "own",
            "runtime",
            "runtime",
        ];
        assert_eq!(classified(&frames), want);
    }

    #[test]
    fn main_beneath_the_start_of_rust_or_in_an_interpreter_is_not_yours() {
        assert_eq!(
            classified(&[
                ("std::rt::lang_start_internal", "", ""),
                ("main", "x.rs", "")
            ]),
            ["runtime", "runtime"]
        );
        assert_eq!(
            classified(&[("main", "Programs/python.c", "/usr/bin/python3.11")]),
            ["runtime"]
        );
    }

    #[test]
    fn a_leak_right_in_main_is_found() {
        let culprit = of(&[Class::Allocator, Class::Own, Class::Runtime]);
        assert_eq!(
            culprit,
            Culprit {
                frame: Some(1),
                own: true
            }
        );
        assert_eq!(
            of(&[Class::Allocator, Class::ThirdParty]),
            Culprit {
                frame: Some(1),
                own: false
            }
        );
        assert_eq!(
            of(&[Class::Allocator]),
            Culprit {
                frame: None,
                own: false
            }
        );
    }

    #[test]
    fn beneath_the_start_of_a_program_is_nothing_of_yours() {
        let bare = ("", "", "");
        assert_eq!(
            classified(&[
                ("f", "", "/usr/lib/libz.so.1"),
                ("_start", "", "/src/a"),
                bare,
                bare
            ])[2..],
            ["runtime", "runtime"]
        );
        assert_eq!(
            classified(&[("f", "", "/usr/lib/libz.so.1"), bare])[1..],
            ["unknown"]
        );
        assert_eq!(
            classified(&[("_start", "", "/src/a"), ("f", "", "/src/a")])[1..],
            ["unknown"]
        );
    }

    #[test]
    fn python_is_known_by_its_program_and_its_library() {
        for (module, want) in [
            ("/usr/bin/python3.11", true),
            ("/root/.pyenv/versions/3.12.1/bin/python3.12", true),
            ("/opt/python/lib/libpython3.11.so.1.0", true),
            ("python", true),
            ("/src/pythonic", false),
            ("/src/ext.cpython-311-x86_64-linux-gnu.so", false),
            ("", false),
        ] {
            assert_eq!(is_python(module), want, "{module}");
        }
    }

    #[test]
    fn only_what_is_surely_somebody_elses_is_foreign() {
        use Class::{Allocator, Own, Runtime, ThirdParty, Unknown};
        for (classes, want) in [
            (&[Allocator, ThirdParty, Runtime][..], true),
            (&[Allocator, ThirdParty, Unknown, Runtime], false),
            (&[Allocator, ThirdParty, Own], false),
            (&[Allocator, Runtime], false),
            (&[], false),
        ] {
            assert_eq!(is_foreign(classes), want, "{classes:?}");
        }
    }
}
