//! Compiles expressions. What it writes is never executed, so that there is no unsafe code in an
//! example.

/// Pages of code.
pub mod memory {
    use std::mem::ManuallyDrop;

    /// A page of code.
    pub struct Page {
        bytes: ManuallyDrop<Box<[u8; 4096]>>,
    }

    impl Page {
        /// A page. It is never given back: somebody may still hold a pointer to a function in it.
        #[inline(never)]
        pub fn allocate() -> Self {
            Self { bytes: ManuallyDrop::new(Box::new([0xc3; 4096])) }
        }

        /// The first instruction.
        pub fn entry(&self) -> u8 {
            self.bytes[0]
        }
    }
}
