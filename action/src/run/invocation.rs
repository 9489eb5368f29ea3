//! One run of the command under checkers that can run at the same time.

mod verifier;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use leakgate_core::verdict::{Canary, CheckerRun};

use super::checker::{Checker, Family};
use super::child::{self, ChildCommand, ChildOutcome};
use super::collect::{self, CollectContext, NamedLog};
use super::dirs::{MODE_SHARED, RunDirs, make_shared};
use super::exec_hook::{ExecHook, Programs};
use super::harness::{self, CheckedCommand, Context, Harness, cargo, program_name, shell_join};
use super::helper::{self, Record};
use super::launch::{Following, Launch, LocalMachine, Machine};
use super::log_rotation::{LogRotator, RestoredLogs};
use super::log_space::LogSpace;
use super::program_filter::{ProgramFilter, canonical};
use super::status::{ProgressReporter, StatusLine};
use super::watch::{CanaryTask, GapWatch, RuntimeWatch, Watch};
use super::{RunRequest, canary, foreign, launcher, preload};
use crate::error::Error;
use crate::output;

/// A run of the command, ready to start.
#[derive(Debug)]
pub(super) struct Invocation {
    checkers: Vec<Checker>,
    /// Names of the checkers, joined by `+`.
    label: String,
    /// The command as the user gave it.
    argv: Vec<String>,
    harness: Harness,
    launch: Launch,
    /// The command that is run.
    checked: CheckedCommand,
    /// Folder for logs.
    logs: PathBuf,
    /// Folder for the helper and the canary.
    private: PathBuf,
}

/// The result of an invocation.
#[derive(Debug)]
pub(super) struct RunOutput {
    pub(super) run: CheckerRun,
    pub(super) logs: Vec<NamedLog>,
    pub(super) records: Vec<Record>,
    /// When the last program was started.
    pub(super) last_start: SystemTime,
}

impl Invocation {
    /// Prepares to run the command under these checkers.
    ///
    /// # Errors
    /// A checker isn't installed, the harness doesn't support it, or a file cannot be written.
    pub(super) fn new(
        checkers: &[Checker],
        request: &RunRequest<'_>,
        harness: Harness,
        filter: &ProgramFilter,
        dirs: &RunDirs,
    ) -> Result<Self, Error> {
        let argv = request.argv;
        let names: Vec<_> = checkers.iter().map(|checker| checker.name()).collect();
        let label = names.join("+");
        let logs = dirs.logs().join(&label);
        let private = dirs.private().join(&label);
        let mut launch = launcher::launch(checkers, &logs, &LocalMachine)?;
        launch.wrapper.extend(request.descriptor_option(checkers));
        let hook = ExecHook::for_command(checkers, argv, filter, &private);
        launch.following = hook.as_ref().map(|hook| Following {
            env: hook.env().into(),
            filter: filter.clone(),
        });
        let leakgate = std::env::current_exe().map_err(|e| Error::Read("leakgate".into(), e))?;
        let utf8 = |path: &Path| path.to_string_lossy().into_owned();
        let helper = [utf8(&leakgate), "exec".to_owned(), utf8(&private)];
        let script = utf8(&private.join("helper"));
        let context = Context {
            checkers,
            helper: &helper,
            script: &script,
            machine: &LocalMachine,
            capture: &harness::capture,
        };
        let mut checked = harness.rewrite(argv, &launch, context)?;
        foreign::ensure_single_program(checkers, argv, checked.is_checked, filter, &LocalMachine)?;
        if let Some(hook) = &hook {
            checked = hook.attach(checked, argv, &launch, filter, &LocalMachine);
        }
        fs::create_dir_all(&private).map_err(|e| Error::Write(private.clone(), e))?;
        helper::prepare(&private, &launch)?;
        if let Some(hook) = &hook {
            hook.install()?;
        }
        helper::write_script(&private, &helper)?;
        Ok(Self {
            checkers: checkers.to_vec(),
            label,
            argv: argv.to_vec(),
            harness,
            launch,
            checked,
            logs,
            private,
        })
    }

    /// Returns the environment variables of the command itself.
    fn env(&self) -> Vec<(String, String)> {
        let child_env = self
            .launch
            .child_env
            .iter()
            .filter(|_| self.checked.is_checked);
        self.launch
            .env
            .iter()
            .chain(&self.checked.env)
            .chain(child_env)
            .cloned()
            .collect()
    }

