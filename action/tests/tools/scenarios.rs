//! The pages of docs/run/: each project from its sources to its verdict, with the command lines of
//! its page, in their order.

mod page;
mod pages;
mod python;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = pages::trials();
    trials.extend(python::trials());
    trials.extend(page::trials());
    trials
}
