//! libFuzzer's own reports.

use super::{Help, Risk, entry};

const REPRODUCE: &str = "libFuzzer writes the input to a file and prints its name. Run the fuzz \
     target with this file as its only argument to reproduce the error.";

pub(super) const TABLE: &[Help] = &[
    entry(
        "deadly-signal",
        "Fatal signal in a fuzz target",
        Risk::Security("5.5"),
    )
    .cwe(617)
    .meaning(
        "A signal such as SIGABRT or SIGSEGV ended the fuzz target, and no sanitizer explained it. \
         Often an assertion failed.",
    )
    .fix("Look at the first function of the program in the stack, and at the output before it.")
    .more(REPRODUCE),
    entry("timeout", "Timeout of a fuzz target", Risk::Security("5.3"))
        .cwe(400)
        .meaning("The fuzz target needed more time for one input than -timeout allows.")
        .fix("Limit the work per input, or raise the limit if the input is legitimate.")
        .more(REPRODUCE),
    entry(
        "fuzz-target-exited",
        "Fuzz target ends the process",
        Risk::Error,
    )
    .meaning(
        "The fuzz target called exit. A fuzz target must return, because libFuzzer runs many \
         inputs in one process.",
    )
    .fix("Return an error instead of calling exit.")
    .more(REPRODUCE),
    entry(
        "overwrites-const-input",
        "Fuzz target changes its input",
        Risk::Error,
    )
    .meaning("The fuzz target wrote to the buffer that libFuzzer passed to it.")
    .fix("Copy the input before you change it.")
    .more(REPRODUCE),
];
