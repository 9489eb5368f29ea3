//! Where a report may begin: the markers, and the search for them.
//!
//! Between reports the parser hops from one marker to the next with a vectorised search for all of them at once; lines without a
//! marker are never looked at. So every line that can open a report, or stand alone in one, must hold a marker. The list is
//! kept short and the markers rare in ordinary output: `==` alone stands in every second line of a test runner.

use aho_corasick::AhoCorasick;
use aho_corasick::packed::{Config, MatchKind, Searcher};

/// Every marker. `0==` to `9==` stand in each line that valgrind writes (`==PID== `) and in the headlines of sanitizers
/// (`==PID==ERROR: `).
pub(crate) const MARKERS: &[&str] = &[
    "0==",
    "1==",
    "2==",
    "3==",
    "4==",
    "5==",
    "6==",
    "7==",
    "8==",
    "9==",
    "Sanitizer",
    "irect leak of ",
    "Suppressions used:",
    "<valgrindoutput",
];

/// Finds the next marker.
#[derive(Debug)]
pub(crate) enum Markers {
    /// The vectorised search, where the processor has what it needs.
    Packed(Searcher),
    /// The automaton, elsewhere.
    Automaton(AhoCorasick),
    /// Neither could be built: every line is a candidate.
    All,
}

impl Default for Markers {
    fn default() -> Self {
        let packed = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(MARKERS).build();
        if let Some(searcher) = packed {
            return Self::Packed(searcher);
        }
        AhoCorasick::new(MARKERS).map_or(Self::All, Self::Automaton)
    }
}

impl Markers {
    /// Where the next marker begins.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Packed(searcher) => searcher.find(bytes).map(|m| m.start()),
            Self::Automaton(automaton) => automaton.find(bytes).map(|m| m.start()),
            Self::All => (!bytes.is_empty()).then_some(0),
        }
    }
}
