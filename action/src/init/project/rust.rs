//! Cargo. The suitable checkers depend on how much of the program is safe Rust.

use toml::{Table, Value};

use super::{Comment, Job, MatrixEntry, Platform, Step};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "Cargo.toml";

/// Crates that build C code or bind to it.
const FOREIGN: &[&str] = &[
    "autocxx",
    "bindgen",
    "cbindgen",
    "cc",
    "cmake",
    "cxx",
    "cxx-build",
    "libloading",
    "libffi",
    "pkg-config",
    "vcpkg",
];

/// Crates whose names end in `-sys` although they bind to no C library.
const NO_FOREIGN: &[&str] = &[
    "js-sys",
    "linux-raw-sys",
    "wasi-sys",
    "web-sys",
    "windows-sys",
];

/// Detects a cargo package or workspace. `None` for a Python extension module, which cannot be
/// linked into a test program. Its tests run in Python.
pub(super) fn find(tree: &Tree) -> Option<Job> {
    let root = manifest(tree, FILE)?;
    if is_extension(&root) {
        return None;
    }
    let code = code(tree);
    let (kind, tools): (_, &[&str]) = match code {
        Code::Foreign => ("Rust with foreign code", &["memcheck", "asan"]),
        Code::Unsafe => ("Rust with unsafe code", &["asan", "miri"]),
        Code::Safe => ("Rust", &["asan"]),
    };
    let nightly = |only, more: &str| Step {
        name: "Install the nightly toolchain",
        only: Some(only),
        script: vec![format!(
            "rustup toolchain install nightly --profile minimal{more}"
        )],
        ..Step::default()
    };
    let miri = Comment {
        text: "Miri can't call C or open sockets; if tests do, select other tests or remove miri",
        only: Some("miri"),
    };
    Some(Job {
        id: "rust",
        description: format!("{kind} ({FILE})"),
        matrix: tools.iter().map(|tool| MatrixEntry::new(tool)).collect(),
        steps: vec![
            Step::valgrind(),
            nightly("asan", ""),
            nightly("miri", " --component miri --component rust-src"),
        ],
        command: if root.contains_key("workspace") {
            "cargo test --workspace"
        } else {
            "cargo test"
        }
        .into(),
        comment: (code == Code::Unsafe).then_some(miri),
        platform: Platform::rust(&build_packages(tree)),
    })
}

/// Returns the Debian packages that build scripts need, by the crates that they use.
fn build_packages(tree: &Tree) -> Vec<&'static str> {
    const PACKAGES: &[(&str, &str)] = &[
        ("bindgen", "libclang-dev"),
        ("cmake", "cmake"),
        ("pkg-config", "pkg-config"),
    ];
    let crates = crates(tree);
    let is_used = |name: &str| crates.iter().any(|found| found == name);
    let packages = PACKAGES.iter().filter(|(name, _)| is_used(name));
    packages.map(|(_, package)| *package).collect()
}

/// The kinds of code in a project. The least safe one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// Calls C or is called by C, so a checker must see both sides.
    Foreign,
    /// Contains unsafe code.
    Unsafe,
    /// Can only leak.
    Safe,
}

fn code(tree: &Tree) -> Code {
    let crates = crates(tree);
    let is_foreign = |name: &String| {
        FOREIGN.contains(&name.as_str())
            || (name.ends_with("-sys") && !NO_FOREIGN.contains(&name.as_str()))
    };
    let links = tree
        .with_name(FILE)
        .any(|file| manifest(tree, file).is_some_and(|m| package(&m, "links").is_some()));
    if links || crates.iter().any(is_foreign) {
        return Code::Foreign;
    }
    let mut found = Code::Safe;
    for file in tree.with_extension(&[".rs"]) {
        let code = without_comments(&tree.read(file), "//")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if ["extern \"C", "extern \"system"]
            .iter()
            .any(|marker| code.contains(marker))
        {
            return Code::Foreign;
        }
        if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
            .iter()
            .any(|marker| code.contains(marker))
        {
            found = Code::Unsafe;
        }
    }
    found
}

