//! Trends of series that programs really produce, and of generated ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const STEPS: [u64; 3] = [100, 200, 400];

fn amounts(numbers: &[(u64, u64)]) -> Vec<Amount> {
    let amount = |&(blocks, bytes): &(u64, u64)| Amount { bytes, blocks };
    numbers.iter().map(amount).collect()
}

fn assess(steps: &[u64], numbers: &[(u64, u64)]) -> Assessment {
    Assessment::of(steps, &amounts(numbers))
}

/// Assesses blocks of 16 bytes.
fn assess_blocks(steps: &[u64], blocks: impl Fn(u64) -> u64) -> Assessment {
    let numbers: Vec<_> = steps
        .iter()
        .map(|n| (blocks(*n), blocks(*n) * 16))
        .collect();
    assess(steps, &numbers)
}

/// Assesses one block with these sizes.
fn assess_block(steps: &[u64], bytes: impl Fn(u64) -> u64) -> Assessment {
    let numbers: Vec<_> = steps.iter().map(|n| (1, bytes(*n))).collect();
    assess(steps, &numbers)
}

/// Returns the numerators and denominators of both rates.
fn rates(assessment: Assessment) -> [Option<(u64, u64)>; 2] {
    [assessment.blocks, assessment.bytes]
        .map(|rate| rate.map(|rate| (rate.numerator, rate.denominator)))
}

#[track_caller]
fn assert_exact(assessment: Assessment, blocks: (u64, u64), bytes: (u64, u64)) {
    assert_eq!(assessment.trend, Trend::Growing);
    assert_eq!(rates(assessment), [Some(blocks), Some(bytes)]);
    assert!(assessment.blocks.unwrap().is_exact && assessment.bytes.unwrap().is_exact);
}

#[test]
fn linear_growth_has_an_exact_rate() {
    assert_exact(assess_blocks(&STEPS, |n| n + 1), (1, 1), (16, 1));
    assert_exact(assess_blocks(&STEPS, |n| n * 3), (3, 1), (48, 1));
    assert_exact(assess_blocks(&STEPS, |n| n / 2), (1, 2), (8, 1));
    assert_exact(assess_blocks(&[100, 200, 407], |n| n / 2), (1, 2), (8, 1));
    assert_exact(assess_blocks(&[1, 2, 3], |n| n), (1, 1), (16, 1));
    assert_exact(
        assess_blocks(&[7, 9, 100, 101], |n| n + 5000),
        (1, 1),
        (16, 1),
    );
}

#[test]
fn descriptors_have_no_bytes() {
    let descriptors = assess(&STEPS, &[(100, 0), (200, 0), (400, 0)]);
    assert_eq!(descriptors.trend, Trend::Growing);
    assert_eq!(rates(descriptors), [Some((1, 1)), None]);
}

#[test]
fn one_block_more_or_less_is_noise() {
    let growing = assess(&STEPS, &[(101, 101), (200, 200), (402, 402)]);
    assert_eq!(
        (growing.trend, rates(growing)[0]),
        (Trend::Growing, Some((1, 1)))
    );
    for blocks in [[5, 6, 5], [5, 5, 6], [6, 5, 4], [5, 6, 7]] {
        let numbers = blocks.map(|blocks| (blocks, blocks * 16));
        assert_eq!(
            assess(&STEPS, &numbers).trend,
            Trend::Constant,
            "{blocks:?}"
        );
    }
    for blocks in [[5, 6, 7], [5, 5, 7], [4, 6, 6]] {
        let numbers = blocks.map(|blocks| (blocks, blocks * 16));
        let trend = assess(&[10, 11, 13], &numbers).trend;
        assert_eq!(trend, Trend::Constant, "{blocks:?}");
    }
}

#[test]
fn leak_of_some_requests_grows_at_an_average_rate() {
    for blocks in [[190, 420, 810], [215, 400, 790]] {
        let growing = assess(&STEPS, &blocks.map(|blocks| (blocks, blocks)));
        assert_eq!(growing.trend, Trend::Growing, "{blocks:?}");
        assert!(!growing.blocks.unwrap().is_exact);
    }
    let half = [52, 97, 204].map(|blocks| (blocks, blocks));
    assert_eq!(assess(&STEPS, &half).trend, Trend::Unclear);
    let half = [52, 97, 155, 204, 251].map(|blocks| (blocks, blocks));
    assert_eq!(
        assess(&[100, 200, 300, 400, 500], &half).trend,
        Trend::Growing
    );
}

