//! Generates `docs/leakgate-v1.schema.json` from the wire types, and the named types of its
//! strings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::{env, fs, path::Path};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::Report;
use crate::culprit;
use crate::model;
use crate::policy;
use crate::problem;
use crate::reason;
use crate::rules;
use crate::verdict;

/// Declares types of strings. `open` sets may get more values in later versions.
macro_rules! strings {
    ($($name:ident $key:literal = $schema:expr;)*) => {$(
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $key.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

fn closed(description: &str, values: &[&str]) -> Schema {
    json_schema!({ "description": description, "enum": values })
}

fn open<'a>(description: &str, values: impl IntoIterator<Item = &'a str>) -> Schema {
    let values: Vec<&str> = values.into_iter().collect();
    json_schema!({
        "$comment": "An open set: a later leakgate may add words, and examples lists those of this one.",
        "description": description,
        "type": "string",
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
        "examples": values,
    })
}

strings! {
    SchemaName "schema-name" = json_schema!({ "const": super::SCHEMA });
    Outcome "outcome" = closed(
        "The outcome. `pass`: proven clean; `fail`: at least one reason applies; `error`: leakgate \
         could not do its work, and the report contains the data that it could read.",
        &[verdict::Outcome::Pass, verdict::Outcome::Fail, verdict::Outcome::Error]
            .map(verdict::Outcome::as_str),
    );
    Severity "severity" = closed(
        "The severity. `error`: the finding is unexpected; `note`: it doesn't fail the gate.",
        &["error", "note"],
    );
    Level "level" = closed(
        "The severity for `leakgate rules`. In a check only `unused-rule` can fail, which \
         `verdict.reasons` then contains. `allow`: ignored; `warn`: reported; `fail`: fails.",
        &[policy::Level::Allow, policy::Level::Warn, policy::Level::Fail]
            .map(policy::Level::as_str),
    );
    Disposition "disposition" = closed(
        "How the gate treats a finding. `unexpected`: it isn't accepted, or no longer, and \
         the gate fails; `allowed`: a rule accepts it; `baseline`: the baseline contains \
         it, and it hasn't grown; `not-gated`: the policy ignores findings of this kind.",
        &["unexpected", "allowed", "baseline", "not-gated"],
    );
    Cause "cause" = open(
        "Why a finding is unexpected although a rule or the baseline matches it. \
         `expired-rule`: the deciding rule has expired; `over-limit`: the deciding rule \
         matched more than its limit; `grown`: in the baseline it is smaller or less \
         severe.",
        ["expired-rule", "over-limit", "grown"],
    );
    Class "class" = open(
        "The owner of a frame's code. `allocator`: a function that allocates or frees \
         memory; `runtime`: part of the language, the operating system or the checker; \
         `third-party`: a library that isn't yours; `own`: your code; `unknown`: not enough \
         information.",
        culprit::Class::ALL.iter().map(|c| c.as_str()),
    );
    Role "role" = open(
        "The role of a stack in a finding. `access`: the location of the error; \
         `allocation`: where the memory was allocated or the file descriptor opened; \
         `free`: where it was freed or closed; `origin`: where an uninitialized value was \
         created, or the stack variable is; `thread`: where a thread was created; `lock`: \
         where a lock was acquired or first seen; `conflict`: the other access of a \
         conflict; `declaration`: where a global was registered, or memory poisoned; \
         `other`: unknown.",
        model::Role::ALL.iter().map(|r| r.as_str()),
    );
    RuleSource "rule-source" = open(
        "The source of a rule. `config`: an `[[allow]]` in leakgate.toml; `valgrind`: a \
         valgrind suppression file; `sanitizer`: a sanitizer suppression file; `pack`: a \
         built-in pack.",
        [rules::Source::Config, rules::Source::Valgrind, rules::Source::Sanitizer, rules::Source::Pack].map(rules::Source::as_str),
    );
    RuleState "rule-state" = open(
        "The state of a rule; if several apply, the first in this order. `expired`: it has \
         expired; `over-limit`: it matched more than its limit and therefore accepts \
         nothing; `expectation-missed`: it didn't match as often as it must; `used`: it \
         decided about at least one finding; `shadowed`: earlier rules decided about \
         everything that it matches; `unused`: it matches nothing although one of its tools \
         wrote a report; `not-tried`: none of its tools wrote a report.",
        ["expired", "over-limit", "expectation-missed", "used", "shadowed", "unused", "not-tried"],
    );
    ReasonCode "reason-code" = open(
        "The code of a reason or warning. `unexpected-finding`: findings that aren't accepted; \
         counted by fingerprint and kind; `over-limit`: a rule matched more than its limit and \
         therefore accepts nothing; counts findings; `expired-rule`: a matching rule has \
         expired; counts findings; `expectation-missed`: a rule didn't match as often as it \
         must; counts rules; `grown-finding`: findings in the baseline that have grown; \
         counted by fingerprint and kind; `truncated-report`: a report ends too early; counts \
         problems; `unreadable-report`: a report cannot be read; counts problems; \
         `checker-failed`: a checker could not start, or aborted; counts problems; \
         `interleaved-report`: two processes wrote into one report; counts problems; \
         `unreconciled-report`: a total of the checker differs from the parsed data; counts \
         problems; `unseen-findings`: a checker didn't show all of its findings, or the log \
         exceeds a limit of leakgate; counts problems; `leaks-not-shown`: a checker counted \
         leaks without listing them; counts problems; `tool-suppressed`: a checker's own \
         suppressions hid findings; counts reports; `missing-report`: a required report is \
         missing; counts tools; `command-failed`: the tested command failed; in a merged \
         report also a reason that this version doesn't know; `unused-rule`: a rule matches \
         nothing; counts rules; `third-party`: findings without a frame of your code, as a \
         warning; counts findings; `no-evidence`: an input contains no checker output; counts \
         inputs as named by the user.",
        reason::ReasonCode::ALL.iter().map(|c| c.as_str()),
    );
    ProblemCode "problem-code" = open(
        "The code of a problem. `truncated`: a report ends too early; `interleaved`: two \
         processes wrote into one report at once; `unreconciled`: a total of the checker \
         differs from the parsed data; `unseen-findings`: the checker stopped showing findings \
         at one of its limits; `leaks-not-shown`: the checker counted leaks without listing \
         them; `unknown-report`: the headline of a report is unknown; `unsupported-checker`: \
         leakgate can't read the reports of this checker; `unreadable-line`: a line of a known \
         report could not be parsed; `summary-without-report`: a `SUMMARY:` without its \
         report; `checker-failed`: the checker could not start, or aborted; `line-too-long`: a \
         line of a report exceeds the limit; `too-many-frames`: a stack has more frames than \
         the limit; `too-many-findings`: more different findings than the limit; \
         `too-many-processes`: more concurrent processes than the limit; `malformed-xml`: an \
         element of an XML report could not be parsed; `replaced`: the process called `exec`, \
         so its report has no end; `duplicate-report`: the logs contain the same report twice, \
         which counts once; `unknown-wording`: a record with unknown wording, which counts as \
         an error; `ended-by-signal`: an external signal ended the process; `more-problems`: \
         more problems with this code than are listed.",
        problem::Code::ALL.iter().map(|c| c.as_str()),
    );
    AdviceCode "advice-code" = open(
        "The code of the advice. `expired-rule`: the rule has expired; `expires-soon`: it \
         expires soon; `witness-missed`: it doesn't match the stack that it was written \
         for; `witness-widened`: it matches the stack that another rule was written for; \
         `over-broad-rule`: it accepts nearly everything; `duplicate-rule`: another rule is \
         identical; `shadowed-rule`: earlier rules decide about everything that it matches; \
         `unused-rule`: it matches nothing although its tool ran; `unknown-tool`: it names \
         an unknown valgrind tool.",
        rules::AdviceCode::ALL.iter().map(|c| c.as_str()),
    );
    Fingerprint "fingerprint" = json_schema!({
        "description": "The identity of a finding across builds and machines: the name of the scheme, and \
         hex digits. It depends on the kind and on the functions and files of the stack, but \
         not on lines, addresses or sizes.",
        "type": "string",
        "pattern": "^lg[0-9]+-[0-9a-f]{32}$",
        "examples": ["lg2-d280bf782d84026b7593a5ea29251682"],
    });
    Kind "kind" = json_schema!({
        "description": "The kind of the finding: `leak-definite`, `leak-indirect`, `leak-possible`, \
         `leak-reachable`, `fd-leak`, `fd-inherited`, or the checker's own kind in lower \
         case. It comes from the log, so it may be any text.",
        "type": "string",
        "examples": ["leak-definite", "leak-indirect", "leak-possible", "leak-reachable", "fd-leak", "fd-inherited", "fatal-signal", "unknown-error", "invalid-read", "heap-use-after-free"],
    });
    Tool "tool" = json_schema!({
        "description": "The checker, such as `memcheck`, `helgrind`, `drd`, `asan`, `lsan`. An unsupported \
         valgrind tool has the name that it prints.",
        "type": "string",
        "examples": ["memcheck", "helgrind", "drd", "asan", "lsan"],
    });
    Hex "hex" = json_schema!({ "type": "string", "pattern": "^0x[0-9a-f]+$" });
    Date "date" = json_schema!({
        "type": "string",
        "format": "date",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    });
    Record "record" = json_schema!({
        "type": "array",
        "prefixItems": [
            { "type": "integer", "minimum": 0, "description": "An index into `findings`, from 0." },
            { "type": "integer", "minimum": 1, "description": "Number of records." },
        ],
        "items": false,
        "minItems": 2,
        "maxItems": 2,
    });
}

/// Removes annotations that readers of the schema don't need: `format` of integers.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_number = |format: &Value| {
                format
                    .as_str()
                    .is_some_and(|format| format.starts_with("uint"))
            };
            if fields.get("format").is_some_and(is_number) {
                fields.remove("format");
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

fn generate() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Report<'_>>();
    schema.insert(
        "$id".to_string(),
        json!(
            "https://raw.githubusercontent.com/leakgate/leakgate/main/docs/leakgate-v1.schema.json"
        ),
    );
    let mut value = schema.to_value();
    simplify(&mut value);
    let mut text = serde_json::to_string_pretty(&value).unwrap();
    text.push('\n');
    text
}

#[test]
fn published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/leakgate-v1.schema.json");
    let generated = generate();
    if env::var_os("LEAKGATE_RENEW").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert!(
        published == generated,
        "docs/leakgate-v1.schema.json is stale; regenerate it with \
         `LEAKGATE_RENEW=1 cargo test -p leakgate-core --lib wire`"
    );
}
