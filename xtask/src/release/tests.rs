//! A whole release in a temporary folder: the manifest, the draft, the tag, and the publication. A
//! fake `gh` records its calls.

use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Yaml};
use xshell::{Shell, TempDir, cmd};

use super::{FILES, MANIFEST, VERSION, add, check, describe, documented_version, files, manifests};
use crate::Outcome;
use crate::setup::{CARGO_DEB, PYPI, repository};

const GH: &str = r#"#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2" in "release download") cp "$ARCHIVES"/${7:-*} "$5" ;; esac
"#;

/// A repository whose first commit is ready for the release of 1.2.3, its archives, and a fake
/// `gh`.
struct Release {
    sh: Shell,
    folder: TempDir,
}

impl Release {
    fn new() -> Self {
        let sh = Shell::new().unwrap();
        let release = Self {
            folder: sh.create_temp_dir().unwrap(),
            sh,
        };
        let sh = &release.sh;
        sh.change_dir(release.at("repository"));
        sh.write_file("CHANGELOG.md", "# Changelog\n\n## 1.2.3 (today)\n")
            .unwrap();
        sh.write_file("Cargo.toml", "version = \"1.2.3\"\n")
            .unwrap();
        sh.write_file(MANIFEST, "# sums\n").unwrap();
        sh.write_file(".gitignore", "/target\n").unwrap();
        for script in ["draft", "fetch", "publish"] {
            sh.create_dir(".ci").unwrap();
            sh.copy_file(repository().unwrap().join(".ci").join(script), ".ci")
                .unwrap();
        }
        cmd!(sh, "git init --quiet --initial-branch main")
            .quiet()
            .run()
            .unwrap();
        release.commit();
        for name in files("1.2.3") {
            sh.write_file(release.at("archives").join(&name), name)
                .unwrap();
        }
        sh.write_file(release.at("bin/gh"), GH).unwrap();
        let gh = release.at("bin/gh");
        cmd!(sh, "chmod +x {gh}").quiet().run().unwrap();
        release
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn commit(&self) {
        let sh = &self.sh;
        cmd!(sh, "git add --all").quiet().run().unwrap();
        cmd!(
            sh,
            "git -c user.name=a -c user.email=a@example.org commit --quiet --message all"
        )
        .quiet()
        .run()
        .unwrap();
    }

    /// Runs one of the scripts, and returns the calls of `gh` if the script succeeded.
    fn script(&self, name: &str, arguments: &[&Path]) -> Option<String> {
        let sh = &self.sh;
        let calls = self.at("calls");
        sh.write_file(&calls, "").unwrap();
        let script = format!(".ci/{name}");
        let path = format!(
            "{}:{}",
            self.at("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let remote = format!("url.file://{}.insteadOf", self.at("remote").display());
        let ran = cmd!(sh, "bash {script} {arguments...}")
            .envs([
                ("PATH", path.as_str()),
                ("GITHUB_REPOSITORY", "octo/gate"),
                ("GITHUB_SHA", "a1"),
            ])
            .envs([
                ("CALLS", calls.as_path()),
                ("ARCHIVES", &self.at("archives")),
            ])
            .envs([
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", &remote),
                ("GIT_CONFIG_VALUE_0", "https://github.com/octo/gate"),
            ])
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run();
        ran.is_ok().then(|| sh.read_file(calls).unwrap())
    }
}

fn error_text(outcome: Outcome) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn tagged_commit_must_only_add_checksums() {
    let release = Release::new();
    let sh = &release.sh;
    assert!(error_text(check(sh, "v1.2.3", "1.2.3")).contains("must have one parent"));

    add(sh, &release.at("archives"), "1.2.3").unwrap();
    assert!(
        error_text(add(sh, &release.at("archives"), "1.2.3")).contains("already contains 1.2.3")
    );
    release.commit();
    check(sh, "v1.2.3", "1.2.3").unwrap();
    assert!(error_text(check(sh, "v1.2.4", "1.2.3")).contains("version in Cargo.toml is 1.2.3"));
    assert!(error_text(check(sh, "v1.2", "1.2")).contains("CHANGELOG.md has no ## 1.2"));

    sh.write_file("new.rs", "").unwrap();
    release.commit();
    assert!(error_text(check(sh, "v1.2.3", "1.2.3")).contains("change nothing else"));
}

#[test]
fn version_between_two_releases_is_not_released() {
    let release = Release::new();
    let sh = &release.sh;
    let archives = release.at("archives");
    for outcome in [
        add(sh, &archives, "1.2.3-dev"),
        check(sh, "v1.2.3-dev", "1.2.3-dev"),
    ] {
        assert!(error_text(outcome).starts_with("cannot release 1.2.3-dev: first set `version`"));
    }
    add(sh, &archives, "1.2.3").unwrap();
    let documented = documented_version(&sh.read_file(MANIFEST).unwrap());
    match VERSION.ends_with("-dev") {
        true => assert_eq!(documented, "1.2.3"),
        false => assert_eq!(documented, VERSION),
    }
    assert_eq!(
        documented_version("# sums\n"),
        VERSION.trim_end_matches("-dev")
    );
}

#[test]
fn release_with_an_unknown_archive_fails() {
    let release = Release::new();
    release
        .sh
        .write_file(release.at("archives/more"), "")
        .unwrap();
    assert!(error_text(add(&release.sh, &release.at("archives"), "1.2.3")).contains("expected ["));
}

#[test]
fn branch_of_a_draft_can_be_tagged() {
    let release = Release::new();
    let sh = &release.sh;
    let remote = release.at("remote");
    cmd!(sh, "git init --quiet --bare {remote}")
        .quiet()
        .run()
        .unwrap();
    add(sh, &release.at("archives"), "1.2.3").unwrap();
    let calls = release.script("draft", &[&release.at("archives")]).unwrap();
    assert!(
        calls.starts_with("release create v1.2.3 ") && calls.contains(" --draft --target a1 "),
        "{calls}"
    );
    assert_eq!(
        calls
            .lines()
            .next()
            .unwrap()
            .matches("/archives/leakgate")
            .count(),
        FILES.len()
    );

    cmd!(sh, "git checkout --quiet main").quiet().run().unwrap();
    cmd!(sh, "git fetch --quiet {remote} release-1.2.3")
        .quiet()
        .run()
        .unwrap();
    cmd!(sh, "git checkout --quiet FETCH_HEAD")
        .quiet()
        .run()
        .unwrap();
    check(sh, "v1.2.3", "1.2.3").unwrap();
}

#[test]
fn only_a_draft_that_matches_the_tag_is_published() {
    let release = Release::new();
    let sh = &release.sh;
    let built = cmd!(sh, "git rev-parse HEAD").quiet().read().unwrap();
    add(sh, &release.at("archives"), "1.2.3").unwrap();
    release.commit();
    let publish = || {
        sh.remove_path("target").unwrap();
        release.script("publish", &[Path::new("v1.2.3")])
    };
    let calls = publish().unwrap();
    let verified = calls
        .lines()
        .filter(|line| line.starts_with("attestation verify ") && line.contains(&built))
        .count();
    assert_eq!(
        (verified, calls.lines().last()),
        (
            FILES.len(),
            Some("release edit v1.2.3 --draft=false --verify-tag")
        ),
        "{calls}"
    );

    sh.write_file(release.at("archives/more"), "").unwrap();
    assert_eq!(publish(), None, "a file that isn't in the manifest");
    sh.remove_path(release.at("archives/more")).unwrap();
    for name in files("1.2.3") {
        let file = release.at("archives").join(&name);
        sh.write_file(&file, "forged").unwrap();
        assert_eq!(publish(), None, "{name} has another checksum");
        sh.write_file(&file, &name).unwrap();
    }
    assert!(publish().is_some());
}

#[test]
fn cargo_binstall_finds_every_archive() {
    let manifest = repository().unwrap().join("action/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    let settings = &manifest["package"]["metadata"]["binstall"];
    let is_archive = |name: &String| name.ends_with(".tar.gz") || name.ends_with(".zip");
    for archive in files("1.2.3").into_iter().filter(is_archive) {
        let rest = archive.strip_prefix("leakgate-1.2.3-").unwrap();
        let (target, ending) = rest.split_once('.').unwrap();
        let overridden = settings["overrides"].get(target);
        let of_target = |key: &str| {
            let value = overridden.and_then(|settings| settings.get(key));
            let text = value.unwrap_or(&settings[key]).as_str().unwrap();
            text.replace("{ repo }", "REPOSITORY")
                .replace("{ version }", "1.2.3")
                .replace("{ target }", target)
        };
        assert_eq!(
            of_target("pkg-url"),
            format!("REPOSITORY/releases/download/v1.2.3/{archive}")
        );
        let format = match ending {
            "tar.gz" => "tgz",
            ending => ending,
        };
        assert_eq!(of_target("pkg-fmt"), format);
        // The folder in the archive, as the action unpacks it.
        let folder = format!("leakgate-1.2.3-{target}/");
        assert!(of_target("bin-dir").starts_with(&folder));
    }
}

/// Registries show the README, too: crates.io resolves links from another folder, and PyPI doesn't
/// resolve them at all. Pictures are those of the newest release.
#[test]
fn readme_has_only_absolute_links_and_current_pictures() {
    let repository = repository().unwrap();
    let manifest = std::fs::read_to_string(repository.join(MANIFEST)).unwrap();
    let release = format!(
        "https://raw.githubusercontent.com/leakgate/leakgate/v{}/",
        documented_version(&manifest)
    );
    let readme = std::fs::read_to_string(repository.join("README.md")).unwrap();
    let mut pictures = 0;
    for after in readme.split("](").skip(1) {
        let link = after.split(')').next().unwrap();
        assert!(
            link.starts_with("https://") || link.starts_with('#'),
            "{link}"
        );
        if link.starts_with("https://raw.") {
            let path = link.strip_prefix(&release);
            let path = path.unwrap_or_else(|| panic!("{link}, expected {release}"));
            assert!(repository.join(path).is_file(), "{path}");
            pictures += 1;
        }
    }
    assert!(pictures >= 2, "{pictures} pictures");
}

/// Renders files for a package manager after a release, and returns their folder.
fn describe_release(release: &Release, templates: &[(&str, &str)]) -> PathBuf {
    let folder = release.at("described");
    add(&release.sh, &release.at("archives"), "1.2.3").unwrap();
    describe(&release.sh, templates, &folder, "1.2.3").unwrap();
    folder
}

/// Returns the checksum of a file of a release.
fn checksum(release: &Release, file: &str) -> String {
    let _folder = release.sh.push_dir(release.at("archives"));
    let sum = cmd!(release.sh, "sha256sum {file}").quiet().read().unwrap();
    sum.split(' ').next().unwrap().to_owned()
}

const URL: &str = "https://github.com/leakgate/leakgate/releases/download/v1.2.3/";

#[test]
fn formula_names_an_archive_for_each_system() {
    let release = Release::new();
    let sh = &release.sh;
    let formula = describe_release(&release, manifests::FORMULA).join("Formula/leakgate.rb");
    let text = sh.read_file(&formula).unwrap();
    for archive in files("1.2.3")
        .iter()
        .filter(|name| name.ends_with(".tar.gz"))
    {
        let sum = checksum(&release, archive);
        let expected = format!("      url \"{URL}{archive}\"\n      sha256 \"{sum}\"\n");
        assert!(text.contains(&expected), "{text}");
    }
    assert_eq!(text.matches("sha256 \"").count(), 4);
    assert!(text.contains("#{bin}/leakgate check") && text.contains("version \"1.2.3\""));
    if cmd!(sh, "ruby --version")
        .quiet()
        .ignore_stdout()
        .run()
        .is_ok()
    {
        cmd!(sh, "ruby -wc {formula}")
            .quiet()
            .ignore_stdout()
            .run()
            .unwrap();
    }
}

#[test]
fn winget_manifests_name_an_archive_for_each_architecture() {
    let release = Release::new();
    let folder =
        describe_release(&release, manifests::WINGET).join("manifests/l/leakgate/leakgate/1.2.3");
    let read = |name: &str| {
        let text = release.sh.read_file(folder.join(name)).unwrap();
        let mut all = Yaml::load_from_str(&text).unwrap();
        assert_eq!(all.len(), 1);
        let manifest = all.remove(0);
        assert_eq!(
            manifest["PackageIdentifier"].as_str(),
            Some("leakgate.leakgate")
        );
        assert_eq!(manifest["PackageVersion"].as_str(), Some("1.2.3"));
        assert_eq!(manifest["ManifestVersion"].as_str(), Some("1.10.0"));
        manifest
    };
    let version = read("leakgate.leakgate.yaml");
    assert_eq!(version["ManifestType"].as_str(), Some("version"));
    let locale = read("leakgate.leakgate.locale.en-US.yaml");
    assert_eq!(locale["ManifestType"].as_str(), Some("defaultLocale"));
    assert_eq!(locale["PackageLocale"], version["DefaultLocale"]);
    assert!(locale["ShortDescription"].as_str().unwrap().len() <= 256);
    let installer = read("leakgate.leakgate.installer.yaml");
    assert_eq!(installer["ManifestType"].as_str(), Some("installer"));
    let installers = installer["Installers"].as_vec().unwrap();
    assert_eq!(installers.len(), 2);
    for (installer, (name, target)) in installers.iter().zip([
        ("x64", "x86_64-pc-windows-msvc"),
        ("arm64", "aarch64-pc-windows-msvc"),
    ]) {
        let folder = format!("leakgate-1.2.3-{target}");
        let sum = checksum(&release, &format!("{folder}.zip"));
        let text = |key: &str| installer[key].as_str().unwrap().to_owned();
        assert_eq!(text("Architecture"), name);
        assert_eq!(text("InstallerUrl"), format!("{URL}{folder}.zip"));
        assert_eq!(text("InstallerSha256"), sum);
        let file = &installer["NestedInstallerFiles"][0];
        let path = format!("{folder}\\leakgate.exe");
        assert_eq!(file["RelativeFilePath"].as_str(), Some(path.as_str()));
    }
}

#[test]
fn package_managers_get_only_files_of_the_manifest() {
    let release = Release::new();
    let folder = release.at("described");
    let outcome = describe(&release.sh, manifests::FORMULA, &folder, "1.2.3");
    assert!(error_text(outcome).starts_with("cannot find the checksum of leakgate-1.2.3-"));
    assert!(!folder.exists());
}

#[test]
fn only_files_of_the_manifest_are_fetched() {
    let release = Release::new();
    let sh = &release.sh;
    add(sh, &release.at("archives"), "1.2.3").unwrap();
    let fetch = || {
        sh.remove_path("target").unwrap();
        release.script("fetch", &[Path::new("v1.2.3"), Path::new("*.whl")])
    };
    fetch().unwrap();
    let fetched = sh.read_dir("target/archives").unwrap();
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    assert_eq!((fetched.len(), fetched.iter().all(is_wheel)), (6, true));

    let name = fetched[0].file_name().unwrap();
    sh.write_file(release.at("archives").join(name), "forged")
        .unwrap();
    assert_eq!(fetch(), None, "a file with another checksum");
}

#[test]
fn release_uses_tested_versions_of_packaging_tools() {
    let sh = Shell::new().unwrap();
    sh.change_dir(repository().unwrap());
    let wheel = sh.read_file(".ci/wheel").unwrap();
    let maturin = wheel
        .lines()
        .find_map(|line| line.strip_prefix("version="))
        .unwrap();
    assert!(
        PYPI.contains(&format!("maturin=={maturin}").as_str()),
        "{maturin}"
    );
    let prepare = sh.read_file(".github/workflows/prepare.yml").unwrap();
    assert!(prepare.contains(&format!(
        "cargo install cargo-deb --version {CARGO_DEB} --locked"
    )));
}

#[test]
fn installation_page_names_the_newest_release() {
    let sh = Shell::new().unwrap();
    sh.change_dir(repository().unwrap());
    let newest = documented_version(&sh.read_file(MANIFEST).unwrap());
    let page = sh.read_file("docs/install.md").unwrap();
    let versions = |prefix: &str| -> Vec<String> {
        let after = page.split(prefix).skip(1);
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let version = |text: &str| text.split(|c| !is_part(c)).next().unwrap().to_owned();
        after
            .map(version)
            .filter(|text| text.contains('.'))
            .collect()
    };
    for prefix in ["version=", "leakgate/leakgate:", "leakgate_"] {
        let found = versions(prefix);
        assert!(
            !found.is_empty() && found.iter().all(|version| *version == newest),
            "{found:?}"
        );
    }
}
