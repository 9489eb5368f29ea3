//! The layers of the core: a module imports only modules that ARCHITECTURE.md lists before it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns the modules in the order in which ARCHITECTURE.md lists them, from bottom to top.
fn documented_order() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = fs::read_to_string(path).expect("ARCHITECTURE.md");
    let (_, section) = text
        .split_once("## Code map: `core/`")
        .expect("the section about the core");
    let (section, _) = section
        .split_once("### The parser")
        .expect("the section about the parser");
    let names = section.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix('`')?.split_once(".rs`")?;
        (!name.contains('/')).then(|| name.to_owned())
    });
    names.collect()
}

/// Returns the Rust files of a module, without files that contain only tests.
fn files_of(module: &str) -> Vec<PathBuf> {
    let mut files = vec![source_dir().join(format!("{module}.rs"))];
    let mut folders = vec![source_dir().join(module)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a directory entry").path();
            let is_test = path.ends_with("wire/schema.rs");
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test {
                files.push(path);
            }
        }
    }
    files
}

/// Returns the modules of the crate that a source text refers to, outside of comments and tests.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut found = BTreeSet::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for rest in line.split("crate::").skip(1) {
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default(),
                None => rest.split("::").next().unwrap_or_default(),
            };
            for name in names.split(',') {
                let word = name.trim().split("::").next().unwrap_or_default();
                let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                found.insert(word[..end.unwrap_or(word.len())].to_owned());
            }
        }
    }
    found
}

#[test]
fn no_module_imports_a_higher_layer() {
    let order = documented_order();
    let entries = fs::read_dir(source_dir()).expect("core/src");
    let names = entries.map(|e| {
        e.expect("an entry")
            .file_name()
            .into_string()
            .expect("UTF-8")
    });
    let modules: BTreeSet<String> = names
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| name != "lib")
        .collect();
    let listed: BTreeSet<String> = order.iter().cloned().collect();
    assert_eq!(listed, modules, "ARCHITECTURE.md lists other modules");
    for (at, module) in order.iter().enumerate() {
        for file in files_of(module) {
            let text = fs::read_to_string(&file).expect("a source file");
            let higher: Vec<String> = imports(&text)
                .into_iter()
                .filter(|name| order[at + 1..].contains(name))
                .collect();
            assert!(higher.is_empty(), "{} imports {higher:?}", file.display());
        }
    }
}
