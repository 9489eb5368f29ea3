//! The markers at which a report may begin, and the search for them.
//!
//! Between reports the parser jumps from one marker to the next and ignores lines without a marker.
//! So every line that can open a report, or that is a report by itself, must contain a marker. The
//! list is short, and the markers are rare in ordinary output: a lone `==` occurs in every second
//! line of a test runner.
//!
//! Markers are either tags or words. A tag is a digit before `==` (valgrind's `==PID== `, the
//! sanitizers' `==PID==ERROR: `). A vectorized search for many words is much faster with a short
//! list than with a long one, so several lists are searched separately. If `aho-corasick` has no
//! vectorized search (WebAssembly, processors without vector units), words are found by skipping.
//!
//! The vectorized search deals the words of a list out to eight buckets. A position is a candidate
//! if each of its bytes fits any word of one bucket, so a bucket of similar words has few false
//! candidates. Words are dealt in sorted order, which leaves less than a third of the candidates
//! that the order by checker leaves.

#[cfg(not(target_family = "wasm"))]
mod buckets;
mod skip;
mod tags;
mod words;

use alloc::string::String;
use alloc::vec::Vec;

#[cfg(not(target_family = "wasm"))]
use aho_corasick::packed::{Config, MatchKind, Searcher};

use memchr::memmem::Finder;

use self::skip::Skip;
use self::words::{HARNESS_WORDS, MORE_WORDS, OTHER_WORDS, SANITIZER_WORDS};
use crate::custom_format::CustomFormat;

/// The ends of tags.
const TAGS: &[&str] = &[
    "0==", "1==", "2==", "3==", "4==", "5==", "6==", "7==", "8==", "9==",
];

/// Returns every marker.
pub(crate) fn markers() -> Vec<&'static str> {
    TAGS.iter().copied().chain(words()).collect()
}

/// Returns the markers that aren't tags.
fn words() -> impl Iterator<Item = &'static str> {
    [SANITIZER_WORDS, OTHER_WORDS, MORE_WORDS]
        .into_iter()
        .flatten()
        .copied()
}

/// A search for one of several markers.
#[derive(Clone, Debug)]
enum Search {
    /// The vectorized search.
    #[cfg(not(target_family = "wasm"))]
    Packed(Searcher),
    /// The portable search for tags.
    Tags,
    /// The portable search for words.
    Skip(Skip),
    /// The search for a no-break space, or for a text of a custom format.
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

/// The searches for all markers.
#[derive(Clone, Debug)]
pub(crate) struct Markers(Vec<Search>);

/// A no-break space. Words have spaces, and no word is found in a copy of a web page in which each
/// space is a no-break one.
const NO_BREAK_SPACE: &str = "\u{a0}";

impl Default for Markers {
    fn default() -> Self {
        #[cfg(not(target_family = "wasm"))]
        {
            // The tags are shorter than the words, and would shorten what is compared of these.
            let lists = core::iter::once(TAGS.to_vec()).chain(buckets::deal(words().collect()));
            if let Some(all) = vectorized(lists) {
                return Self(all).with_space();
            }
        }
        Self::portable()
    }
}

/// Creates a vectorized search for each list of words. Returns `None` if the processor has no
/// vector units.
#[cfg(not(target_family = "wasm"))]
fn vectorized<'a>(lists: impl Iterator<Item = Vec<&'a str>>) -> Option<Vec<Search>> {
    let packed = |words: Vec<&str>| {
        let search = Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .builder()
            .extend(words)
            .build();
        search.map(Search::Packed)
    };
    lists.map(packed).collect()
}

