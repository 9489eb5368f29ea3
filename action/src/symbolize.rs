//! Symbolizes frames of logs with the modules on disk.
//!
//! Opens a module only if a frame needs it, and only once. A separate thread reads the modules, and
//! each lookup has a time limit. Thus the contents of a module can neither stop leakgate nor change
//! a verdict other than through names.

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

use leakgate_core::Parsed;
use leakgate_core::symbolize::{Function, Symbols};

use self::file::Store;
pub(crate) use self::find::SearchPaths;
use self::module::Module;
use self::notes::{LoadError, Notes};

/// Condition for using a file as the module that ran. In both cases, it must be a regular file and
/// must have the build id from the log if the log has one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trust {
    /// Use the file only if the log has the module's build id.
    BuildId,
    /// Without a build id in the log, use the file if it was last modified before this time, the
    /// start of the program. `leakgate run` uses this.
    UnchangedSince(SystemTime),
}

/// Maximum number of modules to open. A process maps a few hundred.
const MAX_MODULES: usize = 4096;

/// Time limit for a lookup. The first one in a large program builds an index, which takes seconds.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(60);

/// Symbolizes the frames that have only a module and an offset. Returns notes for the user, one
/// line for each module that could not be used.
pub(crate) fn apply(parsed: &mut Parsed, trust: Trust, search_paths: SearchPaths) -> Vec<String> {
    let mut symbolizer = Symbolizer {
        trust,
        search_paths,
        reader: None,
        modules: HashMap::new(),
        notes: Notes::default(),
    };
    leakgate_core::symbolize::symbolize(parsed, &mut symbolizer);
    symbolizer.notes.lines()
}

/// Name and build id of a module.
type ModuleKey = (String, Option<String>);

/// A lookup of an address, sent to the reader thread.
struct Request {
    /// Index of the module. A new module has the next index.
    module: usize,
    /// Name and build id of a new module.
    new_module: Option<ModuleKey>,
    address: u64,
}

/// The result of a lookup.
#[derive(Default)]
struct Response {
    functions: Vec<Function>,
    /// True if further addresses of the module can be looked up.
    is_open: bool,
    /// Why a new module could not be used.
    error: Option<LoadError>,
    /// True if the module was stripped and no debug file for it exists.
    is_stripped: bool,
}

/// Sends lookups to the reader thread and records the state of modules.
struct Symbolizer {
    trust: Trust,
    search_paths: SearchPaths,
    reader: Option<Reader>,
    /// Index of each module, and whether lookups in it are possible.
    modules: HashMap<ModuleKey, (usize, bool)>,
    notes: Notes,
}

impl Symbols for Symbolizer {
    fn at(&mut self, module: &str, build_id: Option<&str>, address: u64) -> Vec<Function> {
        let key = (module.to_owned(), build_id.map(str::to_owned));
        let known = self.modules.get(&key).copied();
        if let Some((_, false)) = known {
            return Vec::new();
        }
        let index = known.map_or(self.modules.len(), |(index, _)| index);
        let response = match index {
            ..MAX_MODULES => self.look_up(Request {
                module: index,
                new_module: known.is_none().then(|| key.clone()),
                address,
            }),
            _ => Response::from_error(LoadError::TooMany),
        };
        if known.is_none() {
            self.modules.insert(key, (index, response.is_open));
            self.notes.add_module(module, response.error);
        }
        let functions = response.functions;
        if response.is_stripped && functions.iter().all(|function| function.name.is_none()) {
            self.notes.mark_stripped(index);
        }
        functions
    }
}

impl Response {
    fn from_error(error: LoadError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

impl Symbolizer {
    fn look_up(&mut self, request: Request) -> Response {
        let reader = self
            .reader
            .get_or_insert_with(|| Reader::start(self.trust, self.search_paths.clone()));
        reader
            .look_up(request)
            .unwrap_or_else(|| Response::from_error(LoadError::Timeout))
    }
}

/// Handle of the reader thread.
struct Reader {
    requests: Sender<Request>,
    responses: Receiver<Response>,
    has_timed_out: bool,
}

impl Reader {
    fn start(trust: Trust, search_paths: SearchPaths) -> Self {
        let (requests, request_receiver) = mpsc::channel();
        let (response_sender, responses) = mpsc::channel();
        thread::spawn(move || {
            serve(trust, &search_paths, &request_receiver, &response_sender);
        });
        Self {
            requests,
            responses,
            has_timed_out: false,
        }
    }

    /// Sends a request and waits for its response. Returns `None` after a timeout. All further
    /// requests then return `None` at once, and the thread ends with the process.
    fn look_up(&mut self, request: Request) -> Option<Response> {
        if self.has_timed_out {
            return None;
        }
        let response = self
            .requests
            .send(request)
            .ok()
            .and_then(|()| self.responses.recv_timeout(LOOKUP_TIMEOUT).ok());
        self.has_timed_out = response.is_none();
        response
    }
}

/// Responds to requests until a channel is closed.
fn serve(
    trust: Trust,
    search_paths: &SearchPaths,
    requests: &Receiver<Request>,
    responses: &Sender<Response>,
) {
    let store = Store::default();
    let mut modules: Vec<Option<Module<'_>>> = Vec::new();
    for request in requests {
        let mut error = None;
        if let Some((name, build_id)) = request.new_module {
            match Module::find(&store, search_paths, trust, &name, build_id.as_deref()) {
                Ok(module) => {
                    error = module.debug_error();
                    modules.push(Some(module));
                }
                Err(cause) => {
                    error = Some(cause);
                    modules.push(None);
                }
            }
        }
        let module = modules.get(request.module).and_then(Option::as_ref);
        let response = Response {
            functions: module
                .map(|module| module.functions_at(&store, request.address))
                .unwrap_or_default(),
            is_open: module.is_some(),
            error,
            is_stripped: module.is_some_and(Module::is_stripped),
        };
        if responses.send(response).is_err() {
            break;
        }
    }
}
