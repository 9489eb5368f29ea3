//! Compiles the library that `leakgate run` preloads (`exec-hook/`), for Linux.
//!
//! The library must work with every version of glibc and musl, so it isn't linked to the C library
//! of this machine. Two empty libraries with the names of the C library take its place. musl takes
//! these names for itself, too.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of the C library.
const C_LIBRARIES: [&str; 2] = ["libc.so.6", "libdl.so.2"];

/// A library without any code.
const EMPTY: &str = "#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
";

fn main() {
    println!("cargo::rerun-if-changed=exec-hook");
    println!("cargo::rerun-if-changed=build.rs");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let library = out_dir.join("exec-hook.so");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    let is_built = is_linux
        && Linker::ALL
            .iter()
            .any(|linker| build(*linker, &out_dir, &library));
    if !is_built {
        // `leakgate run` then checks every program that the command starts.
        if is_linux {
            println!("cargo::warning=cannot link exec-hook: no linker works for this target");
        }
        std::fs::write(&library, "").unwrap_or_default();
    }
}

/// A linker that may be installed.
#[derive(Clone, Copy)]
enum Linker {
    /// LLVM's linker, which is a part of most Rust toolchains, and links for every system.
    Lld,
    /// A C compiler, as for the program itself.
    Compiler,
}

impl Linker {
    const ALL: [Self; 2] = [Self::Lld, Self::Compiler];

    /// Returns the arguments of rustc that choose the linker.
    fn choose(self) -> Vec<String> {
        match self {
            Self::Compiler => env::var("RUSTC_LINKER")
                .map(|linker| vec![format!("-Clinker={linker}")])
                .unwrap_or_default(),
            Self::Lld => vec!["-Clinker=rust-lld".into(), "-Clinker-flavor=ld.lld".into()],
        }
    }

    /// Returns an argument of rustc with an option of the linker.
    fn option(self, option: &str) -> String {
        match self {
            Self::Compiler => format!("-Clink-arg=-Wl,{option}"),
            Self::Lld => format!("-Clink-arg={option}"),
        }
    }
}

/// Compiles the library. Returns false if that fails.
fn build(linker: Linker, out_dir: &Path, library: &Path) -> bool {
    let empty = out_dir.join("empty.rs");
    let mut arguments: Vec<OsString> = Vec::new();
    for name in C_LIBRARIES {
        let path = out_dir.join(name);
        let soname = linker.option(&format!("-soname={name}")).into();
        let is_built =
            std::fs::write(&empty, EMPTY).is_ok() && compile(linker, &empty, &path, &[soname]);
        if !is_built {
            return false;
        }
        let mut argument = OsString::from("-Clink-arg=");
        argument.push(path);
        arguments.push(argument);
    }
    arguments.insert(0, linker.option("--no-as-needed").into());
    compile(linker, Path::new("exec-hook/lib.rs"), library, &arguments)
}

/// Compiles a file to a shared library without the C library.
fn compile(linker: Linker, source: &Path, library: &Path, arguments: &[OsString]) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "--crate-name=exec_hook",
        ])
        .args([
            "-Cpanic=abort",
            "-Copt-level=s",
            "-Clto=fat",
            "-Cstrip=symbols",
        ])
        .arg(format!(
            "--target={}",
            env::var("TARGET").unwrap_or_default()
        ))
        .args(linker.choose())
        .arg("-Clink-arg=-nostdlib")
        .args(arguments)
        .arg("-o")
        .arg(library)
        .arg(source);
    if env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "musl") {
        command.arg("-Ctarget-feature=-crt-static");
    }
    command.output().is_ok_and(|output| output.status.success())
}
