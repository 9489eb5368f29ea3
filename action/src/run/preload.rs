//! Allocators that are loaded before the program's own: Scudo, GWP-ASan within it, Electric Fence.
//!
//! Sources: compiler-rt `scudo/standalone/flags.inc`, `gwp_asan/options.inc`; `libefence(3)`.

use memchr::memmem;

use super::checker::Checker;
use super::launch::{Launch, Machine, absent};
use crate::error::Error;

/// How to start a program with the allocator of this checker.
pub(super) fn launch(checker: Checker, machine: &dyn Machine) -> Result<Launch, Error> {
    let (names, how) = match checker {
        Checker::Efence => (
            vec!["libefence.so.0".to_owned(), "libefence.so".to_owned()],
            "apt-get install electric-fence",
        ),
        _ => (
            scudo(),
            "install clang's runtimes (apt-get install libclang-rt-19-dev)",
        ),
    };
    let users = machine.variable("LD_PRELOAD").unwrap_or_default();
    let is_loaded = users.split([':', ' ']).any(|path| {
        names
            .iter()
            .any(|name| path.rsplit('/').next() == Some(name))
    });
    let mut launch = Launch::default();
    if !is_loaded {
        let library = machine.library(&names);
        let library = library.ok_or_else(|| {
            absent(
                checker,
                &format!("there is no {} where libraries lie", names[0]),
                how,
            )
        })?;
        let all = [library.to_string_lossy().into_owned(), users]
            .into_iter()
            .filter(|part| !part.is_empty());
        launch
            .inner
            .push(("LD_PRELOAD".into(), all.collect::<Vec<_>>().join(":")));
    }
    match checker {
        Checker::Efence => {
            // Blocks that were freed stay forbidden, and empty blocks are allowed, as by the
            // language.
            for name in ["EF_PROTECT_FREE", "EF_ALLOW_MALLOC_0"] {
                if machine.variable(name).is_none() {
                    launch.inner.push((name.into(), "1".into()));
                }
            }
        }
        Checker::GwpAsan => {
            let users = machine.variable("SCUDO_OPTIONS").unwrap_or_default();
            // One block of each is guarded, where by default one of 5,000 is.
            let ours = "GWP_ASAN_Enabled=true:GWP_ASAN_SampleRate=1";
            let slots = "GWP_ASAN_MaxSimultaneousAllocations";
            let slots = if users.contains(slots) {
                String::new()
            } else {
                format!("{slots}=16384")
            };
            let all = [users, ours.into(), slots]
                .into_iter()
                .filter(|part| !part.is_empty());
            launch
                .inner
                .push(("SCUDO_OPTIONS".into(), all.collect::<Vec<_>>().join(":")));
        }
        _ => {}
    }
    Ok(launch)
}

/// What standard error says of a process that crashed: shells and make tell of those that they
/// started. A crash is all that Electric Fence says of most errors.
pub(super) fn crash(stderr: &[u8]) -> Option<String> {
    let mut lines = stderr.split(|byte| *byte == b'\n');
    let line = lines.find(|line| tells_of_crash(line.trim_ascii()))?;
    Some(String::from_utf8_lossy(line.trim_ascii()).into_owned())
}

/// dash and bash `-c` say nothing else; bash names its script, line and process before, and what
/// ran behind; make names its rule.
fn tells_of_crash(line: &[u8]) -> bool {
    const CRASHES: &[&[u8]] = &[b"Segmentation fault", b"Bus error"];
    CRASHES.iter().any(|crash| {
        let Some(at) = memmem::find(line, crash) else {
            return false;
        };
        let (before, behind) = (&line[..at], &line[at + crash.len()..]);
        let of_bash = || {
            memmem::find(before, b": line ").is_some()
                && before
                    .trim_ascii_end()
                    .last()
                    .is_some_and(u8::is_ascii_digit)
        };
        let of_make = || memmem::find(before, b"*** [").is_some() && before.ends_with(b"] ");
        let ends = behind.is_empty() || behind == b" (core dumped)";
        ends && (before.is_empty() || of_make()) || of_bash()
    })
}

fn scudo() -> Vec<String> {
    let machine = std::env::consts::ARCH;
    vec![
        format!("libclang_rt.scudo_standalone-{machine}.so"),
        "libclang_rt.scudo_standalone.so".into(),
        "libscudo.so".into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn a_library_goes_before_those_of_the_user() {
        let machine = Made {
            libraries: vec!["/usr/lib/libefence.so.0"],
            variables: vec![("LD_PRELOAD", "/opt/a.so"), ("EF_ALLOW_MALLOC_0", "0")],
            ..Made::default()
        };
        let launch = launch(Checker::Efence, &machine).unwrap();
        assert_eq!(
            launch.inner[0],
            (
                "LD_PRELOAD".into(),
                "/usr/lib/libefence.so.0:/opt/a.so".into()
            )
        );
        assert!(
            launch
                .inner
                .iter()
                .all(|(name, _)| name != "EF_ALLOW_MALLOC_0")
                && launch.variables.is_empty()
        );
    }

    #[test]
    fn a_library_that_the_user_loads_is_that_of_the_user() {
        let machine = Made {
            variables: vec![("LD_PRELOAD", "/opt/libscudo.so")],
            ..Made::default()
        };
        let launch = launch(Checker::GwpAsan, &machine).unwrap();
        assert_eq!(launch.inner.len(), 1);
        assert!(
            launch.inner[0].1.contains("SampleRate=1")
                && launch.inner[0]
                    .1
                    .contains("MaxSimultaneousAllocations=16384")
        );
    }

    #[test]
    fn shells_tell_of_crashes() {
        for text in [
            "Segmentation fault\n",
            "done\nt.sh: line 2:  7 Segmentation fault      ./app\n",
            "Bus error (core dumped)",
        ] {
            assert!(crash(text.as_bytes()).is_some(), "{text}");
        }
        assert!(crash(b"make: *** [Makefile:2: check] Segmentation fault").is_some());
        assert_eq!(
            crash(b"done\ntest: handles Segmentation fault well ... ok\n"),
            None
        );
    }

    #[test]
    fn what_is_missing_can_be_installed() {
        for (checker, package) in [
            (Checker::Efence, "electric-fence"),
            (Checker::Scudo, "libclang-rt"),
        ] {
            let told = launch(checker, &Made::default()).unwrap_err().to_string();
            assert!(told.contains(package), "{told}");
        }
    }
}