    /// Returns the command in shell syntax, with notes as comments.
    pub(super) fn describe(&self) -> Result<String, Error> {
        let mut out = format!("# {}\n", self.label);
        for note in self.notes() {
            out += &format!("# {note}\n");
        }
        if let Some(commands) = self.verifier_commands(&LocalMachine)? {
            out += &commands.to_string();
        }
        let mut words = Vec::new();
        for (name, value) in self.env() {
            words.push(format!("{name}={}", shell_join(&[value])?));
        }
        words.push(shell_join(&self.checked.argv)?);
        out += &words.join(" ");
        let is_wrapped = !(self.launch.wrapper.is_empty() && self.launch.child_env.is_empty());
        if !self.checked.is_checked && is_wrapped {
            let child_env = self
                .launch
                .child_env
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let test: Vec<String> = child_env
                .chain(self.launch.wrapper.iter().cloned())
                .collect();
            out += &format!("\n# each test runs as: {} TEST", shell_join(&test)?);
        }
        Ok(out + "\n")
    }

    fn notes(&self) -> impl Iterator<Item = &String> {
        self.launch.notes.iter().chain(&self.checked.notes)
    }

    /// Returns the command for messages.
    fn command(&self) -> String {
        self.argv.join(" ")
    }

    fn has_family(&self, family: Family) -> bool {
        self.checkers
            .iter()
            .any(|checker| checker.family() == family)
    }

    /// Runs the command.
    ///
    /// # Errors
    /// The command cannot be started, or a file cannot be written.
    pub(super) fn run(&self, timeout: Option<Duration>) -> Result<RunOutput, Error> {
        for note in self.notes() {
            output::note(&format!("note: {note}"));
        }
        fs::create_dir_all(&self.logs).map_err(|e| Error::Write(self.logs.clone(), e))?;
        make_shared(&self.logs, MODE_SHARED)?;
        let line = StatusLine::new();
        let verifier = self.verifier_commands(&LocalMachine)?;
        let verifier = verifier.map(verifier::Commands::enable).transpose()?;
        let checkers = self.checkers.clone();
        let canary_dir = self.private.join("canary");
        let canary = std::thread::spawn(move || canary::run(&checkers, &canary_dir, &LocalMachine));
        let mut watch = Watch {
            checkers: &self.checkers,
            argv: self.checked.is_checked.then_some(&self.argv),
            launch: &self.launch,
            logs: &self.logs,
            private: &self.private,
            canary: CanaryTask::Running(canary),
            log_names: BTreeSet::new(),
            silent_pids: BTreeSet::new(),
            runtimes: RuntimeWatch::new(&self.checkers, &self.launch.env),
            gaps: self.gap_watch(),
            log_space: LogSpace::new(),
            log_obstacle: None,
            reporter: ProgressReporter::new(self.label.clone(), line.clone()),
        };
        let env = self.env();
        let rotator = LogRotator::new(&self.logs);
        let command = ChildCommand {
            argv: &self.checked.argv,
            env: &env,
            folder: &self.logs,
            timeout,
            line: &line,
        };
        let outcome = child::run(command, &mut watch);
        line.finish();
        // Join the canary before an error returns, which removes the folder that it writes to.
        let canary = watch.canary.join();
        let lost_log = verifier.as_ref().and_then(verifier::Enabled::export);
        drop(verifier);
        let outcome = outcome?;
        watch.update();
        let restored = rotator.finish()?;
        let mut output = self.evaluate(outcome, canary, &watch, &restored);
        output.run.missing.extend(lost_log);
        Ok(output)
    }

