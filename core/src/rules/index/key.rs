//! Keys of patterns: texts one of which every matching frame contains.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use aho_corasick::Input;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;
use hashbrown::HashMap;

use super::super::glob::{Glob, literal_text};
use super::super::valgrind::FunctionPattern;
use super::super::valgrind::frames::without_spaces;

/// Names that occur in too many stacks to be useful as keys.
const COMMON: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "strdup",
    "main",
    "_start",
    "(belowmain)",
    "start_thread",
    "clone",
    "???",
    "operatornew",
    "operatornew[]",
    "_Znwm",
    "_Znam",
    "_Znwj",
    "_Znaj",
];

/// What every frame that a pattern matches contains.
#[derive(Debug)]
pub(super) enum Key {
    /// One of these names, without spaces.
    Exact(Vec<String>),
    /// One of these texts, within a name, a path or a module.
    Pieces(Vec<String>),
    /// Unknown. The pattern is tried on every frame.
    Open,
}

impl Key {
    /// Returns how selective the key is: the higher, the fewer frames contain it. Compares the type
    /// of the key, then the number of patterns of all rules that have it, then its length.
    pub(super) fn rank(&self, users: u32) -> (u8, Reverse<u32>, usize) {
        let (class, length) = match self {
            // Nearly every stack contains a common name, while an open pattern may match no frame.
            Self::Exact(names) if COMMON.contains(&names[0].as_str()) => (0, 0),
            Self::Open => (1, 0),
            Self::Pieces(pieces) => (2, pieces.iter().map(String::len).min().unwrap_or(0)),
            Self::Exact(names) => (3, names[0].len()),
        };
        (class, Reverse(users), length)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Returns the key of a pattern for printed names.
    pub(super) fn for_name(glob: &Glob) -> Self {
        match glob {
            Glob::Exact(name) => Self::Exact(vec![without_spaces(name).into_owned()]),
            Glob::Wild(_) => Self::for_path(glob),
        }
    }

    /// Returns the key of a pattern that may match a part of a path.
    pub(super) fn for_path(glob: &Glob) -> Self {
        let piece = match glob {
            Glob::Exact(text) => Some(text.clone()),
            Glob::Wild(_) => literal_text(glob.longest_literal()),
        };
        Self::from_pieces(piece.into_iter().collect())
    }

    /// Returns a key for these texts, or an open one if any of them is empty.
    pub(super) fn from_pieces(pieces: Vec<String>) -> Self {
        if pieces.is_empty() || pieces.iter().any(String::is_empty) {
            Self::Open
        } else {
            Self::Pieces(pieces)
        }
    }

    /// Returns the key of a sanitizer's template. Sanitizers ignore everything after a `$`.
    pub(super) fn for_template(template: &str) -> Self {
        let template = template.split('$').next().unwrap_or_default();
        let template = template.strip_prefix('^').unwrap_or(template);
        Self::from_pieces(
            template
                .split('*')
                .max_by_key(|piece| piece.len())
                .map(String::from)
                .into_iter()
                .collect(),
        )
    }

    /// Returns the key of a valgrind pattern, which valgrind compares with names before demangling.
    pub(super) fn for_symbol(name: &FunctionPattern) -> Self {
        match &name.glob {
            Glob::Exact(symbol) => {
                let demangled = name
                    .demangled
                    .as_deref()
                    .map(|d| without_spaces(d).into_owned());
                Self::Exact(
                    [Some(without_spaces(symbol).into_owned()), demangled]
                        .into_iter()
                        .flatten()
                        .collect(),
                )
            }
            glob @ Glob::Wild(_) => Self::for_path(glob),
        }
    }
}

/// Indices of patterns, by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    exact: HashMap<String, Vec<u32>>,
    pieces: Option<NFA>,
    /// The patterns of each piece.
    by_piece: Vec<Vec<u32>>,
    /// Patterns without a key.
    open: Vec<u32>,
}

impl Keys {
    pub(super) fn new<'k>(keys: impl Iterator<Item = (u32, &'k Key)>) -> Self {
        let mut all = Self::default();
        let mut pieces: HashMap<&str, usize> = HashMap::new();
        for (pattern, key) in keys {
            match key {
                Key::Exact(names) => names
                    .iter()
                    .for_each(|n| all.exact.entry_ref(n.as_str()).or_default().push(pattern)),
                Key::Open => all.open.push(pattern),
                Key::Pieces(texts) => {
                    for text in texts {
                        let next = pieces.len();
                        let id = *pieces.entry(text).or_insert(next);
                        if id == next {
                            all.by_piece.push(Vec::new());
                        }
                        all.by_piece[id].push(pattern);
                    }
                }
            }
        }
        let mut texts = vec![""; pieces.len()];
        pieces.into_iter().for_each(|(text, id)| texts[id] = text);
        if !texts.is_empty() {
            // Names one automaton type, because the general builder would link all types into the
            // WebAssembly module.
            all.pieces = NFA::new(&texts).ok();
            if all.pieces.is_none() {
                all.open.extend(all.by_piece.drain(..).flatten());
            }
        }
        all
    }

    /// Adds the patterns whose key the text contains.
    pub(super) fn look_up(&self, text: &str, found: &mut Vec<u32>) {
        self.look_up_whole(text, found);
        let hits = self
            .pieces
            .iter()
            .filter_map(|p| p.try_find_overlapping_iter(Input::new(text)).ok());
        for hit in hits.flatten() {
            found.extend(&self.by_piece[hit.pattern().as_usize()]);
        }
    }

    /// Adds the patterns whose key is the whole text.
    pub(super) fn look_up_whole(&self, text: &str, found: &mut Vec<u32>) {
        if !self.exact.is_empty() {
            found.extend(self.exact.get(&*without_spaces(text)).into_iter().flatten());
        }
    }

    /// Returns true if no pattern has a key.
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.pieces.is_none()
    }

    /// Returns the patterns without a key.
    pub(super) fn open(&self) -> &[u32] {
        &self.open
    }
}
