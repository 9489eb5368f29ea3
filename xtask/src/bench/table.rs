//! The table that `cargo xtask bench` prints.

/// One figure.
pub(crate) struct Row {
    what: String,
    aim: String,
    measured: String,
    verdict: &'static str,
    more: String,
}

impl Row {
    /// A figure that is to stay below its aim.
    pub(crate) fn at_most(what: &str, aim: f64, measured: f64, unit: &str) -> Self {
        Self::new(
            what,
            format!("<= {aim} {unit}"),
            measured,
            unit,
            measured <= aim,
        )
    }

    /// A figure that is to reach its aim.
    pub(crate) fn at_least(what: &str, aim: f64, measured: f64, unit: &str) -> Self {
        Self::new(
            what,
            format!(">= {aim} {unit}"),
            measured,
            unit,
            measured >= aim,
        )
    }

    /// A figure that could not be taken.
    pub(crate) fn unknown(what: &str, why: &str) -> Self {
        Self {
            what: what.into(),
            aim: String::new(),
            measured: "-".into(),
            verdict: "-",
            more: why.into(),
        }
    }

    fn new(what: &str, aim: String, measured: f64, unit: &str, good: bool) -> Self {
        let digits = if measured < 10.0 { 2 } else { 0 };
        let measured = format!("{measured:.digits$} {unit}");
        Self {
            what: what.into(),
            aim,
            measured,
            verdict: if good { "ok" } else { "OVER" },
            more: String::new(),
        }
    }

    /// The same with what stands behind the figure.
    pub(crate) fn with(mut self, more: String) -> Self {
        self.more = more;
        self
    }
}

/// Prints all rows.
pub(crate) fn print(rows: &[Row]) {
    let width = |of: fn(&Row) -> &str, least: usize| {
        rows.iter()
            .map(|r| of(r).len())
            .max()
            .unwrap_or(0)
            .max(least)
    };
    let (what, aim, measured) = (
        width(|r| &r.what, 4),
        width(|r| &r.aim, 3),
        width(|r| &r.measured, 8),
    );
    println!(
        "{:what$}  {:aim$}  {:>measured$}",
        "what", "aim", "measured"
    );
    for row in rows {
        let line = format!(
            "{:what$}  {:aim$}  {:>measured$}  {:4}  {}",
            row.what, row.aim, row.measured, row.verdict, row.more
        );
        println!("{}", line.trim_end());
    }
}