#[test]
fn growth_after_the_start_is_found() {
    let growing = assess_blocks(&[10, 100, 200, 400], |n| n + n.min(64) * 3);
    assert_exact(growing, (1, 1), (16, 1));
}

#[test]
fn vector_grows_until_it_has_its_size() {
    let capacity = |n: u64| n.next_power_of_two() * 4;
    let growing = assess_block(&STEPS, capacity);
    assert_eq!(growing.trend, Trend::Growing);
    assert!(growing.is_amortized && !growing.bytes.unwrap().is_exact);
    assert_eq!(growing.blocks, None);
    // The capacity of some vectors grows by half.
    let sizes: Vec<u64> = core::iter::successors(Some(1_u64), |n| Some(n + n.div_ceil(2)))
        .take(40)
        .collect();
    for first in 50..200 {
        let capacity = |n: u64| sizes[sizes.partition_point(|size| *size < n)] * 4;
        let steps = [first, first * 2, first * 4];
        assert_eq!(
            assess_block(&steps, capacity).trend,
            Trend::Growing,
            "{first}"
        );
    }
    let trend = |most: u64| assess_block(&STEPS, |n| capacity(n.min(most))).trend;
    assert_eq!(trend(50), Trend::Constant);
    assert_eq!(trend(150), Trend::WarmingUp);
}

#[test]
fn block_that_is_reallocated_in_each_step_grows_exactly() {
    let growing = assess_block(&STEPS, |n| 1000 + n * 8);
    assert_eq!(rates(growing), [None, Some((8, 1))]);
    assert!(!growing.is_amortized);
}

#[test]
fn bounded_memory_does_not_grow() {
    let lru = |most: u64| assess_blocks(&STEPS, |n| n.min(most)).trend;
    assert_eq!(lru(64), Trend::Constant);
    assert_eq!(lru(150), Trend::WarmingUp);
    assert_eq!(lru(250), Trend::WarmingUp);
    let start = assess(&STEPS, &[(1, 16), (65, 1040), (65, 1040)]);
    assert_eq!(start.trend, Trend::WarmingUp);
    let sawtooth = assess_blocks(&STEPS, |n| n % 64);
    assert_eq!(sawtooth.trend, Trend::Varying);
    let path = assess_block(&STEPS, |n| [37, 38, 41][(n / 150) as usize]);
    assert_ne!(path.trend, Trend::Growing);
}

#[test]
fn cache_with_the_numbers_of_a_leak_is_unclear() {
    // 4, 8, 16: the steps hide when the cache was emptied.
    let unclear = assess_blocks(&STEPS, |n| n % 32);
    assert_eq!(unclear.trend, Trend::Unclear);
    assert_eq!(rates(unclear), [None, None]);
    let after_more_steps = |blocks: fn(u64) -> u64| {
        let mut steps = STEPS.to_vec();
        for _ in 0..2 {
            steps.extend(assess_blocks(&steps, blocks).next_step(&steps));
        }
        assess_blocks(&steps, blocks)
    };
    for cache in [|n| n % 32, |n| n % 24, |n| n % 48, |n| n % 96, |n| n % 90] {
        assert_ne!(after_more_steps(cache).trend, Trend::Growing);
    }
    assert_eq!(after_more_steps(|n| n % 32).trend, Trend::Varying);
    let leak = after_more_steps(|n| n / 25);
    assert_eq!(leak.trend, Trend::Growing);
    assert!(!leak.blocks.unwrap().is_exact);
    let leak = after_more_steps(|n| n / 10);
    assert_eq!(
        (leak.trend, rates(leak)[0]),
        (Trend::Growing, Some((1, 10)))
    );
}

#[test]
fn full_cache_is_not_a_line_because_of_noise() {
    let full = assess_blocks(&[42, 195, 198], |n| (n * 6).min(269));
    assert_eq!(full.trend, Trend::Unclear);
    let full = assess_blocks(&[1, 4, 17, 18], |n| n.min(17));
    assert_eq!(full.trend, Trend::Unclear);
}

