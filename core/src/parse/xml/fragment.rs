//! Parts of an XML document whose beginning is missing.

use crate::bytes::trim_start;

/// Starts of the text of `<kind>` elements. The kinds of leaks are only prefixes.
const KINDS: &[&[u8]] = &[
    b"Leak_",
    b"InvalidRead<",
    b"InvalidWrite<",
    b"InvalidJump<",
    b"InvalidFree<",
    b"InvalidMemPool<",
    b"MismatchedFree<",
    b"UninitCondition<",
    b"UninitValue<",
    b"SyscallParam<",
    b"ClientCheck<",
    b"Overlap<",
    b"FishyValue<",
    b"ReallocSizeZero<",
    b"FdNotClosed<",
    b"FdBadClose<",
    b"FdBadUse<",
    b"Race<",
    b"UnlockUnlocked<",
    b"UnlockForeign<",
    b"UnlockBogus<",
    b"PthAPIerror<",
    b"LockOrder<",
    b"ConflictingAccess<",
    b"MutexErr<",
    b"CondErr<",
    b"CondRaceErr<",
    b"Misc<",
    b"Dubious<",
    b"FreeMemLock<",
    b"BarrierErr<",
    b"CondDestrErr<",
    b"CondWaitErr<",
    b"HoldtimeErr<",
    b"GenericErr<",
    b"SemaphoreErr<",
    b"RwlockErr<",
];

/// Returns true for a line of an error outside of any document, if no other XML contains such an
/// element.
pub(crate) fn is_fragment(text: &[u8]) -> bool {
    let text = trim_start(text);
    // At the end of a log the name itself may be cut.
    let is_cut = |name: &[u8]| !name.is_empty() && !name.contains(&b'<');
    let begins = |name: &[u8]| {
        KINDS
            .iter()
            .any(|kind| name.starts_with(kind) || (is_cut(name) && kind.starts_with(name)))
    };
    let kind = text
        .strip_prefix(b"<kind>")
        .is_some_and(|name| begins(name.trim_ascii_end()));
    let other = [
        &b"<unique>0x"[..],
        b"<fatal_signal>",
        b"<errorcounts>",
        b"<error_contexts>",
    ];
    kind || other.iter().any(|start| text.starts_with(start))
}
