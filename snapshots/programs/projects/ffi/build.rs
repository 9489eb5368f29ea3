//! Builds the C library.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=c");
    if std::env::var_os("CARGO_FEATURE_FULL").is_none() {
        return;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let object = out.join("settings.o");
    run(Command::new("cc").args(["-g", "-O1", "-fno-omit-frame-pointer", "-fPIC", "-c", "c/settings.c", "-o"]).arg(&object));
    run(Command::new("ar").arg("rcs").arg(out.join("libsettings_c.a")).arg(&object));
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=settings_c");
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?} failed");
}
