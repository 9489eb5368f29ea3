//! Parses arbitrary bytes: every log gets a verdict and reports, and nothing panics.
#![no_main]

mod judged;

use leakgate_core::emit::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for format in Format::ALL {
        let document = judged::document([text].into_iter(), *format);
        // A log without leaks has no stacks to fold.
        assert!(!document.is_empty() || *format == Format::Folded);
    }
});
