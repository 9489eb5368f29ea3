//! Growth: whether the memory of an allocation site grows with the work that a program does.
//!
//! The caller runs a program several times with more and more work, and adds each run as a point:
//! the number of steps, such as requests, and what a checker found in use when the program ended.
//! A site is a stack of an allocation. All kinds of leaks count, because a block behind a live
//! pointer may be classified differently in each run.
//!
//! `docs/grow.md` describes for users what counts as growth.

mod evidence;
mod points;
mod rate;
mod series;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::evidence::{Gap, gap};
pub use self::points::Points;
pub use self::rate::Rate;
use self::series::{Series, SeriesTrend};
use crate::model::{Amount, Kind};
use crate::rules::GrowthBounds;

/// Smallest number of points.
pub const MIN_POINTS: usize = 3;

/// What several runs of a program say about each allocation site.
///
/// ```
/// use leakgate_core::growth::{Points, Trend};
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let mut points = Points::default();
/// for step in [100, 200, 400] {
///     let mut parser = Parser::new(Options::default());
///     parser.begin("run.log");
///     let (blocks, bytes) = (step + 1, (step + 1) * 16);
///     let log = format!("==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///         Direct leak of {bytes} byte(s) in {blocks} object(s) allocated from:\n    \
///         #0 0x51 in serve /src/a.c:3:9\n\n\
///         SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {blocks} allocation(s).\n");
///     parser.feed(log.as_bytes());
///     let parsed = parser.finish();
///     let triage = triage(&parsed, &gate, &NoWorkspace);
///     points.add(step, &parsed, &triage, &NoWorkspace);
/// }
///
/// let growth = points.finish(&gate);
/// let site = &growth.sites[0];
/// assert_eq!(site.trend, Trend::Growing);
/// assert_eq!(site.place.as_deref(), Some("/src/a.c:3"));
/// let (blocks, bytes) = (site.blocks_rate.unwrap(), site.bytes_rate.unwrap());
/// assert_eq!((blocks.numerator, blocks.denominator), (1, 1));
/// assert_eq!((bytes.numerator, bytes.denominator), (16, 1));
/// assert_eq!(growth.failures().count(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Growth {
    /// The number of steps at each point, in ascending order.
    pub steps: Vec<u64>,
    /// All sites: first those that fail the gate, then by trend and rate.
    pub sites: Vec<Site>,
}

/// The places where memory is allocated or descriptors are opened with one stack, and what becomes
/// of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Site {
    /// Identity of the stack.
    pub fingerprint: String,
    /// The kind of leak at the last point where the site has memory.
    pub kind: String,
    /// Function to look at. `None` if it is unknown.
    pub function: Option<String>,
    /// Source location, as `FILE:LINE`. `None` if it is unknown.
    pub place: Option<String>,
    /// Bytes and blocks, or open descriptors, at each point.
    pub amounts: Vec<Amount>,
    /// What becomes of them.
    pub trend: Trend,
    /// Blocks per step. `None` if their number doesn't grow.
    pub blocks_rate: Option<Rate>,
    /// Bytes per step. `None` if they don't grow.
    pub bytes_rate: Option<Rate>,
    /// True if the same blocks get larger and larger, in jumps, as those of a vector.
    pub is_amortized: bool,
    /// A number of steps that would show whether the site grows. `None` if the trend is clear.
    pub next_step: Option<u64>,
    /// The rule that accepts the site's leaks. `None` if a leak of the site isn't accepted.
    pub rule: Option<String>,
    /// True if the rule also accepts growth at this rate.
    pub is_accepted: bool,
}

/// What becomes of the memory of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trend {
    /// It grows with the number of steps.
    Growing,
    /// It rises, but a cache that is emptied regularly could have caused the same numbers.
    Unclear,
    /// It has grown, but slows down or has stopped.
    WarmingUp,
    /// It rises and falls.
    Varying,
    /// It stays the same.
    Constant,
}

impl Trend {
    /// Every trend, the worst first.
    pub const ALL: &'static [Self] = &[
        Self::Growing,
        Self::Unclear,
        Self::WarmingUp,
        Self::Varying,
        Self::Constant,
    ];

    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Unclear => "unclear",
            Self::WarmingUp => "warming-up",
            Self::Varying => "varying",
            Self::Constant => "constant",
        }
    }
}

impl Growth {
    /// Returns the sites that fail the gate: those that grow, unless a rule accepts their growth.
    pub fn failures(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| site.fails())
    }

    /// Returns the number of sites with this trend.
    pub fn count(&self, trend: Trend) -> u64 {
        let sites = self.sites.iter();
        sites.filter(|site| site.trend == trend).count() as u64
    }

    /// Returns a number of steps for one more run, which would make the trend of an unclear site
    /// clear. `None` if the trends of all sites are clear.
    pub fn next_step(&self) -> Option<u64> {
        self.sites.iter().find_map(|site| site.next_step)
    }
}

impl Site {
    /// Returns true if the site grows and no rule accepts that.
    pub fn fails(&self) -> bool {
        self.trend == Trend::Growing && !self.is_accepted
    }

