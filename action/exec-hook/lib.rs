//! A library that `leakgate run` preloads into the command and everything that it starts.
//!
//! Programs of the system, such as shells and compilers, run as usual. A program of the project is
//! replaced by `leakgate exec`, which starts it under its checker. There are two ways to meet a
//! program: the functions that start one ([`spawn`]), and the first code that a program runs
//! ([`start`]). The second one needs no cooperation of the caller, which may be statically linked;
//! the first one meets statically linked programs, and callers that empty the environment.
//!
//! `build.rs` compiles this crate, and the program contains the result. It doesn't use Rust's
//! standard library, and it names no version of a C function, so that one file works with every
//! version of glibc and musl. It allocates no memory, because it may run between `vfork` and
//! `exec`.

#![no_std]

mod config;
mod environment;
mod libc;
mod memory;
mod program;
mod spawn;
mod start;
mod state;

// Rust's core library refers to this function, which only unwinding calls. It must not replace the
// function of a Rust program.
core::arch::global_asm!(
    ".globl rust_eh_personality",
    ".hidden rust_eh_personality",
    "rust_eh_personality:",
);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: `abort` takes no arguments.
    unsafe { libc::abort() }
}
