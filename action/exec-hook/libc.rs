//! The C functions that the library calls.

use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

pub(crate) type Strings = *const *const c_char;

pub(crate) const O_WRONLY: c_int = 1;
pub(crate) const O_APPEND: c_int = 0o2000;
pub(crate) const O_CLOEXEC: c_int = 0o2_000_000;
pub(crate) const X_OK: c_int = 1;

const PROT_READ_WRITE: c_int = 3;
const MAP_PRIVATE_ANONYMOUS: c_int = 0x22;
const MAP_FAILED: *mut c_void = -1_isize as *mut c_void;

/// The next definition of a symbol after this library.
const RTLD_NEXT: *mut c_void = -1_isize as *mut c_void;

unsafe extern "C" {
    pub(crate) static environ: Strings;

    pub(crate) fn abort() -> !;
    pub(crate) fn access(path: *const c_char, mode: c_int) -> c_int;
    pub(crate) fn close(fd: c_int) -> c_int;
    pub(crate) fn getpid() -> c_int;
    pub(crate) fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub(crate) fn read(fd: c_int, buffer: *mut c_void, size: usize) -> isize;
    pub(crate) fn readlink(path: *const c_char, buffer: *mut c_char, size: usize) -> isize;
    pub(crate) fn unsetenv(name: *const c_char) -> c_int;
    pub(crate) fn write(fd: c_int, buffer: *const c_void, size: usize) -> isize;
    fn __errno_location() -> *mut c_int;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn mmap(
        address: *mut c_void,
        size: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(address: *mut c_void, size: usize) -> c_int;
}

/// A function of the C library that this library hides.
pub(crate) struct Hidden {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

pub(crate) static EXECVE: Hidden = Hidden::new(c"execve");
pub(crate) static EXECVPE: Hidden = Hidden::new(c"execvpe");
pub(crate) static POSIX_SPAWN: Hidden = Hidden::new(c"posix_spawn");
pub(crate) static POSIX_SPAWNP: Hidden = Hidden::new(c"posix_spawnp");

impl Hidden {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: AtomicPtr::new(null_mut()),
        }
    }

    /// Returns the address of the function; null if there is none.
    pub(crate) fn address(&self) -> *mut c_void {
        let known = self.address.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name ends with a zero.
        let found = unsafe { dlsym(RTLD_NEXT, self.name.as_ptr()) };
        self.address.store(found, Ordering::Relaxed);
        found
    }
}

/// Looks all functions up. After `fork`, another thread of the parent may hold the lock of the
/// dynamic loader forever.
pub(crate) fn resolve() {
    for function in [&EXECVE, &EXECVPE, &POSIX_SPAWN, &POSIX_SPAWNP] {
        function.address();
    }
}

/// Returns zeroed memory; null if there is none.
pub(crate) fn map(size: usize) -> *mut c_void {
    // SAFETY: the system chooses an unused address.
    let address = unsafe {
        mmap(
            null_mut(),
            size,
            PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == MAP_FAILED {
        null_mut()
    } else {
        address
    }
}

/// Returns memory of [`map`].
pub(crate) fn unmap(address: *mut c_void, size: usize) {
    // SAFETY: the memory is not used any more.
    unsafe { munmap(address, size) };
}

/// Keeps `errno` as it is while the library works. The caller may look at it later.
pub(crate) struct Errno(c_int);

impl Errno {
    pub(crate) fn keep() -> Self {
        // SAFETY: the function returns a valid address in every thread.
        Self(unsafe { *__errno_location() })
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { *__errno_location() = self.0 };
    }
}
