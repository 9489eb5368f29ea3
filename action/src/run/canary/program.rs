//! Builds the canary's program: an executable of a few hundred bytes that calls the C library and
//! has an error on purpose.
//!
//! It is assembled here instruction by instruction. A machine that runs tests may have no compiler,
//! and leakgate itself may be linked without the C library that checkers watch.
//! Sources: the ELF specification (System V gABI, chapters 4 and 5), the processor supplements for
//! x86-64 and AArch64 (relocations `GLOB_DAT`), the instruction sets' manuals.

mod assemble;
mod link;

use std::path::Path;

use self::assemble::{Function, Operation};
use self::link::{AARCH64, X86_64, link};

/// The error of the program. The exit status is 0 in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Leaks a block and reads the byte after it.
    LeakAndRead,
    /// Unlocks a mutex that is not locked.
    Unlock,
    /// Frees a block twice.
    DoubleFree,
    /// Reads a freed block.
    ReadFreed,
}

/// Size of the leaked block, in bytes.
pub(crate) const LEAK_BYTES: u32 = 4242;

/// Size of all other blocks, in bytes. GWP-ASan guards only blocks that fit into a page.
const SMALL_BYTES: u32 = 42;

impl Defect {
    fn operations(self) -> &'static [Operation] {
        use Function::{Exit, Free, Malloc, Unlock};
        use Operation::{Call, CallMutex, CallSaved, Forget, Read, Save};
        match self {
            Self::LeakAndRead => &[
                Call(Malloc, LEAK_BYTES),
                Save,
                Read(LEAK_BYTES),
                Forget,
                Call(Exit, 0),
            ],
            Self::Unlock => &[CallMutex(Unlock), Call(Exit, 0)],
            Self::DoubleFree => &[
                Call(Malloc, SMALL_BYTES),
                Save,
                CallSaved(Free),
                CallSaved(Free),
                Call(Exit, 0),
            ],
            Self::ReadFreed => &[
                Call(Malloc, SMALL_BYTES),
                Save,
                CallSaved(Free),
                Read(0),
                Call(Exit, 0),
            ],
        }
    }
}

/// Returns the program for this machine; `None` if its system or processor isn't supported.
pub(crate) fn build(defect: Defect) -> Option<Vec<u8>> {
    let processor = match std::env::consts::ARCH {
        "x86_64" if cfg!(target_os = "linux") => X86_64,
        "aarch64" if cfg!(target_os = "linux") => AARCH64,
        _ => return None,
    };
    let (loader, libraries) = processor
        .systems
        .iter()
        .find(|(loader, _)| Path::new(loader).exists())?;
    Some(link(&processor, defect.operations(), loader, libraries))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFECTS: [Defect; 4] = [
        Defect::LeakAndRead,
        Defect::Unlock,
        Defect::DoubleFree,
        Defect::ReadFreed,
    ];

    #[test]
    fn every_defect_builds_for_every_processor() {
        for processor in [X86_64, AARCH64] {
            for defect in DEFECTS {
                let (loader, libraries) = processor.systems[0];
                let file = link(&processor, defect.operations(), loader, libraries);
                assert!(file.starts_with(b"\x7fELF") && file.len() < 0x2_0000);
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn program_succeeds_without_a_checker() {
        use crate::run::executable;
        let dir = tempfile::tempdir().unwrap();
        for defect in [Defect::LeakAndRead, Defect::Unlock, Defect::ReadFreed] {
            let Some(file) = build(defect) else { return };
            let path = dir.path().join(format!("{defect:?}"));
            executable::write(&path, &file).unwrap();
            let mut command = std::process::Command::new(&path);
            let status = executable::spawn_written(&mut command)
                .unwrap()
                .wait()
                .unwrap();
            assert!(status.success(), "{defect:?}: {status}");
        }
    }
}
