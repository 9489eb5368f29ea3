//! The C functions that start programs. Each one calls the original, with the helper in place of a
//! program of the project, and with an environment that has the settings.
//!
//! The variadic functions (`execl` and its kin) are missing; their programs are met when they
//! start.

use core::ffi::{c_char, c_int, c_void};

use crate::config::Config;
use crate::environment::{self, Receiver, with_complete};
use crate::libc::{self, Errno, Strings};
use crate::memory::bytes;
use crate::program::{
    Start, decide, link_target, record, record_spawned, search, with_helper,
};
use crate::state;

type Exec = unsafe extern "C" fn(*const c_char, Strings, Strings) -> c_int;
type Spawn = unsafe extern "C" fn(
    *mut c_int,
    *const c_char,
    *const c_void,
    *const c_void,
    Strings,
    Strings,
) -> c_int;

const ENOSYS: c_int = 38;

/// Returns which program gets the environment.
fn receiver(start: Start) -> Receiver {
    match start {
        Start::ByHelper => Receiver::Helper,
        Start::Unchanged | Start::Unknown => Receiver::Program,
    }
}

/// Calls the C library's `execve`.
pub(crate) unsafe fn next_execve(path: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: these are the caller's arguments.
    unsafe { next_exec(&libc::EXECVE, path, argv, envp) }
}

/// Calls `execve` or `execvpe` of the C library.
unsafe fn next_exec(
    function: &libc::Hidden,
    name: *const c_char,
    argv: Strings,
    envp: Strings,
) -> c_int {
    let next = function.address();
    if next.is_null() {
        return -1;
    }
    // SAFETY: the C library's function has this type, and these are the caller's arguments.
    unsafe { core::mem::transmute::<*mut c_void, Exec>(next)(name, argv, envp) }
}

/// Replaces this process by a program. `path` is the file that the function finds for `name`.
unsafe fn exec(
    function: &libc::Hidden,
    name: *const c_char,
    path: *const c_char,
    argv: Strings,
    envp: Strings,
) -> c_int {
    // SAFETY: these are the caller's arguments, and what is made of them.
    unsafe {
        let Some(config) = Config::get() else {
            return next_exec(function, name, argv, envp);
        };
        let errno = Errno::keep();
        let start = decide(path, config);
        // A process whose checker starts counts as checked, even if its program never runs.
        let is_recorded = start == Start::Unchanged && !environment::checker_starts();
        if is_recorded {
            record(state::without_checker(config), bytes(path), config);
        }
        drop(errno);
        let result = with_complete(envp, receiver(start), config, |envp| match start {
            Start::ByHelper => with_helper(path, argv, config, |command| match command {
                Some((helper, argv)) => next_execve(helper, argv, envp),
                None => next_exec(function, name, argv, envp),
            }),
            _ => next_exec(function, name, argv, envp),
        });
        if is_recorded {
            record_failed_exec(config);
        }
        result
    }
}

/// Records that this process goes on as the checked program that it is, because another one could
/// not be started.
fn record_failed_exec(config: Config) {
    let _errno = Errno::keep();
    let program = link_target(c"/proc/self/exe".as_ptr());
    if let Some(path) = program.get()
        && config.is_checked(environment::own_preload())
    {
        record(state::CHECKED, path, config);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execve(path: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: these are the caller's arguments.
    unsafe { exec(&libc::EXECVE, path, path, argv, envp) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execv(path: *const c_char, argv: Strings) -> c_int {
    // SAFETY: these are the caller's arguments, and the environment of the process.
    unsafe { exec(&libc::EXECVE, path, path, argv, libc::environ) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvp(name: *const c_char, argv: Strings) -> c_int {
    // SAFETY: these are the caller's arguments, and the environment of the process.
    unsafe { execvpe(name, argv, libc::environ) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvpe(name: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: these are the caller's arguments.
    unsafe {
        let found = search(name);
        let path = found.as_ref().map_or(name, |path| path.as_ptr());
        exec(&libc::EXECVPE, name, path, argv, envp)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    pid: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    argv: Strings,
    envp: Strings,
) -> c_int {
    let call = SpawnCall {
        function: &libc::POSIX_SPAWN,
        pid,
        name: path,
        path,
        actions,
        attributes,
    };
    // SAFETY: these are the caller's arguments.
    unsafe { call.spawn(argv, envp) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    pid: *mut c_int,
    name: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    argv: Strings,
    envp: Strings,
) -> c_int {
    // SAFETY: these are the caller's arguments.
    unsafe {
        let found = search(name);
        let call = SpawnCall {
            function: &libc::POSIX_SPAWNP,
            pid,
            name,
            path: found.as_ref().map_or(name, |path| path.as_ptr()),
            actions,
            attributes,
        };
        call.spawn(argv, envp)
    }
}

/// The arguments of `posix_spawn` and `posix_spawnp`, except those of the new program.
struct SpawnCall {
    function: &'static libc::Hidden,
    pid: *mut c_int,
    name: *const c_char,
    /// The file that the function finds for the name.
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
}

impl SpawnCall {
    /// Starts a new process.
    unsafe fn spawn(&self, argv: Strings, envp: Strings) -> c_int {
        // SAFETY: these are the caller's arguments, and what is made of them.
        unsafe {
            let Some(config) = Config::get() else {
                return self.next(self.function, self.pid, self.name, argv, envp);
            };
            let mut own_pid = 0;
            let pid = if self.pid.is_null() {
                &raw mut own_pid
            } else {
                self.pid
            };
            let start = decide(self.path, config);
            let result = with_complete(envp, receiver(start), config, |envp| {
                if start != Start::ByHelper {
                    return self.next(self.function, pid, self.name, argv, envp);
                }
                with_helper(self.path, argv, config, |command| match command {
                    Some((helper, argv)) => self.next(&libc::POSIX_SPAWN, pid, helper, argv, envp),
                    None => self.next(self.function, pid, self.name, argv, envp),
                })
            });
            if result == 0 && start == Start::Unchanged {
                let _errno = Errno::keep();
                let state = state::of_child_without_checker(config);
                record_spawned(*pid, state, bytes(self.path), config);
            }
            result
        }
    }

    /// Calls a function of the C library.
    unsafe fn next(
        &self,
        function: &libc::Hidden,
        pid: *mut c_int,
        name: *const c_char,
        argv: Strings,
        envp: Strings,
    ) -> c_int {
        let next = function.address();
        if next.is_null() {
            return ENOSYS;
        }
        // SAFETY: the C library's functions have this type, and these are the caller's arguments.
        unsafe {
            let next = core::mem::transmute::<*mut c_void, Spawn>(next);
            next(pid, name, self.actions, self.attributes, argv, envp)
        }
    }
}
