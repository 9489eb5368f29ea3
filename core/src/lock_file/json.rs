//! Lock files in JSON: those of npm, Pipenv and Conan, and the overrides of vcpkg.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::LockedPackage;

/// Parses a text whose root must be an object.
fn root(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => Err(String::from("it is not a JSON object")),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns the members of an object. Empty if the value isn't an object.
fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Returns the elements of an array. Empty if the value isn't an array.
fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Returns the packages of `package-lock.json`. Since version 2 they are listed by their path,
/// before that as a tree.
pub(super) fn npm(text: &str) -> Result<Vec<LockedPackage>, String> {
    const FOLDER: &str = "node_modules/";
    let root = root(text)?;
    let mut out = Vec::new();
    if !root.contains_key("packages") {
        npm_tree(root.get("dependencies"), &mut out);
        return Ok(out);
    }
    for (path, package) in members(root.get("packages")) {
        let name = path.rsplit_once(FOLDER).map(|(_, name)| name);
        let version = package.get("version").and_then(Value::as_str);
        out.extend(
            name.zip(version)
                .map(|(name, version)| LockedPackage::new(name, version)),
        );
    }
    Ok(out)
}

fn npm_tree(dependencies: Option<&Value>, out: &mut Vec<LockedPackage>) {
    for (name, package) in members(dependencies) {
        let version = package.get("version").and_then(Value::as_str);
        out.extend(version.map(|version| LockedPackage::new(name, version)));
        npm_tree(package.get("dependencies"), out);
    }
}

/// Returns the packages of `Pipfile.lock`.
pub(super) fn pipfile(text: &str) -> Result<Vec<LockedPackage>, String> {
    let root = root(text)?;
    if !root.contains_key("default") && !root.contains_key("develop") {
        return Err(String::from("it has neither `default` nor `develop`"));
    }
    let mut out = Vec::new();
    // Other members are further categories of packages.
    for (_, category) in root.iter().filter(|(key, _)| *key != "_meta") {
        for (name, package) in members(Some(category)) {
            let version = package.get("version").and_then(Value::as_str);
            let version = version.and_then(|version| version.strip_prefix("=="));
            out.extend(version.map(|version| LockedPackage::new(name, version)));
        }
    }
    Ok(out)
}

/// Returns the packages of `conan.lock`, of Conan 2 or 1.
pub(super) fn conan(text: &str) -> Result<Vec<LockedPackage>, String> {
    let root = root(text)?;
    let mut out = Vec::new();
    if let Some(graph) = root.get("graph_lock") {
        let nodes = members(graph.get("nodes"));
        let references = nodes.filter_map(|(_, node)| node.get("ref")?.as_str());
        out.extend(references.filter_map(conan_reference));
        return Ok(out);
    }
    if !root.contains_key("requires") {
        return Err(String::from("it has neither `requires` nor `graph_lock`"));
    }
    for key in ["requires", "build_requires", "python_requires"] {
        let references = elements(root.get(key)).filter_map(Value::as_str);
        out.extend(references.filter_map(conan_reference));
    }
    Ok(out)
}

/// Parses `zlib/1.3.1@user/channel#revision%time`.
fn conan_reference(text: &str) -> Option<LockedPackage> {
    let (name, rest) = text.split_once('/')?;
    let version = rest.split(['@', '#', '%']).next()?;
    (!version.is_empty()).then(|| LockedPackage::new(name, version))
}

/// Returns the overrides of `vcpkg.json`, which are the only exact versions there. A number after
/// `#` counts changes of the port.
pub(super) fn vcpkg(text: &str) -> Result<Vec<LockedPackage>, String> {
    const KEYS: [&str; 4] = [
        "version",
        "version-semver",
        "version-string",
        "version-date",
    ];
    let root = root(text)?;
    let package = |entry: &Value| {
        let name = entry.get("name")?.as_str()?;
        let version = KEYS.iter().find_map(|key| entry.get(*key)?.as_str())?;
        let version = version.split('#').next()?;
        Some(LockedPackage::new(name, version))
    };
    Ok(elements(root.get("overrides"))
        .filter_map(package)
        .collect())
}
