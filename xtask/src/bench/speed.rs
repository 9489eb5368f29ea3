//! The benchmarks of the core, by divan, and their aims.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use super::LEAKS;
use super::table::Row;
use crate::Outcome;

/// Aims for dense reports: the name of the benchmark, and MB/s.
const DENSE: &[(&str, f64)] = &[
    ("lsan", 200.0),
    ("memcheck", 200.0),
    ("valgrind-xml", 150.0),
];

/// Medians of one benchmark.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Median {
    seconds: f64,
    /// Zero for benchmarks that count no bytes.
    bytes_per_second: f64,
}

/// Medians by path, such as `dense/lsan`.
type Medians = BTreeMap<String, Median>;

/// Runs the benchmarks and compares their medians with the aims. divan's table stays in
/// `target/bench/speed.txt`.
pub(super) fn rows(sh: &Shell, folder: &Path, is_small: bool) -> Outcome<Vec<Row>> {
    let samples = if is_small { "5" } else { "31" };
    let options = [
        "--color=never",
        "--sample-size=1",
        "--sample-count",
        samples,
    ];
    let bench = ["--package", "leakgate-core", "--bench", "speed"];
    let table = cmd!(sh, "cargo bench --quiet {bench...} -- {options...}").read()?;
    println!("{table}");
    fs::write(folder.join("speed.txt"), &table)?;
    let medians = parse(&table)?;
    let median = |name: &str| -> Outcome<Median> {
        let median = medians.get(name).copied();
        Ok(median.ok_or_else(|| format!("the benchmark {name} didn't run"))?)
    };
    let mut rows = Vec::new();
    for (name, aim) in DENSE {
        let speed = median(&format!("dense/{name}"))?.bytes_per_second / 1e6;
        rows.push(Row::at_least(
            &format!("{name}, {LEAKS} leaks"),
            *aim,
            speed,
            "MB/s",
        ));
    }
    for name in ["lsan", "memcheck"] {
        let with = median(&format!("triage_with_rules/{name}"))?.seconds;
        let without = median(&format!("triage_without_rules/{name}"))?.seconds;
        let share = (with - without) / median(&format!("dense/{name}"))?.seconds;
        let name = format!("    1000 rules on {LEAKS} leaks of {name}");
        rows.push(Row::at_most(&name, 0.3, share, "x reading"));
    }
    let bare = median("dense/valgrind-xml")?.seconds / median("quick_xml_events")?.seconds;
    rows.push(Row::at_most(
        "    valgrind-xml, against quick-xml alone",
        2.0,
        bare,
        "x",
    ));
    Ok(rows)
}

/// Parses divan's table: a tree of names, then columns for the fastest, the slowest and the median
/// sample. A line without a name has the throughput of the benchmark above it.
fn parse(table: &str) -> Outcome<Medians> {
    let mut medians = Medians::new();
    let mut path: Vec<&str> = Vec::new();
    for line in table.lines().filter(|line| line.contains('│')) {
        let cells = line.trim_start_matches(['│', '├', '╰', '─', ' ']);
        let depth = (line.chars().count() - cells.chars().count()) / 3;
        let has_name = line.contains("─ ");
        let mut columns = cells.split('│').map(str::trim);
        let first = columns.next().unwrap_or_default();
        if has_name {
            path.truncate(depth.saturating_sub(1));
            path.push(first.split_whitespace().next().unwrap_or_default());
        }
        let Some(value) = columns.nth(1).filter(|value| !value.is_empty()) else {
            continue;
        };
        let median = medians.entry(path.join("/")).or_default();
        match (has_name, value.split_once(' ')) {
            (true, Some((number, unit))) => median.seconds = number.parse::<f64>()? * scale(unit)?,
            (false, Some((number, unit))) if !path.is_empty() => {
                median.bytes_per_second = number.parse::<f64>()? * scale(unit)?;
            }
            _ => {}
        }
    }
    medians.retain(|_, median| median.seconds > 0.0);
    Ok(medians)
}

/// Returns the factor of a unit to seconds or bytes per second.
fn scale(unit: &str) -> Outcome<f64> {
    Ok(match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" | "B/s" => 1.0,
        "KB/s" => 1e3,
        "MB/s" => 1e6,
        "GB/s" => 1e9,
        _ => return Err(format!("unknown unit `{unit}` in divan's table").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_becomes_medians() -> Outcome {
        let table = "\
speed                    fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ dense                               │               │               │               │         │
│  ├─ lsan               10.2 ms       │ 12 ms         │ 11 ms         │ 11 ms         │ 5       │ 5
│  │                     500 MB/s      │ 400 MB/s      │ 450.5 MB/s    │ 450 MB/s      │         │
│  ╰─ memcheck           9 ms          │ 9 ms          │ 9 ms          │ 9 ms          │ 5       │ 5
│                        1 GB/s        │ 1 GB/s        │ 1.5 GB/s      │ 1 GB/s        │         │
╰─ quick_xml_events      700 µs        │ 900 µs        │ 800 µs        │ 800 µs        │ 5       │ 5
                         1 GB/s        │ 1 GB/s        │ 2 GB/s        │ 1 GB/s        │         │
";
        let medians = parse(table)?;
        let names: Vec<&str> = medians.keys().map(String::as_str).collect();
        assert_eq!(names, ["dense/lsan", "dense/memcheck", "quick_xml_events"]);
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        let lsan = medians["dense/lsan"];
        assert!(near(lsan.seconds, 0.011), "{lsan:?}");
        assert!(near(lsan.bytes_per_second, 450.5e6), "{lsan:?}");
        let events = medians["quick_xml_events"];
        assert!(near(events.bytes_per_second, 2e9), "{events:?}");
        Ok(())
    }
}
