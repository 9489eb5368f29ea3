//! The texts by which patterns are looked up: one of them must stand in whatever a pattern takes.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use aho_corasick::Input;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::noncontiguous::NFA;
use hashbrown::HashMap;

use super::super::glob::{Glob, text_of};
use super::super::valgrind::Name;
use super::super::valgrind::frames::squeezed;

/// Names that stand in too many stacks to tell anything.
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

/// What must stand in a frame.
#[derive(Debug)]
pub(super) enum Key {
    /// One of these names, without blanks.
    Exact(Vec<String>),
    /// One of these texts, within a name, a path or a module.
    Pieces(Vec<String>),
    /// Nothing is known: the pattern is tried everywhere.
    Open,
}

impl Key {
    /// How much it tells: what it is, how few items of rules have it, and how long it is.
    pub(super) fn rank(&self, users: u32) -> (u8, Reverse<u32>, usize) {
        let (what, length) = match self {
            // It stands in nearly every stack, while a pattern that is tried everywhere may be
            // found nowhere.
            Self::Exact(names) if COMMON.contains(&names[0].as_str()) => (0, 0),
            Self::Open => (1, 0),
            Self::Pieces(pieces) => (2, pieces.iter().map(String::len).min().unwrap_or(0)),
            Self::Exact(names) => (3, names[0].len()),
        };
        (what, Reverse(users), length)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Of a name as it is printed.
    pub(super) fn of_name(glob: &Glob) -> Self {
        match glob {
            Glob::Exact(name) => Self::Exact(vec![squeezed(name).into_owned()]),
            Glob::Wild(_) => Self::of_path(glob),
        }
    }

    /// Of a text that may be part of a longer one.
    pub(super) fn of_path(glob: &Glob) -> Self {
        let piece = match glob {
            Glob::Exact(text) => Some(text.clone()),
            Glob::Wild(_) => text_of(glob.needle()),
        };
        Self::of_pieces(piece.into_iter().collect())
    }

    /// One of these texts, of which none is empty.
    pub(super) fn of_pieces(pieces: Vec<String>) -> Self {
        if pieces.is_empty() || pieces.iter().any(String::is_empty) {
            Self::Open
        } else {
            Self::Pieces(pieces)
        }
    }

    /// Of a sanitizer's template: what stands behind a `$` is never looked at.
    pub(super) fn of_template(template: &str) -> Self {
        let template = template.split('$').next().unwrap_or_default();
        let template = template.strip_prefix('^').unwrap_or(template);
        Self::of_pieces(
            template
                .split('*')
                .max_by_key(|piece| piece.len())
                .map(String::from)
                .into_iter()
                .collect(),
        )
    }

    /// Of a name as valgrind compares it, before demangling.
    pub(super) fn of_symbol(name: &Name) -> Self {
        match &name.glob {
            Glob::Exact(symbol) => {
                let demangled = name.demangled.as_deref().map(|d| squeezed(d).into_owned());
                Self::Exact(
                    [Some(squeezed(symbol).into_owned()), demangled]
                        .into_iter()
                        .flatten()
                        .collect(),
                )
            }
            glob @ Glob::Wild(_) => Self::of_path(glob),
        }
    }
}

/// Patterns, each a number, by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    exact: HashMap<String, Vec<u32>>,
    pieces: Option<NFA>,
    /// The patterns of each piece.
    by_piece: Vec<Vec<u32>>,
    /// Those that have no key.
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
            // One kind of automaton: the choice among all kinds would put all of them into the
            // page.
            all.pieces = NFA::new(&texts).ok();
            if all.pieces.is_none() {
                all.open.extend(all.by_piece.drain(..).flatten());
            }
        }
        all
    }

    /// The patterns whose key stands in a text.
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

    /// The patterns whose key is the whole text.
    pub(super) fn look_up_whole(&self, text: &str, found: &mut Vec<u32>) {
        if !self.exact.is_empty() {
            found.extend(self.exact.get(&*squeezed(text)).into_iter().flatten());
        }
    }

    /// True where there is nothing to look up.
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.pieces.is_none()
    }

    /// The patterns that have no key.
    pub(super) fn open(&self) -> &[u32] {
        &self.open
    }
}
