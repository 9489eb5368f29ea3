//! Built-in packs of rules for known benign leaks; none is on unless it is named.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Rule;
use super::config::read_pack;
use crate::mistake::Mistake;

/// A pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! table {
    ($($name:literal),* $(,)?) => {
        &[$(Pack { name: $name, text: include_str!(concat!("packs/", $name, ".toml")) }),*]
    };
}

// A constant would put the texts into the program at every place that names it.
static PACKS: &[Pack] = table!(
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

/// Every pack.
pub fn packs() -> &'static [Pack] {
    PACKS
}

impl Pack {
    /// The pack of this name.
    pub fn named(name: &str) -> Option<Self> {
        PACKS.iter().find(|p| p.name == name).copied()
    }

    /// The rules, named `pack/rule`, and what the pack is for.
    ///
    /// # Errors
    /// Mistakes in the built-in table; a test holds that there are none.
    pub fn read(self) -> Result<(String, Vec<Rule>), Vec<Mistake>> {
        let (description, mut rules) = read_pack(&format!("pack {}", self.name), self.text)?;
        for rule in &mut rules {
            rule.id = format!("{}/{}", self.name, rule.id);
        }
        Ok((description, rules))
    }
}
