//! The library that is preloaded into the command and everything it starts, so that programs of the
//! project run under the checkers and those of the system don't. Its code is in `exec-hook/`.
//!
//! Source: `ld.so(8)` on `LD_PRELOAD`, whose values are separated by colons and spaces.

mod events;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use self::events::EVENTS;
pub(super) use self::events::{ProcessPrograms, Programs, record};
use super::checker::{Checker, Family};
use super::executable;
use super::harness::CheckedCommand;
use super::launch::{Launch, LocalMachine, Machine};
use super::program_filter::{ProgramFilter, is_followed};
use super::{elf, valgrind};
use crate::error::Error;

/// The compiled library. Empty if this system has none.
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/exec-hook.so"));

/// File name of the library.
const FILE_NAME: &str = "libleakgate_exec.so";

/// Name of the variable with the settings of the library.
const VARIABLE: &str = "LEAKGATE_RUN";

/// Name of the variable by which the library recognizes a program that isn't checked.
pub(super) const PASSED: &str = "LEAKGATE_PASSED";

/// The value of [`PASSED`] while a checker starts.
pub(super) const CHECKER_STARTS: &str = "checker";

/// The value of [`PASSED`] in a program that was started by a checked one, or replaces it.
const CHECKED: &str = "checked";

/// Characters that separate paths in the variables.
const SEPARATORS: [char; 3] = [':', ' ', '|'];

const PRELOAD: &str = "LD_PRELOAD";

/// Name of the variable by which the library passes `LD_PRELOAD` to the helper.
const PRELOAD_OF_PROGRAM: &str = "LEAKGATE_PRELOAD";

/// The library of a run.
#[derive(Clone, Debug)]
pub(super) struct ExecHook {
    library: PathBuf,
    settings: String,
    /// `LD_PRELOAD` of programs that aren't checked.
    preload: String,
}

impl ExecHook {
    /// Returns the library for a command; `None` if the checker follows the programs itself. The
    /// library doesn't reach a statically linked command.
    pub(super) fn for_command(
        checkers: &[Checker],
        argv: &[String],
        filter: &ProgramFilter,
        private: &Path,
    ) -> Option<Self> {
        let family = checkers.first()?.family();
        let program = LocalMachine.find_program(argv.first()?)?;
        (!elf::is_statically_linked(&program))
            .then(|| Self::new(private, family, filter, &LocalMachine))
            .flatten()
    }

    /// Returns the library for a run, or `None` if programs can't be told apart: on other systems
    /// than Linux, for preloaded allocators, for checkers that are separate commands, and if a path
    /// contains a separator.
    fn new(
        private: &Path,
        family: Family,
        filter: &ProgramFilter,
        machine: &dyn Machine,
    ) -> Option<Self> {
        let mark = match family {
            Family::Valgrind => "/vgpreload",
            Family::Sanitizer => "",
            Family::Preload | Family::Command => return None,
        };
        if LIBRARY.is_empty() {
            return None;
        }
        let leakgate = std::env::current_exe().ok()?;
        let library = private.join(FILE_NAME);
        let paths = [leakgate.to_str()?, private.to_str()?, library.to_str()?];
        if paths.iter().any(|path| path.contains(SEPARATORS)) {
            return None;
        }
        let preload = match machine.env_var(PRELOAD) {
            Some(user) => format!("{user}:{}", paths[2]),
            None => paths[2].to_owned(),
        };
        let events = private.join(EVENTS);
        let settings = [
            paths[0],
            paths[1],
            events.to_str()?,
            &preload,
            mark,
            &filter.programs_to_ask_about().join(","),
            &filter.folders().join("|"),
        ]
        .join("|");
        Some(Self {
            library,
            settings,
            preload,
        })
    }

