//! The trend of one series of numbers, such as the blocks of a site at each point.

use alloc::vec::Vec;

use super::rate::{Fraction, Rate, simplest_between};

/// Blocks that a count may deviate from the real one, because threads end in another order.
const NOISE: i128 = 1;

/// Points that prove growth below one per step, if they don't fit a line.
const MANY_POINTS: usize = 5;

/// Growth, in multiples of the noise, from which points near a line prove growth.
const CLEAR_GROWTH: i128 = 16;

/// Largest number of cache periods to try.
const MAX_PERIODS: i128 = 10_000;

/// Largest number that is distinguished, so that products fit.
const MAX: u64 = 1 << 61;

/// The trend of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeriesTrend {
    /// It grows at this rate, from the point with this index on.
    Growing(Rate),
    /// It has risen, but not enough to distinguish growth from something that is emptied regularly:
    /// each time after this number of steps, if that is known.
    Unclear(Option<u64>),
    /// It rose, and slows down or has stopped.
    LevelingOff,
    /// It rises and falls, or falls.
    Varying,
    /// It stays the same, apart from noise.
    Constant,
}

/// One number for each step, with growing step numbers.
#[derive(Clone, Debug)]
pub(super) struct Series {
    points: Vec<(i128, i128)>,
}

impl Series {
    /// Creates a series. Both slices have the same length.
    pub(super) fn new(steps: &[u64], values: impl Iterator<Item = u64>) -> Self {
        let bounded = |number: u64| i128::from(number.min(MAX));
        let steps = steps.iter().map(|step| bounded(*step));
        Self {
            points: steps.zip(values.map(bounded)).collect(),
        }
    }

    /// Returns the trend of a number of blocks.
    pub(super) fn blocks_trend(&self) -> SeriesTrend {
        let all = self.points.as_slice();
        if let Some(trend) = line_trend(all) {
            return trend;
        }
        if spread(all) <= 2 * NOISE {
            return SeriesTrend::Constant;
        }
        if let Some(rate) = tail_rate(all) {
            return SeriesTrend::Growing(rate);
        }
        match shape(all) {
            Shape::Rising => rising_trend(all),
            Shape::Slowing => SeriesTrend::LevelingOff,
            Shape::Late => SeriesTrend::Unclear(None),
            Shape::Other => SeriesTrend::Varying,
        }
    }

    /// Returns the trend of a number of bytes, while the number of blocks stays the same. `noise`
    /// is the number of bytes that the noise of the blocks explains.
    ///
    /// Memory that grows with its use is allocated in larger and larger blocks, so that points
    /// don't fit a line.
    pub(super) fn bytes_trend(&self, noise: u64) -> SeriesTrend {
        let all = self.points.as_slice();
        if spread(all) <= i128::from(noise.min(MAX)) {
            return SeriesTrend::Constant;
        }
        let average = average_rate(all, false).filter(|rate| rate.is_one_or_more());
        match (average, exact_line(all), shape(all)) {
            (Some(_), Some(rate), _) => SeriesTrend::Growing(rate),
            (Some(rate), None, _) if keeps_up(all) => SeriesTrend::Growing(rate),
            (_, None, Shape::Slowing) => SeriesTrend::LevelingOff,
            (Some(_), _, Shape::Rising) => SeriesTrend::Unclear(None),
            _ => SeriesTrend::Varying,
        }
    }

    /// Returns the rate of a number of bytes whose blocks grow: exact if the points fit a line.
    pub(super) fn rate(&self) -> Option<Rate> {
        exact_line(&self.points)
            .or_else(|| tail_rate(&self.points))
            .or_else(|| average_rate(&self.points, false))
    }
}

