//! The settings of a run, in one environment variable that `leakgate run` sets.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};

use crate::environment;
use crate::memory::{Text, contains};

/// The variable. Its fields are separated by `|`: the helper, the private folder of the run, the
/// file of events, the value of `LD_PRELOAD` for programs that aren't checked, a part of
/// `LD_PRELOAD` in checked ones, names of programs about which the helper decides, separated by
/// commas (`*` for all), and then folders of the project, each after a `+`, and of the system, each
/// after a `-`.
pub(crate) const VARIABLE: &[u8] = b"LEAKGATE_RUN";

/// The variable by which the helper passes a program on: `checker` while a checker starts,
/// `checked` in the checked program, or the pid of a program that isn't checked, a space, and its
/// path.
pub(crate) const PASSED: &CStr = c"LEAKGATE_PASSED";

/// The value of [`PASSED`] while a checker starts.
pub(crate) const CHECKER_STARTS: &[u8] = b"checker";

/// The value of [`PASSED`] in a checked program, and in the programs that it starts. It has the
/// length of [`CHECKER_STARTS`].
pub(crate) const CHECKED: &[u8; CHECKER_STARTS.len()] = b"checked";

/// Maximum size of the variable, in bytes.
const SIZE: usize = 16 << 10;

/// Number of fields before the folders.
const FIELDS: usize = 6;

/// The settings. The program may change its environment, so they are copied when it starts.
struct Settings {
    /// `NAME=VALUE`.
    variable: Text<SIZE>,
    /// The value, with zeros in place of the separators.
    fields: Text<SIZE>,
    /// The positions at which the fields end.
    ends: [usize; FIELDS],
    is_set: bool,
}

struct Global(UnsafeCell<Settings>);

// SAFETY: the settings are written once, before the program has other threads.
unsafe impl Sync for Global {}

static SETTINGS: Global = Global(UnsafeCell::new(Settings {
    variable: Text::new(),
    fields: Text::new(),
    ends: [0; FIELDS],
    is_set: false,
}));

/// Copies the settings from the environment. Called when the program with this path starts. The
/// helper itself has no settings, because it starts programs under their checkers.
pub(crate) fn load(program: &[u8]) {
    let Some(text) = environment::own(VARIABLE) else {
        return;
    };
    // SAFETY: no other thread exists, and no reference to the settings.
    let settings = unsafe { &mut *SETTINGS.0.get() };
    settings.variable.push(VARIABLE).push(b"=").push(text);
    let mut found = 0;
    for (at, byte) in text.iter().enumerate() {
        let ends_field = *byte == b'|' && found < FIELDS;
        if ends_field {
            settings.ends[found] = at;
            found += 1;
        }
        settings.fields.push(&[if ends_field { 0 } else { *byte }]);
    }
    settings.is_set = found == FIELDS && settings.variable.get().is_some();
    let helper = settings
        .fields
        .get()
        .and_then(|text| text.get(..settings.ends[0]));
    settings.is_set &= helper != Some(program);
}

/// The settings of this process.
#[derive(Clone, Copy)]
pub(crate) struct Config(&'static Settings);

impl Config {
    /// Returns the settings; `None` outside of a run.
    pub(crate) fn get() -> Option<Self> {
        // SAFETY: the settings aren't written after the start.
        let settings = unsafe { &*SETTINGS.0.get() };
        settings.is_set.then_some(Self(settings))
    }

    /// Returns `NAME=VALUE` of the variable.
    pub(crate) fn variable(self) -> *const c_char {
        self.0.variable.as_ptr()
    }

    fn field(self, index: usize) -> &'static CStr {
        let start = match index {
            0 => 0,
            index => self.0.ends[index - 1] + 1,
        };
        let fields = self.0.fields.get().unwrap_or_default();
        let field = fields.get(start..=self.0.ends[index]).unwrap_or(b"\0");
        CStr::from_bytes_with_nul(field).unwrap_or_default()
    }

    pub(crate) fn helper(self) -> &'static CStr {
        self.field(0)
    }

    /// Returns the private folder of the run.
    pub(crate) fn private(self) -> &'static CStr {
        self.field(1)
    }

    /// Returns the path of the file that lists programs which aren't checked.
    pub(crate) fn events(self) -> &'static CStr {
        self.field(2)
    }

    /// Returns `LD_PRELOAD` of programs that aren't checked.
    pub(crate) fn preload(self) -> &'static [u8] {
        self.field(3).to_bytes()
    }

    /// Returns the path of this library, the last one in `LD_PRELOAD`.
    pub(crate) fn library(self) -> &'static [u8] {
        let mut libraries = self.preload().rsplit(|byte| *byte == b':');
        libraries.next().unwrap_or_default()
    }

    /// Returns true if a process with this `LD_PRELOAD` runs under a checker.
    pub(crate) fn is_checked(self, preload: &[u8]) -> bool {
        contains(preload, self.field(4).to_bytes())
    }

    /// Returns true if the helper decides about a program.
    pub(crate) fn concerns(self, path: &[u8]) -> bool {
        !self.is_of_system(path) || self.is_asked_about(path)
    }

    /// Returns true if the longest folder that contains the program is one of the system.
    fn is_of_system(self, path: &[u8]) -> bool {
        let fields = self.0.fields.get().unwrap_or_default();
        let folders = fields
            .get(self.0.ends[FIELDS - 1] + 1..)
            .unwrap_or_default();
        let mut longest = 0;
        let mut is_of_system = false;
        for folder in folders.split(|byte| *byte == b'|') {
            let Some((mark, folder)) = folder.split_first() else {
                continue;
            };
            let is_within = path
                .strip_prefix(folder)
                .is_some_and(|rest| folder.ends_with(b"/") || rest.starts_with(b"/"));
            if is_within && folder.len() >= longest {
                longest = folder.len();
                is_of_system = *mark == b'-';
            }
        }
        is_of_system
    }

    /// Returns true for a program of the system about which the helper decides. A version may
    /// follow the name.
    fn is_asked_about(self, path: &[u8]) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let is_version = |rest: &[u8]| rest.iter().all(|b| b.is_ascii_digit() || b".-".contains(b));
        self.field(5)
            .to_bytes()
            .split(|byte| *byte == b',')
            .any(|asked| {
                asked == b"*"
                    || (!asked.is_empty() && name.strip_prefix(asked).is_some_and(is_version))
            })
    }
}
