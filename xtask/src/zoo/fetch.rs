//! Downloads sources with the clients of their registries, and checks them.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use super::manifest::{Project, Registry};
use crate::Outcome;

/// Returns the archive of a project, which is downloaded if it isn't there.
///
/// # Errors
/// Fails if the download fails, or if the archive has another checksum.
pub(super) fn fetch(sh: &Shell, project: &Project, downloads: &Path) -> Outcome<PathBuf> {
    sh.create_dir(downloads)?;
    let archive = downloads.join(&project.source.file);
    if !archive.exists() {
        match project.source.registry {
            Registry::Debian => from_debian(sh, project, downloads)?,
            Registry::Crates => from_crates(sh, project, downloads)?,
            Registry::PyPi => from_pypi(sh, project, downloads)?,
        }
    }
    let bytes = fs::read(&archive)
        .map_err(|error| format!("cannot download {}: {error}", project.source.file))?;
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if digest != project.source.sha256 {
        fs::remove_file(&archive)?;
        return Err(format!("{} has the checksum {digest}", project.source.file).into());
    }
    Ok(archive)
}

/// Downloads a Debian source package. The lists of source packages are private, because most
/// machines have none. Other files of the package may be missing, so only the archive counts.
fn from_debian(sh: &Shell, project: &Project, downloads: &Path) -> Outcome {
    let apt = downloads.join("apt");
    let options = &apt_options(sh, &apt)?;
    if !apt.join("updated").exists() {
        cmd!(sh, "apt-get {options...} update -q")
            .quiet()
            .ignore_stdout()
            .run()?;
        sh.write_file(apt.join("updated"), "")?;
    }
    let _folder = sh.push_dir(downloads);
    let source = format!("{}={}", project.package(), project.source.version);
    cmd!(
        sh,
        "apt-get {options...} source --download-only -q {source}"
    )
    .quiet()
    .ignore_status()
    .ignore_stdout()
    .ignore_stderr()
    .run()?;
    Ok(())
}

/// Returns options for apt-get, by which it uses the sources of this machine, but as sources of
/// source packages, and keeps everything in one folder.
fn apt_options(sh: &Shell, apt: &Path) -> Outcome<Vec<String>> {
    let parts = apt.join("parts");
    for folder in ["lists/partial", "cache/archives/partial", "parts"] {
        sh.create_dir(apt.join(folder))?;
    }
    let list = Path::new("/etc/apt/sources.list");
    if list.exists() {
        let text = sh.read_file(list)?;
        sh.write_file(parts.join("sources.list"), source_lines(&text))?;
    }
    for path in sh.read_dir("/etc/apt/sources.list.d").unwrap_or_default() {
        let name = path.file_name().unwrap_or_default();
        if path
            .extension()
            .is_some_and(|end| end == "sources" || end == "list")
        {
            let text = sh.read_file(&path)?;
            sh.write_file(parts.join(name), source_lines(&text))?;
        }
    }
    let folder = |name: &str, path: PathBuf| format!("-oDir::{name}={}", path.display());
    Ok(vec![
        "-oDir::Etc::SourceList=/dev/null".into(),
        folder("Etc::SourceParts", parts),
        folder("State::Lists", apt.join("lists")),
        folder("Cache", apt.join("cache")),
        "-oAPT::Sandbox::User=root".into(),
    ])
}

/// Turns entries about binary packages into those about source packages.
fn source_lines(text: &str) -> String {
    let line = |line: &str| match line.trim() {
        "Types: deb" | "Types: deb deb-src" => "Types: deb-src\n".to_owned(),
        entry => match entry.strip_prefix("deb ") {
            Some(rest) => format!("deb-src {rest}\n"),
            None => format!("{entry}\n"),
        },
    };
    text.lines().map(line).collect()
}

/// Downloads a crate: cargo fetches it as the dependency of an empty package, and keeps the archive.
fn from_crates(sh: &Shell, project: &Project, downloads: &Path) -> Outcome {
    let package = downloads.join("crate");
    sh.remove_path(&package)?;
    sh.create_dir(package.join("src"))?;
    sh.write_file(package.join("src/lib.rs"), "")?;
    let (name, version) = (project.package(), &project.source.version);
    let manifest = format!(
        "[package]\nname = \"empty\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
         {name} = {{ version = \"={version}\", default-features = false }}\n"
    );
    sh.write_file(package.join("Cargo.toml"), manifest)?;
    let _folder = sh.push_dir(&package);
    let home = package.join("home");
    cmd!(sh, "cargo fetch --quiet")
        .env("CARGO_HOME", &home)
        .quiet()
        .run()?;
    for registry in sh.read_dir(home.join("registry/cache"))? {
        let archive = registry.join(&project.source.file);
        if archive.exists() {
            sh.copy_file(archive, downloads)?;
        }
    }
    sh.remove_path(&package)?;
    Ok(())
}

fn from_pypi(sh: &Shell, project: &Project, downloads: &Path) -> Outcome {
    let source = format!("{}=={}", project.package(), project.source.version);
    let options = ["--quiet", "--no-deps", "--no-binary", ":all:"];
    cmd!(
        sh,
        "python3 -m pip download {options...} --dest {downloads} {source}"
    )
    .quiet()
    .run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_lists_are_those_of_sources() {
        let lines = "Types: deb\nURIs: x\n\ndeb [arch=amd64] x y main\n# deb z\ndeb-src x y\n";
        assert_eq!(
            source_lines(lines),
            "Types: deb-src\nURIs: x\n\ndeb-src [arch=amd64] x y main\n# deb z\ndeb-src x y\n"
        );
    }
}
