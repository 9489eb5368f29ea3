//! Lock files in TOML: those of Cargo, Poetry, uv and PDM, and `pylock.toml`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::LockedPackage;

#[derive(Deserialize)]
struct Lock {
    #[serde(default, alias = "packages")]
    package: Vec<Package>,
}

/// A package. One without a version is a directory of the project.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
}

/// Returns the packages of a lock file.
pub(super) fn packages(text: &str) -> Result<Vec<LockedPackage>, String> {
    let lock: Lock = toml::from_str(text).map_err(|error| error.message().to_string())?;
    let packages = lock.package.into_iter();
    Ok(packages
        .filter_map(|package| Some(LockedPackage::new(package.name, package.version?)))
        .collect())
}
