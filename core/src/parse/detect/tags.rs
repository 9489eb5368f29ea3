//! The search for tags without a library: a digit before `==`; and for `==` in UTF-16.

/// Where the first one begins.
pub(super) fn find(text: &[u8]) -> Option<usize> {
    let from = match blocks(text) {
        Ok(at) => return Some(at),
        Err(rest) => rest,
    };
    (from..text.len()).find(|at| stands(&text[*at..]))
}

fn stands(text: &[u8]) -> bool {
    matches!(text, [b'0'..=b'9', b'=', b'=', ..] | [b'=', 0, b'=', 0, ..])
}

/// The same as far as there are whole blocks; else where the search goes on.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn blocks(text: &[u8]) -> Result<usize, usize> {
    use core::arch::wasm32::{
        u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u8x16_sub, v128, v128_and, v128_any_true,
        v128_or,
    };

    let is = |bytes: v128, byte: u8| u8x16_eq(bytes, u8x16_splat(byte));
    let mut at = 0;
    while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<18>) {
        let (a, b, c) = (vector(window, 0), vector(window, 1), vector(window, 2));
        let digit = u8x16_lt(u8x16_sub(a, u8x16_splat(b'0')), u8x16_splat(10));
        let tag = v128_and(digit, is(b, b'='));
        let wide = v128_and(is(a, b'='), is(b, 0));
        let found = v128_and(v128_or(tag, wide), is(c, b'='));
        if v128_any_true(found) {
            let mut places = u8x16_bitmask(found);
            while places != 0 {
                let place = at + places.trailing_zeros() as usize;
                if stands(&text[place..]) {
                    return Ok(place);
                }
                places &= places - 1;
            }
        }
        at += 16;
    }
    Err(at)
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn blocks(_: &[u8]) -> Result<usize, usize> {
    Err(0)
}

/// Sixteen bytes. There is no safe way to load them at once, and the compiler makes one of this.
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
