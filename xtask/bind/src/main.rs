//! `xtask-bind MODULE FOLDER`: generates the JavaScript bindings of a WebAssembly module with
//! wasm-bindgen's library. Cargo guarantees that the module was compiled with the same version.
//!
//! Function names stay in the module, because a later step sorts functions by name.
//!
//! This is a separate package, because it takes longer to compile than the rest of xtask, and only
//! one command needs it.

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