/// Returns the trend of points on or near a line that rises.
fn line_trend(points: &[(i128, i128)]) -> Option<SeriesTrend> {
    let exact = exact_line(points);
    let rate = exact.or_else(|| near_line(points))?;
    let growth = growth(points);
    let is_clear = exact.is_some() || is_clear(points);
    if rate.is_one_or_more() && is_clear {
        return Some(SeriesTrend::Growing(rate));
    }
    if growth <= 2 * NOISE {
        return None;
    }
    let tolerance = if exact.is_some() { 0 } else { 2 * NOISE };
    if let Some(period) = cache_period(points, tolerance) {
        return Some(SeriesTrend::Unclear(period));
    }
    Some(if is_clear {
        SeriesTrend::Growing(rate)
    } else {
        SeriesTrend::Unclear(None)
    })
}

/// Returns true if points near a line prove growth: it is large, not between two points alone, and
/// has not stopped.
fn is_clear(points: &[(i128, i128)]) -> bool {
    let has_stopped = match points {
        [.., before, last] => last.1 <= before.1,
        _ => true,
    };
    let rises = |pair: &&[(i128, i128)]| pair[1].1 - pair[0].1 > 2 * NOISE;
    let is_large = growth(points) >= CLEAR_GROWTH * NOISE;
    is_large && !has_stopped && points.windows(2).filter(rises).count() >= 2
}

/// Returns the trend of points that rise, although not along a line.
fn rising_trend(points: &[(i128, i128)]) -> SeriesTrend {
    let Some(rate) = average_rate(points, false) else {
        return SeriesTrend::Varying;
    };
    let certain = Rate::new(growth(points) - 2 * NOISE, steps(points), false);
    if certain.is_some_and(Rate::is_one_or_more) {
        return SeriesTrend::Growing(rate);
    }
    match cache_period(points, 2 * NOISE) {
        Some(period) => SeriesTrend::Unclear(period),
        None if points.len() >= MANY_POINTS => SeriesTrend::Growing(rate),
        None => SeriesTrend::Unclear(None),
    }
}

/// Returns the difference between the last and the first value.
fn growth(points: &[(i128, i128)]) -> i128 {
    match points {
        [first, .., last] => last.1 - first.1,
        _ => 0,
    }
}

/// Returns the number of steps between the first and the last point.
fn steps(points: &[(i128, i128)]) -> i128 {
    match points {
        [first, .., last] => last.0 - first.0,
        _ => 0,
    }
}

/// Returns the difference between the largest and the smallest value.
fn spread(points: &[(i128, i128)]) -> i128 {
    let values = || points.iter().map(|point| point.1);
    values().max().unwrap_or(0) - values().min().unwrap_or(0)
}

fn average_rate(points: &[(i128, i128)], is_exact: bool) -> Option<Rate> {
    Rate::new(growth(points), steps(points), is_exact)
}

/// Returns the rate if all points are on one line that rises.
fn exact_line(points: &[(i128, i128)]) -> Option<Rate> {
    let first = points.first()?;
    let (rise, run) = (growth(points), steps(points));
    let is_on_line = |point: &(i128, i128)| (point.1 - first.1) * run == (point.0 - first.0) * rise;
    points
        .iter()
        .all(is_on_line)
        .then(|| average_rate(points, true))
        .flatten()
}

/// Returns the simplest rate at which every two points fit, if each value may be wrong by the
/// noise. It is exact if no rate that is almost as simple fits.
fn near_line(points: &[(i128, i128)]) -> Option<Rate> {
    let mut bounds: Option<(Fraction, Fraction)> = None;
    for (at, first) in points.iter().enumerate() {
        for second in &points[at + 1..] {
            let fraction = |noise: i128| Fraction {
                numerator: second.1 - first.1 + noise,
                denominator: second.0 - first.0,
            };
            let (low, high) = (fraction(-2 * NOISE), fraction(2 * NOISE));
            bounds = Some(match bounds {
                None => (low, high),
                Some((lowest, highest)) => (
                    if lowest.is_less(low) { low } else { lowest },
                    if high.is_less(highest) { high } else { highest },
                ),
            });
        }
    }
    let (low, high) = bounds?;
    if low.numerator <= 0 || high.is_less(low) {
        return None;
    }
    let rate = simplest_between(low, high);
    // The next fractions with a denominator that is at most one larger.
    let is_exact = [-1, 1].into_iter().all(|difference| {
        let other = Fraction {
            numerator: rate.numerator * (rate.denominator + 1) + difference,
            denominator: rate.denominator * (rate.denominator + 1),
        };
        other.is_less(low) || high.is_less(other)
    });
    Rate::new(rate.numerator, rate.denominator, is_exact)
}

