//! Documents for machines follow the schemas in `docs/`: those of every real report, with and
//! without rules, with a baseline, and merged from several jobs. The schemas allow nothing that is
//! never written.

mod corrupt;

use std::sync::Mutex;

use leakgate_core::compare::{ChangeKind, compare};
use leakgate_core::culprit::Class;
use leakgate_core::document::{Document, merge};
use leakgate_core::emit::{self, Format};
use leakgate_core::growth::{Points, Trend};
use leakgate_core::model::Role;
use leakgate_core::policy::{Level, Silence};
use leakgate_core::problem::Code;
use leakgate_core::reason::ReasonCode;
use leakgate_core::rules::{AdviceCode, RuleUsage, Source as RuleSource, packs, read_file};
use leakgate_core::triage::{Cause, triage};
use leakgate_core::verdict::VerifiedChecker;
use leakgate_core::{
    Baseline, Config, Date, Disposition, Gate, NoWorkspace, Options, Outcome, Parser, Policy, Tool,
};
use serde_json::Value;

use crate::common::{self, Case, Judged};
use crate::contract::{self, Contract, Types};

use corrupt::Corruption;

/// Rules in every state, with and without each optional field.
const RULES: &str = r#"
[[allow]]
id = "old"
stack = ["...", "fun:*definite*"]
expires = 2026-05-31
reason = "It was known."
[[allow]]
id = "limited"
stack = ["...", "fun:*indirect*"]
limit = { bytes = 1, findings = 1 }
reason = "A little of it is known."
investigation = "docs/x.md"
status = "to-fix"
references = ["https://example.org"]
owner = "@me"
expires = 2026-06-05
[[allow]]
id = "tied"
stack = ["...", "fun:*reachable*"]
while = { package = "pyo3", version = "0.27", file = "py/uv.lock" }
reason = "The library keeps it."
[[allow]]
id = "tied-anywhere"
stack = ["...", "fun:*still*"]
while = { package = "pyo3", version = "0.27" }
reason = "The library keeps it, too."
[[allow]]
id = "counted"
kinds = ["leak-possible"]
stack = ["...", "fun:main"]
expect = 77
reason = "All of it is known."
[[allow]]
id = "main"
tools = ["lsan", "memcheck"]
stack = ["...", "fun:main"]
bytes = { max = 64 }
reason = "Little is known."
[[allow]]
id = "again"
tools = ["lsan", "memcheck"]
stack = ["...", "fun:main"]
bytes = { max = 64 }
reason = "It repeats the rule above."
[[allow]]
id = "witness"
tools = ["drd"]
stack = ["fun:f"]
witness = ["fun:g"]
reason = "It was written for something else."
"#;

/// Returns a gate with rules that checks all kinds of findings, or only errors.
fn gate(wide: bool) -> Gate {
    let mut policy = Policy::default();
    let words: &[&str] = if wide {
        &["errors", "leaks", "fd-leak", "fd-inherited"]
    } else {
        &["errors"]
    };
    policy.set_fail_on(words.iter().copied()).expect("words");
    let level = if wide { Level::Fail } else { Level::Warn };
    (
        policy.unused_rules,
        policy.third_party,
        policy.tool_suppressed,
    ) = (level, level, level);
    policy.require = Policy::tool("drd").into_iter().collect();
    policy.silence = if wide { Silence::Fail } else { Silence::Pass };
    let mut gate = Gate::new(policy, Date::constant(2026, 6, 1))
        .with_rules(Config::read("leakgate.toml", RULES).expect("rules").rules);
    for (name, text) in [
        (
            "a.supp",
            "{\na\nMemchek:Leak\nfun:malloc\n}\n{\nb\nMemcheck:Leak\nfun:malloc\nfun:reachable\n}\n",
        ),
        ("b.supp", "leak:x\n"),
    ] {
        gate = gate.with_rules(read_file(name, text).expect("suppressions").1);
    }
    gate.with_rules(packs()[0].read().expect("a pack").1)
}

