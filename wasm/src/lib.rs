//! leakgate's core for browsers and Node: logs go in, in chunks, and a verdict and documents come
//! out. Nothing is sent anywhere.
//!
//! ```text
//! Session: begin, feed, … finish -> Report: judge(options), as often as wanted -> Judged: outcome, documents, changes, entries
//! ```
//!
//! Whatever is wrong comes back as an error of JavaScript; the types of what goes in and out are in
//! `types.d.ts`. What needs no JavaScript is kept apart from what does, so that it is tested
//! without one.

mod boundary;
mod documents;
mod judged;
mod mistakes;
mod options;
mod report;
mod session;

use leakgate_core::emit::Format;
use wasm_bindgen::prelude::wasm_bindgen;

pub use self::documents::{compare, merge};
pub use self::judged::Judged;
pub use self::report::Report;
pub use self::session::Session;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// The version of leakgate.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The names of all formats of documents.
#[wasm_bindgen(unchecked_return_type = "Format[]")]
pub fn formats() -> Vec<String> {
    Format::ALL
        .iter()
        .map(|format| format.as_str().to_owned())
        .collect()
}

/// The names of all built-in packs of rules.
#[wasm_bindgen(unchecked_return_type = "Pack[]")]
pub fn packs() -> Vec<String> {
    leakgate_core::packs()
        .iter()
        .map(|pack| pack.name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = include_str!("types.d.ts");

    /// A type of JavaScript that is a choice of words.
    fn words(name: &str) -> Vec<String> {
        let (_, rest) = TYPES.split_once(&format!("export type {name} =")).unwrap();
        let (choice, _) = rest.split_once(';').unwrap();
        choice
            .split('|')
            .map(|word| word.trim().trim_matches('\'').to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    }

    #[test]
    fn the_types_name_what_there_is() {
        assert_eq!(words("Format"), formats());
        let languages: Vec<&str> = leakgate_core::Language::ALL
            .iter()
            .map(|l| l.as_str())
            .collect();
        assert_eq!(words("Language"), languages);
        assert_eq!(words("Pack"), packs());
    }
}