/// Returns the rate of the last points, if at least three of them are on or near a line with at
/// least one per step over at least half of all steps, and no earlier point is above them. Earlier
/// points belong to the start of the program.
fn tail_rate(points: &[(i128, i128)]) -> Option<Rate> {
    (1..points.len().saturating_sub(2)).find_map(|start| {
        let (before, tail) = points.split_at(start);
        let first = tail.first()?.1;
        let is_above = before.iter().all(|point| point.1 <= first);
        let is_long = steps(tail) * 2 >= steps(points);
        let rate = exact_line(tail).or_else(|| near_line(tail).filter(|_| is_clear(tail)))?;
        (is_above && is_long && rate.is_one_or_more()).then_some(rate)
    })
}

/// The shape of points that don't fit a line.
enum Shape {
    /// Each value is larger than the one before, and the last rate is at least three quarters of
    /// the average rate before.
    Rising,
    /// The last value is the largest, but the rate drops.
    Slowing,
    /// The last value is the largest, but the values before don't rise.
    Late,
    /// The last value isn't the largest, or not larger than the first.
    Other,
}

fn shape(points: &[(i128, i128)]) -> Shape {
    let ([.., before, last], Some((_, head))) = (points, points.split_last()) else {
        return Shape::Other;
    };
    let first_value = head.first().map_or(0, |point| point.1);
    let is_largest = head.iter().all(|point| point.1 <= last.1);
    if !is_largest || last.1 <= first_value {
        return Shape::Other;
    }
    let is_increasing = points.windows(2).all(|pair| pair[0].1 < pair[1].1);
    let last_rate = (last.1 - before.1, last.0 - before.0);
    let keeps_rate = last_rate.0 * steps(head) * 4 >= growth(head) * last_rate.1 * 3;
    if is_increasing && keeps_rate {
        Shape::Rising
    } else if keeps_rate {
        Shape::Late
    } else {
        Shape::Slowing
    }
}

/// Returns true if each value is larger than the one before, and the whole grows at least half as
/// much as the number of steps, as with a vector whose capacity doubles.
fn keeps_up(points: &[(i128, i128)]) -> bool {
    let is_increasing = points.windows(2).all(|pair| pair[0].1 < pair[1].1);
    match points {
        [first, .., last] => is_increasing && last.1 * first.0 * 2 >= first.1 * last.0,
        _ => false,
    }
}

/// Returns the shortest period if the points also fit a cache that gets one block in each step, and
/// is emptied after a fixed number of steps. The inner option is `None` if such a period may exist,
/// but is much shorter than the distance between the points. A difference may deviate by the
/// tolerance.
fn cache_period(points: &[(i128, i128)], tolerance: i128) -> Option<Option<u64>> {
    let smallest = spread(points) + 1;
    let lost = |pair: &[(i128, i128)]| (pair[1].0 - pair[0].0) - (pair[1].1 - pair[0].1);
    let losses: Vec<i128> = points.windows(2).map(lost).collect();
    let largest = losses.iter().copied().max()?;
    let count = (largest + tolerance) / smallest;
    if count > MAX_PERIODS {
        return Some(None);
    }
    let is_multiple = |loss: i128, period: i128| {
        let rest = loss.rem_euclid(period);
        loss + tolerance >= 0 && (rest <= tolerance || period - rest <= tolerance)
    };
    let fits = |period: &i128| {
        *period >= smallest && losses.iter().all(|loss| is_multiple(*loss, *period))
    };
    (1..=count)
        .rev()
        .flat_map(|n| (largest - tolerance) / n..=(largest + tolerance) / n)
        .find(fits)
        .map(|period| u64::try_from(period).ok())
}
