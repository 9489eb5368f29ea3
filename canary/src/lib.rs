//! Leaks a block on purpose. If a memory checker does not report it, the checker did not look for
//! leaks.
//!
//! A sanitizer is part of the program and prints nothing if it finds nothing. A known leak shows
//! whether the sanitizer was built in, whether it checks for leaks, and whether a suppression hides
//! all leaks. `leakgate run` runs its own canary under valgrind and hardened allocators. It cannot
//! create one for programs that are built with their checker, so these use this crate.
//!
//! ```
//! leakgate_canary::leak();
//! ```
//!
//! The README of this package contains the rule that accepts the leak and fails a run that does not
//! report it.

#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::hint::black_box;

/// Size of the leaked block, in bytes. The rule contains the same number.
pub const BYTES: usize = 4242;

/// Leaks [`BYTES`] bytes. Call it once, in one test.
///
/// It is never inlined, so that its name is in the stack of the allocation. The block is hidden
/// from the optimizer, so that the allocation is not removed.
#[inline(never)]
pub fn leak() {
    core::mem::forget(black_box(Box::new([1_u8; BYTES])));
    sweep();
}

/// Overwrites values that the allocator has left on the stack, because a checker treats any value
/// that looks like a pointer to the block as a pointer to it.
#[inline(never)]
fn sweep() {
    black_box([0_u8; 4096]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn header_and_rule_contain_the_same_size() {
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
