//! `leakgate run` with real checkers: a program with an error fails, a correct program passes, and
//! a run with lost reports never passes.

mod cannot_write;
mod change_of_user;
mod checkers;
mod checkpoints;
mod environment;
mod grow;
mod harnesses;
mod losses;
mod programs;
mod stand_ins;
mod step;
mod valgrind_options;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = harnesses::trials();
    trials.extend(losses::trials());
    trials.extend(programs::trials());
    trials.extend(checkers::trials());
    trials.extend(checkpoints::trials());
    trials.extend(step::trials());
    trials.extend(change_of_user::trials());
    trials.extend(environment::trials());
    trials.extend(cannot_write::trials());
    trials.extend(valgrind_options::trials());
    trials.extend(stand_ins::trials());
    trials.extend(grow::trials());
    trials
}
