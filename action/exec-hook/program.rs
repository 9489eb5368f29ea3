//! The programs that start, and the command of the helper that starts them in their place.

use core::ffi::c_char;

use crate::config::Config;
use crate::environment;
use crate::libc::{self, Strings};
use crate::memory::{PATH, Text, bytes, strings, with_array};

/// Returns the path to which a link leads.
pub(crate) fn link_target(link: *const c_char) -> Text<PATH> {
    let mut path = Text::new();
    // SAFETY: the link ends with a zero, and the buffer has this size.
    path.fill(|buffer, size| unsafe { libc::readlink(link, buffer, size) });
    path
}

/// What happens with a file that a process is about to start.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// It runs as it is. If it is a script, its interpreter is met when it starts.
    Unchanged,
    /// The helper starts it.
    ByHelper,
    /// The file can't be read, so it is only met when it starts.
    Unknown,
}

/// Returns what happens with a file. Only ELF programs need the helper.
pub(crate) fn decide(path: *const c_char, config: Config) -> Start {
    let mut magic = [0_u8; 4];
    // SAFETY: the path ends with a zero.
    let fd = unsafe { libc::open(path, libc::O_CLOEXEC) };
    if fd < 0 {
        return Start::Unknown;
    }
    let mut link = Text::<64>::new();
    link.push(b"/proc/self/fd/").push_number(fd.unsigned_abs());
    let target = link_target(link.as_ptr());
    // SAFETY: the descriptor is open, and unused afterwards; the buffer has this size.
    unsafe {
        libc::read(fd, magic.as_mut_ptr().cast(), magic.len());
        libc::close(fd);
    }
    let concerns = target.get().is_some_and(|target| config.concerns(target));
    if concerns && magic == *b"\x7fELF" {
        Start::ByHelper
    } else {
        Start::Unchanged
    }
}

/// Records that this process goes on as a program in this state.
pub(crate) fn record(state: &[u8], path: &[u8], config: Config) {
    // SAFETY: the function takes no arguments.
    let pid = unsafe { libc::getpid() };
    write_event(pid, &start_time(None), state, path, config);
}

/// Records that a process which this one has started began as a program in this state. The new
/// process may have recorded its own programs before.
pub(crate) fn record_spawned(pid: i32, state: &[u8], path: &[u8], config: Config) {
    write_event(pid, &start_time(Some(pid)), state, path, config);
}

fn write_event(pid: i32, start: &Text<STAT>, state: &[u8], path: &[u8], config: Config) {
    let mut line = Text::<{ PATH + 96 }>::new();
    line.push_number(pid.unsigned_abs()).push(b" ");
    line.push(start.get().unwrap_or_default()).push(b" ");
    line.push(state).push(b" ").push(path).push(b"\n");
    let Some(line) = line.get() else {
        return;
    };
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC;
    // SAFETY: the path ends with a zero, and the line has this size.
    unsafe {
        let fd = libc::open(config.events().as_ptr(), flags);
        if fd >= 0 {
            libc::write(fd, line.as_ptr().cast(), line.len());
            libc::close(fd);
        }
    }
}

/// Maximum size of a file `/proc/PID/stat`, in bytes.
const STAT: usize = 1024;

/// Returns when this process or a child started, in clock ticks since boot; `0` if that is unknown.
/// Together with the pid, the time identifies a process.
///
/// Source: `proc(5)` on `stat`.
fn start_time(child: Option<i32>) -> Text<STAT> {
    /// The state is field 3, the start time is field 22.
    const FIELDS_AFTER_NAME: usize = 19;
    let mut path = Text::<64>::new();
    path.push(b"/proc/");
    match child {
        None => path.push(b"self"),
        Some(pid) => path.push_number(pid.unsigned_abs()),
    };
    path.push(b"/stat");
    let mut stat = Text::<STAT>::new();
    // The folder may show the pids of another namespace.
    if child.is_none() || shows_own_pids() {
        // SAFETY: the path ends with a zero, and the buffer has this size.
        stat.fill(|buffer, size| unsafe {
            let fd = libc::open(path.as_ptr(), libc::O_CLOEXEC);
            let length = libc::read(fd, buffer.cast(), size);
            libc::close(fd);
            length
        });
    }
    // The name of the program is in parentheses, and may contain parentheses.
    let mut after_name = stat.get().unwrap_or_default().rsplit(|byte| *byte == b')');
    let fields = after_name.next().unwrap_or_default();
    let mut fields = fields.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let mut start = Text::new();
    start.push(fields.nth(FIELDS_AFTER_NAME).unwrap_or(b"0"));
    start
}

/// Returns true if `/proc` shows the pids of this process's namespace.
fn shows_own_pids() -> bool {
    let mut own = Text::<16>::new();
    // SAFETY: the function takes no arguments.
    own.push_number(unsafe { libc::getpid() }.unsigned_abs());
    link_target(c"/proc/self".as_ptr()).get() == own.get()
}

/// Calls a function with the path of the helper and the arguments with which it starts a program.
/// The function gets `None` if there are too many.
///
/// # Safety
/// The path ends with a zero, and the arguments are an array of strings that ends with a null
/// pointer.
pub(crate) unsafe fn with_helper<R>(
    path: *const c_char,
    argv: Strings,
    config: Config,
    call: impl FnOnce(Option<(*const c_char, Strings)>) -> R,
) -> R {
    // SAFETY: the caller promises it.
    let arguments = || unsafe { strings(argv) };
    let helper = config.helper().as_ptr();
    let name = arguments().next().unwrap_or(path);
    let start = [
        helper,
        c"exec".as_ptr(),
        config.private().as_ptr(),
        c"--as".as_ptr(),
        name,
        path,
    ];
    with_array(arguments().count() + start.len() + 1, |array| {
        start
            .into_iter()
            .chain(arguments().skip(1))
            .for_each(|item| array.push(item));
        call(array.get().map(|argv| (helper, argv)))
    })
}

/// Returns the path of a program as `execvp` finds it; `None` if there is none.
///
/// # Safety
/// The name ends with a zero.
pub(crate) unsafe fn search(name: *const c_char) -> Option<Text<PATH>> {
    // SAFETY: the caller promises it.
    let name = unsafe { bytes(name) };
    if name.contains(&b'/') {
        return None;
    }
    let folders = environment::own(b"PATH").unwrap_or(b"/bin:/usr/bin");
    folders.split(|byte| *byte == b':').find_map(|folder| {
        let mut path = Text::new();
        if !folder.is_empty() {
            path.push(folder).push(b"/");
        }
        path.push(name);
        path.get()?;
        // SAFETY: the path ends with a zero.
        (unsafe { libc::access(path.as_ptr(), libc::X_OK) } == 0).then_some(path)
    })
}
