//! A compact form of the JSON report for snapshots: one line for each finding, stack, frame,
//! problem and report, with every field.
//!
//! Every field is taken out of its object, and an object with a field left over fails the test, so
//! that a new field of the report cannot be forgotten here. Values that are null, false, zero or
//! implied by other values are omitted.

use serde_json::{Map, Value};

/// Dumps a JSON report of a gate without rules and without a baseline. Fingerprints are omitted,
/// because [`super::snapshots`] keeps them in a table of their own.
pub(crate) fn dump(json: &str) -> String {
    let mut report = Fields::new(serde_json::from_str(json).expect("JSON"));
    let inputs = report.list("inputs");
    let reports = report.list("reports");
    let mut lines = Vec::new();
    verdict(report.object("verdict"), &mut lines);
    for (index, input) in inputs.into_iter().enumerate() {
        lines.push(self::input(index, input));
    }
    // The pid and the input of each report, which its findings usually have, too.
    let sources: Vec<(Value, Value)> = reports
        .iter()
        .map(|report| (report["pid"].clone(), report["input"].clone()))
        .collect();
    for (index, report) in reports.into_iter().enumerate() {
        lines.push(self::report(index, report));
    }
    for problem in report.list("problems") {
        lines.push(self::problem(problem));
    }
    for (index, finding) in report.list("findings").into_iter().enumerate() {
        self::finding(index, finding, &sources, &mut lines);
    }
    report.ignore("schema");
    report.ignore("version");
    report.assert_empty_value("rules");
    report.assert_empty_value("advice");
    report.assert_empty_value("baseline");
    report.finish();
    let escaped = lines.iter().map(|line| escape(line.trim_end()));
    escaped.collect::<Vec<_>>().join("\n") + "\n"
}

fn verdict(mut verdict: Fields, lines: &mut Vec<String>) {
    lines.push(format!(
        "{}: {}",
        verdict.text("outcome"),
        verdict.text("evidence")
    ));
    for (key, name) in [("reasons", "reason"), ("warnings", "warning")] {
        for mut reason in verdict.list(key).into_iter().map(Fields::new) {
            lines.push(format!(
                "{name} {} {}: {}",
                reason.text("code"),
                reason.number("count"),
                reason.text("message")
            ));
            reason.finish();
        }
    }
    verdict.assert_empty_value("watched");
    verdict.finish();
}

fn input(index: usize, input: Value) -> String {
    let mut input = Fields::new(input);
    let mut line = format!(
        "input {index} {}: {} bytes, {} lines",
        input.text("path"),
        input.number("bytes"),
        input.number("lines")
    );
    line += if input.flag("spoke") { "" } else { ", silent" };
    line += &input.labelled(", job ", "leg");
    input.finish();
    line
}

fn report(index: usize, report: Value) -> String {
    let mut report = Fields::new(report);
    let mut line = format!("report {index} {}", report.text("tool"));
    for (label, key) in [
        (" ", "version"),
        (" pid ", "pid"),
        (" parent ", "parent"),
        (" source ", "source"),
    ] {
        line += &report.labelled(label, key);
    }
    line += &format!(
        " at {}:{}-{}",
        report.number("input"),
        report.number("first_line"),
        report.number("last_line")
    );
    line += if report.flag("complete") {
        ""
    } else {
        " incomplete"
    };
    line += if report.flag("capped") { " capped" } else { "" };
    line += &report.labelled(" callers ", "callers");
    let mut totals = report.object("stated");
    for (label, key) in [
        (" bytes ", "bytes"),
        (" blocks ", "blocks"),
        (" errors ", "errors"),
        (" contexts ", "contexts"),
    ] {
        line += &totals.labelled(label, key);
    }
    line += if totals.flag("all_freed") {
        " all-freed"
    } else {
        ""
    };
    totals.finish();
    let mut suppressed = report.object("suppressed");
    let hidden = [
        suppressed.number("bytes"),
        suppressed.number("blocks"),
        report.number("suppressed_errors"),
    ];
    suppressed.finish();
    if hidden != [0; 3] {
        line += &format!(
            " suppressed {} bytes in {} blocks, {} errors",
            hidden[0], hidden[1], hidden[2]
        );
    }
    for record in report.list("records") {
        line += &format!(" #{}", record[0]);
        if record[1] != 1 {
            line += &format!("x{}", record[1]);
        }
    }
    line += &report.labelled(": ", "command");
    report.finish();
    line
}

