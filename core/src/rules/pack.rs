//! Built-in packs of rules for known benign findings. A pack applies only if the configuration
//! names it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Rule;
use super::config::read_pack;
use crate::diagnostic::Diagnostic;
use crate::full;

/// A built-in pack of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Name of the pack.
    pub name: &'static str,
}

/// Defines the packs and, in the same order, their texts. The page lists the names before it loads
/// any text.
macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        static PACKS: &[Pack] = &[$(Pack { name: $name }),*];

        // A constant would embed the texts at every place that uses it.
        static TEXTS: &[&str] = &[$(include_str!(concat!("packs/", $name, ".toml"))),*];
    };
}

tables!(
    "python",
    "pyo3",
    "rust-std",
    "tokio",
    "glib",
    "gtk-fontconfig",
    "openssl",
    "libstdcxx",
    "dlopen",
    "openmp",
    "cranelift",
    "jvm",
    "go",
    "macos-objc",
    "postgres",
);

/// Returns all packs.
///
/// ```
/// use leakgate_core::rules::{Pack, packs};
///
/// assert!(packs().iter().any(|pack| pack.name == "glib"));
/// let (description, rules) = Pack::find("glib").unwrap().read().unwrap();
/// assert!(!description.is_empty() && !rules.is_empty());
/// ```
pub fn packs() -> &'static [Pack] {
    PACKS
}

impl Pack {
    /// Returns the pack with this name, or `None` if no pack has it.
    pub fn find(name: &str) -> Option<Self> {
        PACKS.iter().find(|p| p.name == name).copied()
    }

    /// Parses the pack. Returns its description and its rules, whose ids are `PACK/RULE`.
    ///
    /// # Errors
    /// Returns the errors in the built-in text. A test checks that it has none.
    pub fn read(self) -> Result<(String, Vec<Rule>), Vec<Diagnostic>> {
        full::require();
        let at = PACKS.iter().position(|pack| *pack == self);
        let text = at.and_then(|at| TEXTS.get(at)).copied();
        let name = format!("pack {}", self.name);
        let (description, mut rules) = read_pack(&name, text.unwrap_or_default())?;
        for rule in &mut rules {
            rule.id = format!("{}/{}", self.name, rule.id);
        }
        Ok((description, rules))
    }
}
