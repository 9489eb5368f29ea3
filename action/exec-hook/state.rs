//! How a program runs, as one word in the file of events.

use crate::config::Config;
use crate::environment;

/// The program runs under a checker.
pub(crate) const CHECKED: &[u8] = b"checked";

/// The program has no checker.
const UNCHECKED: &[u8] = b"unchecked";

/// The program has no checker, and takes the place of one that has begun a report.
const REPLACED: &[u8] = b"replaced";

/// Like [`UNCHECKED`], for a new process.
const SPAWNED: &[u8] = b"spawned";

/// Like [`REPLACED`], for a new process. It is a copy of its parent until its program starts.
const SPAWNED_BY_CHECKED: &[u8] = b"spawned-by-checked";

/// Returns the state of a program without a checker that replaces this one, or that this one is.
pub(crate) fn without_checker(config: Config) -> &'static [u8] {
    if has_begun_report(config) {
        REPLACED
    } else {
        UNCHECKED
    }
}

/// Returns the state of a program without a checker in a new process.
pub(crate) fn of_child_without_checker(config: Config) -> &'static [u8] {
    if has_begun_report(config) {
        SPAWNED_BY_CHECKED
    } else {
        SPAWNED
    }
}

/// Returns true if this process, or the program that it replaced, has begun a report.
pub(crate) fn has_begun_report(config: Config) -> bool {
    config.is_checked(environment::own_preload()) || environment::has_mark()
}
