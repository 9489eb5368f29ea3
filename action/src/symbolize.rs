//! Names for the frames of logs that come without them, from the modules on disk.
//!
//! Nothing is opened unless a frame needs it, and each module once. All reading is done by a thread
//! of its own that is waited for only so long: what a module says can neither stop leakgate nor
//! change a verdict but by names.

mod debug;
mod file;
mod find;
mod module;
mod notes;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use leakgate_core::{Function, Parsed, Symbols};

use self::file::Store;
pub(crate) use self::find::Places;
use self::module::Module;
use self::notes::{Notes, Trouble};

/// When a file is taken for the module that ran. It has to be a regular file either way, and where
/// the log tells a build id, to have it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trust {
    /// Where the log tells its build id, and never else.
    BuildId,
    /// What `leakgate run` says: also without a build id in the log, where it was last changed
    /// before this moment: that of the start of the program.
    Unchanged(SystemTime),
}

/// So many modules are opened; a process maps a few hundred.
const MAX_MODULES: usize = 4096;

/// The longest time for a lookup. The first one in a large program reads an index of it, which
/// takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names the frames of a log that have nothing but a module and an offset. What is returned is to
/// be told at standard error: a line for each module that could not be used.
pub(crate) fn apply(parsed: &mut Parsed, trust: Trust, places: Places) -> Vec<String> {
    let mut desk = Desk {
        trust,
        places,
        reader: None,
        modules: HashMap::new(),
        notes: Notes::default(),
    };
    leakgate_core::symbolize(parsed, &mut desk);
    desk.notes.lines()
}

/// A place that is asked for.
struct Question {
    /// The module's number; a new one is the next.
    module: usize,
    /// The name and the build id of a module that is new.
    named: Option<(String, Option<String>)>,
    address: u64,
}

/// What the reader says.
#[derive(Default)]
struct Answer {
    functions: Vec<Function>,
    /// The module can be asked for more.
    is_open: bool,
    /// What is wrong with a module that is new.
    trouble: Option<Trouble>,
    /// The module was stripped, and there is nothing else to tell its names.
    is_bare: bool,
}

/// Asks the reader and keeps what it says of modules.
struct Desk {
    trust: Trust,
    places: Places,
    reader: Option<Reader>,
    /// By name and build id: the number of a module, and whether it can be asked.
    modules: HashMap<(String, Option<String>), (usize, bool)>,
    notes: Notes,
}

impl Symbols for Desk {
    fn at(&mut self, module: &str, build_id: Option<&str>, address: u64) -> Vec<Function> {
        let key = (module.to_owned(), build_id.map(str::to_owned));
        let known = self.modules.get(&key).copied();
        if let Some((_, false)) = known {
            return Vec::new();
        }
        let number = known.map_or(self.modules.len(), |(number, _)| number);
        let named = known.is_none().then(|| key.clone());
        let Answer {
            functions,
            is_open,
            trouble,
            is_bare,
        } = match number {
            ..MAX_MODULES => self.ask(Question {
                module: number,
                named,
                address,
            }),
            _ => Answer {
                trouble: Some(Trouble::TooMany),
                ..Answer::default()
            },
        };
        if known.is_none() {
            self.modules.insert(key, (number, is_open));
            self.notes.module(module, trouble);
        }
        if is_bare && functions.iter().all(|function| function.name.is_none()) {
            self.notes.bare(number);
        }
        functions
    }
}

impl Desk {
    fn ask(&mut self, question: Question) -> Answer {
        let reader = self
            .reader
            .get_or_insert_with(|| Reader::start(self.trust, self.places.clone()));
        reader.ask(question).unwrap_or(Answer {
            trouble: Some(Trouble::TooLong),
            ..Answer::default()
        })
    }
}

/// The thread that reads, as others see it.
struct Reader {
    questions: Sender<Question>,
    answers: Receiver<Answer>,
    is_late: bool,
}

impl Reader {
    fn start(trust: Trust, places: Places) -> Self {
        let (questions, asked) = mpsc::channel();
        let (said, answers) = mpsc::channel();
        thread::spawn(move || read(trust, &places, &asked, &said));
        Self {
            questions,
            answers,
            is_late: false,
        }
    }

    /// The answer, unless it takes too long: then nothing is asked any more, and the thread ends
    /// with the process.
    fn ask(&mut self, question: Question) -> Option<Answer> {
        if self.is_late {
            return None;
        }
        let answer = self
            .questions
            .send(question)
            .ok()
            .and_then(|()| self.answers.recv_timeout(PATIENCE).ok());
        self.is_late = answer.is_none();
        answer
    }
}

/// Answers until nobody asks.
fn read(trust: Trust, places: &Places, asked: &Receiver<Question>, said: &Sender<Answer>) {
    let store = Store::default();
    let mut modules: Vec<Option<Module<'_>>> = Vec::new();
    for question in asked {
        let mut trouble = None;
        if let Some((name, build_id)) = question.named {
            let found = Module::find(&store, places, trust, &name, build_id.as_deref());
            trouble = found
                .as_ref()
                .map_or_else(|why| Some(why.clone()), Module::trouble);
            modules.push(found.ok());
        }
        let module = modules.get(question.module).and_then(Option::as_ref);
        let functions = module
            .map(|module| module.at(&store, question.address))
            .unwrap_or_default();
        let is_bare = module.is_some_and(Module::is_bare);
        if said
            .send(Answer {
                functions,
                is_open: module.is_some(),
                trouble,
                is_bare,
            })
            .is_err()
        {
            break;
        }
    }
}
