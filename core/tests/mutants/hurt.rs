//! What may happen to a log on its way, and mostly takes something from it.

use super::Files;
use super::dice::Dice;
use super::wrap::{self, PREFIXES};

/// A way to change a text; `other` is a log that may get in between.
pub(crate) type Hurt = (&'static str, fn(&mut Vec<u8>, &[u8], &mut Dice));

pub(crate) const HURTS: &[Hurt] = &[
    ("the end cut off", |text, _, dice| {
        text.truncate(dice.below(text.len() + 1))
    }),
    ("the start cut off", |text, _, dice| {
        drop(text.drain(..dice.below(text.len() + 1)))
    }),
    ("a hole", |text, _, dice| {
        drop(text.drain(dice.stretch(text.len())))
    }),
    ("only a part", |text, _, dice| {
        *text = text[dice.stretch(text.len())].to_vec()
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
        drop(lines.drain(dice.stretch(lines.len())));
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
        let run = dice.stretch(lines.len());
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

fn interleave(text: &mut Vec<u8>, other: &[u8], many: fn(&mut Dice) -> usize, dice: &mut Dice) {
    let (own, other) = (wrap::lines(text), wrap::lines(other));
    let (mut own, mut other) = (own.into_iter().peekable(), other.into_iter().peekable());
    text.clear();
    while own.peek().is_some() || other.peek().is_some() {
        text.extend(own.by_ref().take(many(dice)).flatten());
        text.extend(other.by_ref().take(many(dice)).flatten());
    }
}

/// Digits of the lines in which a checker sums up.
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

/// Hurts one file of a log once or several times; returns how.
pub(crate) fn hurt(files: &mut Files, other: &[u8], dice: &mut Dice) -> Vec<&'static str> {
    let mut how = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let at = dice.below(files.len());
        let (what, change) = dice.pick(HURTS);
        change(&mut files[at].1, other, dice);
        how.push(*what);
    }
    how
}
