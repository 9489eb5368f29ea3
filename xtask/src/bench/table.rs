//! The table that `cargo xtask bench` prints.

/// One measured value and its aim.
pub(crate) struct Row {
    name: String,
    aim: String,
    measured: String,
    verdict: Verdict,
    /// True for values that don't depend on the speed of the machine.
    is_exact: bool,
    details: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Met,
    Missed,
    Unknown,
}

impl Row {
    /// Creates a row whose value must not exceed its aim.
    pub(crate) fn at_most(name: &str, aim: f64, measured: f64, unit: &str) -> Self {
        let is_met = measured <= aim;
        Self::new(name, format!("<= {aim} {unit}"), measured, unit, is_met)
    }

    /// Creates a row whose value must reach its aim.
    pub(crate) fn at_least(name: &str, aim: f64, measured: f64, unit: &str) -> Self {
        let is_met = measured >= aim;
        Self::new(name, format!(">= {aim} {unit}"), measured, unit, is_met)
    }

    /// Creates a row for a value that could not be measured.
    pub(crate) fn unknown(name: &str, why: &str) -> Self {
        Self {
            name: name.into(),
            aim: String::new(),
            measured: "-".into(),
            verdict: Verdict::Unknown,
            is_exact: false,
            details: why.into(),
        }
    }

    fn new(name: &str, aim: String, measured: f64, unit: &str, is_met: bool) -> Self {
        let digits = if measured < 10.0 { 2 } else { 0 };
        Self {
            name: name.into(),
            aim,
            measured: format!("{measured:.digits$} {unit}"),
            verdict: if is_met {
                Verdict::Met
            } else {
                Verdict::Missed
            },
            is_exact: false,
            details: String::new(),
        }
    }

    /// Adds a text after the verdict.
    pub(crate) fn with_details(mut self, details: String) -> Self {
        self.details = details;
        self
    }

    /// Marks a value that doesn't depend on the speed of the machine.
    pub(crate) fn as_exact(mut self) -> Self {
        self.is_exact = true;
        self
    }

    /// Returns true if the aim is missed. With `only_exact`, times are ignored.
    pub(crate) fn is_missed(&self, only_exact: bool) -> bool {
        self.verdict == Verdict::Missed && (self.is_exact || !only_exact)
    }
}

/// Prints all rows.
pub(crate) fn print(rows: &[Row]) {
    let width = |column: fn(&Row) -> &str| rows.iter().map(|row| column(row).len()).max();
    let name = width(|row| &row.name).unwrap_or(0);
    let aim = width(|row| &row.aim).unwrap_or(0);
    let measured = width(|row| &row.measured)
        .unwrap_or(0)
        .max("measured".len());
    println!("{:name$}  {:aim$}  {:>measured$}", "", "aim", "measured");
    for row in rows {
        let verdict = match row.verdict {
            Verdict::Met => "ok",
            Verdict::Missed => "MISSED",
            Verdict::Unknown => "-",
        };
        let line = format!(
            "{:name$}  {:aim$}  {:>measured$}  {verdict:6}  {}",
            row.name, row.aim, row.measured, row.details
        );
        println!("{}", line.trim_end());
    }
}
