//! Checks that the tools' own counts agree with the records that disappeared.

use std::collections::BTreeSet;

use super::compare::Used;
use super::records::Record;
use crate::Outcome;

/// Checks valgrind's text: the number of remaining contexts, and the list of used entries.
pub(super) fn valgrind(gone: &[&Record], plain: &str, with: &str, file: &str) -> Outcome<Used> {
    let counted = gone
        .iter()
        .filter(|record| !record.is_loss() || is_error(&record.title))
        .count();
    let fewer = contexts(plain)?.checked_sub(contexts(with)?);
    if fewer != Some(counted) {
        return Err(
            format!("{counted} contexts disappeared, but valgrind counts {fewer:?} fewer").into(),
        );
    }
    let mut entries = BTreeSet::new();
    let mut times = 0;
    for line in with.lines().filter_map(|line| {
        line.split_once("used_suppression:")
            .map(|(_, rest)| rest.trim())
    }) {
        let Some((before, after)) = line.split_once(&format!(" supp/{file}:")) else {
            continue;
        };
        let number: String = after.chars().take_while(char::is_ascii_digit).collect();
        entries.insert(number.parse()?);
        times += before
            .split(' ')
            .next()
            .unwrap_or_default()
            .parse::<usize>()?;
    }
    agree(times, gone.len())?;
    Ok(Used::Entries(entries))
}

/// Checks use counts: an entry is used once for each occurrence of an error, so at least as often
/// as records disappeared.
fn agree(times: usize, gone: usize) -> Outcome {
    match times < gone || times > 0 && gone == 0 {
        true => {
            Err(format!("{gone} records disappeared, but entries were used {times} times").into())
        }
        false => Ok(()),
    }
}

/// Returns true if a loss record with this title counts in the error summary.
fn is_error(title: &str) -> bool {
    title.contains(" are definitely lost ") || title.contains(" are possibly lost ")
}

/// Returns M of `ERROR SUMMARY: N errors from M contexts`.
fn contexts(rest: &str) -> Outcome<usize> {
    let (_, after) = rest.split_once(" errors from ").ok_or("no ERROR SUMMARY")?;
    Ok(after
        .split(' ')
        .next()
        .unwrap_or_default()
        .replace(',', "")
        .parse()?)
}

/// Checks valgrind's XML: how often entries with a name from the file were used.
pub(super) fn xml(gone: &[&Record], with: &str, supp: &str) -> Outcome<Used> {
    let (_, table) = with.rsplit_once("<suppcounts>").ok_or("no <suppcounts>")?;
    let names: BTreeSet<&str> = supp.lines().map(str::trim).collect();
    let mut count = 0;
    let mut times = 0;
    for line in table.lines().map(str::trim) {
        if let Some(number) = line
            .strip_prefix("<count>")
            .and_then(|rest| rest.strip_suffix("</count>"))
        {
            count = number.parse()?;
        }
        let name = line
            .strip_prefix("<name>")
            .and_then(|rest| rest.strip_suffix("</name>"));
        if name.is_some_and(|name| {
            names.contains(name.replace("&lt;", "<").replace("&gt;", ">").as_str())
        }) {
            times += count;
        }
    }
    agree(times, gone.len())?;
    Ok(Used::Unknown)
}

/// Checks LSan's table, which has the sizes of the blocks that each template matched. Other records
/// that disappeared were reached from those blocks; their sizes identify them.
pub(super) fn lsan(gone: &[&Record], with: &str) -> Outcome<(Used, Vec<usize>)> {
    let mut templates = BTreeSet::new();
    let mut bytes = 0;
    let mut blocks = 0;
    for row in table(with) {
        let mut words = row.split_whitespace();
        blocks += words.next().unwrap_or_default().parse::<u64>()?;
        bytes += words.next().unwrap_or_default().parse::<u64>()?;
        templates.insert(words.collect::<Vec<_>>().join(" "));
    }
    let mut all = (0, 0);
    let mut indirect = Vec::new();
    for record in gone {
        let size = size(&record.title)?;
        all = (all.0 + size.0, all.1 + size.1);
        indirect.extend(
            record
                .title
                .starts_with("Indirect")
                .then_some((record.line, size)),
        );
    }
    let beyond = (all.0.checked_sub(bytes), all.1.checked_sub(blocks));
    let (Some(more_bytes), Some(more_blocks)) = beyond else {
        return Err(format!(
            "{all:?} disappeared, but the table has {bytes} bytes in {blocks} blocks"
        )
        .into());
    };
    Ok((
        Used::Templates {
            templates,
            bytes,
            blocks,
        },
        subset(&indirect, (more_bytes, more_blocks))?,
    ))
}

fn table(rest: &str) -> impl Iterator<Item = &str> {
    let rows = rest
        .split_once("Suppressions used:")
        .map_or("", |(_, rows)| rows);
    rows.lines()
        .skip(2)
        .take_while(|row| !row.starts_with("---"))
}

/// Returns bytes and blocks of `Direct leak of 65 byte(s) in 1 object(s) allocated from:`.
fn size(title: &str) -> Outcome<(u64, u64)> {
    let mut numbers = title.split(' ').filter_map(|word| word.parse().ok());
    numbers
        .next()
        .zip(numbers.next())
        .ok_or_else(|| format!("no sizes in: {title}").into())
}

/// Returns the only choice of records with these bytes and blocks in total.
fn subset(records: &[(usize, (u64, u64))], wanted: (u64, u64)) -> Outcome<Vec<usize>> {
    let mut found = Vec::new();
    for choice in 0_u32..1 << records.len().min(16) {
        let chosen = || {
            records
                .iter()
                .enumerate()
                .filter(|(index, _)| choice >> index & 1 == 1)
                .map(|(_, record)| record)
        };
        let sum = chosen().fold((0, 0), |sum, (_, size)| (sum.0 + size.0, sum.1 + size.1));
        if sum == wanted {
            found.push(chosen().map(|(line, _)| *line).collect());
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(format!(
            "no indirect leaks add up to {wanted:?}, the part that no template matched"
        )
        .into()),
        _ => Err(format!("several choices of indirect leaks add up to {wanted:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_choice_is_found() {
        let records = [(10, (24, 1)), (20, (25, 1)), (30, (100, 2))];
        assert_eq!(subset(&records, (49, 2)).unwrap(), [10, 20]);
        assert!(subset(&records, (0, 0)).unwrap().is_empty());
        assert!(subset(&records, (7, 1)).is_err());
    }

    #[test]
    fn lsan_table_is_parsed() {
        let rest = "\n---\nSuppressions used:\n  count      bytes template\n      2         64 list x\n---\n\nSUMMARY";
        assert_eq!(
            table(rest).collect::<Vec<_>>(),
            ["      2         64 list x"]
        );
    }
}
