//! Changes that mostly damage a log.

use super::Files;
use super::dice::Dice;
use super::wrap::{self, PREFIXES};

/// A name and a function that changes a text. Its second argument is another log to mix in.
type Corruption = (&'static str, fn(&mut Vec<u8>, &[u8], &mut Dice));

const CORRUPTIONS: &[Corruption] = &[
    ("the end cut off", |text, _, dice| {
        text.truncate(dice.below(text.len() + 1))
    }),
    ("the start cut off", |text, _, dice| {
        drop(text.drain(..dice.below(text.len() + 1)))
    }),
    ("a hole", |text, _, dice| {
        drop(text.drain(dice.range(text.len())))
    }),
    ("only a part", |text, _, dice| {
        *text = text[dice.range(text.len())].to_vec()
    }),
    ("a line dropped", |text, _, dice| {
        let mut lines = wrap::lines(text);
        if !lines.is_empty() {
            lines.remove(dice.below(lines.len()));
        }
        *text = lines.concat();
    }),
    ("lines dropped", |text, _, dice| {
        let rare = [2, 5, 20][dice.below(3)];
        *text = wrap::lines(text)
            .into_iter()
            .filter(|_| !dice.one_in(rare))
            .collect::<Vec<_>>()
            .concat();
    }),
    ("a run of lines dropped", |text, _, dice| {
        let mut lines = wrap::lines(text);
        drop(lines.drain(dice.range(lines.len())));
        *text = lines.concat();
    }),
    ("lines doubled", |text, _, dice| {
        let rare = [1, 3, 20][dice.below(3)];
        *text = wrap::lines(text)
            .into_iter()
            .flat_map(|line| vec![line; if dice.one_in(rare) { 2 } else { 1 }])
            .flatten()
            .collect();
    }),
    ("a run of lines doubled", |text, _, dice| {
        let mut lines = wrap::lines(text);
        let run = dice.range(lines.len());
        drop(lines.splice(run.start..run.start, lines[run].to_vec()));
        *text = lines.concat();
    }),
    ("a prefix before all lines", |text, _, dice| {
        wrap::each(text, None, wrap::prefixed(*dice.pick(PREFIXES)))
    }),
    ("a prefix before some lines", |text, _, dice| {
        let prefix = *dice.pick(PREFIXES);
        wrap::each(text, Some(dice), wrap::prefixed(prefix));
    }),
    ("colours", |text, _, _| {
        wrap::each(text, None, wrap::coloured)
    }),
    ("colours in some lines", |text, _, dice| {
        wrap::each(text, Some(dice), wrap::coloured)
    }),
    ("two lines swapped", |text, _, dice| {
        let mut lines = wrap::lines(text);
        let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
        if !lines.is_empty() {
            lines.swap(a, b);
        }
        *text = lines.concat();
    }),
    ("two chunks swapped", |text, _, dice| {
        let mut cuts = [0; 3].map(|_| dice.below(text.len() + 1));
        cuts.sort_unstable();
        text[cuts[0]..cuts[2]].rotate_left(cuts[1] - cuts[0]);
    }),
    ("another log line by line", |text, other, dice| {
        interleave(text, other, |_| 1, dice)
    }),
    ("another log in blocks", |text, other, dice| {
        interleave(text, other, |dice| 1 + dice.below(20), dice)
    }),
    ("another log within", |text, other, dice| {
        let at = dice.below(text.len() + 1);
        drop(text.splice(at..at, other.iter().copied()));
    }),
    ("digits in the totals", totals),
    ("a bit flipped", |text, _, dice| {
        let at = dice.below(text.len());
        text.get_mut(at)
            .into_iter()
            .for_each(|b| *b ^= 1 << dice.below(8));
    }),
    ("a byte overwritten", |text, _, dice| {
        let at = dice.below(text.len());
        text.get_mut(at)
            .into_iter()
            .for_each(|b| *b = *dice.pick(b"\n\r =0<>:x\0"));
    }),
];

/// Alternates between blocks of lines of both texts; `count` returns the size of a block.
fn interleave(text: &mut Vec<u8>, other: &[u8], count: fn(&mut Dice) -> usize, dice: &mut Dice) {
    let mut own = wrap::lines(text).into_iter().peekable();
    let mut other = wrap::lines(other).into_iter().peekable();
    text.clear();
    while own.peek().is_some() || other.peek().is_some() {
        text.extend(own.by_ref().take(count(dice)).flatten());
        text.extend(other.by_ref().take(count(dice)).flatten());
    }
}

/// Changes digits in the lines with sums.
fn totals(text: &mut Vec<u8>, _: &[u8], dice: &mut Dice) {
    const SUMS: &[&str] = &[
        "SUMMARY",
        " lost: ",
        "reachable: ",
        "suppressed: ",
        "in use at exit",
        "<count>",
        "<bytes>",
        "<blocks>",
        "_contexts>",
    ];
    let mut lines = wrap::lines(text);
    let sums = |line: &&mut Vec<u8>| {
        SUMS.iter()
            .any(|sum| String::from_utf8_lossy(line).contains(sum))
    };
    for line in lines.iter_mut().filter(sums) {
        if dice.one_in(2) {
            let digits: Vec<usize> = (0..line.len())
                .filter(|at| line[*at].is_ascii_digit())
                .collect();
            if !digits.is_empty() {
                line[*dice.pick(&digits)] = *dice.pick(b"0001234567890");
            }
        }
    }
    *text = lines.concat();
}

/// Corrupts a log one to three times and returns the names of the corruptions.
pub(crate) fn corrupt(files: &mut Files, other: &[u8], dice: &mut Dice) -> Vec<&'static str> {
    let mut names = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let at = dice.below(files.len());
        let (name, change) = dice.pick(CORRUPTIONS);
        change(&mut files[at].1, other, dice);
        names.push(*name);
    }
    names
}
