//! The pages of docs/run/ and docs/start/: each project from its sources to its verdict, with the command lines of
//! its page, in their order.

mod page;
mod pages;
mod python;
mod start;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = pages::trials();
    trials.extend(python::trials());
    trials.extend(start::trials());
    trials.extend(page::trials());
    trials
}
