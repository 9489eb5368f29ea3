//! leakgate's core for browsers and Node. It parses logs in chunks and returns a verdict and
//! reports. It sends nothing anywhere.
//!
//! ```text
//! Session: begin, feed, ..., finish
//!   -> Report: judge(options), any number of times
//!   -> Judged: outcome, document, changes, entry
//! ```
//!
//! Failures are JavaScript errors. `types.d.ts` has the types of arguments and results. Code that
//! needs JavaScript is separate from the rest, which is therefore tested natively.

mod boundary;
mod diagnostics;
mod documents;
mod judged;
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

/// Returns the version of leakgate.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Returns the names of all report formats.
#[wasm_bindgen(unchecked_return_type = "Format[]")]
pub fn formats() -> Vec<String> {
    Format::ALL
        .iter()
        .map(|format| format.as_str().to_owned())
        .collect()
}

/// Returns the names of all built-in rule packs.
#[wasm_bindgen(unchecked_return_type = "Pack[]")]
pub fn packs() -> Vec<String> {
    leakgate_core::rules::packs()
        .iter()
        .map(|pack| pack.name.to_owned())
        .collect()
}

/// A LeakSanitizer log with one leak.
#[cfg(test)]
const LEAK_LOG: &[u8] = b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
    Direct leak of 4 byte(s) in 1 object(s) allocated from:\n\
    \x20   #0 0x51 in make /src/a.c:3:9\n    #1 0x52 in main /src/a.c:9:9\n\n\
    SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = include_str!("types.d.ts");

    /// Returns the strings of a TypeScript union type.
    fn union_members(name: &str) -> Vec<String> {
        let (_, rest) = TYPES.split_once(&format!("export type {name} =")).unwrap();
        let (union, _) = rest.split_once(';').unwrap();
        union
            .split('|')
            .map(|member| member.trim().trim_matches('\'').to_owned())
            .filter(|member| !member.is_empty())
            .collect()
    }

    #[test]
    fn typescript_unions_match_core() {
        assert_eq!(union_members("Format"), formats());
        let syntaxes: Vec<&str> = leakgate_core::suppress::RuleSyntax::ALL
            .iter()
            .map(|syntax| syntax.as_str())
            .collect();
        assert_eq!(union_members("Language"), syntaxes);
        assert_eq!(union_members("Pack"), packs());
    }
}
