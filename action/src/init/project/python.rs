//! Extension modules of Python: the interpreter runs the tests under memcheck, which needs no other
//! build of either.

use toml::{Table, Value};

use super::{Job, Leg, Step};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "pyproject.toml";

const OLD_FILE: &str = "setup.py";

/// What there is of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A module in machine code.
    Extension(Job),
    /// Python alone.
    Pure,
    Nothing,
}

/// The job of an extension module.
pub(super) fn find(tree: &Tree) -> Found {
    if !tree.has(FILE) && !tree.has(OLD_FILE) {
        return Found::Nothing;
    }
    let project: Table = tree.read(FILE).parse().unwrap_or_default();
    let system = project.get("build-system");
    let backend = system
        .and_then(|s| s.get("build-backend"))
        .and_then(Value::as_str)
        .unwrap_or("setuptools.build_meta");
    let extra = extra(&project)
        .map(|extra| format!("[{extra}]"))
        .unwrap_or_default();
    let pip = |what: &str| format!(".venv/bin/python -m pip install {what} pytest");
    let (by, file, install) = match backend.split(['.', ':', '_']).next().unwrap_or_default() {
        // It installs what it builds without optimising, so that stacks have lines.
        "maturin" => (
            "maturin",
            FILE,
            vec![
                pip("maturin"),
                format!(".venv/bin/maturin develop{}", extras_of_maturin(&extra)),
            ],
        ),
        "mesonpy" => ("meson-python", FILE, vec![pip(&quoted(".", &extra))]),
        "scikit" => ("scikit-build", FILE, vec![pip(&quoted(".", &extra))]),
        "setuptools" => match of_setuptools(tree, &project) {
            // What lies beside the tests is imported in its place, and must hold the module.
            Some(file) => (
                "setuptools",
                file,
                vec![pip(&format!("--editable {}", quoted(".", &extra)))],
            ),
            None => return Found::Pure,
        },
        _ => return Found::Pure,
    };
    let mut script = vec!["python3 -m venv .venv".to_owned()];
    script.extend(install);
    Found::Extension(Job {
        id: "python",
        what: format!("a Python extension by {by} ({file})"),
        legs: vec![Leg::of("memcheck")],
        steps: vec![
            Step::packages(None, &["python3-dev", "python3-venv", "valgrind"]),
            Step {
                name: "Build",
                script,
                variables: vec![("CFLAGS", "-g -O1"), ("CXXFLAGS", "-g -O1")],
                ..Step::default()
            },
        ],
        command: ".venv/bin/python -m pytest".into(),
        remark: None,
    })
}

/// The file that tells of an extension module.
fn of_setuptools(tree: &Tree, project: &Table) -> Option<&'static str> {
    let setup = without_comments(&tree.read(OLD_FILE), "#");
    let signs = [
        "ext_modules",
        "cffi_modules",
        "rust_extensions",
        "cythonize(",
        "Extension(",
    ];
    if signs.iter().any(|sign| setup.contains(sign)) {
        return Some(OLD_FILE);
    }
    let tool = project.get("tool");
    let has_modules = tool
        .and_then(|t| t.get("setuptools"))
        .is_some_and(|t| t.get("ext-modules").is_some());
    (has_modules || tool.is_some_and(|t| t.get("setuptools-rust").is_some())).then_some(FILE)
}

/// The group of dependencies that tests need, by its usual names.
fn extra(project: &Table) -> Option<&'static str> {
    let groups = project
        .get("project")?
        .get("optional-dependencies")?
        .as_table()?;
    ["test", "tests", "testing", "dev"]
        .into_iter()
        .find(|name| groups.contains_key(*name))
}

fn extras_of_maturin(extra: &str) -> String {
    if extra.is_empty() {
        String::new()
    } else {
        format!(" --extras {}", extra.trim_matches(['[', ']']))
    }
}

/// A shell takes brackets for a pattern.
fn quoted(what: &str, extra: &str) -> String {
    if extra.is_empty() {
        what.to_owned()
    } else {
        format!("'{what}{extra}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::made;

    fn script(files: &[(&str, &str)]) -> Option<String> {
        match find(&made(files).1) {
            Found::Extension(job) => Some(job.steps[1].script.join("\n")),
            Found::Pure => Some("pure".into()),
            Found::Nothing => None,
        }
    }

    #[test]
    fn the_builder_is_told_by_the_project() {
        let of = |backend: &str, more: &str| {
            let text = format!("[build-system]\nbuild-backend = \"{backend}\"\n{more}");
            script(&[(FILE, &text)]).unwrap()
        };
        assert!(of("maturin", "").ends_with(".venv/bin/maturin develop"));
        let tests = "[project.optional-dependencies]\ntests = [\"x\"]\n";
        assert!(of("maturin", tests).ends_with("develop --extras tests"));
        assert!(of("mesonpy", tests).ends_with("install '.[tests]' pytest"));
        assert!(of("scikit_build_core.build", "").ends_with("install . pytest"));
        assert_eq!(of("setuptools.build_meta", ""), "pure");
        assert!(
            of(
                "setuptools.build_meta",
                "[tool.setuptools]\next-modules = [{name = \"x\"}]\n"
            )
            .contains("--editable .")
        );
        assert_eq!(of("hatchling.build", ""), "pure");
    }

    #[test]
    fn setup_py_tells_of_extensions() {
        assert!(
            script(&[(OLD_FILE, "setup(ext_modules=[Extension('x', ['x.c'])])")])
                .unwrap()
                .contains("--editable")
        );
        assert_eq!(
            script(&[(OLD_FILE, "setup()  # no ext_modules")]).as_deref(),
            Some("pure")
        );
        assert_eq!(script(&[("x.py", "")]), None);
    }
}
