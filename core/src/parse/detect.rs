//! Where a report may begin: the markers, and the search for them.
//!
//! Between reports the parser hops from one marker to the next with a vectorised search for all of them at once; lines without a
//! marker are never looked at. So every line that can open a report, or stand alone in one, must hold a marker. The list is
//! kept short and the markers rare in ordinary output: `==` alone stands in every second line of a test runner.

mod keys;

#[cfg(not(target_family = "wasm"))]
use aho_corasick::packed::{Config, MatchKind, Searcher};

use self::keys::Keys;

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
    "Uninitialized bytes in ",
    "irect leak of ",
    "Suppressions used:",
    "valgrindoutput",
    "<unique>0x",
    "<kind>",
    "<fatal_signal>",
    "<errorcounts>",
    "<error_contexts>",
    "valgrind: ",
    "'valgrind'",
    "not found: valgrind",
    ": runtime error: ",
    "ubsan: ",
    "=\0=\0",
];

/// Finds the next marker.
#[derive(Clone, Debug)]
pub(crate) enum Markers {
    /// The vectorised search, where the processor has what it needs.
    #[cfg(not(target_family = "wasm"))]
    Packed(Searcher),
    /// The search by keys, elsewhere.
    Keys(Keys),
}

impl Default for Markers {
    fn default() -> Self {
        #[cfg(not(target_family = "wasm"))]
        if let Some(searcher) = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(MARKERS).build() {
            return Self::Packed(searcher);
        }
        Self::Keys(Keys::default())
    }
}

impl Markers {
    /// Where the next marker begins. `1==` alone is no marker yet: lists of packages (`oauth2==3.1`) are full of it.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = from + self.candidate(&bytes[from..])?;
            if !bytes[at].is_ascii_digit() || ends_tag(&bytes[..=at]) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    fn candidate(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Packed(searcher) => searcher.find(bytes).map(|m| m.start()),
            Self::Keys(keys) => keys.find(bytes),
        }
    }
}

/// True when the last digits of the text are those of a tag: `==123`, or after a time stamp `==00:00:00:00.534 123`.
fn ends_tag(text: &[u8]) -> bool {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    matches!(text[..text.len() - digits], [.., b'=', b'='] | [.., b'.', _, _, _, b' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found_and_lists_of_packages_are_not() {
        for markers in [Markers::default(), Markers::Keys(Keys::default())] {
            one_is_found(&markers);
        }
    }

    fn one_is_found(markers: &Markers) {
        for (text, want) in [
            ("a ==12== b", Some(5)),
            ("==00:00:00:00.534 12== b", Some(19)),
            ("oauth2==3.1\nsix==1.2 2==x ==7== y", Some(28)),
            ("oauth2==3.1", None),
            ("ERROR: AddressSanitizer", Some(14)),
            ("Direct leak of 4", Some(1)),
        ] {
            assert_eq!(markers.find(text.as_bytes()), want, "{text}");
        }
    }
}
