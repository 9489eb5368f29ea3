//! The first code that a program runs.

use core::ffi::c_char;

use crate::config::{self, Config, PASSED};
use crate::environment::{self, Receiver};
use crate::libc;
use crate::memory::{PATH, Text, with_array};
use crate::program::{link_target, record, with_helper};
use crate::{spawn, state};

/// Maximum size of the command line of a program that is only met here, in bytes.
const COMMAND_LINE: usize = 1 << 20;

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let _errno = libc::Errno::keep();
    libc::resolve();
    let program = link_target(c"/proc/self/exe".as_ptr());
    let Some(path) = program.get() else {
        return;
    };
    config::load(path);
    let Some(config) = Config::get() else {
        return;
    };
    if config.is_checked(environment::own_preload()) {
        record(state::CHECKED, path, config);
        environment::mark_as_checked();
    } else if environment::checker_starts() {
        // The program that comes next matters.
    } else if !config.concerns(path) {
        record(state::without_checker(config), path, config);
        environment::remove_mark();
    } else if !is_passed(path) {
        replace(program.as_ptr(), config);
    }
}

/// Returns true if the helper decided that this process isn't checked.
fn is_passed(path: &[u8]) -> bool {
    // SAFETY: the function takes no arguments.
    let pid = unsafe { libc::getpid() };
    let mut own = Text::<{ PATH + 16 }>::new();
    own.push_number(pid.unsigned_abs()).push(b" ").push(path);
    own.get().is_some() && environment::own(PASSED.to_bytes()) == own.get()
}

/// Replaces this program by the helper, which starts it again.
fn replace(program: *const c_char, config: Config) {
    let buffer = libc::map(COMMAND_LINE);
    if buffer.is_null() {
        return;
    }
    // SAFETY: the memory has this size and is zeroed.
    let buffer = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), COMMAND_LINE) };
    let size = read_command_line(buffer);
    if size == COMMAND_LINE {
        return;
    }
    let line = &buffer[..size];
    let path = typed_path(line).unwrap_or(program);
    let count = line.iter().filter(|byte| **byte == 0).count();
    with_array(count + 1, |array| {
        let mut rest = line;
        for argument in line.split_inclusive(|byte| *byte == 0) {
            array.push(rest.as_ptr().cast());
            rest = &rest[argument.len()..];
        }
        let Some(argv) = array.get() else {
            return;
        };
        // SAFETY: all strings end with a zero, and all arrays with a null pointer.
        unsafe {
            environment::with_complete(libc::environ, Receiver::Helper, config, |envp| {
                with_helper(path, argv, config, |command| {
                    if let Some((helper, argv)) = command {
                        spawn::next_execve(helper, argv, envp);
                    }
                });
            });
        }
    });
}

/// Reads the arguments of this process, each with its final zero, and returns their size.
fn read_command_line(buffer: &mut [u8]) -> usize {
    let mut size = 0;
    // SAFETY: the path ends with a zero, and the rest of the buffer has this size.
    unsafe {
        let fd = libc::open(c"/proc/self/cmdline".as_ptr(), libc::O_CLOEXEC);
        while let Some(free) = buffer.get_mut(size..).filter(|free| !free.is_empty()) {
            match usize::try_from(libc::read(fd, free.as_mut_ptr().cast(), free.len())) {
                Ok(read) if read > 0 => size += read,
                _ => break,
            }
        }
        libc::close(fd);
    }
    size
}

/// Returns the first argument if it is a path of a program, as the user wrote it.
fn typed_path(line: &[u8]) -> Option<*const c_char> {
    let end = line.iter().position(|byte| *byte == 0)?;
    let typed = line[..end].as_ptr().cast();
    // SAFETY: the text ends with a zero.
    let exists = unsafe { libc::access(typed, libc::X_OK) } == 0;
    (line[..end].contains(&b'/') && exists).then_some(typed)
}
