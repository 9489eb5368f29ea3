//! A whole release in a temporary folder: the manifest, the draft, the tag, and the publication. A
//! fake `gh` records its calls.

use std::path::{Path, PathBuf};

use xshell::{Shell, TempDir, cmd};

use super::{MANIFEST, VERSION, add, archives, check, documented_version};
use crate::Outcome;
use crate::setup::repository;

const GH: &str = r#"#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2" in "release download") cp "$ARCHIVES"/* "$5" ;; esac
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
        for script in ["draft", "publish"] {
            sh.create_dir(".ci").unwrap();
            sh.copy_file(repository().unwrap().join(".ci").join(script), ".ci")
                .unwrap();
        }
        cmd!(sh, "git init --quiet --initial-branch main")
            .quiet()
            .run()
            .unwrap();
        release.commit();
        for name in archives("1.2.3") {
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
    fn script(&self, name: &str, argument: &Path) -> Option<String> {
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
        let ran = cmd!(sh, "bash {script} {argument}")
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
    let calls = release.script("draft", &release.at("archives")).unwrap();
    assert!(
        calls.starts_with("release create v1.2.3 ") && calls.contains(" --draft --target a1 "),
        "{calls}"
    );
    assert_eq!(
        calls
            .lines()
            .next()
            .unwrap()
            .matches("/leakgate-1.2.3-")
            .count(),
        6
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
        release.script("publish", Path::new("v1.2.3"))
    };
    let calls = publish().unwrap();
    let verified = calls
        .lines()
        .filter(|line| line.starts_with("attestation verify ") && line.contains(&built))
        .count();
    assert_eq!(
        (verified, calls.lines().last()),
        (6, Some("release edit v1.2.3 --draft=false --verify-tag")),
        "{calls}"
    );

    sh.write_file(release.at("archives/more"), "").unwrap();
    assert_eq!(publish(), None, "a file that isn't in the manifest");
    sh.remove_path(release.at("archives/more")).unwrap();
    sh.write_file(release.at("archives").join(&archives("1.2.3")[0]), "forged")
        .unwrap();
    assert_eq!(publish(), None, "a file with another checksum");
}

#[test]
fn cargo_binstall_finds_every_archive() {
    let manifest = repository().unwrap().join("action/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    let settings = &manifest["package"]["metadata"]["binstall"];
    for archive in archives("1.2.3") {
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
