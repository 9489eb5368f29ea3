//! `leakgate init` as a user runs it: on each kind of project, and beside files that are there
//! already.

#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const WORKFLOW: &str = ".github/workflows/leakgate.yml";

/// Projects, by the name of the workflow in docs/init/: the least that tells what they are.
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
                "[build-system]\nbuild-backend = \"maturin\"\n[project.optional-dependencies]\ntest = [\"x\"]\n",
            ),
            (
                "Cargo.toml",
                "[dependencies]\npyo3 = { version = \"0.25\", features = [\"extension-module\"] }\n",
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
            ("Makefile.am", "check_PROGRAMS = t\n"),
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

/// The folder of what is kept.
fn kept() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/init"))
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

struct Ran {
    status: i32,
    out: String,
    err: String,
}

fn run(dir: &Path, args: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("leakgate").unwrap();
    // There is neither git nor another program to ask.
    let output = command
        .current_dir(dir)
        .args(args)
        .env_remove("GITHUB_WORKSPACE")
        .env("PATH", "")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Holds a workflow to the one that linters read. `LEAKGATE_RENEW=1` writes it instead.
fn held(name: &str, workflow: &str) {
    let path = kept().join(format!("{name}.yml"));
    if std::env::var_os("LEAKGATE_RENEW").is_some() {
        fs::write(&path, workflow).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        workflow, kept,
        "docs/init/{name}.yml is not what is written; LEAKGATE_RENEW=1 writes it anew"
    );
}

#[test]
fn each_kind_of_project_has_its_workflow_and_a_configuration_that_is_read() {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(kept().join("../leakgate.schema.json")).unwrap())
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
        held(name, &workflow);
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
fn nothing_is_kept_of_what_is_no_longer_written() {
    let files = fs::read_dir(kept())
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
fn what_was_found_is_said_and_used() {
    let files = PROJECTS
        .iter()
        .find(|(name, _)| *name == "rust-and-cmake")
        .unwrap()
        .1;
    let dir = project(files);
    let ran = run(dir.path(), &["init", "--yes"]);
    let found = "found Rust with foreign code (Cargo.toml); C and C++ by CMake (CMakeLists.txt)\nfound suppressions in tests/known.supp\n";
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
        ran.err.contains("Python without an extension module") && ran.err.contains("is not known"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("left out bad.supp")
            && ran
                .out
                .contains("# Left out, since it can't be read: \"bad.supp\"\n")
    );
    let untested = project(&[("CMakeLists.txt", "project(x C)\n")]);
    assert!(
        run(untested.path(), &["init"])
            .err
            .contains("CMake (CMakeLists.txt) names no tests")
    );
}

#[test]
fn without_a_terminal_nothing_is_written_unless_it_is_said_so() {
    let dir = project(PROJECTS[0].1);
    let ran = run(dir.path(), &["init"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err
            .ends_with("nothing was written; say --yes to write without being asked\n"),
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
fn what_is_there_stays_and_the_other_is_written() {
    let dir = project(PROJECTS[0].1);
    fs::write(dir.path().join("leakgate.toml"), "# mine\n").unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err
            .contains("leakgate.toml is there already, and stays as it is\n"),
        "{}",
        ran.err
    );
    assert!(!ran.out.contains("leakgate.toml <=="));
    assert!(dir.path().join(WORKFLOW).exists());
    fs::write(dir.path().join(WORKFLOW), "mine\n").unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(
        ran.err.ends_with("nothing is left to write\n"),
        "{}",
        ran.err
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("leakgate.toml")).unwrap(),
        "# mine\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join(WORKFLOW)).unwrap(),
        "mine\n"
    );
    // What would be written is shown all the same.
    assert!(
        run(dir.path(), &["init", "--print"])
            .out
            .contains("==> leakgate.toml <==")
    );
}

#[test]
fn a_workflow_of_another_name_that_runs_leakgate_is_enough() {
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
            .contains(".github/workflows/ci.yaml runs leakgate already"),
        "{}",
        ran.err
    );
    assert!(!dir.path().join(WORKFLOW).exists() && dir.path().join("leakgate.toml").exists());
}

#[test]
fn the_repository_is_found_from_below_and_a_folder_below_can_be_named() {
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
    held(
        "below",
        &fs::read_to_string(dir.path().join(WORKFLOW)).unwrap(),
    );
    assert_eq!(run(dir.path(), &["init", "none"]).status, 2);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_where_one_of_both_can_not_be() {
    let dir = project(PROJECTS[0].1);
    std::os::unix::fs::symlink("elsewhere", dir.path().join(".github")).unwrap();
    let ran = run(dir.path(), &["init", "--yes"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(
        ran.err
            .ends_with("error: .github: is a link; nothing is written through it\n"),
        "{}",
        ran.err
    );
    assert!(!dir.path().join("leakgate.toml").exists());
}