/// Returns a baseline of a run in which every second finding is smaller than it is now, and one
/// more finding no longer exists.
fn baseline(run: &Judged) -> Baseline {
    let mut baseline = Baseline::from_run(&run.parsed, &run.triage);
    for known in baseline.entries.iter_mut().step_by(2) {
        known.bytes /= 2;
    }
    if let Some(mut gone) = baseline.entries.first().cloned() {
        gone.fingerprint = format!("lg2-{}", "0".repeat(32));
        baseline.entries.push(gone);
    }
    baseline
}

/// Returns the documents of a case by three gates, with a baseline, and merged from two jobs.
fn documents(case: &Case) -> Vec<String> {
    let json = |run: &Judged| run.document(Format::Json);
    let plain = common::judge(&case.files);
    let mut documents = vec![json(&plain)];
    for wide in [true, false] {
        documents.push(json(&common::judge_by(gate(wide), &case.files)));
    }
    let known = common::gate().with_baseline(Some(baseline(&plain)));
    documents.push(json(&common::judge_by(known, &case.files)));
    let legs = ["linux", "macos"].map(|leg| {
        (
            leg.to_owned(),
            Document::read("a.json", &documents[0]).expect("a document"),
        )
    });
    let (all, sources) = merge(legs);
    let mut merged = common::decide(gate(true), all.parsed, &sources);
    merged.verdict.reasons.extend(all.verdict.reasons);
    merged.verdict.verified.push(VerifiedChecker {
        tool: Tool::Msan,
        processes: 2,
        canary: true,
    });
    merged.verdict.outcome = Outcome::Error;
    documents.push(json(&merged));
    documents
}

/// Checks both directions: the schema allows every document, and every type that it allows occurs.
#[test]
fn documents_match_the_schema_and_use_every_field() {
    let contract = Contract::read("leakgate-v1");
    let seen = Mutex::new(Types::new());
    common::for_each_case(|case| {
        let mut types = Types::new();
        for document in documents(case) {
            contract::collect("", &contract.check(&case.name, &document), &mut types);
        }
        let mut seen = seen.lock().expect("no other case failed");
        types
            .into_iter()
            .for_each(|(at, types)| seen.entry(at).or_default().extend(types));
    });
    assert_eq!(seen.into_inner().expect("no case failed"), contract.types());
}

#[test]
fn changes_match_the_schema() {
    let contract = Contract::read("leakgate-diff-v1");
    let mut seen = Types::new();
    let mut kinds = Vec::new();
    let document = |case: &Case| {
        let text = common::judge(&case.files).document(Format::Json);
        Document::read("a.json", &text).expect("a document")
    };
    let cases = common::cases();
    let mut check = |name: &str, before: &Document, after: &Document| {
        let changes = compare(before, after);
        let mut text = String::new();
        emit::changes_as_json(&changes, &mut text).expect("writing to a string");
        let found = contract.check(name, &text);
        contract::collect("", &found, &mut seen);
        for (wire, change) in found["changes"]
            .as_array()
            .expect("changes")
            .iter()
            .zip(&changes)
        {
            assert_eq!(
                wire["before"].is_null(),
                change.change == ChangeKind::New,
                "{name}"
            );
            assert_eq!(
                wire["after"].is_null(),
                change.change == ChangeKind::Fixed,
                "{name}"
            );
            kinds.push(change.change);
        }
    };
    for pair in cases.windows(2) {
        let (before, after) = (document(&pair[0]), document(&pair[1]));
        check(&pair[1].name, &before, &after);
        // The same run with other sizes and locations.
        let mut grown = before.clone();
        for (at, (finding, seen)) in grown
            .parsed
            .findings
            .iter_mut()
            .zip(&mut grown.findings)
            .enumerate()
        {
            match &mut finding.leak {
                Some(leak) if at % 2 == 0 => leak.bytes += 1,
                _ => seen.file = None,
            }
        }
        check(&pair[0].name, &before, &grown);
    }
    assert_eq!(seen, contract.types());
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            ChangeKind::New,
            ChangeKind::Grown,
            ChangeKind::Moved,
            ChangeKind::Fixed
        ]
    );
}

