//! Lock files: the versions of a project's dependencies, as package managers record them.
//!
//! The caller reads the files. A rule may be tied to a version with `while`.

mod go;
mod json;
mod requirements;
mod toml;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::diagnostic::Diagnostic;

/// A package and its version in a lock file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockedPackage {
    /// The name, as written.
    pub name: String,
    /// The version, as written, without an operator such as `==`.
    pub version: String,
}

impl LockedPackage {
    fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
        }
    }
}

/// The packages of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// Path of the file, as the caller passed it: relative to the folder of the configuration.
    pub file: String,
    /// The packages, in the order of the file. A package may have several versions.
    pub packages: Vec<LockedPackage>,
    ecosystem: Ecosystem,
}

/// Who names the packages of a lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ecosystem {
    /// Names that differ in case, or in `-`, `_` and `.`, are equal.
    Python,
    /// Names are equal if their texts are.
    Other,
}

/// Reads the packages of a text, or returns the cause why it can't.
type Reader = fn(&str) -> Result<Vec<LockedPackage>, String>;

/// The names of lock files, and how each is read.
const FORMATS: &[(&str, Ecosystem, Reader)] = &[
    ("Cargo.lock", Ecosystem::Other, toml::packages),
    ("package-lock.json", Ecosystem::Other, json::npm),
    ("npm-shrinkwrap.json", Ecosystem::Other, json::npm),
    ("poetry.lock", Ecosystem::Python, toml::packages),
    ("uv.lock", Ecosystem::Python, toml::packages),
    ("pdm.lock", Ecosystem::Python, toml::packages),
    ("pylock.toml", Ecosystem::Python, toml::packages),
    ("Pipfile.lock", Ecosystem::Python, json::pipfile),
    ("go.mod", Ecosystem::Other, go::modules),
    ("conan.lock", Ecosystem::Other, json::conan),
    ("vcpkg.json", Ecosystem::Other, json::vcpkg),
];

/// How `requirements*.txt` is read.
const REQUIREMENTS: (Ecosystem, Reader) = (Ecosystem::Python, requirements::pinned);

/// Returns the format of a file, by its name.
fn format_of(file: &str) -> Option<(Ecosystem, Reader)> {
    let base = file.rsplit(['/', '\\']).next().unwrap_or_default();
    if base.starts_with("requirements") && base.ends_with(".txt") {
        return Some(REQUIREMENTS);
    }
    let found = FORMATS.iter().find(|(name, ..)| *name == base);
    found.map(|(_, ecosystem, read)| (*ecosystem, *read))
}

