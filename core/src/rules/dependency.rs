//! Rules that are tied to a version of a dependency, and why a rule no longer accepts anything.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;

use super::ReadError;
use crate::lock_file::LockFile;

/// A version of a dependency, as in `while = { package = "pyo3", version = "0.27" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the package.
    pub package: String,
    /// The first numbers of the version: `0.27` means 0.27 and every 0.27.x.
    pub version: String,
    /// The lock file, relative to the configuration. `None` means every lock file of the project.
    pub file: Option<String>,
}

/// Formats the dependency as `pyo3 0.27`.
impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.package, self.version)
    }
}

impl Dependency {
    /// Returns true if a locked version is the one that is meant.
    ///
    /// ```
    /// use leakgate_core::rules::Dependency;
    ///
    /// let pyo3 = Dependency { package: "pyo3".into(), version: "0.27".into(), file: None };
    /// assert!(pyo3.accepts("0.27") && pyo3.accepts("0.27.1"));
    /// assert!(!pyo3.accepts("0.28.0") && !pyo3.accepts("0.270.0") && !pyo3.accepts("1.0.27"));
    /// ```
    pub fn accepts(&self, locked: &str) -> bool {
        // Build metadata doesn't distinguish versions: `1.3.0+zlib.1`.
        let locked = match self.version.contains('+') {
            true => locked,
            false => locked.split('+').next().unwrap_or_default(),
        };
        let mut locked = locked.split('.');
        self.version
            .split('.')
            .all(|part| locked.next() == Some(part))
    }

    /// Returns why the dependency isn't locked in this version. `None` if it is.
    fn mismatch(&self, locks: &[LockFile]) -> Option<Mismatch> {
        let is_meant = |lock: &&LockFile| match &self.file {
            Some(file) => lock.file == file.trim_start_matches("./"),
            None => true,
        };
        let mut read = Vec::new();
        let mut found = Vec::new();
        for lock in locks.iter().filter(is_meant) {
            let versions = lock.versions_of(&self.package);
            if versions.iter().any(|version| self.accepts(version)) {
                return None;
            }
            if !versions.is_empty() {
                let versions = versions.into_iter().map(ToOwned::to_owned).collect();
                found.push((versions, lock.file.clone()));
            }
            read.push(lock.file.clone());
        }
        Some(Mismatch {
            dependency: self.clone(),
            found,
            read,
        })
    }
}

/// Checks the `version` of a `while`.
///
/// # Errors
/// Returns the message for the user.
pub(crate) fn check_version(version: &str) -> Result<(), ReadError> {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_+!".contains(c))
    };
    let is_number = version.starts_with(|c: char| c.is_ascii_digit());
    if is_number && version.split('.').all(is_part) {
        Ok(())
    } else {
        Err(format!("invalid version `{version}`").into())
    }
}

/// Why a rule no longer accepts anything.
///
/// `Display` gives the end of a sentence, such as `expired on 2026-05-31`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// Its last day is over.
    Date(Date),
    /// A dependency has another version, or none.
    Dependency(Mismatch),
}

/// A dependency that isn't locked in the version that a rule is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    dependency: Dependency,
    /// The versions of the package, with the lock file that has them.
    found: Vec<(Vec<String>, String)>,
    /// The lock files in which the package was searched for.
    read: Vec<String>,
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(last) => write!(f, "expired on {last}"),
            Self::Dependency(mismatch) => write!(f, "expired: {mismatch}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dependency {
            package, version, ..
        } = &self.dependency;
        if self.found.is_empty() {
            return match self.read.as_slice() {
                [] => write!(
                    f,
                    "it holds while {package} is {version}, but no lock file was read"
                ),
                [file] => write!(
                    f,
                    "it holds while {package} is {version}, but {file} lacks it"
                ),
                files => write!(
                    f,
                    "it holds while {package} is {version}, but none of these has it: {}",
                    files.join(", ")
                ),
            };
        }
        let found = self.found.iter();
        let found: Vec<String> = found
            .map(|(versions, file)| format!("{} in {file}", versions.join(" and ")))
            .collect();
        write!(
            f,
            "it holds while {package} is {version}, but {package} is {}",
            found.join(" and ")
        )
    }
}

