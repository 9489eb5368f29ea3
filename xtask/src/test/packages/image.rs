//! The container image, built and run without a container engine.

use xshell::{Shell, cmd};

use super::{ARCHIVES, SAMPLE, TARGET};
use crate::{Outcome, release};

/// The name of the image, which is never pushed.
const IMAGE: &str = "localhost/leakgate-test";

/// Builds the image, and checks the sample in it.
pub(super) fn check(sh: &Shell) -> Outcome {
    let version = release::VERSION;
    // The image has a program for each architecture, and only one of them is built here.
    let other = TARGET.replace("x86_64", "aarch64");
    let folder = sh.create_temp_dir()?;
    let folder = folder.path();
    let [name, other_name] = [TARGET, &other].map(|target| format!("leakgate-{version}-{target}"));
    cmd!(sh, "tar -xzf {ARCHIVES}/{name}.tar.gz -C {folder}").run()?;
    sh.create_dir(folder.join(&other_name))?;
    sh.copy_file(
        folder.join(&name).join("leakgate"),
        folder.join(&other_name).join("leakgate"),
    )?;
    cmd!(
        sh,
        "tar -czf {ARCHIVES}/{other_name}.tar.gz -C {folder} {other_name}"
    )
    .run()?;
    // Other drivers and isolations need more than an ordinary user of a CI system has.
    let (images, state) = (folder.join("images"), folder.join("state"));
    let settings = folder.join("storage.conf");
    let storage =
        format!("[storage]\ndriver = \"vfs\"\ngraphroot = {images:?}\nrunroot = {state:?}\n");
    sh.write_file(&settings, storage)?;
    let _storage = sh.push_env("CONTAINERS_STORAGE_CONF", settings);
    let _isolation = sh.push_env("BUILDAH_ISOLATION", "chroot");
    cmd!(sh, ".ci/image {version} {IMAGE}")
        .ignore_stdout()
        .run()?;
    let container = cmd!(sh, "buildah from --pull-never {IMAGE}:{version}").read()?;
    let outcome = check_container(sh, &container);
    cmd!(sh, "buildah rm {container}").ignore_stdout().run()?;
    outcome
}

/// Checks the sample in a container, which has no other program, and no user of the machine.
fn check_container(sh: &Shell, container: &str) -> Outcome {
    let (log, part) = SAMPLE;
    let repository = sh.current_dir();
    let volume = format!("{}/snapshots:/src/snapshots:ro", repository.display());
    let output = cmd!(
        sh,
        "buildah run --volume {volume} {container} -- /leakgate check --no-config {log}"
    )
    .ignore_status()
    .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.code() != Some(1) || !text.contains(part) {
        return Err(format!("the image ended with {}:\n{text}", output.status).into());
    }
    let user = "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}";
    let config = cmd!(sh, "buildah inspect --format {user} {container}").read()?;
    match config == "65532:65532 [/leakgate]" {
        true => Ok(()),
        false => Err(format!("the image has another user or entry point: {config}").into()),
    }
}