#[test]
fn extreme_numbers_do_not_overflow() {
    for last in [0, 1, u64::MAX / 2, u64::MAX] {
        let steps = [1, u64::MAX / 2, u64::MAX];
        assess(&steps, &[(0, u64::MAX), (last, last), (u64::MAX, 0)]);
        assess(&[1, 2, 3], &[(0, 0), (last / 2, last), (last, last)]);
        assess(&steps, &[(1, 1), (1, last / 2), (1, last)]);
    }
}

/// Three to six step numbers, each at most eight times the one before.
fn steps() -> impl Strategy<Value = Vec<u64>> {
    (1_u64..500, vec((1_u64..8, 0_u64..97), 2..6)).prop_map(|(first, factors)| {
        let mut steps = Vec::from([first]);
        for (factor, more) in factors {
            let last = steps[steps.len() - 1];
            steps.push(last * factor + more + 1);
        }
        steps
    })
}

proptest! {
    #[test]
    fn linear_series_are_found_with_their_rate(
        steps in steps(), rate in 1_u64..1000, size in 1_u64..1_100_000, base in 0_u64..100_000
    ) {
        let numbers: Vec<_> = steps
            .iter()
            .map(|n| (base + n * rate, (base + n * rate) * size))
            .collect();
        let found = assess(&steps, &numbers);
        prop_assert_eq!(found.trend, Trend::Growing);
        prop_assert_eq!(rates(found), [Some((rate, 1)), Some((rate * size, 1))]);
    }

    #[test]
    fn linear_series_with_noise_are_found_with_their_rate(
        rate in 1_u64..20, noise in [0_u64..3, 0_u64..3, 0_u64..3]
    ) {
        let numbers: Vec<_> = (0..3).map(|at| (STEPS[at] * rate + noise[at], 0)).collect();
        let found = assess(&STEPS, &numbers);
        prop_assert_eq!(found.trend, Trend::Growing);
        prop_assert_eq!(rates(found), [Some((rate, 1)), None]);
    }

    #[test]
    fn emptied_caches_do_not_grow(
        steps in steps(), period in 1_u64..1000, base in 0_u64..1000, size in 1_u64..100
    ) {
        let range = steps[steps.len() - 1] - steps[0];
        let period = 1 + period % (range - 1);
        let numbers: Vec<_> = steps
            .iter()
            .map(|n| (base + n % period, (base + n % period) * size))
            .collect();
        prop_assert_ne!(assess(&steps, &numbers).trend, Trend::Growing);
    }

    #[test]
    fn full_caches_do_not_grow(
        steps in steps(), share in 0_u64..=100, rate in 1_u64..20, base in 0_u64..1000,
        size in 1_u64..1000
    ) {
        // The cache is full at the second last point.
        let most = steps[steps.len() - 2] * rate * share / 100;
        let numbers: Vec<_> = steps
            .iter()
            .map(|n| base + (n * rate).min(most))
            .map(|blocks| (blocks, blocks * size))
            .collect();
        prop_assert_ne!(assess(&steps, &numbers).trend, Trend::Growing);
    }

    #[test]
    fn constant_memory_with_noise_does_not_grow(
        steps in steps(), base in 1_u64..10_000, size in 1_u64..1000, noise in vec(0_u64..3, 6)
    ) {
        // With fewer steps, a leak of one block per step looks the same.
        prop_assume!(steps[steps.len() - 1] - steps[0] > 2);
        let numbers: Vec<_> = (0..steps.len())
            .map(|at| base + noise[at])
            .map(|blocks| (blocks, blocks * size))
            .collect();
        prop_assert_eq!(assess(&steps, &numbers).trend, Trend::Constant);
    }

    #[test]
    fn arbitrary_series_never_panic(
        steps in steps(), blocks in vec(any::<u64>(), 6), bytes in vec(any::<u64>(), 6)
    ) {
        let numbers: Vec<_> = blocks.into_iter().zip(bytes).take(steps.len()).collect();
        let found = assess(&steps, &numbers);
        prop_assert_eq!(found.trend == Trend::Growing, rates(found) != [None, None]);
    }
}
