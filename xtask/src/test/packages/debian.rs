//! The package for Debian: its program, manual pages and completions, and Debian's own checks.

use std::path::Path;

use xshell::{Shell, cmd};

use super::{built, check_sample, ensure_exists};
use crate::Outcome;

/// Commands and options that each shell completes, and one of the words that it offers.
const BASH: &str = r#"source "$1"; complete -p leakgate | grep -q _leakgate"#;
const ZSH: &str =
    r#"autoload -Uz compinit && compinit -u -D && source "$1" && (( $+_comps[leakgate] ))"#;
const FISH: &str =
    r#"source $argv[1]; complete --do-complete "leakgate check --format sar" | grep -qx sarif"#;

/// Unpacks the package into an empty folder, and checks its files.
pub(super) fn check(sh: &Shell) -> Outcome {
    let package = built(sh, ".deb")?;
    let root = sh.create_temp_dir()?;
    let root = root.path();
    cmd!(sh, "dpkg-deb --extract {package} {root}").run()?;
    check_sample(sh, &[root.join("usr/bin/leakgate").display().to_string()])?;
    manual_pages(sh, &root.join("usr/share/man/man1"))?;
    completions(sh, &root.join("usr/share"))?;
    for file in ["copyright", "changelog.gz", "changelog.Debian.gz"] {
        ensure_exists(&root.join("usr/share/doc/leakgate").join(file))?;
    }
    Ok(cmd!(sh, "lintian --allow-root --fail-on error,warning {package}").run()?)
}

/// Checks the syntax of all manual pages.
fn manual_pages(sh: &Shell, folder: &Path) -> Outcome {
    for name in [
        "leakgate.1.gz",
        "leakgate-check.1.gz",
        "leakgate-rules-convert.1.gz",
    ] {
        ensure_exists(&folder.join(name))?;
    }
    let pages = sh.create_temp_dir()?;
    for page in sh.read_dir(folder)? {
        let text = pages.path().join(page.file_stem().unwrap_or_default());
        sh.write_file(
            &text,
            cmd!(sh, "gzip --decompress --stdout {page}")
                .quiet()
                .read()?,
        )?;
        cmd!(sh, "mandoc -T lint -W warning {text}").quiet().run()?;
    }
    Ok(())
}

/// Loads the completions in their shells, without the settings of the user.
fn completions(sh: &Shell, share: &Path) -> Outcome {
    let bash = share.join("bash-completion/completions/leakgate");
    cmd!(sh, "bash --norc -c {BASH} bash {bash}").run()?;
    let zsh = share.join("zsh/vendor-completions/_leakgate");
    cmd!(sh, "zsh --no-rcs -c {ZSH} zsh {zsh}").run()?;
    let fish = share.join("fish/vendor_completions.d/leakgate.fish");
    cmd!(sh, "fish --no-config -c {FISH} {fish}").run()?;
    Ok(())
}