/// Returns a run whose leaks have these blocks: of a function, of one that a rule accepts, and of a
/// library without names.
fn run_with_blocks(blocks: [u64; 3]) -> String {
    let frames = [
        "in serve /src/a.c:3",
        "in keep /src/a.c:9",
        "(/lib/libx.so+0x51)",
    ];
    let mut log = String::from("==7==ERROR: LeakSanitizer: detected memory leaks\n\n");
    for (frame, blocks) in frames.iter().zip(blocks) {
        log += &format!(
            "Direct leak of {} byte(s) in {blocks} object(s) allocated from:\n    #0 0x51 {frame}\n\n",
            blocks * 8
        );
    }
    let sum: u64 = blocks.iter().sum();
    log + &format!(
        "SUMMARY: LeakSanitizer: {} byte(s) leaked in {sum} allocation(s).\n",
        sum * 8
    )
}

#[test]
fn growth_matches_the_schema() {
    let contract = Contract::read("leakgate-grow-v1");
    let rules = "[[allow]]\nid = \"kept\"\nstack = [\"fun:keep\"]\nreason = \"It is kept.\"\n";
    let mut seen = Types::new();
    for (growth, outcome) in [("", "fail"), ("growth = { blocks = 3 }\n", "fail")] {
        let rules = Config::read("leakgate.toml", &format!("{rules}{growth}")).expect("rules");
        let gate = Gate::new(Policy::default(), Date::constant(2026, 6, 1)).with_rules(rules.rules);
        let mut points = Points::default();
        for (step, blocks) in [
            (100, [100, 200, 4]),
            (200, [200, 400, 8]),
            (400, [400, 800, 16]),
        ] {
            let mut parser = Parser::new(Options::default());
            parser.begin("run.log");
            parser.feed(run_with_blocks(blocks).as_bytes());
            let parsed = parser.finish();
            let triage = triage(&parsed, &gate, &NoWorkspace);
            points.add(step, &parsed, &triage, &NoWorkspace);
        }
        let all = points.finish(&gate);
        let mut text = String::new();
        emit::growth_as_json(&all, &mut text).expect("writing to a string");
        let found = contract.check("growth", &text);
        contract::collect("", &found, &mut seen);
        assert_eq!(found["outcome"], outcome);
        let kept = found["sites"].as_array().expect("sites").iter();
        let kept =
            kept.filter(|site| site["rule"] == "kept" && site["accepted"] == !growth.is_empty());
        assert_eq!(kept.count(), 1, "{growth}: {text}");
        assert_eq!(
            (all.count(Trend::Growing), all.count(Trend::Unclear)),
            (2, 1)
        );
    }
    assert_eq!(seen, contract.types());
}

#[test]
fn baselines_match_the_schema() {
    let contract = Contract::read("leakgate-baseline-v1");
    let mut seen = Types::new();
    for case in common::cases() {
        let run = common::judge(&case.files);
        let text = Baseline::from_run(&run.parsed, &run.triage).to_text();
        contract::collect("", &contract.check(&case.name, &text), &mut seen);
    }
    assert_eq!(seen, contract.types());
}

/// leakgate reads exactly the baselines that the schema allows. Only leakgate writes baselines, so
/// an unknown field is an error.
#[test]
fn schema_and_parser_of_baselines_agree() {
    let contract = Contract::read("leakgate-baseline-v1");
    let whole = r#"{"schema":"leakgate-baseline/v1","findings":[{"fingerprint":"lg2-00000000000000000000000000000000","weak":false,"tools":["lsan"],"kind":"leak-definite","bytes":4,"blocks":1,"frames":["f"]}]}"#;
    let whole: Value = serde_json::from_str(whole).expect("JSON");
    let agree = |name: &str, document: &Value| {
        let read = Baseline::read("b.json", &document.to_string());
        assert_eq!(
            contract.lenient.is_valid(document),
            read.is_ok(),
            "{name}: {:?}",
            read.err()
        );
        read.is_ok()
    };
    assert!(agree("whole", &whole));
    corrupt::each(&whole, |corrupted| {
        agree(
            &format!("{} {}", corrupted.path, corrupted.change),
            &corrupted.document,
        );
    });
}

