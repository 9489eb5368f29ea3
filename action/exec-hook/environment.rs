//! The environments of programs that are about to start.

use core::ffi::{CStr, c_char};

use crate::config::{CHECKED, CHECKER_STARTS, Config, PASSED, VARIABLE};
use crate::libc::{self, Strings};
use crate::memory::{Text, bytes, contains, strings, with_array};
use crate::state;

/// Maximum length of `LD_PRELOAD` that the library changes.
const PRELOAD_SIZE: usize = 2048;

const PRELOAD: &[u8] = b"LD_PRELOAD";

/// The mark of a program that a checked one starts: [`PASSED`] with the value [`CHECKED`].
const MARK: &CStr = c"LEAKGATE_PASSED=checked";

/// The variable with `LD_PRELOAD` of the program that the helper starts.
const PRELOAD_OF_PROGRAM: &[u8] = b"LEAKGATE_PRELOAD";

/// Returns the value of a variable of this process.
pub(crate) fn own(name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: the environment of a process ends with a null pointer. It may change later; nothing
    // is kept.
    unsafe { strings(libc::environ) }.find_map(|item| value(item, name))
}

/// Returns the value of `LD_PRELOAD` of this process.
pub(crate) fn own_preload() -> &'static [u8] {
    own(PRELOAD).unwrap_or_default()
}

/// Returns true if this process belongs to a checker that is about to start its program.
pub(crate) fn checker_starts() -> bool {
    own(PASSED.to_bytes()) == Some(CHECKER_STARTS)
}

/// Returns true if this program, or the one that it replaced, runs under a checker.
pub(crate) fn has_mark() -> bool {
    own(PASSED.to_bytes()) == Some(CHECKED)
}

/// Marks the programs that this checked one starts. The variable is changed in place, because a
/// new one would be memory that the checker sees.
pub(crate) fn mark_as_checked() {
    if let Some(passed) = own(PASSED.to_bytes())
        && passed == CHECKER_STARTS
    {
        let place = passed.as_ptr().cast_mut();
        // SAFETY: the environment is writable, the text has this length, and the program has no
        // other threads yet.
        unsafe { place.copy_from_nonoverlapping(CHECKED.as_ptr(), CHECKED.len()) };
    }
}

/// Removes the mark. Programs that this one starts replace no checked program.
pub(crate) fn remove_mark() {
    // SAFETY: the name ends with a zero, and the program has no other threads yet.
    unsafe { libc::unsetenv(PASSED.as_ptr()) };
}

/// Returns the value if a string has the form `NAME=VALUE`.
fn value(item: *const c_char, name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: environments consist of strings that end with a zero.
    let item = unsafe { bytes(item) };
    item.strip_prefix(name)?.strip_prefix(b"=")
}

/// The program that gets an environment.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Receiver {
    /// The program itself, into which this library is loaded.
    Program,
    /// The helper, into which no library of the program may be loaded. It gets `LD_PRELOAD` under
    /// another name.
    Helper,
}

/// Calls a function with the caller's environment and what it lacks: the settings, this library in
/// `LD_PRELOAD`, and the mark of a checked program.
///
/// # Safety
/// The environment is null, or an array of strings that ends with a null pointer.
pub(crate) unsafe fn with_complete<R>(
    envp: Strings,
    receiver: Receiver,
    config: Config,
    call: impl FnOnce(Strings) -> R,
) -> R {
    // SAFETY: the caller promises it.
    let items = || unsafe { strings(envp) };
    let find = |name| items().find_map(|item| value(item, name));
    let preload = find(PRELOAD).unwrap_or_default();
    let has_library = contains(preload, config.library());
    let lacks_mark = find(PASSED.to_bytes()).is_none() && state::has_begun_report(config);
    let is_complete = find(VARIABLE).is_some() && has_library && !lacks_mark;
    if receiver == Receiver::Program && is_complete {
        return call(envp);
    }
    let mut changed = Text::<PRELOAD_SIZE>::new();
    changed.push(match receiver {
        Receiver::Program => PRELOAD,
        Receiver::Helper => PRELOAD_OF_PROGRAM,
    });
    changed.push(b"=");
    if preload.is_empty() {
        changed.push(config.preload());
    } else if has_library {
        changed.push(preload);
    } else {
        changed.push(preload).push(b":").push(config.library());
    }
    if changed.get().is_none() {
        return call(envp);
    }
    let replaced = [PRELOAD, PRELOAD_OF_PROGRAM, VARIABLE];
    let is_kept = |item: &*const c_char| replaced.iter().all(|name| value(*item, name).is_none());
    with_array(items().count() + 4, |array| {
        items().filter(is_kept).for_each(|item| array.push(item));
        if lacks_mark {
            array.push(MARK.as_ptr());
        }
        array.push(changed.as_ptr());
        array.push(config.variable());
        call(array.get().unwrap_or(envp))
    })
}