/// Returns the dependencies in all manifests of a project.
pub(in crate::init) fn crates(tree: &Tree) -> Vec<String> {
    let mut names = Vec::new();
    for manifest in tree.with_name(FILE).filter_map(|file| manifest(tree, file)) {
        let targets = manifest.get("target").and_then(Value::as_table);
        let tables = [
            Some(&manifest),
            manifest.get("workspace").and_then(Value::as_table),
        ];
        let tables = tables.into_iter().flatten().chain(
            targets
                .into_iter()
                .flat_map(|all| all.values().filter_map(Value::as_table)),
        );
        let kinds = ["dependencies", "build-dependencies", "dev-dependencies"];
        for table in tables
            .flat_map(|table| kinds.map(|kind| table.get(kind).and_then(Value::as_table)))
            .flatten()
        {
            let name = |(key, value): (&String, &Value)| {
                value
                    .get("package")
                    .and_then(Value::as_str)
                    .unwrap_or(key)
                    .to_owned()
            };
            names.extend(table.iter().map(name));
        }
    }
    names
}

/// Returns true for a package that is always built as an extension module by PyO3.
fn is_extension(manifest: &Table) -> bool {
    let names = |value: Option<&Value>| -> Vec<String> {
        let all = value.and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let pyo3 = manifest.get("dependencies").and_then(|all| all.get("pyo3"));
    let default = manifest.get("features").and_then(|all| all.get("default"));
    let mut features = names(pyo3.and_then(|pyo3| pyo3.get("features")));
    features.extend(names(default));
    features
        .iter()
        .any(|name| name.trim_start_matches("pyo3/") == "extension-module")
}

/// Returns a value of the `[package]` table.
fn package<'a>(manifest: &'a Table, key: &str) -> Option<&'a Value> {
    manifest.get("package")?.get(key)
}

/// Parses a manifest; `None` if it does not exist. An invalid manifest counts as empty.
fn manifest(tree: &Tree, file: &str) -> Option<Table> {
    tree.has(file)
        .then(|| tree.read(file).parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    fn detect(manifest: &str, source: &str) -> Code {
        let (_dir, tree) = test_tree(&[
            (FILE, "[workspace]\nmembers = [\"a\"]\n"),
            ("a/Cargo.toml", manifest),
            ("a/src/lib.rs", source),
        ]);
        code(&tree)
    }

    #[test]
    fn foreign_code_is_detected_in_manifests_and_sources() {
        for manifest in [
            "[build-dependencies]\ncc = \"1\"",
            "[dependencies]\nlibz-sys = \"1\"",
            "[dependencies]\nz = { package = \"libz-sys\", version = \"1\" }",
            "[target.'cfg(unix)'.dependencies]\nopenssl-sys = \"1\"",
            "[package]\nname = \"a\"\nlinks = \"z\"",
        ] {
            assert_eq!(detect(manifest, ""), Code::Foreign, "{manifest}");
        }
        assert_eq!(
            detect("", "unsafe   extern \"C\" {\n fn f();\n}"),
            Code::Foreign
        );
        assert_eq!(detect("", "pub extern \"C\" fn f() {}"), Code::Foreign);
        assert_eq!(
            detect("[dependencies]\nwindows-sys = \"1\"\nserde = \"1\"", ""),
            Code::Safe
        );
        assert_eq!(detect("no manifest", ""), Code::Safe);
    }

    #[test]
    fn unsafe_code_is_detected_in_sources() {
        assert_eq!(detect("", "fn f() { unsafe { g() } }"), Code::Unsafe);
        assert_eq!(detect("", "unsafe impl Send for A {}"), Code::Unsafe);
        assert_eq!(
            detect(
                "",
                "#![forbid(unsafe_code)]\n// no unsafe { } here\nfn f() {}"
            ),
            Code::Safe
        );
    }

    #[test]
    fn all_packages_of_a_workspace_are_tested() {
        let command = |text| find(&test_tree(&[(FILE, text)]).1).unwrap().command;
        assert_eq!(command("[workspace]\n"), "cargo test --workspace");
        assert_eq!(command("[package]\nname = \"a\"\n"), "cargo test");
    }

    #[test]
    fn extension_module_is_tested_by_python() {
        for text in [
            "[dependencies]\npyo3 = { version = \"0.25\", features = [\"extension-module\"] }",
            "[dependencies]\npyo3 = \"0.25\"\n[features]\ndefault = [\"pyo3/extension-module\"]\n",
        ] {
            assert!(find(&test_tree(&[(FILE, text)]).1).is_none(), "{text}");
        }
        assert!(find(&test_tree(&[(FILE, "[dependencies]\npyo3 = \"0.26\"")]).1).is_some());
    }
}
