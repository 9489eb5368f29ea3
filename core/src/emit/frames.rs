//! Stacks as readers need them: runs of allocator, runtime and standard library frames in one line,
//! and names of Rust without hashes and generic arguments.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::culprit::{Class, FrameNames};
use crate::model::{Frame, FrameInfo, Stack};
use crate::numbers::count;
use crate::symbol::short_rust_name;

/// What a folded frame is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Rust,
    Cpp,
    /// An allocator, or a runtime that isn't a standard library.
    Other,
}

/// A part of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The frame with this index.
    Frame(usize),
    /// Several frames in one line.
    Folded {
        /// Number of frames.
        frames: usize,
        /// The name of the first one, if none is of a standard library.
        name: Option<String>,
        /// What they are, such as `6 frames of the Rust standard library`, or what those after the
        /// name are.
        text: String,
    },
}

impl Part {
    /// Returns the number of frames.
    pub(crate) fn frames(&self) -> usize {
        match self {
            Self::Frame(_) => 1,
            Self::Folded { frames, .. } => *frames,
        }
    }
}

/// The frames of a stack, as they are shown.
pub(crate) struct ShownStack {
    pub(crate) parts: Vec<Part>,
    /// Whether names are shortened as those of Rust.
    pub(crate) is_rust: bool,
}

impl ShownStack {
    /// Folds frames and shortens names, unless all of it is shown.
    pub(crate) fn new(
        stack: &Stack,
        classes: &[Class],
        culprit: Option<usize>,
        names: &FrameNames,
        full: bool,
    ) -> Self {
        if full {
            return Self {
                parts: (0..stack.frames.len()).map(Part::Frame).collect(),
                is_rust: false,
            };
        }
        let is_rust = is_rust(stack);
        Self {
            parts: parts(stack, classes, culprit, names, is_rust),
            is_rust,
        }
    }
}

/// Splits a stack. Never folded are the call of the allocator at the top, the frame to look at, and
/// frames that may be the project's own.
fn parts(
    stack: &Stack,
    classes: &[Class],
    culprit: Option<usize>,
    names: &FrameNames,
    is_rust: bool,
) -> Vec<Part> {
    let libraries: Vec<Option<Library>> = stack
        .frames
        .iter()
        .zip(classes)
        .enumerate()
        .map(|(at, (frame, class))| {
            let is_allocation = at == 0 && *class == Class::Allocator;
            let is_kept = is_allocation || culprit == Some(at);
            let library = || library(&frame.info, *class, names, is_rust);
            if is_kept { None } else { library() }
        })
        .collect();
    let mut parts = Vec::with_capacity(stack.frames.len());
    let mut at = 0;
    while at < stack.frames.len() {
        let rest = libraries.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|library| library.is_some()).count();
        if length > 1 {
            let run: Vec<Library> = rest.iter().map_while(|library| *library).collect();
            parts.push(folded(&run, &stack.frames[at], is_rust));
            at += length;
        } else {
            parts.push(Part::Frame(at));
            at += 1;
        }
    }
    parts
}

/// Returns the line of folded frames.
fn folded(run: &[Library], first: &Frame, is_rust: bool) -> Part {
    let number = |library| run.iter().filter(|one| **one == library).count() as u64;
    let (rust, cpp, other) = (
        number(Library::Rust),
        number(Library::Cpp),
        number(Library::Other),
    );
    let others = |n| {
        count(
            n,
            "allocator or runtime frame",
            "allocator or runtime frames",
        )
    };
    let frames = run.len();
    if rust + cpp == 0 {
        let name = first.info.name().map(|_| name(&first.info, is_rust));
        return Part::Folded {
            frames,
            text: match name {
                Some(_) => format!("and {}", others(other - 1)),
                None => others(other),
            },
            name: name.map(Cow::into_owned),
        };
    }
    let mut parts = Vec::new();
    for (n, language) in [(rust, "Rust"), (cpp, "C++")] {
        if n > 0 {
            let frames = count(n, "frame", "frames");
            parts.push(format!("{frames} of the {language} standard library"));
        }
    }
    if other > 0 {
        parts.push(others(other));
    }
    Part::Folded {
        frames,
        name: None,
        text: parts.join(" and "),
    }
}