/// The schema rejects each removed or added field, each wrong type and each unknown word.
#[test]
fn corrupted_documents_are_invalid() {
    let contract = Contract::read("leakgate-v1");
    let types = contract.types();
    let mut count = 0;
    for name in [
        "memcheck/indirect",
        "asan/double-free-gcc12",
        "lsan/many-places-clang19",
    ] {
        for document in documents(common::case(name)) {
            let document = contract.check(name, &document);
            corrupt::each(&document, |one| {
                let allowed = match one.change {
                    Corruption::Removed => {
                        matches!(
                            one.path.as_str(),
                            "inputs[].leg" | "findings[].suppression" | "verdict.watched"
                        ) || one.path.ends_with("[]")
                    }
                    Corruption::Type(to) => types[&one.path].contains(to),
                    Corruption::Negative => false,
                    Corruption::OtherText => !is_word(&one.path),
                    // Later versions of v1 may add fields, so readers must accept them.
                    Corruption::Added => {
                        assert!(
                            contract.lenient.is_valid(&one.document),
                            "{name}: {} may have more fields",
                            one.path
                        );
                        false
                    }
                };
                // A pair needs both numbers.
                let allowed = allowed
                    && !(one.change == Corruption::Removed && one.path == "reports[].records[][]");
                assert_eq!(
                    contract.strict.is_valid(&one.document),
                    allowed,
                    "{name}: {} {}",
                    one.path,
                    one.change
                );
                count += 1;
            });
        }
    }
    assert!(count > 5000, "only {count} corrupted documents");
}

/// Returns true for paths whose values are certain words, or texts of a certain form.
fn is_word(path: &str) -> bool {
    const WORDS: &[&str] = &[
        "schema",
        "verdict.outcome",
        "verdict.reasons[].code",
        "verdict.warnings[].code",
        "findings[].fingerprint",
        "findings[].severity",
        "findings[].stacks[].role",
        "findings[].stacks[].frames[].address",
        "findings[].stacks[].frames[].offset",
        "findings[].stacks[].frames[].class",
        "findings[].disposition",
        "findings[].cause",
        "rules[].source",
        "rules[].state",
        "rules[].expires",
        "advice[].code",
        "advice[].level",
        "baseline.grown[]",
        "baseline.fixed[]",
        "problems[].code",
    ];
    WORDS.contains(&path)
}

