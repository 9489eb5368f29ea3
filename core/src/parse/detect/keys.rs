//! The search for markers without a library: for WebAssembly, where `aho-corasick` has no vectorised search, and for processors
//! without vector units.
//!
//! Each marker holds one of a few keys of three bytes. Tables tell of each half of a byte which groups of keys have it at which
//! place; a key may stand where all six agree. That is asked for sixteen places at once where vectors are, and what is found so
//! is held against the markers themselves.

use alloc::vec::Vec;

use super::MARKERS;

/// How long a key is.
const LENGTH: usize = 3;

/// The keys, in as many groups as a byte has bits. Groups and keys are such that few other texts agree with them.
const GROUPS: [&[&str]; 8] = [
    &["0==", "1==", "2==", "3==", "4==", "5==", "6==", "7==", "8==", "9=="],
    &["San", "=\0="],
    &["Uni", "Sup"],
    &["k o"],
    &["lgr"],
    &["<un", "<ki"],
    &["<fa", "<er"],
    &[": r", "ubs"],
];

/// For each value of half a byte, the groups that have it.
type Halves = [u8; 16];

/// Finds markers by their keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    upper: [Halves; LENGTH],
    lower: [Halves; LENGTH],
    /// Each marker, and how far behind its start its key stands.
    markers: Vec<(&'static [u8], usize)>,
}

impl Default for Keys {
    fn default() -> Self {
        let mut keys = Self { upper: [[0; 16]; LENGTH], lower: [[0; 16]; LENGTH], markers: Vec::new() };
        for (group, texts) in GROUPS.iter().enumerate() {
            for text in *texts {
                for (place, byte) in text.bytes().take(LENGTH).enumerate() {
                    keys.upper[place][usize::from(byte >> 4)] |= 1 << group;
                    keys.lower[place][usize::from(byte & 15)] |= 1 << group;
                }
            }
        }
        let texts = || GROUPS.iter().copied().flatten();
        keys.markers
            .extend(MARKERS.iter().map(|marker| (marker.as_bytes(), texts().find_map(|key| marker.find(key)).unwrap_or(0))));
        keys
    }
}

impl Keys {
    /// Where the first marker begins whose key comes first.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = self.candidate(text, from)?;
            if let Some(start) = self.marker_at(text, at) {
                return Some(start);
            }
            from = at + 1;
        }
    }

    /// The start of a marker whose key stands here.
    fn marker_at(&self, text: &[u8], at: usize) -> Option<usize> {
        self.markers.iter().find_map(|(marker, offset)| {
            let start = at.checked_sub(*offset)?;
            text[start..].starts_with(marker).then_some(start)
        })
    }

    /// The next place where a key may stand.
    fn candidate(&self, text: &[u8], from: usize) -> Option<usize> {
        let from = match self.blocks(text, from) {
            Ok(at) => return Some(at),
            Err(rest) => rest,
        };
        let agree =
            |place: usize, byte: u8| self.upper[place][usize::from(byte >> 4)] & self.lower[place][usize::from(byte & 15)];
        let found = |key: &[u8]| agree(0, key[0]) & agree(1, key[1]) & agree(2, key[2]) != 0;
        text[from..].windows(LENGTH).position(found).map(|at| from + at)
    }

    /// The same as far as there are whole blocks; else where the search goes on.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn blocks(&self, text: &[u8], from: usize) -> Result<usize, usize> {
        use core::arch::wasm32::{i8x16_bitmask, i8x16_swizzle, u8x16_eq, u8x16_shr, u8x16_splat, v128, v128_and, v128_any_true};

        let [first, second, third] = [0, 1, 2].map(|place| (vector(&self.upper[place]), vector(&self.lower[place])));
        let low = u8x16_splat(15);
        let agree = |(upper, lower): (v128, v128), bytes: v128| {
            v128_and(i8x16_swizzle(upper, u8x16_shr(bytes, 4)), i8x16_swizzle(lower, v128_and(bytes, low)))
        };
        let mut at = from;
        while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<{ 15 + LENGTH }>) {
            let [a, b, c] = [0, 1, 2].map(|place| vector(&window[place..]));
            let groups = v128_and(v128_and(agree(first, a), agree(second, b)), agree(third, c));
            if v128_any_true(groups) {
                let none = i8x16_bitmask(u8x16_eq(groups, u8x16_splat(0)));
                return Ok(at + none.trailing_ones() as usize);
            }
            at += 16;
        }
        Err(at)
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    fn blocks(&self, _text: &[u8], from: usize) -> Result<usize, usize> {
        Err(from)
    }
}

/// Sixteen bytes. There is no safe way to load them at once, and the compiler makes one of this.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn vector(bytes: &[u8]) -> core::arch::wasm32::v128 {
    let half = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |half| u64::from_le_bytes(*half));
    core::arch::wasm32::u64x2(half(0), half(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_holds_a_key_and_is_found_by_it() {
        let keys = Keys::default();
        for marker in MARKERS {
            assert!(GROUPS.iter().copied().flatten().any(|key| marker.contains(key) && key.len() == LENGTH), "{marker:?}");
            for before in ["", "a", "1= ", "some text before it, and a line\n", "valgrin"] {
                let text = alloc::format!("{before}{marker}");
                assert_eq!(keys.find(text.as_bytes()), Some(before.len()), "{text:?}");
                assert_eq!(keys.find(&text.as_bytes()[..text.len() - 1]), None, "{text:?}");
            }
        }
    }
}
