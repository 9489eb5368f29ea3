//! The Debian packages that a project needs.

use xshell::{Shell, cmd};

use super::manifest::Project;
use super::workflow::Workflow;
use crate::{Outcome, setup};

/// Installs the packages that the workflow names and those of the project, if they are missing.
pub(super) fn install(sh: &Shell, project: &Project, workflow: &Workflow) -> Outcome {
    let named = workflow.packages();
    let missing: Vec<&str> = project
        .packages
        .iter()
        .chain(&named)
        .map(String::as_str)
        .filter(|package| !is_installed(sh, package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    setup::install_packages(sh, &missing)
        .map_err(|error| format!("cannot install {}: {error}", missing.join(", ")).into())
}

fn is_installed(sh: &Shell, package: &str) -> bool {
    let format = "--showformat=${Status}";
    cmd!(sh, "dpkg-query --show {format} {package}")
        .quiet()
        .ignore_stderr()
        .read()
        .is_ok_and(|status| status == "install ok installed")
}
