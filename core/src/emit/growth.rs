//! Reports of growing memory, as text, as JSON and as a page.

mod html;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

pub use self::html::growth_as_html;
use super::RenderOptions;
use super::escape::{self, terminal};
use super::text::paint::Paint;
use crate::growth::{Growth, Rate, Site, Trend};
use crate::model::{Amount, Kind};
use crate::numbers::{count, grouped};

#[derive(Serialize)]
struct GrowthV1<'a> {
    schema: &'static str,
    outcome: &'static str,
    steps: &'a [u64],
    sites: Vec<SiteV1<'a>>,
}

#[derive(Serialize)]
struct SiteV1<'a> {
    trend: &'static str,
    fingerprint: &'a str,
    kind: &'a str,
    function: Option<&'a str>,
    place: Option<&'a str>,
    blocks: Vec<u64>,
    bytes: Vec<u64>,
    blocks_per_step: Option<RateV1>,
    bytes_per_step: Option<RateV1>,
    amortized: bool,
    next_step: Option<u64>,
    rule: Option<&'a str>,
    accepted: bool,
}

#[derive(Serialize)]
struct RateV1 {
    numerator: u64,
    denominator: u64,
    exact: bool,
}

impl From<Rate> for RateV1 {
    fn from(rate: Rate) -> Self {
        Self {
            numerator: rate.numerator,
            denominator: rate.denominator,
            exact: rate.is_exact,
        }
    }
}

impl<'a> From<&'a Site> for SiteV1<'a> {
    fn from(site: &'a Site) -> Self {
        Self {
            trend: site.trend.as_str(),
            fingerprint: &site.fingerprint,
            kind: &site.kind,
            function: site.function.as_deref(),
            place: site.place.as_deref(),
            blocks: site.amounts.iter().map(|amount| amount.blocks).collect(),
            bytes: site.amounts.iter().map(|amount| amount.bytes).collect(),
            blocks_per_step: site.blocks_rate.map(RateV1::from),
            bytes_per_step: site.bytes_rate.map(RateV1::from),
            amortized: site.is_amortized,
            next_step: site.next_step,
            rule: site.rule.as_deref(),
            accepted: site.is_accepted,
        }
    }
}

/// Writes all sites as JSON, schema `leakgate-grow/v1`.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn growth_as_json(growth: &Growth, out: &mut dyn fmt::Write) -> fmt::Result {
    let document = GrowthV1 {
        schema: "leakgate-grow/v1",
        outcome: match growth.failures().next() {
            Some(_) => "fail",
            None => "pass",
        },
        steps: &growth.steps,
        sites: growth.sites.iter().map(SiteV1::from).collect(),
    };
    escape::write_json(&document, out)
}

/// Writes a table of the sites as text, then a summary. Sites that stay the same are only counted,
/// unless all are asked for.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn growth_as_text(
    growth: &Growth,
    shows_all: bool,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let paint = Paint::new(options);
    let is_shown = |site: &&Site| shows_all || site.trend != Trend::Constant;
    let shown: Vec<&Site> = growth.sites.iter().filter(is_shown).collect();
    if !shown.is_empty() {
        table(growth, &shown, paint, out)?;
        out.write_char('\n')?;
    }
    for site in shown {
        if let Some(note) = note(site, growth) {
            writeln!(out, "{}", terminal(&note))?;
        }
    }
    let failures = growth.failures().count() as u64;
    let verdict = match failures {
        0 => paint.good("pass:"),
        _ => paint.bad("fail:"),
    };
    writeln!(out, "{verdict} {}", summary(growth, failures))
}

