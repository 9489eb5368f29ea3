//! Allocators that are preloaded in place of the program's own: Scudo, GWP-ASan within Scudo, and
//! Electric Fence.
//!
//! Sources: compiler-rt `scudo/standalone/flags.inc`, `gwp_asan/options.inc`; `libefence(3)`.

use memchr::memmem;

use super::checker::Checker;
use super::launch::{Launch, Machine, not_found};
use crate::error::Error;

/// Returns how to start a program with the allocator of this checker.
///
/// # Errors
/// Fails if the library isn't installed.
pub(super) fn launch(checker: Checker, machine: &dyn Machine) -> Result<Launch, Error> {
    let mut child_env = Vec::new();
    child_env.extend(preload_variable(checker, machine)?);
    match checker {
        Checker::Efence => child_env.extend(efence_variables(machine)),
        Checker::GwpAsan => child_env.push(gwp_asan_variable(machine)),
        _ => {}
    }
    Ok(Launch {
        child_env,
        ..Launch::default()
    })
}

/// Returns `LD_PRELOAD` with the library of the allocator in front of the user's; `None` if the
/// user preloads the library already.
fn preload_variable(
    checker: Checker,
    machine: &dyn Machine,
) -> Result<Option<(String, String)>, Error> {
    let (names, help) = match checker {
        Checker::Efence => (
            vec!["libefence.so.0".to_owned(), "libefence.so".to_owned()],
            "install it with `apt-get install electric-fence`",
        ),
        _ => (
            scudo_libraries(),
            "install clang's runtimes, such as with `apt-get install libclang-rt-19-dev`",
        ),
    };
    let user = machine.env_var("LD_PRELOAD").unwrap_or_default();
    let file_name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    if user
        .split([':', ' '])
        .any(|path| names.contains(&file_name(path)))
    {
        return Ok(None);
    }
    let library = machine.find_library(&names).ok_or_else(|| {
        not_found(
            checker,
            &format!("{} not found in the library path", names[0]),
            help,
        )
    })?;
    let value = join_values(&[&library.to_string_lossy(), &user]);
    Ok(Some(("LD_PRELOAD".into(), value)))
}

/// Returns variables that the user has not set: freed blocks stay inaccessible, and empty blocks
/// are allowed, as in the C standard.
fn efence_variables(machine: &dyn Machine) -> impl Iterator<Item = (String, String)> {
    ["EF_PROTECT_FREE", "EF_ALLOW_MALLOC_0"]
        .into_iter()
        .filter(|name| machine.env_var(name).is_none())
        .map(|name| (name.into(), "1".into()))
}

/// Returns the variable that makes Scudo guard every block. By default it guards one in 5,000.
fn gwp_asan_variable(machine: &dyn Machine) -> (String, String) {
    const SLOTS: &str = "GWP_ASAN_MaxSimultaneousAllocations";
    let user = machine.env_var("SCUDO_OPTIONS").unwrap_or_default();
    let slots = if user.contains(SLOTS) {
        String::new()
    } else {
        format!("{SLOTS}=16384")
    };
    let ours = "GWP_ASAN_Enabled=true:GWP_ASAN_SampleRate=1";
    ("SCUDO_OPTIONS".into(), join_values(&[&user, ours, &slots]))
}

/// Joins the values that are not empty with `:`.
fn join_values(values: &[&str]) -> String {
    let values: Vec<&str> = values
        .iter()
        .copied()
        .filter(|value| !value.is_empty())
        .collect();
    values.join(":")
}

fn scudo_libraries() -> Vec<String> {
    let arch = std::env::consts::ARCH;
    vec![
        format!("libclang_rt.scudo_standalone-{arch}.so"),
        "libclang_rt.scudo_standalone.so".into(),
        "libscudo.so".into(),
    ]
}

/// Returns the first line of standard error in which a shell or make reports that a process has
/// crashed. Most errors that Electric Fence detects show only as a crash.
pub(super) fn find_crash(stderr: &[u8]) -> Option<String> {
    let mut lines = stderr.split(|byte| *byte == b'\n');
    let line = lines.find(|line| is_crash_line(line.trim_ascii()))?;
    Some(String::from_utf8_lossy(line.trim_ascii()).into_owned())
}

/// Returns true if a line is the crash message of a shell or make. dash and `bash -c` print only
/// the message. bash prints script, line and pid in front of it and the command after it. make
/// prints its rule in front of it.
fn is_crash_line(line: &[u8]) -> bool {
    const CRASHES: &[&[u8]] = &[b"Segmentation fault", b"Bus error"];
    CRASHES.iter().any(|crash| {
        let Some(at) = memmem::find(line, crash) else {
            return false;
        };
        let before = &line[..at];
        let after = &line[at + crash.len()..];
        let is_bash = || {
            memmem::find(before, b": line ").is_some()
                && before
                    .trim_ascii_end()
                    .last()
                    .is_some_and(u8::is_ascii_digit)
        };
        let is_make = || memmem::find(before, b"*** [").is_some() && before.ends_with(b"] ");
        let is_at_end = after.is_empty() || after == b" (core dumped)";
        is_at_end && (before.is_empty() || is_make()) || is_bash()
    })
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn library_is_preloaded_before_those_of_the_user() {
        let machine = FakeMachine {
            libraries: vec!["/usr/lib/libefence.so.0"],
            env: vec![("LD_PRELOAD", "/opt/a.so"), ("EF_ALLOW_MALLOC_0", "0")],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::Efence, &machine).unwrap();
        assert_eq!(
            launch.child_env,
            [
                (
                    "LD_PRELOAD".into(),
                    "/usr/lib/libefence.so.0:/opt/a.so".into()
                ),
                ("EF_PROTECT_FREE".into(), "1".into())
            ]
        );
        assert!(launch.env.is_empty());
    }

    #[test]
    fn library_that_the_user_preloads_is_used() {
        let machine = FakeMachine {
            env: vec![("LD_PRELOAD", "/opt/libscudo.so")],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::GwpAsan, &machine).unwrap();
        assert_eq!(launch.child_env.len(), 1);
        let options = &launch.child_env[0].1;
        assert!(
            options.contains("SampleRate=1")
                && options.contains("MaxSimultaneousAllocations=16384")
        );
    }

    #[test]
    fn crash_messages_of_shells_and_make_are_found() {
        for text in [
            "Segmentation fault\n",
            "done\nt.sh: line 2:  7 Segmentation fault      ./app\n",
            "Bus error (core dumped)",
        ] {
            assert!(find_crash(text.as_bytes()).is_some(), "{text}");
        }
        assert!(find_crash(b"make: *** [Makefile:2: check] Segmentation fault").is_some());
        assert_eq!(
            find_crash(b"done\ntest: handles Segmentation fault well ... ok\n"),
            None
        );
    }

    #[test]
    fn missing_library_error_names_the_package() {
        for (checker, package) in [
            (Checker::Efence, "electric-fence"),
            (Checker::Scudo, "libclang-rt"),
        ] {
            let message = launch(checker, &FakeMachine::default())
                .unwrap_err()
                .to_string();
            assert!(message.contains(package), "{message}");
        }
    }
}
