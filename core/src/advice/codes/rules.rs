//! Explanations of the advice that `leakgate rules` gives about rules.

use super::{CodeHelp, entry};

/// The codes for which `leakgate rules` fails, as `AdviceCode::level` says.
pub(super) const FAILING: &[&str] = &["witness-missed", "witness-widened"];

/// The explanations of the codes that aren't reasons, too, in the order of the codes.
pub(super) const TABLE: &[CodeHelp] = &[
    entry("expires-soon", "A rule expires soon")
        .meaning(
            "The `expires` date of a rule is near: in 14 days or less, or as many as \
             `expiry-warning-days` in `[gate]` says. On the day after it, the rule accepts nothing.",
        )
        .why("It's a warning, so that the build doesn't turn red without notice.")
        .fix(
            "Fix the bug and delete the rule before that day. If the finding is still acceptable, \
             set a later date.",
        ),
    entry("witness-missed", "A rule doesn't match its own stack")
        .meaning(
            "The `witness` of a rule is the stack that it was written for, and its `stack` doesn't \
             match it.",
        )
        .why(
            "The rule was probably changed by mistake, and the finding that it was written for \
             fails the gate.",
        )
        .fix(
            "Correct the `stack`. If the finding has another stack now, generate the rule again \
             with `leakgate allow`, which also writes a new `witness`.",
        ),
    entry(
        "witness-widened",
        "A rule matches the stack of another rule",
    )
    .meaning(
        "A rule also matches the `witness` of another rule, which is the stack that the other \
         one was written for.",
    )
    .why(
        "The rule hides a finding that has its own rule, with another reason or limit. It \
         probably hides findings that have none, too.",
    )
    .fix(
        "Narrow the `stack`, for example with the function that calls the allocator. If one \
         rule is enough for both, delete the other.",
    ),
    entry("over-broad-rule", "A rule accepts nearly everything")
        .meaning(
            "The patterns of a rule match nearly every stack: `leak:malloc`, `fun:*`, or only \
             functions such as `main`.",
        )
        .why("It's a warning: such a rule is sometimes a first step. It hides every new bug.")
        .fix(
            "Add a function to the stack that only this finding has; `leakgate suppress LOG` \
             writes such rules. To start with many findings, use a baseline instead.",
        ),
    entry("duplicate-rule", "Two rules are identical")
        .meaning("Two rules have the same conditions, so only the first one ever decides.")
        .why("It's a warning: the verdict is the same without the second rule.")
        .fix("Delete one of them. Check first that both have the same reason and limit."),
    entry(
        "shadowed-rule",
        "Earlier rules decide everything that a rule matches",
    )
    .meaning(
        "A rule matches findings of this log, but rules before it accept all of them. The \
         order is: `leakgate.toml`, suppression files, packs.",
    )
    .why("It's a warning: the rule has no effect in this run.")
    .fix(
        "Delete the rule, or narrow the earlier one. `leakgate rules LOG` shows what each rule \
         matches.",
    ),
    entry(
        "unknown-tool",
        "A suppression names an unknown valgrind tool",
    )
    .meaning(
        "The tool in an entry of a suppression file isn't one of valgrind's. Names are \
         case-sensitive: `Memcheck`, not `memcheck`.",
    )
    .why("It's a warning: valgrind ignores such an entry without a message, and so does leakgate.")
    .fix("Correct the name; the message suggests the nearest one."),
];
