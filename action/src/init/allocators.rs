//! Finds the C functions of a project that allocate for their callers, such as `xmalloc`.

use std::collections::BTreeSet;

use super::tree::Tree;

/// Maximum number of functions in a configuration.
const MAX_FUNCTIONS: usize = 12;

/// Maximum number of lines between the name of a function and its end. Longer functions do more
/// than allocate.
const MAX_LINES: usize = 40;

const SOURCES: &[&str] = &[".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"];

/// Directories whose functions aren't part of the program.
const NO_PROGRAM: &[&str] = &[
    "bench", "example", "examples", "fuzz", "test", "testing", "tests",
];

/// Parts of the names of functions that return memory to free.
const NAMES: &[&str] = &["alloc", "strdup", "strndup", "memdup"];

/// The functions of the C library that allocate.
const STANDARD: &[&str] = &[
    "aligned_alloc",
    "calloc",
    "malloc",
    "memalign",
    "posix_memalign",
    "realloc",
    "reallocarray",
    "strdup",
    "strndup",
    "vasprintf",
];

/// Returns the names of the functions, sorted.
pub(super) fn find(tree: &Tree) -> Vec<String> {
    let mut candidates = Vec::new();
    let is_program = |file: &&str| !file.split('/').any(|part| NO_PROGRAM.contains(&part));
    for file in tree.with_extension(SOURCES).filter(is_program) {
        let text = tree.read(file);
        let lines: Vec<&str> = text.lines().collect();
        candidates.extend((0..lines.len()).filter_map(|at| Candidate::at(&lines[at..])));
    }
    names_of(candidates)
}

/// Returns the names of the functions that allocate, sorted: those that call a function of the C
/// library or a function pointer, and those that call one of these.
fn names_of(mut rest: Vec<Candidate>) -> Vec<String> {
    let mut names = BTreeSet::new();
    loop {
        let calls_one = |body: &str| names.iter().any(|name: &String| is_called(body, name));
        let is_found = |found: &Candidate| found.allocates() || calls_one(&found.body);
        let (found, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_found);
        if found.is_empty() {
            return names.into_iter().take(MAX_FUNCTIONS).collect();
        }
        names.extend(found.into_iter().map(|found| found.name));
        rest = others;
    }
}

/// A function with the name of an allocator that returns something.
struct Candidate {
    name: String,
    body: String,
}

impl Candidate {
    /// Returns the function that is defined in these lines. A definition begins in the first
    /// column, and so does its last brace.
    fn at(lines: &[&str]) -> Option<Self> {
        let name = defined_name(lines.first()?)?;
        let is_named_so = NAMES
            .iter()
            .any(|part| name.to_ascii_lowercase().contains(part));
        if !is_named_so || STANDARD.contains(&name) {
            return None;
        }
        let lines = &lines[..lines.len().min(MAX_LINES)];
        let end = lines.iter().position(|line| line.starts_with('}'))?;
        let text = lines[..end].join("\n");
        let (head, body) = text.split_once('{')?;
        (!head.contains(';') && body.contains("return")).then(|| Self {
            name: name.to_owned(),
            body: body.to_owned(),
        })
    }

    /// Returns true if the function calls a function of the C library that allocates, or one that
    /// the program may replace.
    fn allocates(&self) -> bool {
        STANDARD
            .iter()
            .any(|function| is_called(&self.body, function))
            || calls_pointer(&self.body)
    }
}

/// Returns the name in front of the parameters, if the line can begin a definition. A macro may
/// contain the type: `PUBLIC(void *) my_malloc(size_t size)`.
fn defined_name(line: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let (head, rest) = line.split_once('(')?;
    let head = head.trim_end();
    let start = head.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
    let name = &head[start..];
    let is_macro = !name.contains(|c: char| c.is_ascii_lowercase());
    let after_macro = rest.split_once(") ").filter(|_| is_macro);
    if let Some(inner) = after_macro.and_then(|(_, rest)| defined_name(rest)) {
        return Some(inner);
    }
    (!head.contains('=')).then_some(name)
}

/// Returns true if a text calls a function, and not one whose name only ends like it.
fn is_called(text: &str, function: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(function).any(|(at, _)| {
        let rest = text[at + function.len()..].trim_start();
        !text[..at].ends_with(is_part) && rest.starts_with('(')
    })
}

/// Returns true if a text calls a function pointer with the name of an allocator: `(*do_malloc)(n)`,
/// `hooks->malloc(n)` or `hooks.malloc(n)`.
fn calls_pointer(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices("alloc").any(|(at, _)| {
        let before = text[..at].trim_end_matches(is_part);
        let after = text[at..].trim_start_matches(is_part);
        before.ends_with("(*") && after.starts_with(")(")
            || (before.ends_with("->") || before.ends_with('.')) && after.starts_with('(')
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::test_tree;
    use super::*;

    fn names(text: &str) -> Vec<String> {
        find(&test_tree(&[("src/a.c", text)]).1)
    }

    #[test]
    fn functions_that_return_new_memory_are_found() {
        for text in [
            "void *xmalloc(size_t n)\n{\n    void *p = malloc(n);\n    return p;\n}\n",
            "static void * xmalloc (size_t n) {\n  return malloc (n);\n}\n",
            "YAML_DECLARE(void *)\nxmalloc(size_t n)\n{\n    return malloc(n ? n : 1);\n}\n",
            "void *xmalloc(size_t n)\n{\n    return (*do_malloc)(n);\n}\n",
            "void *xmalloc(size_t n)\n{\n    return hooks->allocate(n);\n}\n",
            "void *xmalloc(size_t n)\n{\n    return hooks.allocate(n);\n}\n",
            "PUBLIC(void *) xmalloc(size_t n)\n{\n    return malloc(n);\n}\n",
            "void *xmalloc(size_t n) MALLOC_LIKE(1) {\n    return malloc(n);\n}\n",
            "void *\nxmalloc(size_t n,\n        int x)\n{\n    return calloc(n, x);\n}\n",
        ] {
            assert_eq!(names(text), ["xmalloc"], "{text}");
        }
    }

    #[test]
    fn functions_that_call_one_of_these_are_found() {
        let text = "char *text_strdup(char *s)\n{\n    return pool_alloc(s);\n}\n\
            void *pool_alloc(size_t n)\n{\n    return malloc(n);\n}\n\
            char *other_strdup(char *s)\n{\n    return keep(s);\n}\n";
        assert_eq!(names(text), ["pool_alloc", "text_strdup"]);
    }

    #[test]
    fn other_functions_are_not() {
        let test = "void *xmalloc(size_t n)\n{\n    return malloc(n);\n}\n";
        assert_eq!(find(&test_tree(&[("tests/a.c", test)]).1), [""; 0]);
        for text in [
            // It calls no function that allocates.
            "void *pool_alloc(size_t n)\n{\n    return pool + n;\n}\n",
            "void my_malloc_stats(void)\n{\n    xmalloc(3);\n    return;\n}\n",
            // Declarations and calls.
            "void *xmalloc(size_t n);\nint f(void)\n{\n    return malloc(3) != 0;\n}\n",
            "void f(void)\n{\n    char *p = xmalloc(3);\n    return malloc(4);\n}\n",
            "static char *p = xmalloc(\n    3);\n{\n return malloc(1);\n}\n",
            // A replacement of the C library's function.
            "void *malloc(size_t n)\n{\n    return realloc(0, n);\n}\n",
            // The name says nothing.
            "struct node *node_new(void)\n{\n    return malloc(3);\n}\n",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }
}
