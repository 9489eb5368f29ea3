//! The order of words in the lists of the vectorized search.

use alloc::vec::Vec;

/// Buckets of one list, to which `aho-corasick` deals out the words in turn.
const BUCKETS: usize = 8;

/// Maximum number of words in a list. With more, `aho-corasick` searches half as fast.
const MAX_WORDS: usize = 32;

/// Divides words into as few lists as possible, so that neighbors in sorted order share a bucket.
pub(super) fn deal(mut words: Vec<&str>) -> Vec<Vec<&str>> {
    words.sort_unstable();
    let lists = words.len().div_ceil(MAX_WORDS);
    let count = lists * BUCKETS;
    let share = |n: usize| &words[n * words.len() / count..(n + 1) * words.len() / count];
    let mut buckets: Vec<&[&str]> = (0..count).map(share).collect();
    buckets.chunks_mut(BUCKETS).map(interleave).collect()
}

/// Returns the first word of each bucket, then the second of each, and so on.
fn interleave<'a>(buckets: &mut [&[&'a str]]) -> Vec<&'a str> {
    // A bucket without a last word must not shift the words of those after it.
    buckets.sort_by_key(|bucket| core::cmp::Reverse(bucket.len()));
    let rows = buckets.first().map_or(0, |bucket| bucket.len());
    (0..rows)
        .flat_map(|row| buckets.iter().filter_map(move |bucket| bucket.get(row)))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    #[test]
    fn neighbors_share_a_bucket() {
        for count in [1, 7, 8, 9, 31, 32, 33, 86, 100] {
            let names: Vec<String> = (0..count).map(|n| format!("{n:03}")).collect();
            let lists = deal(names.iter().map(String::as_str).collect());
            assert_eq!(lists.len(), names.len().div_ceil(MAX_WORDS));
            assert!(lists.iter().all(|list| list.len() <= MAX_WORDS));
            let mut seen: Vec<&str> = Vec::new();
            for list in &lists {
                for bucket in 0..BUCKETS {
                    let words = list.iter().copied().skip(bucket).step_by(BUCKETS);
                    let first = seen.len();
                    seen.extend(words);
                    assert!(seen[first..].is_sorted(), "{count}: {list:?}");
                    let numbers = seen[first..].iter().map(|word| word.parse::<usize>());
                    let numbers: Vec<usize> = numbers.map(|number| number.unwrap()).collect();
                    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                }
            }
            seen.sort_unstable();
            assert!(seen.iter().eq(&names));
        }
    }
}
