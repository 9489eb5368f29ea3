//! Go: its race detector for all, AddressSanitizer where C code belongs to it. memcheck knows too
//! little of Go's own memory.

use super::{Job, Leg};
use crate::init::tree::Tree;

const FILE: &str = "go.mod";

/// The job of a module of Go.
pub(super) fn find(tree: &Tree) -> Option<Job> {
    if !tree.has(FILE) {
        return None;
    }
    let is_cgo = |file: &str| {
        tree.read(file)
            .lines()
            .any(|line| line.trim_start().trim_start_matches("import ").trim() == "\"C\"")
    };
    let is_mixed = tree.ending(&[".go"]).any(is_cgo);
    let tools: &[&str] = if is_mixed {
        &["asan", "tsan"]
    } else {
        &["tsan"]
    };
    Some(Job {
        id: "go",
        what: format!("Go{} ({FILE})", if is_mixed { " with C" } else { "" }),
        legs: tools.iter().map(|tool| Leg::of(tool)).collect(),
        steps: Vec::new(),
        command: "go test ./...".into(),
        remark: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::made;

    #[test]
    fn c_is_there_where_it_is_imported() {
        let module = (FILE, "module x\n");
        for (text, expected) in [
            ("package x\nimport \"C\"\n", true),
            ("package x\nimport (\n\t\"C\"\n)\n", true),
            ("package x\n// \"C\"\nvar c = \"C\"\n", false),
        ] {
            let (_dir, tree) = made(&[module, ("a/b.go", text)]);
            assert_eq!(find(&tree).unwrap().legs.len() == 2, expected, "{text}");
        }
    }
}
