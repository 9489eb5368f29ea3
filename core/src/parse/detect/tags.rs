//! The portable search for tags, which are a digit before `==`.

/// Returns the position of the first tag.
pub(super) fn find(text: &[u8]) -> Option<usize> {
    let from = match find_in_blocks(text) {
        Ok(at) => return Some(at),
        Err(rest) => rest,
    };
    (from..text.len()).find(|at| is_marker(&text[*at..]))
}

/// Returns true if the text begins with a marker.
fn is_marker(text: &[u8]) -> bool {
    matches!(text, [b'0'..=b'9', b'=', b'=', ..])
}

/// Searches as far as there are complete blocks.
///
/// # Errors
///
/// Returns the position where the search must continue if these contain no tag.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn find_in_blocks(text: &[u8]) -> Result<usize, usize> {
    use core::arch::wasm32::{
        u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u8x16_sub, v128, v128_and, v128_any_true,
    };

    let is = |bytes: v128, byte: u8| u8x16_eq(bytes, u8x16_splat(byte));
    let mut at = 0;
    while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<18>) {
        let a = vector(window, 0);
        let b = vector(window, 1);
        let c = vector(window, 2);
        let digit = u8x16_lt(u8x16_sub(a, u8x16_splat(b'0')), u8x16_splat(10));
        let found = v128_and(v128_and(digit, is(b, b'=')), is(c, b'='));
        if v128_any_true(found) {
            let mut matches = u8x16_bitmask(found);
            while matches != 0 {
                let position = at + matches.trailing_zeros() as usize;
                if is_marker(&text[position..]) {
                    return Ok(position);
                }
                matches &= matches - 1;
            }
        }
        at += 16;
    }
    Err(at)
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn find_in_blocks(_: &[u8]) -> Result<usize, usize> {
    Err(0)
}

/// Loads 16 bytes. No safe function does that, but the compiler turns this into a single load.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn vector(window: &[u8; 18], at: usize) -> core::arch::wasm32::v128 {
    let w = window;
    let half = |at: usize| {
        u64::from_le_bytes([
            w[at],
            w[at + 1],
            w[at + 2],
            w[at + 3],
            w[at + 4],
            w[at + 5],
            w[at + 6],
            w[at + 7],
        ])
    };
    core::arch::wasm32::u64x2(half(at), half(at + 8))
}