fn problem(problem: Value) -> String {
    let mut problem = Fields::new(problem);
    let fatal = problem.flag("fatal");
    let mut line = format!(
        "{} {} at {}:{}",
        if fatal { "problem" } else { "harmless problem" },
        problem.text("code"),
        problem.number("input"),
        problem.number("line")
    );
    line += &problem.labelled(" pid ", "pid");
    line += &problem.labelled(": ", "message");
    problem.finish();
    line
}

/// Appends the lines of a finding. `sources` has the pid and the input of each report.
fn finding(index: usize, finding: Value, sources: &[(Value, Value)], lines: &mut Vec<String>) {
    let mut finding = Fields::new(finding);
    let disposition = finding.text("disposition");
    let expected_severity = if disposition == "unexpected" {
        "error"
    } else {
        "note"
    };
    assert_eq!(finding.text("severity"), expected_severity);
    let mut line = format!(
        "#{index} {disposition} {} {} x{}",
        finding.text("tool"),
        finding.text("kind"),
        finding.number("occurrences")
    );
    let inherited = finding.number("inherited");
    if inherited != 0 {
        line += &format!(" ({inherited} inherited)");
    }
    line += &finding.labelled(" cause ", "cause");
    line += &finding.labelled(" rule ", "rule");
    if let Some(leak) = finding.optional_object("leak") {
        line += &self::leak(leak);
    }
    line += if finding.flag("weak") { " weak" } else { "" };
    for instance in finding.list("instances") {
        line += &self::instance(instance, sources);
    }
    lines.push(line);
    lines.push(format!("  {}", finding.text("title")));
    let location = finding.optional_object("location");
    lines.push(location.map_or("  no location".to_owned(), self::location));
    for note in finding.list("notes") {
        lines.push(format!("  = {}", note.as_str().expect("a note")));
    }
    if let Value::Array(tests) = finding.take("tests") {
        let names = tests.iter().map(|name| name.as_str().expect("a test"));
        let names = names.collect::<Vec<_>>().join(", ");
        let has_more = finding.take("more_tests") == Value::Bool(true);
        let more = if has_more { ", and others" } else { "" };
        lines.push(format!("  in {names}{more}"));
    }
    for stack in finding.list("stacks") {
        self::stack(stack, lines);
    }
    if let Some(mut suppression) = finding.optional_object("suppression") {
        let frames = suppression.list("frames");
        let frames = frames.iter().map(|f| f.as_str().expect("a frame"));
        let frames = frames.collect::<Vec<_>>().join(" ");
        let mut line = format!("  suppression {}", suppression.text("kind"));
        line += &suppression.labelled(" ", "extra");
        lines.push(format!("{line}: {frames}"));
        suppression.finish();
    }
    finding.ignore("fingerprint");
    finding.finish();
}

fn leak(mut leak: Fields) -> String {
    let bytes = leak.number("bytes");
    let direct = leak.number("direct_bytes");
    let indirect = leak.number("indirect_bytes");
    let mut text = format!(" {bytes} bytes");
    if direct != bytes || indirect != 0 {
        text += &format!(" ({direct} direct, {indirect} indirect)");
    }
    text += &format!(" in {} blocks", leak.number("blocks"));
    leak.finish();
    text
}

/// Returns the report and the lines, and the input and the pid if they differ from the report's.
fn instance(instance: Value, sources: &[(Value, Value)]) -> String {
    let mut instance = Fields::new(instance);
    let report = instance.number("report");
    let (pid, input) = &sources[report as usize];
    let mut text = format!(" r{report}");
    let own_input = instance.take("input");
    if own_input != *input {
        text += &format!(" at {own_input}");
    }
    text += &format!(
        ":{}-{}",
        instance.number("first_line"),
        instance.number("last_line")
    );
    let own_pid = instance.take("pid");
    if own_pid != *pid {
        text += &format!(" pid {own_pid}");
    }
    instance.finish();
    text
}

