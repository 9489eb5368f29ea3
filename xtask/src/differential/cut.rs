//! Extracts the suppressions that valgrind generated in a log into files: each alone, each with
//! edits, and in pairs.

use std::fs;
use std::path::Path;

use fastrand::Rng;

use super::edit::{self, Entry};
use crate::Outcome;

/// Edited copies of each entry.
const EDITS: usize = 2;

/// Replaces the files of `group`. The seed is fixed, so the same log always gives the same files.
pub(super) fn write(supp: &Path, group: &str, log: &str) -> Outcome {
    let folder = supp.join(group);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let entries = entries(log);
    let mut rng = Rng::with_seed(41);
    let mut turn = 0;
    for (index, entry) in entries.iter().enumerate() {
        let number = index + 1;
        fs::write(folder.join(format!("{number:02}.supp")), entry.to_string())?;
        for (name, edited) in edited(entry, &mut turn, &mut rng) {
            fs::write(
                folder.join(format!("{number:02}-{name}.supp")),
                edited.to_string(),
            )?;
        }
        let other = rng.usize(..entries.len());
        if index % 2 == 0 && other != index {
            let both = format!("{entry}{}", entries[other]);
            fs::write(
                folder.join(format!("{number:02}+{:02}.supp", other + 1)),
                both,
            )?;
        }
    }
    match entries.is_empty() {
        true => Err("valgrind generated no suppressions in this log".into()),
        false => Ok(()),
    }
}

/// Returns copies with one edit each. The edits take turns; those that change nothing are skipped.
fn edited(entry: &Entry, turn: &mut usize, rng: &mut Rng) -> Vec<(&'static str, Entry)> {
    let mut copies = Vec::new();
    for _ in 0..edit::ALL.len() {
        let (name, change) = edit::ALL[*turn % edit::ALL.len()];
        *turn += 1;
        let copy = change(entry.clone(), rng);
        copies.extend(copy.filter(|copy| copy != entry).map(|copy| (name, copy)));
        if copies.len() == EDITS {
            break;
        }
    }
    copies
}

fn entries(log: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = log.lines();
    while lines.any(|line| line == "{") {
        let body: Vec<&str> = lines
            .by_ref()
            .take_while(|line| *line != "}")
            .map(str::trim)
            .collect();
        entries.extend(Entry::read(&body));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_extracted_from_a_log() {
        let log = "==1== x\n{\n   <name>\n   Memcheck:Param\n   write(buf)\n   fun:write\n   obj:/lib/a.so\n}\n==1== y\n";
        let found = entries(log);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "{\n   <name>\n   Memcheck:Param\n   write(buf)\n   fun:write\n   obj:/lib/a.so\n}\n"
        );
    }
}
