//! `[files] allocators` moves a finding's location to the caller of the project's own allocator,
//! and changes nothing else.

use leakgate_core::emit::Format;
use leakgate_core::triage::triage;
use leakgate_core::{Config, Date, Gate, NoWorkspace, Options, Parsed, Parser, Triage};

/// Leaks at two callers of a wrapper, a leak whose only named functions are wrappers, and a leak in
/// a library that calls the wrapper, with and without debug information.
const LOG: &str = "\
==7== Memcheck, a memory error detector
==7== Command: ./w
==7==
==7== HEAP SUMMARY:
==7==     in use at exit: 69 bytes in 5 blocks
==7==   total heap usage: 5 allocs, 0 frees, 69 bytes allocated
==7==
==7== 5 bytes in 1 blocks are definitely lost in loss record 1 of 5
==7==    at 0x4844818: malloc (vg_replace_malloc.c:446)
==7==    by 0x109165: proj_malloc (w.c:3)
==7==    by 0x109165: proj_strdup (w.c:4)
==7==    by 0x109199: parse_body (w.c:6)
==7==    by 0x1091C9: main (w.c:7)
==7==
==7== 7 bytes in 1 blocks are definitely lost in loss record 2 of 5
==7==    at 0x4844818: malloc (vg_replace_malloc.c:446)
==7==    by 0x109165: proj_malloc (w.c:3)
==7==    by 0x109165: proj_strdup (w.c:4)
==7==    by 0x109180: parse_header (w.c:5)
==7==    by 0x1091C4: main (w.c:7)
==7==
==7== 9 bytes in 1 blocks are definitely lost in loss record 3 of 5
==7==    at 0x4844818: malloc (vg_replace_malloc.c:446)
==7==    by 0x109165: proj_malloc (w.c:3)
==7==    by 0x109165: proj_strdup (w.c:4)
==7==
==7== 16 bytes in 1 blocks are definitely lost in loss record 4 of 5
==7==    at 0x4844818: malloc (vg_replace_malloc.c:446)
==7==    by 0x109165: proj_malloc (w.c:3)
==7==    by 0x4870001: ssl_new (in /usr/lib/libssl.so.3)
==7==    by 0x4870002: ssl_init (in /usr/lib/libssl.so.3)
==7==
==7== 32 bytes in 1 blocks are definitely lost in loss record 5 of 5
==7==    at 0x4844818: malloc (vg_replace_malloc.c:446)
==7==    by 0x4860001: proj_malloc (in /opt/proj/libproj.so)
==7==    by 0x4870011: ssl_read (in /usr/lib/libssl.so.3)
==7==
==7== LEAK SUMMARY:
==7==    definitely lost: 69 bytes in 5 blocks
==7==    indirectly lost: 0 bytes in 0 blocks
==7==      possibly lost: 0 bytes in 0 blocks
==7==    still reachable: 0 bytes in 0 blocks
==7==         suppressed: 0 bytes in 0 blocks
==7==
==7== ERROR SUMMARY: 5 errors from 5 contexts (suppressed: 0 from 0)
";

fn parse() -> Parsed {
    let mut parser = Parser::new(Options::default());
    parser.begin("w.log");
    parser.feed(LOG.as_bytes());
    parser.finish()
}

fn gate(config: &str) -> Gate {
    let config = Config::read("leakgate.toml", config).expect("a valid configuration");
    Gate::new(config.policy, Date::constant(2026, 11, 22))
        .with_rules(config.rules)
        .with_allocators(config.files.allocators)
}

/// Returns the function of each finding's culprit.
fn culprits(parsed: &Parsed, triage: &Triage) -> Vec<String> {
    let name = |(finding, triaged): (
        &leakgate_core::Finding,
        &leakgate_core::triage::TriagedFinding,
    )| {
        let at = triaged.culprit.frame.expect("a culprit");
        let info = &finding.primary().expect("a stack").frames[at].info;
        info.name().expect("a name").to_owned()
    };
    triage.iter(parsed).map(name).collect()
}

const SETTING: &str = "[files]\nallocators = [\"fun:proj_mal*\", \"sym:proj_strdup\"]\n";

#[test]
fn culprit_is_the_caller_of_the_allocator() {
    let parsed = parse();
    let plain = triage(&parsed, &gate(""), &NoWorkspace);
    assert_eq!(culprits(&parsed, &plain), ["proj_malloc"; 5]);
    let moved = triage(&parsed, &gate(SETTING), &NoWorkspace);
    // A stack of nothing but such functions keeps its location, as does one without another
    // function of the project.
    assert_eq!(
        culprits(&parsed, &moved),
        [
            "parse_body",
            "parse_header",
            "proj_malloc",
            "proj_malloc",
            "ssl_read"
        ]
    );
}

#[test]
fn json_shows_the_class_and_the_location() {
    let judged = crate::common::decide(gate(SETTING), parse(), &[]);
    let report: serde_json::Value = serde_json::from_str(&judged.document(Format::Json)).unwrap();
    let finding = &report["findings"][0];
    let frames = finding["stacks"][0]["frames"].as_array().unwrap();
    let classes: Vec<&str> = frames
        .iter()
        .map(|f| f["class"].as_str().unwrap())
        .collect();
    assert_eq!(
        classes,
        ["allocator", "allocator", "allocator", "own", "own"]
    );
    assert_eq!(finding["location"]["function"], "parse_body");
}

#[test]
fn fingerprints_rules_and_decisions_do_not_change() {
    let parsed = parse();
    let rest = "[[allow]]\nstack = [\"runtime...\", \"fun:parse_body\"]\nreason = \"x\"\n\
                [[allow]]\nstack = [\"fun:malloc\", \"fun:proj_malloc\", \"...\", \"fun:parse_header\"]\n\
                reason = \"x\"\n";
    for policy in ["", "[gate]\nthird-party = \"allow\"\n"] {
        let plain = triage(&parsed, &gate(&format!("{policy}{rest}")), &NoWorkspace);
        let moved = triage(
            &parsed,
            &gate(&format!("{policy}{SETTING}{rest}")),
            &NoWorkspace,
        );
        let outline = |triage: &Triage| -> Vec<_> {
            let findings = triage.findings.iter();
            findings
                .map(|f| (f.fingerprint.clone(), f.disposition, f.matches.clone()))
                .collect()
        };
        assert_eq!(outline(&plain), outline(&moved));
        assert_eq!(plain.findings[1].matches, [1]);
        assert_eq!(
            plain
                .count(&parsed, leakgate_core::Disposition::Unexpected)
                .records,
            4
        );
    }
}

#[test]
fn patterns_must_name_functions() {
    for (pattern, message) in [
        ("zmalloc", "invalid function pattern `zmalloc`"),
        ("...", "invalid function pattern `...`"),
        ("obj:libz.so", "invalid function pattern `obj:libz.so`"),
        ("fun:", "`fun:` has no pattern"),
        ("fun:*", "`fun:*` matches every function"),
        ("re:(", "invalid regular expression `(`"),
    ] {
        let text = format!("[files]\nallocators = [\"{pattern}\"]\n");
        let errors = Config::read("leakgate.toml", &text).expect_err("an invalid pattern");
        assert_eq!(errors.len(), 1, "{pattern}");
        assert!(
            errors[0].message.starts_with(message),
            "{}",
            errors[0].message
        );
        assert_eq!(errors[0].line, 2);
    }
}