impl LockFile {
    /// Returns the names of the files that can be read, without `requirements*.txt`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|(name, ..)| *name)
    }

    /// Returns true if [`LockFile::read`] knows the format of a file with this path.
    ///
    /// ```
    /// use leakgate_core::lock_file::LockFile;
    ///
    /// assert!(LockFile::is_known("web/package-lock.json"));
    /// assert!(LockFile::is_known("requirements-dev.txt"));
    /// assert!(!LockFile::is_known("yarn.lock"));
    /// ```
    pub fn is_known(file: &str) -> bool {
        format_of(file).is_some()
    }

    /// Parses a lock file. Its name determines the format.
    ///
    /// # Errors
    /// Returns an error if the name isn't that of a lock file, or if the text has another format.
    ///
    /// ```
    /// use leakgate_core::lock_file::LockFile;
    ///
    /// let text = "[[package]]\nname = \"pyo3\"\nversion = \"0.27.1\"\n";
    /// let lock = LockFile::read("Cargo.lock", text).unwrap();
    /// assert_eq!(lock.packages[0].version, "0.27.1");
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let error = |cause: String| {
            Diagnostic::at_span(
                file,
                text,
                0..0,
                format!("cannot read the lock file: {cause}"),
            )
        };
        let Some((ecosystem, read)) = format_of(file) else {
            return Err(error(String::from("its format is unknown")));
        };
        let packages = read(text).map_err(|cause| {
            let help = String::from("restore it with the package manager");
            error(cause).with_help(Some(help))
        })?;
        Ok(Self {
            file: file.into(),
            packages,
            ecosystem,
        })
    }

    /// Returns the versions of a package, each once. Empty if the file doesn't have the package.
    pub fn versions_of(&self, package: &str) -> Vec<&str> {
        let is_same = |name: &str| match self.ecosystem {
            Ecosystem::Python => python_name(name) == python_name(package),
            Ecosystem::Other => name == package,
        };
        let found = self.packages.iter().filter(|p| is_same(&p.name));
        let mut versions: Vec<&str> = found.map(|p| p.version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

/// Normalizes the name of a Python package as PyPI does: `Foo.bar_baz` becomes `foo-bar-baz`.
fn python_name(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(file: &str, text: &str) -> Vec<String> {
        let lock = LockFile::read(file, text).unwrap();
        let packages = lock.packages.iter();
        packages
            .map(|p| format!("{} {}", p.name, p.version))
            .collect()
    }

    #[test]
    fn toml_lock_files_list_packages() {
        let text = "version = 4\n\n[[package]]\nname = \"syn\"\nversion = \"1.0.109\"\n\
            dependencies = [\"a\"]\n\n[[package]]\nname = \"syn\"\nversion = \"2.0.1\"\n\
            [[package]]\nname = \"editable\"\n[package.source]\neditable = \".\"\n";
        for file in ["Cargo.lock", "poetry.lock", "sub/uv.lock", "pdm.lock"] {
            assert_eq!(packages(file, text), ["syn 1.0.109", "syn 2.0.1"]);
        }
        let pylock = "lock-version = '1.0'\n[[packages]]\nname = 'numpy'\nversion = '2.1.0'\n";
        assert_eq!(packages("pylock.toml", pylock), ["numpy 2.1.0"]);
    }

    #[test]
    fn npm_lock_files_of_all_versions_are_read() {
        let new = r#"{"lockfileVersion": 3, "packages": {"": {"name": "app", "version": "1.0.0"},
            "node_modules/@s/a": {"version": "1.2.3"}, "node_modules/b/node_modules/c":
            {"version": "4.5.6"}, "node_modules/link": {"link": true}, "lib": {"version": "9.0.0"}}}"#;
        assert_eq!(
            packages("package-lock.json", new),
            ["@s/a 1.2.3", "c 4.5.6"]
        );
        let old = r#"{"lockfileVersion": 1, "dependencies": {"b": {"version": "2.0.0",
            "dependencies": {"c": {"version": "3.0.0"}}}}}"#;
        assert_eq!(packages("npm-shrinkwrap.json", old), ["b 2.0.0", "c 3.0.0"]);
    }

    #[test]
    fn other_json_lock_files_are_read() {
        let pipfile = r#"{"_meta": {}, "default": {"numpy": {"version": "==2.1.0"},
            "local": {"path": "."}}, "develop": {"pytest": {"version": "==8.0"}}}"#;
        assert_eq!(
            packages("Pipfile.lock", pipfile),
            ["numpy 2.1.0", "pytest 8.0"]
        );
        let conan = r#"{"version": "0.5", "requires": ["zlib/1.3.1#f52e03ae3d251dec704634230cd806a2%1708593606.497",
            "openssl/3.2@user/stable#1"], "build_requires": ["cmake/3.28"], "python_requires": []}"#;
        assert_eq!(
            packages("conan.lock", conan),
            ["zlib 1.3.1", "openssl 3.2", "cmake 3.28"]
        );
        let old = r#"{"graph_lock": {"nodes": {"0": {}, "1": {"ref": "zlib/1.2.11#0"}}}}"#;
        assert_eq!(packages("conan.lock", old), ["zlib 1.2.11"]);
        let vcpkg = r#"{"dependencies": ["fmt"], "overrides": [{"name": "fmt", "version": "10.1.1#2"},
            {"name": "zlib", "version-semver": "1.3.0"}]}"#;
        assert_eq!(packages("vcpkg.json", vcpkg), ["fmt 10.1.1", "zlib 1.3.0"]);
        assert_eq!(packages("vcpkg.json", "{}"), [] as [&str; 0]);
    }

    #[test]
    fn go_modules_have_the_selected_version_or_that_of_their_replacement() {
        let text = "module example.org/app\n\ngo 1.22\n\nrequire example.org/one v1.2.3\n\
            require (\n\texample.org/two/v2 v2.0.0 // indirect\n\t// a comment\n\
            \texample.org/local v1.0.0\n\texample.org/fork v1.0.0\n)\n\
            replace (\n\texample.org/local => ../local\n)\n\
            replace example.org/fork v1.0.0 => example.org/other v1.5.0\n";
        assert_eq!(
            packages("go.mod", text),
            [
                "example.org/one 1.2.3",
                "example.org/two/v2 2.0.0",
                "example.org/fork 1.5.0"
            ]
        );
    }

    #[test]
    fn only_pinned_requirements_count() {
        let text = "# comment\n-r base.txt\nNumPy==2.1.0 ; python_version > '3.8' # why\n\
            foo[bar] == 1.0 \\\n    --hash=sha256:0\nloose>=1\nwild==2.*\nany===3.0\n";
        assert_eq!(
            packages("requirements-dev.txt", text),
            ["NumPy 2.1.0", "foo 1.0", "any 3.0"]
        );
        let lock = LockFile::read("requirements.txt", "Foo.Bar_baz==1\n").unwrap();
        assert_eq!(lock.versions_of("foo-bar-baz"), ["1"]);
    }

    #[test]
    fn broken_lock_files_are_errors() {
        for (file, text) in [
            ("Cargo.lock", "<<<<<<< HEAD\n"),
            ("package-lock.json", "{"),
            ("package-lock.json", "[]"),
            ("conan.lock", "{}"),
            ("Pipfile.lock", "{}"),
            ("yarn.lock", ""),
        ] {
            let error = LockFile::read(file, text).unwrap_err();
            assert!(
                error.message.starts_with("cannot read the lock file: "),
                "{error}"
            );
        }
    }
}
