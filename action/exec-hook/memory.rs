//! Texts and arrays that need no allocator.

use core::ffi::{CStr, c_char};
use core::ptr::null;

use crate::libc::{self, Strings};

/// Maximum length of a path, as in Linux.
pub(crate) const PATH: usize = 4096;

/// Number of strings that an array holds on the stack.
const ON_STACK: usize = 256;

/// A text of limited length that ends with a zero, for C functions.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    is_cut: bool,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
            is_cut: false,
        }
    }

    /// Appends bytes. If they don't fit, [`Self::get`] returns `None` from then on.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> &mut Self {
        match self.bytes.get_mut(self.len..self.len + bytes.len() + 1) {
            Some(free) => {
                free[..bytes.len()].copy_from_slice(bytes);
                free[bytes.len()] = 0;
                self.len += bytes.len();
            }
            None => self.is_cut = true,
        }
        self
    }

    /// Appends a number in decimal.
    pub(crate) fn push_number(&mut self, number: u32) -> &mut Self {
        let mut digits = [0; 10];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b"0123456789"[(rest % 10) as usize];
            rest /= 10;
            if rest == 0 {
                return self.push(&digits[at..]);
            }
        }
    }

    /// Fills the text by a function that gets a buffer and its size, and returns the length.
    pub(crate) fn fill(&mut self, read: impl FnOnce(*mut c_char, usize) -> isize) {
        let length = read(self.bytes.as_mut_ptr().cast(), N - 1);
        self.len = usize::try_from(length).unwrap_or(0).min(N - 1);
        self.bytes[self.len] = 0;
    }

    /// Returns the bytes; `None` if some of them did not fit.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        (!self.is_cut).then(|| &self.bytes[..self.len])
    }

    pub(crate) const fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

/// An array of strings that ends with a null pointer.
pub(crate) struct Array<'a> {
    items: &'a mut [*const c_char],
    len: usize,
}

impl Array<'_> {
    pub(crate) fn push(&mut self, item: *const c_char) {
        if let Some(free) = self.items.get_mut(self.len) {
            *free = item;
        }
        self.len += 1;
    }

    /// Returns the array; `None` if some strings did not fit.
    pub(crate) fn get(&self) -> Option<Strings> {
        (self.len < self.items.len()).then_some(self.items.as_ptr())
    }
}

/// Calls a function with an empty array for fewer strings than `capacity`.
pub(crate) fn with_array<R>(capacity: usize, call: impl FnOnce(&mut Array<'_>) -> R) -> R {
    let mut on_stack = [null(); ON_STACK];
    if capacity <= ON_STACK {
        let items = &mut on_stack;
        return call(&mut Array { items, len: 0 });
    }
    let size = capacity * size_of::<*const c_char>();
    let mapped = libc::map(size);
    if mapped.is_null() {
        // Too small, so the caller goes on without it.
        let items = &mut [];
        return call(&mut Array { items, len: 0 });
    }
    // SAFETY: the memory has this size, is zeroed, and is unmapped after the last use.
    let items = unsafe { core::slice::from_raw_parts_mut(mapped.cast(), capacity) };
    let result = call(&mut Array { items, len: 0 });
    libc::unmap(mapped, size);
    result
}

/// Returns the strings of an array that ends with a null pointer.
///
/// # Safety
/// The array is null, or ends with a null pointer.
pub(crate) unsafe fn strings(array: Strings) -> impl Iterator<Item = *const c_char> {
    let mut at = 0;
    core::iter::from_fn(move || {
        if array.is_null() {
            return None;
        }
        // SAFETY: no item before this one was null.
        let item = unsafe { *array.add(at) };
        at += 1;
        (!item.is_null()).then_some(item)
    })
}

/// Returns the bytes of a string without its final zero.
///
/// # Safety
/// The string isn't null, ends with a zero, and lives as long as the result is used.
pub(crate) unsafe fn bytes<'a>(string: *const c_char) -> &'a [u8] {
    // SAFETY: the caller promises it.
    unsafe { CStr::from_ptr(string) }.to_bytes()
}

/// Returns true if the text contains the part, which isn't empty.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}
