//! The source archive, which GitHub's runners download for a job that uses the action: it is small,
//! and the program can be built from it.

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};

/// The programs that unpack an archive.
pub(crate) const NEEDS: &[Need] = &[Need::Program("git", "git"), Need::Program("tar", "tar")];

/// The number of files that an archive must stay below. If it fails, add tests and documentation to
/// `export-ignore` in `.gitattributes`.
const MAX_FILES: usize = 700;

/// Unpacks an archive of the last commit, counts its files and checks the program. The packages are
/// compiled into the usual target folder, which has them already.
pub(crate) fn test(sh: &Shell) -> Outcome {
    let repository = setup::repository()?;
    let target = repository.join("target");
    let folder = target.join("archive");
    let archive = target.join("archive.tar");
    sh.remove_path(&folder)?;
    sh.create_dir(&folder)?;
    let _repository = sh.push_dir(&repository);
    cmd!(sh, "git archive --output {archive} HEAD").run()?;
    cmd!(sh, "tar -xf {archive} -C {folder}").run()?;
    let files = count_files(&folder)?;
    println!("{files} files");
    if files >= MAX_FILES {
        return Err(
            format!("{files} files in the source archive, expected below {MAX_FILES}").into(),
        );
    }
    let _folder = sh.push_dir(&folder);
    Ok(cmd!(sh, "cargo check --locked -p leakgate")
        .env("CARGO_TARGET_DIR", target)
        .run()?)
}

fn count_files(folder: &Path) -> Outcome<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        count += if path.is_dir() {
            count_files(&path)?
        } else {
            1
        };
    }
    Ok(count)
}
