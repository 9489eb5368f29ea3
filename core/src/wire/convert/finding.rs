//! Conversion of findings, stacks and frames.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{KnownFrames, borrow, hex, own};
use crate::culprit::Class;
use crate::model::{self, Kind, Role, Text, Tool};
use crate::wire::{Finding, Frame, Instance, Leak, Stack, Suppression};

impl From<model::Leak> for Leak {
    fn from(leak: model::Leak) -> Self {
        Self {
            bytes: leak.bytes,
            blocks: leak.blocks,
            direct_bytes: leak.direct_bytes,
            indirect_bytes: leak.indirect_bytes,
        }
    }
}

impl Leak {
    /// Returns the sizes of one of `records` equal records.
    fn of_one_record(&self, records: u64) -> model::Leak {
        let records = records.max(1);
        model::Leak {
            bytes: self.bytes / records,
            blocks: self.blocks / records,
            direct_bytes: self.direct_bytes / records,
            indirect_bytes: self.indirect_bytes / records,
        }
    }
}

impl<'a> Finding<'a> {
    /// Converts a finding that was read.
    ///
    /// # Errors
    /// Fails if a frame can't be parsed.
    pub(crate) fn into_model(
        self,
        frames: &mut KnownFrames,
    ) -> Result<model::Finding, serde_json::Error> {
        let wire = self;
        let occurrences = wire.occurrences;
        let stacks = wire.stacks.into_iter();
        let stacks: Result<_, _> = stacks.map(|stack| stack.into_model(frames)).collect();
        Ok(model::Finding {
            tool: Tool::from_name(&wire.tool),
            kind: Kind::from_json(&wire.kind),
            title: wire.title.into(),
            leak: wire.leak.map(|leak| leak.of_one_record(occurrences)),
            stacks: stacks?,
            notes: wire.notes.into_iter().map(Text::from).collect(),
            generated_suppression: wire.suppression.map(Into::into),
            occurrences,
            inherited: wire.inherited,
            instances: wire.instances.into_iter().map(Into::into).collect(),
            tests: wire.tests.into_iter().map(Text::from).collect(),
            more_tests: wire.more_tests,
        })
    }
}

impl<'a> From<&'a model::GeneratedSuppression> for Suppression<'a> {
    fn from(suppression: &'a model::GeneratedSuppression) -> Self {
        Self {
            kind: (&*suppression.kind).into(),
            extra: borrow(&suppression.extra),
            frames: suppression.frames.iter().map(|f| (&**f).into()).collect(),
        }
    }
}

impl From<Suppression<'_>> for model::GeneratedSuppression {
    fn from(wire: Suppression<'_>) -> Self {
        Self {
            kind: wire.kind.into(),
            extra: own(wire.extra),
            frames: wire.frames.into_iter().map(Text::from).collect(),
        }
    }
}

impl<'a> Stack<'a> {
    /// Converts a stack, but not its frames.
    pub(crate) fn without_frames(stack: &'a model::Stack) -> Self {
        Self {
            role: stack.role.as_str().into(),
            label: borrow(&stack.label),
            frames: Vec::new(),
        }
    }

    /// Converts a stack that was read. An unknown role of a newer leakgate becomes
    /// [`Role::Other`].
    fn into_model(self, frames: &mut KnownFrames) -> Result<model::Stack, serde_json::Error> {
        let role = Role::ALL.iter().find(|r| r.as_str() == self.role);
        let mut frames_of_stack = Vec::with_capacity(self.frames.len());
        for frame in self.frames {
            frames_of_stack.push(frames.read(frame.get())?);
        }
        Ok(model::Stack {
            role: role.copied().unwrap_or(Role::Other),
            label: own(self.label),
            frames: frames_of_stack,
        })
    }
}

impl<'a> Frame<'a> {
    /// Converts a frame.
    pub(crate) fn new(frame: &'a model::Frame, class: Class) -> Self {
        let info = &frame.info;
        let symbol = info
            .function
            .as_deref()
            .filter(|_| info.demangled.is_some());
        Self {
            index: frame.index,
            address: hex(frame.address),
            function: info.name().map(Cow::Borrowed),
            symbol: symbol.map(Cow::Borrowed),
            file: borrow(&info.file),
            line: info.line,
            column: info.column,
            module: borrow(&info.module),
            offset: hex(info.offset),
            build_id: borrow(&info.build_id),
            inlined: frame.inlined,
            class: class.as_str().into(),
        }
    }
}

impl From<&model::Instance> for Instance {
    fn from(instance: &model::Instance) -> Self {
        Self {
            input: instance.input,
            report: instance.report,
            pid: instance.pid,
            first_line: instance.first_line,
            last_line: instance.last_line,
        }
    }
}

impl From<Instance> for model::Instance {
    fn from(wire: Instance) -> Self {
        Self {
            input: wire.input,
            report: wire.report,
            pid: wire.pid,
            first_line: wire.first_line,
            last_line: wire.last_line,
        }
    }
}
