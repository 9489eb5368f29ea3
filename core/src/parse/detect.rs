//! Where a report may begin: the markers, and the search for them.
//!
//! Between reports the parser hops from one marker to the next; lines without a marker are never
//! looked at. So every line that can open a report, or stand alone in one, must hold a marker. The
//! list is kept short and the markers rare in ordinary output: `==` alone stands in every second
//! line of a test runner.
//!
//! There are two kinds. A tag is a digit before `==` (valgrind's `==PID== `, `==PID==ERROR: ` of
//! sanitizers); all others are words. A vectorised search for many words takes a short list much
//! faster than a long one, so that there are several lists, each searched on its own. Where
//! `aho-corasick` has no such search (WebAssembly, processors without vector units), words are
//! found by skipping.

mod skip;
mod tags;
mod words;

use alloc::string::String;
use alloc::vec::Vec;
use core::iter::once;

#[cfg(not(target_family = "wasm"))]
use aho_corasick::packed::{Config, MatchKind, Searcher};

use memchr::memmem::Finder;

use self::skip::Skip;
use self::words::{OF_OTHERS, OF_SANITIZERS};
use crate::format::Format;

/// The end of a tag.
const TAGS: &[&str] = &[
    "0==", "1==", "2==", "3==", "4==", "5==", "6==", "7==", "8==", "9==",
];

/// `==` in UTF-16 without the mark that says so.
const UTF_16: &str = "=\0=\0";

/// Every marker.
pub(crate) fn markers() -> Vec<&'static str> {
    TAGS.iter()
        .chain(OF_SANITIZERS)
        .chain(OF_OTHERS)
        .copied()
        .chain(once(UTF_16))
        .collect()
}

/// A search for one of several markers.
#[derive(Clone, Debug)]
enum Search {
    /// The vectorised one.
    #[cfg(not(target_family = "wasm"))]
    Packed(Searcher),
    /// For tags, elsewhere; and for `==` in UTF-16.
    Tags,
    /// For words, elsewhere.
    Skip(Skip),
    /// For a text of one of the project's own formats.
    Text(Finder<'static>),
}

impl Search {
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Packed(searcher) => searcher.find(bytes).map(|m| m.start()),
            Self::Tags => tags::find(bytes),
            Self::Skip(skip) => skip.find(bytes),
            Self::Text(finder) => finder.find(bytes),
        }
    }
}

/// Finds markers.
#[derive(Clone, Debug)]
pub(crate) struct Markers(Vec<Search>);

impl Default for Markers {
    fn default() -> Self {
        #[cfg(not(target_family = "wasm"))]
        {
            let packed = |words: &[&str]| {
                let search = Config::new()
                    .match_kind(MatchKind::LeftmostFirst)
                    .builder()
                    .extend(words)
                    .build();
                search.map(Search::Packed)
            };
            // `=\0=` would make a candidate of every `=` for the search that finds tags.
            let last: Vec<&str> = OF_OTHERS.iter().copied().chain(once(UTF_16)).collect();
            let all: Option<Vec<Search>> = [TAGS, OF_SANITIZERS, &last]
                .into_iter()
                .map(packed)
                .collect();
            if let Some(all) = all {
                return Self(all);
            }
        }
        Self::plain()
    }
}

impl Markers {
    /// The markers, and the texts of the project's own formats.
    pub(crate) fn new(formats: &[Format]) -> Self {
        let mut markers = Self::default();
        let mut texts: Vec<&String> = formats.iter().flat_map(|format| &format.literals).collect();
        texts.sort_unstable();
        texts.dedup();
        markers.0.extend(
            texts
                .into_iter()
                .map(|text| Search::Text(Finder::new(text.as_bytes()).into_owned())),
        );
        markers
    }

    fn plain() -> Self {
        let words = OF_SANITIZERS.iter().chain(OF_OTHERS).copied();
        Self([Search::Tags, Search::Skip(Skip::new(words))].into())
    }

    /// True where a marker stands in the text.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|search| first(search, text, 0).is_some())
    }

    /// Begins to look for markers in a text.
    pub(crate) fn hunt<'a>(&'a self, text: &'a [u8]) -> Hunt<'a> {
        Hunt {
            markers: self,
            text,
            next: alloc::vec![None; self.0.len()],
        }
    }
}

