//! `leakgate init` on each kind of project, and with existing files.

mod pipelines;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{self, RunResult, repository};

const WORKFLOW: &str = ".github/workflows/leakgate.yml";

/// Minimal projects by the name of their workflow in docs/init/.
const PROJECTS: &[(&str, &[(&str, &str)])] = &[
    (
        "rust",
        &[
            ("Cargo.toml", "[package]\nname = \"x\"\n"),
            ("src/lib.rs", "pub fn f() {}\n"),
        ],
    ),
    (
        "rust-unsafe",
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            ("a/src/lib.rs", "fn f() { unsafe { g() } }\n"),
        ],
    ),
    (
        "rust-ffi",
        &[(
            "Cargo.toml",
            "[package]\nname = \"x\"\n[build-dependencies]\ncc = \"1\"\n",
        )],
    ),
    (
        "rust-and-cmake",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"x\"\n[dependencies]\nx-sys = \"1\"\ntokio = \"1\"\n",
            ),
            ("CMakeLists.txt", "project(x C CXX)\ninclude(CTest)\n"),
            (
                "tests/known.supp",
                "{\n  a\n  Memcheck:Leak\n  fun:malloc\n  fun:x\n}\n",
            ),
        ],
    ),
    (
        "python-maturin",
        &[
            (
                "pyproject.toml",
                "[build-system]\nbuild-backend = \"maturin\"\n\
                 [project.optional-dependencies]\ntest = [\"x\"]\n",
            ),
            (
                "Cargo.toml",
                "[dependencies]\n\
                 pyo3 = { version = \"0.25\", features = [\"extension-module\"] }\n",
            ),
        ],
    ),
    (
        "python-setuptools",
        &[("setup.py", "setup(ext_modules=[Extension('x', ['x.c'])])\n")],
    ),
    (
        "cmake",
        &[("CMakeLists.txt", "project(x CXX)\nenable_testing()\n")],
    ),
    (
        "meson",
        &[
            ("meson.build", "project('x', 'c')\ntest('t', e)\n"),
            (".gitmodules", ""),
        ],
    ),
    (
        "autotools",
        &[
            ("configure.ac", "AC_INIT([x], [1])\n"),
            ("Makefile.am", "check_PROGRAMS = t\nTESTS = t\n"),
        ],
    ),
    (
        "make",
        &[
            ("Makefile", "t: t.c\ntest: t\n\t./t\n"),
            ("t.c", "int main(void) { return 0; }\n"),
        ],
    ),
    ("go", &[("go.mod", "module x\n"), ("a.go", "package x\n")]),
    (
        "go-with-c",
        &[
            ("go.mod", "module x\n"),
            ("a.go", "package x\n\nimport \"C\"\n"),
        ],
    ),
    ("unknown", &[("BUILD.bazel", "")]),
];

/// The directory of the expected workflows.
fn expected_dir() -> PathBuf {
    repository("docs/init")
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".git")).unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// Runs leakgate without PATH, so it can call neither git nor any other program.
fn run(dir: &Path, args: &[&str]) -> RunResult {
    let mut command = common::leakgate(dir);
    command.args(args).env("PATH", "").output().unwrap().into()
}

/// Compares a workflow with the one in docs/init/, which linters check. `LEAKGATE_RENEW=1` updates
/// the file instead.
fn assert_expected(name: &str, workflow: &str) {
    let path = expected_dir().join(format!("{name}.yml"));
    if std::env::var_os("LEAKGATE_RENEW").is_some() {
        fs::write(&path, workflow).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        workflow, expected,
        "docs/init/{name}.yml is outdated; LEAKGATE_RENEW=1 updates it"
    );
}

