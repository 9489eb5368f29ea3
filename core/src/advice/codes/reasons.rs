//! Explanations of the reasons of a verdict.

use super::{COMPLETE_LOG, CodeHelp, SEPARATE_LOGS, entry};

/// The explanations, in the order of the codes.
pub(super) const TABLE: &[CodeHelp] = &[
    entry("unexpected-finding", "A finding that nothing accepts")
        .meaning("A finding of a kind that fails the gate is accepted by no rule and isn't in the baseline.")
        .why("An error or a leak counts as a bug until a rule with a reason accepts it.")
        .fix(
            "Fix the bug: `leakgate explain KIND` describes what usually helps. If the finding is \
             harmless, accept it with `leakgate allow FINGERPRINT --reason '…' LOG`. To fail only \
             for new findings, record the current ones with `leakgate baseline write LOG`.",
        ),
    entry("over-limit", "A rule matches more than its limit")
        .meaning(
            "A rule matches more records, bytes, blocks or places in one process than its `limit` \
             allows. It then accepts none of them. A rule with a weak fingerprint has a limit of \
             one place even without `limit`.",
        )
        .why("The limit is the amount that was known to be harmless. The excess may be another bug.")
        .fix(
            "Look at the findings that name the rule, and fix what was added. If all of them are \
             harmless, raise the `limit` of the rule.",
        ),
    entry("expired-rule", "A rule has expired")
        .meaning(
            "The rule that matches a finding has an `expires` date in the past, or its `while` \
             names another version of a dependency than the lock files have. So it accepts \
             nothing.",
        )
        .why(
            "The author of the rule wanted the finding to be looked at again after this date, or \
             with the next version of the dependency.",
        )
        .fix(
            "Fix the bug and delete the rule. If the finding is still acceptable, set a later \
             `expires` date or the new version.",
        ),
    entry("expectation-missed", "A rule matches another number of records than expected")
        .meaning("A rule with `expect` must match exactly this number of records, and it doesn't.")
        .why(
            "`expect` is for errors that every run has, such as those of a canary. If their number \
             differs, the checker or the tests didn't run as intended, and an absence of findings \
             proves nothing.",
        )
        .fix(
            "Check that all tests ran, and that they ran under the checker. If the number changed \
             on purpose, change `expect`.",
        ),
    entry("grown-finding", "A finding has grown since the baseline")
        .meaning(
            "A finding of the baseline is larger now: more bytes or blocks in one process, memory \
             that was still reachable and is now leaked, or more places in one process.",
        )
        .why("More memory is lost at a known place, or a second bug has the same stack.")
        .fix(
            "Compare the finding with the earlier run (`leakgate diff`), and fix what was added. To \
             accept the new size, run `leakgate baseline update --grow LOG`.",
        ),
    entry("truncated-report", "A report is truncated")
        .meaning("A report has no beginning or no end.")
        .why("The missing part may contain findings.")
        .fix(
            "Look at the problems that the text report lists with their lines, and run `leakgate \
             explain CODE` for their codes. Usual causes are a process that was killed, a full \
             disk, and a log that was shortened, filtered or mixed with other output.",
        ),
    entry("unreadable-report", "A report is unreadable")
        .meaning("The log contains a report, or a part of one, that leakgate can't read.")
        .why("The unreadable part may be a finding.")
        .fix(
            "Look at the problems that the text report lists with their lines, and run `leakgate \
             explain CODE` for their codes. Usual causes are a damaged log, a checker that is newer \
             than leakgate, and a checker that leakgate doesn't support.",
        ),
    entry("checker-failed", "The checker could not start, or it crashed")
        .meaning("The checker printed that it can't work, so it checked nothing or only a part.")
        .why("The rest of the run wasn't checked.")
        .fix(
            "Read the message of the checker. `leakgate doctor LOG` explains the known causes, such \
             as address space randomization, a container without ptrace, or an invalid \
             suppression file.",
        ),
    entry("interleaved-report", "Two processes wrote into one report")
        .meaning("The lines of two processes or threads are mixed within one report.")
        .why("leakgate can't be sure which line belongs to which finding, so findings may be lost.")
        .fix(SEPARATE_LOGS),
    entry("unreconciled-report", "The totals of a checker differ from its records")
        .meaning(
            "A checker prints how many errors, bytes or blocks it found. The records that leakgate \
             read add up to something else.",
        )
        .why("Records are missing from the log, or leakgate misread them.")
        .fix(COMPLETE_LOG),
    entry("unseen-findings", "A limit was reached, and further findings are missing")
        .meaning(
            "A checker reached one of its own limits and stopped reporting, or the log exceeds a \
             limit of leakgate: for findings, processes, frames, or the length of a line.",
        )
        .why("Nothing is known about what comes after the limit.")
        .fix(
            "Raise the limit of the checker: `--error-limit=no` for valgrind, `max_leaks=0` in \
             `LSAN_OPTIONS` for LeakSanitizer. `leakgate doctor LOG` prints the command. If \
             leakgate reached its own limit, check the logs of fewer tests at a time, or fix the \
             first findings.",
        ),
    entry("leaks-not-shown", "A checker counted leaks without listing them")
        .meaning(
            "The summary of a checker has leaks that its report doesn't list, or its leak check was \
             turned off.",
        )
        .why("Rules and the baseline can't be applied to leaks that have no record.")
        .fix(
            "Run valgrind with `--leak-check=full --show-leak-kinds=all`; `leakgate doctor LOG` \
             prints the command. Remove `detect_leaks=0` from the options of the sanitizer. If \
             only errors matter, set `fail-on = [\"errors\"]`.",
        ),
    entry("tool-suppressed", "The checker's own suppressions hid findings")
        .meaning(
            "A suppression file of the checker hid findings, and `tool-suppressed` is `fail` or \
             `warn`.",
        )
        .why("The log has no record of hidden findings, so leakgate can't check them.")
        .fix(
            "Pass the suppression file to leakgate instead of the checker: `--suppressions FILE`, \
             or `suppressions` in `leakgate.toml`. To ignore hidden findings, set `tool-suppressed \
             = \"allow\"`.",
        ),
    entry("missing-report", "A report is missing")
        .meaning(
            "A tool in `require` has no complete report in the logs, or a process that `leakgate \
             run` started left no report.",
        )
        .why("A process without a report may have leaked.")
        .fix(
            "Check that the tests ran under the checker, and that leakgate gets its log. A process \
             leaves no report if it is killed. A process that calls `_exit` runs no leak check of \
             LeakSanitizer.",
        ),
    entry("command-failed", "The tested command failed")
        .meaning(
            "The command of `leakgate run` exited with an error status, was ended by a signal, or \
             exceeded `--timeout`; or the checker could not start.",
        )
        .why("Tests that end early execute less code, so the checker saw less of it.")
        .fix(
            "Read the output of the command and fix its failure first. A checker slows a program \
             down, so tests may also need longer timeouts.",
        ),
    entry("unused-rule", "A rule matches nothing")
        .meaning(
            "A rule matches no finding although its tool ran, and `unused-rules` is set to `fail`.",
        )
        .why("A rule for a bug that is fixed would hide the bug if it came back.")
        .fix(
            "Delete the rule. If it should match, run `leakgate rules LOG`, which shows what each \
             rule matches. To allow unused rules, set `unused-rules = \"warn\"`.",
        ),
    entry("third-party", "Findings without a frame in your code")
        .meaning("All frames of a finding are in libraries or in the runtime.")
        .why(
            "It's a warning, because `third-party` is set to `warn`. By default, these findings \
             fail the gate as unexpected findings.",
        )
        .fix(
            "Update the library, or report the bug to its authors. If the frames are your code, \
             check `own` in `leakgate.toml` and build with -g.",
        ),
    entry("no-evidence", "There is no proof that the checker worked")
        .meaning(
            "A log contains no checker output, a path matches no file, or `leakgate run` could not \
             prove that the checker works.",
        )
        .why("An empty log looks the same whether nothing was found or the checker never ran.")
        .fix(
            "Check the path, and that the tests wrote their logs. Sanitizers print nothing on \
             success: set `verbosity=1` in their options (such as `LSAN_OPTIONS`), start the tests \
             with `leakgate run`, or pass `--silence pass` if an empty log means success.",
        ),
];