    /// Returns what finds programs that the preloaded library doesn't reach. A harness with its own
    /// method also builds, and the programs that it builds with aren't checked.
    fn gap_watch(&self) -> Option<GapWatch<'_>> {
        let following = self.launch.following.as_ref()?;
        let is_complete = self.has_family(Family::Valgrind) && self.harness == Harness::None;
        is_complete.then(|| GapWatch::new(&following.filter))
    }

    /// Evaluates the logs and records after the command has ended.
    fn evaluate(
        &self,
        outcome: ChildOutcome,
        canary: Canary,
        watch: &Watch<'_>,
        restored: &RestoredLogs,
    ) -> RunOutput {
        let (records, records_error) = read_records(&self.private);
        let mut programs = Programs::read(&self.private);
        let others = collect::sanitizers::other_programs(&records, &self.checkers);
        programs.unchecked.extend(others);
        collect::mark_replaced(&self.logs, restored, &programs.processes);
        let context = CollectContext {
            checkers: &self.checkers,
            programs: &programs,
            follows_children: self.launch.following.is_some(),
            folder: &self.logs,
            label: &self.label,
            records: &records,
            log_names: &watch.log_names,
            generations: &restored.generations,
            silent_pids: &watch.silent_pids,
            checks_leaks: self.launch.leak_check_disabled.is_none(),
        };
        let mut collected = collect::collect(&context, &LocalMachine);
        // They explain why other reports are missing.
        let seen = watch.seen_problems(&records);
        collected.missing.splice(0..0, seen);
        self.add_lost_logs(&restored.lost, &mut collected.missing);
        collected.print_notes();
        let tests = self.test_count();
        if self.checkers.contains(&Checker::Miri) {
            collected.processes = tests.unwrap_or(1).min(1);
        }
        let run = CheckerRun {
            tools: self.checkers.iter().map(|checker| checker.tool()).collect(),
            command: self.command(),
            termination: outcome.termination,
            processes: collected.processes,
            unchecked_programs: self.other_programs(programs.unchecked),
            canary,
            missing: collected.missing,
            unproven: self
                .crash_message()
                .into_iter()
                .chain(records_error)
                .chain(collected.disabled_checks)
                .chain(watch.log_obstacle.clone())
                .chain(watch.gaps.iter().flat_map(GapWatch::messages))
                .chain(self.unproven(outcome, tests))
                .collect(),
            leak_check_disabled: self.launch.leak_check_disabled.clone(),
        };
        RunOutput {
            run,
            logs: collected.files,
            records,
            last_start: helper::last_start(&self.private),
        }
    }

    /// Returns the names of programs, except that of the command itself.
    fn other_programs(&self, names: BTreeSet<String>) -> Vec<String> {
        let program = self.argv.first().map_or("", String::as_str);
        let path = LocalMachine
            .find_program(program)
            .map(|path| canonical(&path));
        let file_name = path.as_deref().and_then(Path::file_name);
        names
            .into_iter()
            .filter(|name| {
                file_name.is_none_or(|own| *own != **name) && name != program_name(program)
            })
            .collect()
    }

    /// Adds the logs that could not be restored to the missing ones.
    fn add_lost_logs(&self, lost: &[String], missing: &mut Vec<String>) {
        for lost in lost {
            let lost = format!("{}/{lost}", self.label);
            if !missing.contains(&lost) {
                missing.push(lost);
            }
        }
    }

    /// Returns the contents of a copy of the command's output.
    fn output(&self, name: &str) -> Vec<u8> {
        fs::read(self.logs.join(name)).unwrap_or_default()
    }

    /// Returns the number of tests that cargo ran, or `None` if the number is unknown.
    fn test_count(&self) -> Option<u64> {
        if !matches!(self.harness, Harness::Cargo | Harness::Nextest) {
            return None;
        }
        cargo::count_tests(&self.output("stdout.txt"), &self.output("stderr.txt"))
    }

    /// Returns a message if a process crashed under a preloaded allocator.
    fn crash_message(&self) -> Option<String> {
        if !self.has_family(Family::Preload) {
            return None;
        }
        let line = preload::find_crash(&self.output("stderr.txt"))?;
        Some(format!(
            "a process of `{}` crashed: `{line}`",
            self.command()
        ))
    }

    /// Returns a message for each reason, other than missing reports, why the run proves nothing.
    fn unproven(&self, outcome: ChildOutcome, tests: Option<u64>) -> Vec<String> {
        let command = self.command();
        let mut unproven: Vec<String> = outcome
            .lost
            .into_iter()
            .map(|lost| format!("{}/{lost}", self.label))
            .collect();
        unproven.extend(self.launch.disabled_checks.iter().cloned());
        if tests == Some(0) {
            unproven.push(format!("`{command}` ran no tests"));
        }
        // valgrind writes its whole report on SIGTERM.
        let reports_on_sigterm = self.has_family(Family::Valgrind);
        for process in outcome
            .stopped
            .into_iter()
            .filter(|process| process.was_killed || !reports_on_sigterm)
        {
            let action = if process.was_killed {
                "killed"
            } else {
                "stopped"
            };
            unproven.push(format!(
                "process {} outlived `{command}` and was {action} before it wrote its report",
                process.pid
            ));
        }
        for crash in outcome.crashes {
            unproven.push(format!(
                "orphaned process {} of `{command}` crashed with signal {}",
                crash.pid, crash.signal
            ));
        }
        unproven
    }
}

/// Reads the records of the programs that were started. Also returns a message if that fails: the
/// command may have removed them from the folder for temporary files.
fn read_records(private: &Path) -> (Vec<Record>, Option<String>) {
    match helper::records(private) {
        Ok(records) => (records, None),
        Err(error) => {
            let message = format!("cannot list the processes that ran: {error}");
            (Vec::new(), Some(message))
        }
    }
}