/// Describes the verdict and the number of sites with each trend.
fn summary(growth: &Growth, failures: u64) -> String {
    let counts = Trend::ALL.iter().map(|trend| {
        let number = grouped(growth.count(*trend));
        format!("{number} {}", name(*trend))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let unexpected = match failures {
        0 => String::from("no unexpected growth"),
        n => count(n, "site grows", "sites grow"),
    };
    format!("{unexpected} ({counts})")
}

/// Returns the name of a trend for people.
fn name(trend: Trend) -> &'static str {
    match trend {
        Trend::WarmingUp => "warming up",
        other => other.as_str(),
    }
}

/// Returns what to do about a site, or why it does or doesn't fail.
fn note(site: &Site, growth: &Growth) -> Option<String> {
    let place = describe_site(site);
    if let Some(step) = site.next_step {
        let steps = growth.steps.iter().copied().chain([step]);
        let steps: Vec<String> = steps.map(|step| format!("{step}")).collect();
        return Some(format!(
            "unclear: {place} may grow, or may be emptied regularly; run --steps {}",
            steps.join(",")
        ));
    }
    let rule = site
        .rule
        .as_deref()
        .filter(|_| site.trend == Trend::Growing)?;
    Some(match site.is_accepted {
        true => format!("allowed: rule `{rule}` accepts the growth of {place}"),
        false => format!("growing: rule `{rule}` accepts {place}, but not its growth"),
    })
}

/// Returns the function and the location of a site.
fn describe_site(site: &Site) -> String {
    match (&site.function, &site.place) {
        (Some(function), Some(place)) => format!("{function} in {place}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("unknown location, {}", site.fingerprint),
    }
}

/// Writes the table of the sites.
fn table(growth: &Growth, sites: &[&Site], paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let steps: Vec<String> = growth.steps.iter().map(|step| grouped(*step)).collect();
    let head = [
        String::from("trend"),
        String::from("per step"),
        format!("after {} steps", steps.join(", ")),
        String::new(),
        String::from("site"),
    ];
    let rows: Vec<[String; 5]> = sites
        .iter()
        .map(|site| Cells::of(site).into_row())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]);
        let widths = cells.map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        (cells, row[4].clone())
    };
    let (cells, last) = line(&head);
    writeln!(out, "{}", paint.dim(&(cells.concat() + &last)))?;
    for (site, row) in sites.iter().zip(&rows) {
        let (cells, last) = line(row);
        let trend = match site.fails() {
            true => paint.bad(&cells[0]),
            false => paint.strong(&cells[0]),
        };
        writeln!(out, "{trend}{}{last}", cells[1..].concat())?;
    }
    Ok(())
}

/// What reports say about a site.
struct Cells {
    trend: &'static str,
    rate: String,
    /// Blocks, descriptors or, if only these change, bytes.
    numbers: Vec<u64>,
    noun: &'static str,
    site: String,
}

impl Cells {
    fn of(site: &Site) -> Self {
        let changes = |number: fn(&Amount) -> u64| {
            let mut pairs = site.amounts.windows(2);
            pairs.any(|pair| number(&pair[0]) != number(&pair[1]))
        };
        let has_only_bytes = changes(|amount| amount.bytes) && !changes(|amount| amount.blocks);
        let noun = match has_only_bytes {
            true => "bytes",
            false if site.kind == Kind::FD_LEAK.as_str() => "descriptors",
            false => "blocks",
        };
        let number = |amount: &Amount| match has_only_bytes {
            true => amount.bytes,
            false => amount.blocks,
        };
        let rate = site.describe_rate();
        Self {
            trend: name(site.trend),
            rate: match site.is_amortized {
                true => format!("{rate}, amortized"),
                false if rate.is_empty() => String::from("-"),
                false => rate,
            },
            numbers: site.amounts.iter().map(number).collect(),
            noun,
            site: describe_site(site),
        }
    }

    /// Returns the numbers with their noun: `101 -> 201 -> 401 blocks`.
    fn series(&self) -> String {
        let numbers = self.numbers.iter().map(|number| grouped(*number));
        let numbers: Vec<String> = numbers.collect();
        format!("{} {}", numbers.join(" -> "), self.noun)
    }

    /// Returns a row of the table.
    fn into_row(self) -> [String; 5] {
        let (series, bars) = (self.series(), sparkline(&self.numbers));
        let site = terminal(&self.site).into_owned();
        [self.trend.into(), self.rate, series, bars, site]
    }
}

/// Returns a bar for each number, whose height is the number's share of the largest one.
fn sparkline(numbers: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = u128::from(numbers.iter().copied().max().unwrap_or(0).max(1));
    let bar = |number: &u64| {
        let height = u128::from(*number) * 7 / largest;
        BARS.get(height as usize).copied().unwrap_or('█')
    };
    numbers.iter().map(bar).collect()
}
