//! Explanations of problems in logs.

use super::{COMPLETE_LOG, CodeHelp, SEPARATE_LOGS, entry};

/// The explanations, in the order of the codes. Codes that reasons have, too, are left out.
pub(super) const TABLE: &[CodeHelp] = &[
    entry("truncated", "A report has no end")
        .meaning("The log ends, or other output follows, before the report is complete.")
        .why("The missing part may contain findings.")
        .fix(
            "Find out why the end is missing: the process was killed (by a timeout, or because \
             memory ran out), the disk was full, the CI system shortened the log, or another \
             process wrote to the same log.",
        ),
    entry("interleaved", "Two processes wrote into one report at the same time")
        .meaning("Lines of another process or thread are within a report or within a line.")
        .why("leakgate can't be sure which line belongs to which finding, so findings may be lost.")
        .fix(SEPARATE_LOGS),
    entry("unreconciled", "The totals of a report differ from its records")
        .meaning(
            "The report states how many errors, bytes or blocks were found. The records before it \
             add up to something else.",
        )
        .why("Records are missing from the log, or leakgate misread them.")
        .fix(COMPLETE_LOG),
    entry("unknown-report", "The headline of a report is unknown")
        .meaning(
            "A line opens a report of a checker, but leakgate doesn't know the headline.",
        )
        .why("The report may be about an error.")
        .fix(
            "If your own program prints the line, describe it with `[[format]]` in `leakgate.toml`. \
             If a newer version of the checker prints it, update leakgate, or report the line as \
             an issue.",
        ),
    entry("unsupported-checker", "The report of a checker that isn't supported")
        .meaning("A line is the report of a checker that leakgate can't read.")
        .why("The report is about an error or a leak.")
        .fix(
            "If the report matters, describe its lines with `[[format]]` in `leakgate.toml`. \
             Otherwise, leave its output out of the log that you check.",
        ),
    entry("unreadable-line", "A line of a report is unreadable")
        .meaning("leakgate knows the checker, but not the form of a line in its report.")
        .why("The line may be the record of a finding.")
        .fix(
            "Check whether other output damaged the line. If the checker printed it like this, \
             report the line as an issue of leakgate.",
        ),
    entry("summary-without-report", "A summary has no report")
        .meaning("A `SUMMARY:` line says that a checker found something, and its report is missing.")
        .why("The checker found an error that the log doesn't show.")
        .fix(
            "Pass the complete log. A filter such as `grep` or `tail`, or a limit of the CI \
             system, may have removed the report.",
        ),
    entry("line-too-long", "A line of a report is too long")
        .meaning("A line of a report is longer than 1 MiB, the longest that leakgate reads at once.")
        .why("The rest of the line may contain a finding.")
        .fix(
            "Check whether binary output or a missing line feed damaged the log. Write the \
             checker's output to a separate file.",
        ),
    entry("too-many-frames", "A stack has too many frames")
        .meaning("A stack has more than 512 frames, or a finding has more than 64 stacks.")
        .why("Rules and fingerprints would see only a part of the finding.")
        .fix("Limit the stacks in the checker, for example with valgrind's `--num-callers=100`."),
    entry("too-many-findings", "There are too many findings")
        .meaning("The logs have more than 100,000 distinct findings, and leakgate drops the others.")
        .why("Nothing is known about the dropped findings.")
        .fix("Check the logs of fewer tests at a time, or fix the first findings."),
    entry("too-many-processes", "Too many processes write to one log")
        .meaning("More than 4,096 reports or sources are open in the log at the same time.")
        .why("Lines of further processes can't be assigned to a report.")
        .fix(SEPARATE_LOGS),
    entry("malformed-xml", "An XML report is malformed")
        .meaning("An element of valgrind's XML has an error in its syntax, or misses a part.")
        .why("The element may be the record of a finding.")
        .fix(
            "Let each process write its own XML file, with `--xml-file=valgrind.%p.xml`. If the \
             file was edited or shortened, pass the original.",
        ),
    entry("replaced", "The process called exec")
        .meaning(
            "A process started another program in its place (`exec`), so its first report has no \
             summary.",
        )
        .why("It's a note: the report of a process ends like this if it calls exec.")
        .fix(
            "Nothing, as a rule. To let valgrind check the new program, pass \
             `--trace-children=yes`.",
        ),
    entry("duplicate-report", "The log contains the same report twice")
        .meaning("Two reports are equal. leakgate counts them once.")
        .why("It's a note: nothing is lost.")
        .fix("Nothing. To avoid the note, don't pass the same log under two names."),
    entry("unknown-wording", "The wording of a record is unknown")
        .meaning(
            "leakgate recognizes a record of the checker, but not the words of its headline. The \
             record counts as an error.",
        )
        .why("It's a note: the record itself fails the gate, unless a rule accepts it.")
        .fix("Update leakgate. If the newest version prints the note, too, report the line as an issue."),
    entry("ended-by-signal", "A signal from outside ended the process")
        .meaning(
            "Another process, such as a test runner, ended this one with a signal. The report is \
             complete.",
        )
        .why("It's a note: the checker still searched for leaks.")
        .fix(
            "If the process should end by itself, find out which process sent the signal, such as \
             the timeout of a test runner.",
        ),
    entry("more-problems", "More problems of one code")
        .meaning("leakgate lists 100 problems of each code, and there are more.")
        .why("It's a note: the listed problems fail the gate, if their code does.")
        .fix("Fix the cause of the listed problems first."),
];
