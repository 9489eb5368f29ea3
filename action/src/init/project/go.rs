//! Go. Its race detector runs always, and AddressSanitizer if the module contains C code. memcheck
//! is not used because it knows too little about the memory of Go's runtime.

use super::{Job, MatrixEntry, Platform};
use crate::init::tree::Tree;

const FILE: &str = "go.mod";

/// Detects a Go module.
pub(super) fn find(tree: &Tree) -> Option<Job> {
    if !tree.has(FILE) {
        return None;
    }
    let is_cgo = |file: &str| {
        tree.read(file)
            .lines()
            .any(|line| line.trim_start().trim_start_matches("import ").trim() == "\"C\"")
    };
    let is_mixed = tree.with_extension(&[".go"]).any(is_cgo);
    let tools: &[&str] = if is_mixed {
        &["asan", "tsan"]
    } else {
        &["tsan"]
    };
    Some(Job {
        id: "go",
        description: format!("Go{} ({FILE})", if is_mixed { " with C" } else { "" }),
        matrix: tools.iter().map(|tool| MatrixEntry::new(tool)).collect(),
        steps: Vec::new(),
        command: "go test ./...".into(),
        comment: None,
        platform: Platform {
            image: "golang:1",
            toolchain: Some("Go"),
            packages: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    #[test]
    fn c_code_is_detected_by_its_import() {
        let module = (FILE, "module x\n");
        for (text, expected) in [
            ("package x\nimport \"C\"\n", true),
            ("package x\nimport (\n\t\"C\"\n)\n", true),
            ("package x\n// \"C\"\nvar c = \"C\"\n", false),
        ] {
            let (_dir, tree) = test_tree(&[module, ("a/b.go", text)]);
            assert_eq!(find(&tree).unwrap().matrix.len() == 2, expected, "{text}");
        }
    }
}