#[test]
fn each_kind_of_project_gets_its_workflow_and_a_valid_configuration() {
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(expected_dir().join("../leakgate.schema.json")).unwrap(),
    )
    .unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, files) in PROJECTS {
        let dir = project(files);
        let ran = run(dir.path(), &["init", "--yes"]);
        assert_eq!(ran.status, 0, "{name}: {}", ran.err);
        assert!(
            ran.err.contains("wrote leakgate.toml\n")
                && ran.err.ends_with(&format!("wrote {WORKFLOW}\n")),
            "{}",
            ran.err
        );
        let workflow = fs::read_to_string(dir.path().join(WORKFLOW)).unwrap();
        assert_expected(name, &workflow);
        let config = fs::read_to_string(dir.path().join("leakgate.toml")).unwrap();
        assert_eq!(
            ran.out,
            format!("==> leakgate.toml <==\n{config}\n==> {WORKFLOW} <==\n{workflow}\n")
        );
        let config: Value = serde_json::to_value(config.parse::<toml::Table>().unwrap()).unwrap();
        assert!(schema.is_valid(&config), "{name}: {config}");
        let rules = run(dir.path(), &["rules"]);
        assert_eq!(
            (rules.status, rules.err.as_str()),
            (0, ""),
            "{name}: {}",
            rules.out
        );
    }
}

#[test]
fn every_expected_workflow_belongs_to_a_project() {
    let files = fs::read_dir(expected_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|end| end == "yml")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(
            name == "below" || PROJECTS.iter().any(|(project, _)| *project == name),
            "{name}"
        );
    }
}

#[test]
fn detected_files_are_reported_and_used() {
    let files = PROJECTS
        .iter()
        .find(|(name, _)| *name == "rust-and-cmake")
        .unwrap()
        .1;
    let dir = project(files);
    let ran = run(dir.path(), &["init", "--yes"]);
    let found = "found Rust with foreign code (Cargo.toml); C and C++ with CMake (CMakeLists.txt)\n\
                 tests run with `cargo test` under memcheck and asan\n\
                 tests run with `ctest --test-dir build --output-on-failure` under memcheck and \
                 asan\n\
                 found suppressions in tests/known.supp\n";
    assert!(ran.err.starts_with(found), "{}", ran.err);
    let config: toml::Table = fs::read_to_string(dir.path().join("leakgate.toml"))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        config["files"]["suppressions"].as_array().unwrap()[0].as_str(),
        Some("tests/known.supp")
    );
    assert_eq!(config["files"]["packs"].as_array().unwrap().len(), 2);

    let unknown = project(&[
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        ("bad.supp", "{\n"),
    ]);
    let ran = run(unknown.path(), &["init"]);
    assert!(
        ran.err.contains("Python without an extension module")
            && ran.err.contains("no supported build system found"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("skipped bad.supp")
            && ran
                .out
                .contains("# Skipped because it cannot be parsed: \"bad.supp\"\n")
    );
    let untested = project(&[("CMakeLists.txt", "project(x C)\n")]);
    assert!(
        run(untested.path(), &["init"])
            .err
            .contains("CMake (CMakeLists.txt) defines no tests")
    );
}

