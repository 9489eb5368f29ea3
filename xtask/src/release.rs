//! `cargo xtask release`: adds checksums, checks the commit of a tag, and writes the files for
//! package managers. docs/releasing.md describes the whole process.

mod manifests;

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::{Outcome, setup};

const USAGE: &str = "usage: cargo xtask release manifest FOLDER
       cargo xtask release check TAG
       cargo xtask release formula FOLDER
       cargo xtask release winget FOLDER";
pub(crate) const MANIFEST: &str = "action/setup/checksums.txt";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of a release, sorted: archives, wheels and packages for Debian.
const FILES: &[&str] = &[
    "leakgate-{version}-aarch64-apple-darwin.tar.gz",
    "leakgate-{version}-aarch64-pc-windows-msvc.zip",
    "leakgate-{version}-aarch64-unknown-linux-musl.tar.gz",
    "leakgate-{version}-py3-none-macosx_10_12_x86_64.whl",
    "leakgate-{version}-py3-none-macosx_11_0_arm64.whl",
    concat!(
        "leakgate-{version}-py3-none-",
        "manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64.whl"
    ),
    concat!(
        "leakgate-{version}-py3-none-",
        "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl"
    ),
    "leakgate-{version}-py3-none-win_amd64.whl",
    "leakgate-{version}-py3-none-win_arm64.whl",
    "leakgate-{version}-x86_64-apple-darwin.tar.gz",
    "leakgate-{version}-x86_64-pc-windows-msvc.zip",
    "leakgate-{version}-x86_64-unknown-linux-musl.tar.gz",
    "leakgate_{version}-1_amd64.deb",
    "leakgate_{version}-1_arm64.deb",
];

/// Runs `cargo xtask release` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let sh = Shell::new()?;
    let folder = sh.current_dir();
    sh.change_dir(setup::repository()?);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["manifest", files] => add(&sh, &folder.join(files), VERSION),
        ["check", tag] => check(&sh, tag, VERSION),
        ["formula", target] => describe(&sh, manifests::FORMULA, &folder.join(target), VERSION),
        ["winget", target] => describe(&sh, manifests::WINGET, &folder.join(target), VERSION),
        _ => Err(USAGE.into()),
    }
}

/// Returns the names of the files of a version.
pub(crate) fn files(version: &str) -> Vec<String> {
    // Python has another form for the version between two releases.
    let python = version.replace("-dev", ".dev0");
    let name = |file: &&str| match file.ends_with(".whl") {
        true => file.replace("{version}", &python),
        false => file.replace("{version}", version),
    };
    FILES.iter().map(name).collect()
}

/// Returns an error for the version of the commits between two releases, which ends with `-dev`.
fn ensure_release(version: &str) -> Outcome {
    match version.ends_with("-dev") {
        true => Err(format!(
            "cannot release {version}: first set `version` in Cargo.toml to that of a release"
        )
        .into()),
        false => Ok(()),
    }
}

/// Adds the checksums of a version's files. The folder must contain these and nothing else.
fn add(sh: &Shell, folder: &Path, version: &str) -> Outcome {
    ensure_release(version)?;
    let names = files(version);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    if found != names {
        return Err(format!(
            "{} contains {found:?}; expected {names:?}",
            folder.display()
        )
        .into());
    }
    let sums = {
        let _folder = sh.push_dir(folder);
        cmd!(sh, "sha256sum {names...}").read()?
    };
    let manifest = sh.read_file(MANIFEST)?;
    if manifest.contains(&format!(" leakgate-{version}-")) {
        return Err(format!(
            "{MANIFEST} already contains {version}: a version is released only once"
        )
        .into());
    }
    Ok(sh.write_file(MANIFEST, format!("{}\n{sums}\n", manifest.trim_end()))?)
}

/// Checks that the current commit may become the commit of a tag.
fn check(sh: &Shell, tag: &str, version: &str) -> Outcome {
    ensure_release(version)?;
    if tag != format!("v{version}") {
        return Err(format!("the tag is {tag}, but the version in Cargo.toml is {version}").into());
    }
    let heading = format!("## {version}");
    if !sh
        .read_file("CHANGELOG.md")?
        .lines()
        .any(|line| line == heading || line.starts_with(&format!("{heading} ")))
    {
        return Err(format!("CHANGELOG.md has no {heading}").into());
    }
    let commits = cmd!(sh, "git rev-list --parents --max-count=1 HEAD").read()?;
    if commits.split(' ').count() != 2 {
        return Err(
            "the commit of a tag must have one parent, from which the files were built".into(),
        );
    }
    let changed = cmd!(sh, "git diff --no-renames --numstat HEAD^ HEAD").read()?;
    let expected = format!("{}\t0\t{MANIFEST}", FILES.len());
    if changed != expected {
        return Err(format!("the commit of a tag must add a line for each file to {MANIFEST} and change nothing else:\n{changed}").into());
    }
    let manifest = sh.read_file(MANIFEST)?;
    for name in files(version) {
        let lines: Vec<&str> = manifest
            .lines()
            .filter(|line| line.ends_with(&format!("  {name}")))
            .collect();
        if lines.len() != 1 || lines[0].len() != 64 + 2 + name.len() {
            return Err(format!("{MANIFEST} must contain one line for {name}").into());
        }
    }
    Ok(())
}

/// Writes files for a package manager.
fn describe(sh: &Shell, templates: &[(&str, &str)], folder: &Path, version: &str) -> Outcome {
    ensure_release(version)?;
    manifests::write(templates, folder, &sh.read_file(MANIFEST)?, version)
}

/// Returns the version of the action in examples: that of the newest release, or, before the first
/// one and in the commit of a release, the current one.
#[cfg(test)]
pub(crate) fn documented_version(manifest: &str) -> String {
    const LINUX: &str = "-x86_64-unknown-linux-musl.tar.gz";
    let (current, is_between_releases) = match VERSION.strip_suffix("-dev") {
        Some(next) => (next, true),
        None => (VERSION, false),
    };
    let newest = manifest
        .lines()
        .filter_map(|line| line.split_once("  leakgate-")?.1.strip_suffix(LINUX))
        .next_back();
    newest
        .filter(|_| is_between_releases)
        .unwrap_or(current)
        .to_owned()
}

#[cfg(test)]
mod tests;