fn location(mut location: Fields) -> String {
    let mut line = String::from("  -->");
    line += &location.labelled(" ", "file");
    line += &location.labelled(":", "line");
    line += &location.labelled(":", "column");
    line += &location.labelled(" in ", "function");
    line += if location.flag("own") {
        ""
    } else {
        " (not own code)"
    };
    location.finish();
    line
}

fn stack(stack: Value, lines: &mut Vec<String>) {
    let mut stack = Fields::new(stack);
    let mut line = format!("  {}", stack.text("role"));
    line += &stack.labelled(": ", "label");
    lines.push(line);
    for (position, frame) in stack.list("frames").into_iter().enumerate() {
        lines.push(self::frame(position, frame));
    }
    stack.finish();
}

/// Returns the line of a frame. The index appears only if it differs from the position.
fn frame(position: usize, frame: Value) -> String {
    let mut frame = Fields::new(frame);
    let index = frame.number("index");
    let class = frame.text("class");
    let mut line = format!("    {class:9}");
    if index != position as u64 {
        line += &format!(" #{index}");
    }
    line += if frame.flag("inlined") {
        " inlined"
    } else {
        ""
    };
    line += &frame.labelled(" ", "address");
    line += &frame.labelled(" ", "function");
    line += &frame.labelled(" = ", "symbol");
    line += &frame.labelled(" | ", "file");
    line += &frame.labelled(":", "line");
    line += &frame.labelled(":", "column");
    line += &frame.labelled(" in ", "module");
    line += &frame.labelled("+", "offset");
    line += &frame.labelled(" build ", "build_id");
    frame.finish();
    line
}

/// Escapes everything that is not visible in a diff.
fn escape(line: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || (c.is_whitespace() && c != ' ')
            || "\u{200b}\u{202e}\u{2066}\u{feff}".contains(c)
    };
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The fields of an object that were not taken yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn new(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            other => panic!("not an object: {other}"),
        }
    }

    /// Takes a field that may be absent; an absent field is null.
    fn take(&mut self, key: &str) -> Value {
        self.0.remove(key).unwrap_or_default()
    }

    fn text(&mut self, key: &str) -> String {
        match self.take(key) {
            Value::String(text) => text,
            other => panic!("{key} is not a text: {other}"),
        }
    }

    fn number(&mut self, key: &str) -> u64 {
        self.take(key).as_u64().expect("a number")
    }

    fn flag(&mut self, key: &str) -> bool {
        self.take(key).as_bool().expect("true or false")
    }

    fn list(&mut self, key: &str) -> Vec<Value> {
        match self.take(key) {
            Value::Array(items) => items,
            other => panic!("{key} is not a list: {other}"),
        }
    }

    fn object(&mut self, key: &str) -> Self {
        Self::new(self.take(key))
    }

    fn optional_object(&mut self, key: &str) -> Option<Self> {
        Some(self.take(key)).filter(|v| !v.is_null()).map(Self::new)
    }

    /// Takes a text or a number and returns it after its label, or an empty text for null.
    fn labelled(&mut self, label: &str, key: &str) -> String {
        match self.take(key) {
            Value::Null => String::new(),
            Value::String(text) => format!("{label}{text}"),
            Value::Number(number) => format!("{label}{number}"),
            other => panic!("{key} is neither a text nor a number: {other}"),
        }
    }

    fn ignore(&mut self, key: &str) {
        assert!(!self.take(key).is_null(), "no {key}");
    }

    /// Takes a field that must be absent, null or an empty list.
    fn assert_empty_value(&mut self, key: &str) {
        let value = self.take(key);
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        assert!(is_empty, "{key}: {value}");
    }

    /// Asserts that every field was taken.
    fn finish(self) {
        let keys: Vec<&String> = self.0.keys().collect();
        assert!(keys.is_empty(), "fields missing in the dump: {keys:?}");
    }
}