/// The markers of a text, one after the other. Each search goes through the text once, however
/// often the others find something.
pub(crate) struct Hunt<'a> {
    markers: &'a Markers,
    text: &'a [u8],
    /// For each search, where the next marker begins, or the text's length where there is none;
    /// unknown until it is asked for.
    next: Vec<Option<usize>>,
}

impl Hunt<'_> {
    /// Where the first marker from here on begins.
    pub(crate) fn from(&mut self, at: usize) -> Option<usize> {
        let end = self.text.len();
        let mut nearest = end;
        for (search, next) in self.markers.0.iter().zip(&mut self.next) {
            let known = next.filter(|known| *known >= at);
            let found = known.unwrap_or_else(|| first(search, self.text, at).unwrap_or(end));
            *next = Some(found);
            nearest = nearest.min(found);
        }
        (nearest < end).then_some(nearest)
    }
}

/// Where the next marker begins. `1==` alone is no marker yet: lists of packages (`oauth2==3.1`)
/// are full of it.
fn first(search: &Search, bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + search.find(bytes.get(from..)?)?;
        if !bytes[at].is_ascii_digit() || ends_tag(&bytes[..=at]) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// True when the last digits of the text are those of a tag: `==123`, or after a time stamp
/// `==00:00:00:00.534 123`.
fn ends_tag(text: &[u8]) -> bool {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    matches!(
        text[..text.len() - digits],
        [.., b'=', b'='] | [.., b'.', _, _, _, b' ']
    )
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn markers_are_found_and_lists_of_packages_are_not() {
        for search in [Markers::default(), Markers::plain()] {
            for (text, want) in [
                ("a ==12== b", Some(5)),
                ("==00:00:00:00.534 12== b", Some(19)),
                ("oauth2==3.1\nsix==1.2 2==x ==7== y", Some(28)),
                ("oauth2==3.1", None),
                ("ERROR: AddressSanitizer", Some(14)),
                ("Direct leak of 4", Some(1)),
                ("x=\0=\0", Some(1)),
            ] {
                assert_eq!(search.hunt(text.as_bytes()).from(0), want, "{text}");
                assert_eq!(search.are_in(text.as_bytes()), want.is_some(), "{text}");
            }
        }
    }

    #[test]
    fn every_marker_is_found_wherever_it_stands() {
        for search in [Markers::default(), Markers::plain()] {
            for marker in markers() {
                for before in [
                    "",
                    "a",
                    "== ",
                    "some text before it, and a line\n",
                    "valgrin",
                    "Error ",
                ] {
                    let tag = if TAGS.contains(&marker) { "==" } else { "" };
                    let text = format!("{before}{tag}{marker}");
                    let want = before.len() + tag.len();
                    let found = search.hunt(text.as_bytes()).from(0);
                    assert!(
                        found.is_some_and(|at| at <= want && want - at < 2),
                        "{text:?}: {found:?}"
                    );
                    // Some words are part of another.
                    let cut = search.hunt(&text.as_bytes()[..text.len() - 1]).from(0);
                    assert!(cut.is_none_or(|at| at > want), "{text:?}: {cut:?}");
                }
            }
        }
    }

    #[test]
    fn a_hunt_finds_all_in_order() {
        let text = "Sanitizer\n==1== x\n free(): \n==2==\n Sanitizer free(): x";
        for search in [Markers::default(), Markers::plain()] {
            let mut hunt = search.hunt(text.as_bytes());
            let (mut at, mut found) = (0, Vec::new());
            while let Some(next) = hunt.from(at) {
                found.push(next);
                at = next + 1;
            }
            assert_eq!(found, [0, 12, 19, 30, 35, 45]);
        }
    }

    #[test]
    fn lists_stay_short_and_words_long() {
        // The vectorised search takes twice the time from the 33rd word on, and looks at the first
        // four bytes.
        assert!(OF_SANITIZERS.len() <= 32 && OF_OTHERS.len() < 32);
        assert!(
            OF_SANITIZERS
                .iter()
                .chain(OF_OTHERS)
                .all(|word| word.len() >= skip::LEAST)
        );
    }
}