/// Returns what a frame is part of. `None` if it's neither an allocator, a runtime, nor a standard
/// library that is third-party code.
fn library(info: &FrameInfo, class: Class, names: &FrameNames, is_rust: bool) -> Option<Library> {
    let standard = || {
        if is_rust {
            is_rust_std(info, names).then_some(Library::Rust)
        } else {
            is_cpp_std(info, names).then_some(Library::Cpp)
        }
    };
    match class {
        // Only the standard library has sources in Rust and isn't the user's.
        Class::Allocator | Class::Runtime if is_rust && is_rust_source(info) => Some(Library::Rust),
        Class::Allocator | Class::Runtime => Some(standard().unwrap_or(Library::Other)),
        Class::ThirdParty => standard(),
        Class::Own | Class::Unknown => None,
    }
}

/// Modules of Rust's standard library that allocate, panic or start programs. A namespace of a C++
/// program may be called `core` or `alloc`, but has hardly one of these.
const RUST_MODULES: &[&str] = &[
    "alloc::alloc::",
    "alloc::boxed::",
    "alloc::collections::",
    "alloc::raw_vec::",
    "alloc::rc::",
    "alloc::slice::",
    "alloc::string::",
    "alloc::sync::",
    "alloc::vec::",
    "core::fmt::",
    "core::iter::",
    "core::ops::",
    "core::panicking::",
    "core::ptr::",
    "std::panicking::",
    "std::rt::",
    "std::sys::",
];

/// Returns true for a stack of a Rust program.
pub(crate) fn is_rust(stack: &Stack) -> bool {
    let has_module = |name: &str| {
        let name = name.trim_start_matches(['<', '_']);
        let name = name.trim_start_matches("$LT$");
        // Most names begin with none of the letters of these modules.
        name.starts_with(['a', 'c', 'r', 's'])
            && (RUST_MODULES.iter().any(|module| name.starts_with(module))
                || name.starts_with("rust_alloc"))
    };
    let mut infos = stack.frames.iter().map(|frame| &frame.info);
    infos.any(|info| is_rust_source(info) || info.name().is_some_and(has_module))
}

fn is_rust_source(info: &FrameInfo) -> bool {
    let file = info.file.as_deref();
    file.is_some_and(|file| file.ends_with(".rs"))
}

/// Returns true for a frame of Rust's `core`, `alloc` or `std`, in a stack of a Rust program.
fn is_rust_std(info: &FrameInfo, names: &FrameNames) -> bool {
    const CRATES: [&str; 3] = ["std::", "core::", "alloc::"];
    const SHIMS: [&str; 4] = ["__rust_", "__rustc::", "__rdl_", "__rg_"];
    const SOURCES: [&str; 3] = ["/rustc/", "rustlib/src/rust/library/", "library/std/src/"];
    let starts = |name: &str, all: &[&str]| all.iter().any(|start| name.starts_with(start));
    let file = info.file.as_deref().unwrap_or_default();
    if SOURCES.iter().any(|part| file.contains(part)) {
        return true;
    }
    let name = names.simple(info);
    let last = name.rsplit("::").next().unwrap_or_default();
    // `&T as core::..`, `fn as core::..`: an implementation for a type without a path.
    let of_std_trait = name
        .split_once(" as ")
        .is_some_and(|(of, by)| !of.contains("::") && starts(by, &CRATES));
    starts(&name, &CRATES)
        || of_std_trait
        || starts(&name, &SHIMS)
        || starts(last, &SHIMS)
        || name == "rust_panic"
}

/// Returns true for a frame of the C++ standard library, in a stack of another program.
fn is_cpp_std(info: &FrameInfo, names: &FrameNames) -> bool {
    let name = names.simple(info);
    let starts = ["std::", "__gnu_cxx::", "__cxxabiv1::"];
    starts.iter().any(|start| name.starts_with(start))
}

