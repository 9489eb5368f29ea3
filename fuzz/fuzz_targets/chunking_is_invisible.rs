//! The report doesn't depend on how a log is split into chunks. The first eight bytes choose four
//! splits.
#![no_main]

mod judged;

use leakgate_core::emit::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let mut cuts: Vec<usize> = choice
        .chunks(2)
        .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % (text.len() + 1))
        .collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let chunks = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]);
    let whole = judged::document([text].into_iter(), Format::Json);
    assert_eq!(whole, judged::document(chunks, Format::Json));
});
