//! Finds the built-in packs for the libraries of a project.

use super::project::{Job, crates};
use super::tree::{Tree, has_word, without_comments};

/// Crates and the packs for them.
const BY_CRATE: &[(&str, &str)] = &[
    ("pyo3", "pyo3"),
    ("pyo3", "python"),
    ("tokio", "tokio"),
    ("glib", "glib"),
    ("glib-sys", "glib"),
    ("gtk", "gtk-fontconfig"),
    ("gtk4", "gtk-fontconfig"),
    ("fontconfig-sys", "gtk-fontconfig"),
    ("yeslogic-fontconfig-sys", "gtk-fontconfig"),
    ("openssl", "openssl"),
    ("openssl-sys", "openssl"),
    ("native-tls", "openssl"),
    ("libloading", "dlopen"),
    ("openmp-sys", "openmp"),
    ("cranelift-jit", "cranelift"),
    ("jni", "jvm"),
    ("pgrx", "postgres"),
];

/// Words in C and C++ build files, and the packs for them.
const BY_WORD: &[(&str, &str)] = &[
    ("glib-2.0", "glib"),
    ("gobject-2.0", "glib"),
    ("gio-2.0", "glib"),
    ("gtk4", "gtk-fontconfig"),
    ("gtk+-3.0", "gtk-fontconfig"),
    ("fontconfig", "gtk-fontconfig"),
    ("pango", "gtk-fontconfig"),
    ("OpenSSL", "openssl"),
    ("openssl", "openssl"),
    ("libssl", "openssl"),
    ("-lssl", "openssl"),
    ("CMAKE_DL_LIBS", "dlopen"),
    ("-ldl", "dlopen"),
    ("OpenMP", "openmp"),
    ("openmp", "openmp"),
    ("-fopenmp", "openmp"),
    ("JNI", "jvm"),
    ("PGXS", "postgres"),
];

const BUILD_FILES: &[&str] = &[
    "CMakeLists.txt",
    "meson.build",
    "configure.ac",
    "configure.in",
    "Makefile.am",
    "GNUmakefile",
    "Makefile",
    "makefile",
];

/// Returns the packs for a project, each once.
pub(super) fn detect(tree: &Tree, jobs: &[Job]) -> Vec<&'static str> {
    let has = |id: &str| jobs.iter().any(|job| job.id == id);
    let mut packs = Vec::new();
    packs.extend(has("python").then_some("python"));
    // The rules of rust-std are for memcheck.
    let is_under_memcheck =
        |job: &Job| job.id == "rust" && job.matrix.iter().any(|entry| entry.tool == "memcheck");
    let crates = crates(tree);
    packs.extend(
        (jobs.iter().any(is_under_memcheck) || crates.iter().any(|name| name == "pyo3"))
            .then_some("rust-std"),
    );
    packs.extend(
        BY_CRATE
            .iter()
            .filter(|(name, _)| crates.iter().any(|c| c == name))
            .map(|(_, pack)| *pack),
    );
    if jobs.iter().any(|job| !["rust", "go"].contains(&job.id)) {
        let texts: Vec<String> = BUILD_FILES
            .iter()
            .flat_map(|name| tree.with_name(name))
            .map(|file| without_comments(&tree.read(file), "#"))
            .collect();
        packs.extend(
            BY_WORD
                .iter()
                .filter(|(word, _)| texts.iter().any(|text| has_word(text, word)))
                .map(|(_, pack)| *pack),
        );
    }
    let mut unique = Vec::new();
    for pack in packs {
        if !unique.contains(&pack) {
            unique.push(pack);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::super::project::Project;
    use super::super::tree::tests::test_tree;
    use super::*;

    fn packs(files: &[(&str, &str)]) -> Vec<&'static str> {
        Project::detect(&test_tree(files).1).packs
    }

    #[test]
    fn all_packs_exist() {
        for (word, pack) in BY_CRATE.iter().chain(BY_WORD) {
            assert!(
                leakgate_core::rules::Pack::find(pack).is_some(),
                "{word}: {pack}"
            );
        }
    }

    #[test]
    fn packs_match_the_libraries_of_a_project() {
        assert_eq!(
            packs(&[(
                "Cargo.toml",
                "[dependencies]\ntokio = \"1\"\n[build-dependencies]\ncc = \"1\""
            )]),
            ["rust-std", "tokio"]
        );
        assert_eq!(packs(&[("Cargo.toml", "[package]\nname = \"x\"")]), [""; 0]);
        let cmake = "project(x C)\npkg_check_modules(G gio-2.0 glib-2.0)\n\
                     # find_package(OpenSSL)\ntarget_link_libraries(x ${CMAKE_DL_LIBS})";
        assert_eq!(packs(&[("CMakeLists.txt", cmake)]), ["glib", "dlopen"]);
        let module = [
            (
                "pyproject.toml",
                "[build-system]\nbuild-backend = \"maturin\"",
            ),
            (
                "Cargo.toml",
                "[dependencies]\npyo3 = { version = \"0.25\", features = [\"extension-module\"] }",
            ),
        ];
        assert_eq!(packs(&module), ["python", "rust-std", "pyo3"]);
    }
}