/// Returns the name of a function as it is shown, or `?` if it has none. In a stack of a Rust
/// program, names of other languages stay unchanged.
pub(crate) fn name(info: &FrameInfo, is_rust: bool) -> Cow<'_, str> {
    let Some(name) = info.name() else {
        return Cow::Borrowed("?");
    };
    let is_other = info.file.is_some() && !is_rust_source(info);
    if !is_rust || is_other || !name.contains("::") {
        return Cow::Borrowed(name);
    }
    Cow::Owned(short_rust_name(name))
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use alloc::vec;

    use super::*;
    use crate::model::Role;
    use Class::{Allocator, Own, Runtime, ThirdParty, Unknown};

    /// Returns the shown lines of a stack of pairs of class and function.
    fn shown(frames: &[(Class, &str)], culprit: usize) -> Vec<String> {
        let frame = |(_, name): &(Class, &str)| Frame {
            index: 0,
            address: None,
            inlined: false,
            info: Arc::new(FrameInfo {
                function: Some((*name).into()),
                ..FrameInfo::default()
            }),
        };
        let stack = Stack {
            role: Role::Allocation,
            label: None,
            frames: frames.iter().map(frame).collect(),
        };
        let classes: Vec<Class> = frames.iter().map(|(class, _)| *class).collect();
        let is_rust = is_rust(&stack);
        let names = FrameNames::default();
        let parts = parts(&stack, &classes, Some(culprit), &names, is_rust).into_iter();
        parts
            .map(|part| match part {
                Part::Frame(at) => name(&stack.frames[at].info, is_rust).into_owned(),
                Part::Folded { name, text, .. } => {
                    let name = name.map_or(String::new(), |name| name + " ");
                    format!("… {name}{text}")
                }
            })
            .collect()
    }

    #[test]
    fn runs_of_the_standard_library_are_folded() {
        let rust = [
            (Allocator, "malloc"),
            (Runtime, "alloc::alloc::alloc::h0123456789abcdef"),
            (Runtime, "<alloc::vec::Vec<u8>>::with_capacity"),
            (Own, "<app::Shelf<u16> as app::Lose>::lose"),
            (Own, "app::main::h0123456789abcdef"),
            (
                Runtime,
                "<fn() as core::ops::function::FnOnce<()>>::call_once",
            ),
            (Runtime, "std::rt::lang_start::<()>::{closure#0}"),
            (Runtime, "main"),
            (Runtime, "_start"),
        ];
        assert_eq!(
            shown(&rust, 3),
            [
                "malloc",
                "… 2 frames of the Rust standard library",
                "<app::Shelf as app::Lose>::lose",
                "app::main",
                "… 2 frames of the Rust standard library and 2 allocator or runtime frames",
            ]
        );
        let cpp = [
            (Allocator, "operator new(unsigned long)"),
            (Runtime, "std::allocator<int>::allocate(unsigned long)"),
            (
                ThirdParty,
                "std::vector<int, std::allocator<int> >::push_back(int&&)",
            ),
            (Own, "fill(std::vector<int>&)"),
        ];
        assert_eq!(
            shown(&cpp, 3),
            [
                "operator new(unsigned long)",
                "… 2 frames of the C++ standard library",
                "fill(std::vector<int>&)",
            ]
        );
        let own_namespace = [
            (Runtime, "std::a<int>(int)"),
            (Runtime, "std::b(int)"),
            (Unknown, "core::Engine<int>::run(int)"),
        ];
        assert_eq!(
            shown(&own_namespace, 2),
            [
                "… 2 frames of the C++ standard library",
                "core::Engine<int>::run(int)"
            ]
        );
        let c = [
            (Allocator, "realloc"),
            (Runtime, "getdelim"),
            (Runtime, "getline"),
            (Own, "main"),
        ];
        assert_eq!(
            shown(&c, 3),
            [
                "realloc",
                "… getdelim and 1 allocator or runtime frame",
                "main"
            ]
        );
    }

    #[test]
    fn code_that_may_be_the_users_is_never_folded() {
        let frames = vec![
            (Allocator, "malloc"),
            (ThirdParty, "std::fs::read"),
            (Unknown, "alloc::mine"),
            (Own, "core::mine"),
            (ThirdParty, "serde::from_str"),
            (ThirdParty, "serde::parse"),
        ];
        for culprit in 0..frames.len() {
            assert_eq!(shown(&frames, culprit).len(), frames.len(), "{culprit}");
        }
        let std = vec![(ThirdParty, "std::a::b"); 4];
        let std = [&[(Own, "core::a")][..], &std].concat();
        assert_eq!(shown(&std, 3).len(), 4);
    }
}