/// Returns why a rule with this last day and this dependency has expired. `None` if it hasn't.
pub(super) fn expiry(
    last: Option<Date>,
    dependency: Option<&Dependency>,
    today: Date,
    locks: &[LockFile],
) -> Option<Expiry> {
    let date = last.filter(|last| *last < today).map(Expiry::Date);
    date.or_else(|| dependency?.mismatch(locks).map(Expiry::Dependency))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    fn pyo3(file: Option<&str>) -> Dependency {
        Dependency {
            package: "pyo3".into(),
            version: "0.27".into(),
            file: file.map(String::from),
        }
    }

    fn lock(file: &str, versions: &[&str]) -> LockFile {
        let packages: String = versions
            .iter()
            .map(|version| format!("[[package]]\nname = \"pyo3\"\nversion = \"{version}\"\n"))
            .collect();
        LockFile::read(file, &packages).unwrap()
    }

    fn message(dependency: &Dependency, locks: &[LockFile]) -> Option<String> {
        let today = Date::constant(2026, 6, 1);
        expiry(None, Some(dependency), today, locks).map(|expiry| expiry.to_string())
    }

    #[test]
    fn versions_are_compared_by_their_parts() {
        let accepts = |wanted: &str, locked: &str| {
            let dependency = Dependency {
                version: wanted.into(),
                ..pyo3(None)
            };
            dependency.accepts(locked)
        };
        for (wanted, locked, is_accepted) in [
            ("1", "1.2.3", true),
            ("1.2.3", "1.2", false),
            ("1.2", "1.20", false),
            ("1.2.3", "1.2.3-rc.1", false),
            ("1.2", "1.2.0-rc.1", true),
            ("1.2.3", "1.2.3+zlib.1", true),
            ("1.2.3+a", "1.2.3+b", false),
            ("1.2.3+a", "1.2.3+a", true),
        ] {
            assert_eq!(accepts(wanted, locked), is_accepted, "{wanted} {locked}");
        }
        for version in ["", "^1", ">=1", "1.*", "1.", ".1", "1 2", "v1", "1..2"] {
            assert!(check_version(version).is_err(), "{version}");
        }
        assert!(
            ["1", "0.27", "2026.1-beta", "1!2.0"]
                .iter()
                .all(|v| check_version(v).is_ok())
        );
    }

    #[test]
    fn rule_holds_while_any_locked_version_is_the_wanted_one() {
        assert_eq!(
            message(&pyo3(None), &[lock("Cargo.lock", &["0.26.0", "0.27.3"])]),
            None
        );
        let other = lock("Cargo.lock", &["0.28.1", "0.26.0"]);
        let start = "expired: it holds while pyo3 is 0.27, but ";
        for (locks, end) in [
            (vec![], "no lock file was read"),
            (vec![lock("uv.lock", &[])], "uv.lock lacks it"),
            (
                vec![lock("uv.lock", &[]), lock("poetry.lock", &[])],
                "none of these has it: uv.lock, poetry.lock",
            ),
            (
                vec![other.clone()],
                "pyo3 is 0.26.0 and 0.28.1 in Cargo.lock",
            ),
        ] {
            assert_eq!(message(&pyo3(None), &locks), Some(format!("{start}{end}")));
        }
        // A rule that names a file ignores the others.
        let sub = lock("sub/Cargo.lock", &["0.27.0"]);
        let both = [other, sub];
        assert_eq!(message(&pyo3(Some("sub/Cargo.lock")), &both), None);
        assert_eq!(
            message(&pyo3(Some("ub/Cargo.lock")), &both).as_deref(),
            Some("expired: it holds while pyo3 is 0.27, but no lock file was read")
        );
    }

    #[test]
    fn date_comes_before_the_dependency() {
        let last = Date::constant(2026, 5, 31);
        let today = Date::constant(2026, 6, 1);
        let found = expiry(Some(last), Some(&pyo3(None)), today, &[]);
        assert_eq!(found, Some(Expiry::Date(last)));
    }
}
