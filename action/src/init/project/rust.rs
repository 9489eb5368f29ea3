//! Cargo. What a checker can find depends on how much of the program is safe Rust.

use toml::{Table, Value};

use super::{Job, Leg, Step};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "Cargo.toml";

/// Crates that build or describe C code.
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

/// Crates that end like those of C libraries and have none.
const NO_FOREIGN: &[&str] = &[
    "js-sys",
    "linux-raw-sys",
    "wasi-sys",
    "web-sys",
    "windows-sys",
];

/// The job of a package or workspace of cargo. An extension of Python's can't be linked into a test
/// program, and is left to Python.
pub(super) fn find(tree: &Tree) -> Option<Job> {
    let root = manifest(tree, FILE)?;
    if is_extension(&root) {
        return None;
    }
    let code = code(tree);
    let (what, tools): (_, &[&str]) = match code {
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
    let miri = "Miri can't call C nor open sockets; where tests do, name those that do not, or take miri out";
    Some(Job {
        id: "rust",
        what: format!("{what} ({FILE})"),
        legs: tools.iter().map(|tool| Leg::of(tool)).collect(),
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
        remark: (code == Code::Unsafe).then_some(miri),
    })
}

/// What a program consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// It calls C, or is called from there: a checker must see both sides.
    Foreign,
    /// It manages memory itself in some places.
    Unsafe,
    /// It can leak, and no more.
    Safe,
}

fn code(tree: &Tree) -> Code {
    let crates = crates(tree);
    let is_foreign = |name: &String| {
        FOREIGN.contains(&name.as_str())
            || (name.ends_with("-sys") && !NO_FOREIGN.contains(&name.as_str()))
    };
    let links = tree
        .named(FILE)
        .any(|file| manifest(tree, file).is_some_and(|m| package(&m, "links").is_some()));
    if links || crates.iter().any(is_foreign) {
        return Code::Foreign;
    }
    let mut found = Code::Safe;
    for file in tree.ending(&[".rs"]) {
        let words = without_comments(&tree.read(file), "//")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if ["extern \"C", "extern \"system"]
            .iter()
            .any(|word| words.contains(word))
        {
            return Code::Foreign;
        }
        if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
            .iter()
            .any(|word| words.contains(word))
        {
            found = Code::Unsafe;
        }
    }
    found
}

/// Every crate that the manifests of a project name.
pub(in crate::init) fn crates(tree: &Tree) -> Vec<String> {
    let mut names = Vec::new();
    for manifest in tree.named(FILE).filter_map(|file| manifest(tree, file)) {
        let targets = manifest.get("target").and_then(Value::as_table);
        let places = [
            Some(&manifest),
            manifest.get("workspace").and_then(Value::as_table),
        ];
        let places = places.into_iter().flatten().chain(
            targets
                .into_iter()
                .flat_map(|all| all.values().filter_map(Value::as_table)),
        );
        let kinds = ["dependencies", "build-dependencies", "dev-dependencies"];
        for table in places
            .flat_map(|place| kinds.map(|kind| place.get(kind).and_then(Value::as_table)))
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

/// True for a package that PyO3 makes an extension module of, whatever is asked of cargo.
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

fn package<'a>(manifest: &'a Table, key: &str) -> Option<&'a Value> {
    manifest.get("package")?.get(key)
}

fn manifest(tree: &Tree, file: &str) -> Option<Table> {
    tree.has(file)
        .then(|| tree.read(file).parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::made;

    fn of(manifest: &str, source: &str) -> Code {
        let (_dir, tree) = made(&[
            (FILE, "[workspace]\nmembers = [\"a\"]\n"),
            ("a/Cargo.toml", manifest),
            ("a/src/lib.rs", source),
        ]);
        code(&tree)
    }

    #[test]
    fn foreign_code_is_known_by_manifests_and_sources() {
        for manifest in [
            "[build-dependencies]\ncc = \"1\"",
            "[dependencies]\nlibz-sys = \"1\"",
            "[dependencies]\nz = { package = \"libz-sys\", version = \"1\" }",
            "[target.'cfg(unix)'.dependencies]\nopenssl-sys = \"1\"",
            "[package]\nname = \"a\"\nlinks = \"z\"",
        ] {
            assert_eq!(of(manifest, ""), Code::Foreign, "{manifest}");
        }
        assert_eq!(
            of("", "unsafe   extern \"C\" {\n fn f();\n}"),
            Code::Foreign
        );
        assert_eq!(of("", "pub extern \"C\" fn f() {}"), Code::Foreign);
        assert_eq!(
            of("[dependencies]\nwindows-sys = \"1\"\nserde = \"1\"", ""),
            Code::Safe
        );
        assert_eq!(of("no manifest", ""), Code::Safe);
    }

    #[test]
    fn unsafe_code_is_known_by_sources() {
        assert_eq!(of("", "fn f() { unsafe { g() } }"), Code::Unsafe);
        assert_eq!(of("", "unsafe impl Send for A {}"), Code::Unsafe);
        assert_eq!(
            of(
                "",
                "#![forbid(unsafe_code)]\n// no unsafe { } here\nfn f() {}"
            ),
            Code::Safe
        );
    }

    #[test]
    fn a_workspace_is_tested_whole() {
        let command = |text| find(&made(&[(FILE, text)]).1).unwrap().command;
        assert_eq!(command("[workspace]\n"), "cargo test --workspace");
        assert_eq!(command("[package]\nname = \"a\"\n"), "cargo test");
    }

    #[test]
    fn an_extension_is_left_to_python() {
        for text in [
            "[dependencies]\npyo3 = { version = \"0.25\", features = [\"extension-module\"] }",
            "[dependencies]\npyo3 = \"0.25\"\n[features]\ndefault = [\"pyo3/extension-module\"]\n",
        ] {
            assert!(find(&made(&[(FILE, text)]).1).is_none(), "{text}");
        }
        assert!(find(&made(&[(FILE, "[dependencies]\npyo3 = \"0.26\"")]).1).is_some());
    }
}
