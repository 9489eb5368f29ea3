//! The identity of findings in several runs: everything but addresses and log lines.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use hashbrown::{HashMap, HashSet};

use crate::model::{Finding, FrameInfo, Kind, Leak, Role, Text, Tool};

/// The identity of a finding. Equal findings have equal ones.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    tool: Tool,
    kind: Kind,
    title: Text,
    leak: Option<Leak>,
    /// For each stack, its role, and the number of each frame and whether it's inlined.
    stacks: Vec<(Role, Vec<(usize, bool)>)>,
}

/// The frames of all runs. Equal frames of different runs get one value and one number.
#[derive(Debug, Default)]
pub(super) struct Frames {
    infos: HashSet<Arc<FrameInfo>>,
    numbers: HashMap<Place, usize>,
    /// The frames of the current run, by the address of their information.
    of_run: HashMap<usize, (Arc<FrameInfo>, usize)>,
}

impl Frames {
    /// Prepares for the frames of another run.
    pub(super) fn begin_run(&mut self) {
        self.of_run.clear();
    }

    /// Returns the identity of a finding of the current run, whose frames become those of earlier
    /// runs. All findings of the run must be identified before any is dropped.
    pub(super) fn identify(&mut self, finding: &mut Finding) -> Identity {
        let stacks = finding.stacks.iter_mut().map(|stack| {
            let frames = stack.frames.iter_mut().map(|frame| {
                let (info, number) = self.known(&frame.info);
                frame.info = info;
                (number, frame.inlined)
            });
            (stack.role, frames.collect())
        });
        Identity {
            tool: finding.tool.clone(),
            kind: finding.kind.clone(),
            title: finding.title.clone(),
            leak: finding.leak,
            stacks: stacks.collect(),
        }
    }

    /// Returns the shared value and the number of a frame.
    fn known(&mut self, info: &Arc<FrameInfo>) -> (Arc<FrameInfo>, usize) {
        let key = Arc::as_ptr(info) as usize;
        if let Some((shared, number)) = self.of_run.get(&key) {
            return (Arc::clone(shared), *number);
        }
        let shared = Arc::clone(self.infos.get_or_insert_with(info, Arc::clone));
        let next = self.numbers.len();
        let number = *self
            .numbers
            .entry(Place(Arc::clone(&shared)))
            .or_insert(next);
        self.of_run.insert(key, (Arc::clone(&shared), number));
        (shared, number)
    }
}

/// A frame, compared by its function as printed, its position and its module.
#[derive(Debug)]
struct Place(Arc<FrameInfo>);

impl Place {
    fn texts(&self) -> [Option<&Text>; 3] {
        let Self(info) = self;
        [&info.function, &info.file, &info.module].map(Option::as_ref)
    }

    /// Zero is an unknown number.
    fn numbers(&self) -> [u64; 3] {
        let Self(info) = self;
        let [line, column] = [info.line, info.column].map(|n| u64::from(n.unwrap_or(0)));
        [line, column, info.offset.unwrap_or(0)]
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers() && self.texts() == other.texts()
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.numbers().hash(state);
        self.texts().hash(state);
    }
}