    /// Describes the rate: `1 block, 16 bytes`. Empty if nothing grows.
    pub(crate) fn describe_rate(&self) -> String {
        let is_descriptor = self.kind == Kind::FD_LEAK.as_str();
        let (one, many) = match is_descriptor {
            true => ("descriptor", "descriptors"),
            false => ("block", "blocks"),
        };
        let blocks = self.blocks_rate.map(|rate| rate.describe(one, many));
        let bytes = self.bytes_rate.map(|rate| rate.describe("byte", "bytes"));
        match (blocks, bytes) {
            (Some(blocks), Some(bytes)) => format!("{blocks}, {bytes}"),
            (one, other) => one.or(other).unwrap_or_default(),
        }
    }

    /// Returns a key that sorts the worst site first.
    fn sort_key(&self) -> (bool, Trend) {
        (!self.fails(), self.trend)
    }

    /// Returns the growth per step, in bytes and blocks, for sorting.
    fn speed(&self) -> (f64, f64) {
        let speed = |rate: Option<Rate>| rate.map_or(0.0, Rate::as_f64);
        (speed(self.bytes_rate), speed(self.blocks_rate))
    }
}

/// The trend of a site, with its rates.
#[derive(Clone, Copy, Debug)]
struct Assessment {
    trend: Trend,
    blocks: Option<Rate>,
    bytes: Option<Rate>,
    is_amortized: bool,
    /// After how many steps the site may be emptied.
    period: Option<u64>,
}

impl Assessment {
    fn new(trend: Trend) -> Self {
        Self {
            trend,
            blocks: None,
            bytes: None,
            is_amortized: false,
            period: None,
        }
    }

    /// Assesses the amounts of a site: by the number of its blocks or, if that stays the same, by
    /// their bytes.
    fn of(steps: &[u64], amounts: &[Amount]) -> Self {
        let blocks = Series::new(steps, amounts.iter().map(|amount| amount.blocks));
        let bytes = Series::new(steps, amounts.iter().map(|amount| amount.bytes));
        match blocks.blocks_trend() {
            SeriesTrend::Growing(rate) => Self {
                blocks: Some(rate),
                bytes: match size_of_all(amounts) {
                    Some(size) => rate.times(size),
                    None => bytes.rate(),
                },
                ..Self::new(Trend::Growing)
            },
            SeriesTrend::Constant => Self::of_bytes(&bytes, amounts),
            other => Self::without_growth(other),
        }
    }

    /// Assesses the bytes of blocks whose number stays the same.
    fn of_bytes(bytes: &Series, amounts: &[Amount]) -> Self {
        let blocks = || amounts.iter().map(|amount| amount.blocks);
        let spread = blocks().max().unwrap_or(0) - blocks().min().unwrap_or(0);
        let size = |amount: &Amount| amount.bytes.div_ceil(amount.blocks.max(1));
        let largest = amounts.iter().map(size).max().unwrap_or(0);
        match bytes.bytes_trend(largest.saturating_mul(spread)) {
            SeriesTrend::Growing(rate) => {
                let is_amortized = !rate.is_exact || rate.denominator > 1;
                Self {
                    bytes: Some(Rate {
                        is_exact: !is_amortized,
                        ..rate
                    }),
                    is_amortized,
                    ..Self::new(Trend::Growing)
                }
            }
            other => Self::without_growth(other),
        }
    }

    /// Returns true if these bounds allow the growth.
    fn is_within(&self, bounds: Option<GrowthBounds>) -> bool {
        let holds = |rate: Option<Rate>, bound: Option<u64>| {
            let both = rate.zip(bound);
            both.is_none_or(|(rate, bound)| rate.is_at_most(bound))
        };
        bounds.is_some_and(|bounds| {
            holds(self.blocks, bounds.blocks) && holds(self.bytes, bounds.bytes)
        })
    }

    fn without_growth(trend: SeriesTrend) -> Self {
        match trend {
            SeriesTrend::Unclear(period) => Self {
                period,
                ..Self::new(Trend::Unclear)
            },
            SeriesTrend::LevelingOff => Self::new(Trend::WarmingUp),
            SeriesTrend::Constant => Self::new(Trend::Constant),
            SeriesTrend::Varying | SeriesTrend::Growing(_) => Self::new(Trend::Varying),
        }
    }

    /// Returns a number of steps at which growth and a cache would differ most.
    fn next_step(self, steps: &[u64]) -> Option<u64> {
        let last = *steps.last()?;
        let more = match self.period {
            Some(period) => (period / 2).max(1),
            None => last.saturating_add(1),
        };
        (self.trend == Trend::Unclear).then(|| last.saturating_add(more))
    }
}

/// Returns the size of the blocks if all have the same.
fn size_of_all(amounts: &[Amount]) -> Option<u64> {
    let blocks = |amount: &&Amount| amount.blocks > 0;
    let first = amounts.iter().find(blocks)?;
    let size = first.bytes / first.blocks;
    let has_size = |amount: &Amount| amount.blocks.checked_mul(size) == Some(amount.bytes);
    amounts.iter().all(has_size).then_some(size)
}

#[cfg(test)]
mod tests;