/// The schema lists and describes exactly the words that leakgate writes.
#[test]
fn schema_lists_every_word() {
    let schema = Contract::read("leakgate-v1").schema;
    let changes = Contract::read("leakgate-diff-v1").schema;
    let check = |schema: &Value, at: &str, open: bool, words: Vec<&str>| {
        let set = schema.pointer(at).expect("a set of words");
        assert_eq!(contract::is_open_set(set), open, "{at}");
        assert_eq!(
            set[if open { "examples" } else { "enum" }],
            Value::from(words.clone()),
            "{at}"
        );
        let description = set["description"].as_str().expect("a description");
        for word in words {
            assert!(
                description.contains(&format!("`{word}`: ")),
                "{at} does not describe {word}"
            );
        }
    };
    let usage = |set: fn(&mut RuleUsage)| {
        let mut usage = RuleUsage::default();
        set(&mut usage);
        usage
    };
    let usages = [
        usage(|u| u.expired = true),
        usage(|u| u.over_limit = true),
        usage(|u| u.expectation_missed = true),
        usage(|u| u.decided = 1),
        usage(|u| u.matched = 1),
        usage(|u| u.checker_ran = true),
        RuleUsage::default(),
    ];
    let sources = [
        RuleSource::Config,
        RuleSource::Valgrind,
        RuleSource::Sanitizer,
        RuleSource::Pack,
    ];
    let classes = [
        Class::Allocator,
        Class::Runtime,
        Class::ThirdParty,
        Class::Own,
        Class::Unknown,
    ];
    let causes = [Cause::ExpiredRule, Cause::OverLimit, Cause::Grown];
    let dispositions = [
        Disposition::Unexpected,
        Disposition::Allowed,
        Disposition::Baseline,
        Disposition::NotGated,
    ];
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Error];
    let levels = [Level::Allow, Level::Warn, Level::Fail];
    let change_kinds = [
        ChangeKind::New,
        ChangeKind::Grown,
        ChangeKind::Moved,
        ChangeKind::Fixed,
    ];
    check(
        &schema,
        "/$defs/reason-code",
        true,
        ReasonCode::ALL.iter().map(|c| c.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/problem-code",
        true,
        Code::ALL.iter().map(|c| c.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/advice-code",
        true,
        AdviceCode::ALL.iter().map(|c| c.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/role",
        true,
        Role::ALL.iter().map(|r| r.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/rule-state",
        true,
        usages.iter().map(RuleUsage::state).collect(),
    );
    check(
        &schema,
        "/$defs/rule-source",
        true,
        sources.iter().map(|s| s.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/class",
        true,
        classes.iter().map(|c| c.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/cause",
        true,
        causes.iter().map(|c| c.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/disposition",
        false,
        dispositions.iter().map(|d| d.as_str()).collect(),
    );
    check(
        &schema,
        "/$defs/outcome",
        false,
        outcomes.iter().map(|o| o.as_str()).collect(),
    );
    check(&schema, "/$defs/severity", false, vec!["error", "note"]);
    check(
        &schema,
        "/$defs/level",
        false,
        levels.iter().map(|l| l.as_str()).collect(),
    );
    check(
        &changes,
        "/$defs/change/properties/change",
        false,
        change_kinds.iter().map(|w| w.as_str()).collect(),
    );
    let growth = Contract::read("leakgate-grow-v1").schema;
    check(
        &growth,
        "/$defs/trend",
        false,
        Trend::ALL.iter().map(|trend| trend.as_str()).collect(),
    );
    for shared in ["fingerprint", "kind"] {
        assert_eq!(schema["$defs"][shared], growth["$defs"][shared], "{shared}");
    }
    for shared in ["disposition", "fingerprint", "kind"] {
        assert_eq!(
            schema["$defs"][shared], changes["$defs"][shared],
            "{shared} differs between the schemas"
        );
    }
}

/// Every field has a description, and every definition is used.
#[test]
fn fields_are_described() {
    for name in [
        "leakgate-v1",
        "leakgate-diff-v1",
        "leakgate-grow-v1",
        "leakgate-baseline-v1",
    ] {
        let schema = Contract::read(name).schema;
        let text = schema.to_string();
        for (def, _) in schema["$defs"].as_object().expect("definitions") {
            assert!(
                text.contains(&format!("\"#/$defs/{def}\"")),
                "{name}: nothing refers to {def}"
            );
        }
        assert_described(name, "", &schema, &schema);
    }
}

fn assert_described(name: &str, at: &str, schema: &Value, root: &Value) {
    let target = schema["$ref"]
        .as_str()
        .and_then(|to| root.pointer(to.trim_start_matches('#')));
    let described_here = |s: &Value| s["description"].as_str().is_some_and(|d| d.ends_with('.'));
    for (key, field) in schema["properties"].as_object().into_iter().flatten() {
        let of_target = field["$ref"]
            .as_str()
            .and_then(|to| root.pointer(to.trim_start_matches('#')));
        assert!(
            described_here(field) || of_target.is_some_and(described_here),
            "{name}: {at}.{key} is not described"
        );
        assert_described(name, &format!("{at}.{key}"), field, root);
    }
    let parts = schema["anyOf"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(schema.get("items"))
        .chain(target);
    parts.for_each(|part| assert_described(name, at, part, root));
}
