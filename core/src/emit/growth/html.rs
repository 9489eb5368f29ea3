//! A page about growing memory, without scripts.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Cells, summary};
use crate::emit::escape::xml;
use crate::growth::{Growth, Site};
use crate::numbers::grouped;

/// The part of the page before the verdict. Nothing may be loaded from elsewhere.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>leakgate grow</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .8rem; text-align: left; }
td:last-child { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.fails { color: #c22; font-weight: bold; }
svg { display: block; }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5; }
</style>
"#;

/// Width and height of a sparkline, in pixels.
const WIDTH: u64 = 120;
const HEIGHT: u64 = 32;

/// Writes a page with all sites.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn growth_as_html(growth: &Growth, out: &mut dyn fmt::Write) -> fmt::Result {
    let failures = growth.failures().count() as u64;
    let verdict = match failures {
        0 => "pass",
        _ => "fail",
    };
    let steps: Vec<String> = growth.steps.iter().map(|step| grouped(*step)).collect();
    write!(
        out,
        "{HEAD}<h1>{verdict}: {}</h1>\n<table>\n<tr><th>trend<th>per step<th>after {} steps<th>\
         <th>site\n",
        summary(growth, failures),
        steps.join(", ")
    )?;
    for site in &growth.sites {
        row(site, &growth.steps, out)?;
    }
    out.write_str("</table>\n")
}

/// Writes the row of a site.
fn row(site: &Site, steps: &[u64], out: &mut dyn fmt::Write) -> fmt::Result {
    let cells = Cells::of(site);
    let class = match site.fails() {
        true => " class=\"fails\"",
        false => "",
    };
    write!(
        out,
        "<tr><td{class}>{}<td>{}<td>{}<td>{}<td>{}",
        cells.trend,
        cells.rate,
        cells.series(),
        sparkline(steps, &cells.numbers),
        xml(&cells.site)
    )?;
    match &site.rule {
        Some(rule) => writeln!(out, "<br>rule {}", xml(rule)),
        None => out.write_char('\n'),
    }
}

/// Returns a line through the points, from zero to the largest number.
fn sparkline(steps: &[u64], numbers: &[u64]) -> String {
    let last = steps.last().copied().unwrap_or(1).max(1);
    let largest = numbers.iter().copied().max().unwrap_or(1).max(1);
    let scaled = |number: u64, most: u64, size: u64| {
        (u128::from(number) * u128::from(size) / u128::from(most)) as u64
    };
    let mut points = String::new();
    for (step, number) in steps.iter().zip(numbers) {
        let x = scaled(*step, last, WIDTH - 4) + 2;
        let y = HEIGHT - 2 - scaled(*number, largest, HEIGHT - 4);
        // Writing into a string can't fail.
        let _ = write!(points, "{x},{y} ");
    }
    format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\"><polyline points=\"{}\"/></svg>",
        points.trim_end()
    )
}
