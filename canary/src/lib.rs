//! A leak on purpose: a run under a memory checker that does not report it has not looked.
//!
//! A sanitizer is a part of the program, and says nothing where it finds nothing. Whether it was
//! built in, whether it looks for leaks, and whether a suppression hides them all can be told by a
//! leak that is known. `leakgate run` sends a canary of its own through valgrind and
//! hardened allocators; of programs that are built for their checker it can't make one, and this
//! stands in for it.
//!
//! ```
//! leakgate_canary::leak();
//! ```
//!
//! The rule that accepts it, and that fails a run in which it does not come back, is in this
//! package's README.

#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::hint::black_box;

/// How much is leaked, in one block. The rule says the same number.
pub const BYTES: usize = 4242;

/// Leaks [`BYTES`] bytes. Call it once, in one test.
///
/// It is never inlined, so that its name is in the stack of the allocation, and the block is shown
/// to the optimiser as something that it can't know, so that it is really allocated.
#[inline(never)]
pub fn leak() {
    core::mem::forget(black_box(Box::new([1_u8; BYTES])));
    sweep();
}

/// Overwrites what the allocator has left on the stack: a checker takes whatever looks like a
/// pointer to the block for one.
#[inline(never)]
fn sweep() {
    black_box([0_u8; 4096]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_and_the_rule_say_the_same_size() {
        let [header, readme] = [
            include_str!("../leakgate_canary.h"),
            include_str!("../README.md"),
        ];
        assert!(header.contains(&alloc::format!(
            "#define LEAKGATE_CANARY_BYTES {}\n",
            super::BYTES
        )));
        assert!(readme.contains(&alloc::format!("\nbytes = {}\n", super::BYTES)));
    }
}
