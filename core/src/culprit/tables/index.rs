//! An index of all rows: trying each pattern on each frame would take longer than parsing the log.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{FrameNames, MatchOn, Row, rows};
use crate::model::Text;

/// A pattern that isn't searched for in paths.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Position of the row.
    row: usize,
    match_on: MatchOn,
    pattern: &'static str,
}

/// All rows, by the first bytes of their patterns.
#[derive(Debug)]
pub(crate) struct RowIndex {
    rows: Vec<&'static Row>,
    /// For each byte, the patterns that begin with it.
    by_first_byte: Vec<Vec<Entry>>,
    /// For each source path, the position of the first row with a pattern in it.
    by_file: HashMap<Text, Option<usize>>,
}

impl RowIndex {
    /// Indexes the rows.
    pub(crate) fn new() -> Self {
        let rows: Vec<&'static Row> = rows().collect();
        let mut by_first_byte = vec![Vec::new(); 256];
        for (at, row) in rows.iter().enumerate() {
            if row.match_on == MatchOn::File {
                continue;
            }
            for pattern in row.patterns {
                let first = pattern.bytes().next().unwrap_or_default();
                by_first_byte[usize::from(first)].push(Entry {
                    row: at,
                    match_on: row.match_on,
                    pattern,
                });
            }
        }
        Self {
            rows,
            by_first_byte,
            by_file: HashMap::new(),
        }
    }

    /// Returns the first row that matches a frame. `path` is its source path as printed.
    pub(crate) fn first_match(
        &mut self,
        names: &FrameNames<'_>,
        path: Option<&Text>,
    ) -> Option<&'static Row> {
        let in_file = path.and_then(|path| self.first_in_file(path, names));
        let mut first = in_file.unwrap_or(usize::MAX);
        // Each pattern is compared with the start of one of these.
        let texts = [
            names.name,
            names.printed,
            names.without_underscores,
            names.base,
            names.module,
        ];
        let bytes = texts.map(|text| text.bytes().next());
        for (at, byte) in bytes.iter().enumerate() {
            let Some(byte) = byte.filter(|_| !bytes[..at].contains(byte)) else {
                continue;
            };
            // The entries are in the order of the rows.
            let entries = self.by_first_byte[usize::from(byte)].iter();
            let found = entries
                .take_while(|entry| entry.row < first)
                .find(|entry| names.matches(entry.match_on, entry.pattern));
            first = found.map_or(first, |entry| entry.row);
        }
        self.rows.get(first).copied()
    }

    /// Returns the position of the first row with a pattern in a path.
    fn first_in_file(&mut self, path: &Text, names: &FrameNames<'_>) -> Option<usize> {
        if let Some(known) = self.by_file.get(path) {
            return *known;
        }
        let mut rows = self.rows.iter();
        let found = rows.position(|row| row.match_on == MatchOn::File && row.matches(names));
        self.by_file.insert(Arc::clone(path), found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_finds_the_row_that_comes_first() {
        let mut index = RowIndex::new();
        let modules = ["", "a.out", "libc.so.6", "libasan.so.8", "libpython3.11.so"];
        let files = rows().flat_map(|row| row.patterns.iter().copied());
        let files: Vec<&str> = files
            .chain(["", "/src/a.c", "mm/slub.c", "/w/src/a.rs"])
            .collect();
        for name in rows().flat_map(|row| row.patterns.iter().copied()) {
            for (at, file) in files.iter().enumerate() {
                let file = file.split('|').next().unwrap_or_default();
                let last = name.rsplit('|').next().unwrap_or_default();
                let module = modules[at % modules.len()];
                for (name, printed) in [(last, last), ("f", last), (last, "f(int)")] {
                    let names = FrameNames::new(name, printed, file, module);
                    let path = (!file.is_empty()).then(|| Text::from(file));
                    let found = index.first_match(&names, path.as_ref());
                    let wanted = rows().find(|row| row.matches(&names));
                    assert_eq!(
                        found.map(core::ptr::from_ref),
                        wanted.map(core::ptr::from_ref),
                        "{names:?}"
                    );
                }
            }
        }
    }
}
