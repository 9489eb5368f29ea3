//! Python extension modules. The interpreter runs the tests under memcheck, which needs no special
//! build of the interpreter or the module.

use toml::{Table, Value};

use super::{Job, MatrixEntry, Platform, Step, Variable};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "pyproject.toml";

const OLD_FILE: &str = "setup.py";

/// The Python code of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Detected {
    /// An extension module in machine code.
    Extension(Job),
    /// Only Python code.
    Pure,
    /// No Python project.
    Nothing,
}

impl Detected {
    pub(super) fn into_job(self) -> Option<Job> {
        match self {
            Self::Extension(job) => Some(job),
            Self::Pure | Self::Nothing => None,
        }
    }
}

/// How an extension module is built and installed.
struct Builder {
    name: &'static str,
    /// The file that configures it.
    file: &'static str,
    /// Commands that install the module and pytest.
    install: Vec<String>,
}

/// Detects an extension module.
pub(super) fn find(tree: &Tree) -> Detected {
    if !tree.has(FILE) && !tree.has(OLD_FILE) {
        return Detected::Nothing;
    }
    let project: Table = tree.read(FILE).parse().unwrap_or_default();
    let Some(builder) = builder(tree, &project) else {
        return Detected::Pure;
    };
    let mut script = vec!["python3 -m venv .venv".to_owned()];
    script.extend(builder.install);
    Detected::Extension(Job {
        id: "python",
        description: format!("Python extension with {} ({})", builder.name, builder.file),
        matrix: vec![MatrixEntry::new("memcheck")],
        steps: vec![
            Step::packages(None, &["python3-dev", "python3-venv", "valgrind"]),
            Step {
                name: "Build",
                script,
                env: vec![
                    Variable::new("CFLAGS", "-g -O1"),
                    Variable::new("CXXFLAGS", "-g -O1"),
                ],
                ..Step::default()
            },
        ],
        command: ".venv/bin/python -m pytest".into(),
        comment: None,
        platform: if tree.with_name("Cargo.toml").next().is_some() {
            Platform::rust(&[])
        } else {
            Platform::default()
        },
    })
}

/// Returns the builder of an extension module; `None` if the project has no such module.
fn builder(tree: &Tree, project: &Table) -> Option<Builder> {
    let backend = project
        .get("build-system")
        .and_then(|system| system.get("build-backend"))
        .and_then(Value::as_str)
        .unwrap_or("setuptools.build_meta");
    let extra = test_extra(project);
    let pip = |package: &str| format!(".venv/bin/python -m pip install {package} pytest");
    let (name, file, install) = match backend.split(['.', ':', '_']).next().unwrap_or_default() {
        // `maturin develop` builds without optimization, so that stacks have lines.
        "maturin" => {
            let extras = extra
                .map(|extra| format!(" --extras {extra}"))
                .unwrap_or_default();
            let develop = format!(".venv/bin/maturin develop{extras}");
            ("maturin", FILE, vec![pip("maturin"), develop])
        }
        "mesonpy" => ("meson-python", FILE, vec![pip(&project_argument(extra))]),
        "scikit" => ("scikit-build", FILE, vec![pip(&project_argument(extra))]),
        // The tests import the package in the working directory instead of an installed one, so the
        // module must be built in place.
        "setuptools" => {
            let file = setuptools_file(tree, project)?;
            let editable = format!("--editable {}", project_argument(extra));
            ("setuptools", file, vec![pip(&editable)])
        }
        _ => return None,
    };
    Some(Builder {
        name,
        file,
        install,
    })
}

/// Returns the file that defines an extension module for setuptools.
fn setuptools_file(tree: &Tree, project: &Table) -> Option<&'static str> {
    let setup = without_comments(&tree.read(OLD_FILE), "#");
    let markers = [
        "ext_modules",
        "cffi_modules",
        "rust_extensions",
        "cythonize(",
        "Extension(",
    ];
    if markers.iter().any(|marker| setup.contains(marker)) {
        return Some(OLD_FILE);
    }
    let tool = project.get("tool");
    let has_modules = tool
        .and_then(|t| t.get("setuptools"))
        .is_some_and(|t| t.get("ext-modules").is_some());
    (has_modules || tool.is_some_and(|t| t.get("setuptools-rust").is_some())).then_some(FILE)
}

/// Returns the optional dependencies that tests need, by their usual names.
fn test_extra(project: &Table) -> Option<&'static str> {
    let groups = project
        .get("project")?
        .get("optional-dependencies")?
        .as_table()?;
    ["test", "tests", "testing", "dev"]
        .into_iter()
        .find(|name| groups.contains_key(*name))
}

/// Returns the argument for pip that installs the project. It is quoted because a shell would
/// expand brackets.
fn project_argument(extra: Option<&str>) -> String {
    extra.map_or_else(|| ".".to_owned(), |extra| format!("'.[{extra}]'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    fn script(files: &[(&str, &str)]) -> Option<String> {
        match find(&test_tree(files).1) {
            Detected::Extension(job) => Some(job.steps[1].script.join("\n")),
            Detected::Pure => Some("pure".into()),
            Detected::Nothing => None,
        }
    }

    #[test]
    fn builder_is_detected_by_its_backend() {
        let install = |backend: &str, more: &str| {
            let text = format!("[build-system]\nbuild-backend = \"{backend}\"\n{more}");
            script(&[(FILE, &text)]).unwrap()
        };
        assert!(install("maturin", "").ends_with(".venv/bin/maturin develop"));
        let tests = "[project.optional-dependencies]\ntests = [\"x\"]\n";
        assert!(install("maturin", tests).ends_with("develop --extras tests"));
        assert!(install("mesonpy", tests).ends_with("install '.[tests]' pytest"));
        assert!(install("scikit_build_core.build", "").ends_with("install . pytest"));
        assert_eq!(install("setuptools.build_meta", ""), "pure");
        assert!(
            install(
                "setuptools.build_meta",
                "[tool.setuptools]\next-modules = [{name = \"x\"}]\n"
            )
            .contains("--editable .")
        );
        assert_eq!(install("hatchling.build", ""), "pure");
    }

    #[test]
    fn extensions_are_detected_in_setup_py() {
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