    /// Writes the library and the empty list of events.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn install(&self) -> Result<(), Error> {
        let error = |e| Error::Write(self.library.clone(), e);
        executable::write(&self.library, LIBRARY).map_err(error)?;
        let events = self.library.with_file_name(EVENTS);
        let file = File::create(&events).map_err(error)?;
        // A process of another user adds its events, too.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(0o622))
                .map_err(error)?;
        }
        drop(file);
        Ok(())
    }

    /// Returns the command with the library. A command that only starts other programs runs without
    /// a checker. A sanitizer is a part of its program, which needs no library.
    pub(super) fn attach(
        &self,
        command: CheckedCommand,
        argv: &[String],
        launch: &Launch,
        filter: &ProgramFilter,
        machine: &dyn Machine,
    ) -> CheckedCommand {
        if !command.is_checked {
            return command;
        }
        let program = argv.first().map_or("", String::as_str);
        let is_wrapped = !launch.wrapper.is_empty();
        let mut env = command.env.clone();
        if is_followed(program, filter, machine) {
            env.extend(self.env());
            return CheckedCommand {
                argv: argv.to_vec(),
                env,
                is_checked: false,
                ..command
            };
        }
        if !is_wrapped {
            return command;
        }
        env.extend(self.env());
        env.push((PASSED.to_owned(), CHECKER_STARTS.to_owned()));
        CheckedCommand {
            argv: valgrind::without_children(&command.argv),
            env,
            ..command
        }
    }

    /// Returns the environment variables of the command.
    pub(super) fn env(&self) -> [(String, String); 2] {
        [
            (VARIABLE.to_owned(), self.settings.clone()),
            (PRELOAD.to_owned(), self.preload.clone()),
        ]
    }
}

/// Gives a program the `LD_PRELOAD` with which the library met it, without the libraries of
/// valgrind. The caller may run under valgrind, which removes them only from `LD_PRELOAD` itself;
/// a program that loads them looks as if it were checked.
pub(super) fn restore_preload(command: &mut Command) {
    if let Some(preload) = std::env::var_os(PRELOAD_OF_PROGRAM) {
        command.env(PRELOAD, without_valgrind(&preload.to_string_lossy()));
        command.env_remove(PRELOAD_OF_PROGRAM);
    }
}

/// Returns a value of `LD_PRELOAD` without the libraries of valgrind.
fn without_valgrind(preload: &str) -> String {
    let is_other = |path: &&str| !path.is_empty() && !path.contains("/vgpreload_");
    let others: Vec<&str> = preload.split([':', ' ']).filter(is_other).collect();
    others.join(":")
}

/// Keeps the library out of a program that contains a sanitizer, whose runtime must be loaded
/// first.
pub(super) fn remove(command: &mut Command) {
    let set = command.get_envs().find(|(name, _)| *name == PRELOAD);
    let preload = set.and_then(|(_, value)| Some(value?.to_string_lossy().into_owned()));
    let others = without_library(&preload.unwrap_or_default());
    if others.is_empty() {
        command.env_remove(PRELOAD);
    } else {
        command.env(PRELOAD, others);
    }
}

/// Returns a value of `LD_PRELOAD` without the library.
fn without_library(preload: &str) -> String {
    let is_other = |path: &&str| !path.is_empty() && !path.ends_with(FILE_NAME);
    preload
        .split([':', ' '])
        .filter(is_other)
        .collect::<Vec<_>>()
        .join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_valgrind_are_removed() {
        let valgrind = "/usr/libexec/valgrind/vgpreload_core-amd64-linux.so:\
                        /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so";
        assert_eq!(
            without_valgrind(&format!("{valgrind}:/x/a.so:b.so")),
            "/x/a.so:b.so"
        );
        assert_eq!(without_valgrind(valgrind), "");
    }

    #[test]
    fn library_is_removed_from_its_variable() {
        let preload = format!("/a.so:/tmp/x/{FILE_NAME}");
        assert_eq!(without_library(&preload), "/a.so");
        assert_eq!(without_library(&format!("/tmp/{FILE_NAME}")), "");
    }
}