#[test]
fn without_a_terminal_files_are_written_only_with_yes() {
    let dir = project(PROJECTS[0].1);
    let ran = run(dir.path(), &["init"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err
            .ends_with("nothing was written; use --yes to write without confirmation\n"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("==> leakgate.toml <==") && ran.out.contains(WORKFLOW));
    let printed = run(dir.path(), &["init", "--print"]);
    assert_eq!((printed.status, &printed.out), (0, &ran.out));
    assert!(!dir.path().join("leakgate.toml").exists() && !dir.path().join(".github").exists());
    assert_eq!(run(dir.path(), &["init", "--print", "--yes"]).status, 2);
}

#[test]
fn existing_files_are_left_unchanged() {
    let dir = project(PROJECTS[0].1);
    fs::write(dir.path().join("leakgate.toml"), "# mine\n").unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err
            .contains("leakgate.toml already exists and is left unchanged\n"),
        "{}",
        ran.err
    );
    assert!(!ran.out.contains("leakgate.toml <=="));
    assert!(dir.path().join(WORKFLOW).exists());
    fs::write(dir.path().join(WORKFLOW), "mine\n").unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(ran.err.ends_with("nothing to write\n"), "{}", ran.err);
    assert_eq!(
        fs::read_to_string(dir.path().join("leakgate.toml")).unwrap(),
        "# mine\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join(WORKFLOW)).unwrap(),
        "mine\n"
    );
    // `--print` shows the files nevertheless.
    assert!(
        run(dir.path(), &["init", "--print"])
            .out
            .contains("==> leakgate.toml <==")
    );
}

#[test]
fn no_second_workflow_is_generated() {
    let dir = project(PROJECTS[0].1);
    fs::create_dir_all(dir.path().join(".github/workflows")).unwrap();
    fs::write(
        dir.path().join(".github/workflows/ci.yaml"),
        "steps:\n  - uses: leakgate/leakgate@v0.1.0\n",
    )
    .unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert!(
        ran.err
            .contains(".github/workflows/ci.yaml already runs leakgate"),
        "{}",
        ran.err
    );
    assert!(!dir.path().join(WORKFLOW).exists() && dir.path().join("leakgate.toml").exists());
}

#[test]
fn repository_is_found_from_a_subdirectory_that_can_also_be_given() {
    let dir = project(&[
        ("Cargo.toml", "[workspace]\n"),
        ("native/CMakeLists.txt", "project(x C)\nenable_testing()\n"),
    ]);
    let ran = run(&dir.path().join("native"), &["init"]);
    assert!(
        ran.err.starts_with("found Rust (Cargo.toml)\n"),
        "{}",
        ran.err
    );
    let ran = run(dir.path(), &["init", "--yes", "native"]);
    assert!(
        ran.err.contains("wrote native/leakgate.toml\n"),
        "{}",
        ran.err
    );
    assert_expected(
        "below",
        &fs::read_to_string(dir.path().join(WORKFLOW)).unwrap(),
    );
    assert_eq!(run(dir.path(), &["init", "none"]).status, 2);
}

#[test]
fn project_below_the_root_is_found_and_its_choice_explained() {
    let cmake = "project(x C)\nenable_testing()\n";
    let dir = project(&[
        ("README.md", ""),
        ("expat/CMakeLists.txt", cmake),
        ("expat/configure.ac", "AC_INIT\n"),
        ("expat/a.c", ""),
        ("extra/Makefile", "test:\n\t@echo nothing\n"),
        ("extra/a.c", ""),
    ]);
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!(
        ran.err,
        "the repository has no build system at its root; using the project in expat\n\
         not used: the project in extra; `leakgate init --print extra` shows its workflow\n\
         found C with CMake (CMakeLists.txt)\n\
         tests run with `ctest --test-dir build --output-on-failure` under memcheck and asan\n\
         not used: C with a configure script (configure.ac), because it defines no tests\n\
         wrote expat/leakgate.toml\n\
         wrote .github/workflows/leakgate.yml\n"
    );
    let workflow = fs::read_to_string(dir.path().join(WORKFLOW)).unwrap();
    assert!(
        workflow.contains("working-directory: \"expat\"\n"),
        "{workflow}"
    );
    let ran = run(dir.path(), &["init", "--print", "extra"]);
    assert!(
        ran.err
            .contains("`make test` runs no program, so a checker would have no evidence\n")
            && ran
                .err
                .contains("defines no tests: add a command to the workflow\n"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("run: ./PROGRAM\n"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_if_one_file_cannot_be() {
    let dir = project(PROJECTS[0].1);
    std::os::unix::fs::symlink("elsewhere", dir.path().join(".github")).unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(
        ran.err
            .ends_with("error: cannot write to .github: it is a symbolic link\n"),
        "{}",
        ran.err
    );
    assert!(!dir.path().join("leakgate.toml").exists());
}
