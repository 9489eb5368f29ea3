//! `xtask-bind MODULE FOLDER`: the glue between a WebAssembly module and JavaScript, by the library
//! of wasm-bindgen, which cargo keeps at the version that the module was compiled with.
//!
//! Names stay in the module, for functions are sorted by them later.
//!
//! A package of its own, for it takes longer to compile than all other chores together, and only
//! one of them needs it.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(module), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: xtask-bind MODULE FOLDER".into());
    };
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(true)
        .out_name("leakgate")
        .omit_default_module_path(false)
        .remove_producers_section(true)
        .generate(folder)?;
    Ok(())
}