impl Markers {
    /// Creates the searches for the markers and for the texts of custom formats.
    pub(crate) fn new(formats: &[CustomFormat]) -> Self {
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

    /// Creates the searches for the words in the lines of test harnesses.
    pub(super) fn of_harnesses() -> Self {
        #[cfg(not(target_family = "wasm"))]
        if let Some(all) = vectorized(buckets::deal(HARNESS_WORDS.to_vec()).into_iter()) {
            return Self(all);
        }
        Self([Search::Skip(Skip::new(HARNESS_WORDS.iter().copied()))].into())
    }

    /// Creates the searches that need no vector units.
    fn portable() -> Self {
        Self([Search::Tags, Search::Skip(Skip::new(words()))].into()).with_space()
    }

    /// Adds the search for no-break spaces.
    fn with_space(mut self) -> Self {
        let finder = Finder::new(NO_BREAK_SPACE).into_owned();
        self.0.push(Search::Text(finder));
        self
    }

    /// Returns true if the text contains a marker.
    pub(crate) fn contains_any(&self, text: &[u8]) -> bool {
        self.0.iter().any(|search| first(search, text, 0).is_some())
    }

    /// Returns for each search the position of its first marker, or the length of the text.
    pub(super) fn find_first(&self, text: &[u8]) -> Vec<usize> {
        let find = |search| first(search, text, 0).unwrap_or(text.len());
        self.0.iter().map(find).collect()
    }

    /// Returns a search for all markers of a text whose first ones are known; see
    /// [`Self::find_first`].
    pub(super) fn find_iter_from<'a>(
        &'a self,
        text: &'a [u8],
        first: &[usize],
    ) -> MarkerFinder<'a> {
        MarkerFinder {
            markers: self,
            text,
            next: first.iter().copied().map(Some).collect(),
        }
    }

    /// Returns a search for all markers of a text.
    pub(crate) fn find_iter<'a>(&'a self, text: &'a [u8]) -> MarkerFinder<'a> {
        MarkerFinder {
            markers: self,
            text,
            next: alloc::vec![None; self.0.len()],
        }
    }
}

/// A search for the markers of a text, in order. Each [`Search`] scans the text only once, however
/// often the others find something.
pub(crate) struct MarkerFinder<'a> {
    markers: &'a Markers,
    text: &'a [u8],
    /// For each search, the position of the next marker, or the length of the text if there is
    /// none. `None` if the search hasn't been run yet.
    next: Vec<Option<usize>>,
}

impl MarkerFinder<'_> {
    /// Returns the position of the first marker at or after `at`.
    pub(crate) fn next_from(&mut self, at: usize) -> Option<usize> {
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

/// Returns the position of the next marker. A lone `1==` doesn't count, because package lists
/// contain it (`oauth2==3.1`).
fn first(search: &Search, bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + search.find(bytes.get(from..)?)?;
        if !bytes[at].is_ascii_digit() || ends_tag(&bytes[..=at]) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Returns true if the last digits of the text are part of a tag: `==123`, or after a time stamp
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
    fn package_lists_contain_no_marker() {
        for search in [Markers::default(), Markers::portable()] {
            for (text, want) in [
                ("a ==12== b", Some(5)),
                ("==00:00:00:00.534 12== b", Some(19)),
                ("oauth2==3.1\nsix==1.2 2==x ==7== y", Some(28)),
                ("oauth2==3.1", None),
                ("ERROR: AddressSanitizer", Some(14)),
                ("Direct leak of 4", Some(4)),
                ("free():\u{a0}invalid\u{a0}pointer", Some(7)),
            ] {
                assert_eq!(
                    search.find_iter(text.as_bytes()).next_from(0),
                    want,
                    "{text}"
                );
                assert_eq!(
                    search.contains_any(text.as_bytes()),
                    want.is_some(),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn markers_are_found_anywhere() {
        for search in [Markers::default(), Markers::portable()] {
            for marker in markers() {
                for before in [
                    "",
                    "a",
                    "== ",
                    "some text before it, and a line\n",
                    "valgri",
                    "Error ",
                ] {
                    let tag = if TAGS.contains(&marker) { "==" } else { "" };
                    let text = format!("{before}{tag}{marker}");
                    let want = before.len() + tag.len();
                    let found = search.find_iter(text.as_bytes()).next_from(0);
                    assert!(
                        found.is_some_and(|at| at <= want && want - at < 2),
                        "{text:?}: {found:?}"
                    );
                    // Some markers are part of another.
                    let cut = search
                        .find_iter(&text.as_bytes()[..text.len() - 1])
                        .next_from(0);
                    assert!(cut.is_none_or(|at| at > want), "{text:?}: {cut:?}");
                }
            }
        }
    }

    #[test]
    fn finder_returns_markers_in_order() {
        let text = "Sanitizer\n==1== x\n free(): \n==2==\n Sanitizer free(): x";
        for search in [Markers::default(), Markers::portable()] {
            let mut finder = search.find_iter(text.as_bytes());
            let mut at = 0;
            let mut found = Vec::new();
            while let Some(next) = finder.next_from(at) {
                found.push(next);
                at = next + 1;
            }
            assert_eq!(found, [0, 12, 19, 30, 35, 45]);
        }
    }

    #[test]
    fn words_are_long() {
        assert!(words().all(|word| word.len() >= skip::MIN_LEN));
    }
}
